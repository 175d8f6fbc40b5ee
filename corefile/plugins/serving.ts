import { seconds } from "../go-values.ts";
import type { Directive } from "../syntax.ts";
import { atMostOneArg, directive, noArgs, OptionReader, option, PluginProblem } from "./options.ts";

/** @see https://coredns.io/plugins/health/ */
export interface HealthPlugin {
  readonly plugin: "health";
  /** Default `:8080`, which the add-on's probe asks. */
  readonly address?: string | undefined;
  /** How long it still answers after it was told to end. */
  readonly lameduck?: string | undefined;
  readonly more?: readonly Directive[] | undefined;
}

export function readHealth(line: Directive): HealthPlugin {
  const options = new OptionReader(line);
  return {
    plugin: "health",
    address: address(line),
    lameduck: options.duration("lameduck"),
    more: options.rest(),
  };
}

/** CoreDNS takes a host only together with a port. */
function address(line: Directive): string | undefined {
  const text = atMostOneArg(line);
  if (text !== undefined && !/^(\[[^[\]]*\]|[^:[\]]*):[^:[\]]*$/.test(text)) {
    throw new PluginProblem(`${line.name}: takes an address with its port, such as :8080, and not ${text}`);
  }
  return text;
}

export function writeHealth({ address, lameduck, more }: HealthPlugin): Directive {
  return directive("health", [address], option("lameduck", lameduck), more);
}

/** A plugin with at most an address. @see https://coredns.io/plugins/ready/ and https://coredns.io/plugins/metrics/ */
export interface EndpointPlugin {
  readonly plugin: "ready" | "prometheus";
  /** Default `:8181` of ready, which the add-on's probe asks, and `localhost:9153` of prometheus, which no other pod reaches. */
  readonly address?: string | undefined;
  readonly more?: readonly Directive[] | undefined;
}

export function readEndpoint(plugin: "ready" | "prometheus", line: Directive): EndpointPlugin {
  return { plugin, address: address(line), more: new OptionReader(line).rest() };
}

export function writeEndpoint({ plugin, address, more }: EndpointPlugin): Directive {
  return directive(plugin, [address], more);
}

/** @see https://coredns.io/plugins/reload/ */
export interface ReloadPlugin {
  readonly plugin: "reload";
  /** At least 2s; CoreDNS's own is 30s. */
  readonly interval?: string | undefined;
  /** At least 1s; CoreDNS's own is 15s. */
  readonly jitter?: string | undefined;
}

export function readReload({ args, block }: Directive): ReloadPlugin {
  const [interval, jitter, ...more] = args;
  if (more.length > 0 || block !== undefined || args.some((word) => seconds(word) === undefined)) {
    throw new PluginProblem("reload: takes an interval and a jitter, such as 30s 15s");
  }
  const zeroJitter = jitter !== undefined && seconds(jitter) === 0;
  if (tooShort(interval, 2) || (tooShort(jitter, 1) && !zeroJitter)) {
    throw new PluginProblem("reload: takes an interval from 2s and a jitter from 1s");
  }
  return { plugin: "reload", interval, jitter };
}

function tooShort(text: string | undefined, least: number): boolean {
  const value = text === undefined ? undefined : seconds(text);
  return value !== undefined && value < least;
}

export function writeReload({ interval, jitter }: ReloadPlugin): Directive {
  return directive("reload", jitter === undefined ? [interval] : [interval ?? "30s", jitter]);
}

/** @see https://coredns.io/plugins/loop/ */
export interface LoopPlugin {
  readonly plugin: "loop";
}

export function readLoop(line: Directive): LoopPlugin {
  noArgs(line);
  return { plugin: "loop" };
}

/** @see https://coredns.io/plugins/loadbalance/ */
export interface LoadbalancePlugin {
  readonly plugin: "loadbalance";
  /** Policy and its words; default `round_robin`. */
  readonly policy?: readonly string[] | undefined;
  readonly more?: readonly Directive[] | undefined;
}

export function readLoadbalance(line: Directive): LoadbalancePlugin {
  const [policy, ...words] = line.args;
  const files = { round_robin: 0, weighted: 1 }[policy ?? "round_robin"];
  if (files !== words.length) {
    throw new PluginProblem("loadbalance: takes round_robin or weighted FILE");
  }
  return {
    plugin: "loadbalance",
    policy: line.args.length > 0 ? line.args : undefined,
    more: new OptionReader(line).rest(),
  };
}

/** @see https://coredns.io/plugins/multisocket/ */
export interface MultisocketPlugin {
  readonly plugin: "multisocket";
  /** 1 to 1024; CoreDNS's own is the number of cores it may use. */
  readonly sockets?: number | undefined;
}

export function readMultisocket(line: Directive): MultisocketPlugin {
  const word = atMostOneArg(line);
  const sockets = word === undefined ? undefined : new OptionReader(line).number("its line", word, 1, 1024);
  return { plugin: "multisocket", sockets };
}

/** @see https://coredns.io/plugins/bind/ */
export interface BindPlugin {
  readonly plugin: "bind";
  readonly addresses: readonly string[];
  readonly more?: readonly Directive[] | undefined;
}

export function readBind(line: Directive): BindPlugin {
  if (line.args.length === 0) throw new PluginProblem("bind: takes at least one address");
  return { plugin: "bind", addresses: line.args, more: new OptionReader(line).rest() };
}
