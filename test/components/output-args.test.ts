import assert from "node:assert/strict";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import {
  EksCluster,
  type EksClusterArgs,
  ExistingCluster,
  ExistingEksCluster,
  Team,
  type TeamArgs,
} from "../../components/index.ts";
import { record } from "../../lab/plan/plan.ts";
import { UNKNOWN } from "../../lab/plan/recording.ts";
import { existingClusterHandle } from "../support/cluster-handle.ts";
import { find, ofType } from "../support/find.ts";

const DEV = "arn:aws:iam::123456789012:role/dev";
const CHINESE = DEV.replace("arn:aws:", "arn:aws-cn:");
const NAMESPACE = "kubernetes:core/v1:Namespace";
const later = <T>(value: T) => pulumi.output(value);

/** What a program registers whose AWS lookups are answered. */
const made = (program: () => void, preview = false) =>
  record({ stack: "prod", config: {}, preview, call: () => ANSWER }, async () => {
    program();
  });
const ANSWER = {
  endpoint: "https://x",
  certificateAuthorities: [{ data: "Q0E=" }],
  version: "1.35",
  accountId: "1",
  names: ["a", "b"],
};

/** Arguments that TypeScript would refuse. */
const inJavaScript = (args: object): object => args;

/** What a team registers, by its arguments. */
const team = async (args: Partial<TeamArgs>) => {
  const access = { clusterName: "prod", tags: {} };
  const cluster = () => existingClusterHandle({ access });
  return (await made(() => new Team("shop", { curlPod: false, ...args, cluster: cluster() }))).resources;
};

