import assert from "node:assert/strict";
import { TeamsSettings } from "../../../components/team/settings.ts";
import { type Cluster, ClusterError } from "../../../lab/kubernetes/cluster.ts";
import { allChecks, checkInputOf } from "../../../lab/verify/catalog.ts";
import { collectorPodsCheck } from "../../../lab/verify/checks/pods.ts";
import { type GuardedNamespace, guardedNamespaces, namespaceCheck } from "../../../lab/verify/checks/team-access.ts";
import { Lab } from "../../../lab/verify/lab.ts";
import type { Check } from "../../../lab/verify/result.ts";
import { runChecks } from "../../../lab/verify/verify.ts";
import { localSettings } from "../drill/fake-lab.ts";
import { fakeCluster, runningPod } from "./fake-cluster.ts";

async function rowOf(check: Check, changes: Partial<Cluster> = {}) {
  const [row] = await runChecks([check], new Lab(fakeCluster(changes)), { parallel: 1 });
  assert.ok(row !== undefined);
  return [row.status, row.detail, row.cause];
}

const LEVEL = "pod-security.kubernetes.io/enforce";
const POLICIES = ["default-deny", "allow-dns", "allow-peers"];
const payments: GuardedNamespace = {
  name: "payments",
  team: "pay",
  level: "baseline",
  policies: [...POLICIES, "allow-egress"],
};
const found = (labels: Readonly<Record<string, string>>, policies: readonly string[] = payments.policies) => ({
  namespaceLabels: async () => labels,
  networkPolicies: async () => [...policies],
});

describe("rows of stacks without a curl pod", () => {
  it("are about each namespace without a curl pod, by the team's settings", () => {
    const teams = TeamsSettings.parse([
      { name: "ts" },
      {
        name: "pay",
        namespaces: [{ name: "payments", adopt: true }, { name: "jobs" }],
        podSecurity: { level: "baseline", reason: "a host port" },
        egress: [{ cidrs: ["203.0.113.0/24"] }],
      },
    ]);
    const own = { name: "ts-team", team: "ts", level: "restricted", policies: POLICIES };
    assert.deepEqual(guardedNamespaces(teams, true), [payments, { ...payments, name: "jobs" }]);
    assert.deepEqual(guardedNamespaces(teams, false), [own, payments, { ...payments, name: "jobs" }]);
  });

  it("pass if a namespace has its labels and policies, whatever else it has", async () => {
    const labels = { team: "pay", [LEVEL]: "baseline" };
    assert.deepEqual(await rowOf(namespaceCheck(payments), found(labels, [...payments.policies, "their-own"])), [
      "pass",
      "team pay, baseline, allow-dns, allow-egress, allow-peers, default-deny, their-own",
      undefined,
    ]);
  });

  it("fail if a policy, the level or the namespace is missing, or the namespace is another team's", async () => {
    const check = namespaceCheck(payments);
    const right = { team: "pay", [LEVEL]: "baseline" };
    const [status, , cause] = await rowOf(check, found(right, POLICIES));
    assert.deepEqual([status, cause], ["fail", "allow-egress missing: `npm run lab -- up` creates it"]);
    for (const labels of [{ ...right, team: "web" }, { team: "pay" }, { ...right, [LEVEL]: "privileged" }]) {
      const [wrong, detail, why] = await rowOf(check, found(labels));
      assert.equal(wrong, "fail", JSON.stringify(labels));
      assert.match(String(why), /^the settings say team pay, baseline: /);
      assert.match(String(detail), /^team (web|pay), (baseline|no level|privileged), /);
    }
    const gone = { namespaceLabels: () => Promise.reject(new ClusterError("not-found", "no namespace payments")) };
    assert.deepEqual(await rowOf(check, gone), [
      "fail",
      "no namespace payments",
      "it does not exist: `npm run lab -- up` creates it",
    ]);
  });

  it("look for the collector in the stack's own namespace", () => {
    const settings = localSettings({ logging: { namespace: "observability" }, curlPods: false });
    const input = checkInputOf("local", settings, 1);
    assert.equal(input.loggingNamespace, "observability");
    const places = allChecks(input).flatMap(({ id, to }) => (id === "collector" ? [to] : []));
    assert.deepEqual(places, ["observability"]);
  });

  it("are about the collector's pods, all of which must be ready", async () => {
    const check = collectorPodsCheck("vector");
    const pod = runningPod("x", { name: "vector-1", namespace: "logging" });
    const pulling = { ...pod, name: "vector-2", ready: false, reason: "ImagePullBackOff" };
    const asked: string[] = [];
    const pods = (list: readonly (typeof pod)[]) => ({
      pods: async (namespace: string, selector: string) => {
        asked.push(`${namespace} ${selector}`);
        return [...list];
      },
    });
    assert.deepEqual(await rowOf(check, pods([pod, pod])), ["pass", "2 of 2 pods ready", undefined]);
    assert.deepEqual(await rowOf(check, pods([pod, pulling])), [
      "fail",
      "1 of 2 pods ready",
      "vector-2 is not ready (ImagePullBackOff): `kubectl -n logging describe pod vector-2`",
    ]);
    assert.deepEqual(await rowOf(check, pods([])), [
      "fail",
      "no pod of vector in logging",
      "`npm run lab -- up` creates the DaemonSet",
    ]);
    assert.deepEqual(new Set(asked), new Set(["logging app.kubernetes.io/name=vector"]));
  });
});
