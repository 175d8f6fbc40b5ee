import assert from "node:assert/strict";
import { parse } from "yaml";
import { fluentBit } from "../../../../components/logging/collectors/fluent-bit/index.ts";
import { logPipeline } from "../../../../components/logging/pipeline.ts";
import {
  destinationsOfLine,
  LEVEL_NAMES,
  levelPattern,
  meets,
  type RoutedLine,
  targetsOf,
} from "../../../../components/logging/routing/routes.ts";
import { LoggingSettings } from "../../../../components/logging/settings.ts";
import { checkLogging, checkPipeline } from "../../../../components/logging/validation.ts";
import { formatIssue } from "../../../../components/schema/errors.ts";

const TEAMS = [{ name: "ts" }, { name: "sa", namespaces: [{ name: "sa-one" }, { name: "sa-two" }] }];
const issues = (settings: object) =>
  checkLogging(LoggingSettings.parse(settings), "eks", undefined, TEAMS).map(formatIssue);

const S3 = { kind: "s3", bucket: "acme-logs" };
const SEARCH = { kind: "opensearch", host: "search.example.com" };

describe("buffer.whenFull", () => {
  it("is rejected once, with the collector's message", () => {
    const destination = { kind: "elasticsearch", host: "h.example.com", credentials: { secretName: "es" } };
    assert.deepEqual(issues({ collector: "filebeat", destination, buffer: { whenFull: "drop-newest" } }), [
      'buffer.whenFull: must be block with Filebeat, whose queue drops nothing (found "drop-newest")',
    ]);
  });
});

