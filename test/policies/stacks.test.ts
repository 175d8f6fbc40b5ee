import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { formatPolicies, policyReport, stops } from "../../lab/plan/policy-report.ts";
import { UNKNOWN } from "../../lab/plan/recording.ts";
import { readStack, stackNames } from "../../lab/stack-file.ts";
import type { Evaluation } from "../../policies/core/evaluate.ts";
import { BUILT_IN_EXEMPTIONS, RULES } from "../../policies/pack.ts";
import { planOnce } from "../support/plans.ts";
import { ON_ITS_DAY } from "./as-of.ts";
import { set } from "./mutate.ts";
import { inAddon } from "./platform-mutations.ts";

/** Settings that bring more objects than the stacks have, by what they bring: the stack and the key that they change. */
const CHOICES = {
  "NodeLocal DNSCache": ["dev", "eks-dns-logging:dns", { nodeLocalCache: { mode: "kubelet" } }],
  "OpenSearch in the cluster": [
    "local",
    "eks-dns-logging:logging",
    { destination: { kind: "opensearch", inCluster: true } },
  ],
  "logs in a bucket": ["dev", "eks-dns-logging:logging", { destination: { kind: "s3" } }],
  "logs by team": [
    "dev",
    "eks-dns-logging:logging",
    { index: { splitBy: "team" }, destinations: { groups: { kind: "cloudwatch" }, archive: { kind: "s3" } } },
  ],
  "the audit log in a bucket": [
    "dev",
    "eks-dns-logging:logging",
    { sources: ["pods", "audit"], destination: { kind: "s3" } },
  ],
  "subnets of somebody else's VPC": [
    "dev",
    "eks-dns-logging:cluster",
    {
      kind: "eks",
      tags: { project: "eks-dns-logging", environment: "dev" },
      existingVpc: {
        id: "vpc-0123456789abcdef0",
        privateSubnetIds: ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
      },
    },
  ],
  "events to two destinations": [
    "local",
    "eks-dns-logging:logging",
    {
      sources: ["pods", "events"],
      destinations: {
        hook: { kind: "http", url: "https://logs.example.com" },
        search: { kind: "opensearch", host: "s" },
      },
    },
  ],
  "all sources": [
    "local",
    "eks-dns-logging:logging",
    {
      sources: ["pods", "kubelet", "containerd", "kernel", "auth", "events"],
      destination: { kind: "opensearch", host: "s" },
    },
  ],
  "logs in files": ["local", "eks-dns-logging:logging", { destination: { kind: "file" } }],
  "CoreDNS that scales": ["dev", "eks-dns-logging:dns", { autoscaling: { minReplicas: 2, maxReplicas: 5 } }],
  "a team with members": ["local", "eks-dns-logging:teams", [{ name: "ts", members: ["developers"] }]],
} as const;

/** An existing EKS cluster whose version only AWS knows, and what its plan leaves to the deployment. */
const LOOKED_UP = { kind: "eks-existing", name: "prod", tags: { project: "eks-dns-logging", environment: "dev" } };
const DEFERRED = ["cluster-addons-pinned", "coredns-configuration-valid"];

/** What the lab's own stacks are exempt from, without a choice. */
const OF_THE_STACKS = ["pods-no-host-path", "pods-non-root", "tenancy-pod-security"];

