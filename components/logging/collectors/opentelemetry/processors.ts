import type { ApplicationPod } from "../../../kubernetes/container.ts";
import { APP_LABELS, notation } from "../../indexing/index-format.ts";
import { hasIndex, type LogPipeline, NODE_VARIABLE, OPT_OUT_ANNOTATION } from "../../pipeline.ts";
import { type Options, readScript, scriptSections } from "../collector.ts";
import { componentName, hasLargeBatches, type Part } from "./exporters.ts";
import { LABEL, redactStatements, resource, routeCondition, text, thinningFilter } from "./line-statements.ts";

/** Prefix of the resource attributes with a pod's annotations. */
const ANNOTATION = "annotation/";
const OPT_OUT = "opt-out";

const section = scriptSections(readScript(import.meta.url, "record.ottl"));

type Processors = Readonly<Record<string, Options>>;

/** Statements of a transform processor, and their context. */
export interface Statements {
  readonly context: "resource" | "log";
  readonly statements: readonly string[];
}

/**
 * Processors by name, in order.
 * @param forks Whether destinations have their own pipelines, with the statements for each.
 * @see https://opentelemetry.io/docs/collector/components/processor/
 */
export function processors(pipeline: LogPipeline, forks: boolean): Processors {
  const { source } = pipeline;
  const record: Statements[] = [
    { context: "resource", statements: resourceStatements(pipeline) },
    {
      context: "log",
      statements: [
        ...redactStatements(pipeline),
        ...statements("record"),
        ...fieldStatements(pipeline.processing.fields),
      ],
    },
  ];
  const [thinning, rest] = [thinningFilter(pipeline.processing), forks ? [] : destinationStatements(pipeline)];
  // The filter needs the pod, which the last statements remove.
  const isThinned = Object.keys(thinning).length > 0 && rest.length > 0;
  return {
    ...memoryLimiter(pipeline),
    ...(source.kind === "node" ? { k8s_attributes: podAttributes(pipeline), filter: podFilter(pipeline) } : {}),
    transform: transform(isThinned ? record : [...record, ...rest]),
    ...thinning,
    ...(isThinned ? { "transform/destination": transform(rest) } : {}),
  };
}

/** The receivers retry what it refuses; without their retry it would be lost. */
export function memoryLimiter({ buffer }: LogPipeline): Processors {
  if (buffer.whenFull !== "block") return {};
  return { memory_limiter: { check_interval: "1s", limit_percentage: 75, spike_limit_percentage: 20 } };
}

/** Processors of one of several destinations: selects by its routes, and adapts records to it. */
export function branchProcessors({ pipeline: branch, place }: Part): Processors {
  const condition = routeCondition(branch.selections, place);
  return {
    ...(condition && {
      [componentName("filter", branch)]: { error_mode: "ignore", log_conditions: [`not (${condition})`] },
    }),
    [componentName("transform", branch)]: transform(destinationStatements(branch)),
  };
}

/** A processor that runs these statements. */
export function transform(log_statements: readonly Statements[]): Options {
  return { error_mode: "ignore", log_statements: log_statements.filter((group) => group.statements.length > 0) };
}

/** @see https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/processor/k8sattributesprocessor */
function podAttributes({ metadata }: LogPipeline): Options {
  const from = (name: string) => ({ from: "resource_attribute", name });
  // Not by the pod's UID: the folder of a static pod has another.
  const byName = { sources: [from("k8s.pod.name"), from("k8s.namespace.name")] };
  return {
    auth_type: "serviceAccount",
    passthrough: false,
    filter: { node_from_env_var: NODE_VARIABLE },
    wait_for_metadata: true,
    wait_for_metadata_timeout: "30s",
    extract: {
      metadata: ["k8s.namespace.name", "k8s.pod.name"],
      labels: [{ tag_name: `${LABEL}$$1`, key_regex: "(.*)", from: "pod" }],
      annotations: [
        { tag_name: OPT_OUT, key: OPT_OUT_ANNOTATION, from: "pod" },
        ...(metadata.annotations ? [{ tag_name: `${ANNOTATION}$$1`, key_regex: "(.*)", from: "pod" }] : []),
      ],
    },
    // OTLP from an application is matched to its pod by address.
    pod_association: [byName, { sources: [{ from: "connection" }] }],
  };
}

