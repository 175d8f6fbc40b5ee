import { type Field, Undecided } from "../core/resource.ts";
import { type Group, isGroup, parseQuietly } from "./yaml-texts.ts";

/** Parts of a configuration that rules read. */
const KINDS = ["service", "inputs", "filters", "outputs", "nodes"] as const;
export type SectionKind = (typeof KINDS)[number];

/** A part of a configuration as written. */
export interface WrittenSection {
  readonly kind: SectionKind;
  readonly options: readonly (readonly [option: string, value: string])[];
}

/** The parts that rules read of a Fluent Bit configuration file. */
export interface WrittenConfig {
  readonly sections: readonly WrittenSection[];
  /** Values for `${NAME}` that the file sets. */
  readonly variables: readonly (readonly [name: string, value: string])[];
}

/**
 * Parses a configuration file in either format; undefined if the text is not one.
 * @see https://docs.fluentbit.io/manual/administration/configuring-fluent-bit
 */
export function parseFluentBit(text: string): WrittenConfig | undefined {
  return /^[^\S\n]*\[(SERVICE|INPUT|FILTER|OUTPUT|UPSTREAM)\][^\S\n]*$/im.test(text)
    ? parseClassic(text)
    : parseYaml(text);
}

/** Sections of the classic format that rules read. */
const CLASSIC_KINDS: Readonly<Record<string, SectionKind>> = {
  SERVICE: "service",
  INPUT: "inputs",
  FILTER: "filters",
  OUTPUT: "outputs",
  NODE: "nodes",
};

function parseClassic(text: string): WrittenConfig {
  const sections: { readonly kind: SectionKind | undefined; readonly options: [string, string][] }[] = [];
  const variables: [string, string][] = [];
  for (const line of text.split("\n").map((raw) => raw.trim())) {
    const header = /^\[(\w+)\]$/.exec(line)?.[1];
    if (header !== undefined) sections.push({ kind: CLASSIC_KINDS[header.toUpperCase()], options: [] });
    const [, variable, set] = /^@SET\s+([^=\s]+)\s*=\s*(.*)$/i.exec(line) ?? [];
    if (variable !== undefined && set !== undefined) variables.push([variable, set]);
    const [, key, value] = /^([^\s#@[]\S*)\s+(.+)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) sections.at(-1)?.options.push([key, value]);
  }
  return {
    sections: sections.flatMap(({ kind, options }) => (kind === undefined ? [] : [{ kind, options }])),
    variables,
  };
}

function parseYaml(text: string): WrittenConfig | undefined {
  const document = parseQuietly(text);
  if (!isGroup(document) || !(isGroup(document.pipeline) || isGroup(document.service) || nodesIn(document).length > 0))
    return undefined;
  // The OpenTelemetry Collector has a service too.
  if (isGroup(document.receivers) || isGroup(document.exporters)) return undefined;
  const pipeline = isGroup(document.pipeline) ? document.pipeline : {};
  const sections = KINDS.flatMap((kind) => {
    const groups = groupsOf(kind, document, pipeline);
    return (Array.isArray(groups) ? groups : []).filter(isGroup).map((group) => ({ kind, options: optionsOf(group) }));
  });
  return { sections, variables: optionsOf(isGroup(document.env) ? document.env : {}) };
}

/** Where a YAML configuration has the sections of a kind. */
function groupsOf(kind: SectionKind, document: Group, pipeline: Group): unknown {
  if (kind === "service") return [document.service];
  return kind === "nodes" ? nodesIn(document) : pipeline[kind];
}

/** Nodes of upstream servers among which outputs distribute lines. */
function nodesIn({ upstream_servers: servers }: Group): unknown[] {
  const groups = (Array.isArray(servers) ? servers : []).filter(isGroup);
  return groups.flatMap(({ nodes }) => (Array.isArray(nodes) ? nodes : []));
}

function optionsOf(group: Group): [string, string][] {
  return Object.entries(group).map(([key, value]) => [
    key,
    typeof value === "object" ? JSON.stringify(value) : String(value),
  ]);
}

/** An input, filter, output, node or the service of a running configuration. */
export class Section {
  /** The plugin's name in lower case, such as `tail`; `service` for the service and `node` for a node. */
  readonly name: string;
  /** Its file. */
  readonly file: Field;
  private readonly options: ReadonlyMap<string, string>;
  private readonly variables: ReadonlyMap<string, string>;

  constructor(
    name: string,
    file: Field,
    options: Iterable<readonly [string, string]>,
    variables: ReadonlyMap<string, string>,
  ) {
    this.options = new Map([...options].map(([key, value]) => [key.toLowerCase(), value]));
    this.name = (name === "node" ? name : (this.options.get("name") ?? name)).toLowerCase();
    this.file = file;
    this.variables = variables;
  }

  /** An option's value as written; the name is case-insensitive. */
  written(option: string): string | undefined {
    return this.options.get(option.toLowerCase());
  }

  /**
   * An option's value, with its variables substituted.
   * @throws {Undecided} if a variable's value is unknown.
   */
  get(option: string): string | undefined {
    return this.written(option)?.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => {
      const value = this.variables.get(name);
      if (value !== undefined) return value;
      throw new Undecided(
        this.file,
        `has \${${name}} for ${option} of ${this.name}, whose value this stack does not set`,
      );
    });
  }

  /** @throws {Undecided} */
  isOn(option: string): boolean {
    return isOn(this.get(option) ?? "");
  }
}

/** Network outputs that only use TLS if `tls` is on. See FLB_IO_OPT_TLS in the plugins' sources. */
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
  // A node to which `forward` or `es` distributes lines.
  "node",
];
/** Outputs that cannot use TLS. */
const ALWAYS_PLAIN: readonly string[] = ["nats", "udp"];
/** Outputs whose option `mode` matters too. */
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
/** Options with the destination's URL. */
const URLS = ["endpoint", "base_uri", "uri", "url"] as const;
/** Default hosts of outputs. */
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

