import { LoggingSettings } from "../../../components/logging/settings.ts";

/** Settings below `logging` whose records do not name the cluster, unless they say so: what a test compares has fewer fields. */
export function unnamedCluster(settings: {
  readonly metadata?: object;
  readonly [key: string]: unknown;
}): LoggingSettings {
  return LoggingSettings.parse({ ...settings, metadata: { cluster: false, ...settings.metadata } });
}
