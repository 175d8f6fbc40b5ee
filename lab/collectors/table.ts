import Table from "cli-table3";
import type { Collector } from "../../components/logging/collectors/collector.ts";
import { COLLECTORS } from "../../components/logging/collectors/table.ts";
import type { DestinationKind } from "../../components/logging/destination-settings.ts";

/** Every destination, in the order of the settings. */
export const DESTINATION_KINDS = [
  "stdout",
  "file",
  "http",
  "opensearch",
  "elasticsearch",
  "cloudwatch",
  "s3",
  "loki",
] as const satisfies readonly DestinationKind[];

export function collectors(): Collector[] {
  return Object.values(COLLECTORS);
}

/** The collectors for a terminal. */
export function collectorsTable(): string {
  const table = new Table({ head: ["collector", "runs as", ...DESTINATION_KINDS] });
  for (const { id, carriers, destinations } of collectors()) {
    const cells = DESTINATION_KINDS.map((kind) => (destinations[kind] === true ? "yes" : "-"));
    table.push([id, carriers.join(", "), ...cells]);
  }
  return `${table.toString()}\n--markdown adds why not, and how each parses, buffers and names an index\n`;
}

/** The collectors for a program. */
export function collectorsJson() {
  return collectors().map(({ id, title, image, documentation, carriers, destinations, about }) => ({
    id,
    title,
    image,
    documentation,
    carriers,
    destinations,
    about,
  }));
}
