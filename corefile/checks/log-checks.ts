import type { Server } from "../model.ts";
import { hasVariable } from "../syntax/syntax.ts";
import { type Findings, hasPlugin, isWithin } from "./findings.ts";

/** Lines of `log` that log less than they suggest. */
export function checkLogs(server: Server, findings: Findings): void {
  const logs = server.plugins.flatMap((plugin) => (plugin.plugin === "log" ? [readScope(plugin.scope ?? [])] : []));
  for (const [index, { scopes, format }] of logs.entries()) {
    const earlier = logs.slice(0, index).flatMap((log) => log.scopes);
    for (const scope of scopes) checkScope(server, scope, earlier, findings);
    const [label] = /\{\/[^}]+\}/.exec(format ?? "") ?? [];
    if (label !== undefined && !hasPlugin(server, "metadata"))
      findings.warn(server, `log: ${label} is always -, since this block has no metadata; add a line metadata`);
  }
}

function checkScope(server: Server, scope: string, earlier: readonly string[], findings: Findings): void {
  if (scope.includes("{") && !hasVariable(scope))
    findings.warn(
      server,
      `log: ${scope} is read as a zone, not as part of the format; put the whole format in double quotes, behind a zone`,
    );
  else if (earlier.some((wide) => isWithin(scope, wide)))
    findings.warn(
      server,
      `log ${scope} comes after a line that takes its names: the first line that matches logs a query, so this one has no effect`,
    );
}

/** The names and the format of a line of `log`: of several words, the last is the format if it has a brace. */
function readScope(words: readonly string[]): { readonly scopes: readonly string[]; readonly format?: string } {
  const format = words.length > 1 ? words.at(-1) : undefined;
  if (format?.includes("{")) return { scopes: words.slice(0, -1), format };
  return { scopes: words.length > 0 ? words : ["."] };
}
