import assert from "node:assert/strict";
import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { ClusterHandle } from "../../components/cluster/handle.ts";
import { CoreDns, LogCollection, Monitoring, NodeLocalCache, Team } from "../../components/index.ts";
import { record } from "../../lab/plan/plan.ts";
import type { PlannedResource } from "../../lab/plan/recording.ts";

type Options = pulumi.ComponentResourceOptions;

/** A part of a cluster, created with the options of its caller. */
const PARTS: Readonly<Record<string, (cluster: ClusterHandle, options: Options) => pulumi.Resource>> = {
  CoreDns: (cluster, options) =>
    new CoreDns("dns", { cluster, clusterDns: ["10.100.0.10"], nodeLocalCache: {} }, options),
  NodeLocalCache: (cluster, options) => new NodeLocalCache("cache", { cluster, clusterDns: ["10.100.0.10"] }, options),
  LogCollection: (cluster, options) =>
    new LogCollection("logs", { cluster, destination: { kind: "cloudwatch" }, sources: ["pods", "audit"] }, options),
  Monitoring: (cluster, options) => new Monitoring("monitoring", { cluster, kind: "cloudwatch", dns: {} }, options),
  Team: (cluster, options) =>
    new Team(
      "ts",
      {
        cluster,
        memberRoles: ["arn:aws:iam::111122223333:role/developers"],
        podIdentity: { policyArns: ["arn:aws:iam::111122223333:policy/orders"] },
      },
      options,
    ),
};

/** The ways to pass providers. */
const WAYS: Readonly<Record<string, (provider: pulumi.ProviderResource) => Options>> = {
  "the option provider": (provider) => ({ provider }),
  "a list": (provider) => ({ providers: [provider] }),
  "a map": (provider) => ({ providers: { aws: provider } }),
};

/** Records a part in a program with a provider of its own, and what it passes to a component of its own afterwards. */
async function planned(part: keyof typeof PARTS, way: keyof typeof WAYS) {
  const options: Options[] = [];
  const call = (_token: string, inputs: object) => ({ ...inputs, accountId: "111122223333" });
  const { resources } = await record({ stack: "test", config: {}, preview: false, call }, async () => {
    const tags = {};
    const cluster: ClusterHandle = {
      name: "prod",
      provider: new k8s.Provider("cluster", {}),
      ready: [],
      dnsAddresses: ["10.100.0.10"],
      addons: { clusterName: "prod", kubernetesVersion: "1.35", tags },
      access: { clusterName: "prod", tags },
      podIdentity: { clusterName: "prod", region: "eu-central-1", partition: "aws", tags },
      logTypes: ["audit"],
    };
    const given = WAYS[way]?.(new aws.Provider("account", {})) ?? {};
    PARTS[part]?.(cluster, given);
    options.push(given);
  });
  return { resources, options };
}

const nameOf = ({ provider }: PlannedResource) => provider.split("::").at(-2);

describe("Options of a component", () => {
  for (const part of Object.keys(PARTS))
    for (const way of Object.keys(WAYS))
      it(`give all AWS resources of ${part} the caller's provider, as ${way}`, async () => {
        const { resources, options } = await planned(part, way);
        const children = resources.filter(({ custom, type }) => custom && !type.startsWith("pulumi:providers:"));
        assert.ok(children.length > 3);
        for (const child of children)
          assert.equal(nameOf(child), child.type.startsWith("aws:") ? "account" : "cluster", child.urn);
        const [{ providers = [] } = {}] = options;
        assert.ok(Object.values(providers).length <= 1, "the cluster's provider is in the caller's list");
      });
});
