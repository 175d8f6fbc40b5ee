import { seconds } from "../syntax/go-values.ts";
import type { Directive } from "../syntax/syntax.ts";
import { directive, OptionReader, option, PluginProblem } from "./options.ts";

export const POLICIES = ["random", "round_robin", "sequential"] as const;

/** @see https://coredns.io/plugins/forward/ */
export interface ForwardPlugin {
  readonly plugin: "forward";
  /** Domain whose names are forwarded; `.` for all. */
  readonly from: string;
  /** Addresses, `tls://` addresses or resolv.conf files; at most 15. */
  readonly upstreams: readonly string[];
  readonly except?: readonly string[] | undefined;
  readonly forceTcp?: boolean | undefined;
  readonly preferUdp?: boolean | undefined;
  /** How long an idle connection is kept; CoreDNS's default is 10s. */
  readonly expire?: string | undefined;
  /** Failed health checks until an upstream counts as down; CoreDNS's default is 2. */
  readonly maxFails?: number | undefined;
  /** Certificate, key and CA, as files in the pod. */
  readonly tls?: readonly string[] | undefined;
  readonly tlsServerName?: string | undefined;
  readonly policy?: (typeof POLICIES)[number] | undefined;
  readonly healthCheck?: HealthCheck | undefined;
  /** Maximum concurrent queries; more are refused. */
  readonly maxConcurrent?: number | undefined;
  readonly more?: readonly Directive[] | undefined;
}

export interface HealthCheck {
  readonly interval: string;
  /** Whether to query without recursion. */
  readonly noRecursion?: boolean | undefined;
  readonly domain?: string | undefined;
}

export function readForward(line: Directive): ForwardPlugin {
  const [from, ...upstreams] = line.args;
  if (from === undefined || upstreams.length === 0) {
    throw new PluginProblem("forward: takes a domain and at least one upstream, such as forward . /etc/resolv.conf");
  }
  const options = new OptionReader(line);
  return {
    plugin: "forward",
    from,
    upstreams,
    except: options.words("except"),
    forceTcp: options.flag("force_tcp"),
    preferUdp: options.flag("prefer_udp"),
    expire: options.duration("expire"),
    maxFails: options.integer("max_fails"),
    tls: tls(options),
    tlsServerName: options.word("tls_servername"),
    policy: options.oneOf("policy", POLICIES),
    healthCheck: healthCheck(options),
    maxConcurrent: options.integer("max_concurrent"),
    more: options.rest(),
  };
}

function tls(options: OptionReader): readonly string[] | undefined {
  const files = options.words("tls", 0);
  if (files !== undefined && files.length > 3) options.fail("tls", "at most a certificate, a key and a CA");
  return files;
}

function healthCheck(options: OptionReader): HealthCheck | undefined {
  const words = options.words("health_check");
  if (words === undefined) return undefined;
  const [interval = "", ...others] = words;
  if (seconds(interval) === undefined) options.fail("health_check", "a duration first, such as 500ms");
  let noRecursion: true | undefined;
  let domain: string | undefined;
  for (let index = 0; index < others.length; index += 1) {
    const word = others[index];
    if (word === "no_rec") {
      noRecursion = true;
    } else if (word === "domain" && others[index + 1] !== undefined) {
      index += 1;
      domain = others[index];
    } else {
      options.fail("health_check", "a duration, then no_rec and domain NAME");
    }
  }
  return { interval, noRecursion, domain };
}

export function writeForward(forward: ForwardPlugin): Directive {
  const check = forward.healthCheck;
  return directive(
    "forward",
    [forward.from, ...forward.upstreams],
    option("except", forward.except),
    option("force_tcp", forward.forceTcp),
    option("prefer_udp", forward.preferUdp),
    option("expire", forward.expire),
    option("max_fails", forward.maxFails),
    option("tls", forward.tls),
    option("tls_servername", forward.tlsServerName),
    option("policy", forward.policy),
    option("health_check", check && [check.interval, ...(check.noRecursion ? ["no_rec"] : []), ...domainWords(check)]),
    option("max_concurrent", forward.maxConcurrent),
    forward.more,
  );
}

function domainWords({ domain }: HealthCheck): string[] {
  return domain === undefined ? [] : ["domain", domain];
}
