import type { OtherPlugin, Server } from "../model.ts";
import { whyNoName } from "../syntax/go-pattern.ts";
import { templateActions, templateProblem, withoutActions } from "../syntax/go-template.ts";
import { groupKeys, isAddress, TYPES } from "../syntax/go-values.ts";
import { hasVariable } from "../syntax/syntax.ts";
import type { Findings } from "./findings.ts";

const RECORDS: readonly string[] = ["answer", "additional", "authority"];

/** A match for no name; a record for no query; and NXDOMAIN for one type only, which hides the name's other addresses in musl and .NET. */
export function checkTemplate(server: Server, { line }: OtherPlugin, findings: Findings): void {
  const [, type = "ANY"] = line.args;
  const block = line.block ?? [];
  const warn = (message: string) => findings.warn(server, `template ${line.args.join(" ")}: ${message}`);
  const patterns = block.flatMap(({ name, args }) => (name === "match" ? args : []));
  for (const pattern of patterns) {
    const why = whyNoName(pattern);
    if (why !== undefined) warn(`match ${pattern} matches no name, ${why}`);
  }
  const keys = patterns.some(hasVariable) ? undefined : new Set(["0", ...patterns.flatMap(groupKeys)]);
  const fields = block.some(({ name }) => name === "var") ? [...FIELDS, "Var"] : FIELDS;
  for (const { name, args } of block.filter((option) => RECORDS.includes(option.name))) {
    if (args.some((text) => hasVariable(text) || templateProblem(text) !== undefined)) continue;
    const [problem] = args.flatMap((text) => valueProblem(text, keys, fields) ?? recordProblem(text) ?? []);
    if (problem !== undefined) warn(`${name} ${problem}`);
  }
  const denies = block.some(({ name, args }) => name === "rcode" && args[0]?.toUpperCase() === "NXDOMAIN");
  if (!denies || !["A", "AAAA"].includes(type.toUpperCase())) return;
  warn("NXDOMAIN says that a name has no record of any type, and resolvers such as musl's give up; use rcode NOERROR");
}

const FAILS = "and CoreDNS answers SERVFAIL instead";

/**
 * Fields of a template's data, besides Var for its lines `var`; any other field makes it fail.
 * @see https://coredns.io/plugins/template/
 */
const FIELDS = "Zone Name Class Type Match Group Message Question Remote Meta Regex".split(" ");

/** References to fields that do not exist. Inside some actions the dot is rebound, so they are skipped. */
function valueProblem(
  text: string,
  keys: ReadonlySet<string> | undefined,
  fields: readonly string[],
): string | undefined {
  const actions = templateActions(text);
  if (actions.some(([first = ""]) => ["with", "range", "define", "block"].includes(first))) return undefined;
  for (const words of actions)
    for (const [index, word] of words.entries()) {
      const [, field, inner] = /^\.(\w+)(?:\.(\w+))?/.exec(word) ?? [];
      const isOfAnother = /^(\)|\$.*)$/.test(words[index - 1] ?? "");
      if (field !== undefined && !isOfAnother && !fields.includes(field))
        return `has .${field}, which is not one of .${fields.join(", .")}, ${FAILS}`;
      const [, indexed] = (word === "index" && /^["`](\w+)["`]$/.exec(words[index + 2] ?? "")) || [];
      const group = field === "Group" && !isOfAnother ? inner : words[index + 1] === ".Group" ? indexed : undefined;
      if (group !== undefined && keys?.has(group) === false)
        return `has the group ${group}, which no match names, ${FAILS}`;
    }
  return undefined;
}

/** Placeholder for a value of a query. */
const VALUE = "\0";

/** Text that is not a record for any query. Text with comments, quotes or several lines is skipped. */
function recordProblem(text: string): string | undefined {
  const written = withoutActions(text, VALUE);
  if (/[;"()]/.test(written)) return undefined;
  const words = written.trim().split(/\s+/);
  const [first = "", second = ""] = words;
  const [type = "", value = ""] = words.slice(-2);
  if (words.length < 3 && !written.includes(VALUE))
    return `"${text}" is not a record, ${FAILS}; write NAME TTL CLASS TYPE VALUE, such as {{ .Name }} 60 IN A 10.0.0.1`;
  if (/^\d+$/.test(first) && ["IN", ...TYPES].includes(second.toUpperCase()))
    return `begins with ${first}, which CoreDNS takes for the record's name; begin it with {{ .Name }}`;
  const family = { A: "IPv4", AAAA: "IPv6" }[type.toUpperCase()];
  if (family === undefined || value.includes(VALUE)) return undefined;
  const isOfFamily = isAddress(value) && value.includes(":") === (family === "IPv6");
  return isOfFamily ? undefined : `${type} ${value} is no ${family} address, ${FAILS}`;
}