describe("arguments of components that are outputs", () => {
  it("make of a team what plain ones make", async () => {
    const plain = await team({
      quota: { "requests.cpu": "8", pods: 50 },
      limits: { memoryLimit: "256Mi" },
      egress: [{ cidrs: ["203.0.113.0/24"], ports: [443] }],
      ingress: [{ namespaces: ["web"], cidrs: ["10.0.0.0/8"] }],
    });
    const outputs = await team({
      quota: { "requests.cpu": later("8"), pods: later(50) },
      limits: { memoryLimit: later("256Mi") },
      egress: [{ cidrs: [later("203.0.113.0/24")], ports: [443] }],
      ingress: [{ namespaces: ["web"], cidrs: [later("10.0.0.0/8")] }],
    });
    const inputsOf = (resources: typeof plain) =>
      Object.fromEntries(resources.map(({ urn, inputs, provider: _ }) => [urn, JSON.stringify(inputs)]));
    assert.deepEqual(inputsOf(outputs), inputsOf(plain));
    assert.match(JSON.stringify(inputsOf(outputs)), /203\.0\.113\.0\/24.*50.*256Mi|256Mi/);
  });

  it("name access entries by their place, and plain ARNs by their role", async () => {
    const resources = await team({ memberRoles: [DEV, later(`${DEV}2`)] });
    const entries = ofType(resources, "aws:eks/accessEntry:AccessEntry");
    assert.deepEqual(
      entries.map(({ name, inputs }) => [name, inputs.principalArn]),
      [
        ["shop-dev", DEV],
        ["shop-1", `${DEV}2`],
      ],
    );
  });

  it("may be all labels of a team, which keep neither Pod Security nor the team's own from its namespace", async () => {
    // As those of a Namespace or a ConfigMap are.
    const labels: Record<string, string> = { tier: "web" };
    const namespaceWith = async (given: TeamArgs["labels"]) =>
      find(await team({ labels: given }), NAMESPACE, "shop-namespace").inputs;
    const late = await namespaceWith(later(labels));
    assert.deepEqual(late, await namespaceWith(labels));
    assert.match(JSON.stringify(late), /security\.kubernetes\.io\/enforce":"restricted"/);
  });

  it("cannot be all tags of a cluster, to which others are added", async () => {
    const tags = inJavaScript({ tags: later({ owner: "platform" }) });
    for (const component of [EksCluster, ExistingEksCluster])
      await assert.rejects(
        made(() => void new component("cluster", { name: "prod", region: "eu-central-1", ...tags })),
        /^ +cluster\.tags: must be a plain value, not an output$/m,
      );
  });

  it("reach an existing EKS cluster whose name another component gives", async () => {
    const { resources } = await made(() => {
      const accessEntries = [{ principalArn: later(DEV), policy: "AmazonEKSViewPolicy" }];
      const tags = { owner: later("platform") };
      const args = { region: "eu-central-1", name: later("prod"), profile: later("ops"), accessEntries, tags };
      const { handle } = new ExistingEksCluster("cluster", args);
      assert.equal(handle.name, "cluster");
    });
    const provider = find(resources, "pulumi:providers:kubernetes", "cluster-kubernetes");
    assert.equal(provider.inputs.clusterIdentifier, "eu-central-1/prod");
    const { contexts, users } = JSON.parse(String(provider.inputs.kubeconfig));
    assert.deepEqual(contexts[0].context, { cluster: "prod", user: "prod" });
    assert.ok(users[0].user.exec.args.includes("ops"));
    const entry = find(resources, "aws:eks/accessEntry:AccessEntry", "cluster-access-0");
    assert.deepEqual([entry.inputs.clusterName, entry.inputs.principalArn], ["prod", DEV]);
    assert.deepEqual(entry.inputs.tags, { owner: "platform", "eks-dns-logging/stack": "prod" });
  });

  it("make of a cluster what plain ones make: its VPC, its nodes' labels, who reaches it", async () => {
    const cluster = async (give: <T>(value: T) => pulumi.Input<T>) => {
      const { resources } = await made(() => {
        new EksCluster("cluster", {
          region: "eu-central-1",
          vpc: { cidr: give("10.8.0.0/16"), zones: ["eu-central-1a", "eu-central-1b"] },
          nodeGroups: [{ name: "default", labels: { team: give("ts"), tier: "web" } }],
          endpointAccess: { public: true, publicCidrs: [give("203.0.113.7/32")] },
        });
      });
      return Object.fromEntries(resources.map(({ type, name, inputs }) => [`${type} ${name}`, JSON.stringify(inputs)]));
    };
    const outputs = await cluster((value) => Promise.resolve(value));
    assert.deepEqual(outputs, await cluster((value) => value));
    const texts = Object.values(outputs).join();
    for (const text of ['"10.8.0.0/16"', '"10.8.32.0/19"', '"10.8.228.0/22"', '{"team":"ts","tier":"web"}'])
      assert.ok(texts.includes(text), text);
  });

  it("are the ids of a VPC that another component makes, and wrong ids are found at once", async () => {
    const cluster = (existingVpc: EksClusterArgs["existingVpc"], more: Partial<EksClusterArgs> = {}) =>
      made(() => new EksCluster("cluster", { region: "eu-central-1", existingVpc, ...more }));
    const ids = ["subnet-made-0", "subnet-made-1"];
    for (const privateSubnetIds of [later(ids), ids.map(later), Promise.resolve(ids.map(later))]) {
      const { resources } = await cluster({ id: later("vpc-made"), privateSubnetIds });
      const control = find(resources, "eks:index:Cluster", "cluster");
      assert.deepEqual([control.inputs.vpcId, control.inputs.subnetIds], ["vpc-made", ids]);
      const nodes = find(resources, "aws:eks/nodeGroup:NodeGroup", "cluster-nodes-default");
      assert.deepEqual(nodes.inputs.subnetIds, ids);
      assert.deepEqual(ofType(resources, "aws:ec2/vpc:Vpc"), []);
    }
    await assert.rejects(
      cluster({ id: "vpc-01234567", privateSubnetIds: ["subnet-01234567"] }),
      /cluster\.existingVpc\.privateSubnetIds: must have at least 2 subnets/,
    );
    await assert.rejects(
      cluster({ id: "main", privateSubnetIds: later(ids) }),
      /cluster\.existingVpc\.id: must be a VPC ID, .* \(found "main"\)/,
    );
    await assert.rejects(
      cluster({ id: later("vpc-made"), privateSubnetIds: later(ids) }, { vpc: {} }),
      /vpc and existingVpc are mutually exclusive/,
    );
  });

  it("do not keep a cluster's other arguments from the checks of a stack's settings", async () => {
    const cluster = (args: object) =>
      made(() => {
        const all = {
          region: "us-gov-west-1",
          accessEntries: [{ principalArn: later(DEV), groups: ["dev"] }],
          ...args,
        };
        new EksCluster("cluster", all);
      });
    for (const [args, message] of [
      [
        { vpc: { zones: ["eu-west-1a", "us-gov-west-1a"] } },
        /^ +cluster\.vpc\.zones\[0\]: must be an availability zone/m,
      ],
      [
        { endpointAccess: { public: true, private: false, publicCidrs: ["203.0.113.7/32"] } },
        /^ +cluster\.endpointAccess\.private: must be true with a new VPC/m,
      ],
      [
        { addons: { kubeProxy: "v1.20.0-eksbuild.1" } },
        /^ +cluster\.addons\.kubeProxy: must be a version from v1\.33/m,
      ],
      [{ accessEntries: [{ principalArn: DEV, groups: ["dev"] }] }, /principalArn: must start with arn:aws-us-gov:/],
      [{ region: undefined }, /^ +cluster\.region: must be an AWS region, such as eu-central-1, but is not set$/m],
    ] as const)
      await assert.rejects(cluster(args), { name: "SettingsError", message });
    await cluster({});
    const groups = ["dev"];
    const existing = (args: object) =>
      made(() => {
        const all = {
          region: "cn-north-1",
          name: "prod",
          accessEntries: [{ principalArn: later(CHINESE), groups }],
          ...args,
        };
        new ExistingEksCluster("cluster", all);
      });
    await assert.rejects(
      existing({
        accessEntries: [
          { principalArn: CHINESE, groups },
          { principalArn: DEV, groups },
        ],
      }),
      {
        name: "SettingsError",
        message:
          /^ +cluster\.accessEntries\[1\]\.principalArn: must start with arn:aws-cn:, the partition of cn-north-1 \(found/m,
      },
    );
    await assert.rejects(existing({ region: undefined }), /^ +cluster\.region: must be an AWS region, .* is not set$/m);
    await existing({});
  });

  it("are refused once, by name, where they decide what is created", async () => {
    const plain = "must be a plain value, not an output";
    // As a program in JavaScript may pass them.
    const given = async (args: object) => {
      const { messages } = await team({ ...args }).then(
        () => ({ messages: ["accepted"] }),
        (error: Error) => ({ messages: error.message.split("\n").slice(1) }),
      );
      return messages.map((line) => line.trim());
    };
    for (const [path, args] of [
      ["team", { team: later("shop") }],
      ["peers", { peers: Promise.resolve(["web"]) }],
      ["peers[1]", { peers: ["web", later("api")] }],
      ["namespaces", { namespaces: later([{ name: "web" }]) }],
      ["namespaces[0].name", { namespaces: [{ name: later("web") }] }],
      ["podSecurity.level", { podSecurity: { level: later("baseline"), reason: "needs more" } }],
      ["curlPod.lifetime", { curlPod: { lifetime: later(60) } }],
    ] as const)
      assert.deepEqual(await given(args), [`shop.${path}: ${plain}`]);
    assert.deepEqual(await given({ curlPod: { image: later("docker.io/curlimages/curl:8.17.0") } }), ["accepted"]);
    const identifier = made(() => new ExistingCluster("lab", inJavaScript({ identifier: later("lab") })));
    await assert.rejects(identifier, { message: `Invalid arguments (1 error)\n  lab.identifier: ${plain}` });
  });

  it("are checked in a cluster once they are known, and leave both addresses of DNS possible", async () => {
    const wrong = async (args: Partial<EksClusterArgs>) =>
      record({ stack: "prod", config: {}, preview: false, call: () => ANSWER }, async () => {
        const { handle } = new EksCluster("cluster", { region: "eu-central-1", ...args });
        return { nodes: handle.ready.map(({ urn }) => urn) };
      });
    await assert.rejects(
      wrong({ vpc: { cidr: later("10.0.0.0/8") } }),
      /cluster\.vpc\.cidr: must be a private IPv4 CIDR block from \/16 to \/22, .*\(found "10.0.0.0\/8"\)/,
    );
    await assert.rejects(
      wrong({ nodeGroups: [{ name: "default" }, { name: "more", labels: { team: later("-") } }] }),
      /cluster\.nodeGroups\[1\]\.labels\.team: must be 1 to 63 letters/,
    );
    await assert.rejects(
      wrong({ endpointAccess: { public: true, publicCidrs: [later("10.0.0.0/8")] } }),
      /cluster\.endpointAccess\.publicCidrs\[0\]: must be an IPv4 CIDR block of public addresses/,
    );
    await made(() => {
      const { handle } = new EksCluster("cluster", { region: "eu-central-1", vpc: { cidr: later("172.20.0.0/16") } });
      assert.deepEqual(handle.dnsAddresses, ["10.100.0.10", "172.20.0.10"]);
    });
  });

  it("are unknown in a preview where nobody knows them, and everything else is checked at once", async () => {
    const { resources } = await made(() => {
      const { arn } = new aws.iam.Role("dev", { assumeRolePolicy: "{}" });
      const { cidrBlock } = new aws.ec2.Vpc("office", {});
      new EksCluster("cluster", {
        region: "eu-central-1",
        accessEntries: [{ principalArn: arn, policy: "AmazonEKSViewPolicy" }],
        endpointAccess: { public: true, publicCidrs: [cidrBlock] },
        tags: { owner: arn },
      });
    }, true);
    const entry = find(resources, "aws:eks/accessEntry:AccessEntry", "cluster-access-0");
    assert.equal(entry.inputs.principalArn, UNKNOWN);
    const entries = [{ principalArn: later(DEV), policy: "Nothing" }];
    const wrong = made(() => new EksCluster("cluster", { region: "eu-central-1", accessEntries: entries }));
    await assert.rejects(wrong, /cluster\.accessEntries\[0\]\.policy: must be one of/);
    await assert.rejects(
      team({ egress: [{ cidrs: ["here"] }] }),
      /shop\.egress\[0\]\.cidrs\[0\]: must be a CIDR block/,
    );
    await assert.rejects(team({ quota: { pods: "many" } }), /quota\.pods: /);
  });
});
