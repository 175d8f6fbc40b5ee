import type { Sink } from "./collector-sinks.ts";

/** How a sink sends unencrypted. */
export interface PlainSending {
  /** The setting and its value. */
  readonly part: string;
  readonly host: string;
}

/** Settings with the destination's address. */
const ADDRESS =
  /(^|[._])(endpoints?|urls?|uri|hosts?|address(es)?|addrs?|brokers?|bootstrap_servers|servers?|seed_broker)$/;
/** Settings below which an address is something else, such as a proxy's or a label. */
const OTHERS = /(^|[._])(proxy|headers?|labels|resource|buffer|encoding|queue)/;
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

/** How a sink sends unencrypted, per address; empty if it uses TLS, or the address is a variable. */
export function plainSendings(sink: Sink): PlainSending[] {
  return addressesOf(sink).flatMap(({ path, value }) => {
    const [, scheme, host = "", port = ""] =
      /^(?:([a-z][\w+.-]*):\/\/)?(?:[^@/]*@)?(\[[^\]]+\]|[^:/?]+)(:\d+)?/i.exec(value.replace(RESOLVER, "")) ?? [];
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
  const found = settings.find(([path, value]) => UNVERIFIED.some(([one, off]) => one.test(path) && off.test(value)));
  return found === undefined ? undefined : `${found[0]} of ${name} is ${found[1]}`;
}

/** A sink's host, for messages. */
export function hostsOf(sink: Sink): string {
  return (
    addressesOf(sink)[0]
      ?.value.replace(/^.*:\/\/(?:[^@/]*@)?/, "")
      .replace(/[:/].*$/, "") ?? "its server"
  );
}

function addressesOf({ settings }: Sink): { readonly path: string; readonly value: string }[] {
  return settings
    .filter(([path]) => ADDRESS.test(path) && !OTHERS.test(path))
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
