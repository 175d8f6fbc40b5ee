import { indexPrefix, notation } from "../../index-format.ts";
import { hasIndex, type LogPipeline, MAX_FIELDS_BYTES, NODE_VARIABLE, OPT_OUT_ANNOTATION } from "../../pipeline.ts";
import { LINES } from "./sources.ts";
import { type Options, quoted, type Section, variable } from "./syntax.ts";

/** The filter that makes the record: `filter_pod_record.rb` with the parameters of a pipeline. */
export function record(pipeline: LogPipeline): Section {
  const { source, labels, metadata, parseJson, destination } = pipeline;
  return {
    name: "filter",
    of: LINES,
    options: {
      "@type": "pod_record",
      node: variable(NODE_VARIABLE),
      opt_out: OPT_OUT_ANNOTATION,
      labels: metadata.labels,
      annotations: metadata.annotations,
      parse_json: parseJson,
      fields_bytes: destination.kind === "opensearch" ? MAX_FIELDS_BYTES : undefined,
      ...(source.kind === "application"
        ? { application: application(pipeline) }
        : { required_labels: quoted(JSON.stringify(labels)) }),
      stream: destination.kind === "cloudwatch" ? true : undefined,
      ...index(pipeline),
    },
  };
}

/** What each record of an application has; known when the configuration is rendered. */
function application({ source, metadata }: LogPipeline): string | undefined {
  if (source.kind === "node") return undefined;
  const { namespace, pod, container, team, app } = source.pod;
  const labels = metadata.labels && app !== undefined ? { labels: { "app_kubernetes_io/name": app } } : {};
  const kubernetes = { namespace_name: namespace, pod_name: pod, container_name: container, ...labels };
  return quoted(JSON.stringify({ kubernetes, team }));
}

function index({ destination, index: format, source }: LogPipeline): Options {
  if (!hasIndex(destination)) return {};
  const node = source.kind === "node";
  return {
    index_prefix: quoted(node ? format.prefix : indexPrefix(format, source.pod)),
    index_separator: quoted(format.separator),
    index_date: quoted(notation(format.datePattern, "strftime")),
    index_zone: quoted(format.timeZone),
    index_split: node ? format.splitBy : "none",
  };
}
