import {
  type CheckContext,
  checkCorefile,
  groupsOf,
  isGoRegexp,
  loopOf,
  readUpstream,
  seconds,
  usedGroups,
} from "eks-dns-logging-corefile";
import { corefileText } from "./corefile-rendering.ts";
import type { CorefileOptions } from "./corefile-settings.ts";
import type { DnsIssue, DnsSettings } from "./settings.ts";

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
  return checkCorefile(corefileText(settings), context).errors.map((message) => ({
    path: [...OPTIONS],
    message: `CoreDNS cannot run with these options: ${message}`,
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
  if (typeof upstream === "string") return `must be ${upstream}`;
  const loop = loopOf(upstream, context);
  return loop === undefined
    ? undefined
    : `must be another server, since this is ${loop}, which would query itself forever`;
}

function stubIssues(options: CorefileOptions): DnsIssue[] {
  const clusterDomain = plain(options.clusterDomain ?? "cluster.local");
  const seen = new Set<string>();
  return (options.stubDomains ?? []).flatMap(({ domains }, index) =>
    domains.flatMap((domain, place): DnsIssue[] => {
      const path = ["stubDomains", index, "domains", place];
      const name = plain(domain);
      if (name === clusterDomain || clusterDomain.endsWith(`.${name}`) || name.endsWith(`.${clusterDomain}`)) {
        return [
          issue(path, `must be a domain outside ${clusterDomain}, whose names the cluster itself answers`, domain),
        ];
      }
      if (domain.startsWith("*"))
        return [issue(path, "must be a domain without *, since it covers all names below it", domain)];
      if (seen.has(name)) return [issue(path, "must be unique among stubDomains", domain)];
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
    found.push(
      issue(["lameduck"], `must be at most ${MAX_LAMEDUCK}s, since the add-on's pods are killed after 30 s`, lameduck),
    );
  }
  if (under(reload?.interval, 2)) found.push(issue(["reload", "interval"], "must be at least 2s", reload?.interval));
  if (under(reload?.jitter, 1) && !under(reload?.jitter, Number.MIN_VALUE)) {
    found.push(issue(["reload", "jitter"], "must be 0s, or at least 1s", reload?.jitter));
  }
  if (over(cache?.servfail, 300)) found.push(issue(["cache", "servfail"], "must be at most 5m", cache?.servfail));
  return found;
}

function choiceIssues(options: CorefileOptions, { corefile }: DnsSettings): DnsIssue[] {
  const found: DnsIssue[] = [];
  if (options.autopath && options.pods !== undefined && options.pods !== "verified") {
    found.push(
      issue(["pods"], "must be verified with autopath, which needs it to find a pod's namespace", options.pods),
    );
  }
  if (corefile.upstreamLoad !== undefined && corefile.profile !== "tuned") {
    found.push({
      path: ["corefile"],
      message: "upstreamLoad requires profile tuned, whose max_concurrent it sizes",
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
        issue(at("from"), "must be a regular expression in Go's syntax, without look-around and back references", from),
      );
    } else if (usedGroups(to) > (match === "regex" ? groupsOf(from) : 0)) {
      const message =
        match === "regex" ? `must not use more groups than ${from} has` : "must not use groups, which only a regex has";
      found.push(issue(at("to"), message, to));
    }
    for (const [key, word] of Object.entries({ from, to })) {
      if (/^[{}]$|\{[$%]|[\s#"]/.test(word)) {
        found.push(issue(["rewrite", index, key], 'must not contain a single brace, {$, {%, # or "', word));
      }
    }
    return found;
  });
}
