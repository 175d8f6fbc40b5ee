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
import { SECRETS_FOLDER } from "../../components/logging/destinations/destination-secrets.ts";
import { type LogPipeline, logPipeline, NODE } from "../../components/logging/pipeline.ts";
import { REDACTION_KINDS } from "../../components/logging/processing/redaction.ts";
import { LoggingSettings } from "../../components/logging/settings.ts";
import { checkLogging } from "../../components/logging/validation.ts";
import { credentials, DESTINATIONS } from "../components/logging/collectors/pipelines.ts";
import { findProgram } from "../support/collectors/program.ts";
import { kubeconfig } from "./cluster-api.ts";

/** A program that can be asked to read its configuration and not to run. */
export interface Reader {
  readonly collector: Collector;
  readonly program: string;
  readonly check: (args: readonly string[]) => readonly string[];
  /** A word of its configuration that it must know. */
  readonly word: string;
  /** What it says of a program that it takes and finds fault with. Default: nothing. */
  readonly warning?: RegExp;
}

/** Fluentd has a test of its own, which looks at its warnings too; Logagent cannot be asked. */
export const READERS: readonly Reader[] = [
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
    warning: /^warning\[.*/m,
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
export const anyProcessing = fc.record(
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
export function ofOnePod({ redact = [], drop = [], fields }: Steps): object {
  return { redact, drop: drop.map(({ pattern }) => ({ pattern })), fields };
}

/** Settings without those that the collector refuses, which so have their defaults. */
export function fitting(settings: Readonly<Record<string, unknown>>): LoggingSettings {
  const errors = checkLogging(LoggingSettings.parse(settings), "eks").filter(({ severity }) => severity !== "warning");
  const refused = new Set(errors.map(({ path }) => path[0]));
  return LoggingSettings.parse(Object.fromEntries(Object.entries(settings).filter(([name]) => !refused.has(name))));
}

/** What a program says of a configuration that it does not take; nothing of one that it takes. */
export function complaint(
  { collector, program, check, warning }: Reader,
  settings: LoggingSettings,
  source: LogPipeline["source"] = NODE,
  change = (text: string) => text,
): string {
  const folder = mkdtempSync(join(tmpdir(), `${program}-check-`));
  try {
    const secrets = join(folder, "destination");
    mkdirSync(join(folder, "state"));
    for (const of of [".", ...Object.keys(settings.destinations ?? {})]) {
      mkdirSync(join(secrets, of, "credentials"), { recursive: true });
      writeFileSync(join(secrets, of, "ca.crt"), rootCertificates[0] ?? "");
      for (const name of ["username", "password", "token", "header_1"])
        writeFileSync(join(secrets, of, "credentials", name), name);
    }
    writeFileSync(join(folder, "kubeconfig"), kubeconfig("http://127.0.0.1:9"));
    const move = (text: string) =>
      text
        .replaceAll(collector.configFolder, folder)
        .replaceAll(collector.stateFolder, join(folder, "state"))
        .replaceAll(SECRETS_FOLDER, secrets);
    const context = { cluster: "dev", region: "eu-central-1" };
    const { files, args, environment, senders = [] } = collector.render(logPipeline(settings, context, source));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), change(move(text)));
    for (const given of [args, ...senders.map((sender) => sender.args)]) {
      const { status, stdout, stderr } = spawnSync(findProgram(program) ?? "", check(given.map(move)), {
        encoding: "utf8",
        timeout: 60_000,
        env: {
          ...process.env,
          ...environment,
          NODE_NAME: "node",
          ...secretVariables(Object.values(files).join("\n")),
          KUBECONFIG: join(folder, "kubeconfig"),
        },
      });
      if (status !== 0) return `ended with ${status}: ${stdout}${stderr}`;
      const [warned = ""] = warning?.exec(`${stdout}${stderr}`) ?? [];
      if (warned !== "") return warned;
    }
    return "";
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A value for each variable from a Secret that a configuration names. */
function secretVariables(text: string): Record<string, string> {
  return Object.fromEntries(
    Array.from(text.matchAll(/\bLOG_(?:USER|PASSWORD|TOKEN|HEADER)\w*/g), ([name]) => [name, "x"]),
  );
}

/** The destinations of the tests that a collector sends to, in the ways in which it can authenticate. */
export function destinationsFor(collector: Collector): readonly Readonly<Record<string, unknown>>[] {
  return [...DESTINATIONS, ...MORE_DESTINATIONS].filter(
    (destination) =>
      destinationsOf(collector).includes(String(destination.kind)) &&
      ["token", "sigv4", "headers"].every(
        (key) => destination[key] === undefined || canAuthenticate(collector, String(destination.kind), key),
      ),
  );
}

function canAuthenticate({ authenticates = {} }: Collector, kind: string, how: string): boolean {
  return Object.entries(authenticates).some(([of, ways]) => of === kind && ways.some((way) => way === how));
}
