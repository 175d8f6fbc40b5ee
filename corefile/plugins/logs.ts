import { isGoRegexp, seconds } from "../go-values.ts";
import type { Directive } from "../syntax.ts";
import { directive, OptionReader, option, PluginProblem } from "./options.ts";

/** @see https://coredns.io/plugins/errors/ */
export interface ErrorsPlugin {
  readonly plugin: "errors";
  /** `stdout`, the only place there is. */
  readonly target?: string | undefined;
  /** Errors that are counted and written once a period. */
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
    throw new PluginProblem("errors: takes no word but stdout on its line");
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
