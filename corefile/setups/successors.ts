/** What to write instead of a plugin or option that earlier releases of CoreDNS had. */
interface Removed {
  /** First release without it. */
  readonly version: string;
  /** As an imperative. */
  readonly advice: string;
}

/**
 * Plugins that are still in many Corefiles.
 * @see https://github.com/coredns/coredns/tree/master/notes
 */
const PLUGINS: Readonly<Record<string, Removed>> = {
  federation: { version: "1.7.0", advice: "leave it out" },
  proxy: { version: "1.5.0", advice: "use forward" },
  reverse: { version: "1.2.0", advice: "use template" },
  startup: { version: "1.1.0", advice: "use on startup" },
  shutdown: { version: "1.1.0", advice: "use on shutdown" },
};

const LOOKED_UP: Removed = {
  version: "1.7.0",
  advice: "leave it out, since CoreDNS itself looks up the names of CNAMEs",
};
const TRANSFERRED: Removed = { version: "1.8.0", advice: "use the plugin transfer" };
const RELOADED: Removed = { version: "1.5.0", advice: "write reload 0" };

/** Options, by plugin. */
const OPTIONS: Readonly<Record<string, Readonly<Record<string, Removed>>>> = {
  auto: { no_reload: RELOADED, transfer: TRANSFERRED },
  file: { no_reload: RELOADED, transfer: TRANSFERRED },
  kubernetes: {
    resyncperiod: { version: "1.7.0", advice: "leave it out" },
    transfer: TRANSFERRED,
    upstream: LOOKED_UP,
  },
};

/** Why a plugin, or an option of it, is unknown; undefined if no earlier release had it. */
export function removalOf(plugin: string, option?: string): Removed | undefined {
  const known = option === undefined ? PLUGINS : own(OPTIONS, plugin);
  return known === undefined ? undefined : own(known, option ?? plugin);
}

function own<Value>(values: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(values, key) ? values[key] : undefined;
}
