import assert from "node:assert/strict";
import { LoggingSettings } from "../../../../components/logging/settings.ts";
import { checkLogging } from "../../../../components/logging/validation.ts";
import { formatIssue } from "../../../../components/schema/errors.ts";

const CLUSTER = { name: "dev", region: "eu-central-1" };
const TEAMS = [{ name: "ts" }];
const issues = (settings: object) =>
  checkLogging(LoggingSettings.parse(settings), "eks", CLUSTER, TEAMS).map(formatIssue);
const several = (destinations: object) => issues({ destinations });

const GROUPS = { kind: "cloudwatch" };
const THEIRS = { kind: "s3", bucket: "acme-logs", existing: true };
const SEARCH = { kind: "opensearch", host: "search.example.com" };

describe("Overlapping destinations", () => {
  it("are rejected if one has the other's default name", () => {
    assert.deepEqual(several({ all: GROUPS, some: { ...GROUPS, logGroup: "/eks-dns-logging/dev/pods-all" } }), [
      'destinations.some.logGroup: must differ from that of destination all, or lines are stored twice (found "/eks-dns-logging/dev/pods-all")',
    ]);
    const former = { ...GROUPS, wasDestination: true, index: { splitBy: "team" } };
    assert.deepEqual(several({ all: former, some: { ...GROUPS, logGroup: "/eks-dns-logging/dev/pods/ts" } }), [
      'destinations.some.logGroup: must differ from that of destination all, or lines are stored twice (found "/eks-dns-logging/dev/pods/ts")',
    ]);
    const bucket = "dev-logs-eu-central-1-archive";
    for (const copy of [
      { ...THEIRS, bucket },
      { kind: "s3", bucket },
    ])
      assert.match(
        several({ archive: { kind: "s3" }, copy }).join("\n"),
        /^destinations\.copy\.bucket: must differ from that of destination archive, .* \(found "dev-logs-eu-central-1-archive.*"\)$/m,
      );
    assert.deepEqual(several({ all: GROUPS, more: GROUPS, most: { ...GROUPS, wasDestination: true } }), []);
  });

  it("are rejected if a team's prefix is that of another", () => {
    assert.deepEqual(
      several({ all: { ...THEIRS, index: { splitBy: "team" } }, some: { ...THEIRS, prefix: "/logs/ts/" } }),
      [
        'destinations.some.bucket: must differ from that of destination all, or lines are stored twice (found "acme-logs with prefix logs/ts")',
      ],
    );
  });

  it("are accepted for one URL with different headers, tokens or logins", () => {
    const url = "https://api.honeycomb.io";
    const secret = { secretName: "honeycomb" };
    const found = (one: object, other: object, kind = "otlp") =>
      several({ one: { kind, url, ...one }, other: { kind, url, ...other } }).filter((text) =>
        /must differ/.test(text),
      );
    const dataset = (name: string) => ({ headers: { "X-Honeycomb-Team": secret, "X-Honeycomb-Dataset": name } });
    for (const kind of ["otlp", "http", "loki"]) {
      assert.deepEqual(found(dataset("a"), dataset("b"), kind), []);
      assert.deepEqual(found({ token: secret }, { token: { secretName: "other" } }, kind), []);
      assert.deepEqual(found({ credentials: secret }, { credentials: { secretName: "other" } }, kind), []);
      const same = { headers: { "x-honeycomb-dataset": "a", "x-honeycomb-team": secret } };
      assert.match(found(dataset("a"), same, kind).join(), /^destinations\.other\.url: must differ .*destination one/);
    }
  });

  it("are rejected if two URLs are equivalent", () => {
    const at = (kind: string, ...urls: string[]) => {
      const [one, other] = urls.map((url) => ({
        kind,
        url,
        ...(kind === "splunk" && { token: { secretName: "hec" } }),
      }));
      return several({ one, other }).filter((issue) => issue.includes("must differ"));
    };
    assert.deepEqual(at("http", "https://l.example.com/x", "https://L.example.com:443/x#y"), [
      'destinations.other.url: must differ from that of destination one, or lines are stored twice (found "https://l.example.com/x")',
    ]);
    assert.equal(at("otlp", "https://l.example.com", "https://l.example.com:443/").length, 1);
    assert.equal(at("otlp", "https://l.example.com/otlp", "https://l.example.com/otlp/").length, 1);
    assert.deepEqual(at("otlp", "https://l.example.com/otlp", "https://l.example.com/other"), []);
    assert.equal(at("splunk", "https://l.example.com", "https://l.example.com:443/").length, 1);
    assert.deepEqual(at("http", "https://l.example.com/x", "https://l.example.com:8443/x"), []);
    assert.deepEqual(at("http", "https://l.example.com/x", "https://l.example.com/X"), []);
    assert.deepEqual(at("http", "https://l.example.com/x?to=a", "https://l.example.com/x?to=b"), []);
  });

  it("are rejected if one engine has two names and one prefix", () => {
    const same = several({ one: SEARCH, other: { ...SEARCH, kind: "elasticsearch" } });
    assert.deepEqual(
      same.filter((issue) => issue.includes("must differ")),
      [
        'destinations.other.host: must differ from that of destination one, or lines are stored twice (found "search.example.com:9200 with prefix logs")',
      ],
    );
    const host = "opensearch.logging.svc.cluster.local";
    assert.match(
      several({ one: { kind: "opensearch", inCluster: true }, other: { ...SEARCH, host, tls: false } }).join("\n"),
      /^destinations\.other\.host: must differ from that of destination one/m,
    );
    assert.deepEqual(
      several({ one: SEARCH, other: { ...SEARCH, kind: "elasticsearch", index: { prefix: "pods" } } }),
      [],
    );
  });

  it("get a warning if one lies within the other", () => {
    const within = (inner: string, outer: string, prefix: string) =>
      `destinations.${inner}.prefix: is within that of destination ${outer}: reading or deleting there includes these lines (found "${prefix}")`;
    assert.deepEqual(several({ all: THEIRS, audit: { ...THEIRS, prefix: "logs/audit" } }), [
      within("audit", "all", "logs/audit"),
    ]);
    assert.deepEqual(several({ audit: { ...THEIRS, prefix: "a" }, whole: { ...THEIRS, prefix: "/" } }), [
      within("audit", "whole", "a"),
    ]);
    assert.deepEqual(several({ all: THEIRS, audit: { ...THEIRS, prefix: "logs-audit" } }), []);
    const audit = { ...SEARCH, host: "Search.example.com", index: { prefix: "logs-audit" } };
    assert.deepEqual(several({ audit, search: SEARCH }), [
      'destinations.audit.index.prefix: starts like that of destination search: a search of logs-* also finds these lines (found "logs-audit")',
    ]);
    assert.deepEqual(several({ audit: { ...audit, index: { prefix: "audit" } }, search: SEARCH }), []);
    assert.deepEqual(several({ audit: { ...audit, port: 9201 }, search: SEARCH }), []);
  });
});

