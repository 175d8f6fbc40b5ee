import assert from "node:assert/strict";
import { parse } from "yaml";
import { COLLECTORS } from "../../../../components/logging/collectors/index.ts";
import { logPipeline } from "../../../../components/logging/pipeline.ts";
import { type CollectorId, LoggingSettings } from "../../../../components/logging/settings.ts";
import { checkLogging } from "../../../../components/logging/validation.ts";
import { formatIssue } from "../../../../components/schema/errors.ts";
import { find } from "../../../support/find.ts";
import { issuesIn } from "../../../support/issues.ts";
import { collect, podOf } from "../recorded-collection.ts";

const KAFKA = { kind: "kafka" as const, brokers: ["b-1.example.com:9092", "b-2.example.com:9092"], topic: "pods" };
const credentials = { secretName: "writer" };
const mskArn = "arn:aws:kafka:eu-central-1:111122223333:cluster/logs/1234abcd-12ab-1";
const SCRAM = { ...KAFKA, credentials, tls: { caSecretName: "ca" } };

const issues = (settings: object, kind: "eks" | "existing" = "eks") =>
  checkLogging(LoggingSettings.parse(settings), kind).map(formatIssue);

/** A collector's whole configuration. */
function textOf(collector: CollectorId, destination: object): string {
  const settings = LoggingSettings.parse({ collector, destination });
  const { files } =
    COLLECTORS[collector]?.render(logPipeline(settings, { cluster: "dev", region: "eu-central-1" })) ?? {};
  const [text = ""] = Object.values(files ?? {});
  assert.ok(!text.includes("writer"));
  return text;
}

/** The configuration of a collector's output to Kafka. */
function outputOf(collector: CollectorId, destination: object) {
  const config = parse(textOf(collector, destination));
  return config.pipeline?.outputs[0] ?? config.sinks?.destination ?? config.exporters.kafka;
}

