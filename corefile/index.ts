/** CoreDNS's Corefile: reading, writing, and checking it as CoreDNS itself would. */
export { isAddress, sameAddress } from "./address.ts";
export { type CheckContext, type CorefileFindings, checkCorefile } from "./check.ts";
export { seconds } from "./duration.ts";
export { groupsOf, isGoRegexp } from "./go-regexp.ts";
export { loopOf } from "./loop.ts";
export { expanded, serverBlocks, servesRoot } from "./meaning.ts";
export { type Corefile, type Plugin, parseCorefile, pluginName, renderCorefile, type Server } from "./model.ts";
export type { CachePlugin } from "./plugins/cache.ts";
export type { ForwardPlugin } from "./plugins/forward.ts";
export { usedGroups } from "./plugins/rewrite.ts";
export { type Block, CorefileSyntaxError, type Directive, parseBlocks } from "./syntax.ts";
export { readUpstream } from "./upstream.ts";
