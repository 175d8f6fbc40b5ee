import assert from "node:assert/strict";
import { formatIssue } from "../../../components/schema/errors.ts";
import { checkTeams } from "../../../components/team/namespace-room.ts";
import { TeamsSettings } from "../../../components/team/settings.ts";

const SIDECAR = { cpu: "50m", memory: "64Mi", memoryLimit: "512Mi" };

/** What is said of a team called ts, warnings after a mark. */
function saidOf(team: object, { enabled = true, sidecar = false } = {}): string[] {
  const teams = TeamsSettings.parse([{ name: "ts", ...team }]);
  const issues = checkTeams(teams, { enabled, sidecar: sidecar ? SIDECAR : undefined });
  return issues.map((issue) => `${issue.severity === "warning" ? "warning: " : ""}${formatIssue(issue)}`);
}

describe("the room in a team's namespace", () => {
  it("is sufficient with the defaults, even for a sidecar", () => {
    assert.deepEqual(saidOf({}), []);
    assert.deepEqual(saidOf({}, { sidecar: true }), []);
  });

  it("must suffice for the curl pod, by each key that counts it, its Service or its ConfigMaps", () => {
    const short = {
      ...{ cpu: "10m", memory: "16Mi", configmaps: 1, "limits.cpu": "4" },
      ...{ "count/pods": 0, "count/services": 0, "count/configmaps": 1 },
    };
    const [pod, maps] = ["for the curl pod", "for those of the curl pod and kube-root-ca.crt"];
    assert.deepEqual(saidOf({ quota: short }), [
      `[0].quota.cpu: must be at least 20m, ${pod} (found "10m")`,
      `[0].quota.memory: must be at least 32Mi, ${pod} (found "16Mi")`,
      `[0].quota["count/pods"]: must be at least 1, ${pod} (found 0)`,
      `[0].quota["count/services"]: must be at least 1, ${pod} (found 0)`,
      `[0].quota.configmaps: must be at least 2, ${maps} (found 1)`,
      `[0].quota["count/configmaps"]: must be at least 2, ${maps} (found 1)`,
      '[0].quota["limits.cpu"]: must not be set with a curl pod, whose containers have no CPU limit: Kubernetes would refuse it (found "4")',
      "warning: [0]: limits.cpuRequest (25m) must not exceed quota.cpu (10m), or Kubernetes refuses each container that names no resources",
      "warning: [0]: limits.memoryRequest (32Mi) must not exceed quota.memory (16Mi), or Kubernetes refuses each container that names no resources",
    ]);
    const enough = {
      ...{ cpu: "25m", memory: "32Mi", configmaps: 2, "requests.ephemeral-storage": 0 },
      ...{ "count/pods": 1, "count/services": 1, "count/configmaps": 2 },
    };
    assert.deepEqual(saidOf({ quota: enough }), []);
    assert.deepEqual(saidOf({ quota: { ...enough, cpu: "60m", memory: "1Gi" } }, { sidecar: true }), [
      `[0].quota.cpu: must be at least 70m, ${pod} (found "60m")`,
      `[0].quota.configmaps: must be at least 3, ${maps} (found 2)`,
      `[0].quota["count/configmaps"]: must be at least 3, ${maps} (found 2)`,
    ]);
  });

  it("is not checked without a curl pod, except for a warning about a quota of CPU limits", () => {
    const quota = { configmaps: 0, "count/pods": 0, "count/services": 0, "limits.cpu": "4" };
    const said = [
      'warning: [0].quota["limits.cpu"]: makes Kubernetes refuse each container that names no CPU limit, since the LimitRange sets none (found "4")',
    ];
    assert.deepEqual(saidOf({ quota }, { enabled: false }), said);
    assert.deepEqual(saidOf({ quota, namespaces: [{ name: "shop" }] }), said);
    assert.deepEqual(saidOf({ quota, namespaces: [{ name: "shop", adopt: true }] }), [], "which has no quota");
  });

  it("causes a warning if the namespace's other objects may not fit", () => {
    const quota = {
      ...{ "count/serviceaccounts": 2, "count/limitranges": 0, "count/roles.rbac.authorization.k8s.io": 1 },
      "count/networkpolicies.networking.k8s.io": 3,
      "count/rolebindings.rbac.authorization.k8s.io": 0,
    };
    assert.deepEqual(saidOf({ quota }), [
      'warning: [0].quota["count/limitranges"]: must be at least 1, for what this stack creates in the namespace (found 0)',
    ]);
    const more = {
      egress: [{ namespaces: ["data"] }],
      members: ["devs"],
      podIdentity: { serviceAccount: "orders", policyArns: ["arn:aws:iam::123456789012:policy/orders"] },
    };
    const mins = saidOf({ quota, ...more }).map((line) => /quota\["count\/(\w+).* at least (\d)/.exec(line)?.slice(1));
    assert.deepEqual(mins, [
      ["limitranges", "1"],
      ["networkpolicies", "5"],
      ["rolebindings", "1"],
      ["serviceaccounts", "3"],
    ]);
  });

  it("causes a warning if a container without resource settings never fits", () => {
    const end = "or Kubernetes refuses each container that names no resources";
    const limits = { cpuRequest: "4", memoryRequest: "3Gi", memoryLimit: "8Gi", maxMemory: "8Gi" };
    const said = [
      `warning: [0]: limits.cpuRequest (4) must not exceed quota.requests.cpu (2), ${end}`,
      `warning: [0]: limits.memoryRequest (3Gi) must not exceed quota.requests.memory (2Gi), ${end}`,
      `warning: [0]: limits.memoryLimit (8Gi) must not exceed quota.limits.memory (4Gi), ${end}`,
    ];
    assert.deepEqual(saidOf({ limits }), said);
    assert.deepEqual(saidOf({ limits }, { enabled: false }), said);
    const quota = { "requests.cpu": "4", "requests.memory": "3Gi", "limits.memory": "8Gi" };
    assert.deepEqual(saidOf({ limits, quota }), []);
  });
});
