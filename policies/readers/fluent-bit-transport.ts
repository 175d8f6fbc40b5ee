import type { Section } from "./fluent-bit-parser.ts";

/** Outputs over the network that use TLS only where told so. See FLB_IO_OPT_TLS in the plugins' sources. */
const PLAIN_BY_DEFAULT: readonly string[] = [
  "es",
  "opensearch",
  "http",
  "loki",
  "forward",
  "splunk",
  "gelf",
  "influxdb",
  "kafka-rest",
  "opentelemetry",
  "oracle_log_analytics",
  "tcp",
  "datadog",
  "prometheus_remote_write",
  "skywalking",
  "websocket",
  "azure_blob",
  // A node that `forward` or `es` shares its lines among.
  "node",
];
/** Outputs that cannot use TLS. */
const ALWAYS_PLAIN: readonly string[] = ["nats", "udp"];
/** Outputs whose option `mode` decides too. */
const BY_MODE: readonly string[] = ["gelf", "syslog"];
/** Outputs that use TLS unless `tls` is off. See FLB_IO_TLS in their sources. */
const TLS_BY_DEFAULT: readonly string[] = [
  "cloudwatch_logs",
  "kinesis_firehose",
  "kinesis_streams",
  "s3",
  "gcs",
  "nrlogs",
];
/** Options that hold the address of what is called, as a URL. */
const URLS = ["endpoint", "base_uri", "uri", "url"] as const;
/** Hosts of outputs that name none. */
const HOSTS: Readonly<Record<string, string>> = {
  datadog: "datadoghq.com",
  azure_blob: "blob.core.windows.net",
  cloudwatch_logs: "logs.amazonaws.com",
  kinesis_firehose: "firehose.amazonaws.com",
  kinesis_streams: "kinesis.amazonaws.com",
  s3: "s3.amazonaws.com",
  gcs: "storage.googleapis.com",
  nrlogs: "log-api.newrelic.com",
};

/** How an output sends in the clear. */
export interface PlainWay {
  /** The option and its value. */
  readonly part: string;
  readonly host: string;
  /** Default: the rule's own. */
  readonly fix?: string;
}

/** How an output sends in the clear, to whomever; undefined where it uses TLS or no network. @throws {Undecided} */
export function plainWay(output: Section): PlainWay | undefined {
  const { name } = output;
  // Only where it sends in the clear does it matter to whom.
  const found = (part: string, fix?: string): PlainWay => ({
    part,
    host: hostOf(output),
    ...(fix === undefined ? {} : { fix }),
  });
  const url = URLS.map((option) => ({ option, value: urlOf(output, option) })).find(({ value }) =>
    /^http:\/\//i.test(value),
  );
  if (url !== undefined)
    return {
      part: `${url.option} of ${name} is ${originOf(url.value)}`,
      host: hostOfUrl(url.value),
      fix: `begin ${url.option} with https://`,
    };
  // librdkafka and libpq have options of their own; those of libpq may hold a password.
  if (name === "kafka") {
    const protocol = output.get("rdkafka.security.protocol");
    const fix = "set rdkafka.security.protocol to SSL or SASL_SSL";
    return /ssl/i.test(protocol ?? "")
      ? undefined
      : found(`rdkafka.security.protocol of kafka is ${protocol ?? "not set"}`, fix);
  }
  if (name === "pgsql")
    return /sslmode=(require|verify)/.test(output.get("connection_options") ?? "")
      ? undefined
      : found("connection_options of pgsql require no TLS", "set connection_options to -c sslmode=verify-full");
  if (ALWAYS_PLAIN.includes(name)) return found(`${name} has no TLS`, "send by an output that has TLS");
  if (BY_MODE.includes(name)) return modeWay(output);
  const tls = output.get("tls");
  // A socket of the node, or nodes that are judged by themselves.
  if (name === "forward" && (output.written("unix_path") ?? output.written("upstream")) !== undefined) return undefined;
  if (name === "azure_blob" && /^https:/i.test(output.get("endpoint") ?? "")) return undefined;
  const isPlain = PLAIN_BY_DEFAULT.includes(name)
    ? !output.isOn("tls")
    : TLS_BY_DEFAULT.includes(name) && tls !== undefined && !isOn(tls);
  return isPlain ? found(`tls of ${name} is ${tls ?? "not set"}`) : undefined;
}

/** An option's URL, with its variables filled in where it may be plain HTTP. @throws {Undecided} */
function urlOf(output: Section, option: string): string {
  const written = output.written(option) ?? "";
  return /^(http:|\$\{)/i.test(written) ? (output.get(option) ?? "") : written;
}

/** @see https://docs.fluentbit.io/manual/data-pipeline/outputs/syslog */
function modeWay(output: Section): PlainWay | undefined {
  const mode = (output.get("mode") ?? "udp").toLowerCase();
  const isTls = output.isOn("tls");
  const isEncrypted =
    output.name === "gelf" ? mode === "tls" && isTls : ["tls", "dtls"].includes(mode) || (mode === "tcp" && isTls);
  if (isEncrypted) return undefined;
  const host = hostOf(output);
  if (!isTls) return { part: `tls of ${output.name} is ${output.get("tls") ?? "not set"}`, host };
  return { part: `mode of ${output.name} is ${output.get("mode") ?? "not set (udp)"}`, host, fix: "set mode tls" };
}

/** Nodes of a file that an output names by `upstream`. */
export function nodesOf(outputs: readonly Section[], nodes: readonly Section[]): readonly Section[] {
  return outputs.some((output) => output.written("upstream") !== undefined) ? nodes : [];
}

/** Where an output sends to, as far as it says. @throws {Undecided} */
export function hostOf(output: Section): string {
  if (output.name === "kafka") return (output.get("brokers") ?? "").split(",")[0]?.replace(/:\d+$/, "").trim() ?? "";
  if (output.written("cloud_id") !== undefined) return "Elastic Cloud";
  return output.get("host") ?? HOSTS[output.name] ?? "127.0.0.1";
}

function hostOfUrl(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : "its host";
}

/** A URL without its path and query, which may hold a token. */
function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : "http://…";
}

/** Last parts of names outside a cluster: each of two letters, the usual domains, and those of private networks. */
const DOMAINS =
  /^([a-z]{2}|com|net|org|edu|gov|mil|int|info|biz|app|dev|cloud|tech|xyz|online|site|store|example|test|internal|local|localdomain|lan|corp|home|intranet|private)$/i;

/** @param namespaces those that are known: `loki.dev` is a Service in one of them, if there is one that is called so. */
export function isInside(host: string, namespaces: ReadonlySet<string>): boolean {
  if (["127.0.0.1", "::1", "[::1]"].includes(host) || /\.svc(\.cluster\.local)?\.?$/.test(host)) return true;
  const [name = "", namespace, ...rest] = host.split(".");
  if (!/^[a-z][a-z0-9-]*$/i.test(name) || rest.length > 0) return false;
  // A name without a dot is a Service of the pod's own namespace; with one, `loki.monitoring` is one of another.
  return namespace === undefined || namespaces.has(namespace) || !DOMAINS.test(namespace);
}

/** Whether a value of Fluent Bit means yes. */
export function isOn(value: string): boolean {
  return ["on", "true", "yes", "1"].includes(value.toLowerCase());
}
