import type { ApplicationPod } from "../kubernetes/container.ts";
import type { IpFamily } from "../kubernetes/ip-family.ts";
import type { TeamNamespaces } from "../kubernetes/labels.ts";
import { tlsOf } from "./destinations/destination-secrets.ts";
import type { Destination, DestinationOf } from "./destinations/destination-settings.ts";
import type { IndexFormat } from "./indexing/index-format.ts";
import { type Processing, processingOf } from "./processing/processing.ts";
import { type Selection, type Target, type TeamPlace, targetsOf, teamNames } from "./routing/routes.ts";
import { LOGGING_NAMESPACE, type LoggingSettings } from "./settings.ts";
import { controlPlaneGroup, type Source } from "./sources/source.ts";

/**
 * Longest JSON line that becomes `fields` for OpenSearch, in bytes: its type flat_object rejects documents with a value above 32,766 bytes
 * and has no option to ignore such values. A longer line is only stored in `log`.
 * @see https://docs.opensearch.org/latest/mappings/supported-field-types/flat-object/
 */
export const MAX_FIELDS_BYTES = 32_000;

/** Key with the team or app of a record whose index is split by it. */
export const SPLIT_KEY = "index_split";
/** Key of a record's id if a script sets it. */
export const ID_KEY = "line_id";

/** Keys of a record that name the cluster. */
const CLUSTER = { name: "k8s_cluster_name", region: "cloud_region", account: "cloud_account_id" } as const;
export const CLUSTER_KEYS: readonly string[] = Object.values(CLUSTER);

/** Pods with this annotation set to "true", "on" or "yes", in any case, are skipped by any collector. Fluent Bit supports it natively. */
export const OPT_OUT_ANNOTATION = "fluentbit.io/exclude";

/** Stack-specific values of a destination. */
export interface DestinationContext {
  /** Name of the cluster; part of the names of AWS resources. */
  readonly cluster: string;
  /** AWS region; undefined if pods have no AWS identity. */
  readonly region: string | undefined;
  /** Teams that routes may name. @default none: each has the namespace of its name */
  readonly teams?: readonly TeamNamespaces[] | undefined;
  /** The cluster's DNS domain. @default "cluster.local" */
  readonly clusterDomain?: string | undefined;
  /** IP family of the cluster's pods. @default "ipv4" */
  readonly ipFamily?: IpFamily | undefined;
}

/** Source of lines: the kubelet's files on a node, in CRI format, or an application's own files in a shared volume, in any format. */
export type LogSource = { readonly kind: "node" } | { readonly kind: "application"; readonly pod: ApplicationPod };

export const NODE: LogSource = { kind: "node" };

/** The part `kubernetes` of an application's records, known at rendering. */
export function podFields(
  { metadata }: Pick<LogPipeline, "metadata">,
  { namespace, pod, container, app }: ApplicationPod,
) {
  const labels = metadata.labels && app !== undefined ? { labels: { "app_kubernetes_io/name": app } } : {};
  return { namespace_name: namespace, pod_name: pod, container_name: container, ...labels };
}

const NO_POD: ApplicationPod = { namespace: "none", pod: "none", container: "none", team: undefined, app: undefined };

/**
 * The kubelet's log files of some namespaces, and rotated files that are not compressed yet; `*` is any namespace.
 * @see https://kubernetes.io/docs/concepts/cluster-administration/logging/#log-rotation
 */
export function podLogFiles(namespaces: readonly string[]): string[] {
  return namespaces.flatMap((namespace) => [
    `/var/log/pods/${namespace}_*/*/*.log`,
    `/var/log/pods/${namespace}_*/*/*.log.20??????-??????`,
  ]);
}

/** Folder of the shared volume that an application writes to and its sidecar reads: all files `*.log`. */
export const APPLICATION_LOGS = "/var/log/app";
/** The files of the lab's pod there: the responder's access log, and a file for manual tests. */
export const APPLICATION_FILES = ["access.log", "app.log"] as const;
/** Variable with the node name, in every collector's container. */
export const NODE_VARIABLE = "NODE_NAME";

/**
 * A collector's task, as plain data: every collector renders its configuration from this alone, so that all produce the same lines under
 * the same index names.
 */
export interface LogPipeline {
  readonly source: LogSource;
  /** Namespace of the collectors. They never read it: a collector that reads its own errors would cause a loop. */
  readonly namespace: string;
  readonly destination: Destination;
  readonly context: DestinationContext;
  readonly index: IndexFormat;
  readonly namespaces: { readonly include: readonly string[]; readonly exclude: readonly string[] };
  /** Required pod labels. */
  readonly labels: Readonly<Record<string, string>>;
  /** Sources whose lines go to the destination, or with several destinations to at least one of them. */
  readonly sources: readonly Source[];
  readonly multiline: LoggingSettings["multiline"];
  readonly parseJson: boolean;
  readonly metadata: Pick<LoggingSettings["metadata"], "labels" | "annotations">;
  readonly processing: Processing;
  readonly buffer: { readonly size: string; readonly whenFull: "drop-oldest" | "drop-newest" | "block" };
  /** Team of each namespace whose name does not contain it; for others it is the part before `-team`. Records contain the team. */
  readonly teamNames: Readonly<Record<string, string>>;
  /** Name of one of several destinations; undefined for a single one. */
  readonly name: string | undefined;
  /** Suffix of the names of its AWS resources; undefined for none. */
  readonly suffix: string | undefined;
  /** Pod lines that meet any of these go to this destination; all lines if empty. */
  readonly selections: readonly Selection[];
  /** Separate places for teams in the destination; empty if lines are not split by team. */
  readonly places: readonly TeamPlace[];
  /** A pipeline per destination, from the record on. Empty for a single destination, which is `destination`. */
  readonly branches: readonly LogPipeline[];
}

