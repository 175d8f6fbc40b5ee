import type { Collector } from "../components/logging/collectors/collector.ts";
import { COLLECTORS } from "../components/logging/collectors/index.ts";
import type { DestinationKind } from "../components/logging/destinations/destination-settings.ts";
import { boxedTable } from "./output/text.ts";

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
  "otlp",
  "splunk",
  "firehose",
  "kafka",
] as const satisfies readonly DestinationKind[];

function collectors(): Collector[] {
  return Object.values(COLLECTORS);
}

/** The collectors as a table for a terminal. */
export function collectorsTable(): string {
  const support = collectors().map(({ id, modes, journal, destinations }) => [
    id,
    modes.join(", "),
    journal === undefined ? "-" : "yes",
    ...DESTINATION_KINDS.map((kind) => (destinations[kind] === true ? "yes" : "-")),
  ]);
  const about = collectors().map((collector) => {
    const { parsing, buffer, index, maintenance, ownCode } = collector.about;
    return [collector.id, parsing.join("; "), buffer, index, resourcesOf(collector), maintenance, ownCode];
  });
  const measured = collectors().map((collector) => [collector.id, collector.about.losses, cpuOf(collector)]);
  const aboutHead = [
    "collector",
    "parsing",
    "while the destination is down",
    "index",
    "resources",
    "maintenance",
    "code of this project",
  ];
  return [
    boxedTable(["collector", "runs as", "journal", ...DESTINATION_KINDS], support),
    boxedTable(aboutHead, about, { widths: [15, 26, 22, 18, 16, 18, 20] }),
    boxedTable(["collector", "lines lost in tests", "CPU per line"], measured, { widths: [15, 60, 22] }),
    "--json adds the reasons\n",
  ].join("\n");
}

/** CPU and memory requests, and the memory limit: `100m CPU, 128Mi to 512Mi`. */
export function resourcesOf({ resources }: Pick<Collector, "resources">): string {
  return `${resources.cpu} CPU, ${resources.memory} to ${resources.memoryLimit}`;
}

/** CPU cost per line: `4.5 × Fluent Bit's`. */
export function cpuOf({ about: { cpu } }: Pick<Collector, "about">): string {
  return cpu === undefined ? "not measured" : `${cpu} × Fluent Bit's`;
}

/** The collectors as JSON. */
export function collectorsJson() {
  return collectors().map(
    ({ id, title, image, images = {}, documentation, modes, journal, destinations, about, resources }) => ({
      id,
      title,
      image,
      images,
      documentation,
      modes,
      sources: journal === undefined ? {} : { journal: true },
      destinations,
      about: { ...about, parsing: about.parsing.join("; ") },
      resources,
    }),
  );
}
