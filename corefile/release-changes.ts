import { hasPlugin, type Server } from "./model.ts";
import { isBefore, isSince, type Release, releaseFor, type Version, versionOf } from "./releases.ts";

/** What changes for a Corefile between two releases of CoreDNS. */
export interface ReleaseChanges {
  readonly from: string;
  readonly to: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Options in braces that are added or removed, as `forward: max_age`. */
  readonly addedOptions: readonly string[];
  readonly removedOptions: readonly string[];
  /** Plugins that move in the order of execution, as `acl: after rewrite (was after dns64)`. */
  readonly moved: readonly string[];
}

/** Compares the release data of two versions. */
export function releaseChanges(before: Version, after: Version): ReleaseChanges {
  const [from, to] = [releaseFor(before), releaseFor(after)];
  return {
    from: from.version,
    to: to.version,
    added: namesOf(to).filter((name) => !namesOf(from).includes(name)),
    removed: namesOf(from).filter((name) => !namesOf(to).includes(name)),
    addedOptions: moreOptions(from, to),
    removedOptions: moreOptions(to, from),
    moved: movedPlugins(from, to),
  };
}

function namesOf({ plugins }: Release): string[] {
  return plugins.map(({ name }) => name);
}

/** Options of plugins in both releases that only the second accepts. */
function moreOptions(first: Release, second: Release): string[] {
  const optionsBefore = new Map(first.plugins.map(({ name, options }) => [name, options]));
  return second.plugins.flatMap(({ name, options }) => {
    const more = options.filter((option) => optionsBefore.get(name)?.includes(option) === false);
    return more.length === 0 ? [] : [`${name}: ${more.join(", ")}`];
  });
}

/** The smallest set of plugins whose removal makes both orders equal. */
function movedPlugins(from: Release, to: Release): string[] {
  const before = namesOf(from).filter((name) => namesOf(to).includes(name));
  const after = namesOf(to).filter((name) => before.includes(name));
  const kept = longestCommon(before, after);
  const behind = (order: readonly string[], name: string) => order[order.indexOf(name) - 1] ?? "no other";
  return after
    .filter((name) => !kept.has(name))
    .map((name) => `${name}: after ${behind(after, name)} (was after ${behind(before, name)})`);
}

/** The longest common subsequence of two orders. */
function longestCommon(one: readonly string[], other: readonly string[]): ReadonlySet<string> {
  const best: string[][] = [];
  for (const [index, name] of other.entries()) {
    const place = one.indexOf(name);
    const earlier = best.slice(0, index).filter((chain) => one.indexOf(chain.at(-1) ?? "") < place);
    const longest = earlier.reduce<string[]>((found, chain) => (chain.length > found.length ? chain : found), []);
    best.push([...longest, name]);
  }
  return new Set(best.reduce<string[]>((found, chain) => (chain.length > found.length ? chain : found), []));
}

/** A change of behavior for a Corefile that both releases accept. */
export interface BehaviorChange {
  /** First release with the change, such as `1.14.2`. */
  readonly version: string;
  readonly change: string;
  readonly source: string;
}

interface ConcernedChange extends BehaviorChange {
  /** Whether it affects a server block. */
  readonly concerns: (server: Server) => boolean;
}

const pull = (number: number) => `https://github.com/coredns/coredns/pull/${number}`;

/** Changes that neither the plugin data nor the Corefile checks show; tests reproduce each with the real CoreDNS. */
const CHANGES: readonly ConcernedChange[] = [
  {
    version: "1.14.0",
    change:
      "the label plugin of coredns_dns_responses_total is the first plugin behind prometheus, such as errors: rules and dashboards that select forward or cache find nothing",
    source: pull(7791),
    concerns: (server) => hasPlugin(server, "prometheus"),
  },
  {
    version: "1.14.2",
    change: "acl matches the rewritten name instead of the one that the client queried",
    source: pull(7882),
    concerns: (server) => hasPlugin(server, "acl") && hasRenames(server),
  },
  {
    version: "1.14.2",
    change:
      "coredns_kubernetes_rest_client_request_duration_seconds and rate_limiter_duration_seconds have no data where the API server streams its lists; requests_total still has",
    source: "https://github.com/coredns/coredns/blob/v1.14.2/plugin/kubernetes/controller.go",
    concerns: measuresKubernetes,
  },
  {
    version: "1.14.3",
    change:
      "coredns_kubernetes_dns_programming_duration_seconds counts Services with a cluster IP too: select service_kind in rules",
    source: pull(7951),
    concerns: measuresKubernetes,
  },
  {
    version: "1.14.5",
    change: "log writes SERVFAIL and flags for a query that no plugin answers, instead of - and -",
    source: pull(8200),
    concerns: (server) => hasPlugin(server, "log"),
  },
  {
    version: "1.14.7",
    change:
      "forward asks its only upstream twice, no longer three times: without an answer it is SERVFAIL after 4 s, and at once where the port is closed; max_connect_attempts 0 has it as before",
    source: pull(8365),
    concerns: hasOnlyUpstream,
  },
];

/** The changes between two versions that affect blocks of a Corefile, oldest first. */
export function behaviorChanges(before: Version, after: Version, servers: readonly Server[]): BehaviorChange[] {
  return CHANGES.filter(({ version, concerns }) => {
    const since = versionOf(version);
    return isBefore(before, since) && isSince(after, since) && servers.some(concerns);
  }).map(({ concerns: _, ...change }) => change);
}

function hasRenames({ plugins }: Server): boolean {
  return plugins.some(({ plugin }) => plugin === "rewrite");
}

function measuresKubernetes(server: Server): boolean {
  return hasPlugin(server, "kubernetes") && hasPlugin(server, "prometheus");
}

function hasOnlyUpstream({ plugins }: Server): boolean {
  return plugins.some(
    (plugin) =>
      plugin.plugin === "forward" &&
      plugin.upstreams.length === 1 &&
      !plugin.more?.some(({ name }) => name === "max_connect_attempts"),
  );
}
