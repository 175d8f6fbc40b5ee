import { isGoRegexp, seconds } from "../syntax/go-values.ts";
import type { Directive } from "../syntax/syntax.ts";
import { atMostOneArg, directive, noArgs, OptionReader, option, PluginProblem } from "./options.ts";

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
  if (text !== undefined && !/^(\[[^[\]]*\]|[^:[\]]*):[^:[\]]*$/.test(text)) {
    throw new PluginProblem(`${line.name}: takes an address with its port, such as :8080, and not ${text}`);
  }
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
  if (more.length > 0 || block !== undefined || args.some((word) => seconds(word) === undefined)) {
    throw new PluginProblem("reload: takes an interval and a jitter, such as 30s 15s");
  }
  const zeroJitter = jitter !== undefined && seconds(jitter) === 0;
  if (tooShort(interval, 2) || (tooShort(jitter, 1) && !zeroJitter)) {
    throw new PluginProblem("reload: takes an interval from 2s and a jitter from 1s");
  }
  return { plugin: "reload", interval, jitter };
}

function tooShort(text: string | undefined, min: number): boolean {
  const value = text === undefined ? undefined : seconds(text);
  return value !== undefined && value < min;
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
  /** Policy and its arguments; default `round_robin`. */
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
  /** 1 to 1024; CoreDNS's default is the number of cores it may use. */
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
  if (line.args.length > 1 || (line.args[0] ?? "stdout") !== "stdout") {
    throw new PluginProblem("errors: accepts only stdout on its line");
  }
  const consolidate = options.every("consolidate").map(([period = "", pattern, ...further]) => {
    if (seconds(period) === undefined || pattern === undefined || !isGoRegexp(pattern)) {
      return options.fail("consolidate", 'a duration and a pattern, such as 5m ".* i/o timeout$"');
    }
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

export const CLASSES = ["success", "denial", "error", "all"] as const;

/** @see https://coredns.io/plugins/log/ */
export interface LogPlugin {
  readonly plugin: "log";
  /** Names that are logged, and a format with placeholders. */
  readonly scope?: readonly string[] | undefined;
  readonly classes?: readonly (typeof CLASSES)[number][] | undefined;
  readonly more?: readonly Directive[] | undefined;
}

export function readLog(line: Directive): LogPlugin {
  const options = new OptionReader(line);
  const classes = options.every("class").flatMap((words) =>
    words.map((word) => {
      return CLASSES.find((value) => value === word) ?? options.fail("class", CLASSES.join(", "));
    }),
  );
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
