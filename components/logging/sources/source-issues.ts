import type { SettingsIssue } from "../../schema/errors.ts";
import type { Collector } from "../collectors/collector.ts";
import { isReservedByElasticsearch, RESERVED_PATTERNS, safeIndexPart } from "../indexing/index-format.ts";
import { hasIndex } from "../pipeline.ts";
import { routedTeams, type Target, type TeamNamespaces } from "../routing/routes.ts";
import {
  EVENT_KEYS,
  JOURNAL_KEYS,
  journalSources,
  type OwnSource,
  ownSources,
  placeOfSource,
  type Source,
  sourceIndex,
} from "./journal.ts";

/** Settings that decide whether sources can be collected. */
interface SourceSettings {
  readonly sources: readonly Source[];
  readonly mode: "daemonset" | "sidecar";
  readonly processing: { readonly fields: Readonly<Record<string, string>> };
}

/** Errors in the choice of sources. Paths are below `logging`. */
export function sourceIssues(settings: SourceSettings, collector: Collector): SettingsIssue[] {
  const { sources, mode } = settings;
  const issues: SettingsIssue[] = takenFields(settings);
  const add = (message: string) => issues.push({ path: ["sources"], message, value: sources });
  if (!sources.includes("pods")) add("must contain pods");
  const own = ownSources(sources);
  if (own.length === 0) return issues;
  if (mode === "sidecar") {
    add("must be only pods with mode sidecar, which reads the files of one pod");
    return issues;
  }
  const journal = journalSources(own);
  const { title, sources: { journal: support } = {} } = collector;
  if (journal.length > 0 && support !== true)
    add(
      `must not contain ${journal.join(", ")} with ${title}, ${support ?? "which does not read the journal here"}: set collector fluent-bit, opentelemetry or vector`,
    );
  return issues;
}

/** Reports fields of the stack that would overwrite those of a source's records. */
function takenFields({ sources, processing: { fields } }: SourceSettings): SettingsIssue[] {
  const taken = [
    { keys: JOURNAL_KEYS, of: journalSources(sources) },
    { keys: EVENT_KEYS, of: sources.filter((source) => source === "events") },
  ];
  return Object.keys(fields).flatMap((name) => {
    const [source] = taken.flatMap(({ keys, of }) => (keys.includes(name) ? of : []));
    if (source === undefined) return [];
    const message = `must have another name with the source ${source}, whose records have a field ${name} already`;
    return [{ path: ["processing", "fields", name], message }];
  });
}

/**
 * Reports names of a source in a destination that others share, or that Elasticsearch reserves.
 * @param teams Default: unknown.
 */
export function sourceNameIssues(target: Target, teams: readonly TeamNamespaces[] = []): SettingsIssue[] {
  const { destination, index, indexPath, places } = target;
  const sources = ownSources(target.sources);
  if (sources.length === 0) return [];
  const reserves = (source: OwnSource) => isReservedByElasticsearch(sourceIndex(index, source));
  if (destination.kind === "elasticsearch" && !isReservedByElasticsearch(index) && sources.some(reserves)) {
    const message = `prefix and separator must not form a name that Elasticsearch reserves (${RESERVED_PATTERNS}) with the source after them`;
    return [{ path: indexPath, message }];
  }
  if (destination.kind === "file" && sources.includes("events")) {
    const message = "must not be file for the source events, which is read by a pod without access to its node";
    return [{ path: [...target.path, "kind"], message, value: destination.kind }];
  }
  const path = [...indexPath, "splitBy"];
  const same = (what: string, of: string): SettingsIssue => ({
    path,
    message: `must not be ${index.splitBy} with sources and a ${of}, whose lines would have the same ${what} as a source's`,
    value: index.splitBy,
  });
  const parts = sources.map(placeOfSource);
  const team = places.find((place) => parts.some((part) => part === place.team))?.team;
  if (destination.kind === "s3" && team !== undefined) return [same("prefix", `team ${team}`)];
  if (!hasIndex(destination) || (index.splitBy !== "team" && index.splitBy !== "namespace")) return [];
  const taken = sources.map((source) => [placeOfSource(source), source].join(index.separator));
  const values = routedTeams(target.selections, teams).flatMap(({ name, namespaces }) =>
    index.splitBy === "team" ? name : (namespaces ?? []).map((namespace) => namespace.name),
  );
  return values
    .filter((value) => taken.includes(safeIndexPart(value)))
    .map((value) => same("index", `${index.splitBy} ${value}`));
}
