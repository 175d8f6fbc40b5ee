import assert from "node:assert/strict";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { DestinationArgs } from "../../../components/logging/destinations/destination-args.ts";
import { LogCollection } from "../../../components/logging/log-collection.ts";
import type { LogCollectionArgs } from "../../../components/logging/log-collection-args.ts";
import { record } from "../../../lab/plan/plan.ts";
import type { Recording } from "../../../lab/plan/recording.ts";
import { existingClusterHandle } from "../../support/cluster-handle.ts";
import { collect, podIdentityOf } from "./recorded-collection.ts";

const KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd";
const MSK = "arn:aws:kafka:eu-central-1:111122223333:cluster/logs/1234abcd-12ab-1";
const DOMAIN = "arn:aws:es:eu-central-1:111122223333:domain/logs";
const HOST = "search-logs-abcdefghijklmnopqrstuvwxyz.eu-central-1.es.amazonaws.com";

/** A value as a resource of the same program gives it. */
type Give = <T extends string | readonly string[]>(value: T) => pulumi.Input<T>;

const DESTINATIONS: Readonly<Record<string, (give: Give) => DestinationArgs>> = {
  "a key of a log group, and its name": (give) => ({
    kind: "cloudwatch",
    logGroup: give("/pods"),
    kmsKeyArn: give(KEY),
  }),
  "the name of an existing log group": (give) => ({ kind: "cloudwatch", logGroup: give("/pods"), existing: true }),
  "the name of a new bucket": (give) => ({ kind: "s3", bucket: give("acme-logs") }),
  "an existing bucket and its key": (give) => ({
    kind: "s3",
    bucket: give("acme-logs"),
    existing: true,
    kmsKeyArn: give(KEY),
  }),
  "a domain's ARN": (give) => ({ kind: "opensearch", host: HOST, port: 443, sigv4: { arn: give(DOMAIN) } }),
  "a domain's host and ARN": (give) => ({
    kind: "opensearch",
    host: give(HOST),
    port: 443,
    sigv4: { arn: give(DOMAIN) },
  }),
  "the name of a stream": (give) => ({ kind: "firehose", stream: give("logs") }),
  "a cluster of MSK, its brokers and topic": (give) => ({
    kind: "kafka",
    brokers: give(["b-1.logs.abcdef.c2.kafka.eu-central-1.amazonaws.com:9098"]),
    topic: give("pods"),
    mskArn: give(MSK),
  }),
};

/** The collection on EKS with values that are outputs of another resource, or never known in a preview. */
function collectLate(args: (give: Give) => Omit<LogCollectionArgs, "cluster">, preview = false): Promise<Recording> {
  const call = (_token: string, inputs: object) => ({ ...inputs, accountId: "111122223333" });
  const outputs = (_type: string, _name: string, inputs: pulumi.Inputs) => inputs;
  return record({ stack: "test", config: {}, preview, call, outputs }, async () => {
    const agent = new k8s.core.v1.ConfigMap("agent", {});
    const cluster = existingClusterHandle({ name: "dev", ready: [agent], podIdentity: podIdentityOf(agent) });
    const give: Give = (value) => (preview ? agent.metadata.uid.apply(() => value) : Promise.resolve(value));
    const { destination } = new LogCollection("logs", { teams: [{ name: "ts" }], ...args(give), cluster });
    return { destination };
  });
}

/** The resources by type and name; what waits for an output is registered later. */
function plainOf({ resources }: Recording): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(Object.fromEntries(resources.map(({ type, name, inputs }) => [`${type} ${name}`, inputs]))),
  );
}

