import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import fc from "fast-check";
import { type Collector, destinationsOf } from "../../components/logging/collectors/collector.ts";
import { filebeat } from "../../components/logging/collectors/filebeat/index.ts";
import { fluentBit } from "../../components/logging/collectors/fluent-bit/index.ts";
import { opentelemetry } from "../../components/logging/collectors/opentelemetry/index.ts";
import { promtail } from "../../components/logging/collectors/promtail/index.ts";
import { vector } from "../../components/logging/collectors/vector/index.ts";
import { type LogPipeline, logPipeline, NODE, SECRETS_FOLDER } from "../../components/logging/pipeline.ts";
import { REDACTION_KINDS } from "../../components/logging/processing/redaction.ts";
import { LoggingSettings } from "../../components/logging/settings.ts";
import { checkLogging } from "../../components/logging/validation.ts";
import { anyLogging } from "../components/logging/arbitraries.ts";
import { credentials, DESTINATIONS, POD } from "../components/logging/collectors/pipelines.ts";
import { findProgram, whyMissing } from "../support/collectors/program.ts";
import { leaveOut } from "../support/leave-out.ts";
import { kubeconfig } from "./cluster-api.ts";
import { readsJournal } from "./vector/local.ts";

/** A program that can be asked to read its configuration and not to run. */
interface Reader {
  readonly collector: Collector;
  readonly program: string;
  readonly check: (args: readonly string[]) => readonly string[];
  /** A word of its configuration that it must know. */
  readonly word: string;
}

/** Fluentd has a test of its own, which looks at its warnings too; Logagent cannot be asked. */
const READERS: readonly Reader[] = [
  { collector: fluentBit, program: "fluent-bit", check: (args) => [...args, "--dry-run"], word: "refresh_interval" },
  {
    collector: filebeat,
    program: "filebeat",
    check: (args) => ["test", "config", ...args.filter((arg) => arg !== "-e")],
    word: "output.",
  },
  {
    collector: vector,
    program: "vector",
    check: (args) => ["validate", "--skip-healthchecks", ...args.filter((arg) => arg.endsWith(".yaml"))],
    word: "kubernetes_logs",
  },
  { collector: promtail, program: "promtail", check: (args) => [...args, "-check-syntax"], word: "pipeline_stages" },
  { collector: opentelemetry, program: "otelcol", check: (args) => ["validate", ...args], word: "start_at" },
];

/** What the unit tests' destinations have not: those that pass lines on, tokens, and addresses that are put together otherwise. */
const MORE_DESTINATIONS: readonly Readonly<Record<string, unknown>>[] = [
  { kind: "http", url: "http://[2001:db8::1]" },
  { kind: "elasticsearch", host: "search.example.com", token: { secretName: "log-writer", scheme: "ApiKey" } },
  { kind: "opensearch", host: "h", sigv4: { arn: "arn:aws:es:eu-central-1:111122223333:domain/logs" } },
  { kind: "opensearch", host: "h", sigv4: { arn: "arn:aws:aoss:eu-central-1:111122223333:collection/a1b2c3" } },
  { kind: "s3", prefix: "2026-01-01" },
  { kind: "loki", url: "https://loki.example.com", tenant: "1_000", token: { secretName: "log-writer" } },
  { kind: "otlp", url: "https://otel.example.com", token: { secretName: "log-writer" } },
  { kind: "otlp", url: "https://otel.example.com", protocol: "grpc", credentials, caSecretName: "otel-ca" },
  { kind: "otlp", url: "http://otel.monitoring.svc:4317", protocol: "grpc" },
  { kind: "http", url: "https://h/in", body: "array", headers: { "DD-API-KEY": { secretName: "datadog" }, a: "b" } },
  {
    kind: "loki",
    url: "https://h",
    tenant: "a",
    headers: { "x-api-key": { secretName: "a" }, "!#$%&'*+.^_`|~": "$x {y}" },
  },
  { kind: "otlp", url: "https://h", token: { secretName: "a" }, headers: { "x-honeycomb-team": { secretName: "b" } } },
  {
    kind: "otlp",
    url: "https://h",
    protocol: "grpc",
    credentials,
    headers: { "x-key": { secretName: "b" }, a: "1e3" },
  },
  { kind: "splunk", url: "https://splunk.example.com:8088", token: { secretName: "log-writer" }, verify: false },
  { kind: "firehose", stream: "logs" },
];