describe("Destination kafka", () => {
  it("requires an MSK cluster in the partition of the cluster's region", () => {
    const settings = LoggingSettings.parse({ destination: { ...KAFKA, mskArn } });
    const inRegion = (region: string) =>
      checkLogging(settings, "eks", { name: "prod", region })
        .filter(({ severity }) => severity !== "warning")
        .map(formatIssue);
    assert.deepEqual(inRegion("cn-north-1"), [
      `destination.mskArn: must be in partition aws-cn, as the cluster is (found "${mskArn}")`,
    ]);
    // Networks of two regions may be peered, those of two partitions may not.
    assert.deepEqual(inRegion("us-east-1"), []);
  });

  it("is supported by Fluent Bit, with little memory for unacknowledged lines, and unlimited retries", () => {
    const plain = outputOf("fluent-bit", { ...KAFKA, tls: false });
    assert.deepEqual(
      [plain.name, plain.brokers, plain.topics, plain.format, plain["rdkafka.security.protocol"], plain.retry_limit],
      ["kafka", "b-1.example.com:9092,b-2.example.com:9092", "pods", "json", "PLAINTEXT", "no_limits"],
    );
    assert.deepEqual(
      [plain.queue_full_retries, plain["rdkafka.message.timeout.ms"], plain["rdkafka.queue.buffering.max.kbytes"]],
      [0, 0, 16_384],
    );
    // Longer than 1 MB, but it must fit into the memory.
    assert.equal(plain["rdkafka.message.max.bytes"], 15_000_000);
    // A message that is sent again keeps its place, and is stored once.
    assert.equal(plain["rdkafka.enable.idempotence"], "true");
    assert.equal(plain.tls, undefined);
    const scram = outputOf("fluent-bit", SCRAM);
    assert.deepEqual(
      [
        scram["rdkafka.security.protocol"],
        scram["rdkafka.sasl.mechanism"],
        scram["rdkafka.sasl.password"],
        scram["rdkafka.ssl.ca.location"],
        scram["rdkafka.enable.ssl.certificate.verification"],
      ],
      ["SASL_SSL", "SCRAM-SHA-512", `\${LOG_PASSWORD}`, "/etc/log-destination/ca.crt", "true"],
    );
    const msk = outputOf("fluent-bit", { ...KAFKA, mskArn });
    assert.deepEqual(
      [msk.aws_msk_iam, msk.aws_msk_iam_cluster_arn, msk["rdkafka.security.protocol"]],
      ["on", mskArn, "SASL_SSL"],
    );
    assert.deepEqual(issues({ destination: SCRAM }), [
      'destination.kind: loses lines when Fluent Bit is killed: up to 16 MB that no broker has acknowledged wait in memory (found "kafka")',
    ]);
  });

  it("is supported by the OpenTelemetry Collector, which waits for all brokers", () => {
    const scram = outputOf("opentelemetry", SCRAM);
    assert.deepEqual(
      [scram.brokers, scram.logs, scram.producer.required_acks, scram.retry_on_failure.max_elapsed_time],
      [KAFKA.brokers, { topic: "pods", encoding: "raw" }, -1, 0],
    );
    assert.deepEqual(scram.auth.sasl, {
      mechanism: "SCRAM-SHA-512",
      username: `\${file:/etc/log-destination/credentials/username}`,
      password: `\${file:/etc/log-destination/credentials/password}`,
    });
    assert.deepEqual(scram.tls, { insecure_skip_verify: false, ca_file: "/etc/log-destination/ca.crt" });
    assert.deepEqual(outputOf("opentelemetry", { ...KAFKA, mskArn }).auth.sasl, {
      mechanism: "AWS_MSK_IAM_OAUTHBEARER",
      aws_msk: { region: "eu-central-1" },
    });
    assert.equal(outputOf("opentelemetry", { ...KAFKA, tls: false }).tls, undefined);
    // What shows other destinations who sends.
    assert.ok(!textOf("opentelemetry", SCRAM).includes("basicauth"));
    assert.deepEqual(issues({ collector: "opentelemetry", destination: SCRAM, buffer: { whenFull: "block" } }), [
      "destination.credentials: must name a user and password without $$ and ${, which OpenTelemetry Collector reads as $ and as a variable",
    ]);
    const byRole = { ...KAFKA, mskArn };
    assert.deepEqual(issues({ collector: "opentelemetry", destination: byRole, buffer: { whenFull: "block" } }), []);
  });

  it("is supported by Vector, but not with IAM", () => {
    const scram = outputOf("vector", SCRAM);
    assert.deepEqual(
      [scram.type, scram.bootstrap_servers, scram.topic, scram.message_timeout_ms],
      ["kafka", KAFKA.brokers.join(","), "pods", 2 ** 31 - 1],
    );
    assert.deepEqual(scram.sasl, {
      enabled: true,
      mechanism: "SCRAM-SHA-512",
      username: "SECRET[credentials.username]",
      password: "SECRET[credentials.password]",
    });
    assert.deepEqual([scram.tls.enabled, scram.tls.ca_file], [true, "/etc/log-destination/ca.crt"]);
    assert.equal(outputOf("vector", { ...KAFKA, tls: false }).tls, undefined);
    assert.deepEqual(issues({ collector: "vector", destination: { ...KAFKA, mskArn } }), [
      `destination.mskArn: must not be set with Vector, which cannot sign for MSK: set credentials (found "${mskArn}")`,
    ]);
  });

  it("is rejected by all others, and in a sidecar", () => {
    for (const [collector, reason] of [
      ["fluentd", "no Fluentd image for Kubernetes has the plugin"],
      ["filebeat", "Kafka from Filebeat is not tested here"],
      ["logagent", "Logagent has no such output"],
      ["promtail", "Promtail sends to Loki only"],
    ] as const)
      assert.match(
        issues({ collector, destination: KAFKA }).join("\n"),
        new RegExp(`^destination\\.kind: .*${reason}`),
      );
    assert.match(
      issues({ mode: "sidecar", destination: KAFKA }).join("\n"),
      /^destination\.kind: must not be kafka with mode sidecar/m,
    );
    assert.match(
      issues({ destination: { ...KAFKA, mskArn } }, "existing").join("\n"),
      /^destination\.mskArn: must not be set, since only cluster\.kind eks/m,
    );
  });

  for (const [settings, expected] of [
    [{ ...KAFKA, brokers: [] }, /^brokers: must not be empty/],
    [{ ...KAFKA, brokers: ["kafka.example.com"] }, /^brokers\[0\]: must be a host and its port/],
    [{ ...KAFKA, brokers: ["a,b:9092"] }, /^brokers\[0\]: must be a host and its port/],
    [{ ...KAFKA, brokers: ["a..b:9092"] }, /^brokers\[0\]: must be a host and its port/],
    [{ ...KAFKA, brokers: ["10.0.0.300:9092"] }, /^brokers\[0\]: must be a host and its port/],
    [{ ...KAFKA, brokers: ["a:9092", "b:9092", "A:9092"] }, /^brokers\[2\]: must be unique/],
    [{ ...KAFKA, brokers: ["a:70000"] }, /^brokers\[0\]: must be a host and its port/],
    [{ ...KAFKA, topic: "a b" }, /^topic: must be 1 to 249 letters/],
    [{ ...SCRAM, tls: false }, /^: credentials require TLS/],
    [{ ...KAFKA, mskArn, tls: false }, /^: mskArn requires TLS/],
    [{ ...SCRAM, mskArn }, /^: mskArn and credentials are mutually exclusive/],
    [{ ...KAFKA, mskArn: "arn:aws:kafka:x" }, /^mskArn: must be the ARN of a cluster/],
  ] as const)
    it(`is refused as ${JSON.stringify(settings)}`, () => {
      const found = issuesIn(LoggingSettings.shape.destination, settings);
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", expected);
    });

  describe("on Amazon MSK", () => {
    const onMsk = (port: number, others: object, cluster = "b-1.logs.abc123.c2.kafka") =>
      issues({
        destination: { ...KAFKA, brokers: [`${cluster}.eu-central-1.amazonaws.com:${port}`], ...others },
      }).filter((issue) => !issue.startsWith("destination.kind: loses"));
    const serverless = "boot-abcd.c1.kafka-serverless";

    it("has ports for each kind of authentication", () => {
      const ways = [
        [{ tls: false }, [9092, 20_092], "9092 or 20092 with tls false"],
        [{}, [9094, 9194, 20_094], "9094, 9194 or 20094 with TLS and neither credentials nor mskArn"],
        [{ credentials }, [9096, 9196, 20_096], "9096, 9196 or 20096 with credentials"],
        [{ mskArn }, [9098, 9198, 20_098], "9098, 9198 or 20098 with mskArn"],
      ] as const;
      const all = ways.flatMap(([, ports]) => [...ports]);
      for (const [others, ports, words] of ways)
        for (const port of all)
          assert.deepEqual(
            onMsk(port, others),
            ports.some((own) => own === port)
              ? []
              : [
                  `destination.brokers[0]: must have port ${words}, on which Amazon MSK accepts such clients (found "b-1.logs.abc123.c2.kafka.eu-central-1.amazonaws.com:${port}")`,
                ],
          );
    });

    it("may have a port of PrivateLink, and any port behind another name", () => {
      assert.deepEqual(onMsk(14_001, { mskArn }), []);
      assert.deepEqual(
        issues({ collector: "opentelemetry", destination: { ...KAFKA, mskArn }, buffer: { whenFull: "block" } }),
        [],
      );
    });

    it("supports one mechanism for a password", () => {
      for (const mechanism of ["SCRAM-SHA-256", "PLAIN"])
        assert.deepEqual(onMsk(9096, { credentials, mechanism }), [
          `destination.mechanism: must be SCRAM-SHA-512 with Amazon MSK, which supports no other (found "${mechanism}")`,
        ]);
    });

    it("supports only IAM if it is serverless", () => {
      const [broker, only] = [
        "boot-abcd.c1.kafka-serverless.eu-central-1.amazonaws.com:9098",
        "which accepts only IAM",
      ];
      assert.deepEqual(onMsk(9098, { credentials }, serverless), [
        `destination.mskArn: must be set for Amazon MSK Serverless (${broker}), ${only}: set it instead of credentials`,
      ]);
      assert.deepEqual(onMsk(9098, {}, serverless), [
        `destination.mskArn: must be set for Amazon MSK Serverless (${broker}), ${only}`,
      ]);
      assert.deepEqual(onMsk(9098, { mskArn }, serverless), []);
    });

    it("is in one region", () => {
      const elsewhere = mskArn.replace("eu-central-1", "us-east-1");
      assert.deepEqual(onMsk(9098, { mskArn: elsewhere }), [
        `destination.mskArn: must be in the region of brokers (b-1.logs.abc123.c2.kafka.eu-central-1.amazonaws.com:9098) (found "${elsewhere}")`,
      ]);
    });
  });

  it("differs among several in a broker or a topic", () => {
    const of = (other: object) => issues({ destinations: { one: KAFKA, two: { ...KAFKA, ...other } } }).join("\n");
    assert.match(of({ brokers: ["B-2.example.com:9092"] }), /^destinations\.two\.topic: must differ from that of/m);
    assert.doesNotMatch(of({ topic: "other" }), /must differ/);
  });

  it("has Secret and certificate in the pod, or a role that may only write to the topic", async () => {
    const pod = podOf(await collect({ destination: SCRAM }, "on AWS"));
    assert.match(JSON.stringify(pod.containers), /"secretKeyRef":\{("name":"writer"|"key":"password"|,)+\}/);
    assert.ok(JSON.stringify(pod.volumes).includes('"secretName":"ca"'));
    const { resources } = await collect({ destination: { ...KAFKA, mskArn } }, "on AWS");
    const policy = JSON.parse(String(find(resources, "aws:iam/rolePolicy:RolePolicy", "logs-identity").inputs.policy));
    assert.deepEqual(policy.Statement, [
      {
        Sid: "ConnectToKafka",
        Effect: "Allow",
        Action: ["kafka-cluster:Connect", "kafka-cluster:WriteDataIdempotently"],
        Resource: [mskArn],
      },
      {
        Sid: "WriteTopic",
        Effect: "Allow",
        Action: ["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"],
        Resource: ["arn:aws:kafka:eu-central-1:111122223333:topic/logs/1234abcd-12ab-1/pods"],
      },
    ]);
  });
});
