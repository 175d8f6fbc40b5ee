import { isGoRegexp, seconds } from "../syntax/go-values.ts";
import type { Directive } from "../syntax/syntax.ts";
import { atMostOneArg, directive, expect, integer, OptionReader, option } from "./options.ts";

/** @see https://coredns.io/plugins/health/ */
export interface HealthPlugin {
  readonly plugin: "health";
  /** Default `:8080`, which the add-on's probe uses. */
  readonly address?: string | undefined;
  /** How long it still answers after it was asked to stop. */
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

/** CoreDNS accepts a host only with a port. */
function address(line: Directive): string | undefined {
  const text = atMostOneArg(line);
  expect(text === undefined || /^(\[[^[\]]*\]|[^:[\]]*):[^:[\]]*$/.test(text));
  return text;
}

export function writeHealth({ address, lameduck, more }: HealthPlugin): Directive {
  return directive("health", [address], option("lameduck", lameduck), more);
}

/** A plugin with an optional address. @see https://coredns.io/plugins/ready/ and https://coredns.io/plugins/metrics/ */
export interface EndpointPlugin {
  readonly plugin: "ready" | "prometheus";
  /** Default `:8181` for ready, which the add-on's probe uses, and `localhost:9153` for prometheus, which other pods cannot reach. */
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
  /** At least 2s; CoreDNS's default is 30s. */
  readonly interval?: string | undefined;
  /** At least 1s; CoreDNS's default is 15s. */
  readonly jitter?: string | undefined;
}

export function readReload({ args, block }: Directive): ReloadPlugin {
  const [interval, jitter, ...more] = args;
  expect(more.length === 0 && block === undefined && args.every((word) => seconds(word) !== undefined));
  const [every = 30, spread = 15] = args.map(seconds);
  expect(every >= 2 && (spread >= 1 || spread === 0));
  return { plugin: "reload", interval, jitter };
}

export function writeReload({ interval, jitter }: ReloadPlugin): Directive {
  return directive("reload", jitter === undefined ? [interval] : [interval ?? "30s", jitter]);
}

/** @see https://coredns.io/plugins/loop/ */
export interface LoopPlugin {
  readonly plugin: "loop";
}

export function readLoop(line: Directive): LoopPlugin {
  expect(line.args.length === 0);
  return { plugin: "loop" };
}

/** @see https://coredns.io/plugins/loadbalance/ */
export interface LoadbalancePlugin {
  readonly plugin: "loadbalance";
  /** Policy and its arguments; default `round_robin`. */
  readonly policy?: readonly string[] | undefined;
  readonly more?: readonly Directive[] | undefined;
}

export function readLoadbalance(line: Directive): LoadbalancePlugin {
  const [policy, ...words] = line.args;
  const files = { round_robin: 0, weighted: 1 }[policy ?? "round_robin"];
  expect(files === words.length);
  return {
    plugin: "loadbalance",
    policy: line.args.length > 0 ? line.args : undefined,
    more: new OptionReader(line).rest(),
  };
}

/** @see https://coredns.io/plugins/multisocket/ */
export interface MultisocketPlugin {
  readonly plugin: "multisocket";
  /** 1 to 1024; CoreDNS's default is the number of cores it may use. */
  readonly sockets?: number | undefined;
}

export function readMultisocket(line: Directive): MultisocketPlugin {
  const word = atMostOneArg(line);
  const sockets = word === undefined ? undefined : integer(word, 1, 1024);
  return { plugin: "multisocket", sockets };
}

/** Addresses of the interface lo in a pod. */
const LOOPBACK = ["127.0.0.1", "::1"];

/** The addresses, and interfaces besides lo, on which a line of bind listens: those that `except` leaves. */
export function listenHosts(hosts: readonly string[], excluded: readonly string[]): readonly string[] {
  const addresses = (words: readonly string[]) => words.flatMap((host) => (host === "lo" ? LOOPBACK : [host]));
  return addresses(hosts).filter((host) => !addresses(excluded).includes(host));
}

/** @see https://coredns.io/plugins/bind/ */
export interface BindPlugin {
  readonly plugin: "bind";
  readonly addresses: readonly string[];
  readonly more?: readonly Directive[] | undefined;
}

export function readBind(line: Directive): BindPlugin {
  expect(line.args.length > 0);
  return { plugin: "bind", addresses: line.args, more: new OptionReader(line).rest() };
}

/** @see https://coredns.io/plugins/errors/ */
export interface ErrorsPlugin {
  readonly plugin: "errors";
  /** `stdout`, the only valid target. */
  readonly target?: string | undefined;
  /** Errors that are counted and logged once per interval. */
  readonly consolidate?: readonly Consolidate[] | undefined;
  readonly more?: readonly Directive[] | undefined;
}

export interface Consolidate {
  readonly period: string;
  /** Regular expression in Go's syntax. */
  readonly pattern: string;
  /** Level and `show_first`. */
  readonly further?: readonly string[] | undefined;
}

export function readErrors(line: Directive): ErrorsPlugin {
  const options = new OptionReader(line);
  expect(line.args.length <= 1 && (line.args[0] ?? "stdout") === "stdout");
  const consolidate = options.every("consolidate").map(([period = "", pattern, ...further]) => {
    expect(seconds(period) !== undefined && pattern !== undefined && isGoRegexp(pattern));
    return { period, pattern, further: further.length > 0 ? further : undefined };
  });
  return {
    plugin: "errors",
    target: line.args[0],
    consolidate: consolidate.length > 0 ? consolidate : undefined,
    more: options.rest(),
  };
}

export function writeErrors({ target, consolidate, more }: ErrorsPlugin): Directive {
  const lines = (consolidate ?? []).flatMap(({ period, pattern, further }) =>
    option("consolidate", [period, pattern, ...(further ?? [])]),
  );
  return directive("errors", [target], lines, more);
}

export const LOG_CLASSES = ["success", "denial", "error", "all"] as const;

/** @see https://coredns.io/plugins/log/ */
export interface LogPlugin {
  readonly plugin: "log";
  /** Names that are logged, and a format with placeholders. */
  readonly scope?: readonly string[] | undefined;
  readonly classes?: readonly (typeof LOG_CLASSES)[number][] | undefined;
  readonly more?: readonly Directive[] | undefined;
}

export function readLog(line: Directive): LogPlugin {
  const options = new OptionReader(line);
  const words = options.every("class").flat();
  const classes = words.flatMap((word) => LOG_CLASSES.find((value) => value === word) ?? []);
  expect(classes.length === words.length);
  return {
    plugin: "log",
    scope: line.args.length > 0 ? line.args : undefined,
    classes: classes.length > 0 ? classes : undefined,
    more: options.rest(),
  };
}

export function writeLog({ scope, classes, more }: LogPlugin): Directive {
  return directive("log", scope ?? [], option("class", classes), more);
}
