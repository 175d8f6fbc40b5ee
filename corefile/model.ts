import { type CachePlugin, readCache, writeCache } from "./plugins/cache.ts";
import { directive, PluginProblem } from "./plugins/options.ts";
import {
  type BindPlugin,
  type EndpointPlugin,
  type ErrorsPlugin,
  type HealthPlugin,
  type LoadbalancePlugin,
  type LogPlugin,
  type LoopPlugin,
  type MultisocketPlugin,
  type ReloadPlugin,
  readBind,
  readEndpoint,
  readErrors,
  readHealth,
  readLoadbalance,
  readLog,
  readLoop,
  readMultisocket,
  readReload,
  writeEndpoint,
  writeErrors,
  writeHealth,
  writeLog,
  writeReload,
} from "./plugins/serving.ts";
import {
  type AutopathPlugin,
  type ForwardPlugin,
  type HostsPlugin,
  type KubernetesPlugin,
  type RewritePlugin,
  readAutopath,
  readForward,
  readHosts,
  readKubernetes,
  readRewrite,
  writeAutopath,
  writeForward,
  writeHosts,
  writeKubernetes,
  writeRewrite,
} from "./plugins/sources.ts";
import { type Blocks, type Directive, hasVariable as isVariable, parseSyntax, renderBlocks } from "./syntax/syntax.ts";

/** A plugin that the model does not cover, or a line that it cannot parse: kept as written. */
export interface OtherPlugin {
  readonly plugin: "other";
  readonly line: Directive;
}

/** The line of a plugin, with its options. */
export type Plugin =
  | AutopathPlugin
  | BindPlugin
  | CachePlugin
  | EndpointPlugin
  | ErrorsPlugin
  | ForwardPlugin
  | HealthPlugin
  | HostsPlugin
  | KubernetesPlugin
  | LoadbalancePlugin
  | LogPlugin
  | LoopPlugin
  | MultisocketPlugin
  | OtherPlugin
  | ReloadPlugin
  | RewritePlugin;

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
    return readKnown(line) ?? { plugin: "other", line };
  } catch (error) {
    if (error instanceof PluginProblem) return { plugin: "other", line };
    throw error;
  }
}

/** Whether a word contains an environment variable, `{$NAME}` or `{%NAME%}`, which CoreDNS expands. */
export function hasVariable({ args, block = [] }: Directive): boolean {
  return args.some(isVariable) || block.some((line) => isVariable(line.name) || hasVariable(line));
}

function readKnown(line: Directive): Plugin | undefined {
  switch (line.name) {
    case "autopath":
      return readAutopath(line);
    case "bind":
      return readBind(line);
    case "cache":
      return readCache(line);
    case "errors":
      return readErrors(line);
    case "forward":
      return readForward(line);
    case "health":
      return readHealth(line);
    case "hosts":
      return readHosts(line);
    case "kubernetes":
      return readKubernetes(line);
    case "loadbalance":
      return readLoadbalance(line);
    case "log":
      return readLog(line);
    case "loop":
      return readLoop(line);
    case "multisocket":
      return readMultisocket(line);
    case "prometheus":
    case "ready":
      return readEndpoint(line.name, line);
    case "reload":
      return readReload(line);
    case "rewrite":
      return readRewrite(line);
    default:
      return undefined;
  }
}

export function writePlugin(plugin: Plugin): Directive {
  switch (plugin.plugin) {
    case "autopath":
      return writeAutopath(plugin);
    case "bind":
      return directive("bind", plugin.addresses, plugin.more);
    case "cache":
      return writeCache(plugin);
    case "errors":
      return writeErrors(plugin);
    case "forward":
      return writeForward(plugin);
    case "health":
      return writeHealth(plugin);
    case "hosts":
      return writeHosts(plugin);
    case "kubernetes":
      return writeKubernetes(plugin);
    case "loadbalance":
      return directive("loadbalance", plugin.policy ?? [], plugin.more);
    case "log":
      return writeLog(plugin);
    case "loop":
      return directive("loop", []);
    case "multisocket":
      return directive("multisocket", [plugin.sockets]);
    case "other":
      return plugin.line;
    case "prometheus":
    case "ready":
      return writeEndpoint(plugin);
    case "reload":
      return writeReload(plugin);
    case "rewrite":
      return writeRewrite(plugin);
  }
}