describe("routes", () => {
  it("are valid for up to four destinations, with and without rules", () => {
    assert.deepEqual(issues({ destinations: { archive: S3 } }), []);
    const destinations = { archive: S3, search: SEARCH, groups: { kind: "cloudwatch" }, more: { kind: "cloudwatch" } };
    const routes = [{ to: ["archive", "groups", "more"] }, { to: ["search"], teams: ["ts"], levels: ["error"] }];
    assert.deepEqual(issues({ destinations, routes }), []);
    const theirs = { ...S3, existing: true };
    assert.deepEqual(issues({ destinations: { archive: theirs, audit: { ...theirs, prefix: "audit" } } }), []);
    const byTeam = { ...S3, index: { splitBy: "team" }, wasDestination: true };
    assert.deepEqual(issues({ destinations: { archive: byTeam, search: SEARCH } }), []);
  });

  for (const [settings, ...expected] of [
    [{ destination: SEARCH, destinations: { search: SEARCH } }, "destination and destinations are mutually exclusive"],
    [{ routes: [{ to: ["archive"] }] }, "routes: must not be set without destinations, to which routes lead"],
    [
      { destinations: { archive: S3 }, routes: [{ to: ["archive", "archiv"] }] },
      'routes[0].to[1]: must be the name of a destination: archive (found "archiv")',
    ],
    [
      { destinations: { archive: S3 }, routes: [{ to: ["archive"], teams: ["qa"] }] },
      'routes[0].teams[0]: must be the name of a team, one of ts, sa (found "qa")',
    ],
    [
      { destinations: { archive: S3, search: SEARCH }, routes: [{ to: ["archive"] }] },
      "destinations.search: must be in the list to of a route, or no line goes there",
    ],
    [
      { destinations: { archive: S3 }, routes: [{ to: ["archive"], teams: ["ts"], namespaces: ["sa-one"] }] },
      "routes[0]: teams and namespaces have no namespace in common, so no line takes this route",
    ],
    [
      { destinations: { archive: S3 }, routes: [{ to: ["archive"], levels: ["error"] }], parseJson: false },
      "routes[0].levels: must not be set with parseJson false, which leaves no level",
    ],
    [
      { destinations: { archive: S3, copy: S3 } },
      'destinations.copy.bucket: must differ from that of destination archive, or lines are stored twice (found "acme-logs")',
    ],
    [
      { destinations: { archive: { ...S3, existing: true }, copy: { ...S3, existing: true } } },
      'destinations.copy.bucket: must differ from that of destination archive, or lines are stored twice (found "acme-logs with prefix logs")',
    ],
    [
      { destinations: { archive: S3, copy: { ...S3, prefix: "copy" } } },
      'destinations.copy.bucket: must differ from that of destination archive, or lines are stored twice (found "acme-logs")',
    ],
    [
      { destinations: { archive: S3, copy: { ...S3, existing: true } } },
      'destinations.copy.bucket: must differ from that of destination archive, or lines are stored twice (found "acme-logs with prefix logs")',
    ],
    [
      {
        destinations: {
          all: { kind: "cloudwatch", logGroup: "/logs", index: { splitBy: "team" } },
          some: { kind: "cloudwatch", logGroup: "/logs/ts" },
        },
      },
      'destinations.some.logGroup: must differ from that of destination all, or lines are stored twice (found "/logs/ts")',
    ],
    [
      { destinations: { a: { kind: "stdout" }, b: { kind: "stdout" } } },
      'destinations.b.kind: must differ from that of destination a, or lines are stored twice (found "stdout")',
    ],
    [
      { destinations: { search: SEARCH, other: { ...SEARCH, index: { prefix: "other" } }, third: SEARCH } },
      'destinations.third.host: must differ from that of destination search, or lines are stored twice (found "search.example.com:9200 with prefix logs")',
    ],
    [
      { destinations: { archive: S3, search: SEARCH }, buffer: { whenFull: "block" } },
      'buffer.whenFull: must not be block with several destinations, since the outage of one would stop all (found "block")',
    ],
    [
      {
        destinations: {
          archive: { ...S3, wasDestination: true },
          groups: { kind: "cloudwatch", wasDestination: true },
        },
      },
      "destinations.groups.wasDestination: must be false, since archive was the only destination (found true)",
    ],
    [
      { destinations: { archive: S3, search: SEARCH }, buffer: { whenFull: "drop-newest" } },
      'buffer.whenFull: must be drop-oldest or block with Fluent Bit, which never drops the newest lines (found "drop-newest")',
    ],
    [
      { collector: "vector", destinations: { archive: S3, search: SEARCH }, buffer: { whenFull: "block" } },
      'buffer.whenFull: must not be block with several destinations, since the outage of one would stop all (found "block")',
    ],
    [
      { destinations: { archive: S3, search: { ...SEARCH, buffer: { size: "8Mi" } } } },
      'destinations.search.buffer.size: must be at least 64Mi with Fluent Bit and whenFull drop-oldest, or lines are dropped while they are sent (found "8Mi")',
    ],
    [
      { destinations: { search: { ...SEARCH, index: { timeZone: "Asia/Tokyo" } } } },
      'destinations.search.index.timeZone: must be UTC with Fluent Bit, which dates indices in UTC (found "Asia/Tokyo")',
    ],
    [
      { destinations: { search: { ...SEARCH, host: "abc.eu-central-1.aoss.amazonaws.com", port: 443 } } },
      "destinations.search.sigv4: must be set for a collection of Amazon OpenSearch Serverless, which accepts only signed requests",
    ],
    [
      { destinations: { archive: { ...S3, index: { prefix: "x" } } } },
      "destinations.archive.index: has no effect with destination s3, which has no indices",
    ],
    [
      { destinations: { search: { ...SEARCH, wasDestination: true } } },
      "destinations.search.wasDestination: has no effect with destination opensearch, which has no log group or bucket of this stack",
    ],
    [
      { destinations: { archive: { ...S3, existing: true, wasDestination: true } } },
      "destinations.archive.wasDestination: has no effect with destination s3, which has no log group or bucket of this stack",
    ],
    [
      {
        collector: "filebeat",
        destinations: { search: { kind: "elasticsearch", host: "h" } },
        index: { prefix: "pods" },
      },
      'destinations: must not be set with Filebeat, which has one output: set destination (found ["search"])',
    ],
  ] as const) {
    it(`are refused: ${JSON.stringify(settings)}`, () => {
      const found = issues(settings);
      const [wanted = ""] = expected;
      assert.ok(
        found.some((issue) => issue === wanted || issue.endsWith(`: ${wanted}`)),
        found.join("\n"),
      );
    });
  }

  it("get a warning if no line that could match is collected", () => {
    const of = (collected: object, route: object) =>
      checkPipeline(
        LoggingSettings.parse({
          destinations: { a: { kind: "stdout" } },
          routes: [{ to: ["a"] }, { to: ["a"], ...route }],
          ...collected,
        }),
        TEAMS,
      ).map((issue) => `${issue.severity}: ${formatIssue(issue)}`);
    const exclude = { namespaces: { exclude: ["kube-system", "ts-team"] } };
    const include = { namespaces: { include: ["shop"] } };
    const told = (key: string, reason: string, value: string) => [
      `warning: routes[1].${key}: has no effect, since ${reason} (found "${value}")`,
    ];
    assert.deepEqual(
      of(exclude, { namespaces: ["shop", "kube-system"] }),
      told("namespaces[1]", "logging.namespaces.exclude leaves it out", "kube-system"),
    );
    assert.deepEqual(
      of(include, { namespaces: ["shop", "b"] }),
      told("namespaces[1]", "logging.namespaces.include leaves it out", "b"),
    );
    assert.deepEqual(
      of({}, { namespaces: ["logging"] }),
      told("namespaces[0]", "the collector's own namespace is never read", "logging"),
    );
    assert.deepEqual(
      of(exclude, { teams: ["sa", "ts"] }),
      told("teams[1]", "logging.namespaces leaves out ts-team", "ts"),
    );
    assert.deepEqual(of({ namespaces: { exclude: ["sa-one"] } }, { teams: ["sa"] }), []);
    assert.deepEqual(
      of({ labels: { app: "web" } }, { labels: { app: "api", tier: "web" } }),
      told("labels.app", "logging.labels collects only pods with app: web", "api"),
    );
    assert.deepEqual(of({ labels: { app: "web" }, ...include }, { labels: { app: "web" }, namespaces: ["shop"] }), []);
  });

  it("need names that are valid in resource names, and non-empty conditions", () => {
    const refused = [
      { destinations: {} },
      { destinations: { a: S3, b: S3, c: S3, d: S3, e: S3 } },
      { destinations: { Archive: S3 } },
      { destinations: { "a-1": S3 } },
      { destinations: { archive: S3 }, routes: [{ to: [] }] },
      { destinations: { archive: S3 }, routes: [{ to: ["archive"], teams: [] }] },
      { destinations: { archive: S3 }, routes: [{ to: ["archive"], levels: ["loud"] }] },
      { destinations: { archive: { ...S3, bufer: {} } } },
    ];
    for (const settings of refused)
      assert.equal(LoggingSettings.safeParse(settings).success, false, JSON.stringify(settings));
  });
});