/** Collectors that can drop the oldest lines. With one destination the others stop reading when their buffer is full. */
const DROPS_OLDEST: ReadonlySet<LoggingSettings["collector"]> = new Set(["fluent-bit", "fluentd", "logagent"]);
/** Collectors that can drop new lines when their buffer is full. */
export const DROPS_NEWEST: ReadonlySet<LoggingSettings["collector"]> = new Set(["vector", "opentelemetry"]);

/**
 * The pipeline of a stack's settings.
 * @param source Default: by mode; for a sidecar a placeholder pod, for checks.
 */
export function logPipeline(
  settings: LoggingSettings,
  context: DestinationContext,
  source: LogSource = settings.mode === "daemonset" ? NODE : { kind: "application", pod: NO_POD },
): LogPipeline {
  const {
    namespace,
    namespaces: { include, exclude },
  } = settings;
  const targets = targetsOf(settings, context.teams);
  const whenFull = settings.buffer.whenFull ?? defaultWhenFull(settings.collector, targets.length);
  const common: Omit<LogPipeline, keyof Branch> = {
    source,
    namespace,
    namespaces: { include: [...include].sort(), exclude: [...new Set([...exclude, namespace])].sort() },
    labels: settings.labels,
    multiline: settings.multiline,
    parseJson: settings.parseJson,
    metadata: { labels: settings.metadata.labels, annotations: settings.metadata.annotations },
    processing: processingOf(withClusterFields(settings, context), context.teams),
    teamNames: teamNames(context.teams),
    branches: [],
  };
  const branches = targets.map((target) => ({ ...common, ...branchOf(target, settings, context, whenFull) }));
  const [first] = branches;
  if (first === undefined) throw new Error("a pipeline without a destination passed the settings");
  if (first.name === undefined) return first;
  const { sources } = settings;
  return { ...first, name: undefined, suffix: undefined, sources, selections: [], places: [], branches };
}

/** What a collector does when its buffer is full, unless the settings say so. */
function defaultWhenFull(
  collector: LoggingSettings["collector"],
  destinations: number,
): LogPipeline["buffer"]["whenFull"] {
  if (DROPS_OLDEST.has(collector)) return "drop-oldest";
  // Pausing reads for one of several destinations would stop the others.
  return destinations > 1 ? "drop-newest" : "block";
}

/** The pipelines of all destinations: the branches, or the pipeline itself if there is one destination. */
export function destinationPipelines(pipeline: LogPipeline): readonly LogPipeline[] {
  return pipeline.branches.length === 0 ? [pipeline] : pipeline.branches;
}

/** Name of the event reader's pod, service account and configuration. */
export const EVENT_READER_NAME = "fluent-bit-events";

/** The part of a pipeline for some sources, without the destinations that none of them goes to. */
export function forSources(pipeline: LogPipeline, isIncluded: (source: Source) => boolean): LogPipeline {
  const sources = pipeline.sources.filter(isIncluded);
  const branches = pipeline.branches
    .map((branch) => ({ ...branch, sources: branch.sources.filter(isIncluded) }))
    .filter((branch) => branch.sources.length > 0);
  return { ...pipeline, sources, branches };
}

/** Adds the fields that name the cluster to the processing, unless they are disabled; the stack's own fields take precedence. */
function withClusterFields(
  { processing, metadata }: LoggingSettings,
  { cluster, region }: DestinationContext,
): LoggingSettings["processing"] {
  if (metadata.cluster === false) return processing;
  const names = {
    [CLUSTER.name]: cluster,
    ...(region === undefined ? {} : { [CLUSTER.region]: region }),
    ...(metadata.accountId === undefined ? {} : { [CLUSTER.account]: metadata.accountId }),
  };
  return { ...processing, fields: { ...names, ...processing.fields } };
}

/** The destination-specific part of a pipeline. */
type Branch = Pick<
  LogPipeline,
  "name" | "suffix" | "destination" | "context" | "index" | "buffer" | "sources" | "selections" | "places"
>;

