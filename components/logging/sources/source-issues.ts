import type { SettingsIssue } from "../../schema/errors.ts";
import { isReservedByElasticsearch, RESERVED_PATTERNS, safeIndexPart } from "../indexing/index-format.ts";
import { hasIndex } from "../pipeline.ts";
import { routedTeams, type Target, type TeamNamespaces } from "../routing/routes.ts";
import { type JournalSource, journalSources, NODE_PART, type Source, sourceIndex } from "./journal.ts";

/** Settings that decide whether the sources can be collected. */
interface SourceSettings {
  readonly sources: readonly Source[];
  readonly mode: "daemonset" | "sidecar";
}

/** Why the sources cannot be collected as they are set. Paths are below `logging`. */
export function sourceIssues(
  { sources, mode }: SourceSettings,
  { title, readsJournal = false }: { readonly title: string; readonly readsJournal?: boolean },
): SettingsIssue[] {
  const path = ["sources"];
  if (!sources.includes("pods")) return [{ path, message: "must contain pods", value: sources }];
  if (journalSources(sources).length === 0) return [];
  const only = (reason: string): SettingsIssue[] => [{ path, message: `must be only pods ${reason}`, value: sources }];
  if (mode === "sidecar") return only("with mode sidecar, which reads no files of the node");
  if (!readsJournal) return only(`with ${title}, which does not read the journal here: set collector fluent-bit`);
  return [];
}

/**
 * Names of a source that are not its own in a destination, or that Elasticsearch reserves.
 * @param teams Default: not known.
 */
export function sourceNameIssues(target: Target, teams: readonly TeamNamespaces[] = []): SettingsIssue[] {
  const { destination, index, indexPath, places } = target;
  const sources = journalSources(target.sources);
  if (sources.length === 0) return [];
  const reserves = (source: JournalSource) => isReservedByElasticsearch(sourceIndex(index, source));
  if (destination.kind === "elasticsearch" && !isReservedByElasticsearch(index) && sources.some(reserves)) {
    const message = `prefix and separator must not form a name that Elasticsearch reserves (${RESERVED_PATTERNS}) with the source after them`;
    return [{ path: indexPath, message }];
  }
  const path = [...indexPath, "splitBy"];
  const same = (what: string, of: string): SettingsIssue => ({
    path,
    message: `must not be ${index.splitBy} with sources and a ${of}, whose lines would have the same ${what} as the node's`,
    value: index.splitBy,
  });
  if (destination.kind === "s3" && places.some(({ team }) => team === NODE_PART))
    return [same("prefix", `team ${NODE_PART}`)];
  if (!hasIndex(destination) || (index.splitBy !== "team" && index.splitBy !== "namespace")) return [];
  const taken = sources.map((source) => [NODE_PART, source].join(index.separator));
  const values = routedTeams(target.selections, teams).flatMap(({ name, namespaces }) =>
    index.splitBy === "team" ? name : (namespaces ?? []).map((namespace) => namespace.name),
  );
  return values
    .filter((value) => taken.includes(safeIndexPart(value)))
    .map((value) => same("index", `${index.splitBy} ${value}`));
}