describe("destinationsOfLine", () => {
  const settings = LoggingSettings.parse({
    destinations: { archive: S3, search: SEARCH, groups: { kind: "cloudwatch" } },
    routes: [
      { to: ["archive"] },
      { to: ["search"], teams: ["sa"], streams: ["stderr"] },
      { to: ["search", "groups"], labels: { tier: "web" }, levels: ["warn", "error"] },
    ],
  });
  const line = { namespace: "sa-one", labels: {}, stream: "stdout" };
  const goes = (changes: Partial<RoutedLine>) =>
    destinationsOfLine(targetsOf(settings, TEAMS), { ...line, ...changes }).join();

  it("evaluates each condition of a route, and all routes", () => {
    assert.equal(goes({}), "archive");
    assert.equal(goes({ stream: "stderr" }), "archive,search");
    assert.equal(goes({ stream: "stderr", namespace: "sa-team" }), "archive");
    assert.equal(goes({ labels: { tier: "web" }, fields: { level: "ERROR" } }), "archive,groups,search");
    assert.equal(goes({ labels: { tier: "web" }, fields: { severity: "Warning" } }), "archive,groups,search");
    assert.equal(goes({ labels: { tier: "web" }, fields: { level: "info", severity: "error" } }), "archive");
    assert.equal(goes({ labels: { tier: "web" }, fields: { level: 50 } }), "archive");
    assert.equal(goes({ labels: { tier: "db" }, fields: { level: "error" } }), "archive");
  });

  it("knows the levels of syslog, Java, .NET, Python and Go by their words", () => {
    const levelsOf = (level: string) =>
      LEVEL_NAMES.filter((name) => meets({ ...line, fields: { level } }, { levels: [name] })).join();
    const words = ["emerg", "alert", "crit", "err", "warning", "notice", "informational", "debug"];
    assert.deepEqual(words.map(levelsOf), ["fatal", "fatal", "fatal", "error", "warn", "info", "info", "debug"]);
    const others = ["SEVERE", "Information", "CRITICAL", "dpanic", "TRACE", "50", "fine"];
    assert.deepEqual(others.map(levelsOf), ["error", "info", "fatal", "fatal", "trace", "", ""]);
    // Engines that fold all of Unicode take this for SEVERE.
    assert.equal(levelsOf("\u017fevere"), "");
    assert.equal(levelPattern(["error"]), "(?i:error|err|(?-i:[sS])evere)");
  });
});