const pattern = fc.constantFrom(
  "error",
  "^\\d{4}-",
  "'\"`",
  "\\$\\{x\\}",
  "\\{\\{ x \\}\\}",
  "#\\{x\\}",
  "SECRET\\[a\\.b\\]",
  "\u2028|\ufeff",
  " ",
);
const replacement = fc.constantFrom("[REDACTED]", "{{x}} %Y", "a'b", "SECRET[x.y]", "#{1}", "\u2028\ufeff", "");
const place = { namespaces: fc.constant(["ts-team", "shop"]), streams: fc.constant(["stderr"]) };

/** Steps of `logging.processing`, with text that some program could take for its own. */
const anyProcessing = fc.record(
  {
    redact: fc.uniqueArray(fc.oneof(fc.constantFrom(...REDACTION_KINDS), fc.record({ pattern, replacement })), {
      maxLength: 4,
      selector: (rule) => JSON.stringify(rule),
    }),
    drop: fc.array(fc.record({ pattern, ...place, labels: fc.constant({ "a.b/c": "1e3" }) }), { maxLength: 2 }),
    sample: fc.array(fc.record({ ...place, levels: fc.constant(["debug"]), ratio: fc.constantFrom(0.001, 0.5) }), {
      maxLength: 1,
    }),
    limit: fc.array(fc.record({ linesPerSecond: fc.constantFrom(1, 1_000_000) }), { maxLength: 2 }),
    firstLines: fc.array(fc.record({ pattern, namespaces: place.namespaces }), { maxLength: 2 }),
    fields: fc.constant({ site: "eu-1", on: "1_000" }),
  },
  { requiredKeys: [] },
);

type Steps = typeof anyProcessing extends fc.Arbitrary<infer T> ? T : never;

/** What a sidecar takes of these steps: it tells no pods apart. */
function ofOnePod({ redact = [], drop = [], fields }: Steps): object {
  return { redact, drop: drop.map(({ pattern }) => ({ pattern })), fields };
}

/** Destinations that name what is theirs by the source, each in another way. */
const JOURNAL = {
  sources: ["pods", "kubelet", "auth"],
  processing: { redact: ["email"], fields: { site: "eu-1" } },
  index: { prefix: "app" },
  destinations: {
    archive: { kind: "s3", bucket: "acme-logs" },
    search: { kind: "elasticsearch", host: "search.example.com" },
    loki: { kind: "loki", url: "https://loki.example.com" },
  },
  routes: [{ to: ["archive"] }, { to: ["search"], sources: ["pods", "kubelet"] }, { to: ["loki"], sources: ["auth"] }],
};

/** Random settings for each destination and mode: a program needs up to a second to read them. */
const RUNS = 5;

/** Settings without those that the collector refuses, which so have their defaults. */
function fitting(settings: Readonly<Record<string, unknown>>): LoggingSettings {
  const errors = checkLogging(LoggingSettings.parse(settings), "eks").filter(({ severity }) => severity !== "warning");
  const refused = new Set(errors.map(({ path }) => path[0]));
  return LoggingSettings.parse(Object.fromEntries(Object.entries(settings).filter(([name]) => !refused.has(name))));
}