/** How an output of Fluent Bit, or a sink of another collector, sends unencrypted. */
export interface PlainSending {
  /** The option and its value. */
  readonly part: string;
  readonly host: string;
  /** Default: the rule's own. */
  readonly fix?: string;
}

/** How an output sends unencrypted, to any host; undefined if it uses TLS or no network. @throws {Undecided} */
export function plainSending(output: Section): PlainSending | undefined {
  const { name } = output;
  // The host only matters if it sends unencrypted.
  const plain = (part: string, fix?: string): PlainSending => ({
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
  // librdkafka and libpq have their own options; libpq's may contain a password.
  if (name === "kafka") {
    const protocol = output.get("rdkafka.security.protocol");
    const fix = "set rdkafka.security.protocol to SSL or SASL_SSL";
    return /ssl/i.test(protocol ?? "")
      ? undefined
      : plain(`rdkafka.security.protocol of kafka is ${protocol ?? "not set"}`, fix);
  }
  if (name === "pgsql")
    return /sslmode=(require|verify)/.test(output.get("connection_options") ?? "")
      ? undefined
      : plain("connection_options of pgsql require no TLS", "set connection_options to -c sslmode=verify-full");
  if (ALWAYS_PLAIN.includes(name)) return plain(`${name} has no TLS`, "send by an output that has TLS");
  if (BY_MODE.includes(name)) return plainByMode(output);
  const tls = output.get("tls");
  // A socket on the node, or nodes that are checked separately.
  if (name === "forward" && (output.written("unix_path") ?? output.written("upstream")) !== undefined) return undefined;
  if (name === "azure_blob" && /^https:/i.test(output.get("endpoint") ?? "")) return undefined;
  const isPlain = PLAIN_BY_DEFAULT.includes(name)
    ? !output.isOn("tls")
    : TLS_BY_DEFAULT.includes(name) && tls !== undefined && !isOn(tls);
  return isPlain ? plain(`tls of ${name} is ${tls ?? "not set"}`) : undefined;
}

/** An option's URL, with variables substituted if it may be plain HTTP. @throws {Undecided} */
function urlOf(output: Section, option: string): string {
  const written = output.written(option) ?? "";
  return /^(http:|\$\{)/i.test(written) ? (output.get(option) ?? "") : written;
}

/** @see https://docs.fluentbit.io/manual/data-pipeline/outputs/syslog */
function plainByMode(output: Section): PlainSending | undefined {
  const mode = (output.get("mode") ?? "udp").toLowerCase();
  const isTls = output.isOn("tls");
  const isEncrypted =
    output.name === "gelf" ? mode === "tls" && isTls : ["tls", "dtls"].includes(mode) || (mode === "tcp" && isTls);
  if (isEncrypted) return undefined;
  const host = hostOf(output);
  if (!isTls) return { part: `tls of ${output.name} is ${output.get("tls") ?? "not set"}`, host };
  return { part: `mode of ${output.name} is ${output.get("mode") ?? "not set (udp)"}`, host, fix: "set mode tls" };
}

/** Nodes of a file that an output refers to by `upstream`. */
export function nodesOf(outputs: readonly Section[], nodes: readonly Section[]): readonly Section[] {
  return outputs.some((output) => output.written("upstream") !== undefined) ? nodes : [];
}

/** An output's host, or the default. @throws {Undecided} */
export function hostOf(output: Section): string {
  if (output.name === "kafka") return (output.get("brokers") ?? "").split(",")[0]?.replace(/:\d+$/, "").trim() ?? "";
  if (output.written("cloud_id") !== undefined) return "Elastic Cloud";
  return output.get("host") ?? HOSTS[output.name] ?? "127.0.0.1";
}

function hostOfUrl(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : "its host";
}

/** A URL without path and query, which may contain a token. */
function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : "http://…";
}

/** Last labels of names outside a cluster: two letters, the usual domains, and those of private networks. */
const DOMAINS =
  /^([a-z]{2}|com|net|org|edu|gov|mil|int|info|biz|app|dev|cloud|tech|xyz|online|site|store|example|test|internal|local|localdomain|lan|corp|home|intranet|private)$/i;

/** @param namespaces The known ones: `loki.dev` is a Service if there is a namespace `dev`. */
export function isInside(host: string, namespaces: ReadonlySet<string>): boolean {
  if (["127.0.0.1", "::1", "[::1]"].includes(host) || /\.svc(\.cluster\.local)?\.?$/.test(host)) return true;
  const [name = "", namespace, ...rest] = host.split(".");
  if (!/^[a-z][a-z0-9-]*$/i.test(name) || rest.length > 0) return false;
  // A name without a dot is a Service in the pod's namespace; `loki.monitoring` is one in another.
  return namespace === undefined || namespaces.has(namespace) || !DOMAINS.test(namespace);
}

/** Whether a Fluent Bit value means true. */
export function isOn(value: string): boolean {
  return ["on", "true", "yes", "1"].includes(value.toLowerCase());
}
