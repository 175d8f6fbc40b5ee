/** CoreDNS's Corefile: reading, writing, and checking it as CoreDNS itself would. */
export { CorefileSyntaxError } from "./caddyfile.ts";
export { checkCorefile } from "./checker.ts";
export type { CheckContext, CorefileFindings } from "./findings.ts";
export { loopOf, readUpstream } from "./forward-checks.ts";
export { groupsOf, isAddress, isGoRegexp, sameAddress, seconds, usedGroups } from "./go-values.ts";
export { type Corefile, type Plugin, parseCorefile, pluginName, renderCorefile, type Server } from "./model.ts";
export type { CachePlugin } from "./plugins/cache.ts";
export type { ForwardPlugin } from "./plugins/forward.ts";
export { type ReleaseChanges, releaseChanges } from "./releases.ts";
export { startOf } from "./starts.ts";
export { type Block, type Directive, parseBlocks, servesRoot } from "./syntax.ts";
