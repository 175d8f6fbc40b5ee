import type { Version } from "../releases.ts";
import { groupsOf, hostAndPort, isAddress } from "../syntax/go-values.ts";
import { hasVariable } from "../syntax/syntax.ts";
import { needCredentials } from "./clusters.ts";
import { type Setup, shown, zonesOf } from "./setup.ts";

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/file/setup.go */
export function file(setup: Setup): void {
  setup.lines(() => {
    const path = setup.word("its line");
    setup.zones(setup.remaining());
    let reload = 60;
    setup.block({
      fallthrough: () => setup.zones(setup.remaining()),
      reload: (option) => {
        reload = setup.time(option, setup.first(option), 0);
      },
      reload_by_mtime: () => {},
      upstream: () => setup.remaining(),
    });
    if (reload === 0) setup.needFile(path, "zone file");
    else setup.wantFile(path, "zone file", "CoreDNS starts and answers SERVFAIL for its zone");
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/auto/setup.go */
export function auto(setup: Setup): void {
  setup.lines(() => {
    setup.zones(setup.remaining());
    setup.block({
      directory: (option) => {
        setup.wantFile(setup.word(option), "folder", "CoreDNS starts and has no zones");
        if (!setup.nextArgument()) return;
        const pattern = setup.value;
        setup.regexp(option, pattern, setup.since(1, 13, 0));
        setup.takes("directory", pattern, groupsOf(pattern) !== 0, "a regular expression with a group");
        setup.word("the template of directory");
        setup.noWord("directory DIR REGEXP TEMPLATE");
      },
      reload: (option) => setup.time(option, setup.first(option), 0),
      upstream: () => setup.remaining(),
    });
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/dnssec/setup.go */
export function dnssec(setup: Setup): void {
  setup.lines(() => {
    setup.zones(setup.remaining());
    setup.block({
      key: () => keys(setup),
      cache_capacity: (option) => setup.int(option, setup.word(option)),
    });
  }, 1);
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/sign/setup.go */
export function sign(setup: Setup): void {
  setup.lines(() => {
    const path = setup.word("its line");
    setup.wantFile(path, "zone file", "CoreDNS starts and signs nothing");
    setup.zones(setup.remaining());
    setup.block({ key: () => keys(setup), directory: (option) => setup.one(option) });
  });
}

function keys(setup: Setup): void {
  const kind = setup.word("key");
  if (kind === "directory" && setup.plugin === "sign") setup.refuse("key directory is not implemented in CoreDNS");
  const isSecret = kind === "aws_secretsmanager" && setup.plugin === "dnssec";
  if (kind !== "file" && !isSecret) return;
  for (const name of setup.words(`key ${kind}`, 1)) {
    if (isSecret) needCredentials(setup, { cloud: "AWS Secrets Manager", what: "key" });
    else setup.needFile(`${name.replace(/\.(key|private)$/, "")}.key`, "key");
  }
}

/** First release with zones of IPv6 addresses in transfers. https://github.com/coredns/coredns/pull/8204 */
const SCOPED_SINCE: Version = [1, 14, 5];

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/transfer/setup.go */
export function transfer(setup: Setup): void {
  setup.lines(() => {
    setup.zones(setup.remaining());
    let [targets, hasSource] = [0, false];
    setup.block({
      to: (option) => {
        for (const word of setup.words(option, 1))
          if (word !== "*") setup.ipAndPort(option, word, setup.since(...SCOPED_SINCE));
        targets += 1;
      },
      source: (option) => {
        const address = setup.one(option);
        if (hasSource) setup.refuse("source occurs twice");
        setup.ip(option, address);
        hasSource = true;
      },
    });
    if (targets === 0) setup.refuse("takes at least one line `to`");
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/secondary/setup.go */
export function secondary(setup: Setup): void {
  setup.lines(() => {
    if (setup.value !== "secondary") return;
    setup.zones(setup.remaining());
    let transfers = 0;
    setup.block({
      transfer: (option) => {
        setup.oneOf(option, setup.word(option), ["from"]);
        for (const word of setup.words("transfer from", 1)) {
          if (word === "*") setup.refuse("transfer from takes addresses (found *)");
          setup.ipAndPort("transfer from", word, setup.since(...SCOPED_SINCE));
        }
        transfers += 1;
      },
      catalog: (option) => {
        for (const word of setup.words(option, 0, setup.since(1, 14, 7) ? undefined : 0))
          setup.takes("catalog", word, zonesOf(word).length !== 0, "zones");
      },
      fallthrough: () => setup.zones(setup.remaining()),
    });
    if (transfers === 0) setup.refuse("takes at least one line `transfer from`");
  });
}

const LIMITS = ["max_records", "max_bytes", "max_update_records"];

/** @see https://github.com/coredns/coredns/blob/v1.15.0/plugin/dynupdate/setup.go */
export function dynupdate(setup: Setup): void {
  setup.lines(() => {
    const zones = setup.words("its line", 0, 1);
    const served = zones.length > 0 ? zones : [...new Set(setup.zones([]))];
    if (served.length !== 1) setup.refuse("takes a zone unless its block has exactly one");
    const [zone = ""] = served;
    if (!hasVariable(zone) && zonesOf(zone).length !== 1) setup.refuse(`${shown(zone)} is not a zone`);
    const seen = new Set<string>();
    let file: string | undefined;
    const once = (option: string, read: (word: string) => void) => () => {
      if (seen.has(option)) setup.refuse(`${option} occurs twice`);
      seen.add(option);
      read(setup.one(option));
    };
    setup.block({
      database: once("database", () => setup.warn("its database is not checked")),
      file: once("file", (path) => {
        file = path;
      }),
      ...Object.fromEntries(LIMITS.map((option) => [option, once(option, (word) => setup.int(option, word, 1))])),
      allow: (option) => {
        setup.words(option, 3);
        seen.add(option);
      },
    });
    if (file === undefined) setup.refuse("takes file with a zone file");
    if (!seen.has("allow")) setup.refuse("takes at least one line allow KEY NAME TYPES");
    setup.needFile(file, "zone file");
  }, 1);
}

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
      setup.takes("acme", domain, isCertified(domain), "domains, such as dns.example or *.dns.example");
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
