import type { SettingsIssue } from "../../schema/errors.ts";
import { amount } from "../../schema/values.ts";
import { placeName } from "../indexing/team-places.ts";
import { splitsPlaces, type Target, type TeamNamespaces } from "../routing/routes.ts";
import { journalSources } from "../sources/journal.ts";
import { RETENTION } from "./aws/aws-settings.ts";

/** Minimum buffer of a place, in MiB. Collectors that split places have one per place, except Vector. */
const MIN_SHARE = 64;
/** @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html */
const MAX_LOG_GROUP = 512;

/**
 * Errors of a log group or bucket that is split by team, or by source. Paths are below `logging`.
 * @param teams Default: unknown, and any team name may be right.
 */
export function teamIssues(
  target: Target,
  { id, title }: { readonly id: string; readonly title: string },
  teams: readonly TeamNamespaces[] | undefined,
): SettingsIssue[] {
  const { destination, index, path, places } = target;
  if (destination.kind !== "cloudwatch" && destination.kind !== "s3") return [];
  const named = Object.keys(destination.teams ?? {});
  if (named.length > 0 && index.splitBy !== "team")
    return [{ path: [...path, "teams"], message: "requires index.splitBy team", value: named }];
  if (named.length > 0 && !splitsPlaces(id)) {
    const message = `must not be set with ${title}, which sends the lines of all teams to one place`;
    return [{ path: [...path, "teams"], message, value: named }];
  }
  const issues = named.flatMap((team): SettingsIssue[] => {
    if (teams === undefined || places.some((place) => place.team === team)) return [];
    if (teams.some(({ name }) => name === team)) {
      const message = "must be the name of a team with a route to this destination";
      return [{ path: [...path, "teams", team], message, value: team }];
    }
    const known = teams.length === 0 ? "and this stack has none" : `one of ${teams.map(({ name }) => name).join(", ")}`;
    return [{ path: [...path, "teams", team], message: `must be the name of a team, ${known}`, value: team }];
  });
  if (destination.kind === "cloudwatch" && destination.existing && index.splitBy === "team")
    issues.push({ path: [...path, "existing"], message: "must be false with index.splitBy team", value: true });
  if (destination.kind === "cloudwatch" && destination.logGroup !== undefined) {
    const { logGroup } = destination;
    const [longest = ""] = places
      .map(({ team }) => placeName(logGroup, team))
      .sort((one, other) => other.length - one.length);
    if (longest.length > MAX_LOG_GROUP) {
      const message = `must have at most ${logGroup.length - longest.length + MAX_LOG_GROUP} characters, since CloudWatch Logs allows ${MAX_LOG_GROUP} with the team's name after it`;
      issues.push({ path: [...path, "logGroup"], message, value: logGroup });
    }
  }
  if (destination.kind === "s3") {
    const { retentionDays = RETENTION.s3 } = destination;
    for (const [team, own] of Object.entries(destination.teams ?? {}))
      if (own.retentionDays > retentionDays) {
        const message = `must be at most ${retentionDays}, since S3 deletes an object by the shorter of two rules`;
        issues.push({ path: [...path, "teams", team, "retentionDays"], message, value: own.retentionDays });
      }
    if (destination.existing && named.length > 0)
      issues.push({ path: [...path, "teams"], message: "must not be set with existing, which keeps its own rules" });
  }
  return [...issues, ...shareIssues(target, id)];
}

/** A buffer too small for its parts: one per place, and with OpenTelemetry's exporters for S3 one per journal source. */
function shareIssues(
  { destination, sources, places, bufferPath, bufferSize }: Target,
  collector: string,
): SettingsIssue[] {
  if (collector === "vector") return [];
  const journal = collector === "opentelemetry" && destination.kind === "s3" ? journalSources(sources).length : 0;
  const pods = sources.includes("pods") ? 1 : 0;
  const parts = journal === 0 ? places.length : Math.max(places.length, pods) + journal;
  if (amount(bufferSize) >= parts * MIN_SHARE * 2 ** 20) return [];
  const each = [...(places.length === 0 ? [] : ["team"]), ...(journal === 0 ? [] : ["source of the node's journal"])];
  const message = `must be at least ${parts * MIN_SHARE}Mi, ${MIN_SHARE}Mi for each ${each.join(" and ")} and for the rest`;
  return [{ path: [...bufferPath, "size"], message, value: bufferSize }];
}
