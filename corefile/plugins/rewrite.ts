import { groupsOf, isGoRegexp, usedGroups } from "../go-values.ts";
import type { Directive } from "../syntax.ts";
import { directive, PluginProblem } from "./options.ts";

/** What rules are for. */
const FIELDS: readonly string[] = ["name", "type", "class", "edns0", "ttl", "cname", "rcode"];
const MATCHES = ["exact", "prefix", "suffix", "substring", "regex"] as const;

/**
 * A rule for the name asked for. Rules for types, classes, TTLs and other fields stay as they are written.
 * @see https://coredns.io/plugins/rewrite/
 */
export interface RewritePlugin {
  readonly plugin: "rewrite";
  readonly match: (typeof MATCHES)[number];
  readonly from: string;
  readonly to: string;
  /** Words after the names, such as `answer auto`. */
  readonly answer?: readonly string[] | undefined;
  /** Whether later rules apply too. */
  readonly continue?: boolean | undefined;
}

/** Undefined where the rule is not for a name. */
export function readRewrite(line: Directive): RewritePlugin | undefined {
  // CoreDNS takes a rule's words from braces too, where the line has fewer than two.
  const inner = line.args.length < 2 ? (line.block ?? []).flatMap(({ name, args }) => [name, ...args]) : [];
  const [first = "", ...others] = [...line.args, ...inner];
  const mode = first.toLowerCase();
  const [field = "", ...words] = mode === "continue" || mode === "stop" ? others : [first, ...others];
  if (!FIELDS.includes(field.toLowerCase())) {
    throw new PluginProblem(`rewrite: takes a rule for ${FIELDS.join(", ")} first, and not ${field || "nothing"}`);
  }
  if (field.toLowerCase() !== "name") return undefined;
  const match = words.length === 2 ? "exact" : MATCHES.find((value) => value === words[0]?.toLowerCase());
  const [from, to, ...answer] = words.length === 2 ? words : words.slice(1);
  if (match === undefined || from === undefined || to === undefined) {
    throw new PluginProblem(`rewrite: a name rule takes ${MATCHES.join(", ")}, then two names`);
  }
  checkWords(match, from, to, answer);
  return {
    plugin: "rewrite",
    match,
    from,
    to,
    answer: answer.length > 0 ? answer : undefined,
    continue: mode === "continue" ? true : undefined,
  };
}

function checkWords(match: RewritePlugin["match"], from: string, to: string, answer: readonly string[]): void {
  if (match === "regex" && !isGoRegexp(from)) {
    throw new PluginProblem(`rewrite: ${from} is no regular expression in Go's syntax`);
  }
  if (match === "regex" && usedGroups(to) > groupsOf(from)) {
    throw new PluginProblem(`rewrite: ${to} uses more groups than ${from} has`);
  }
  if (answer.length > 0 && (answer[0] !== "answer" || answer.length === 1)) {
    throw new PluginProblem(
      `rewrite: takes answer auto, or answer name or value, after the names, and not ${answer.join(" ")}`,
    );
  }
}

export function writeRewrite({ match, from, to, answer, continue: goOn }: RewritePlugin): Directive {
  return directive("rewrite", [goOn ? "continue" : "stop", "name", match, from, to, ...(answer ?? [])]);
}
