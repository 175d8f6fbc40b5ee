import assert from "node:assert/strict";
import { Destination } from "../../../components/logging/destination-settings.ts";
import { todaysIndices } from "../../../components/logging/index-format.ts";
import { describeDestination, hasIndex, logPipeline } from "../../../components/logging/pipeline.ts";
import { LoggingSettings } from "../../../components/logging/settings.ts";
import { checkLogging } from "../../../components/logging/validation.ts";
import { formatIssue } from "../../../components/schema/errors.ts";
import { issuesIn } from "../../support/issues.ts";

const check = (settings: object, kind: "eks" | "existing" = "existing") =>
  checkLogging(LoggingSettings.parse(settings), kind);

describe("checkLogging", () => {
  it("finds nothing wrong with the defaults, on EKS and elsewhere", () => {
    assert.deepEqual(check({}), []);
    assert.deepEqual(check({ destination: { kind: "cloudwatch" } }, "eks"), []);
  });

  it("refuses an AWS destination where pods have no AWS identity, and names the others", () => {
    for (const kind of ["cloudwatch", "s3"]) {
      const [issue] = check({ destination: { kind } });
      assert.deepEqual(issue?.path, ["destination", "kind"]);
      assert.equal(issue?.value, kind);
      assert.match(
        issue?.message ?? "",
        /^must be one of stdout, file, http, opensearch, elasticsearch, loki, since only/,
      );
    }
  });

  it("passes on what the collector cannot do", () => {
    const [issue] = check({ destination: { kind: "opensearch", host: "h" }, index: { timeZone: "Asia/Tokyo" } });
    assert.deepEqual(issue?.path, ["index", "timeZone"]);
  });
});

describe("An Amazon OpenSearch endpoint", () => {
  const domain = "search-logs-abc.eu-central-1.es.amazonaws.com";
  const credentials = { secretName: "writer" };
  const issues = (destination: object) => check({ destination }, "eks").map(formatIssue);

  it("is refused without credentials and on another port, since no collector signs requests", () => {
    for (const kind of ["opensearch", "elasticsearch"]) {
      const found = issues({ kind, host: domain });
      assert.equal(found.length, 2, found.join("\n"));
      assert.match(
        found[0] ?? "",
        /^destination\.port: must be 443 for a domain of Amazon OpenSearch Service \(found 9200\)$/,
      );
      assert.match(found[1] ?? "", /^destination\.credentials: must be set for a domain .* signs them with SigV4$/);
    }
  });

  const DOMAINS = [domain, domain.toUpperCase(), `${domain}.cn`, "search-logs-abc.aos.eu-central-1.on.aws"];
  for (const host of DOMAINS) {
    it(`needs a user of the domain: ${host}`, () => {
      assert.match(issues({ kind: "opensearch", host, port: 443 }).join(), /^destination\.credentials: must be set/);
      assert.deepEqual(issues({ kind: "opensearch", host, port: 443, credentials }), []);
    });
  }

  it("in a VPC may allow unsigned requests, which is a warning", () => {
    const destination = { kind: "opensearch", host: "vpc-logs-abc.eu-central-1.es.amazonaws.com", port: 443 };
    assert.deepEqual(
      check({ destination }, "eks").map(({ path, severity }) => [path.join("."), severity]),
      [["destination.credentials", "warning"]],
    );
    assert.deepEqual(
      check({ destination: { ...destination, port: 80, tls: false } }).map(({ severity }) => severity),
      ["warning"],
    );
  });

  const SIGNED = [
    { kind: "opensearch", host: "abc.eu-central-1.aoss.amazonaws.com", port: 443, credentials },
    { kind: "elasticsearch", host: "abc.eu-central-1.aoss.amazonaws.com", port: 443 },
    { kind: "http", url: "https://logs-abc.eu-central-1.osis.amazonaws.com/logs" },
  ];
  for (const destination of SIGNED) {
    it(`that accepts only signed requests is refused: ${JSON.stringify(destination)}`, () => {
      const [found, ...more] = issues(destination);
      assert.deepEqual(more, []);
      assert.match(
        found ?? "",
        /must not be an endpoint of Amazon OpenSearch (Serverless|Ingestion), which accepts only/,
      );
    });
  }

  it("is none in other names", () => {
    for (const host of ["es.example.com", "search.amazonaws.com.example.com", "myes.amazonaws.example"])
      assert.deepEqual(issues({ kind: "opensearch", host }), []);
  });
});

