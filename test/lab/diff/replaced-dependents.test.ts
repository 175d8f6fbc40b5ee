import assert from "node:assert/strict";
import { comparePlans } from "../../../lab/diff/comparison.ts";
import { namespace, plan, resource } from "./resources.ts";

describe("comparePlans, for dependents of a replaced resource", () => {
  const kubernetes = (inputs: { readonly [key: string]: string }) =>
    resource("pulumi:providers:kubernetes", "k8s", inputs);
  const onProvider = (inputs: { readonly [key: string]: string }) => {
    const provider = kubernetes(inputs);
    return plan(provider, namespace("ts-team", { provider: `${provider.urn}::${JSON.stringify(inputs)}` }));
  };
  const kinds = (base: ReturnType<typeof plan>, head: ReturnType<typeof plan>) =>
    comparePlans(base, head).changes.map(({ kind, type }) => `${kind} ${type}`);

  it("replaces all resources of a provider with another cluster", () => {
    const { changes } = comparePlans(onProvider({ clusterIdentifier: "a" }), onProvider({ clusterIdentifier: "b" }));
    assert.deepEqual(
      changes.map(({ kind, reasons }) => [kind, reasons.join()]),
      [
        ["replaced", "its provider k8s is replaced"],
        ["replaced", "clusterIdentifier cannot be changed in place"],
      ],
    );
    assert.match(changes[0]?.warning ?? "", /namespace ts-team would be replaced: everything in it/);
  });

  it("takes another kubeconfig for another cluster only if no identifier is pinned", () => {
    assert.deepEqual(kinds(onProvider({ kubeconfig: "a" }), onProvider({ kubeconfig: "b" })), [
      "replaced kubernetes:core/v1:Namespace",
      "replaced pulumi:providers:kubernetes",
    ]);
    assert.deepEqual(
      kinds(
        onProvider({ kubeconfig: "a", clusterIdentifier: "x" }),
        onProvider({ kubeconfig: "b", clusterIdentifier: "x" }),
      ),
      ["changed pulumi:providers:kubernetes"],
    );
    assert.deepEqual(kinds(onProvider({ kubeconfig: "a" }), onProvider({ kubeconfig: "a", clusterIdentifier: "x" })), [
      "changed pulumi:providers:kubernetes",
    ]);
  });

  it("lets a renamed provider with the same identifier take over", () => {
    const renamed = resource("pulumi:providers:kubernetes", "cluster-k8s", { clusterIdentifier: "a" });
    const { changes } = comparePlans(
      onProvider({ clusterIdentifier: "a" }),
      plan(renamed, namespace("ts-team", { provider: `${renamed.urn}::id` })),
    );
    assert.deepEqual(
      changes.map(({ kind, type, warning }) => [kind, type, warning]),
      [
        ["replaced", "pulumi:providers:kubernetes", undefined],
        ["changed", "kubernetes:core/v1:Namespace", undefined],
      ],
    );
  });

  it("replaces what contains the id of a replaced resource, and only that", () => {
    const network = (cidrBlock: string) => {
      const vpc = resource("aws:ec2/vpc:Vpc", "vpc", { cidrBlock });
      const unknown = "(known after deployment)";
      const subnet = resource("aws:ec2/subnet:Subnet", "subnet", { vpcId: unknown }, { dependencies: [vpc.urn] });
      const nodes = resource(
        "aws:eks/nodeGroup:NodeGroup",
        "nodes",
        { subnetIds: [unknown] },
        { dependencies: [subnet.urn] },
      );
      const role = resource("aws:iam/role:Role", "role", {}, { dependencies: [vpc.urn] });
      return plan(vpc, subnet, nodes, role);
    };
    const { changes, unchanged } = comparePlans(network("10.0.0.0/16"), network("10.1.0.0/16"));
    assert.deepEqual(changes.map(({ name, reasons }) => `${name}: ${reasons}`).sort(), [
      "nodes: subnetIds changes, since its source is replaced",
      "subnet: vpcId changes, since its source is replaced",
      "vpc: cidrBlock cannot be changed in place",
    ]);
    assert.equal(unchanged, 1);
  });
});
