/** Reads, writes and checks CoreDNS's Corefile, as CoreDNS itself would. */

export { checkCorefile } from "./checks/checker.ts";
export type { CheckContext, CorefileFindings } from "./checks/findings.ts";
export { loopOf, readUpstream } from "./checks/forward-checks.ts";
export { type Corefile, type Plugin, parseCorefile, pluginName, renderCorefile, type Server } from "./model.ts";
export type { CachePlugin } from "./plugins/cache.ts";
export type { ForwardPlugin } from "./plugins/sources.ts";
export { type BehaviorChange, behaviorChanges, type ReleaseChanges, releaseChanges } from "./releases.ts";
export { startOf } from "./setups/starts.ts";
export { groupsOf, isAddress, isGoRegexp, sameAddress, seconds, usedGroups } from "./syntax/go-values.ts";
export {
  type Block,
  CorefileSyntaxError,
  type Directive,
  ifReadable,
  parseBlocks,
} from "./syntax/syntax.ts";
export {
  CLUSTER_DOMAIN,
  type ClusterZones,
  clusterZones,
  DNS_PORT,
  domainOf,
  PORTS,
  servesRoot,
  servesRootSomewhere,
} from "./zones.ts";
