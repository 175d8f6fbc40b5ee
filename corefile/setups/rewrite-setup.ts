import { MATCHES } from "../plugins/sources.ts";
import { CLASSES, dotted, groupsOf, integer, RCODES, TYPES, unsigned, usedGroups } from "../syntax/go-values.ts";
import { hasVariable } from "../syntax/syntax.ts";
import { type Setup, shown } from "./setup.ts";

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/rewrite/setup.go */
export function rewrite(setup: Setup): void {
  setup.lines(() => {
    const words = setup.remaining();
    // The words in braces form one rule, across lines: `name` and `answer` on two lines are one rule too.
    if (words.length < 2) while (setup.nextBlock()) words.push(setup.value);
    checkRule(setup, words);
  });
}

function checkRule(setup: Setup, words: readonly string[]): void {
  const [first = "", ...others] = words;
  const mode = first.toLowerCase();
  const stops = mode === "continue" || mode === "stop";
  const [field = "", ...rest] = stops ? others : words;
  if (words.length === 0 || (stops && others.length === 0)) setup.refuse("takes a rule, such as name NAME OTHER");
  const kind = field.toLowerCase();
  const rule = Object.hasOwn(RULES, kind) ? RULES[kind] : undefined;
  if (kind === "answer") setup.refuse("a rule for answers begins with name");
  if (rule === undefined)
    setup.refuse(`a rule is for name, class, type, edns0, ttl, cname or rcode (found ${shown(field)})`);
  rule(setup, rest);
}

const RULES: Readonly<Record<string, (setup: Setup, words: readonly string[]) => void>> = {
  name: checkName,
  class: (setup, words) => checkPair(setup, "class", words, CLASSES),
  type: (setup, words) => checkPair(setup, "type", words, TYPES),
  edns0: checkEdns,
  ttl: checkTtl,
  cname: checkCname,
  rcode: checkRcode,
};

function checkPair(setup: Setup, what: string, words: readonly string[], allowed: ReadonlySet<string>): void {
  if (words.length !== 2) setup.refuse(`a rule for ${what} takes 2 words (found ${words.length})`);
  for (const word of words)
    if (!hasVariable(word) && !allowed.has(word.toUpperCase())) setup.refuse(`${shown(word)} is not a ${what}`);
}

function checkName(setup: Setup, words: readonly string[]): void {
  if (words.length < 2)
    setup.refuse("a rule for name takes two names, with exact, prefix, suffix, substring or regex before them");
  const [match, from = "", to = ""] =
    words.length === 2 ? ["exact", ...words] : [(words[0] ?? "").toLowerCase(), ...words.slice(1)];
  const withMetadata = words[3] === "metadata" && setup.since(1, 15, 0);
  if (withMetadata && match !== "regex") setup.refuse(`metadata is for a rule of regex (found ${shown(match ?? "")})`);
  checkAnswers(setup, match ?? "", words.slice(withMetadata ? 4 : 3));
  // For an exact rule, CoreDNS compiles the new name as the pattern, instead of the old one.
  if (match === "exact") checkPattern(setup, dotted(to), dotted(from));
  else if (withMetadata) checkPlaceholders(setup, from, to);
  else if (match === "regex") checkPattern(setup, from, to);
  else if (!MATCHES.some((known) => known === match))
    setup.refuse(`a rule for name takes ${MATCHES.join(", ")} (found ${shown(match ?? "")})`);
}

function checkPattern(setup: Setup, from: string, to: string): void {
  if (hasVariable(from) || hasVariable(to)) return;
  setup.regexp("a rule", from);
  if (usedGroups(to) > groupsOf(from)) setup.refuse(`${to} uses more groups than ${from} has`);
}

/**
 * A new name with `{1}` for a group and `{PLUGIN/LABEL}` for metadata.
 * @see https://github.com/coredns/coredns/blob/v1.15.0/plugin/rewrite/name_metadata.go
 */
function checkPlaceholders(setup: Setup, from: string, to: string): void {
  if (hasVariable(from) || hasVariable(to)) return;
  setup.regexp("a rule", from);
  if (/[{}]/.test(to.replace(/\{[^{}]*\}/g, ""))) setup.refuse(`${to} has a brace without its other one`);
  for (const [whole, label = ""] of to.matchAll(/\{([^{}]*)\}/g)) {
    const group = integer(label);
    if (group !== undefined && (group < 0 || group > groupsOf(from)))
      setup.refuse(`${to} uses ${whole}, and ${from} has ${groupsOf(from)} groups`);
    if (group === undefined && !isLabel(label))
      setup.refuse(`${to} takes a group's number or a label of metadata in braces (found ${whole})`);
  }
}

/** Whether a text is a label of metadata, such as `kubernetes/client-namespace`. */
function isLabel(text: string): boolean {
  return /^[^/]+\/.+$/s.test(text);
}

