import assert from "node:assert/strict";
import fc from "fast-check";
import { comparePlans, type ResourceChange } from "../../../lab/diff/comparison.ts";
import { type Diff, fails } from "../../../lab/diff/diff.ts";
import { formatDiff, markdownOf } from "../../../lab/diff/diff-report.ts";
import { PlanDocument, type PlannedResourceDocument, withEngineUrns } from "../../../lab/diff/document.ts";
import { only, plan, resource } from "./resources.ts";

const anyResource = fc
  .record({
    type: fc.constantFrom(
      "kubernetes:core/v1:Namespace",
      "kubernetes:core/v1:ConfigMap",
      "aws:ec2/vpc:Vpc",
      "lab:Group",
    ),
    name: fc.constantFrom("a", "b", "c", "ab"),
    inputs: fc.dictionary(fc.constantFrom("data", "cidrBlock", "tags"), fc.constantFrom("1", "2", "3")),
    custom: fc.boolean(),
    protect: fc.boolean(),
  })
  .map(({ type, name, inputs, ...options }) => resource(type, name, inputs, options));
const anyPlan = fc
  .uniqueArray(anyResource, { selector: ({ urn }) => urn, maxLength: 8 })
  .map((resources) => plan(...resources));

/** A Team with a pod in it, and a finding on that pod, with these types of parents in the URNs. */
function nested(ofTeam: string, ofPod: string) {
  const urn = (qualified: string, name: string) => `urn:pulumi:dev::lab::${qualified}::${name}`;
  const shared = { custom: true, inputs: { data: "1" }, provider: `${urn("pulumi:providers:k", "k")}::id` };
  const [team, curl, pod] = [urn(`${ofTeam}Team`, "ts"), urn("Team$Curl", "curl"), urn(`${ofPod}Pod`, "pod")];
  return PlanDocument.parse({
    stack: "dev",
    resources: [
      { ...shared, urn: team, type: "Team", name: "ts", parent: urn("pulumi:pulumi:Stack", "lab-dev") },
      { ...shared, urn: curl, type: "Curl", name: "curl", parent: team },
      { ...shared, urn: pod, type: "Pod", name: "pod", parent: curl, dependencies: [team] },
    ],
    policies: { findings: [{ rule: "r", level: "mandatory", outcome: "violated", urn: pod, message: "m" }] },
  });
}

describe("withEngineUrns", () => {
  it("gives a plan of an older revision the URNs of the engine", () => {
    const engine = nested("", "Team$Curl$");
    assert.deepEqual(withEngineUrns(nested("pulumi:pulumi:Stack$", "Curl$")), engine);
    assert.deepEqual(withEngineUrns(engine), engine);
  });
});

