import assert from "node:assert/strict";
import { ClusterSettings, checkCluster } from "../../../components/cluster/settings.ts";

const check = (settings: object, region: string | undefined) => checkCluster(ClusterSettings.parse(settings), region);

describe("checkCluster", () => {
  it("finds nothing wrong with zones and principals of the region", () => {
    const settings = {
      kind: "eks",
      vpc: { zones: ["eu-central-1a", "eu-central-1b"] },
      accessEntries: [{ principalArn: "arn:aws:iam::111122223333:role/ops", groups: ["ops"] }],
    };
    assert.deepEqual(check(settings, "eu-central-1"), []);
    assert.deepEqual(check({ kind: "eks" }, "eu-central-1"), []);
    assert.deepEqual(check({ kind: "existing" }, undefined), []);
  });

  it("limits kube-proxy to the versions that the control plane supports", () => {
    const at = (version: string, kubeProxy: string) =>
      check({ kind: "eks", version, addons: { kubeProxy } }, "eu-central-1").map(({ path, message }) =>
        [path.join("."), message].join(" "),
      );
    const allowed = (from: string, to: string) =>
      `addons.kubeProxy must be a version from v${from} to v${to} with cluster.version ${to}, since kube-proxy is never newer than the control plane, and at most three minor versions older`;
    assert.deepEqual(at("1.36", "v1.28.1-eksbuild.1"), [allowed("1.33", "1.36")]);
    assert.deepEqual(at("1.34", "v1.36.1-eksbuild.2"), [allowed("1.31", "1.34")]);
    assert.deepEqual(at("1.36", "v1.33.10-eksbuild.2"), []);
    assert.deepEqual(at("1.36", "v1.36.9-eksbuild.1"), []);
  });

  it("warns of instances with room for the node's own pods only", () => {
    const warned = (...instanceTypes: string[]) =>
      check({ kind: "eks", nodeGroups: [{ name: "a", instanceTypes }] }, "eu-central-1").map(({ path, severity }) => [
        path.join("."),
        severity,
      ]);
    assert.deepEqual(warned("t4g.small", "t4g.medium"), []);
    assert.deepEqual(warned("t4g.small", "t4g.micro", "t4g.nano"), [
      ["nodeGroups.0.instanceTypes.1", "warning"],
      ["nodeGroups.0.instanceTypes.2", "warning"],
    ]);
  });

  it("warns of more node groups than the default quota allows", () => {
    const groups = (count: number) =>
      check(
        { kind: "eks", nodeGroups: Array.from({ length: count }, (_, at) => ({ name: `n${at}` })) },
        "eu-central-1",
      );
    assert.deepEqual(groups(30), []);
    assert.deepEqual(
      groups(31).map(({ path, message, severity }) => [path.join("."), message.slice(0, 19), severity]),
      [["nodeGroups", "has 31 node groups,", "warning"]],
    );
  });

  it("rejects a vpc-cni that is years old", () => {
    const at = (vpcCni: string) =>
      check({ kind: "eks", version: "1.36", addons: { vpcCni } }, "eu-central-1").map(({ path, message }) =>
        [path.join("."), message].join(" "),
      );
    assert.deepEqual(at("v1.7.10-eksbuild.1"), [
      "addons.vpcCni must be v1.8.0 or newer; EKS's default with Kubernetes 1.36 is v1.22.4-eksbuild.3",
    ]);
    assert.deepEqual(at("v1.20.5-eksbuild.1"), []);
    assert.deepEqual(at("v1.23.1-eksbuild.1"), []);
  });

  it("names zones of another region and principals of another partition", () => {
    const settings = {
      kind: "eks",
      vpc: { zones: ["cn-north-1a", "eu-central-1b"] },
      accessEntries: [{ principalArn: "arn:aws:iam::111122223333:role/ops", groups: ["ops"] }],
    };
    assert.deepEqual(check(settings, "cn-north-1"), [
      {
        path: ["vpc", "zones", 1],
        message: "must be an availability zone of aws:region, such as cn-north-1a",
        value: "eu-central-1b",
      },
      {
        path: ["accessEntries", 0, "principalArn"],
        message: "must start with arn:aws-cn:, the partition of cn-north-1",
        value: "arn:aws:iam::111122223333:role/ops",
      },
    ]);
  });

  it("leaves a missing region to others", () => {
    assert.deepEqual(check({ kind: "eks", vpc: { zones: ["cn-north-1a", "eu-central-1b"] } }, undefined), []);
  });
});