function checkAnswers(setup: Setup, match: string, words: readonly string[]): void {
  if (words.length === 0) return;
  const wanted = `takes answer auto, or answer name or value with two words, after the names`;
  if (words.length < 2 || words[0] !== "answer")
    setup.refuse(`a rule for name ${match} ${wanted} (found ${words.join(" ")})`);
  let [auto, names] = [false, 0];
  for (let at = 0; at < words.length; ) {
    if (words[at] === "answer") at += 1;
    const kind = words[at];
    at += 1;
    if (kind === "auto") auto = true;
    else if (kind === "name" || kind === "value") {
      const [from, to] = words.slice(at, at + 2);
      if (from === undefined || to === undefined) setup.refuse(`answer ${kind} takes a pattern and a replacement`);
      checkPattern(setup, from, to);
      at += 2;
      if (kind === "name") names += 1;
    } else setup.refuse(`a rule for name ${match} ${wanted} (found ${shown(kind ?? "")})`);
  }
  if (auto && names > 0) setup.refuse("takes answer auto or answer name, not both");
}

function checkTtl(setup: Setup, words: readonly string[]): void {
  const ttl = words.length === 2 ? words[1] : words.length === 3 ? words[2] : "";
  if (!hasVariable(ttl ?? "") && !isTtl(ttl ?? ""))
    setup.refuse(`a rule for ttl takes seconds, or a range such as 30-300 (found ${shown(ttl ?? "")})`);
  if (words.length === 3) checkMatch(setup, "ttl", words);
}

function isTtl(text: string): boolean {
  const parts = text.split("-");
  if (parts.length > 2 || text === "-") return false;
  const [min, max] = parts.map((part, index) =>
    part === "" && parts.length === 2 ? [0, 2 ** 31 - 1][index] : unsigned(part, 32),
  );
  if (min === undefined || (parts.length === 2 && max === undefined)) return false;
  return parts.length === 1 || min <= (max ?? 0);
}

/** `exact NAME`, `regex PATTERN` and the like, before the values of a rule. */
function checkMatch(setup: Setup, field: string, [match = "", pattern = ""]: readonly string[]): void {
  setup.oneOf(`a rule for ${field}`, match.toLowerCase(), MATCHES);
  if (match.toLowerCase() === "regex") setup.regexp(`a rule for ${field}`, pattern);
}

function checkCname(setup: Setup, words: readonly string[]): void {
  if (words.length !== 2 && words.length !== 3)
    setup.refuse(`a rule for cname takes two names (found ${words.length} words)`);
  if (words.length === 2) return;
  const [match = "", pattern = ""] = words;
  setup.oneOf("a rule for cname", match.toLowerCase(), MATCHES);
  if (match.toLowerCase() !== "regex") return;
  // CoreDNS also lowercases the pattern, so that \D becomes \d.
  if (setup.since(1, 13, 0)) setup.regexp("a rule for cname", pattern.toLowerCase());
  else if (setup.isBrokenRegexp(pattern.toLowerCase()))
    setup.warn(`${pattern} is not a regular expression in Go's syntax, and a query that reaches it stops CoreDNS`);
}

function checkRcode(setup: Setup, words: readonly string[]): void {
  if (words.length < 3 || words.length > 4)
    setup.refuse(`a rule for rcode takes a name and two response codes (found ${words.length} words)`);
  for (const code of words.slice(-2)) {
    const number = unsigned(code, 32);
    if (!hasVariable(code) && !(number !== undefined && number <= 23) && !RCODES.has(code.toUpperCase()))
      setup.refuse(`a rule for rcode takes response codes, such as NXDOMAIN (found ${shown(code)})`);
  }
  if (words.length === 4) checkMatch(setup, "rcode", words);
}

const VARIABLES = ["qname", "qtype", "client_ip", "client_port", "protocol", "server_ip", "server_port"];

function checkEdns(setup: Setup, all: readonly string[]): void {
  if (all.length < 2) setup.refuse("a rule for edns0 takes local, nsid or subnet, and append, replace, set or unset");
  const [kind = "", action = ""] = all.map((word) => word.toLowerCase());
  setup.oneOf("a rule for edns0", action, ["append", "replace", "set", "unset"]);
  setup.oneOf("a rule for edns0", kind, ["local", "nsid", "subnet"]);
  const words = action !== "unset" && all.at(-1) === "revert" ? all.slice(0, -1) : all;
  const count = action === "unset" ? (kind === "local" ? 3 : 2) : kind === "nsid" ? 2 : 4;
  if (words.length !== count)
    setup.refuse(`edns0 ${kind} ${action} takes ${count - 2} more words (found ${words.length - 2})`);
  const [, , first = "", second = ""] = words;
  const number = (text: string, max: number) => {
    const value = unsigned(text, 16, 0);
    if (!hasVariable(text) && (value === undefined || value > max))
      setup.refuse(`edns0 ${kind} takes a number up to ${max} (found ${shown(text)})`);
  };
  if (kind === "local") {
    number(first, 65_535);
    if (action !== "unset" && !hasVariable(second)) checkData(setup, second);
  }
  if (kind === "subnet" && action !== "unset") {
    number(first, 32);
    number(second, 128);
  }
}

function checkData(setup: Setup, data: string): void {
  const variable = /^\{(.*)\}$/s.exec(data)?.[1];
  if (variable !== undefined && !VARIABLES.includes(variable) && !isLabel(variable))
    setup.refuse(
      `edns0 local takes ${VARIABLES.map((name) => `{${name}}`).join(", ")} or a label of metadata (found ${shown(data)})`,
    );
  if (variable === undefined && data.startsWith("0x") && !/^0x([\da-fA-F]{2})*$/.test(data))
    setup.refuse(`edns0 local takes hexadecimal digits in pairs after 0x (found ${shown(data)})`);
}
