import assert from "node:assert/strict";
import { LoggingSettings } from "../../../../components/logging/settings.ts";
import { auditStreamName, requireAudit } from "../../../../components/logging/sources/audit-log.ts";
import { checkLogging } from "../../../../components/logging/validation.ts";
import { formatIssue } from "../../../../components/schema/errors.ts";
import { parseSettings } from "../../../../components/settings.ts";
import { find, ofType } from "../../../support/find.ts";
import { collect } from "../recorded-collection.ts";

const ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy";
const ROLE = "aws:iam/role:Role";
const FILTER = "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter";
const STREAM = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream";
const document = (text: unknown) => JSON.parse(String(text));

const ROUTED = {
  sources: ["pods", "audit"],
  destinations: {
    archive: { kind: "s3" },
    search: { kind: "opensearch", host: "search.example.com" },
  },
  routes: [
    { to: ["search"] as const, sources: ["pods"] as const },
    { to: ["archive"], sources: ["audit"] },
  ],
} as const;

describe("Source audit", () => {
  it("goes to S3 by a subscription filter and a stream, whose roles allow nothing else", async () => {
    const { resources } = await collect(ROUTED, "on AWS");
    const stream = find(resources, STREAM, "logs-audit-archive-stream");
    const filter = find(resources, FILTER, "logs-audit-archive");
    assert.equal(stream.inputs.name, "dev-audit-archive");
    assert.equal(
      filter.inputs.destinationArn,
      "arn:aws:firehose:eu-central-1:111122223333:deliverystream/dev-audit-archive",
    );
    assert.equal(filter.inputs.logGroup, "/aws/eks/dev/cluster");
    assert.equal(filter.inputs.filterPattern, '{ $.apiVersion = "audit.k8s.io/v1" }');
    assert.ok(filter.dependencies.includes(stream.urn));
    // AWS tries the roles when it makes what uses them.
    for (const [user, name] of [
      [stream, "logs-audit-archive-stream"],
      [filter, "logs-audit-archive-filter"],
    ] as const)
      assert.ok(user.dependencies.includes(find(resources, ROLE_POLICY, name).urn), name);
    assert.ok(stream.dependencies.includes(find(resources, "aws:s3/bucket:Bucket", "logs-bucket-archive").urn));
    assert.equal(stream.deleteBeforeReplace, true);
    const { prefix, errorOutputPrefix, bucketArn, compressionFormat, processingConfiguration } = document(
      JSON.stringify(stream.inputs.extendedS3Configuration),
    );
    assert.deepEqual(
      [bucketArn, prefix, errorOutputPrefix, compressionFormat],
      [
        "arn:aws:s3:::dev-logs-eu-central-1-archive",
        "logs/cluster/audit/!{timestamp:yyyy/MM/dd/HH}/",
        "logs/cluster/audit-errors/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/",
        "GZIP",
      ],
    );
    assert.deepEqual(
      processingConfiguration.processors.map(({ type }: { type: string }) => type),
      ["Decompression", "CloudWatchLogProcessing", "AppendDelimiterToRecord"],
    );
    assert.deepEqual(stream.inputs.serverSideEncryption, { enabled: true, keyType: "AWS_OWNED_CMK" });
    assert.deepEqual(document(find(resources, ROLE_POLICY, "logs-audit-archive-stream").inputs.policy).Statement, [
      {
        Sid: "WriteObjects",
        Effect: "Allow",
        Action: ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
        Resource: [
          "arn:aws:s3:::dev-logs-eu-central-1-archive/logs/cluster/audit/*",
          "arn:aws:s3:::dev-logs-eu-central-1-archive/logs/cluster/audit-errors/*",
        ],
      },
      {
        Sid: "FindBucket",
        Effect: "Allow",
        Action: ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
        Resource: ["arn:aws:s3:::dev-logs-eu-central-1-archive"],
      },
    ]);
    const trusts = ["logs-audit-archive-stream", "logs-audit-archive-filter"].map((name) => {
      const [{ Principal, Condition }] = document(find(resources, ROLE, name).inputs.assumeRolePolicy).Statement;
      return [Principal, Condition];
    });
    assert.deepEqual(trusts, [
      [{ Service: "firehose.amazonaws.com" }, { StringEquals: { "sts:ExternalId": "111122223333" } }],
      [
        { Service: "logs.amazonaws.com" },
        { StringLike: { "aws:SourceArn": "arn:aws:logs:eu-central-1:111122223333:*" } },
      ],
    ]);
    // The collector sends nothing there, so that it needs no identity.
    assert.deepEqual(ofType(resources, "aws:eks/podIdentityAssociation:PodIdentityAssociation"), []);
  });

  it("gives the stream a name that AWS accepts", () => {
    assert.equal(auditStreamName("dev", undefined), "dev-audit");
    const names = ["a", "b"].map((end) => auditStreamName("c".repeat(99) + end, "a-name-of-20-letters"));
    assert.deepEqual(
      names.map((name) => name.length),
      [64, 64],
    );
    assert.notEqual(names[0], names[1]);
    for (const name of names) assert.match(name, /^c+-[0-9a-f]{8}-audit-a-name-of-20-letters$/);
  });

  it("encrypts with the key of an existing bucket", async () => {
    const kmsKeyArn = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd";
    const archive = { kind: "s3", bucket: "theirs", existing: true, kmsKeyArn, prefix: "" } as const;
    const { resources } = await collect({ sources: ["pods", "audit"], destination: archive }, "on AWS");
    const { Statement } = document(find(resources, ROLE_POLICY, "logs-audit-stream").inputs.policy);
    assert.deepEqual(Statement[0].Resource, [
      "arn:aws:s3:::theirs/cluster/audit/*",
      "arn:aws:s3:::theirs/cluster/audit-errors/*",
    ]);
    assert.deepEqual(Statement[2], {
      Sid: "EncryptObjects",
      Effect: "Allow",
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: [kmsKeyArn],
    });
  });

  it("goes to an existing stream, and to nothing else", async () => {
    const { resources } = await collect(
      {
        ...ROUTED,
        destinations: { ...ROUTED.destinations, archive: { kind: "firehose", stream: "theirs" } },
      },
      "on AWS",
    );
    const arn = "arn:aws:firehose:eu-central-1:111122223333:deliverystream/theirs";
    assert.equal(find(resources, FILTER, "logs-audit-archive").inputs.destinationArn, arn);
    const { Statement } = document(find(resources, ROLE_POLICY, "logs-audit-archive-filter").inputs.policy);
    assert.deepEqual(Statement, [
      {
        Sid: "PutRecords",
        Effect: "Allow",
        Action: ["firehose:PutRecord", "firehose:PutRecordBatch"],
        Resource: [arn],
      },
    ]);
    assert.deepEqual(ofType(resources, STREAM), []);
  });

  it("is already in CloudWatch Logs, in the control plane's group: nothing is created for it", async () => {
    const { resources } = await collect(
      {
        sources: ["pods", "audit"],
        destinations: { trail: { kind: "cloudwatch" }, search: { kind: "opensearch", host: "search.example.com" } },
        routes: [
          { to: ["search"], sources: ["pods"] },
          { to: ["trail"], sources: ["audit"] },
        ],
      },
      "on AWS",
    );
    assert.deepEqual(
      resources.filter(({ type }) => type.startsWith("aws:")).map(({ name }) => name),
      [],
    );
    const config = find(resources, "kubernetes:core/v1:ConfigMap", "logs-fluent-bit-config");
    assert.doesNotMatch(JSON.stringify(config.inputs.data), /audit|cloudwatch/);
  });

  it("changes nothing for the collector of the same destination", async () => {
    const of = async (sources: ("pods" | "audit")[]) => {
      const { resources } = await collect({ sources, destination: { kind: "s3" } }, "on AWS");
      const { data } = find(resources, "kubernetes:core/v1:ConfigMap", "logs-fluent-bit-config").inputs;
      const { policy } = find(resources, ROLE_POLICY, "logs-identity").inputs;
      return { data, policy };
    };
    assert.deepEqual(await of(["pods", "audit"]), await of(["pods"]));
  });

  it("is rejected if the control plane is known not to write it", async () => {
    const filters = async (logTypes?: readonly string[]) => {
      const args = { sources: ["pods", "audit"], destination: { kind: "s3" } } as const;
      return ofType((await collect(args, "on AWS", logTypes)).resources, FILTER).length;
    };
    assert.deepEqual([await filters(["api"]), await filters(["api", "audit"]), await filters()], [0, 1, 1]);
    assert.throws(() => requireAudit("dev", ["api"]), {
      message:
        "logging.sources: must not contain audit, since EKS writes no audit log for dev: enable its log type audit",
    });
    const elsewhere = collect({ sources: ["pods", "audit"], destination: { kind: "s3" } });
    await assert.rejects(elsewhere, /logs\.sources: must not contain audit, since the cluster has no podIdentity/);
  });

  it("requires a destination to which AWS delivers, and at most two filters", () => {
    const issues = (settings: object) =>
      checkLogging(LoggingSettings.parse({ sources: ["pods", "audit"], ...settings }), "eks")
        .filter(({ severity }) => severity !== "warning")
        .map(formatIssue);
    const search = { kind: "opensearch", host: "search.example.com" };
    assert.deepEqual(issues(ROUTED), []);
    assert.deepEqual(issues({ destination: search }), [
      'destination.kind: must be one of cloudwatch, s3, firehose for the source audit, since Amazon Data Firehose does not deliver lines of CloudWatch Logs to OpenSearch: give it a route of its own (found "opensearch")',
    ]);
    const splunk = { kind: "splunk", url: "https://splunk.example.com:8088", token: { secretName: "hec" } };
    assert.match(
      issues({ destination: splunk }).join(),
      /cannot read the token's Secret: let a stream of your own send/,
    );
    assert.match(
      issues({ destination: { kind: "loki", url: "http://loki:3100" } }).join(),
      /AWS does not deliver there/,
    );
    const stream = { kind: "firehose", stream: "theirs" };
    assert.deepEqual(issues({ destination: stream }), [
      'destination.kind: must not be firehose for audit and pods, since a stream that unpacks lines of CloudWatch Logs accepts no others (found "firehose")',
    ]);
    const three = { a: { kind: "s3" }, b: stream, c: { ...stream, stream: "c" }, d: { kind: "cloudwatch" } };
    const routed = (audit: string[]) =>
      issues({
        destinations: Object.fromEntries(Object.entries(three).filter(([name]) => [...audit, "d"].includes(name))),
        routes: [
          { to: ["d"], sources: ["pods"] },
          { to: audit, sources: ["audit"] },
        ],
      });
    assert.match(routed(["a", "b", "c"]).join(), /routes: must send audit to at most 2 destinations other/);
    assert.deepEqual(routed(["a", "b", "d"]), []);
  });

  it("requires a cluster whose control plane writes it", () => {
    const errors = (cluster: object, logging: object) => {
      const config = {
        "aws:region": "eu-central-1",
        "eks-dns-logging:cluster": JSON.stringify(cluster),
        "eks-dns-logging:logging": JSON.stringify(logging),
      };
      try {
        parseSettings(config);
        return "";
      } catch (error) {
        return String(error);
      }
    };
    const audit = { sources: ["pods", "audit"], destination: { kind: "s3", bucket: "ours" } };
    assert.equal(errors({ kind: "eks" }, audit), "");
    assert.equal(errors({ kind: "eks-existing", name: "theirs" }, audit), "");
    assert.match(
      errors({ kind: "eks", logTypes: ["api"] }, audit),
      /must not contain audit unless cluster\.logTypes does/,
    );
    assert.match(
      errors({ kind: "existing" }, { sources: ["pods", "audit"] }),
      /must not contain audit with cluster\.kind existing/,
    );
  });
});