describe("Fluent Bit with several destinations", () => {
  const rendered = fluentBit.render(
    logPipeline(
      LoggingSettings.parse({
        destinations: {
          archive: { kind: "s3", buffer: { size: "1Gi" } },
          search: { ...SEARCH, index: { splitBy: "team" } },
        },
        routes: [{ to: ["archive"] }, { to: ["search"], teams: ["ts", "sa"] }],
      }),
      { cluster: "dev", region: "eu-central-1", teams: TEAMS },
    ),
  );
  const file = (name: string) => parse(rendered.files[name] ?? "");

  it("reads once, and passes each destination its lines by tag", () => {
    const { outputs } = file("fluent-bit.yaml").pipeline;
    assert.deepEqual(
      outputs.map((output: Record<string, unknown>) => [output.name, output.match ?? output.match_regex, output.port]),
      [
        ["forward", "kube.*", 24224],
        ["forward", "^kube\\.(sa-one|sa-two|ts-team)_", 24225],
      ],
    );
    assert.deepEqual(Object.keys(rendered.files), ["fluent-bit.yaml", "sender-archive.yaml", "sender-search.yaml"]);
  });

  it("waits until a line is on the sender's disk, and retries indefinitely", () => {
    for (const [at, name] of ["archive", "search"].entries()) {
      const { require_ack_response, retry_limit, ...output } = file("fluent-bit.yaml").pipeline.outputs[at];
      assert.deepEqual([require_ack_response, retry_limit], ["on", "no_limits"], name);
      const [input] = file(`sender-${name}.yaml`).pipeline.inputs;
      assert.deepEqual([input.name, input["storage.type"], input.listen], ["forward", "filesystem", output.host], name);
      assert.equal(input.port, output.port, name);
    }
  });

  it("gives each its own buffer, bucket and unique ports", () => {
    const [archive, search] = [file("sender-archive.yaml"), file("sender-search.yaml")];
    assert.equal(archive.service["storage.path"], "/var/lib/fluent-bit/buffer-archive");
    assert.equal(search.service["storage.path"], "/var/lib/fluent-bit/buffer-search");
    assert.equal(archive.pipeline.outputs[0].bucket, "dev-logs-eu-central-1-archive");
    assert.equal(archive.pipeline.outputs[0].store_dir, "/var/lib/fluent-bit/s3-archive");
    assert.equal(archive.pipeline.outputs[0]["storage.total_limit_size"], 2 ** 29);
    assert.equal(search.pipeline.outputs[0]["storage.total_limit_size"], 2 ** 32);
    const ports = [file("fluent-bit.yaml"), archive, search].flatMap(({ service, pipeline }) => [
      service.http_port,
      pipeline.inputs.at(-1).port,
    ]);
    assert.equal(new Set(ports).size, 6, ports.join());
    assert.deepEqual(
      rendered.senders?.map(({ name, ports: own }) => [name, own]),
      [
        ["archive", { metrics: 2022 }],
        ["search", { metrics: 2024 }],
      ],
    );
  });

  it("splits one destination's index without adding a field to the records of others", () => {
    assert.deepEqual(file("sender-archive.yaml").pipeline.filters, []);
    const names = file("sender-search.yaml").pipeline.filters.map(
      (filter: Record<string, unknown>) => filter.copy ?? filter.add,
    );
    assert.deepEqual(names.slice(-2), ["team index_split", "index_split none"]);
    assert.doesNotMatch(rendered.files["fluent-bit.yaml"] ?? "", /index_split/);
  });
});
