import assert from "node:assert/strict";
import { LoggingSettings } from "../../../components/logging/settings.ts";
import { checkLogging } from "../../../components/logging/validation.ts";

const check = (settings: object, kind: "eks" | "existing" = "existing") =>
  checkLogging(LoggingSettings.parse(settings), kind);

describe("checkLogging", () => {
  it("finds nothing wrong with the defaults, on EKS and elsewhere", () => {
    assert.deepEqual(check({}), []);
    assert.deepEqual(check({ destination: { kind: "cloudwatch" } }, "eks"), []);
  });

  it("rejects an AWS destination without an AWS identity of pods, and lists the others", () => {
    for (const kind of ["cloudwatch", "s3"]) {
      const [issue] = check({ destination: { kind } });
      assert.deepEqual(issue?.path, ["destination", "kind"]);
      assert.equal(issue?.value, kind);
      assert.match(
        issue?.message ?? "",
        /^must be one of stdout, file, http, opensearch, elasticsearch, loki, otlp, splunk, kafka, since only/,
      );
    }
  });

  it("warns of index dates that repeat, and not without indices", () => {
    const index = { datePattern: "dd" };
    const [issue] = check({ destination: { kind: "opensearch", inCluster: true }, index });
    assert.deepEqual([issue?.path, issue?.severity], [["index", "datePattern"], "warning"]);
    assert.match(issue?.message ?? "", /^has dd without yyyy and MM/);
    assert.doesNotMatch(JSON.stringify(check({ index })), /has dd without/);
  });

  it("lists only kinds that the collector supports", () => {
    const [issue] = check({ collector: "opentelemetry", destination: { kind: "s3" } });
    assert.match(issue?.message ?? "", /^must be one of elasticsearch, loki, otlp, kafka, since only/);
  });

  it("rejects a key in another region, for log groups and buckets", () => {
    const found = (destination: object, index = {}) =>
      checkLogging(LoggingSettings.parse({ destination, index }), "eks", { name: "dev", region: "eu-central-1" }, [
        { name: "ts" },
      ]).map(({ path, message }) => `${path.join(".")}: ${message}`);
    const [here, there] = ["eu-central-1", "us-east-1"].map(
      (region) => `arn:aws:kms:${region}:111122223333:key/1234abcd`,
    );
    const wanted = "kmsKeyArn: must be a key in region eu-central-1, where the cluster is";
    assert.deepEqual(found({ kind: "cloudwatch", kmsKeyArn: here }), []);
    assert.deepEqual(found({ kind: "cloudwatch", kmsKeyArn: there }), [`destination.${wanted}`]);
    assert.deepEqual(found({ kind: "cloudwatch", teams: { ts: { kmsKeyArn: there } } }, { splitBy: "team" }), [
      `destination.teams.ts.${wanted}`,
    ]);
    assert.deepEqual(found({ kind: "s3", bucket: "their-logs", existing: true, kmsKeyArn: there }), [
      `destination.${wanted}`,
    ]);
  });

  it("reports what the collector does not support", () => {
    const [issue] = check({ destination: { kind: "opensearch", host: "h" }, index: { timeZone: "Asia/Tokyo" } });
    assert.deepEqual(issue?.path, ["index", "timeZone"]);
  });
});

describe("A volume of the OpenSearch that inCluster brings", () => {
  const destination = { kind: "opensearch", inCluster: true, storage: "10Gi" };

  it("requires a named StorageClass on EKS, where a new cluster has none", () => {
    const [issue, ...more] = check({ destination }, "eks");
    assert.deepEqual(more, []);
    assert.match(
      issue?.message ?? "",
      /^storage requires storageClass on cluster\.kind eks, which has neither the EBS CSI/,
    );
    assert.deepEqual(check({ destination: { ...destination, storageClass: "gp3" } }, "eks"), []);
    assert.deepEqual(check({ destination }, "existing"), []);
  });
});

describe("The bucket's name", () => {
  const s3 = (bucket?: string) => LoggingSettings.safeParse({ destination: { kind: "s3", ...(bucket && { bucket }) } });
  const derived = (name: string) =>
    checkLogging(LoggingSettings.parse({ destination: { kind: "s3" } }), "eks", { name, region: "eu-central-1" });

  it("follows S3's rules", () => {
    for (const name of ["logs-123", "a1b", "x".repeat(63)]) assert.ok(s3(name).success, name);
    const invalid = [
      "Logs",
      "a_b",
      "a.b",
      "ab",
      "x".repeat(64),
      "-logs",
      "logs-",
      "xn--logs",
      "logs-s3alias",
      "logs--x-s3",
    ];
    for (const name of invalid) assert.equal(s3(name).success, false, name);
  });

  it("must be set if the default made from the cluster's name is invalid", () => {
    assert.deepEqual(derived("dev"), [
      {
        path: ["destination", "bucket"],
        message:
          "is not set, and the default dev-logs-eu-central-1 may be taken by another AWS account, as bucket names are global: set a name of your own",
        severity: "warning",
      },
    ]);
    for (const name of ["Prod", "my_cluster", "c".repeat(60)]) {
      const [issue, ...more] = derived(name);
      assert.deepEqual([more, issue?.path], [[], ["destination", "bucket"]]);
      assert.match(issue?.message ?? "", new RegExp(`^must be set, since ${name}-logs-eu-central-1, made of`));
    }
    const settings = LoggingSettings.parse({ destination: { kind: "s3", bucket: "prod-logs-1" } });
    assert.deepEqual(checkLogging(settings, "eks", { name: "Prod", region: "eu-central-1" }), []);
  });
});

describe("names that Elasticsearch reserves", () => {
  const elasticsearch = { kind: "elasticsearch", host: "h" };
  const taken: readonly object[] = [
    { splitBy: "team" },
    { datePattern: "yyyy-MM-dd" },
    { prefix: "logs-k8s" },
    { prefix: "logs-k8s", separator: ".", splitBy: "app" },
    { prefix: "metrics-a-b", separator: "_" },
    { prefix: "profiling" },
  ];
  for (const index of taken) {
    it(`are refused: ${JSON.stringify(index)}`, () => {
      const [issue, ...more] = check({ collector: "filebeat", destination: elasticsearch, index });
      assert.deepEqual(more, []);
      assert.deepEqual(issue?.path, ["index"]);
      assert.match(
        issue?.message ?? "",
        /^prefix and separator must not form a name that Elasticsearch reserves \(logs-\*-\*/,
      );
    });
  }

  const free: readonly object[] = [
    {},
    { separator: "_", splitBy: "team" },
    { separator: ".", datePattern: "yyyy-MM" },
    { prefix: "pods", splitBy: "team", datePattern: "yyyy-MM-dd" },
    { prefix: "logstash", splitBy: "team" },
  ];
  for (const index of free) {
    it(`are not these: ${JSON.stringify(index)}`, () => {
      assert.deepEqual(check({ collector: "filebeat", destination: elasticsearch, index }), []);
    });
  }

  it("are allowed in OpenSearch", () => {
    assert.deepEqual(check({ destination: { kind: "opensearch", host: "h" }, index: { splitBy: "team" } }), []);
  });
});
