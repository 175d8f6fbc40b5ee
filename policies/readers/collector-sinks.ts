import type { Field } from "../core/resource.ts";
import type { PlainSending } from "./fluent-bit-config.ts";
import { isGroup, parseQuietly } from "./yaml-texts.ts";

/** A destination of a collector other than Fluent Bit, with its settings by path, such as `tls.insecure`. */
export interface Sink {
  /** Name in the file, such as `otlp/backup`. */
  readonly name: string;
  /** Plugin, in lower case, such as `otlp`. */
  readonly type: string;
  readonly settings: readonly Setting[];
}

type Setting = readonly [path: string, value: string];

/** Sinks in a configuration, either a text or an object. @throws {Undecided} */
export function sinksOf(configuration: Field): Sink[] {
  const text = configuration.text();
  return text === undefined ? sinksOfYaml(dataOf(configuration)) : sinksIn(text);
}

/** A field's value as plain data. @throws {Undecided} if a part is unknown. */
function dataOf(field: Field): unknown {
  const entries = field.entries();
  if (entries.length > 0) return Object.fromEntries(entries.map(([key, inner]) => [key, dataOf(inner)]));
  return Array.isArray(field.raw) ? field.items().map(dataOf) : field.raw;
}

/** Sinks in a configuration file of the OpenTelemetry Collector, Vector, Promtail, Filebeat, Alloy or Fluentd; else none. */
export function sinksIn(text: string): Sink[] {
  if (/^[^\S\n]*<(match|store)\b/m.test(text)) return sinksOfFluentd(text);
  if (/^[^\S\n]*(loki\.write|otelcol\.exporter\.\w+|prometheus\.remote_write)\s+"/m.test(text))
    return sinksOfAlloy(text);
  if (/^[^\S\n]*\[sinks\./m.test(text)) return sinksOfToml(text);
  return sinksOfYaml(parseQuietly(text));
}

function sinksOfYaml(document: unknown): Sink[] {
  if (!isGroup(document)) return [];
  const { exporters, receivers, sinks, clients, output, ...others } = document;
  // A name such as otlp/backup contains the type.
  if (isGroup(exporters) && isGroup(receivers))
    return Object.entries(exporters).map(([name, exporter]) => sinkOf(name, name.split("/")[0] ?? name, exporter));
  if (isGroup(sinks))
    return Object.entries(sinks).map(([name, sink]) => sinkOf(name, isGroup(sink) ? String(sink.type) : "", sink));
  if (Array.isArray(clients) && ("scrape_configs" in document || "positions" in document))
    return clients.map((client) => sinkOf("clients", "loki", client));
  const dotted = Object.entries(others).flatMap(([key, one]) => {
    const [, type] = /^output\.(\w+)$/.exec(key) ?? [];
    return type === undefined ? [] : [sinkOf(key, type, one)];
  });
  const grouped = Object.entries(isGroup(output) ? output : {}).map(([type, one]) =>
    sinkOf(`output.${type}`, type, one),
  );
  return [...grouped, ...dotted];
}

function sinkOf(name: string, type: string, value: unknown): Sink {
  return { name, type: type.toLowerCase(), settings: settingsIn(value, "") };
}

/** List items have the list's path. */
function settingsIn(value: unknown, path: string): Setting[] {
  if (Array.isArray(value)) return value.flatMap((item) => settingsIn(item, path));
  if (!isGroup(value)) return [[path.toLowerCase(), String(value ?? "")]];
  return Object.entries(value).flatMap(([key, inner]) => settingsIn(inner, path === "" ? key : `${path}.${key}`));
}

/** Syntax of a line-based format with nested blocks and settings. */
interface Format {
  /** The block's name, and the label that distinguishes such blocks. */
  readonly open: RegExp;
  readonly close: RegExp;
  readonly setting: RegExp;
  readonly isSink: (block: string) => boolean;
  readonly typeOf: (block: string, settings: readonly Setting[]) => string;
}

const FLUENTD: Format = {
  open: /^<(\w+)\s*([^>]*)>$/,
  close: /^<\/\w+>$/,
  setting: /^(@?[\w.]+)\s+(.+)$/,
  isSink: (block) => block === "match" || block === "store",
  typeOf: (_, settings) => settings.find(([path]) => path === "@type" || path === "type")?.[1] ?? "",
};
const ALLOY: Format = {
  // A map is a block too, since it has the same end.
  open: /^([\w.]*)(?![\w.])[^"{]*(?:("[^"]*")[^"{]*)?\{$/,
  close: /^\}/,
  setting: /^(\w+)\s*=\s*(.+)$/,
  isSink: (block) => /^(loki\.write|otelcol\.exporter\.|prometheus\.remote_write)/.test(block),
  typeOf: (block) => block.split(".").at(-1) ?? block,
};

function sinksOfFluentd(text: string): Sink[] {
  return sinksOfBlocks(text, FLUENTD);
}

function sinksOfAlloy(text: string): Sink[] {
  return sinksOfBlocks(text, ALLOY);
}

function sinksOfBlocks(text: string, { open, close, setting, isSink, typeOf }: Format): Sink[] {
  const found: {
    readonly block: string;
    readonly label: string;
    readonly depth: number;
    readonly settings: Setting[];
  }[] = [];
  const blocks: string[] = [];
  const openSinks: (typeof found)[number][] = [];
  for (const line of text.split("\n").map((raw) => raw.trim())) {
    const [, block, label = ""] = open.exec(line) ?? [];
    if (block !== undefined) {
      blocks.push(block);
      if (isSink(block)) {
        const sink = { block, label, depth: blocks.length, settings: [] };
        found.push(sink);
        openSinks.push(sink);
      }
    } else if (close.test(line)) {
      if (openSinks.at(-1)?.depth === blocks.length) openSinks.pop();
      blocks.pop();
    } else {
      const [, key, value] = setting.exec(line) ?? [];
      const sink = openSinks.at(-1);
      if (sink === undefined || key === undefined || value === undefined) continue;
      const path = [...blocks.slice(sink.depth), key].join(".").toLowerCase();
      sink.settings.push(...valuesOf(value).map((one): Setting => [path, one]));
    }
  }
  return found.map(({ block, label, settings }) => ({
    name: [block, label].filter((part) => part !== "").join(" "),
    type: typeOf(block, settings).toLowerCase(),
    settings,
  }));
}

function sinksOfToml(text: string): Sink[] {
  const sinks = new Map<string, Setting[]>();
  let [name, table]: [string | undefined, string] = [undefined, ""];
  for (const line of text.split("\n").map((raw) => raw.trim())) {
    const [header, section = ""] = /^\[+([^\]]+)\]+$/.exec(line) ?? [];
    if (header !== undefined) {
      const [, sink, below = ""] = /^sinks\.("[^"]+"|[^.]+)\.?(.*)$/.exec(section) ?? [];
      [name, table] = [sink, below === "" ? "" : `${below}.`];
      continue;
    }
    const [, key, value] = /^([\w.]+)\s*=\s*(.+)$/.exec(line) ?? [];
    if (name === undefined || key === undefined || value === undefined) continue;
    const settings = sinks.get(name) ?? [];
    sinks.set(name, settings);
    settings.push(...valuesOf(value).map((one): Setting => [`${table}${key}`.toLowerCase(), one]));
  }
  return [...sinks].map(([sink, settings]) => ({
    name: sink,
    type: settings.find(([path]) => path === "type")?.[1]?.toLowerCase() ?? "",
    settings,
  }));
}

/** The texts of a list, or a single value, unquoted. */
function valuesOf(value: string): string[] {
  const quoted = [...value.matchAll(/"([^"]*)"|'([^']*)'/g)].map(([, one, other]) => one ?? other ?? "");
  // A function's result is not text: env("URL").
  return quoted.length > 0 && /^[["']/.test(value) ? quoted : [value.replace(/\s+#.*$/, "")];
}

/** Settings with the destination's address. */
const ADDRESS =
  /(^|[._])(endpoints?|urls?|uri|hosts?|address(es)?|addrs?|brokers?|bootstrap_servers|servers?|seed_broker)$/;
/** Settings below which an address is not the destination's, such as a proxy's or a label. */
const NOT_DESTINATION = /(^|[._])(proxy|headers?|labels|resource|buffer|encoding|queue)/;
/** Plugins without TLS by default if the address has no scheme. */
const PLAIN_BY_DEFAULT: readonly string[] = [
  ...["elasticsearch", "elasticsearch_dynamic", "opensearch", "logstash", "redis", "forward", "gelf", "remote_syslog"],
  ...["kafka", "kafka2", "kafka_buffered", "rdkafka2", "pulsar", "nats", "mqtt"],
  ...["carbon", "socket", "statsd", "vector"],
];
/** Schemes that encrypt. */
const ENCRYPTED = /^(https|wss|tls|ssl|amqps|rediss|mqtts|pulsar\+ssl|unix)$/i;
const TRANSPORT = /(^|\.)(network|mode|protocol|transport|scheme|security\.protocol)$/;
const TLS = /(^|\.)(tls|ssl|tls_config|use_ssl|ssl_enabled|ssl_ca_certs?(_from_system)?)(\.|$)/;
/** Settings of the OpenTelemetry Collector and Alloy that only configure TLS, which is on if its block exists. */
const TLS_BLOCK = /(^|\.)tls\.(insecure|insecure_skip_verify|include_system_ca_certs_pool)$/;
/** gRPC name resolvers, which are unrelated to TLS. */
const RESOLVER = /^(dns|passthrough|xds|ipv4|ipv6):(\/\/[^/]*\/)?/i;
/** TLS in a ClickHouse URL. */
const SECURE = /[?&]secure=(true|1)(&|$)/i;
/** Settings and their values that turn verification off. */
const UNVERIFIED: readonly (readonly [path: RegExp, value: RegExp])[] = [
  [/(^|\.)(insecure_skip_verify|tls_insecure_mode|skip_verify|insecure_ssl)$/, /^true$/i],
  [/(^|\.)(ssl_verify|verify_certificate|verify_hostname|tls_verify_hostname|verify_peer)$/, /^false$/i],
  [/(^|\.)(ssl\.verification_mode|ssl_verify_mode)$/, /none/i],
];

/** Scheme, host and port of an address. */
const PARTS = /^(?:([a-z][\w+.-]*):\/\/)?(?:[^@/]*@)?(\[[^\]]+\]|[^:/?]+)(:\d+)?/i;

/** How a sink sends unencrypted, per address; empty if it uses TLS, or the address is a variable. */
export function plainSendings(sink: Sink): PlainSending[] {
  return addressesOf(sink).flatMap(({ path, value }) => {
    const [, scheme, host = "", port = ""] = PARTS.exec(value.replace(RESOLVER, "")) ?? [];
    if (/^unix:/i.test(value) || SECURE.test(value)) return [];
    // A variable is only known where the collector runs.
    if (host === "" || /[${#(]/.test(host)) return [];
    const isPlain =
      scheme === undefined ? isPlainWithoutScheme(sink) : !ENCRYPTED.test(scheme) && !mayEncrypt(sink, scheme);
    // The rest may contain a user and password, or a token.
    const address = `${scheme === undefined ? "" : `${scheme}://`}${host}${port}`;
    return isPlain ? [{ part: `${path} of ${sink.name} is ${address}`, host }] : [];
  });
}

/** The setting that turns a sink's verification off; undefined if none does. */
export function unverifiedBy(sink: Sink): string | undefined {
  const { name, settings } = sink;
  // Without TLS there is nothing to verify.
  if (isInsecure(sink)) return undefined;
  const setting = settings.find(([path, value]) => UNVERIFIED.some(([key, off]) => key.test(path) && off.test(value)));
  return setting === undefined ? undefined : `${setting[0]} of ${name} is ${setting[1]}`;
}

/** The first host of a sink, for messages. */
export function firstHostOf(sink: Sink): string {
  const [first] = addressesOf(sink);
  return PARTS.exec(first?.value ?? "")?.[2] ?? "its server";
}

function addressesOf({ settings }: Sink): { readonly path: string; readonly value: string }[] {
  return settings
    .filter(([path]) => ADDRESS.test(path) && !NOT_DESTINATION.test(path))
    .flatMap(([path, text]) => text.split(/[,\s]+/).map((value) => ({ path, value: value.trim() })))
    .filter(({ value }) => value !== "");
}

function isPlainWithoutScheme(sink: Sink): boolean {
  if (isInsecure(sink) || isSet(sink, TRANSPORT, /^udp$/i)) return true;
  return PLAIN_BY_DEFAULT.includes(sink.type) && !usesTls(sink);
}

/** HTTP is always plain; with another scheme, such as tcp, a setting may turn TLS on. */
function mayEncrypt(sink: Sink, scheme: string): boolean {
  return !/^(http|ws|udp)$/i.test(scheme) && usesTls(sink);
}

function usesTls(sink: Sink): boolean {
  if (isSet(sink, /(tls|ssl)[._]enabled$/, /^false$/i) || isInsecure(sink)) return false;
  if (isSet(sink, TLS_BLOCK, /./)) return true;
  return isSet(sink, TRANSPORT, /^(https|tls|.*ssl)$/i) || isSet(sink, TLS, /^(?!false$)/i);
}

function isInsecure(sink: Sink): boolean {
  return isSet(sink, /(^|\.)insecure$/, /^true$/i);
}

function isSet({ settings }: Sink, path: RegExp, value: RegExp): boolean {
  return settings.some(([one, text]) => path.test(one) && value.test(text));
}