describe("Arguments of a LogCollection known only during deployment", () => {
  for (const [what, destination] of Object.entries(DESTINATIONS)) {
    it(`make what plain values make: ${what}`, async () => {
      const expected = await collect({ destination: destination((value) => value) }, "on AWS");
      assert.deepEqual(plainOf(await collectLate((give) => ({ destination: destination(give) }))), plainOf(expected));
    });

    it(`are no stand-in in any resource of a preview: ${what}`, async () => {
      const { resources } = await collectLate((give) => ({ destination: destination(give) }), true);
      assert.ok(resources.length > 4);
      assert.doesNotMatch(JSON.stringify(resources), /known-after-deployment/);
    });
  }

  it("may be in several destinations, their teams and the sources that AWS delivers", async () => {
    const several = (give: Give): Omit<LogCollectionArgs, "cluster"> => ({
      sources: ["pods", "audit", "auto-mode"],
      routes: [{ to: ["groups", "archive"] }, { to: ["stream"], sources: ["audit"] }],
      index: { splitBy: "team" },
      destinations: {
        groups: { kind: "cloudwatch", logGroup: give("/pods"), teams: { ts: { kmsKeyArn: give(KEY) } } },
        archive: { kind: "s3", bucket: give("acme-logs"), existing: true, kmsKeyArn: give(KEY) },
        stream: { kind: "firehose", stream: give("logs"), index: { splitBy: "none" } },
      },
    });
    const expected = await collect(
      several((value) => value),
      "on AWS",
      ["audit"],
    );
    assert.deepEqual(plainOf(await collectLate(several)), plainOf(expected));
  });

  it("are validated once known, under the argument's name", async () => {
    for (const [destination, message] of [
      [
        (give: Give) => ({ kind: "cloudwatch", kmsKeyArn: give("alias/logs") }) as const,
        /logs\.destination\.kmsKeyArn: must be the ARN of a KMS key, .*\(found "alias\/logs"\)/,
      ],
      [
        (give: Give) => ({ kind: "s3", bucket: give("Acme_Logs") }) as const,
        /logs\.destination\.bucket: must be 3 to 63 lowercase letters, .*\(found "Acme_Logs"\)/,
      ],
      [
        (give: Give) =>
          ({
            kind: "opensearch",
            host: HOST,
            port: 443,
            sigv4: { arn: give(DOMAIN.replace("central", "west")) },
          }) as const,
        /logs\.destination\.sigv4\.arn: must be in the region of host/,
      ],
      [
        (give: Give) => ({ kind: "kafka", brokers: give(["b:1", "c"]), topic: "a" }) as const,
        /logs\.destination\.brokers\[1\]: must be a host and its port/,
      ],
    ] as const)
      await assert.rejects(
        collectLate((give) => ({ destination: destination(give) })),
        message,
      );
    const secretName = Promise.resolve("search");
    await assert.rejects(
      collectLate((give) => ({
        destination: { kind: "opensearch", host: give(HOST), credentials: Object({ secretName }) },
      })),
      /logs\.destination\.credentials\.secretName: must be a plain value, not an output$/m,
    );
    await assert.rejects(
      collectLate((give) => ({ destination: { kind: "kafka", brokers: Object(["b:1", give("c:1")]), topic: "a" } })),
      /logs\.destination\.brokers\[1\]: must be a plain value, not an output$/m,
    );
    const twice = (give: Give) => ({
      one: { kind: "s3", bucket: give("acme-logs") } as const,
      two: { kind: "s3", bucket: give("acme-logs") } as const,
    });
    await assert.rejects(
      collectLate((give) => ({ destinations: twice(give) })),
      /logs\.destinations/,
    );
  });

  it("are not shown if they are secret and invalid", async () => {
    const errorOf = async (destination: DestinationArgs) => {
      const found: unknown = await collectLate(() => ({ destination })).then(
        () => undefined,
        (error: unknown) => error,
      );
      assert.ok(found instanceof Error);
      return found.message;
    };
    const url = "https//hunter2.example.com";
    assert.match(await errorOf({ kind: "http", url: Promise.resolve(url) }), /hunter2/);
    const wrong: readonly DestinationArgs[] = [
      { kind: "http", url: pulumi.secret(url) },
      { kind: "kafka", brokers: pulumi.secret(["hunter2 example"]), topic: "pods" },
      { kind: "cloudwatch", kmsKeyArn: pulumi.secret("arn:aws:kms:hunter2") },
      { kind: "opensearch", host: pulumi.secret("hunter2_") },
    ];
    for (const destination of wrong) {
      const message = await errorOf(destination);
      assert.match(message, /^.*logs\.destination\.\w+.*: must /m);
      assert.doesNotMatch(message, /hunter2/);
    }
  });
});
