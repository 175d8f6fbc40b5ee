import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterHandle } from "../../components/cluster/handle.ts";
import { EksCluster, ExistingCluster, ExistingEksCluster, LogCollection, Team } from "../../components/index.ts";
import { record } from "../../lab/plan/plan.ts";
import { existingClusterHandle } from "../support/cluster-handle.ts";

const REGION = "eu-central-1";

/** What the provider functions answer, with a Kubernetes version. */
const CALLS = { accountId: "111122223333", version: "1.35", names: ["eu-central-1a", "eu-central-1b"] };

/** Registers with a value that is only known during the deployment, and returns why that fails. */
async function refusal(value: unknown, create: (late: pulumi.Input<string>, cluster: ClusterHandle) => unknown) {
  const call = (_token: string, inputs: object) => ({ ...inputs, ...CALLS });
  const result = await record({ stack: "test", config: {}, preview: false, call }, async () => {
    const access = { clusterName: "prod", tags: {} };
    // As the outputs of another stack, it may have any type.
    create(pulumi.secret(JSON.parse(JSON.stringify({ value })).value), existingClusterHandle({ name: "prod", access }));
    // Until then, the inputs of the resources are read.
    await setTimeout(100);
  }).catch((error: unknown) => error);
  assert.ok(result instanceof Error, "nothing was refused");
  return result.message;
}

/** Wrong values of arguments that may be outputs, and the component's refusals. */
const REFUSED: Readonly<Record<string, readonly [() => Promise<string>, RegExp]>> = {
  "a label of a team": [
    () => refusal("a secret!", (late, cluster) => new Team("shop", { cluster, labels: { tier: late, zone: "a" } })),
    /shop\.labels\.tier: must be a Kubernetes label value/,
  ],
  "all labels of a team, of which one would weaken Pod Security": [
    () => {
      const weaker = { "pod-security.kubernetes.io/enforce": "privileged" };
      return refusal(weaker, (labels, cluster) => new Team("shop", { cluster, ...Object({ labels }) }));
    },
    /shop\.labels\["\(secret\)"\]: key must not be 'team' or under kubernetes\.io/,
  ],
  "a label of a team with a secret name and no value": [
    () => refusal({ "a secret!": "" }, (labels, cluster) => new Team("shop", { cluster, ...Object({ labels }) })),
    /shop\.labels\["\(secret\)"\]: /,
  ],
  "a label of a team beside an output": [
    () => refusal("gold", (late, cluster) => new Team("shop", { cluster, labels: { tier: late, zone: "a!" } })),
    /shop\.labels\.zone: must be a Kubernetes label value.*\(found "a!"\)/,
  ],
  "a group of members": [
    () => refusal("system:masters", (late, cluster) => new Team("shop", { cluster, members: ["dev", late] })),
    /shop\.members\[1\]: must not start with 'system:'/,
  ],
  "a role of members": [
    () => refusal("a secret!", (late, cluster) => new Team("shop", { cluster, memberRoles: [late] })),
    /shop\.memberRoles\[0\]: must be the ARN of an IAM role/,
  ],
  "a curl pod's image": [
    () => refusal("a secret!", (late, cluster) => new Team("shop", { cluster, curlPod: { image: late } })),
    /shop-curl\.pod\.image: must be an image/,
  ],
  "a collector's image": [
    () => refusal("a secret!", (late, cluster) => new LogCollection("logs", { cluster, image: late })),
    /logs\.image: must be an image/,
  ],
  "the name of a cluster": [
    () => refusal("a secret!", (late) => new ExistingEksCluster("prod", { region: REGION, name: late })),
    /prod\.name: must be a string of 1 to 100 letters/,
  ],
  "a tag of an existing cluster": [
    () =>
      refusal("a secret!", (late) => {
        const args = { region: REGION, name: "prod", tags: { owner: late }, podIdentityAgent: true };
        return new ExistingEksCluster("prod", args);
      }),
    /prod\.tags\.owner: must be a string of up to 256 letters/,
  ],
  "a tag of a new cluster": [
    () => refusal("a secret!", (late) => new EksCluster("new", { region: REGION, tags: { owner: late } })),
    /new\.tags\.owner: must be a string of up to 256 letters/,
  ],
};

describe("Arguments known only during the deployment", () => {
  for (const [what, [refused, message]] of Object.entries(REFUSED))
    it(`are checked once known, and not shown if secret: ${what}`, async () => {
      const found = await refused();
      assert.match(found, message);
      assert.doesNotMatch(found, /a secret!|found "system:/);
    });

  it("are no other values than texts: an object as a kubeconfig, or the missing output of another stack", async () => {
    for (const value of [{ kind: "Config" }, undefined]) {
      const found = await refusal(value, (late) => new ExistingCluster("lab", { kubeconfig: late }));
      assert.match(found, /lab\.kubeconfig: must be the path of a kubeconfig, or its contents as a string/);
      assert.doesNotMatch(found, /"Config"/);
    }
  });

  it("must have a value in a destination, where the default would take its place", async () => {
    for (const [kind, key] of [
      ["cloudwatch", "logGroup"],
      ["cloudwatch", "kmsKeyArn"],
      ["s3", "bucket"],
    ] as const) {
      const found = await refusal(undefined, (late, cluster) => {
        const podIdentity = { clusterName: "dev", region: REGION, partition: "aws", tags: {} };
        const destination = { kind, [key]: late, ...(kind === "s3" ? { existing: true } : {}) };
        return new LogCollection("logs", { cluster: { ...cluster, podIdentity }, ...Object({ destination }) });
      });
      assert.match(found, new RegExp(`logs\\.destination\\.${key}: must have a value, but its output has none`));
    }
  });

  it("are not shown by a cluster that differs from other arguments", async () => {
    const args = { region: REGION, kubernetesVersion: "1.34" };
    const found = await refusal("hunter2", (name) => new ExistingEksCluster("prod", { ...args, name }));
    assert.match(found, /cluster\.kubernetesVersion: must be 1\.35, as in cluster prod \(found "1\.34"\)/);
    assert.doesNotMatch(found, /hunter2/);
  });
});

describe("Arguments of a LogCollection beside the settings", () => {
  for (const [args, message] of [
    [{ teams: pulumi.output([]) }, /logs\.teams: must be a plain value, not an output/],
    [{ teams: [{ name: 5 }] }, /logs\.teams\[0\]\.name: must be a string \(found 5\)/],
    [
      { clusterDomain: "a b", index: 5 },
      /\(2 errors\)\n {2}logs\.clusterDomain: must be .*\n {2}logs\.index: must be an object/,
    ],
  ] as const)
    it(`are checked at once: ${message.source}`, async () => {
      assert.match(await refusal("", (_, cluster) => new LogCollection("logs", { cluster, ...Object(args) })), message);
    });
});
