import assert from "node:assert/strict";
import { comparePlans } from "../../../lab/diff/comparison.ts";
import { namespace, only, plan, resource } from "./resources.ts";

describe("comparePlans, of a replacement", () => {
  it("reports a renamed namespace as a replacement, with what is lost", () => {
    const change = only(comparePlans(plan(namespace("ts-team")), plan(namespace("tx-team"))).changes);
    assert.equal(change.kind, "replaced");
    assert.match(change.warning ?? "", /^namespace ts-team would be replaced by tx-team: everything in it is deleted/);
    assert.deepEqual(change.reasons, ["metadata.name cannot be changed in place"]);
  });

  it("reports another Pulumi name as a replacement too", () => {
    const change = only(comparePlans(plan(namespace("ts-team")), plan(namespace("tx-team", { team: "tx" }))).changes);
    assert.equal(change.kind, "replaced");
    assert.equal(change.previous?.outside, "ts-team");
    assert.match(change.warning ?? "", /^namespace ts-team would be replaced by tx-team/);
    assert.match(change.reasons.join(), /its Pulumi name changes: ts-namespace → tx-namespace,metadata.name/);
  });

  it("names the alias that would keep the object under another Pulumi name", () => {
    const change = only(comparePlans(plan(namespace("ts-team")), plan(namespace("ts-team", { team: "tx" }))).changes);
    assert.match(change.reasons.join(), /an alias would prevent this/);
  });

  it("pairs the most similar of several", () => {
    const policy = (team: string, name: string) =>
      resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", `${team}-${name}`, {
        metadata: { name, namespace: `${team}-team` },
        spec: { podSelector: {} },
      });
    const names = ["default-deny", "allow-dns", "allow-peers"];
    const { changes } = comparePlans(
      plan(...names.map((name) => policy("ts", name))),
      plan(...names.toReversed().map((name) => policy("tx", name))),
    );
    assert.deepEqual(
      changes.map(({ kind, name, previous }) => `${kind} ${previous?.name} ${name}`),
      ["allow-dns", "allow-peers", "default-deny"].map((name) => `replaced ts-${name} tx-${name}`),
    );
  });

  it("does not pair dissimilar resources", () => {
    const map = (name: string, data: string) =>
      resource("kubernetes:core/v1:ConfigMap", name, { data: { [data]: data } });
    const { changes } = comparePlans(plan(map("corefile", "a")), plan(map("unrelated", "b")));
    assert.deepEqual(
      changes.map(({ kind }) => kind),
      ["deleted", "added"],
    );
  });

  it("warns of a namespace that is only deleted", () => {
    const change = only(comparePlans(plan(namespace("ts-team")), plan()).changes);
    assert.match(change.warning ?? "", /^namespace ts-team would be deleted: /);
  });

  it("reports what Pulumi refuses to delete, and what it retains", () => {
    const warning = (options: { readonly protect?: boolean; readonly retainOnDelete?: boolean }) =>
      only(comparePlans(plan(namespace("ts-team", options)), plan()).changes).warning ?? "";
    assert.match(warning({ protect: true }), /Pulumi refuses while it is protected/);
    assert.match(warning({ retainOnDelete: true }), /the old one stays/);
  });

  const cases: [string, string, object, object, boolean][] = [
    [
      "kubernetes:core/v1:Pod",
      "image",
      { spec: { containers: [{ name: "c", image: "a" }] } },
      { spec: { containers: [{ name: "c", image: "b" }] } },
      true,
    ],
    [
      "kubernetes:core/v1:Pod",
      "label",
      { metadata: { labels: { a: "1" } } },
      { metadata: { labels: { a: "2" } } },
      false,
    ],
    [
      "kubernetes:core/v1:Service",
      "selector",
      { spec: { selector: { app: "a" } } },
      { spec: { selector: { app: "b" } } },
      false,
    ],
    [
      "kubernetes:core/v1:Service",
      "clusterIP",
      { spec: { clusterIP: "10.0.0.1" } },
      { spec: { clusterIP: "10.0.0.2" } },
      true,
    ],
    [
      "kubernetes:apps/v1:DaemonSet",
      "selector",
      { spec: { selector: { matchLabels: { a: "1" } } } },
      { spec: { selector: { matchLabels: { a: "2" } } } },
      true,
    ],
    [
      "kubernetes:apps/v1:DaemonSet",
      "template",
      { spec: { template: { spec: { hostPID: true } } } },
      { spec: { template: { spec: {} } } },
      false,
    ],
    [
      "kubernetes:apps/v1:StatefulSet",
      "claims",
      { spec: { volumeClaimTemplates: [] } },
      { spec: { volumeClaimTemplates: [{ kind: "x" }] } },
      true,
    ],
    [
      "kubernetes:core/v1:PersistentVolumeClaim",
      "class",
      { spec: { storageClassName: "gp2" } },
      { spec: { storageClassName: "gp3" } },
      true,
    ],
    [
      "kubernetes:core/v1:PersistentVolumeClaim",
      "size",
      { spec: { resources: { requests: { storage: "1Gi" } } } },
      { spec: { resources: { requests: { storage: "2Gi" } } } },
      false,
    ],
    [
      "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
      "roleRef",
      { roleRef: { name: "a" } },
      { roleRef: { name: "b" } },
      true,
    ],
    ["kubernetes:core/v1:ConfigMap", "data", { data: { a: "1" } }, { data: { a: "2" } }, true],
    ["eks:index:Cluster", "name", { name: "a" }, { name: "b" }, true],
    ["eks:index:Cluster", "version", { version: "1.34" }, { version: "1.35" }, false],
    [
      "aws:eks/nodeGroup:NodeGroup",
      "instance types",
      { instanceTypes: ["t4g.medium"] },
      { instanceTypes: ["t4g.large"] },
      true,
    ],
    [
      "aws:eks/nodeGroup:NodeGroup",
      "size",
      { scalingConfig: { maxSize: 2 } },
      { scalingConfig: { maxSize: 3 } },
      false,
    ],
    [
      "aws:eks/nodeGroup:NodeGroup",
      "template's version",
      { launchTemplate: { id: "x", version: "1" } },
      { launchTemplate: { id: "x", version: "2" } },
      false,
    ],
    ["aws:ec2/vpc:Vpc", "block", { cidrBlock: "10.0.0.0/16" }, { cidrBlock: "10.1.0.0/16" }, true],
    ["aws:cloudwatch/logGroup:LogGroup", "retention", { retentionInDays: 7 }, { retentionInDays: 30 }, false],
    ["aws:cloudwatch/logGroup:LogGroup", "name", { name: "/a" }, { name: "/b" }, true],
    [
      "aws:eks/cluster:Cluster",
      "access without the creator",
      {},
      { accessConfig: { authenticationMode: "API" } },
      false,
    ],
    [
      "aws:eks/cluster:Cluster",
      "access with the creator",
      {},
      { accessConfig: { bootstrapClusterCreatorAdminPermissions: true } },
      true,
    ],
  ];
  for (const [type, field, before, after, replaced] of cases) {
    it(`${replaced ? "replaces" : "changes"} a ${type} of another ${field}`, () => {
      const of = (inputs: object) => plan(resource(type, "a", JSON.parse(JSON.stringify(inputs))));
      assert.equal(only(comparePlans(of(before), of(after)).changes).kind, replaced ? "replaced" : "changed");
    });
  }

  it("changes a ConfigMap in place if its provider may", () => {
    const provider = resource("pulumi:providers:kubernetes", "k8s", { enableConfigMapMutable: "true" });
    const map = (text: string, immutable: boolean) =>
      resource(
        "kubernetes:core/v1:ConfigMap",
        "map",
        { data: { text }, immutable },
        { provider: `${provider.urn}::id` },
      );
    const kind = (immutable: boolean) =>
      only(comparePlans(plan(provider, map("a", immutable)), plan(provider, map("b", immutable))).changes).kind;
    assert.equal(kind(false), "changed");
    assert.equal(kind(true), "replaced");
  });
});
