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
  const about = new Table({
    head: ["collector", "parsing", "while the destination is away", "index", "resources", "maintenance"],
    wordWrap: true,
    colWidths: [15, 30, 25, 20, 18, 20],
  });
  for (const collector of collectors()) {
    const { parsing, buffer, index, maintenance } = collector.about;
    about.push([collector.id, parsing, buffer, index, resourcesOf(collector), maintenance]);
  }
  return `${table.toString()}\n${about.toString()}\n--markdown adds why not\n`;
}

/** What a collector asks for and may take, in words. */
export function resourcesOf({ resources }: Collector): string {
  return `${resources.cpu} CPU, ${resources.memory} to ${resources.memoryLimit}`;
}

/** The collectors for a program. */
export function collectorsJson() {
  return collectors().map(
    ({ id, title, image, images = {}, documentation, carriers, destinations, about, resources }) => ({
      id,
      title,
      image,
      images,
      documentation,
      carriers,
      destinations,
      about,
      resources,
    }),
  );
}
