import assert from "node:assert/strict";
import { z } from "zod";
import { retriesAfter } from "../../../../components/logging/sources/auto-mode-logs.ts";
import { parseSettings } from "../../../../components/settings.ts";
import { find, ofType } from "../../../support/find.ts";
import { collect } from "../recorded-collection.ts";

const SOURCE = "aws:cloudwatch/logDeliverySource:LogDeliverySource";
const DELIVERY = "aws:cloudwatch/logDelivery:LogDelivery";
const DESTINATION = "aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination";
const POLICY = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy";
const Document = z.object({ Statement: z.array(z.record(z.string(), z.unknown())) });
const statementsOf = (text: unknown) => Document.parse(JSON.parse(String(text))).Statement;
const GROUP = "arn:aws:logs:eu-central-1:111122223333:log-group:/eks-dns-logging/dev/pods";
const arnOf = ({ inputs }: { inputs: Readonly<Record<string, unknown>> }) =>
  z.object({ destinationResourceArn: z.string() }).parse(inputs.deliveryDestinationConfiguration)
    .destinationResourceArn;

describe("Source auto-mode", () => {
  it("delivers the four logs to each destination, one after another", async () => {
    const { resources } = await collect(
      {
        sources: ["pods", "auto-mode"],
        destinations: { groups: { kind: "cloudwatch" }, theirs: { kind: "firehose", stream: "theirs" } },
      },
      "on AWS",
    );
    const sources = ofType(resources, SOURCE);
    assert.deepEqual(
      sources.map(({ inputs }) => [inputs.logType, inputs.resourceArn]),
      ["COMPUTE", "BLOCK_STORAGE", "LOAD_BALANCING", "IPAM"].map((what) => [
        `AUTO_MODE_${what}_LOGS`,
        "arn:aws:eks:eu-central-1:111122223333:cluster/dev",
      ]),
    );
    // Each but the first waits for what was made before it.
    const chain = resources.filter(({ type }) => type === SOURCE || type === DELIVERY);
    assert.equal(chain.length, 12);
    for (const [at, { dependencies }] of chain.entries())
      if (at > 0) assert.ok(dependencies.includes(chain[at - 1]?.urn ?? ""), `${at}`);
    assert.deepEqual(ofType(resources, DESTINATION).map(arnOf), [
      `${GROUP}-groups`,
      "arn:aws:firehose:eu-central-1:111122223333:deliverystream/theirs",
    ]);
  });

  it("may write to its log group, only from this account", async () => {
    const { resources } = await collect(
      { sources: ["pods", "auto-mode"], destination: { kind: "cloudwatch" } },
      "on AWS",
    );
    const policy = find(resources, POLICY, "logs-auto-mode");
    assert.equal(policy.inputs.resourceArn, GROUP);
    assert.ok(find(resources, DELIVERY, "logs-auto-mode-compute").dependencies.includes(policy.urn));
    assert.ok(ofType(resources, SOURCE).every(({ deleteBeforeReplace }) => deleteBeforeReplace));
    assert.deepEqual(statementsOf(policy.inputs.policyDocument), [
      {
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Condition: {
          ArnLike: { "aws:SourceArn": "arn:aws:logs:eu-central-1:111122223333:*" },
          StringEquals: { "aws:SourceAccount": "111122223333" },
        },
        Effect: "Allow",
        Principal: { Service: "delivery.logs.amazonaws.com" },
        Resource: [`${GROUP}:log-stream:*`],
        Sid: "DeliverLogs",
      },
    ]);
    const theirs = { kind: "cloudwatch", logGroup: "/theirs", existing: true } as const;
    const there = await collect({ sources: ["pods", "auto-mode"], destination: theirs }, "on AWS");
    assert.deepEqual(ofType(there.resources, POLICY), []);
  });

  it("may write to its bucket, whose objects expire too", async () => {
    const both = await collect({ sources: ["pods", "auto-mode"], destination: { kind: "s3" } }, "on AWS");
    const allowed = find(both.resources, "aws:s3/bucketPolicy:BucketPolicy", "logs-bucket").urn;
    assert.ok(find(both.resources, SOURCE, "logs-auto-mode-compute").dependencies.includes(allowed));
    const bucket = async (sources: ("pods" | "auto-mode")[]) => {
      const { resources } = await collect({ sources, destination: { kind: "s3", retentionDays: 5 } }, "on AWS");
      const { policy } = find(resources, "aws:s3/bucketPolicy:BucketPolicy", "logs-bucket").inputs;
      const { rules } = find(
        resources,
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "logs-bucket",
      ).inputs;
      return { statements: statementsOf(policy), rules: z.array(z.record(z.string(), z.unknown())).parse(rules) };
    };
    const plain = await bucket(["pods"]);
    const delivered = await bucket(["pods", "auto-mode"]);
    assert.deepEqual(delivered.statements.slice(0, 1), plain.statements);
    assert.deepEqual(delivered.statements[1], {
      Action: "s3:PutObject",
      Condition: {
        ArnLike: { "aws:SourceArn": "arn:aws:logs:eu-central-1:111122223333:delivery-source:*" },
        StringEquals: { "aws:SourceAccount": "111122223333", "s3:x-amz-acl": "bucket-owner-full-control" },
      },
      Effect: "Allow",
      Principal: { Service: "delivery.logs.amazonaws.com" },
      Resource: "arn:aws:s3:::dev-logs-eu-central-1/AWSLogs/111122223333/*",
      Sid: "DeliverLogs",
    });
    assert.deepEqual(delivered.rules.slice(0, 1), plain.rules);
    assert.deepEqual(
      delivered.rules.slice(1).map(({ filter, expiration }) => [filter, expiration]),
      [[{ prefix: "AWSLogs/" }, { days: 5 }]],
    );
  });

  it("is retried while an update is in progress, not after another error, and not indefinitely", async () => {
    const retries = retriesAfter(0);
    const asked = (errors: string[]) =>
      retries({ urn: "", id: "", name: "", type: "", failedOperation: "create", errors });
    const conflict =
      "ConflictException: Cannot VendedLogsUpdate because cluster dev currently has update 1 in progress";
    assert.equal(await asked([conflict]), true);
    assert.equal(await asked(["AccessDeniedException: no", conflict]), false);
    assert.equal(await asked(Array.from({ length: 46 }, () => conflict)), false);
  });

  it("requires EKS Auto Mode", () => {
    const errors = (cluster: object) => {
      const logging = { sources: ["pods", "auto-mode"], destination: { kind: "s3", bucket: "ours" } };
      try {
        parseSettings({
          "aws:region": "eu-central-1",
          "eks-dns-logging:cluster": JSON.stringify(cluster),
          "eks-dns-logging:logging": JSON.stringify(logging),
          "eks-dns-logging:dns": "false",
        });
        return "";
      } catch (error) {
        return String(error);
      }
    };
    const theirs = { kind: "eks-existing", name: "theirs" };
    assert.equal(errors({ ...theirs, compute: "auto" }), "");
    assert.match(errors(theirs), /must contain auto-mode only with cluster\.kind eks-existing and compute auto/);
    assert.match(errors({ kind: "eks" }), /must contain auto-mode only with/);
  });
});
