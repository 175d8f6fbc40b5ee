import type { CollectorId } from "../settings.ts";
import type { Collector } from "./collector.ts";
import { filebeat } from "./filebeat/index.ts";
import { fluentBit } from "./fluent-bit/index.ts";
import { fluentd } from "./fluentd/index.ts";
import { logagent } from "./logagent/index.ts";
import { opentelemetry } from "./opentelemetry/index.ts";
import { promtail } from "./promtail/index.ts";
import { tail } from "./tail.ts";
import { vector } from "./vector/index.ts";

/** All collectors, by their name in the settings. */
export const COLLECTORS: Readonly<Partial<Record<CollectorId, Collector>>> = {
  "fluent-bit": fluentBit,
  fluentd,
  filebeat,
  vector,
  promtail,
  logagent,
  opentelemetry,
  tail,
};

/** Names of all collectors. */
export function collectorNames(): string {
  return Object.keys(COLLECTORS).join(", ");
}
