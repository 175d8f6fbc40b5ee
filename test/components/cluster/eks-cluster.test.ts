import assert from "node:assert/strict";
import { addonVersions, KUBERNETES_VERSIONS } from "../../../components/cluster/eks-settings.ts";
import type { PlannedResource } from "../../../lab/plan/recording.ts";
import { find, ofType } from "../../support/find.ts";
import { ACCOUNT, document, needs, recordCluster, standardCluster } from "./recorded.ts";

const EKS = "eks:index:Cluster";
const ADDON = "aws:eks/addon:Addon";
const ROLE = "aws:iam/role:Role";
const ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment";

/** ARNs of the managed policies of a role, by the names of the attachments. */
function policies(resources: readonly PlannedResource[], role: string): unknown[] {
  return ofType(resources, ATTACHMENT)
    .filter((attachment) => needs(resources, attachment).has(role))
    .map((attachment) => attachment.inputs.policyArn);
}

describe("EksCluster", () => {
  describe("control plane", () => {
    it("leaves nodes, network, add-ons and roles to this program", async () => {
      const { resources } = await standardCluster();
      const { inputs } = find(resources, EKS, "cluster");
      assert.equal(inputs.skipDefaultNodeGroup, true);
      assert.equal(inputs.skipDefaultSecurityGroups, true);
      assert.equal(inputs.createInstanceRole, false);
      assert.equal(inputs.createOidcProvider, false);
      assert.equal(inputs.bootstrapSelfManagedAddons, false);
      // So named by @pulumi/eks, and true means: make no add-on for it.
      assert.equal(inputs.useDefaultVpcCni, true);
      for (const addon of [inputs.kubeProxyAddonOptions, inputs.corednsAddonOptions]) {
        assert.ok(typeof addon === "object" && addon !== null && "enabled" in addon);
        assert.equal(addon.enabled, false);
        // With it, @pulumi/eks makes the add-on even when it is off.
        assert.ok(!("configurationValues" in addon));
      }
    });

    it("matches the settings", async () => {
      const { resources } = await recordCluster({
        kind: "eks",
        name: "lab",
        version: "1.36",
        logTypes: ["audit"],
        endpointAccess: { public: true, publicCidrs: ["203.0.113.7/32"] },
        tags: { owner: "lab" },
      });
      const { inputs } = find(resources, EKS, "cluster");
      assert.equal(inputs.name, "lab");
      assert.equal(inputs.version, "1.36");
      assert.equal(inputs.authenticationMode, "API");
      assert.deepEqual(inputs.upgradePolicy, { supportType: "STANDARD" });
      assert.deepEqual(inputs.enabledClusterLogTypes, ["audit"]);
      assert.equal(inputs.endpointPrivateAccess, true);
      assert.equal(inputs.endpointPublicAccess, true);
      assert.deepEqual(inputs.publicAccessCidrs, ["203.0.113.7/32"]);
      assert.deepEqual(inputs.tags, { owner: "lab", "eks-dns-logging/stack": "dev" });
    });

    it("is closed to the internet by default, without CIDRs that EKS would then reject", async () => {
      const { resources } = await standardCluster();
      const { inputs } = find(resources, EKS, "cluster");
      assert.equal(inputs.endpointPublicAccess, false);
      assert.equal("publicAccessCidrs" in inputs, false);
    });

    it("has its interfaces in the private subnets of two zones, and in no others if a zone is added", async () => {
      for (const zones of [2, 3]) {
        const { resources } = await recordCluster({ kind: "eks", vpc: { zones } });
        const subnets = find(resources, EKS, "cluster").dependencies.filter((urn) => urn.includes("subnet:Subnet::"));
        assert.deepEqual(subnets.map((urn) => urn.split("::").at(-1)).sort(), [
          "cluster-vpc-private-0",
          "cluster-vpc-private-1",
        ]);
      }
    });

    it("has a role of its own with one policy", async () => {
      const { resources } = await standardCluster();
      assert.deepEqual(document(find(resources, ROLE, "cluster-control-plane"), "assumeRolePolicy"), {
        Statement: [
          {
            Action: ["sts:AssumeRole", "sts:TagSession"],
            Effect: "Allow",
            Principal: { Service: "eks.amazonaws.com" },
          },
        ],
        Version: "2012-10-17",
      });
      assert.deepEqual(policies(resources, "cluster-control-plane"), [
        "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy",
      ]);
    });
  });

  describe("add-ons", () => {
    for (const version of KUBERNETES_VERSIONS) {
      it(`have a pinned version each on Kubernetes ${version}`, async () => {
        const { resources } = await recordCluster({ kind: "eks", version });
        const versions = addonVersions(version);
        const found = ofType(resources, ADDON).map(({ inputs }) => [inputs.addonName, inputs.addonVersion]);
        assert.deepEqual(Object.fromEntries(found), {
          "vpc-cni": versions.vpcCni,
          "kube-proxy": versions.kubeProxy,
          "eks-pod-identity-agent": versions.podIdentityAgent,
        });
        assert.ok(versions.kubeProxy.startsWith(`v${version}.`));
      });
    }

    it("take other versions from the settings", async () => {
      const addons = { vpcCni: "v1.23.0-eksbuild.1", kubeProxy: "v1.35.9-eksbuild.1" };
      const { resources } = await recordCluster({ kind: "eks", addons });
      assert.equal(find(resources, ADDON, "cluster-vpc-cni").inputs.addonVersion, "v1.23.0-eksbuild.1");
      assert.equal(find(resources, ADDON, "cluster-kube-proxy").inputs.addonVersion, "v1.35.9-eksbuild.1");
    });

    it("enforce network policies, with a role for addresses that only the network's pods get", async () => {
      const { resources } = await standardCluster();
      const cni = find(resources, ADDON, "cluster-vpc-cni");
      // The add-on's schema wants text.
      assert.equal(cni.inputs.configurationValues, '{"enableNetworkPolicy":"true"}');
      const [association, ...others] = Array.isArray(cni.inputs.podIdentityAssociations)
        ? cni.inputs.podIdentityAssociations
        : [];
      assert.deepEqual(others, []);
      assert.equal(association?.serviceAccount, "aws-node");
      assert.deepEqual(document(find(resources, ROLE, "cluster-vpc-cni"), "assumeRolePolicy"), {
        Statement: [
          {
            Action: ["sts:AssumeRole", "sts:TagSession"],
            Effect: "Allow",
            Principal: { Service: "pods.eks.amazonaws.com" },
          },
        ],
        Version: "2012-10-17",
      });
      assert.deepEqual(policies(resources, "cluster-vpc-cni"), ["arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"]);
    });

    it("have conflict modes that EKS accepts on creation", async () => {
      const { resources } = await standardCluster();
      for (const { inputs } of ofType(resources, ADDON)) assert.equal(inputs.resolveConflictsOnCreate, "OVERWRITE");
    });
  });

  describe("order", () => {
    it("is log group and key, control plane, add-ons, nodes", async () => {
      const { resources } = await standardCluster();
      const control = needs(resources, find(resources, EKS, "cluster"));
      for (const name of [
        "cluster-control-plane-key",
        "cluster-control-plane-logs",
        "cluster-control-plane-AmazonEKSClusterPolicy",
      ]) {
        assert.ok(control.has(name), name);
      }
      for (const addon of ofType(resources, ADDON)) {
        const before = needs(resources, addon);
        assert.ok(before.has("cluster"), addon.name);
        assert.ok(!before.has("cluster-nodes-default"), addon.name);
      }
      const nodes = needs(resources, find(resources, "aws:eks/nodeGroup:NodeGroup", "cluster-nodes-default"));
      for (const name of [
        "cluster-vpc-cni",
        "cluster-vpc-cni-AmazonEKS_CNI_Policy",
        "cluster-kube-proxy",
        "cluster-eks-pod-identity-agent",
        "cluster-vpc-private-0-out",
        "cluster-nodes-AmazonEKSWorkerNodePolicy",
      ]) {
        assert.ok(nodes.has(name), name);
      }
    });

    it("lets workloads wait for every node group", async () => {
      const { handle } = await recordCluster({ kind: "eks", nodeGroups: [{ name: "a" }, { name: "b" }] });
      assert.equal(handle.ready.length, 2);
    });
  });

  describe("secrets and logs", () => {
    it("are under one key that rotates, which CloudWatch may use for the one log group", async () => {
      const { resources } = await recordCluster({ kind: "eks", name: "lab", logRetentionDays: 7 });
      const key = find(resources, "aws:kms/key:Key", "cluster-control-plane-key");
      assert.equal(key.inputs.enableKeyRotation, true);
      assert.deepEqual(document(key, "policy"), {
        Statement: [
          {
            Action: "kms:*",
            Effect: "Allow",
            Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
            Resource: "*",
            Sid: "AccountByIam",
          },
          {
            Action: [
              "kms:Decrypt",
              "kms:DescribeKey",
              "kms:Encrypt",
              "kms:GenerateDataKey",
              "kms:GenerateDataKeyWithoutPlaintext",
              "kms:ReEncryptFrom",
              "kms:ReEncryptTo",
            ],
            Condition: {
              ArnEquals: {
                "kms:EncryptionContext:aws:logs:arn": `arn:aws:logs:eu-central-1:${ACCOUNT}:log-group:/aws/eks/lab/cluster`,
              },
            },
            Effect: "Allow",
            Principal: { Service: "logs.eu-central-1.amazonaws.com" },
            Resource: "*",
            Sid: "ControlPlaneLogs",
          },
        ],
        Version: "2012-10-17",
      });
      assert.equal(find(resources, "aws:kms/alias:Alias", "cluster-control-plane-key").inputs.name, "alias/eks/lab");
      const group = find(resources, "aws:cloudwatch/logGroup:LogGroup", "cluster-control-plane-logs");
      assert.equal(group.inputs.name, "/aws/eks/lab/cluster");
      assert.equal(group.inputs.retentionInDays, 7);
      assert.ok(group.deleteBeforeReplace);
      assert.ok(needs(resources, group).has("cluster-control-plane-key"));
    });

    it("name the partition of the region", async () => {
      const { resources } = await recordCluster({ kind: "eks" }, { region: "cn-north-1" });
      assert.deepEqual(policies(resources, "cluster-vpc-cni"), ["arn:aws-cn:iam::aws:policy/AmazonEKS_CNI_Policy"]);
      const policy = String(find(resources, "aws:kms/key:Key", "cluster-control-plane-key").inputs.policy);
      assert.match(policy, /"Service":"logs\.cn-north-1\.amazonaws\.com\.cn"/);
      assert.match(policy, /"arn:aws-cn:logs:cn-north-1:/);
    });
  });
});