/** Leaves pods out: the first condition that holds drops. */
function podFilter({ namespaces, labels }: LogPipeline): Options {
  const namespace = resource("k8s.namespace.name");
  const unlike = namespaces.include.map((name) => `${namespace} != ${text(name)}`).join(" and ");
  return {
    error_mode: "ignore",
    log_conditions: [
      ...namespaces.exclude.map((name) => `${namespace} == ${text(name)}`),
      ...(unlike === "" ? [] : [unlike]),
      // A dollar sign is written twice.
      `IsMatch(${resource(OPT_OUT)}, "(?i)^(?:true|on|yes)$$")`,
      ...Object.entries(labels).map(([key, value]) => `${resource(LABEL + key)} != ${text(value)}`),
    ],
  };
}

/** Statements for what all lines of a container share; run once per batch of lines. */
function resourceStatements({ source, metadata, teamNames }: LogPipeline): string[] {
  return [
    ...(source.kind === "node"
      ? [...statements("team"), ...Object.entries(teamNames).map(teamStatement)]
      : applicationStatements(source.pod)),
    ...statements("kubernetes"),
    ...(metadata.labels ? statements("labels") : []),
    ...(metadata.annotations ? statements("annotations") : []),
  ];
}

/** Sets the team for a namespace whose name does not contain it. */
function teamStatement([namespace, team]: readonly [string, string]): string {
  return `set(${resource("team")}, ${text(team)}) where ${resource("k8s.namespace.name")} == ${text(namespace)}`;
}

/** Adds the fields from the settings to the record. */
export function fieldStatements(fields: LogPipeline["processing"]["fields"]): string[] {
  return Object.entries(fields).map(([name, value]) => `set(log.body[${text(name)}], ${text(value)})`);
}

/** An application's pod, known at rendering. */
function applicationStatements({ namespace, pod, container, team, app }: ApplicationPod): string[] {
  const constants: Readonly<Record<string, string | undefined>> = {
    "k8s.namespace.name": namespace,
    "k8s.pod.name": pod,
    "k8s.container.name": container,
    [`${LABEL}${APP_LABELS[0]}`]: app,
    team,
  };
  return Object.entries(constants).flatMap(([name, value]) =>
    value === undefined ? [] : [`set(${resource(name)}, ${text(value)})`],
  );
}

/** What the destination needs: a record's index and id, and the attributes that name its place. */
function destinationStatements(pipeline: LogPipeline): Statements[] {
  const { source, destination, index } = pipeline;
  const search = hasIndex(destination);
  const split = search && index.splitBy !== "none";
  return [
    {
      context: "resource",
      statements: split ? [...statements(`split-${index.splitBy}`), ...statements("split-safe")] : [],
    },
    {
      context: "log",
      statements: [
        ...(search ? [...statements("safe-names"), indexStatement(index)] : []),
        // In an application's file neither time nor offset identifies a line.
        ...(search && source.kind === "node" ? statements("id") : []),
        ...fieldsLimit(pipeline),
        ...timeStatements(destination),
        ...statements("attributes"),
      ],
    },
    { context: "resource", statements: finalStatements(pipeline) },
  ];
}

/**
 * Removes the fields of a JSON line so long that its record would exceed a batch: in OTLP, fields have up to two and a half times the bytes of
 * their text. CloudWatch Logs' exporter cuts an event after 256 KiB, where line and pod follow the fields. Not for destinations with
 * larger batches.
 */
function fieldsLimit({ parseJson, destination: { kind } }: LogPipeline): string[] {
  if (!parseJson || hasLargeBatches(kind)) return [];
  return [`delete_key(log.body, "fields") where Len(log.body["log"]) > ${kind === "cloudwatch" ? 100_000 : 1_100_000}`];
}

/** Names a record's index by the record's time. */
export function indexStatement(index: LogPipeline["index"]): string {
  const date = `FormatTime(log.time, ${text(notation(index.datePattern, "strftime"))})`;
  const parts = [text(index.prefix), ...(index.splitBy === "none" ? [] : [resource("split")]), date];
  return `set(log.attributes["elasticsearch.index"], Concat([${parts.join(", ")}], ${text(index.separator)}))`;
}

/** Moves the time of events that the destination would refuse. */
export function timeStatements({ kind }: LogPipeline["destination"]): string[] {
  return kind === "cloudwatch" ? statements("time-cloudwatch") : [];
}

function finalStatements({ destination: { kind } }: LogPipeline): string[] {
  if (kind === "otlp") return statements("attributes-loki");
  return statements(`attributes-${kind === "cloudwatch" || kind === "loki" ? kind : "none"}`);
}

/** Statements of a section of record.ottl. */
export function statements(name: string): string[] {
  return section(name).trimEnd().split("\n");
}