describe("A new log group", () => {
  it("must not be the control plane's", () => {
    const logGroup = "/aws/eks/dev/cluster";
    assert.deepEqual(issues({ destination: { ...GROUPS, logGroup } }), [
      `destination.logGroup: must be another log group, since EKS writes the control plane's logs to this one (found "${logGroup}")`,
    ]);
    assert.deepEqual(issues({ destination: { ...GROUPS, logGroup: "/aws/eks/prod/cluster" } }), []);
  });
});

describe("An existing log group or bucket", () => {
  const existing = (destination: object) => issues({ destination: { ...destination, existing: true } });

  it("gets a warning if it has the default name of this stack's own", () => {
    for (const logGroup of [
      "/eks-dns-logging/dev/pods",
      "/eks-dns-logging/dev/pods-archive",
      "/eks-dns-logging/dev/pods/ts",
    ])
      assert.deepEqual(existing({ ...GROUPS, logGroup }), [
        `destination.logGroup: is the default name of this stack's own log group: if the stack created it, the next update deletes it with its lines, unless \`pulumi state delete\` removed it from the stack before (found "${logGroup}")`,
      ]);
    assert.match(
      existing({ kind: "s3", bucket: "dev-logs-eu-central-1" }).join("\n"),
      /^destination\.bucket: is the default name of this stack's own bucket: /,
    );
    assert.deepEqual(existing({ ...GROUPS, logGroup: "/eks-dns-logging/dev2/pods" }), []);
    assert.deepEqual(existing({ ...GROUPS, logGroup: "/eks-dns-logging/dev/podsy" }), []);
  });
});