describe("the stacks of this repository, by the policies", () => {
  const evaluations = new Map<string, Evaluation>();
  const stacks = new Map<string, Evaluation>();
  before(async () => {
    for (const name of await stackNames())
      stacks.set(name, policyReport(await planOnce(await readStack(name)), ON_ITS_DAY));
    for (const [what, [name, key, value]] of Object.entries(CHOICES)) {
      const config = { ...(await readStack(name)).config, [key]: JSON.stringify(value) };
      evaluations.set(what, policyReport(await planOnce({ name, config }), ON_ITS_DAY));
    }
    for (const [name, evaluation] of stacks) evaluations.set(name, evaluation);
  });

  it("violate no rule except exempted ones, and leave none undecided", () => {
    assert.ok(stacks.size >= 2);
    for (const [name, { findings, issues, rules }] of evaluations) {
      assert.deepEqual(
        findings.filter(({ outcome }) => outcome !== "exempt").map(({ message }) => message),
        [],
        name,
      );
      assert.deepEqual(issues, [], name);
      assert.equal(rules, RULES.length);
    }
  });

  it("are exempt from three rules, for the log collector", () => {
    for (const [name, { exemptions }] of stacks)
      assert.deepEqual(exemptions.map(({ rule }) => rule).sort(), OF_THE_STACKS, name);
  });

  it("use each built-in exemption, at least with optional settings", () => {
    const keyOf = ({ rule, resource }: { rule: string; resource: string }) => `${rule} ${resource}`;
    const used = new Set([...evaluations.values()].flatMap(({ exemptions }) => exemptions.map(keyOf)));
    assert.deepEqual([...used].sort(), BUILT_IN_EXEMPTIONS.map(keyOf).sort());
  });

  it("do not exempt a team's namespace named like the collector's", async () => {
    const teams = JSON.stringify([{ name: "logs", podSecurity: { level: "privileged", reason: "reads the host" } }]);
    const config = { ...(await readStack("local")).config, "eks-dns-logging:teams": teams };
    const { findings } = policyReport(await planOnce({ name: "local", config }), ON_ITS_DAY);
    const found = findings.filter(({ rule, outcome }) => rule === "tenancy-pod-security" && outcome === "violated");
    assert.deepEqual(
      found.map(({ resource }) => resource),
      ["Namespace/logs-team"],
    );
  });

  it("list each exemption with its reason, and say that nothing stops them", () => {
    for (const [name, evaluation] of evaluations) {
      const text = formatPolicies(evaluation);
      assert.ok(!stops(evaluation), name);
      for (const { rule, reason } of evaluation.exemptions) {
        assert.match(text, new RegExp(`exempt, mandatory: ${rule}`));
        assert.ok(text.includes(`Allowed: ${reason}`));
      }
      assert.match(text, /rules: none stops this plan/);
    }
  });

  it("group resources with the same finding, which is printed once", async () => {
    const cluster = JSON.stringify({ kind: "eks-existing", name: "prod", kubernetesVersion: "1.35" });
    const config = { ...(await readStack("dev")).config, "eks-dns-logging:cluster": cluster };
    const text = stripVTControlCharacters(
      formatPolicies(policyReport(await planOnce({ name: "dev", config }), ON_ITS_DAY)),
    );
    assert.equal(text.match(/aws-tags/g)?.length, 1);
    assert.ok(
      text.includes(
        "\n  Role/logs-identity\n  Key/logs-group-key\n  LogGroup/logs-group\n    violated, advisory: aws-tags: Resources have the required tags\n      tags: no project, environment, which each resource needs\n      Fix: set the tag, or the provider's defaultTags; in a stack file of eks-dns-logging, cluster.tags\n",
      ),
      text,
    );
  });

  it("leave two rules to the deployment if only AWS knows the version, unless dns is invalid or undecided", async () => {
    const { config } = await readStack("dev");
    const cluster = { ...config, "eks-dns-logging:cluster": JSON.stringify(LOOKED_UP) };
    const plan = await planOnce({ name: "dev", config: cluster });
    const evaluation = policyReport(plan, ON_ITS_DAY);
    const open = evaluation.findings.filter(({ outcome }) => outcome !== "exempt");
    assert.deepEqual(
      open.map(({ rule, level, outcome }) => [rule, level, outcome]).sort(),
      DEFERRED.map((rule) => [rule, "advisory", "undecided"]),
    );
    for (const { message } of open) assert.match(message, /looked up by the provider.*so the deployment decides/);
    assert.ok(!stops(evaluation));

    for (const [from, to] of [
      ['"replicaCount":2', '"replicaCount":"two"'],
      ['"replicaCount":2', '"replicaCount":2,"replicas":2'],
      ["\\n    loop", ""],
      ["lameduck 5s", "lameduck 45s"],
    ] as const) {
      const changed = policyReport(inAddon(from, to)(plan), ON_ITS_DAY);
      assert.ok(stops(changed), `${from} as ${to} stops nothing`);
    }
    for (const key of ["configurationValues", "addonName"])
      assert.ok(stops(policyReport(set("coredns-addon", key, UNKNOWN)(plan), ON_ITS_DAY)), key);
  });

  it("accept AWS's log delivery for an Auto Mode cluster, and require an encrypted stream", async () => {
    const { config } = await readStack("dev");
    const logging = { sources: ["pods", "audit", "auto-mode"], destination: { kind: "s3" } };
    const plan = await planOnce({
      name: "dev",
      config: {
        ...config,
        "eks-dns-logging:cluster": JSON.stringify({ ...LOOKED_UP, compute: "auto" }),
        "eks-dns-logging:dns": "false",
        "eks-dns-logging:logging": JSON.stringify(logging),
      },
    });
    const open = (of: typeof plan) =>
      policyReport(of, ON_ITS_DAY).findings.flatMap(({ outcome, rule }) => (outcome === "exempt" ? [] : [rule]));
    assert.deepEqual(open(plan), []);
    assert.deepEqual(
      open(set("FirehoseDeliveryStream logs-audit-stream", "serverSideEncryption.enabled", false)(plan)),
      ["aws-stream-encryption"],
    );
  });

  it("are only exempt in this project", async () => {
    const plan = await planOnce(await readStack("local"));
    const elsewhere = plan.resources.map((one) => ({
      ...one,
      urn: one.urn.replace("::eks-dns-logging::", "::other::"),
    }));
    const { findings } = policyReport({ ...plan, resources: elsewhere });
    const violated = findings.filter(({ outcome }) => outcome === "violated").map(({ rule }) => rule);
    assert.deepEqual([...new Set(violated)].sort(), OF_THE_STACKS);
  });
});
