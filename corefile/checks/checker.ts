import { atLine } from "../finding.ts";
import { hasVariable, modelOf, type Plugin, pluginName, type Server, writePlugin } from "../model.ts";
import { DECIDERS, ignoresCase, isNewer, rankOf, releaseFor } from "../releases.ts";
import { environmentOf, type StartContext, startOf } from "../setups/starts.ts";
import { ifReadable, parseSyntax } from "../syntax/syntax.ts";
import { shareNames } from "../zones.ts";
import { checkAnswers } from "./answer-checks.ts";
import { checkEndings } from "./ending-checks.ts";
import { type CheckContext, CheckedCorefile, type CheckedServer, type CorefileFindings } from "./findings.ts";
import { checkForwards } from "./forward-checks.ts";
import { checkRewrites } from "./rewrite-checks.ts";
import { checkClusterAnswers, checkLogs, checkPlugins, checkServing } from "./serving-checks.ts";
import { checkOwners, checkTemplated, checkZones } from "./zone-checks.ts";

/**
 * Checks a Corefile as CoreDNS would run it: whether it starts, with the plugins and options of its version, and whether its answers match
 * what the text suggests.
 */
export function checkCorefile(text: string, context: CheckContext = {}): CorefileFindings {
  const where: StartContext = { ...context, isAddon: context.isAddon ?? context.coredns !== undefined };
  const start = startOf(text, where);
  const cause = escapedBreaks(text) ?? (start.errors.length > 0 ? commonCause(text) : undefined);
  if (cause !== undefined) return { errors: [cause], warnings: [] };
  const written = ifReadable(() => parseSyntax(text));
  const replaced = ifReadable(() => parseSyntax(text, environmentOf(where)));
  if (written === undefined || replaced === undefined) return start;
  const { servers, imports } = modelOf(replaced);
  const found = { errors: [...start.errors], warnings: [...start.warnings] };
  const isLowered = ignoresCase(context.coredns);
  const corefile = new CheckedCorefile(
    { servers: isLowered ? servers.map(lowered) : servers, imports },
    context,
    found,
  );
  checkRelease(corefile);
  for (const server of modelOf(written).servers) checkVariables(corefile.block(server), where);
  const blocks = corefile.servers.map((server) => corefile.block(server));
  for (const block of blocks) for (const check of BLOCK_CHECKS) check(block);
  for (const block of blocks) checkZones(block);
  checkServing(corefile);
  for (const block of blocks) checkPlugins(block);
  return { errors: [...new Set(found.errors)], warnings: [...new Set(found.warnings)] };
}

function checkRelease(corefile: CheckedCorefile): void {
  const { coredns } = corefile.context;
  if (!isNewer(coredns)) return;
  const { version } = releaseFor(coredns);
  corefile.warn(`CoreDNS ${coredns?.join(".")}`, `is checked as ${version}, the newest whose plugins are known here`);
}

function lowered(server: Server): Server {
  return { ...server, zones: server.zones.map((zone) => zone.toLowerCase()) };
}

/** A Corefile on one line with JSON-escaped line breaks, with which CoreDNS starts, but serves zones that nobody queries. */
function escapedBreaks(text: string): string | undefined {
  if (text.trim().includes("\n") || !/\{\s*(\\r)?\\n/.test(text)) return undefined;
  return atLine(
    1,
    "its line breaks are a backslash and an n, so that CoreDNS takes all words for zones",
    "write lines",
  );
}

/** A single cause that makes CoreDNS reject many lines, reported instead of all of them. */
function commonCause(text: string): string | undefined {
  const found = /^[ \t]*(Corefile|corefile):[ \t]*[|>]/m.exec(text);
  if (found !== null) {
    const [, key] = found;
    const what = key === "Corefile" ? "a ConfigMap" : "a configuration of the add-on";
    const line = text.slice(0, found.index).split("\n").length;
    return atLine(line, `is a key of ${what}, not a line of a Corefile`, `give only the text below ${key}`);
  }
  const written = text.split("\n").map((line) => line.replace(/#.*$/, ""));
  const lines = written.map((line) => /(?:^|\s)([^\s{"#][^\s"#]*\{)\s*$/.exec(line)?.[1]);
  const index = lines.findIndex((word) => word !== undefined);
  return index === -1 ? undefined : atLine(index + 1, `${lines[index]} needs a space before its brace`);
}

function checkVariables(checked: CheckedServer, { isAddon }: StartContext): void {
  for (const plugin of checked.server.plugins) {
    if (!hasVariable(writePlugin(plugin))) continue;
    const why = isAddon
      ? "and is empty where the add-on's pods do not have it, since the add-on sets none"
      : "whose value is not known here";
    checked.warn(pluginName(plugin), `a variable is replaced by what CoreDNS's environment has, ${why}`);
  }
}

/** Plugins that may occur several times, in order. */
const REPEATABLE: ReadonlySet<string> = new Set(
  `acl auto azure bind clouddns dns64 dnstap etcd file forward import log on rewrite route53 secondary sign template transfer`.split(
    " ",
  ),
);
/** Plugins that CoreDNS rejects if they occur twice, which {@link startOf} reports. */
const ONCE: ReadonlySet<string> = new Set(
  `cache dnssec errors grpc hosts kubernetes loop metadata multisocket nsid pprof prometheus ready tsig view`.split(
    " ",
  ),
);

function checkRepeated(checked: CheckedServer): void {
  const counts = new Map<string, number>();
  for (const name of checked.server.plugins.map(pluginName)) counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const [name, count] of counts) {
    if (count < 2 || ONCE.has(name) || REPEATABLE.has(name)) continue;
    checked.warn(name, `occurs ${count} times, but only one line has an effect`);
  }
}

/** CoreDNS ignores the order of lines, so lines in another order than that of execution mislead the reader. */
function checkOrder(checked: CheckedServer): void {
  const release = releaseFor(checked.context.coredns);
  const deciders = checked.server.plugins.filter((plugin) => DECIDERS.has(pluginName(plugin)));
  const rank = (plugin: Plugin) => rankOf(pluginName(plugin), release) ?? 0;
  let highest = 0;
  for (const [index, plugin] of deciders.entries()) {
    const isInOrder = rank(plugin) >= highest;
    highest = Math.max(highest, rank(plugin));
    if (isInOrder) continue;
    const before = deciders.slice(0, index).findLast((other) => shareNames(other, plugin));
    if (before === undefined || rank(before) <= rank(plugin)) continue;
    checked.warn(
      pluginName(plugin),
      `is written after ${pluginName(before)} but sees a query before it, since CoreDNS's order is fixed and ignores that of the lines`,
    );
  }
}

/** What each block is checked for, in the order of the findings. */
const BLOCK_CHECKS: readonly ((checked: CheckedServer) => void)[] = [
  checkRepeated,
  checkLogs,
  checkOrder,
  checkForwards,
  checkAnswers,
  checkClusterAnswers,
  checkOwners,
  checkTemplated,
  checkRewrites,
  checkEndings,
];
