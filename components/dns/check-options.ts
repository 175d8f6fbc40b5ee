import type { DnsIssue } from "./check.ts";
import { type CheckContext, checkCorefile } from "./corefile/check.ts";
import { seconds } from "./corefile/duration.ts";
import { corefileOf } from "./corefile/from-settings.ts";
import { groupsOf, isGoRegexp } from "./corefile/go-regexp.ts";
import { loopOf } from "./corefile/loop.ts";
import { usedGroups } from "./corefile/plugins/rewrite.ts";
import { readUpstream } from "./corefile/upstream.ts";
import type { CorefileOptions } from "./corefile-settings.ts";
import type { DnsSettings } from "./settings.ts";

const OPTIONS = ["corefile", "options"] as const;
const MAX_LAMEDUCK = 25;

/** Issues in the Corefile's options, each at its own path. What none of these sees, the whole Corefile's check does. */
export function checkOptions(settings: DnsSettings, context: CheckContext): DnsIssue[] {
  const options = settings.corefile.options ?? {};
  const found = [
    ...upstreamIssues(options, context),
    ...stubIssues(options),
    ...durationIssues(options),
    ...choiceIssues(options, settings),
    ...spellingIssues(options),
  ];
  if (found.length > 0) return found;
  return checkCorefile(corefileOf(settings), context).errors.map((message) => ({
    path: [...OPTIONS],
    message: `options that CoreDNS runs with; ${message}`,
    value: settings.corefile.options,
  }));
}

function issue(path: readonly (string | number)[], message: string, value: unknown): DnsIssue {
  return { path: [...OPTIONS, ...path], message, value };
}

function upstreamIssues(options: CorefileOptions, context: CheckContext): DnsIssue[] {
  const lists = [
    { path: ["upstreams"], upstreams: options.upstreams ?? [] },
    ...(options.stubDomains ?? []).map(({ upstreams }, index) => ({
      path: ["stubDomains", index, "upstreams"],
      upstreams,
    })),
  ];
  return lists.flatMap(({ path, upstreams }) =>
    upstreams.flatMap((text, index) => {
      const message = upstreamIssue(text, context);
      return message === undefined ? [] : [issue([...path, index], message, text)];
    }),
  );
}

function upstreamIssue(text: string, context: CheckContext): string | undefined {
  const upstream = readUpstream(text);
  if (typeof upstream === "string") return upstream;
  const loop = loopOf(upstream, context);
  return loop === undefined ? undefined : `another server: this is ${loop}, which would ask itself for ever`;
}

function stubIssues(options: CorefileOptions): DnsIssue[] {
  const clusterDomain = plain(options.clusterDomain ?? "cluster.local");
  const seen = new Set<string>();
  return (options.stubDomains ?? []).flatMap(({ domains }, index) =>
    domains.flatMap((domain, place): DnsIssue[] => {
      const path = ["stubDomains", index, "domains", place];
      const name = plain(domain);
      if (name === clusterDomain || clusterDomain.endsWith(`.${name}`) || name.endsWith(`.${clusterDomain}`)) {
        return [issue(path, `a domain outside ${clusterDomain}, whose names the cluster itself answers`, domain)];
      }
      if (domain.startsWith("*")) return [issue(path, "a domain without *: it holds for all names below it", domain)];
      if (seen.has(name)) return [issue(path, "a domain that no other entry has", domain)];
      seen.add(name);
      return [];
    }),
  );
}

function plain(domain: string): string {
  return domain.toLowerCase().replace(/\.$/, "");
}

function durationIssues({ lameduck, reload, cache }: CorefileOptions): DnsIssue[] {
  const over = (text: string | undefined, most: number) => text !== undefined && (seconds(text) ?? 0) > most;
  const under = (text: string | undefined, least: number) => text !== undefined && (seconds(text) ?? 0) < least;
  const found: DnsIssue[] = [];
  if (over(lameduck, MAX_LAMEDUCK)) {
    found.push(issue(["lameduck"], `at most ${MAX_LAMEDUCK}s: the add-on's pods are killed after 30 s`, lameduck));
  }
  if (under(reload?.interval, 2)) found.push(issue(["reload", "interval"], "at least 2s", reload?.interval));
  if (under(reload?.jitter, 1) && !under(reload?.jitter, Number.MIN_VALUE)) {
    found.push(issue(["reload", "jitter"], "0s, or at least 1s", reload?.jitter));
  }
  if (over(cache?.servfail, 300)) found.push(issue(["cache", "servfail"], "at most 5m", cache?.servfail));
  return found;
}

function choiceIssues(options: CorefileOptions, { corefile }: DnsSettings): DnsIssue[] {
  const found: DnsIssue[] = [];
  if (options.autopath && options.pods !== undefined && options.pods !== "verified") {
    found.push(issue(["pods"], "verified, as autopath needs it to tell a pod's namespace", options.pods));
  }
  if (corefile.upstreamLoad !== undefined && corefile.profile !== "tuned") {
    const path = ["corefile", "upstreamLoad"];
    found.push({
      path,
      message: "only with profile tuned, whose max_concurrent it sizes",
      value: corefile.upstreamLoad,
    });
  }
  return found;
}

function spellingIssues({ rewrite = [] }: CorefileOptions): DnsIssue[] {
  return rewrite.flatMap(({ match, from, to }, index): DnsIssue[] => {
    const at = (key: "from" | "to") => ["rewrite", index, key];
    const found: DnsIssue[] = [];
    if (match === "regex" && !isGoRegexp(from)) {
      found.push(
        issue(at("from"), "a regular expression in Go's syntax, without look-around and back references", from),
      );
    } else if (usedGroups(to) > (match === "regex" ? groupsOf(from) : 0)) {
      const message = match === "regex" ? `no more groups than ${from} has` : "no groups, which only a regex has";
      found.push(issue(at("to"), message, to));
    }
    for (const [key, word] of Object.entries({ from, to })) {
      if (/^[{}]$|\{[$%]|[\s#"]/.test(word)) {
        found.push(issue(["rewrite", index, key], 'text without a single brace, {$, {%, # and "', word));
      }
    }
    return found;
  });
}