describe("comparePlans", () => {
  it("finds nothing between a plan and itself", () => {
    fc.assert(
      fc.property(anyPlan, (one) => {
        assert.deepEqual(comparePlans(one, structuredClone(one)).changes, []);
      }),
    );
  });

  it("recognizes a resource by the URN of an alias, and does not replace it for its new name", () => {
    const namespace = (name: string, more = {}) =>
      resource("kubernetes:core/v1:Namespace", name, { metadata: { name: "payments", labels: { team: name } } }, more);
    const base = namespace("pay-payments-namespace");
    const head = namespace("shop-payments-namespace", { formerUrns: [base.urn] });
    const { kind, warning, reasons, fields } = only(comparePlans(plan(base), plan(head)).changes);
    assert.deepEqual([kind, warning, reasons], ["changed", undefined, []]);
    assert.deepEqual(
      fields.map(({ path }) => path),
      ["metadata.labels.team"],
    );
    assert.equal(only(comparePlans(plan(base), plan({ ...head, formerUrns: [] })).changes).kind, "replaced");
  });

  it("counts each resource of both plans once", () => {
    const shown = ({ custom, inputs }: PlannedResourceDocument) => custom || Object.keys(inputs).length > 0;
    fc.assert(
      fc.property(anyPlan, anyPlan, (base, head) => {
        const { changes, unchanged } = comparePlans(base, head);
        const count = (kind: string) => changes.filter((change) => change.kind === kind).length;
        const both = count("changed") + count("replaced") + unchanged;
        assert.equal(both + count("deleted"), base.resources.filter(shown).length);
        assert.equal(both + count("added"), head.resources.filter(shown).length);
      }),
    );
  });

  it("adds backwards what it deletes forwards", () => {
    const names = (changes: readonly ResourceChange[], kind: string) =>
      changes.filter((change) => change.kind === kind).map(({ urn }) => urn);
    fc.assert(
      fc.property(anyPlan, anyPlan, (base, head) => {
        const [there, back] = [comparePlans(base, head).changes, comparePlans(head, base).changes];
        assert.equal(names(there, "added").length, names(back, "deleted").length);
        assert.deepEqual(names(there, "changed"), names(back, "changed"));
      }),
    );
  });

  it("reports a change field by field", () => {
    const map = (flush: number) =>
      resource("aws:iam/rolePolicy:RolePolicy", "p", { policy: `{"flush":${flush}}`, tags: { a: "1" } });
    const change = only(comparePlans(plan(map(5)), plan(map(1))).changes);
    assert.equal(change.kind, "changed");
    assert.deepEqual(change.fields, [{ path: "policy.flush", before: 5, after: 1, replaces: false }]);
  });

  it("shows neither side of a secret", () => {
    const secret = (value: string) =>
      plan(
        resource("aws:x:Y", "marked", { password: { inner: value } }, { secrets: ["password.inner"] }),
        resource("kubernetes:core/v1:Secret", "plain", { stringData: { token: value } }),
      );
    const text = JSON.stringify(comparePlans(secret("hunter2"), secret("hunter3")));
    assert.doesNotMatch(text, /hunter/);
    assert.match(text, /password\.inner","before":"\[secret\]","after":"\[secret\]"/);
    assert.match(text, /stringData\.token/);
  });

  it("shows changes of protection, and ignores another id of a provider", () => {
    const one = (protect: boolean, id: string) =>
      plan(resource("aws:x:Y", "a", {}, { protect, provider: `urn:provider::${id}` }));
    assert.deepEqual(only(comparePlans(one(true, "id1"), one(false, "id2")).changes).fields, [
      { path: "options.protect", before: true, after: false, replaces: false },
    ]);
    assert.deepEqual(comparePlans(one(true, "id1"), one(true, "id2")).changes, []);
  });

  it("omits ignored changes, unless the resource is replaced", () => {
    const group = (desiredSize: number, name: string) =>
      plan(
        resource(
          "aws:eks/nodeGroup:NodeGroup",
          name,
          { amiType: "AL2023", scalingConfig: { desiredSize } },
          { ignoreChanges: ["scalingConfig.desiredSize"] },
        ),
      );
    assert.deepEqual(comparePlans(group(1, "nodes"), group(2, "nodes")).changes, []);
    assert.equal(only(comparePlans(group(1, "nodes"), group(2, "nodes-2")).changes).fields.length, 1);
  });

  it("distinguishes outputs", () => {
    const [base, head] = [plan(), plan()];
    const { outputs } = comparePlans({ ...base, outputs: { pods: ["a"] } }, { ...head, outputs: { pods: ["b"] } });
    assert.deepEqual(outputs, [{ path: "pods[0]", before: "a", after: "b", replaces: false }]);
  });

  it("decodes a node's user data, and shows what is not base64 text unchanged", () => {
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    const sides = (one: string, other: string, type = "launchTemplate:LaunchTemplate", secrets: string[] = []) => {
      const [before, after] = [one, other].map((userData) =>
        plan(resource(`aws:ec2/${type}`, "nodes", { userData }, { secrets })),
      );
      assert.ok(before !== undefined && after !== undefined);
      const { changes } = comparePlans(before, after);
      return changes.flatMap(({ fields }) => fields.map(({ path, before, after }) => [path, before, after]));
    };
    assert.deepEqual(sides(base64("kind: NodeConfig\n"), base64("kind: Ünother\n")), [
      ["userData", "kind: NodeConfig\n", "kind: Ünother\n"],
    ]);
    const binary = Buffer.from([0xff, 0xfe, 0]).toString("base64");
    assert.deepEqual(sides("#!/bin/sh", binary), [["userData", "#!/bin/sh", binary]]);
    // An instance takes it as text.
    const [one, other] = [base64("a"), base64("b")];
    assert.deepEqual(sides(one, other, "instance:Instance"), [["userData", one, other]]);
    const masked = sides(one, other, "launchTemplate:LaunchTemplate", ["userData"]);
    assert.deepEqual(masked, [["userData", "[secret]", "[secret]"]]);
  });
});

/** A cluster with its add-ons and node group, as the stack dev has them. */
function cluster(version: string, { coredns = "v1.13.2-eksbuild.31", name = "dev", type = "eks:index:Cluster" } = {}) {
  return plan(
    resource(type, "cluster", { name, version }),
    resource("aws:eks/addon:Addon", "coredns-addon", {
      clusterName: name,
      addonName: "coredns",
      addonVersion: coredns,
    }),
    resource("aws:eks/nodeGroup:NodeGroup", "cluster-nodes-default", { clusterName: name, version }),
  );
}

function diffOf(base: PlanDocument, head: PlanDocument): Diff {
  return {
    base: { revision: "main", commit: "0123456789abcdef0123456789abcdef01234567" },
    head: { revision: ".", commit: null },
    stacks: [{ stack: "test", comparison: comparePlans(base, head), notes: [] }],
    notes: [],
  };
}

describe("a diff that changes a cluster's Kubernetes version", () => {
  it("says in bold that it is an upgrade, and what happens to each part", () => {
    const diff = diffOf(cluster("1.35"), cluster("1.36", { coredns: "v1.14.3-eksbuild.23" }));
    const text = markdownOf(diff);
    assert.match(text, /^\*\*Kubernetes 1\.35 → 1\.36 of dev is an upgrade\*\*$/m);
    assert.match(text, /^- control plane: in place; .*npm run lab -- upgrade --stack test --from 1\.35 --to 1\.36$/m);
    assert.match(text, /^- add-on coredns: in place, v1\.13\.2-eksbuild\.31 → v1\.14\.3-eksbuild\.23$/m);
    assert.match(text, /^- node group cluster-nodes-default: each node is drained and replaced, 1\.35 → 1\.36$/m);
    assert.doesNotMatch(text, /CAUTION/);
    assert.match(formatDiff(diff), /Kubernetes 1\.35 → 1\.36 of dev is an upgrade/);
    assert.equal(fails(diff), false);
  });

  it("says before all else when EKS rolls back", () => {
    const diff = diffOf(cluster("1.35"), cluster("1.34"));
    const text = markdownOf(diff);
    assert.match(text, /> - \*\*cluster dev would go back from Kubernetes 1\.35 to 1\.34: EKS does so within 7 days/);
    assert.match(text, /^\*\*Kubernetes 1\.35 → 1\.34 of dev is a rollback\*\*$/m);
    assert.match(text, /^- control plane: in place, after the node groups/m);
    assert.match(formatDiff(diff), /WARNING {2}stack test: cluster dev would go back/);
    assert.equal(fails(diff), false);
  });

  for (const [from, to, advice] of [
    ["1.34", "1.36", /one minor version at a time: upgrade to 1\.35 first/],
    ["1.36", "1.34", /one minor version only: create a new cluster/],
  ] as const)
    it(`fails where EKS refuses: ${from} → ${to}`, () => {
      const diff = diffOf(cluster(from), cluster(to, { coredns: "v1.14.3-eksbuild.23" }));
      const text = markdownOf(diff);
      assert.match(text, new RegExp(`> - \\*\\*cluster dev: EKS refuses ${from} → ${to}`));
      assert.match(text, new RegExp(`^\\*\\*EKS refuses ${from} → ${to}`, "m"));
      assert.match(text, advice);
      assert.equal(fails(diff), true);
      assert.deepEqual(
        diff.stacks.flatMap((stack) => ("problem" in stack ? [] : stack.comparison.upgrades[0]?.effects)),
        [],
      );
    });

  it("is none if the cluster is replaced, its version stays, or either is not stated", () => {
    const unstated = plan(resource("eks:index:Cluster", "cluster", { name: "dev" }));
    for (const [base, head] of [
      [cluster("1.34"), cluster("1.36", { name: "other" })],
      [cluster("1.35"), cluster("1.35", { coredns: "v1.13.2-eksbuild.40" })],
      [unstated, cluster("1.36")],
    ] as const) {
      const diff = diffOf(base, head);
      assert.equal(fails(diff), false);
      assert.doesNotMatch(markdownOf(diff), /refuses|an upgrade|a rollback/);
    }
  });

  it("reads a cluster of the provider aws too", () => {
    const type = "aws:eks/cluster:Cluster";
    assert.match(markdownOf(diffOf(cluster("1.35", { type }), cluster("1.36", { type }))), /is an upgrade\*\*/);
  });
});
