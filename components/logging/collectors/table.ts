import type { CollectorId } from "../settings.ts";
import type { Collector } from "./collector.ts";
import { filebeat } from "./filebeat.ts";
import { fluentBit } from "./fluent-bit.ts";
import { fluentd } from "./fluentd.ts";
import { logagent } from "./logagent.ts";
import { opentelemetry } from "./opentelemetry.ts";
import { promtail } from "./promtail.ts";
import { tail } from "./tail.ts";
import { vector } from "./vector.ts";

/** Every collector that this program can run, by its name in the settings. */
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

/** Names of the collectors that there are. */
export function collectorNames(): string {
  return Object.keys(COLLECTORS).join(", ");
}
