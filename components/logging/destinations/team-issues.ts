import type { SettingsIssue } from "../../schema/errors.ts";
import { amount } from "../../schema/values.ts";
import { placeName } from "../indexing/team-places.ts";
import { splitsPlaces, type Target, type TeamNamespaces } from "../routing/routes.ts";
import { RETENTION } from "./destination-settings.ts";

/** Minimum buffer of a place. Collectors that split places have one per place, except Vector. */
const MIN_SHARE = 64 * 2 ** 20;
/** @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html */
const MAX_LOG_GROUP = 512;

/**
 * Errors of a log group or bucket that is split by team. Paths are below `logging`.
 * @param teams Default: unknown, and any team name may be right.
 */
export function teamIssues(
  { destination, index, path, bufferPath, bufferSize, places }: Target,
  { id, title }: { readonly id: string; readonly title: string },
  teams: readonly TeamNamespaces[] | undefined,
): SettingsIssue[] {
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
  const least = Math.ceil((places.length * MIN_SHARE) / 2 ** 20);
  if (id !== "vector" && amount(bufferSize) < least * 2 ** 20) {
    const message = `must be at least ${least}Mi, 64Mi for each team and for the rest`;
    issues.push({ path: [...bufferPath, "size"], message, value: bufferSize });
  }
  return issues;
}
