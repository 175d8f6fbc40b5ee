import assert from "node:assert/strict";
import { Destination } from "../../../../components/logging/destinations/destination-settings.ts";
import { describeDestination, hasIndex, logPipeline } from "../../../../components/logging/pipeline.ts";
import { LoggingSettings } from "../../../../components/logging/settings.ts";
import { issuesIn } from "../../../support/issues.ts";

const FOLDER = /^path: must be a folder below \/var\/log, other than pods and containers$/;
const URL_FORM = /^url: must be an http or https URL, such as https:\/\/logs\.example\.com\/ingest$/;
const OTLP_URL = /^url: must be a URL without a query and \/v1\/logs, such as https:\/\/otel\.example\.com:4318/;
const TENANT =
  /^tenant: must be a quoted string of up to 150 letters, digits and ! - _ \. \* ' \( \), such as 'team-a'/;

describe("destination settings", () => {
  const credentials = { secretName: "writer" };
  const kmsKeyArn = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd";
  const wrong: readonly [string, object, RegExp][] = [
    [
      "an unknown kind",
      { kind: "syslog" },
      /^kind: must be one of stdout, file, http, opensearch, elasticsearch, cloudwatch, s3, loki, otlp, splunk, firehose, kafka$/,
    ],
    ["OpenSearch without a host", { kind: "opensearch" }, /^: one of host and inCluster is required$/],
    [
      "a host beside inCluster",
      { kind: "opensearch", host: "h", inCluster: true },
      /^: host and inCluster are mutually exclusive$/,
    ],
    ["storage without inCluster", { kind: "opensearch", host: "h", storage: "1Gi" }, /^: storage requires inCluster$/],
    [
      "a scheme in a host",
      { kind: "elasticsearch", host: "https://h" },
      /^host: must be a host name or an IPv4 address, without scheme or port$/,
    ],
    [
      "a password in the clear",
      { kind: "elasticsearch", host: "h", tls: false, credentials },
      /^: credentials require TLS, since the password would be sent in clear text$/,
    ],
    [
      "a password in the clear over HTTP",
      { kind: "http", url: "http://h/x", credentials },
      /^url: must be an https URL with credentials, since the password would be sent in clear text$/,
    ],
    [
      "a password in the settings",
      { kind: "elasticsearch", host: "h", password: "x" },
      /^password: unknown key, must be one of kind, host, port, tls, credentials, token$/,
    ],
    ["a file among the pods' own", { kind: "file", path: "/var/log/pods/x" }, FOLDER],
    ["a file elsewhere on the node", { kind: "file", path: "/etc/cron.d" }, FOLDER],
    ["a file by a way round", { kind: "file", path: "/var/log/../../etc" }, FOLDER],
    ["the pods' own by a dot", { kind: "file", path: "/var/log/./pods" }, FOLDER],
    ["/var/log itself by a dot", { kind: "file", path: "/var/log/." }, FOLDER],
    [
      "a retention that CloudWatch does not take",
      { kind: "cloudwatch", retentionDays: 42 },
      /^retentionDays: must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545,/,
    ],
    ["a URL of another scheme", { kind: "loki", url: "ftp://h" }, URL_FORM],
    ["a scheme in capitals, which asks for no TLS", { kind: "http", url: "HTTPS://h/x" }, URL_FORM],
    ["a URL with blanks", { kind: "http", url: "https://h/a b" }, URL_FORM],
    ["an IPv6 address, in words", { kind: "elasticsearch", host: "fd00::1" }, /^host: .* an IPv4 address/],
    [
      "a host with nothing between dots",
      { kind: "opensearch", host: "a..b" },
      /^host: must be a host name or an IPv4 address, without scheme or port$/,
    ],
    [
      "one value as user and password, such as that of ECK's Secret",
      {
        kind: "elasticsearch",
        host: "h",
        credentials: { secretName: "s", usernameKey: "elastic", passwordKey: "elastic" },
      },
      /^credentials: usernameKey and passwordKey must differ: the Secret needs a key for the user, and one for the password$/,
    ],
    [
      "the password's default key as the user's",
      { kind: "http", url: "https://h", credentials: { secretName: "s", usernameKey: "password" } },
      /^credentials: usernameKey and passwordKey must differ/,
    ],
    ["a URL with the path of OTLP logs", { kind: "otlp", url: "https://h/otlp/v1/logs/" }, OTLP_URL],
    ["an OTLP URL with a query", { kind: "otlp", url: "https://h/otlp?a=b" }, OTLP_URL],
    [
      "a path with gRPC",
      { kind: "otlp", url: "https://h/otlp", protocol: "grpc" },
      /^: url must have no path with protocol grpc$/,
    ],
    ["a tenant of two lines", { kind: "loki", url: "http://h", tenant: "a\nb" }, TENANT],
    // Loki takes lines for one tenant, and refuses other characters.
    ["a tenant with a slash", { kind: "loki", url: "http://h", tenant: "team/a" }, TENANT],
    ["two tenants at once", { kind: "loki", url: "http://h", tenant: "team-a|team-b" }, TENANT],
    ["a tenant with a quotation mark", { kind: "loki", url: "http://h", tenant: 'a"b' }, TENANT],
    ["a tenant in braces", { kind: "loki", url: "http://h", tenant: "{a}" }, TENANT],
    ["a tenant that is a folder", { kind: "loki", url: "http://h", tenant: ".." }, TENANT],
    ["a tenant that is too long", { kind: "loki", url: "http://h", tenant: "a".repeat(151) }, TENANT],
    [
      "a port that inCluster has not",
      { kind: "opensearch", inCluster: true, port: 9300 },
      /^port: must be 9200 with inCluster$/,
    ],
    [
      "TLS that inCluster has not",
      { kind: "opensearch", inCluster: true, tls: {} },
      /^tls: must not be set with inCluster, whose OpenSearch has no TLS and no users$/,
    ],
    [
      "users that inCluster has not",
      { kind: "opensearch", inCluster: true, credentials },
      /^: credentials must not be set with inCluster, whose OpenSearch has no TLS and no users$/,
    ],
    [
      "a token in the clear",
      { kind: "elasticsearch", host: "h", tls: false, token: { secretName: "writer" } },
      /^: token requires TLS, since the token would be sent in clear text$/,
    ],
    [
      "a token in the clear over HTTP",
      { kind: "loki", url: "http://h", token: { secretName: "writer" } },
      /^url: must be an https URL with a token, since it would be sent in clear text$/,
    ],
    [
      "a token beside a password",
      { kind: "http", url: "https://h", token: { secretName: "writer" }, credentials },
      /^: token and credentials are mutually exclusive$/,
    ],
    ["a token in the settings", { kind: "http", url: "https://h", token: "abc" }, /^token: must be an object/],
    [
      "a log group that CloudWatch Logs does not create",
      { kind: "cloudwatch", logGroup: "aws/eks/pods" },
      /^logGroup: must not begin with aws\/, since CloudWatch Logs creates no such log group$/,
    ],
    [
      "an existing log group without its name",
      { kind: "cloudwatch", existing: true },
      /^: existing requires logGroup$/,
    ],
    [
      "a new bucket whose host name has no certificate",
      { kind: "s3", bucket: "logs.example.com" },
      /^bucket: must have no '\.' unless the bucket exists, since browsers and tools find no valid certificate for it$/,
    ],
    [
      "an existing bucket that S3 never made",
      { kind: "s3", existing: true, bucket: "logs..example" },
      /^bucket: must be 3 to 63 lowercase letters, digits, '-' and '\.', and no prefix or suffix that S3 reserves$/,
    ],
    [
      "an existing bucket named like an address",
      { kind: "s3", existing: true, bucket: "192.168.5.4" },
      /^bucket: must be 3 to 63 lowercase letters/,
    ],
    [
      "a retention of an existing bucket",
      { kind: "s3", existing: true, bucket: "their-logs", retentionDays: 7 },
      /^: retentionDays must not be set with existing: the bucket keeps its own$/,
    ],
    [
      "a key of an existing log group",
      { kind: "cloudwatch", existing: true, logGroup: "/theirs", kmsKeyArn },
      /^: kmsKeyArn must not be set with existing: the log group keeps its own$/,
    ],
    [
      "a class of an existing log group",
      { kind: "cloudwatch", existing: true, logGroup: "/theirs", class: "INFREQUENT_ACCESS" },
      /^: class must not be set with existing: the log group keeps its own$/,
    ],
    [
      "a key of a bucket of this stack",
      { kind: "s3", bucket: "our-logs", kmsKeyArn },
      /^: kmsKeyArn requires existing$/,
    ],
    [
      "a volume of no size",
      { kind: "opensearch", inCluster: true, storage: "0Gi" },
      /^storage: must be a size in Mi or Gi, such as '10Gi'$/,
    ],
  ];
  for (const [what, destination, expected] of wrong) {
    it(`refuse ${what}`, () => {
      const found = issuesIn(Destination, destination);
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", expected);
    });
  }

  it("accept an OTLP server below a path", () => {
    assert.deepEqual(issuesIn(Destination, { kind: "otlp", url: "https://otlp.example.com/otlp" }), []);
    assert.deepEqual(issuesIn(Destination, { kind: "otlp", url: "https://otlp.example.com/", protocol: "grpc" }), []);
  });

  it("accept an existing bucket with dots, which collectors address by its path", () => {
    assert.deepEqual(issuesIn(Destination, { kind: "s3", existing: true, bucket: "logs.example.com" }), []);
  });

  it("accept a log group of AWS, and an existing one with a name that can no longer be created", () => {
    assert.deepEqual(issuesIn(Destination, { kind: "cloudwatch", logGroup: "/aws/eks/pods" }), []);
    assert.deepEqual(issuesIn(Destination, { kind: "cloudwatch", logGroup: "aws/eks/pods", existing: true }), []);
  });

  it("accept true for TLS as the default, and reject it without TLS", () => {
    for (const destination of [
      { kind: "opensearch", host: "h", token: { secretName: "t" } },
      { kind: "kafka", brokers: ["h:9093"], topic: "logs" },
    ])
      assert.deepEqual(
        Destination.parse({ ...destination, tls: true }),
        Destination.parse({ ...destination, tls: { verify: true } }),
      );
    assert.match(
      issuesIn(Destination, { kind: "opensearch", inCluster: true, tls: true }).join(),
      /^tls: must not be set/,
    );
  });
});

