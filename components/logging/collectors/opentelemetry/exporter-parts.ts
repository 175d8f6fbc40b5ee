import { amount } from "../../../schema/values.ts";
import { placeName, type TeamPlace } from "../../indexing/team-places.ts";
import { type LogPipeline, logGroupName } from "../../pipeline.ts";

/** What has an exporter of its own: a destination, or the place of a team in one. */
export interface Part {
  readonly pipeline: LogPipeline;
  readonly place?: TeamPlace | undefined;
}

/**
 * The exporters that a pipeline needs. One for each team whose lines have a place of their own, since an exporter sends a batch to one log
 * group, and names objects by the first record in it; together their queues are as large as that of the destination.
 */
export function partsOf(pipeline: LogPipeline): Part[] {
  const { places, buffer, name, context, suffix } = pipeline;
  if (places.length === 0) return [{ pipeline }];
  const size = String(Math.floor(amount(buffer.size) / places.length));
  return places.map((place) => {
    const { team } = place;
    const { destination } = pipeline;
    const own =
      destination.kind === "s3"
        ? { ...destination, prefix: placeName(destination.prefix, team) }
        : destination.kind === "cloudwatch"
          ? { ...destination, logGroup: placeName(logGroupName(destination, context.cluster, suffix), team) }
          : destination;
    const part = { ...pipeline, destination: own, buffer: { ...buffer, size } };
    // With a dot, which no name of a destination has.
    return { pipeline: { ...part, name: [name ?? "destination", team ?? []].flat().join(".") }, place };
  });
}
