import { isDeepStrictEqual } from "node:util";
import type { SettingsIssue } from "../schema/errors.ts";
import type { Collector } from "./collectors/collector.ts";
import { Destination } from "./destination-settings.ts";
import { type ApplicationPod, type DestinationContext, hasIndex, logPipeline, NODE } from "./pipeline.ts";
import { LoggingSettings } from "./settings.ts";

/** A setting of a value other than its default, and the settings as they are with the default (or another value) in its place. */
interface Choice {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly byDefault: LoggingSettings;
}

const CONTEXT: DestinationContext = { cluster: "dev", region: "eu-central-1", bucket: "dev-logs" };
/** A pod of which all is known, so that each setting that may show does. */
const POD: ApplicationPod = {
  namespace: "ts-team",
  pod: "curl-ts",
  container: "responder",
  team: "ts",
  app: "curl-ts",
};
const DEFAULTS = LoggingSettings.parse({});
const INDEX_KEYS = ["prefix", "separator", "datePattern", "timeZone", "splitBy"] as const;
/** Options of destinations that only a collector's own configuration shows. */
const DESTINATION_KEYS = ["path", "prefix", "tenant", "tls", "verify"] as const;

/**
 * A warning for each setting that changes nothing: the collector's configuration is the same with the setting's default. It is for
 * settings that are valid. Paths are below `logging`.
 */
export function settingsWithoutEffect(settings: LoggingSettings, collector: Collector): SettingsIssue[] {
  const source = settings.mode === "daemonset" ? NODE : { kind: "application" as const, pod: POD };
  const rendered = (of: LoggingSettings) => collector.render(logPipeline(of, CONTEXT, source));
  const { destination, mode } = settings;
  const { title } = collector;
  const chosen = [...choices(settings), ...otherWhenFull(settings, collector)];
  const own = chosen.length > 0 ? rendered(settings) : undefined;
  return chosen.flatMap(({ path, value, byDefault }): SettingsIssue[] => {
    if (!isDeepStrictEqual(own, rendered(byDefault))) return [];
    const message =
      path[0] === "index" && !hasIndex(destination)
        ? `has no effect with destination ${destination.kind}, which has no indices`
        : `has no effect with collector ${title}, mode ${mode} and destination ${destination.kind}`;
    return [{ path, message, value, severity: "warning" }];
  });
}

/**
 * The choice of `buffer.whenFull`, compared with the other value, since its default may be either. None where the collector refuses
 * the other: then this is what it does.
 */
function otherWhenFull(settings: LoggingSettings, collector: Collector): Choice[] {
  const { buffer } = settings;
  if (buffer.whenFull === undefined) return [];
  const whenFull = buffer.whenFull === "block" ? ("drop-oldest" as const) : ("block" as const);
  const other = { ...settings, buffer: { ...buffer, whenFull } };
  const isRefused = collector.unsupported(logPipeline(other, CONTEXT)).some(({ path }) => path[1] === "whenFull");
  return isRefused ? [] : [{ path: ["buffer", "whenFull"], value: buffer.whenFull, byDefault: other }];
}

function choices(settings: LoggingSettings): Choice[] {
  const { index, namespaces, metadata, buffer, destination } = settings;
  const found: Choice[] = [];
  const add = (path: readonly string[], value: unknown, standard: unknown, byDefault: LoggingSettings) => {
    if (!isSame(value, standard)) found.push({ path, value, byDefault });
  };
  for (const key of INDEX_KEYS) {
    const changed = { ...settings, index: { ...index, [key]: DEFAULTS.index[key] } };
    add(["index", key], index[key], DEFAULTS.index[key], changed);
  }
  for (const key of ["include", "exclude"] as const)
    add(["namespaces", key], namespaces[key], [], { ...settings, namespaces: { ...namespaces, [key]: [] } });
  add(["labels"], settings.labels, {}, { ...settings, labels: {} });
  add(["multiline"], settings.multiline, DEFAULTS.multiline, { ...settings, multiline: DEFAULTS.multiline });
  add(["parseJson"], settings.parseJson, DEFAULTS.parseJson, { ...settings, parseJson: DEFAULTS.parseJson });
  for (const key of ["labels", "annotations"] as const) {
    const standard = DEFAULTS.metadata[key];
    add(["metadata", key], metadata[key], standard, { ...settings, metadata: { ...metadata, [key]: standard } });
  }
  const { size } = DEFAULTS.buffer;
  add(["buffer", "size"], buffer.size, size, { ...settings, buffer: { ...buffer, size } });
  for (const key of DESTINATION_KEYS) {
    const value = Object.entries(destination).find(([name]) => name === key)?.[1];
    const rest = Destination.safeParse(
      Object.fromEntries(Object.entries(destination).filter(([name]) => name !== key)),
    ).data;
    if (value === undefined || rest === undefined) continue;
    add(["destination", key], destination, rest, { ...settings, destination: rest });
  }
  return found;
}

/** Whether two values mean the same; a list has no order here. */
function isSame(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) return isDeepStrictEqual([...one].sort(), [...other].sort());
  return isDeepStrictEqual(one, other);
}
