import { indexPrefix, notation } from "../../index-format.ts";
import { hasIndex, type LogPipeline, MAX_FIELDS_BYTES } from "../../pipeline.ts";
import { readScript, scriptSections } from "../scripts.ts";
import { continuationPattern } from "../stack-traces.ts";

/** Field with the id of a document; the output takes it out of the record. */
export const ID_FIELD = "_id";
/** Metadata field with the part of an index name that differs between records. */
const INDEX_FIELD = "%index";
/** No limit for `max_fields_bytes`: the largest integer that is exact in JSON. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

const SECTIONS = scriptSections(readScript(import.meta.url, "record.vrl"));

/**
 * A condition for the first line of a record: one that continues no stack trace.
 * @returns undefined where no traces are joined.
 */
export function firstLineCondition({ multiline }: Pick<LogPipeline, "multiline">): string | undefined {
  const pattern = continuationPattern(multiline);
  return pattern === undefined ? undefined : `!match(string(.message) ?? "", r'${pattern}')`;
}

/**
 * The program that makes the record: constants of the pipeline, and the sections of `record.vrl` that it needs. Sections that do not apply
 * are left out, not skipped at run time: VRL rejects code that handles an error which cannot occur there.
 * @see https://vector.dev/docs/reference/vrl/
 */
export function recordProgram(pipeline: LogPipeline): string {
  const { source, metadata, parseJson, destination, index } = pipeline;
  const search = hasIndex(destination);
  const split = search && source.kind === "node" && index.splitBy !== "none";
  const constants = {
    ...(source.kind === "node"
      ? { keep_labels: metadata.labels, keep_annotations: metadata.annotations }
      : applicationConstants(pipeline)),
    ...(parseJson
      ? { max_fields_bytes: destination.kind === "opensearch" ? MAX_FIELDS_BYTES : NO_LIMIT, safe_names: search }
      : {}),
    ...(split ? { split_by: index.splitBy, separator: index.separator } : {}),
    ...(search
      ? {
          ...(split ? {} : { split: "" }),
          date_format: notation(index.datePattern, "strftime"),
          time_zone: index.timeZone,
        }
      : {}),
  };
  const sections = [
    "line",
    source.kind,
    ...(parseJson ? ["fields"] : []),
    ...(split ? ["split"] : []),
    ...(search ? ["index"] : []),
  ];
  return [
    ...Object.entries(constants).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`),
    ...sections.map((name) => SECTIONS(name)),
  ].join("");
}

/** The name of an index for the output. It begins with a literal, which Vector requires, so that no value leads to another index. */
export function indexTemplate({ index: format, source }: LogPipeline): string {
  const prefix = source.kind === "node" ? format.prefix : indexPrefix(format, source.pod);
  return `${prefix}${format.separator}{{ ${INDEX_FIELD} }}`;
}

function applicationConstants({ source, metadata }: LogPipeline): Readonly<Record<string, unknown>> {
  if (source.kind === "node") return {};
  const { namespace, pod, container, team, app } = source.pod;
  const labels = metadata.labels && app !== undefined ? { labels: { "app_kubernetes_io/name": app } } : {};
  return {
    pod: { namespace_name: namespace, pod_name: pod, container_name: container, ...labels },
    team: team ?? "",
  };
}
