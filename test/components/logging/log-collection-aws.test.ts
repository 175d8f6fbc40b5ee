import assert from "node:assert/strict";
import type { DestinationArgs } from "../../../components/logging/destinations/destination-args.ts";
import { find, ofType } from "../../support/find.ts";
import { collect, podOf } from "./recorded-collection.ts";

describe("LogCollection on AWS", () => {
  it("creates the log group with retention and a key, before the collector", async () => {
    const { resources } = await collect({ destination: { kind: "cloudwatch", retentionDays: 7 } }, "on AWS");
    const group = find(resources, "aws:cloudwatch/logGroup:LogGroup", "logs-group");
    assert.equal(group.inputs.retentionInDays, 7);
    assert.equal(group.inputs.name, "/eks-dns-logging/dev/pods");
    assert.equal(find(resources, "aws:kms/key:Key", "logs-group-key").inputs.enableKeyRotation, true);
    const association = find(resources, "aws:eks/podIdentityAssociation:PodIdentityAssociation", "logs-identity");
    const daemonSet = find(resources, "kubernetes:apps/v1:DaemonSet", "logs-fluent-bit-daemonset");
    assert.ok(daemonSet.dependencies.includes(association.urn));
  });

  it("looks up the account that records contain with the cluster, unless it is set", async () => {
    const accounts = async (metadata: { cluster?: boolean; accountId?: string }, where: "on AWS" | "elsewhere") => {
      const destination = { kind: "loki", url: "http://loki.monitoring.svc:3100" } as const;
      const { resources } = await collect({ destination, metadata, sources: ["pods", "events"] }, where);
      return ofType(resources, "kubernetes:core/v1:ConfigMap").flatMap(({ name, inputs }) =>
        name.endsWith("-config")
          ? (/cloud_account_id"?:? "?(\w+)/.exec(String(Object.values(Object(inputs.data))))?.[1] ?? "none")
          : [],
      );
    };
    assert.deepEqual(await accounts({}, "on AWS"), ["111122223333", "111122223333"]);
    assert.deepEqual(await accounts({ cluster: true }, "on AWS"), ["111122223333", "111122223333"]);
    assert.deepEqual(await accounts({ cluster: true, accountId: "444455556666" }, "on AWS"), [
      "444455556666",
      "444455556666",
    ]);
    assert.deepEqual(await accounts({ cluster: true }, "elsewhere"), ["none", "none"]);
    assert.deepEqual(await accounts({ cluster: false }, "on AWS"), ["none", "none"]);
  });

  it("lets only this service account of this cluster assume the role", async () => {
    const { resources } = await collect({ destination: { kind: "cloudwatch" } }, "on AWS");
    const trust = JSON.parse(String(find(resources, "aws:iam/role:Role", "logs-identity").inputs.assumeRolePolicy));
    assert.deepEqual(trust.Statement[0].Principal, { Service: "pods.eks.amazonaws.com" });
    assert.deepEqual(trust.Statement[0].Condition, {
      StringEquals: {
        "aws:RequestTag/eks-cluster-name": "dev",
        "aws:RequestTag/kubernetes-namespace": "logging",
        "aws:RequestTag/kubernetes-service-account": "fluent-bit",
      },
    });
  });

  it("gives the event reader its own role, only for the destinations of events", async () => {
    const args = {
      collector: "vector",
      sources: ["pods", "events"],
      destinations: { groups: { kind: "cloudwatch" }, archive: { kind: "s3" } },
      routes: [{ to: ["groups"] }, { to: ["archive"], sources: ["pods"] }],
    } as const;
    const recording = await collect(args, "on AWS");
    const { resources } = recording;
    const association = find(
      resources,
      "aws:eks/podIdentityAssociation:PodIdentityAssociation",
      "logs-events-identity",
    );
    assert.equal(association.inputs.serviceAccount, "fluent-bit-events");
    const reader = find(resources, "kubernetes:apps/v1:StatefulSet", "logs-fluent-bit-events-statefulset");
    assert.ok(reader.dependencies.includes(association.urn));
    const policyOf = (name: string) => String(find(resources, "aws:iam/rolePolicy:RolePolicy", name).inputs.policy);
    assert.match(policyOf("logs-events-identity"), /logs:PutLogEvents/);
    assert.doesNotMatch(policyOf("logs-events-identity"), /s3:|Describe/);
    assert.match(policyOf("logs-identity"), /logs:DescribeLogStreams/);
    const byFluentd = await collect(
      { collector: "fluentd", sources: args.sources, destination: { kind: "cloudwatch" } },
      "on AWS",
    );
    const [all, ofEvents] = ["logs-identity", "logs-events-identity"].map((name) =>
      String(find(byFluentd.resources, "aws:iam/rolePolicy:RolePolicy", name).inputs.policy),
    );
    assert.match(all ?? "", /logs:DescribeLogGroups/);
    assert.doesNotMatch(ofEvents ?? "", /Describe/);
    assert.match(ofEvents ?? "", /logs:PutLogEvents/);
    assert.match(policyOf("logs-identity"), /s3:PutObject/);
    assert.equal(podOf(recording, "vector").serviceAccountName, "vector");
  });

  it("creates a private, encrypted bucket with retention, and lets the collector write below its prefix", async () => {
    const { resources } = await collect({ destination: { kind: "s3", prefix: "p", retentionDays: 5 } }, "on AWS");
    assert.equal(find(resources, "aws:s3/bucket:Bucket", "logs-bucket").inputs.bucket, "dev-logs-eu-central-1");
    const block = find(resources, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "logs-bucket").inputs;
    assert.deepEqual(
      [block.blockPublicAcls, block.blockPublicPolicy, block.ignorePublicAcls, block.restrictPublicBuckets],
      [true, true, true, true],
    );
    assert.equal(
      ofType(resources, "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration")
        .length,
      1,
    );
    const policy = JSON.parse(String(find(resources, "aws:iam/rolePolicy:RolePolicy", "logs-identity").inputs.policy));
    assert.deepEqual(policy.Statement, [
      {
        Sid: "WriteObjects",
        Effect: "Allow",
        Action: ["s3:PutObject"],
        Resource: ["arn:aws:s3:::dev-logs-eu-central-1/p/*"],
      },
    ]);
  });

  it("gives a signing collector a role that may only send documents to its domain", async () => {
    const arn = "arn:aws:es:eu-central-1:111122223333:domain/logs";
    const destination = { kind: "opensearch", host: "logs.example.com", port: 443, sigv4: { arn } } as const;
    const { resources } = await collect({ destination }, "on AWS");
    const policy = JSON.parse(String(find(resources, "aws:iam/rolePolicy:RolePolicy", "logs-identity").inputs.policy));
    assert.deepEqual(policy.Statement, [
      { Sid: "WriteDocuments", Effect: "Allow", Action: ["es:ESHttpPost"], Resource: [`${arn}/_bulk`] },
    ]);
    assert.equal(resources.filter(({ type }) => type.startsWith("aws:")).length, 3);
    await assert.rejects(collect({ destination }), /logs\.destination\.sigv4: must not need an AWS identity/);
  });

  it("writes to an existing log group or bucket, creates neither, and has no other permission there", async () => {
    const statements = async (
      destination: DestinationArgs,
      collector: "fluent-bit" | "opentelemetry" = "fluent-bit",
    ) => {
      const { resources } = await collect({ destination, collector }, "on AWS");
      const made = resources.filter(({ type }) => type.startsWith("aws:")).map(({ type }) => type.split(":").at(-1));
      assert.deepEqual(made.sort(), ["PodIdentityAssociation", "Role", "RolePolicy"]);
      const { policy } = find(resources, "aws:iam/rolePolicy:RolePolicy", "logs-identity").inputs;
      return JSON.parse(String(policy)).Statement;
    };
    assert.deepEqual(await statements({ kind: "cloudwatch", logGroup: "/theirs", existing: true }), [
      {
        Sid: "WriteLines",
        Effect: "Allow",
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: ["arn:aws:logs:eu-central-1:111122223333:log-group:/theirs:*"],
      },
    ]);
    assert.deepEqual(await statements({ kind: "firehose", stream: "logs" }), [
      {
        Sid: "PutRecords",
        Effect: "Allow",
        Action: ["firehose:PutRecordBatch"],
        Resource: ["arn:aws:firehose:eu-central-1:111122223333:deliverystream/logs"],
      },
    ]);
    const kmsKeyArn = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd";
    assert.deepEqual(await statements({ kind: "s3", bucket: "their-logs", existing: true, kmsKeyArn }), [
      {
        Sid: "WriteObjects",
        Effect: "Allow",
        Action: ["s3:PutObject"],
        Resource: ["arn:aws:s3:::their-logs/logs/*"],
      },
      { Sid: "EncryptObjects", Effect: "Allow", Action: ["kms:GenerateDataKey"], Resource: [kmsKeyArn] },
    ]);
    const inParts = await statements({ kind: "s3", bucket: "their-logs", existing: true, kmsKeyArn }, "opentelemetry");
    assert.deepEqual(inParts[1].Action, ["kms:GenerateDataKey", "kms:Decrypt"]);
  });

  it("passes a token from its Secret to the collector, as a variable or file", async () => {
    const destination = { kind: "http", url: "https://h", token: { secretName: "writer", key: "api" } } as const;
    assert.deepEqual(podOf(await collect({ destination })).containers[0].env.at(-1), {
      name: "LOG_TOKEN",
      valueFrom: { secretKeyRef: { name: "writer", key: "api" } },
    });
    const inFile = podOf(await collect({ destination, collector: "vector" }), "vector");
    assert.deepEqual(inFile.volumes.at(-1), {
      name: "credentials",
      secret: { secretName: "writer", items: [{ key: "api", path: "token" }] },
    });
  });

  it("creates nothing in AWS for other destinations", async () => {
    const { resources } = await collect({ destination: { kind: "stdout" } }, "on AWS");
    assert.deepEqual(
      resources.filter(({ type }) => type.startsWith("aws:")),
      [],
    );
  });
});
