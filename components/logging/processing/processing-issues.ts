import type { SettingsIssue } from "../../schema/errors.ts";
import type { Collector } from "../collectors/collector.ts";
import { uncollectedWarnings } from "../routing/route-issues.ts";
import { selectionOf, type TeamNamespaces, teamRequirement } from "../routing/routes.ts";
import type { LoggingSettings } from "../settings.ts";
import { PROCESSING_STEPS, type ProcessingStep } from "./settings.ts";

/**
 * Errors and warnings of the processing settings. Paths are below `logging`.
 * @param teams Default: unknown, and any team name may be right.
 */
export function processingIssues(
  settings: LoggingSettings,
  collector: Collector,
  teams: readonly TeamNamespaces[] | undefined,
): SettingsIssue[] {
  const { processing, metadata, mode } = settings;
  const issues: SettingsIssue[] = [];
  for (const step of PROCESSING_STEPS.filter((name) => isSet(processing[name]))) {
    const path = ["processing", step];
    const support = collector.processing[step];
    if (support !== true)
      issues.push({ path, message: `must not be set with ${collector.title}, ${support}`, value: processing[step] });
    else if (mode === "sidecar" && ONLY_ON_NODES.has(step)) {
      const message = "must not be set with mode sidecar, which reads the files of one pod";
      issues.push({ path, message, value: processing[step] });
    }
  }
  issues.push(...clusterFieldIssues(metadata, collector));
  for (const step of ["drop", "sample", "limit", "firstLines"] as const)
    for (const [index, rule] of processing[step].entries())
      issues.push(...ruleIssues(rule, ["processing", step, index], settings, teams));
  return issues;
}

/** Issues of the fields that name the cluster. */
function clusterFieldIssues(
  { cluster, accountId }: LoggingSettings["metadata"],
  collector: Collector,
): SettingsIssue[] {
  const issues: SettingsIssue[] = [];
  const addsFields = collector.processing.fields === true;
  if (cluster && !addsFields) {
    const message = `must be false with ${collector.title}, which adds no fields here`;
    issues.push({ path: ["metadata", "cluster"], message, value: true });
  }
  if (accountId !== undefined && cluster === false)
    issues.push({ path: ["metadata"], message: "accountId and cluster: false are mutually exclusive" });
  else if (accountId !== undefined && !addsFields) {
    const message = `must not be set with ${collector.title}, which adds no fields here`;
    issues.push({ path: ["metadata", "accountId"], message, value: accountId });
  }
  return issues;
}

/** Steps that distinguish pods or times, which a sidecar's files do not. */
const ONLY_ON_NODES: ReadonlySet<ProcessingStep> = new Set(["sample", "limit", "firstLines"]);
const POD_CONDITIONS = ["namespaces", "teams", "labels", "streams"] as const;

function isSet(value: object): boolean {
  return Object.keys(value).length > 0;
}

/** Any subset of a rule's conditions. */
type Rule = Partial<LoggingSettings["processing"]["drop"][number]>;

function ruleIssues(
  rule: Rule,
  path: readonly PropertyKey[],
  { mode, parseJson, ...collected }: LoggingSettings,
  teams: readonly TeamNamespaces[] | undefined,
): SettingsIssue[] {
  const issues: SettingsIssue[] = [];
  const add = (keys: readonly PropertyKey[], message: string, value?: unknown) =>
    issues.push({ path: [...path, ...keys], message, value });
  if (teams !== undefined)
    for (const [index, team] of (rule.teams ?? []).entries())
      if (!teams.some(({ name }) => name === team)) add(["teams", index], teamRequirement(teams), team);
  if (selectionOf({ to: [], ...rule }, teams ?? []).namespaces?.length === 0)
    add([], "teams and namespaces have no namespace in common, so it matches no line");
  if (rule.levels !== undefined && !parseJson)
    add(["levels"], "must not be set with parseJson false, which leaves no level", rule.levels);
  if (mode === "sidecar")
    for (const key of POD_CONDITIONS)
      if (rule[key] !== undefined)
        add([key], "must not be set with mode sidecar, which reads the files of one pod", rule[key]);
  issues.push(...uncollectedWarnings(rule, path, collected, teams));
  return issues;
}
