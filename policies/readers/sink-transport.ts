import type { Sink } from "./collector-sinks.ts";

/** How a sink sends in the clear. */
export interface PlainSending {
  /** The setting and its value. */
  readonly part: string;
  readonly host: string;
}

/** Settings that hold the address of what is called. */
const ADDRESS =
  /(^|[._])(endpoints?|urls?|uri|hosts?|address(es)?|addrs?|brokers?|bootstrap_servers|servers?|seed_broker)$/;
/** Settings below which an address is another's, such as a proxy's or a label. */
const OTHERS = /(^|[._])(proxy|headers?|labels|resource|buffer|encoding|queue)/;
/** Plugins that use no TLS unless told to, where the address names no scheme. */
const PLAIN_BY_DEFAULT: readonly string[] = [
  ...["elasticsearch", "elasticsearch_dynamic", "opensearch", "logstash", "redis", "forward", "gelf", "remote_syslog"],
  ...["kafka", "kafka2", "kafka_buffered", "rdkafka2", "pulsar", "nats", "mqtt"],
  ...["carbon", "socket", "statsd", "vector"],
];
/** Schemes that encrypt. */
const ENCRYPTED = /^(https|wss|tls|ssl|amqps|rediss|mqtts|pulsar\+ssl|unix)$/i;
const TRANSPORT = /(^|\.)(network|mode|protocol|transport|scheme|security\.protocol)$/;
const TLS = /(^|\.)(tls|ssl|tls_config|use_ssl|ssl_enabled|ssl_ca_certs?(_from_system)?)(\.|$)/;
/** Settings of the OpenTelemetry Collector and Alloy that only say how to use TLS: it is on wherever its block is there. */
const TLS_BLOCK = /(^|\.)tls\.(insecure|insecure_skip_verify|include_system_ca_certs_pool)$/;
/** How gRPC resolves a name, which says nothing of TLS. */
const RESOLVER = /^(dns|passthrough|xds|ipv4|ipv6):(\/\/[^/]*\/)?/i;
/** What a URL of ClickHouse says of TLS. */
const SECURE = /[?&]secure=(true|1)(&|$)/i;
/** Settings that turn verification off, with that value. */
const UNVERIFIED: readonly (readonly [path: RegExp, value: RegExp])[] = [
  [/(^|\.)(insecure_skip_verify|tls_insecure_mode|skip_verify|insecure_ssl)$/, /^true$/i],
  [/(^|\.)(ssl_verify|verify_certificate|verify_hostname|tls_verify_hostname|verify_peer)$/, /^false$/i],
  [/(^|\.)(ssl\.verification_mode|ssl_verify_mode)$/, /none/i],
];

/** How a sink sends in the clear, for each address; none where it uses TLS, or the address is a variable. */
export function plainSendings(sink: Sink): PlainSending[] {
  return addressesOf(sink).flatMap(({ path, value }) => {
    const [, scheme, host = "", port = ""] =
      /^(?:([a-z][\w+.-]*):\/\/)?(?:[^@/]*@)?(\[[^\]]+\]|[^:/?]+)(:\d+)?/i.exec(value.replace(RESOLVER, "")) ?? [];
    if (/^unix:/i.test(value) || SECURE.test(value)) return [];
    // A variable is known where the collector runs.
    if (host === "" || /[${#(]/.test(host)) return [];
    const isPlain =
      scheme === undefined ? isPlainWithoutScheme(sink) : !ENCRYPTED.test(scheme) && !mayEncrypt(sink, scheme);
    // The rest may hold a name with its password, or a token.
    const address = `${scheme === undefined ? "" : `${scheme}://`}${host}${port}`;
    return isPlain ? [{ part: `${path} of ${sink.name} is ${address}`, host }] : [];
  });
}

/** The setting by which a sink does not verify whom it sends to; undefined where it does. */
export function unverifiedBy(sink: Sink): string | undefined {
  const { name, settings } = sink;
  // Without TLS there is nothing to verify.
  if (isInsecure(sink)) return undefined;
  const found = settings.find(([path, value]) => UNVERIFIED.some(([one, off]) => one.test(path) && off.test(value)));
  return found === undefined ? undefined : `${found[0]} of ${name} is ${found[1]}`;
}

/** Where a sink sends to, for a message. */
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

/** HTTP says itself that it is plain; beside another scheme, such as tcp, TLS may be told to be used. */
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
