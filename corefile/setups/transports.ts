import { hostAndPort, isAddress } from "../syntax/go-values.ts";
import { hasVariable } from "../syntax/syntax.ts";
import { type Setup, shown } from "./setup.ts";

const CLIENT_AUTH = ["nocert", "request", "require", "verify_if_given", "require_and_verify"];

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/tls/tls.go */
export function tls(setup: Setup): void {
  setup.lines(() => {
    const files = setup.words("its line", setup.since(1, 14, 7) ? 0 : 2, 3);
    if (files.length === 0) return acme(setup);
    if (files.length === 1) setup.refuse("its line takes no words, or 2 to 3 words (found 1)");
    setup.block({
      client_auth: (option) => setup.oneOf(option, setup.one(option), CLIENT_AUTH),
      keylog: (option) => {
        setup.one(option);
        setup.warn(
          "keylog writes the keys of every connection to a file, and CoreDNS does not start if it cannot write that file",
        );
      },
    });
    setup.tlsFiles("its line", files);
  });
}

const ACME_OPTIONS = ["acme", "email", "ca", "storage", "ca_root", "resolver"];

/**
 * Certificates that CoreDNS obtains itself.
 * @see https://github.com/coredns/coredns/blob/v1.15.0/plugin/tls/acme.go
 */
function acme(setup: Setup): void {
  const seen = new Set<string>();
  while (setup.nextBlock()) {
    const name = setup.value;
    if (!ACME_OPTIONS.includes(name))
      setup.refuse(`takes the options ${ACME_OPTIONS.join(", ")} (found ${shown(name)})`);
    if (seen.has(name)) setup.refuse(`${name} occurs twice`);
    seen.add(name);
    const words = setup.words(name, 1, name === "acme" ? undefined : 1);
    checkAcme(setup, name, words);
  }
  if (!seen.has("acme")) setup.refuse("takes a certificate and its key, or acme with a domain in braces");
  setup.warn("CoreDNS orders its certificate by ACME, which is not checked");
}

function checkAcme(setup: Setup, name: string, words: readonly string[]): void {
  const [text = ""] = words;
  if (name === "acme")
    for (const domain of words)
      if (!hasVariable(domain) && !isCertified(domain))
        setup.refuse(`acme takes domains, such as dns.example or *.dns.example (found ${shown(domain)})`);
  if (name === "ca_root") setup.needFile(text, "CA certificate");
  if (hasVariable(text)) return;
  if (name === "ca" && !/^https?:\/\/[^/?#]/.test(text))
    setup.refuse(`ca takes a URL such as https://acme.example/directory (found ${shown(text)})`);
  if (name === "resolver" && !isHostWithPort(text))
    setup.refuse(`resolver takes a host with its port, such as 10.0.0.2:53 (found ${shown(text)})`);
}

const CERTIFIED = /^([a-z\d]([a-z\d-]*[a-z\d])?\.)*[a-z\d]([a-z\d-]*[a-z\d])?$/i;

/** Whether ACME may order a certificate for a domain. Domains with other letters than ASCII are not checked. */
function isCertified(domain: string): boolean {
  const name = domain.replace(/\.$/, "").replace(/^\*\./, "");
  return !isAddress(name) && (/[^ -~]/.test(name) || CERTIFIED.test(name));
}

function isHostWithPort(text: string): boolean {
  const { host, port } = hostAndPort(text) ?? { host: "", port: "" };
  return host !== "" && /^\d+$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535;
}

/** Limits of the servers for other transports, each at most once. */
function limits(
  min: Readonly<Record<string, number>>,
  max: Readonly<Record<string, number>> = {},
): (setup: Setup) => void {
  return (setup) => {
    setup.next();
    setup.none("its line");
    const seen = new Set<string>();
    const read = (option: string, from: number) => () => {
      setup.int(option, setup.one(option), from, max[option]);
      if (seen.has(option)) setup.refuse(`${option} occurs twice`);
      seen.add(option);
    };
    setup.block(Object.fromEntries(Object.entries(min).map(([option, from]) => [option, read(option, from)])));
  };
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/quic/setup.go */
export const quic = limits({ max_streams: 1, max_connections: 0, worker_pool_size: 1 });
/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/grpc_server/setup.go */
export const grpcServer = limits({ max_streams: 0, max_connections: 0 });
/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/https/setup.go */
export const https = limits({ max_connections: 0, max_streams: 0 }, { max_streams: 2 ** 32 - 1 });
/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/https3/setup.go */
export const https3 = limits({ max_streams: 0, max_connections: 0 });

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/proxyproto/setup.go */
export function proxyproto(setup: Setup): void {
  setup.lines(() => {
    setup.none("its line");
    setup.block({
      allow: (option) => {
        for (const net of setup.remaining()) setup.cidr(option, net);
      },
      default: (option) => setup.oneOf(option, setup.one(option).toLowerCase(), ["use", "ignore", "reject", "skip"]),
      udp_session_tracking: (option) => {
        const [time = "", sessions] = setup.words(option, 1, 2);
        setup.time(option, time);
        if (sessions !== undefined) setup.int(option, sessions, 1);
      },
      tlv_metadata: (option) => setup.none(option),
    });
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.15.0/plugin/shed/setup.go */
export function shed(setup: Setup): void {
  setup.lines(() => {
    setup.none("its line");
    setup.block({});
  }, 1);
  const [key] = setup.context.keys.filter((blockKey) => /^(tls|quic|grpc|https3?):\/\//.test(blockKey));
  if (key !== undefined) setup.refuse(`is only for plain DNS (found ${shown(key)})`);
}