/** What a program says of a configuration that it does not take; nothing of one that it takes. */
function complaint(
  { collector, program, check }: Reader,
  settings: LoggingSettings,
  source: LogPipeline["source"] = NODE,
  change = (text: string) => text,
): string {
  const folder = mkdtempSync(join(tmpdir(), `${program}-check-`));
  try {
    const secrets = join(folder, "destination");
    mkdirSync(join(folder, "state"));
    mkdirSync(join(secrets, "credentials"), { recursive: true });
    writeFileSync(join(secrets, "ca.crt"), rootCertificates[0] ?? "");
    for (const name of ["username", "password", "token", "header_1"])
      writeFileSync(join(secrets, "credentials", name), name);
    writeFileSync(join(folder, "kubeconfig"), kubeconfig("http://127.0.0.1:9"));
    const move = (text: string) =>
      text
        .replaceAll(collector.configFolder, folder)
        .replaceAll(collector.stateFolder, join(folder, "state"))
        .replaceAll(SECRETS_FOLDER, secrets);
    const context = { cluster: "dev", region: "eu-central-1", bucket: "dev-logs" };
    const { files, args, environment } = collector.render(logPipeline(settings, context, source));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), change(move(text)));
    const { status, stdout, stderr } = spawnSync(findProgram(program) ?? "", check(args.map(move)), {
      encoding: "utf8",
      timeout: 60_000,
      env: {
        ...process.env,
        ...environment,
        NODE_NAME: "node",
        LOG_USER: "user",
        LOG_PASSWORD: "password",
        LOG_TOKEN: "token",
        LOG_HEADER_1: "header",
        KUBECONFIG: join(folder, "kubeconfig"),
      },
    });
    return status === 0 ? "" : `ended with ${status}: ${stdout}${stderr}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function canAuthenticate({ authenticates = {} }: Collector, kind: string, how: string): boolean {
  return Object.entries(authenticates).some(([of, ways]) => of === kind && ways.some((way) => way === how));
}

for (const reader of READERS) {
  const { collector, program, word } = reader;
  const destinations = [...DESTINATIONS, ...MORE_DESTINATIONS].filter(
    (destination) =>
      destinationsOf(collector).includes(String(destination.kind)) &&
      ["token", "sigv4", "headers"].every(
        (key) => destination[key] === undefined || canAuthenticate(collector, String(destination.kind), key),
      ),
  );
  describe(`${collector.title} takes what it is told`, () => {
    before(function () {
      if (findProgram(program) === undefined) leaveOut(this, whyMissing(program));
    });

    for (const mode of collector.modes) {
      for (const destination of destinations) {
        it(`with any settings: ${mode}, ${JSON.stringify(destination)}`, () => {
          const source = mode === "daemonset" ? NODE : ({ kind: "application", pod: POD } as const);
          const property = fc.property(anyLogging, anyProcessing, (logging, processing) => {
            const lines = mode === "sidecar" ? ofOnePod(processing) : processing;
            const settings = fitting({ ...logging, processing: lines, collector: collector.id, destination });
            // A setting without effect is told, and taken all the same.
            const errors = checkLogging(settings, "eks").filter(({ severity }) => severity !== "warning");
            assert.deepEqual(errors, []);
            assert.equal(complaint(reader, settings, source), "");
          });
          fc.assert(property, { numRuns: RUNS, endOnFailure: true });
        });
      }
    }

    if (collector.sources?.journal === true)
      it("with the node's journal and several destinations", function () {
        if (program === "vector" && !readsJournal(findProgram(program))) leaveOut(this, "this Vector has no journald");
        const settings = LoggingSettings.parse({ ...JOURNAL, collector: collector.id });
        const errors = checkLogging(settings, "eks").filter(({ severity }) => severity !== "warning");
        assert.deepEqual(errors, []);
        assert.equal(complaint(reader, settings), "");
      });

    it(`but not with a typo in ${word}`, () => {
      const settings = fitting({ collector: collector.id, destination: destinations[0] });
      const said = complaint(reader, settings, NODE, (text) => text.replaceAll(word, `x${word}`));
      assert.match(said, /^ended with [1-9]/);
    });
  });
}