describe("A volume of the OpenSearch that inCluster brings", () => {
  const destination = { kind: "opensearch", inCluster: true, storage: "10Gi" };

  it("needs a named StorageClass on EKS, where a new cluster has none", () => {
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

  it("is to be set where the cluster's name makes none", () => {
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

describe("names that Elasticsearch keeps for itself", () => {
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

  it("are names like others in OpenSearch", () => {
    assert.deepEqual(check({ destination: { kind: "opensearch", host: "h" }, index: { splitBy: "team" } }), []);
  });
});

describe("destination settings", () => {
  const credentials = { secretName: "writer" };
  const wrong: readonly [string, object, RegExp][] = [
    [
      "an unknown kind",
      { kind: "kafka" },
      /^kind: must be one of stdout, file, http, opensearch, elasticsearch, cloudwatch, s3, loki$/,
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
      /^password: unknown key, must be one of kind, host, port, tls, credentials$/,
    ],
    [
      "a file among the pods' own",
      { kind: "file", path: "/var/log/pods/x" },
      /^path: must be a folder below \/var\/log, other than pods and containers$/,
    ],
    [
      "a file elsewhere on the node",
      { kind: "file", path: "/etc/cron.d" },
      /^path: must be a folder below \/var\/log, other than pods and containers$/,
    ],
    [
      "a file by a way round",
      { kind: "file", path: "/var/log/../../etc" },
      /^path: must be a folder below \/var\/log, other than pods and containers$/,
    ],
    [
      "the pods' own by a dot",
      { kind: "file", path: "/var/log/./pods" },
      /^path: must be a folder below \/var\/log, other than pods and containers$/,
    ],
    [
      "/var/log itself by a dot",
      { kind: "file", path: "/var/log/." },
      /^path: must be a folder below \/var\/log, other than pods and containers$/,
    ],
    [
      "a retention that CloudWatch does not take",
      { kind: "cloudwatch", retentionDays: 42 },
      /^retentionDays: must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545,/,
    ],
    [
      "a URL of another scheme",
      { kind: "loki", url: "ftp://h" },
      /^url: must be an http or https URL, such as https:\/\/logs\.example\.com\/ingest$/,
    ],
    [
      "a scheme in capitals, which asks for no TLS",
      { kind: "http", url: "HTTPS://h/x" },
      /^url: must be an http or https URL, such as https:\/\/logs\.example\.com\/ingest$/,
    ],
    [
      "a URL with blanks",
      { kind: "http", url: "https://h/a b" },
      /^url: must be an http or https URL, such as https:\/\/logs\.example\.com\/ingest$/,
    ],
    ["an IPv6 address, in words", { kind: "elasticsearch", host: "fd00::1" }, /^host: .* an IPv4 address/],
    [
      "a host with nothing between dots",
      { kind: "opensearch", host: "a..b" },
      /^host: must be a host name or an IPv4 address, without scheme or port$/,
    ],
    [
      "a tenant of two lines",
      { kind: "loki", url: "http://h", tenant: "a\nb" },
      /^tenant: must be a quoted string without spaces, such as 'team-a'$/,
    ],
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
});

describe("describeDestination", () => {
  const of = (destination: object) =>
    describeDestination(
      logPipeline(LoggingSettings.parse({ destination }), {
        cluster: "dev",
        region: "eu-central-1",
        bucket: "dev-logs",
      }),
    );

  it("says where the lines go", () => {
    assert.equal(of({ kind: "stdout" }), "stdout of the collector, in namespace logging");
    assert.equal(of({ kind: "file" }), "files below /var/log/collected on each node");
    assert.equal(
      of({ kind: "opensearch", inCluster: true }),
      "opensearch at http://opensearch.logging.svc.cluster.local:9200",
    );
    assert.equal(of({ kind: "elasticsearch", host: "h", port: 443 }), "elasticsearch at https://h:443");
    assert.equal(of({ kind: "cloudwatch" }), "log group /eks-dns-logging/dev/pods of CloudWatch Logs");
    assert.equal(of({ kind: "s3", prefix: "p" }), "bucket dev-logs, below p/");
    assert.equal(of({ kind: "loki", url: "http://l:3100" }), "loki at http://l:3100");
  });

  it("knows indices in search engines alone", () => {
    assert.equal(hasIndex(Destination.parse({ kind: "opensearch", host: "h" })), true);
    assert.equal(hasIndex(Destination.parse({ kind: "loki", url: "http://l" })), false);
  });
});

describe("todaysIndices", () => {
  const at = new Date("2026-11-23T12:00:00Z");
  const index = (splitBy: string) => LoggingSettings.parse({ index: { splitBy } }).index;

  it("is one name, or one for each team", () => {
    const teams = [{ name: "ts" }, { name: "sa" }];
    assert.deepEqual(todaysIndices(index("none"), teams, at), ["logs-2026.11.23"]);
    assert.deepEqual(todaysIndices(index("team"), teams, at), ["logs-sa-2026.11.23", "logs-ts-2026.11.23"]);
    assert.deepEqual(todaysIndices(index("namespace"), teams, at), [
      "logs-sa-team-2026.11.23",
      "logs-ts-team-2026.11.23",
    ]);
    assert.deepEqual(todaysIndices(index("app"), teams, at), ["logs-curl-2026.11.23"]);
  });
});
