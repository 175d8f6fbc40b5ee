import assert from "node:assert/strict";
import { checkedFacts } from "../../../components/cluster/existing-cluster.ts";
import { createCluster } from "../../../components/cluster/index.ts";
import { ClusterSettings } from "../../../components/cluster/settings.ts";
import { formatIssue } from "../../../components/schema/errors.ts";
import { parseSettings } from "../../../components/settings.ts";
import { record } from "../../../lab/plan/plan.ts";
import { UNKNOWN } from "../../../lab/plan/recording.ts";
import { find, ofType } from "../../support/find.ts";
import { planOnce } from "../../support/plans.ts";

type Json = Readonly<Record<string, unknown>>;

function config(cluster: Json = {}, more: Readonly<Record<string, Json | boolean>> = {}) {
  const sections = { cluster: { kind: "eks-existing", name: "prod", ...cluster }, ...more };
  return {
    "aws:region": "eu-central-1",
    ...Object.fromEntries(
      Object.entries(sections).map(([key, value]) => [`eks-dns-logging:${key}`, JSON.stringify(value)]),
    ),
  };
}

const plan = (cluster: Json = {}, more: Readonly<Record<string, Json | boolean>> = {}) =>
  planOnce({ name: "prod", config: config(cluster, more) });

/** Warnings of a stack, which only concern sections that it has. */
const warningsOf = (cluster: Json, more: Readonly<Record<string, Json>> = {}) =>
  parseSettings(config(cluster, more)).warnings.map(formatIssue).join();

const refuses = (cluster: Json, more: Readonly<Record<string, Json | boolean>>, expected: RegExp) =>
  assert.throws(() => parseSettings(config(cluster, more)), expected);