function branchOf(
  { name, suffix, destination, index, bufferSize, sources, selections, places }: Target,
  { namespace }: Pick<LoggingSettings, "namespace">,
  context: DestinationContext,
  whenFull: LogPipeline["buffer"]["whenFull"],
): Branch {
  return {
    name,
    suffix,
    destination: withOwnHost(destination, { namespace, clusterDomain: context.clusterDomain }),
    context,
    index,
    buffer: { size: bufferSize, whenFull },
    sources,
    selections,
    places,
  };
}

/** Where this stack's OpenSearch is. */
interface OwnSearchPlace {
  /** Namespace of the collectors. */
  readonly namespace: string;
  /** The cluster's DNS domain. @default "cluster.local" */
  readonly clusterDomain?: string | undefined;
}

/** Sets the host name of this stack's OpenSearch. */
export function withOwnHost<T extends Destination>(destination: T, place: OwnSearchPlace): T {
  if (destination.kind !== "opensearch" || !destination.inCluster) return destination;
  return { ...destination, host: ownSearchHost(place) };
}

function ownSearchHost({ namespace, clusterDomain = "cluster.local" }: OwnSearchPlace): string {
  return `opensearch.${namespace}.svc.${clusterDomain}`;
}

/** Host and port of a search engine, external or of this stack. */
export function searchHost(destination: DestinationOf<"opensearch" | "elasticsearch">): {
  host: string;
  port: number;
} {
  // Only a destination that is compared or checked has none: this stack's.
  return { host: destination.host ?? ownSearchHost({ namespace: LOGGING_NAMESPACE }), port: destination.port };
}

/** URL of a search engine, without a path. */
export function searchUrl(destination: DestinationOf<"opensearch" | "elasticsearch">): string {
  const { host, port } = searchHost(destination);
  return `${tlsOf(destination) === undefined ? "http" : "https"}://${host}:${port}`;
}

/** Name of the log group of destination `cloudwatch`. @param suffix Suffix of a default name. Default: none. */
export function logGroupName(
  destination: DestinationOf<"cloudwatch">,
  cluster: string,
  suffix?: string | undefined,
): string {
  return destination.logGroup ?? withName(`/eks-dns-logging/${cluster}/pods`, suffix);
}

/** Names of the log groups with lines of these sources: EKS writes the audit log to its own. */
export function logGroups(
  destination: DestinationOf<"cloudwatch">,
  cluster: string,
  suffix: string | undefined,
  sources: readonly Source[],
): string[] {
  return [
    ...(sources.some((source) => source !== "audit") ? [logGroupName(destination, cluster, suffix)] : []),
    ...(sources.includes("audit") ? [controlPlaneGroup(cluster)] : []),
  ];
}

/** Name of the bucket of destination `s3`. @param suffix Suffix of a default name. Default: none. */
export function bucketName(
  destination: DestinationOf<"s3">,
  cluster: string,
  region: string,
  suffix?: string | undefined,
): string {
  return destination.bucket ?? withName(`${cluster}-logs-${region}`, suffix);
}

/** Appends the name of one of several destinations; the names of a single one stay plain. */
export function withName(plain: string, name: string | undefined): string {
  return name === undefined ? plain : `${plain}-${name}`;
}

/** Whether lines go into indices, so that `index` applies. */
export function hasIndex(destination: Destination): destination is DestinationOf<"opensearch" | "elasticsearch"> {
  return destination.kind === "opensearch" || destination.kind === "elasticsearch";
}

/** Describes where the logs go; several destinations are prefixed with their names. */
export function describeDestinations(pipeline: LogPipeline): string {
  const described = destinationPipelines(pipeline).map(
    (one) => `${one.name === undefined ? "" : `${one.name}: `}${describeDestination(one)}`,
  );
  return described.join("; ");
}

/** Describes where a destination's logs go. */
export function describeDestination({
  destination,
  context,
  namespace = LOGGING_NAMESPACE,
  source = NODE,
  suffix,
  sources = ["pods"],
}: Pick<LogPipeline, "destination" | "context"> &
  Partial<Pick<LogPipeline, "namespace" | "source" | "suffix" | "sources">>): string {
  switch (destination.kind) {
    case "stdout":
      return source.kind === "node"
        ? `stdout of the collector, in namespace ${namespace}`
        : "stdout of the sidecar, in each curl pod";
    case "file":
      return `files below ${destination.path} on each node`;
    case "http":
    case "loki":
    case "otlp":
    case "splunk":
      return `${destination.kind} at ${destination.url}`;
    case "kafka":
      return `topic ${destination.topic} of Kafka at ${destination.brokers.join(", ")}`;
    case "firehose":
      return `stream ${destination.stream} of Amazon Data Firehose`;
    case "opensearch":
    case "elasticsearch":
      return `${destination.kind} at ${searchUrl(destination)}`;
    case "cloudwatch":
      return `log group ${logGroups(destination, context.cluster, suffix, sources).join(" and ")} of CloudWatch Logs`;
    case "s3": {
      const { cluster, region } = context;
      const bucket = region === undefined ? "of this stack" : bucketName(destination, cluster, region, suffix);
      return `bucket ${bucket}${destination.prefix === "" ? "" : `, below ${destination.prefix}/`}`;
    }
  }
}
