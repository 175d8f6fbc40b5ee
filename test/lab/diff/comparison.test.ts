import assert from "node:assert/strict";
import fc from "fast-check";
import { comparePlans, type ResourceChange } from "../../../lab/diff/comparison.ts";
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