describe("an existing EKS cluster", () => {
  it("leaves unknown what only AWS knows, and keeps the identity of its objects with any kubeconfig", async () => {
    const { resources } = await plan();
    const provider = find(resources, "pulumi:providers:kubernetes", "cluster-kubernetes");
    assert.equal(provider.inputs.clusterIdentifier, "eu-central-1/prod");
    assert.equal(provider.inputs.kubeconfig, UNKNOWN);
    assert.equal(find(resources, "aws:eks/addon:Addon", "coredns-addon").inputs.addonVersion, UNKNOWN);
    const byContext = await plan({ context: "prod-admin", kubeconfig: "/k" });
    const other = find(byContext.resources, "pulumi:providers:kubernetes", "cluster-kubernetes").inputs;
    assert.deepEqual(
      [other.clusterIdentifier, other.context, other.kubeconfig],
      ["eu-central-1/prod", "prod-admin", "/k"],
    );
  });

  it("has the same objects as a new cluster, without the cluster and its add-ons", async () => {
    const logging = { destination: { kind: "s3" } };
    const existing = await plan({ kubernetesVersion: "1.36" }, { logging });
    const created = await planOnce({
      name: "prod",
      config: { ...config({}, { logging }), "eks-dns-logging:cluster": '{"kind":"eks","name":"prod"}' },
    });
    const own = (resources: typeof existing.resources) =>
      resources.filter(({ name }) => !/^cluster/.test(name)).map(({ urn }) => urn);
    assert.deepEqual(new Set(own(existing.resources)), new Set(own(created.resources)));
    const addon = (resources: typeof existing.resources) =>
      find(resources, "aws:eks/addon:Addon", "coredns-addon").inputs;
    assert.deepEqual(addon(existing.resources), { ...addon(created.resources), preserve: true });
  });

  it("leaves CoreDNS running unless told otherwise, and removes that of a new cluster", async () => {
    const preserveOf = async (dns: Json) => {
      const { resources } = await plan({ kubernetesVersion: "1.35" }, { dns });
      return find(resources, "aws:eks/addon:Addon", "coredns-addon").inputs.preserve;
    };
    assert.deepEqual([await preserveOf({}), await preserveOf({ preserve: false })], [true, undefined]);
  });

  it("builds the kubeconfig from AWS's answer", async () => {
    const settings = ClusterSettings.parse({ kind: "eks-existing", name: "prod", kubernetesVersion: "1.35" });
    const answer = { endpoint: "https://x", certificateAuthorities: [{ data: "Q0E=" }], version: "1.35" };
    const { resources } = await record({ stack: "prod", config: {}, preview: false, call: () => answer }, async () => {
      createCluster(settings, "eu-central-1", "ops");
    });
    const provider = find(resources, "pulumi:providers:kubernetes", "cluster-kubernetes");
    assert.deepEqual(provider.secrets, ["kubeconfig"]);
    const { clusters, users } = JSON.parse(String(provider.inputs.kubeconfig));
    assert.deepEqual(clusters[0].cluster, { "certificate-authority-data": "Q0E=", server: "https://x" });
    assert.deepEqual(users[0].user.exec.args, [
      ...["--region", "eu-central-1", "eks", "get-token", "--cluster-name", "prod", "--output", "json"],
      ...["--profile", "ops"],
    ]);
  });

  it("is rejected with all differences if AWS reports other facts", () => {
    const found = { kubernetesVersion: "1.35", serviceCidr: "10.100.0.0/16", isAutoMode: false };
    assert.equal(checkedFacts("prod", { compute: "managed" }, found), "1.35");
    assert.equal(checkedFacts("prod", { compute: "karpenter", serviceCidr: "10.100.0.0/16" }, found), "1.35");
    assert.equal(checkedFacts("prod", { compute: "managed" }, { ...found, isAutoMode: true }), "1.35");
    assert.equal(checkedFacts("prod", { compute: "auto" }, { kubernetesVersion: "1.35" }), "1.35");
    const stated = { kubernetesVersion: "1.36", serviceCidr: "172.20.0.0/16", compute: "auto" } as const;
    assert.throws(() => checkedFacts("prod", stated, found), {
      message: [
        'cluster.kubernetesVersion: must be 1.35, as in cluster prod (found "1.36")',
        'cluster.serviceCidr: must be 10.100.0.0/16, as in cluster prod (found "172.20.0.0/16")',
        'cluster.compute: must not be auto, since EKS Auto Mode is off for prod (found "auto")',
      ].join("\n"),
    });
  });

  it("installs the Pod Identity agent if asked to, before what needs it", async () => {
    const cloudwatch = { logging: { destination: { kind: "cloudwatch" } } };
    const agents = async (cluster: Json) => {
      const { resources } = await plan({ kubernetesVersion: "1.35", ...cluster }, cloudwatch);
      const agent = ofType(resources, "aws:eks/addon:Addon").filter(({ name }) => name !== "coredns-addon");
      const identity = find(resources, "aws:eks/podIdentityAssociation:PodIdentityAssociation", "logs-identity");
      return agent.map(({ name, urn }) => `${name} ${identity.dependencies.includes(urn)}`);
    };
    assert.deepEqual(await agents({}), []);
    assert.deepEqual(await agents({ podIdentityAgent: true }), ["cluster-eks-pod-identity-agent true"]);
  });

  it("on Auto Mode installs no CoreDNS, says so, and allows queries to the nodes' DNS", async () => {
    const auto = { compute: "auto", serviceCidr: "10.96.0.0/12" };
    const { resources } = await plan(auto);
    assert.deepEqual(ofType(resources, "aws:eks/addon:Addon"), []);
    const policy = JSON.stringify(
      find(resources, "kubernetes:networking.k8s.io/v1:NetworkPolicy", "ts-allow-dns").inputs.spec,
    );
    assert.match(policy, /10\.96\.0\.10\/32/);
    assert.match(JSON.stringify((await plan({ compute: "auto" })).resources), /172\.20\.0\.10\/32/);
    assert.match(warningsOf(auto, { dns: {} }), /^dns: installs nothing .* no CoreDNS pods run$/);
    assert.equal(warningsOf(auto), "");
    find(resources, "kubernetes:apps/v1:DaemonSet", "logs-fluent-bit-daemonset");
  });

  it("on Fargate runs CoreDNS there, creates no DaemonSet and says so", async () => {
    const { resources } = await plan({ compute: "fargate", kubernetesVersion: "1.35" });
    const { inputs } = find(resources, "aws:eks/addon:Addon", "coredns-addon");
    assert.equal(JSON.parse(String(inputs.configurationValues)).computeType, "Fargate");
    assert.deepEqual(ofType(resources, "kubernetes:apps/v1:DaemonSet"), []);
    const logging = { collector: "vector" };
    assert.match(
      warningsOf({ compute: "fargate" }, { logging }),
      /^logging: .* runs no DaemonSet: nothing is created for it$/,
    );
    assert.equal(warningsOf({ compute: "fargate" }), "");
  });

  it("rejects contradictory settings, in one sentence each", () => {
    refuses({ compute: "auto", podIdentityAgent: true }, {}, /podIdentityAgent: must be false with compute auto/);
    refuses({ compute: "fargate", networkPolicies: true }, {}, /networkPolicies: must be false with compute fargate/);
    refuses({ compute: "fargate" }, { dns: { computeType: "ec2" } }, /dns\.computeType: must be Fargate/);
    refuses({ compute: "auto" }, { dns: { nodeLocalCache: {} } }, /dns\.nodeLocalCache: must not be set with cluster/);
    refuses(
      { serviceCidr: "10.96.0.0/16" },
      { dns: { clusterDns: ["172.20.0.10"] } },
      /dns\.clusterDns: must include 10\.96\.0\.10, the DNS address of cluster\.serviceCidr/,
    );
    refuses({ kubernetesVersion: "1.29" }, {}, /cluster\.kubernetesVersion: must be one of/);
    refuses(
      { compute: "fargate" },
      { logging: { destination: { kind: "cloudwatch" } } },
      /no AWS identity|Pod Identity/,
    );
    assert.throws(() => parseSettings({ ...config(), "aws:region": "" }), /aws:region: must be an AWS region/);
  });
});
