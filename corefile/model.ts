import { type CachePlugin, readCache, writeCache } from "./plugins/cache.ts";
import { directive, Unreadable } from "./plugins/options.ts";
import * as serving from "./plugins/serving.ts";
import * as sources from "./plugins/sources.ts";
import { type Blocks, type Directive, hasVariable as isVariable, parseSyntax, renderBlocks } from "./syntax/syntax.ts";

/** A plugin that the model does not cover, or a line that it cannot parse: kept as written. */
export interface OtherPlugin {
  readonly plugin: "other";
  readonly line: Directive;
}

/** The line of a plugin, with its options. */
export type Plugin =
  | CachePlugin
  | OtherPlugin
  | serving.BindPlugin
  | serving.EndpointPlugin
  | serving.ErrorsPlugin
  | serving.HealthPlugin
  | serving.LoadbalancePlugin
  | serving.LogPlugin
  | serving.LoopPlugin
  | serving.MultisocketPlugin
  | serving.ReloadPlugin
  | sources.AutopathPlugin
  | sources.ForwardPlugin
  | sources.HostsPlugin
  | sources.KubernetesPlugin
  | sources.RewritePlugin;

/** A server block: its zones and plugins. CoreDNS runs plugins in its own order, not in that of the lines. */
export interface Server {
  /** Such as `.:53` or `corp.example.com:53`. */
  readonly zones: readonly string[];
  readonly plugins: readonly Plugin[];
}

/** A Corefile with its snippets expanded. */
export interface Corefile {
  readonly servers: readonly Server[];
  /** Imported files with more blocks, which are not read. */
  readonly imports: readonly string[];
}

/**
 * Parses a Corefile. Unknown plugins and options are kept as written.
 * @throws {CorefileSyntaxError} if the braces do not match.
 */
export function parseCorefile(text: string): Corefile {
  return modelOf(parseSyntax(text));
}

export function modelOf({ blocks, imports }: Blocks): Corefile {
  return { servers: blocks.map(({ zones, directives }) => ({ zones, plugins: directives.map(readPlugin) })), imports };
}

/** Renders a Corefile so that CoreDNS reads back the same model. */
export function renderCorefile(corefile: Corefile): string {
  return renderBlocks(blocksOf(corefile));
}

/** The lines of a Corefile. */
export function blocksOf({ servers, imports }: Corefile): Blocks {
  return { blocks: servers.map(({ zones, plugins }) => ({ zones, directives: plugins.map(writePlugin) })), imports };
}

/** Name of a plugin in the Corefile's spelling. */
export function pluginName(plugin: Plugin): string {
  return plugin.plugin === "other" ? plugin.line.name : plugin.plugin;
}

/** Whether a server block has a plugin, by the name in its line. */
export function hasPlugin(server: Server, name: string): boolean {
  return remembered(PLUGINS, server, ({ plugins }) => new Set(plugins.map(pluginName))).has(name);
}

/** The lines of a plugin that the model does not parse. */
export function linesOf({ plugins }: Server, name: string): readonly Directive[] {
  return plugins.flatMap((plugin) => (plugin.plugin === "other" && plugin.line.name === name ? [plugin.line] : []));
}

/** Whether a server block has a line of a plugin that was not parsed, which {@link startOf} reports. */
export function hasUnread(server: Server, name: string): boolean {
  return linesOf(server, name).length > 0;
}

const PLUGINS = new WeakMap<Server, ReadonlySet<string>>();

/**
 * Memoizes a function of an object: each line of a Corefile may ask for the zones of each block.
 * @param known The results so far.
 */
export function remembered<Key extends object, Value>(
  known: WeakMap<Key, Value>,
  key: Key,
  compute: (key: Key) => Value,
): Value {
  const value = known.get(key) ?? compute(key);
  known.set(key, value);
  return value;
}

/** Parses a plugin's line. A line that CoreDNS may reject is kept as written; {@link startOf} reports why. */
function readPlugin(line: Directive): Plugin {
  try {
    return READERS.get(line.name)?.(line) ?? { plugin: "other", line };
  } catch (error) {
    if (error instanceof Unreadable) return { plugin: "other", line };
    throw error;
  }
}

/** Whether a word contains an environment variable, `{$NAME}` or `{%NAME%}`, which CoreDNS expands. */
export function hasVariable({ args, block = [] }: Directive): boolean {
  return args.some(isVariable) || block.some((line) => isVariable(line.name) || hasVariable(line));
}

/** Reads the line of a plugin; undefined if the model does not cover it. */
const READERS: ReadonlyMap<string, (line: Directive) => Plugin | undefined> = new Map(
  Object.entries({
    autopath: sources.readAutopath,
    bind: serving.readBind,
    cache: readCache,
    errors: serving.readErrors,
    forward: sources.readForward,
    health: serving.readHealth,
    hosts: sources.readHosts,
    kubernetes: sources.readKubernetes,
    loadbalance: serving.readLoadbalance,
    log: serving.readLog,
    loop: serving.readLoop,
    multisocket: serving.readMultisocket,
    prometheus: (line: Directive) => serving.readEndpoint("prometheus", line),
    ready: (line: Directive) => serving.readEndpoint("ready", line),
    reload: serving.readReload,
    rewrite: sources.readRewrite,
  }),
);

export function writePlugin(plugin: Plugin): Directive {
  switch (plugin.plugin) {
    case "autopath":
      return sources.writeAutopath(plugin);
    case "bind":
      return directive("bind", plugin.addresses, plugin.more);
    case "cache":
      return writeCache(plugin);
    case "errors":
      return serving.writeErrors(plugin);
    case "forward":
      return sources.writeForward(plugin);
    case "health":
      return serving.writeHealth(plugin);
    case "hosts":
      return sources.writeHosts(plugin);
    case "kubernetes":
      return sources.writeKubernetes(plugin);
    case "loadbalance":
      return directive("loadbalance", plugin.policy ?? [], plugin.more);
    case "log":
      return serving.writeLog(plugin);
    case "loop":
      return directive("loop", []);
    case "multisocket":
      return directive("multisocket", [plugin.sockets]);
    case "other":
      return plugin.line;
    case "prometheus":
    case "ready":
      return serving.writeEndpoint(plugin);
    case "reload":
      return serving.writeReload(plugin);
    case "rewrite":
      return sources.writeRewrite(plugin);
  }
}
