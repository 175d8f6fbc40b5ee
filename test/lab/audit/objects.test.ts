import assert from "node:assert/strict";
import { audit, fails, subjectOf } from "../../../lab/audit/audit.ts";
import { kubernetesObject } from "../../../lab/audit/kubernetes-object.ts";
import { findingsIn, live, ownedBy, pairs, SOUND_CONTAINER, SOUND_POD } from "./fixtures.ts";

const ROOT_POD = { ...SOUND_POD, securityContext: { ...SOUND_POD.securityContext, runAsUser: 0 } };

describe("an audit of a cluster's objects", () => {
  it("reports nothing for a sound Deployment with its ReplicaSet and Pods, with all API server defaults", () => {
    const filled = {
      ...SOUND_POD,
      dnsPolicy: "ClusterFirst",
      enableServiceLinks: true,
      serviceAccountName: "default",
      terminationGracePeriodSeconds: 30,
      containers: [
        { ...SOUND_CONTAINER, terminationMessagePath: "/dev/termination-log", imagePullPolicy: "IfNotPresent" },
      ],
    };
    const pod = {
      ...filled,
      nodeName: "node-1",
      tolerations: [{ key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute" }],
    };
    const objects = [
      live("apps/v1", "Deployment", "api", { spec: { template: { spec: filled } }, status: { replicas: 1 } }),
      live("apps/v1", "ReplicaSet", "api-1", { spec: { template: { spec: filled } } }, ownedBy("Deployment", "api")),
      live("v1", "Pod", "api-1-x", { spec: pod, status: { phase: "Running" } }, ownedBy("ReplicaSet", "api-1")),
    ];
    assert.deepEqual(pairs(findingsIn(objects)), []);
  });

  it("reports the pods of a Deployment once, at the Deployment, and skips old ReplicaSets", () => {
    const spec = { template: { spec: ROOT_POD } };
    const objects = [
      live("apps/v1", "Deployment", "api", { spec }),
      ...["api-1", "api-2"].map((name) => live("apps/v1", "ReplicaSet", name, { spec }, ownedBy("Deployment", "api"))),
      ...["a", "b", "c"].map((name) => live("v1", "Pod", name, { spec: ROOT_POD }, ownedBy("ReplicaSet", "api-2"))),
    ];
    assert.deepEqual(pairs(findingsIn(objects)), ["pods-non-root Deployment/payments/api"]);
  });

  it("reports one of several pods whose owner is not among the objects, and each bare pod", () => {
    const objects = [
      ...["a", "b"].map((name) => live("v1", "Pod", name, { spec: ROOT_POD }, ownedBy("Rollout", "api"))),
      live("v1", "Pod", "bare", { spec: ROOT_POD }),
      live("v1", "Pod", "other", { spec: ROOT_POD }),
    ];
    assert.deepEqual(pairs(findingsIn(objects)), [
      "pods-non-root Pod/payments/a",
      "pods-non-root Pod/payments/bare",
      "pods-non-root Pod/payments/other",
    ]);
  });

  it("reports hostNetwork, but not the host ports that the API server fills in for it", () => {
    const containers = [{ ...SOUND_CONTAINER, ports: [{ containerPort: 80, hostPort: 80 }] }];
    const onHost = live("v1", "Pod", "a", { spec: { ...SOUND_POD, hostNetwork: true, containers } });
    assert.deepEqual(pairs(findingsIn([onHost])), ["pods-no-host-namespaces Pod/payments/a"]);
    // A manifest says what somebody asked for.
    assert.deepEqual(pairs(findingsIn([onHost], { live: false })), [
      "pods-no-host-namespaces Pod/payments/a",
      "pods-no-host-ports Pod/payments/a",
    ]);
    const own = live("v1", "Pod", "a", { spec: { ...SOUND_POD, containers } });
    assert.deepEqual(pairs(findingsIn([own])), ["pods-no-host-ports Pod/payments/a"]);
  });

  it("skips what came with the cluster, and reports the same in another namespace", () => {
    const cluster = { namespace: undefined };
    const admin = { roleRef: { kind: "ClusterRole", name: "cluster-admin" }, subjects: [] };
    const all = { rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }] };
    const objects = (system: boolean) => [
      live("v1", "Namespace", system ? "kube-system" : "web", {}, cluster),
      live("v1", "Pod", "proxy", { spec: ROOT_POD }, { namespace: system ? "kube-system" : "web" }),
      live("v1", system ? "ConfigMap" : "Service", "kube-root-ca.crt", {}, { namespace: "default" }),
      live("rbac.authorization.k8s.io/v1", "ClusterRole", system ? "system:x" : "x", all, cluster),
      live(
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding",
        "admins",
        admin,
        system ? { ...cluster, labels: { "kubernetes.io/bootstrapping": "rbac-defaults" } } : cluster,
      ),
    ];
    assert.deepEqual(pairs(findingsIn(objects(true))), []);
    assert.deepEqual(
      [...new Set(pairs(findingsIn(objects(false))))],
      [
        "pods-non-root Pod/web/proxy",
        "tenancy-no-cluster-admin ClusterRoleBinding/admins",
        "tenancy-no-default-namespace Service/default/kube-root-ca.crt",
        "tenancy-no-escalation ClusterRole/x",
        "tenancy-no-secret-reading ClusterRole/x",
        "tenancy-no-wildcards ClusterRole/x",
        "tenancy-nodes-proxy ClusterRole/x",
        "tenancy-pod-security Namespace/web",
      ],
    );
    assert.deepEqual(pairs(findingsIn(objects(true), { live: true, includeSystem: true })), [
      "pods-non-root Pod/kube-system/proxy",
    ]);
  });

  it("reports manifests for kube-system, and applies --namespace to those that name none", () => {
    const bare = { namespace: undefined };
    const pod = live("v1", "Pod", "a", { spec: ROOT_POD }, { namespace: "kube-system" });
    assert.deepEqual(pairs(findingsIn([pod], { live: false })), ["pods-non-root Pod/kube-system/a"]);
    const nowhere = live("v1", "Pod", "a", { spec: SOUND_POD }, bare);
    assert.deepEqual(pairs(findingsIn([nowhere], { live: false })), ["tenancy-no-default-namespace Pod/a"]);
    assert.deepEqual(pairs(findingsIn([nowhere], { live: false, namespace: "web" })), []);
  });

  it("judges the Corefile of kube-system, which the platform team writes", () => {
    const data = { Corefile: ".:53 {\n    forward . 10.0.0.2\n}\n" };
    for (const name of ["coredns", "dns-coredns"]) {
      const corefile = live("v1", "ConfigMap", name, { data }, { namespace: "kube-system" });
      const found = pairs(findingsIn([corefile]));
      assert.ok(found.length > 0 && found.every((pair) => pair.startsWith("coredns-")), found.join("\n"));
    }
  });

  it("skips rules that need objects the user may not list, and names them", () => {
    const objects = [
      live("v1", "Namespace", "web-team", { metadata: { name: "web-team", labels: { team: "web" } } }),
      live("v1", "Pod", "a", { spec: { ...SOUND_POD, automountServiceAccountToken: true, serviceAccountName: "api" } }),
    ].flatMap((object) => kubernetesObject(object) ?? []);
    const run = (unreadTypes: readonly string[]) => audit(subjectOf(objects, { live: true, unreadTypes }));
    const rulesOf = (unread: readonly string[]) => new Set(run(unread).findings.map(({ rule }) => rule));
    assert.ok(rulesOf([]).has("pods-service-account-token") && rulesOf([]).has("tenancy-quota"));
    const bindings = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding";
    const unread = [bindings, "kubernetes:core/v1:ResourceQuota"];
    assert.ok(!rulesOf(unread).has("pods-service-account-token") && !rulesOf(unread).has("tenancy-quota"));
    assert.ok(rulesOf(unread).has("tenancy-limits"), "which needs neither");
    assert.deepEqual(run(unread).skipped, [
      { rule: "tenancy-quota", unread: ["ResourceQuota"] },
      { rule: "pods-service-account-token", unread: ["RoleBinding"] },
      { rule: "collectors-events-rights", unread: ["RoleBinding"] },
    ]);
  });

  it("exempts this program's own collector, and nothing else with its name", () => {
    const labels = { "app.kubernetes.io/part-of": "eks-dns-logging" };
    const spec = { template: { spec: ROOT_POD } };
    const own = live("apps/v1", "DaemonSet", "fluent-bit", { spec }, { namespace: "logging", labels });
    const other = live("apps/v1", "DaemonSet", "fluent-bit", { spec }, { namespace: "web", labels });
    const objects = [own, other].flatMap((object) => kubernetesObject(object) ?? []);
    const result = audit(subjectOf(objects, { live: true }));
    const outcomes = result.findings
      .filter(({ rule }) => rule === "pods-non-root")
      .map(({ resource, outcome }) => `${resource} ${outcome}`);
    assert.deepEqual(outcomes, ["DaemonSet/logging/fluent-bit exempt", "DaemonSet/web/fluent-bit violated"]);
    assert.equal(fails(result), true);
  });

  it("exempts it in another namespace only if this program created that one", () => {
    const labels = { "app.kubernetes.io/part-of": "eks-dns-logging" };
    const spec = { template: { spec: ROOT_POD } };
    const own = live("apps/v1", "DaemonSet", "fluent-bit", { spec }, { namespace: "observability", labels });
    const namespace = (name: string) =>
      live("v1", "Namespace", "observability", {
        metadata: { name: "observability", labels: { ...labels, "app.kubernetes.io/name": name } },
      });
    const outcomes = (...objects: readonly object[]) => {
      const read = objects.flatMap((object) => kubernetesObject(object) ?? []);
      return audit(subjectOf(read, { live: true }))
        .findings.filter(({ rule }) => rule === "pods-non-root")
        .map(({ outcome }) => outcome);
    };
    assert.deepEqual(outcomes(own), ["violated"]);
    assert.deepEqual(outcomes(own, namespace("team")), ["violated"]);
    assert.deepEqual(outcomes(own, namespace("logging")), ["exempt"]);
  });

  it("reads levels and exemptions from a configuration, and accepts unused exemptions", () => {
    const pod = kubernetesObject(live("v1", "Pod", "a", { spec: ROOT_POD }));
    assert.ok(pod);
    const subject = subjectOf([pod], { live: true });
    const exempt = [
      { resource: "Pod/payments/a", reason: "legacy" },
      { resource: "Pod/payments/gone", reason: "legacy" },
    ];
    const result = audit(subject, { "pods-non-root": { exempt } });
    assert.deepEqual(
      result.findings.map(({ outcome }) => outcome),
      ["exempt"],
    );
    assert.deepEqual([result.issues, fails(result)], [[], false]);
    assert.equal(fails(audit(subject, { "pods-non-root": "advisory" })), false);
    assert.equal(fails(audit(subject, { "no-such-rule": "advisory" })), true);
  });

  it("takes less than 10 s of CPU for 5,000 objects with 15,000 findings", () => {
    const objects = Array.from({ length: 5000 }, (_, index) =>
      live("apps/v1", "Deployment", `d${index}`, {
        spec: { template: { spec: { ...ROOT_POD, containers: [{ name: "a", image: "nginx" }] } } },
      }),
    );
    const start = process.cpuUsage();
    const found = findingsIn(objects);
    const { user, system } = process.cpuUsage(start);
    assert.ok(found.length > 15_000, String(found.length));
    assert.ok((user + system) / 1e6 < 10, `${(user + system) / 1e6} s`);
  }).timeout(60_000);
});
