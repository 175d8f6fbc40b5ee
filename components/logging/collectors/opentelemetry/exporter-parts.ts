import { amount } from "../../../schema/values.ts";
import { placeName, type TeamPlace } from "../../indexing/team-places.ts";
import { type LogPipeline, logGroupName } from "../../pipeline.ts";
import { type JournalSource, journalSources, sourcePlace } from "../../sources/journal.ts";

/** What has an exporter of its own: a destination, or the place of a team in one. */
export interface Part {
  readonly pipeline: LogPipeline;
  readonly place?: TeamPlace | undefined;
}

/**
 * The exporters that a pipeline needs for lines of pods. One for each team whose lines have a place of their own, since an exporter sends a
 * batch to one log group, and names objects by the first record in it; together their queues are as large as that of the destination.
 */
export function partsOf(pipeline: LogPipeline): Part[] {
  const { places, name, context, suffix } = pipeline;
  const buffer = sharedBuffer(pipeline);
  if (places.length === 0) return [{ pipeline: { ...pipeline, buffer } }];
  return places.map((place) => {
    const { team } = place;
    const { destination } = pipeline;
    const own =
      destination.kind === "s3"
        ? { ...destination, prefix: placeName(destination.prefix, team) }
        : destination.kind === "cloudwatch"
          ? { ...destination, logGroup: placeName(logGroupName(destination, context.cluster, suffix), team) }
          : destination;
    const part = { ...pipeline, destination: own, buffer };
    // With a dot, which no name of a destination has.
    return { pipeline: { ...part, name: [name ?? "destination", team ?? []].flat().join(".") }, place };
  });
}

/** The exporter of a part of the journal: in S3 one of its own, as its options name the prefix; else that of lines of no team. */
export function sourcePart(pipeline: LogPipeline, source: JournalSource): LogPipeline {
  const { destination, name } = pipeline;
  if (destination.kind !== "s3") return partsOf(pipeline).at(-1)?.pipeline ?? pipeline;
  return {
    ...pipeline,
    name: ["journal", source, name ?? []].flat().join("."),
    destination: { ...destination, prefix: sourcePlace(destination.prefix, source) },
    buffer: sharedBuffer(pipeline),
  };
}

/** Each exporter's share of the buffer. */
function sharedBuffer({ destination, sources, places, buffer }: LogPipeline): LogPipeline["buffer"] {
  const ofPods = sources.includes("pods") ? Math.max(places.length, 1) : 0;
  const exporters = ofPods + (destination.kind === "s3" ? journalSources(sources).length : 0);
  return exporters < 2 ? buffer : { ...buffer, size: String(Math.floor(amount(buffer.size) / exporters)) };
}
