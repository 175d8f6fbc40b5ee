import assert from "node:assert/strict";
import { withProfile } from "../../../components/cluster/kubeconfig.ts";
import { find, ofType } from "../../support/find.ts";
import { needs, recordCluster, standardCluster } from "./recorded.ts";

const ENTRY = "aws:eks/accessEntry:AccessEntry";
const ASSOCIATION = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation";
const PROVIDER = "pulumi:providers:kubernetes";

/** As @pulumi/eks writes it. */
const KUBECONFIG = JSON.stringify({
  apiVersion: "v1",
  clusters: [{ name: "kubernetes", cluster: { server: "https://example.eks.amazonaws.com" } }],
  users: [{ name: "aws", user: { exec: { command: "aws", args: ["eks", "get-token"], env: [] } } }],
});

describe("access to an EKS cluster", () => {
  it("is granted only to the creator by default", async () => {
    const { resources } = await standardCluster();
    assert.deepEqual(ofType(resources, ENTRY), []);
  });

  it("is an entry for each principal, with groups, policy and the policy's scope", async () => {
    const ops = "arn:aws:iam::111122223333:role/ops";
    const team = "arn:aws:iam::444455556666:role/teams/ts";
    const { resources } = await recordCluster({
      kind: "eks",
      name: "lab",
      accessEntries: [
        { principalArn: ops, policy: "AmazonEKSClusterAdminPolicy" },
        {
          principalArn: team,
          groups: ["team-ts"],
          policy: "AmazonEKSViewPolicy",
          namespaces: ["ts-team"],
        },
        { principalArn: "arn:aws:iam::111122223333:user/ops", groups: ["readers"] },
      ],
    });
    assert.deepEqual(
      ofType(resources, ENTRY).map(({ name, inputs }) => [name, inputs.principalArn, inputs.kubernetesGroups]),
      [
        ["cluster-access-111122223333/role/ops", ops, []],
        ["cluster-access-444455556666/role/teams/ts", team, ["team-ts"]],
        ["cluster-access-111122223333/user/ops", "arn:aws:iam::111122223333:user/ops", ["readers"]],
      ],
    );
    assert.deepEqual(find(resources, ASSOCIATION, "cluster-access-111122223333/role/ops").inputs, {
      clusterName: "lab",
      principalArn: ops,
      policyArn: "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
      accessScope: { type: "cluster" },
    });
    const scoped = find(resources, ASSOCIATION, "cluster-access-444455556666/role/teams/ts");
    assert.deepEqual(scoped.inputs.accessScope, { type: "namespace", namespaces: ["ts-team"] });
    assert.equal(ofType(resources, ASSOCIATION).length, 2);
  });

  it("follows the cluster, and a changed scope does not delete itself", async () => {
    const { resources } = await recordCluster({
      kind: "eks",
      accessEntries: [{ principalArn: "arn:aws:iam::111122223333:role/ops", policy: "AmazonEKSViewPolicy" }],
    });
    const entry = find(resources, ENTRY, "cluster-access-111122223333/role/ops");
    const association = find(resources, ASSOCIATION, "cluster-access-111122223333/role/ops");
    assert.ok(needs(resources, entry).has("cluster"));
    assert.ok(association.dependencies.includes(entry.urn));
    assert.ok(entry.deleteBeforeReplace && association.deleteBeforeReplace);
  });
});

describe("kubeconfig of an EKS cluster", () => {
  const made = {
    preview: false,
    outputs: (type: string) => (type === "eks:index:Cluster" ? { kubeconfigJson: KUBECONFIG } : {}),
  };

  it("is a secret, for the provider and as an output", async () => {
    const { resources, outputs, secretOutputs } = await recordCluster({ kind: "eks" }, made);
    const provider = find(resources, PROVIDER, "cluster-kubernetes");
    assert.equal(provider.inputs.kubeconfig, KUBECONFIG);
    assert.deepEqual(provider.secrets, ["kubeconfig"]);
    assert.equal(outputs.kubeconfig, KUBECONFIG);
    assert.deepEqual(secretOutputs, ["kubeconfig"]);
  });

  it("does not identify the cluster: region and name do", async () => {
    const { resources } = await recordCluster({ kind: "eks", name: "lab" });
    const { inputs } = find(resources, PROVIDER, "cluster-kubernetes");
    assert.equal(inputs.clusterIdentifier, "eu-central-1/lab");
    assert.equal(inputs.enableServerSideApply, "true");
  });

  it("gets tokens with the stack's profile for Pulumi, and with the user's own otherwise", async () => {
    const { resources, outputs } = await recordCluster({ kind: "eks" }, { ...made, profile: "lab" });
    assert.equal(
      find(resources, PROVIDER, "cluster-kubernetes").inputs.kubeconfig,
      KUBECONFIG.replace('"get-token"]', '"get-token","--profile","lab"]'),
    );
    assert.equal(outputs.kubeconfig, KUBECONFIG);
  });

  it("is empty without an engine, which creates the cluster", async () => {
    assert.equal(withProfile(undefined, "lab"), "{}");
    const { resources } = await recordCluster({ kind: "eks" }, { preview: false, profile: "lab" });
    assert.equal(find(resources, PROVIDER, "cluster-kubernetes").inputs.kubeconfig, "{}");
  });
});

describe("deletion protection", () => {
  it("is EKS's own and Pulumi's, for the cluster, its key and its logs", async () => {
    const { resources } = await recordCluster({ kind: "eks", deletionProtection: true });
    assert.equal(find(resources, "eks:index:Cluster", "cluster").inputs.deletionProtection, true);
    assert.deepEqual(
      resources
        .filter(({ protect }) => protect)
        .map(({ name, type }) => `${type} ${name}`)
        .sort(),
      [
        "aws:cloudwatch/logGroup:LogGroup cluster-control-plane-logs",
        "aws:kms/alias:Alias cluster-control-plane-key",
        "aws:kms/key:Key cluster-control-plane-key",
        "eks-dns-logging:cluster:ControlPlaneLogs cluster-control-plane",
        "eks:index:Cluster cluster",
      ],
    );
  });

  it("is off by default", async () => {
    const { resources } = await standardCluster();
    assert.deepEqual(
      resources.filter(({ protect }) => protect),
      [],
    );
    assert.equal(find(resources, "eks:index:Cluster", "cluster").inputs.deletionProtection, false);
  });
});