describe("A destination's host", () => {
  it("is a name, or a literal address", () => {
    const host = (value: string) => Destination.safeParse({ kind: "opensearch", host: value }).success;
    for (const good of ["10.0.0.5", "search", "search-2.example.com", "1.example.com"]) assert.ok(host(good), good);
    for (const bad of ["10.0.0.300", "10.0.0", "search.2", "010.0.0.1", "fd00::1"]) assert.ok(!host(bad), bad);
  });
});

describe("describeDestination", () => {
  const of = (destination: object) =>
    describeDestination(
      logPipeline(LoggingSettings.parse({ destination }), {
        cluster: "dev",
        region: "eu-central-1",
      }),
    );

  it("describes where the lines go", () => {
    assert.equal(of({ kind: "stdout" }), "stdout of the collector, in namespace logging");
    assert.equal(of({ kind: "file" }), "files below /var/log/collected on each node");
    assert.equal(
      of({ kind: "opensearch", inCluster: true }),
      "opensearch at http://opensearch.logging.svc.cluster.local:9200",
    );
    assert.equal(of({ kind: "elasticsearch", host: "h", port: 443 }), "elasticsearch at https://h:443");
    assert.equal(of({ kind: "cloudwatch" }), "log group /eks-dns-logging/dev/pods of CloudWatch Logs");
    assert.equal(of({ kind: "s3", prefix: "p" }), "bucket dev-logs-eu-central-1, below p/");
    assert.equal(of({ kind: "loki", url: "http://l:3100" }), "loki at http://l:3100");
  });

  it("has indices in search engines only", () => {
    assert.equal(hasIndex(Destination.parse({ kind: "opensearch", host: "h" })), true);
    assert.equal(hasIndex(Destination.parse({ kind: "loki", url: "http://l" })), false);
  });
});
