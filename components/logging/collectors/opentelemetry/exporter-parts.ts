import { amount } from "../../../schema/values.ts";
import { placeName, type TeamPlace } from "../../indexing/team-places.ts";
import { type LogPipeline, logGroupName } from "../../pipeline.ts";
import { type JournalSource, journalSources, sourcePlace } from "../../sources/journal.ts";

/** A destination, or a team's place in one, with its own exporter. */
export interface Part {
  readonly pipeline: LogPipeline;
  readonly place?: TeamPlace | undefined;
}

/**
 * The exporters for a pipeline's pod lines: one for each team with its own place, since an exporter sends a batch to one log group, and
 * names objects by the batch's first record; together their queues are as large as the destination's.
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
    // With a dot, which no destination name has.
    return { pipeline: { ...part, name: [name ?? "destination", team ?? []].flat().join(".") }, place };
  });
}

/** Exporter of a part of the journal: in S3 its own, whose options have the prefix; else that of lines of no team. */
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
