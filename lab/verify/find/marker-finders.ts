import { z } from "zod";
import type { Destination } from "../../../components/logging/destinations/destination-settings.ts";
import { type IndexFormat, indexName, indexPattern } from "../../../components/logging/indexing/index-format.ts";
import { logGroupName, withName } from "../../../components/logging/pipeline.ts";
import {
  destinationsOfLine,
  placeName,
  placeOfNamespace,
  type Target,
  targetsOf,
} from "../../../components/logging/routing/routes.ts";
import type { LoggingSettings } from "../../../components/logging/settings.ts";
import type { Settings } from "../../../components/settings.ts";
import type { PodFacts } from "../../kubernetes/cluster.ts";
import { type Aws, isMissingProgram, outputOf, ProcessError } from "../../process.ts";
import { UnmetPrecondition } from "../lab.ts";
import {
  ask,
  collectorPod,
  filesBelow,
  lokiEndpoint,
  type MarkerFinder,
  readAnswer,
  SERVED,
  searchEndpoint,
  statefulPod,
  throughNode,
  whyOutOfReach,
} from "./finder.ts";

type Stack = Pick<Settings, "logging" | "cluster" | "region" | "teams">;

/** The finders for every destination of the stack's collector. */
export function findersFor({ logging, ...where }: Stack): MarkerFinder[] {
  if (logging === undefined) return [];
  const stack = { logging, ...where };
  const { collector, mode } = logging;
  const targets = targetsOf(logging, where.teams);
  if (mode === "sidecar")
    return targets.map((target) =>
      throughSidecar(
        target.destination.kind === "stdout" ? sidecarStdoutFinder(collector) : destinationFinder(target, stack),
        collector,
      ),
    );
  return targets.map((target) => {
    const finder = destinationFinder(target, stack);
    const { name } = target;
    if (name === undefined) return finder;
    const takes = ({ namespace, labels }: PodFacts) =>
      destinationsOfLine([target], { namespace, labels, stream: "stdout" }).length > 0;
    return { ...finder, name, takes };
  });
}

function destinationFinder(
  { name, suffix, destination, index, places }: Target,
  { logging: { collector, namespace }, cluster, region }: Stack & { readonly logging: LoggingSettings },
): MarkerFinder {
  switch (destination.kind) {
    case "stdout":
      // With several destinations, Fluent Bit has a container for each.
      return stdoutFinder(collector, collector === "fluent-bit" ? withName(collector, name) : collector);
    case "opensearch":
    case "elasticsearch":
      if (destination.kind === "opensearch" && destination.sigv4 !== undefined)
        return unreadableFinder(
          "opensearch",
          "its requests must be signed: search for the marker in OpenSearch Dashboards",
        );
      return searchFinder(destination, index, { collector, namespace });
    case "loki":
      return lokiFinder(destination, collector);
    case "file":
      return fileFinder(destination.path, collector);
    case "cloudwatch": {
      const logGroup = logGroupName(destination, cluster.kind === "existing" ? "" : cluster.name, suffix);
      const groupOf = (namespace: string) => placeName(logGroup, placeOfNamespace(places, namespace)?.team);
      return cloudwatchFinder({ logGroup, groupOf, region: region ?? "" }, collector);
    }
    case "http":
      return unreadableFinder("http", "an HTTP receiver cannot be queried");
    case "otlp":
    case "splunk":
    case "firehose":
    case "kafka":
      return unreadableFinder(destination.kind, "it passes lines on: look for the marker where they arrive");
    case "s3":
      return unreadableFinder("s3", "lines arrive in S3 after minutes, as compressed objects: use `aws s3 ls`");
  }
}

/** Finder for a destination that cannot be read. */
export function unreadableFinder(place: string, whyUnreadable: string): MarkerFinder {
  return { place, whyUnreadable, find: async () => undefined, whyMissing: async () => whyUnreadable };
}

/**
 * Destination stdout: the collector prints what it collects, so the marker is in the log of its pod on the same node.
 * @param name Container that prints. Default: that of the collector.
 */
export function stdoutFinder(collector: string, name = collector): MarkerFinder {
  return {
    place: `${name} stdout`,
    ...throughNode(collector),
    async find(lab, { marker, pod, seconds }) {
      const source = await collectorPod(lab, collector, pod.node);
      const container = source.containers.includes(name) ? name : (source.containers[0] ?? name);
      const text = await lab.cluster.logs(source, { container, seconds });
      return text.includes(marker) ? { where: `log of ${source.name}` } : undefined;
    },
    whyMissing: async (lab) =>
      `${collector} is running but does not print the line: \`kubectl -n ${lab.loggingNamespace} logs daemonset/${collector}\` shows what it reads`,
  };
}

/** Destination stdout of a sidecar: the marker is in the sidecar's log, in the pod that wrote it. */
function sidecarStdoutFinder(collector: string): MarkerFinder {
  return {
    place: `${collector} stdout`,
    async find(lab, { marker, pod, seconds }) {
      const text = await lab.cluster.logs(pod, { container: collector, seconds });
      return text.includes(marker) ? { where: `log of ${pod.name}, container ${collector}` } : undefined;
    },
    whyMissing: async (_lab, pod) => sidecarHint(collector, pod),
  };
}

/** Adapts a finder to sidecars: markers are written to a file, and the collector is a container of the same pod. */
function throughSidecar(finder: MarkerFinder, collector: string): MarkerFinder {
  return {
    ...finder,
    inFile: true,
    async prepare(lab, pod) {
      if (pod.containers.includes(collector)) return;
      const cause = `the pod was created without it: \`${lab.up}\` replaces it`;
      throw new UnmetPrecondition(`no container ${collector} in ${pod.name}`, cause);
    },
    whyMissing: async (_lab, pod) => sidecarHint(collector, pod),
  };
}

function sidecarHint(collector: string, { namespace, name }: PodFacts): string {
  return `\`kubectl -n ${namespace} logs ${name} -c ${collector}\` shows what it reads and what was rejected`;
}

/** Size of a file's tail that covers a minute of a node's lines. */
const TAIL_BYTES = 4 * 1024 * 1024;

/**
 * Destination file: the kubelet serves files below /var/log, so nothing needs to run on the node. Requires permission to get nodes/proxy.
 * @see https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/ (enableSystemLogHandler)
 */
export function fileFinder(folder: string, collector: string): MarkerFinder {
  const path = `/logs/${folder.slice(SERVED.length)}/`;
  return {
    place: `${folder} on the node`,
    ...throughNode(collector),
    async find(lab, { marker, pod }) {
      for (const file of await filesBelow(lab, pod.node, path, 2)) {
        const text = await lab.cluster.proxyGet({ kind: "nodes", name: pod.node }, file, {
          Range: `bytes=-${TAIL_BYTES}`,
        });
        if (text.includes(marker)) return { where: `${SERVED}${file.slice("/logs/".length)}` };
      }
      return undefined;
    },
    whyMissing: async (_lab, pod) =>
      `${collector} is running on ${pod.node} but writes nothing for this pod below ${folder}`,
  };
}

type SearchDestination = Extract<Destination, { kind: "opensearch" | "elasticsearch" }>;

const SearchAnswer = z.object({ hits: z.object({ hits: z.array(z.object({ _index: z.string() })) }) });

/** Destinations opensearch and elasticsearch: searches the stack's indices for the marker. */
export function searchFinder(
  destination: SearchDestination,
  index: IndexFormat,
  { collector, namespace }: Pick<LoggingSettings, "collector" | "namespace">,
): MarkerFinder {
  const endpoint = searchEndpoint(destination, namespace);
  const whyUnreadable = whyOutOfReach(endpoint);
  const pattern = indexPattern(index);
  return {
    place: `${destination.kind} ${pattern}`,
    ...(whyUnreadable === undefined ? {} : { whyUnreadable }),
    async prepare(lab, pod) {
      await collectorPod(lab, collector, pod.node);
      if (destination.kind === "opensearch" && destination.inCluster) await statefulPod(lab, "opensearch");
      await ask(lab, endpoint, "/");
    },
    async find(lab, { marker, pod }) {
      // The index may not exist right after the line was written.
      const query = `q=${marker}&lenient=true&size=1&_source=false&ignore_unavailable=true&allow_no_indices=true`;
      const body = await ask(lab, endpoint, `/${encodeURIComponent(pattern).replaceAll("%2A", "*")}/_search?${query}`);
      const name = readAnswer(SearchAnswer, body, endpoint.url.host).hits.hits[0]?._index;
      if (name === undefined) return undefined;
      const wanted = expectedNames(index, pod, new Date());
      const found = { where: `index ${name}` };
      if (wanted.has(name)) return found;
      return {
        ...found,
        unexpected: `by the settings it should be ${[...wanted].join(" or ")}`,
      };
    },
    whyMissing: async (lab) =>
      `${collector} is running and ${endpoint.url.host} answers, but no index ${pattern} has the line: \`kubectl -n ${lab.loggingNamespace} logs daemonset/${collector}\` shows what was rejected`,
  };
}

/** Index names that a line of this moment may have: it may have been written before midnight, and two labels can name a pod's app. */
export function expectedNames(index: IndexFormat, pod: PodFacts, now: Date): ReadonlySet<string> {
  const { labels, namespace } = pod;
  const apps = [labels.app, labels["app.kubernetes.io/name"]];
  const times = [now, new Date(now.getTime() - 60_000)];
  const fields = { namespace, ...(labels.team === undefined ? {} : { team: labels.team }) };
  return new Set(
    times.flatMap((time) =>
      apps.map((app) => indexName(index, time, { ...fields, ...(app === undefined ? {} : { app }) })),
    ),
  );
}

type LokiDestination = Extract<Destination, { kind: "loki" }>;

const QueryAnswer = z.object({
  data: z.object({ result: z.array(z.object({ stream: z.record(z.string(), z.string()) })) }),
});

/**
 * Destination loki: searches the streams of the pod's namespace for the marker.
 * @see https://grafana.com/docs/loki/latest/reference/loki-http-api/#query-logs-within-a-range-of-time
 */
export function lokiFinder(destination: LokiDestination, collector: string): MarkerFinder {
  const endpoint = lokiEndpoint(destination);
  const whyUnreadable = whyOutOfReach(endpoint);
  return {
    place: `loki ${endpoint.url.host}`,
    ...(whyUnreadable === undefined ? {} : { whyUnreadable }),
    ...throughNode(collector),
    async find(lab, { marker, pod, seconds }) {
      const query = new URLSearchParams({
        query: `{namespace="${pod.namespace}"} |= "${marker}"`,
        limit: "1",
        since: `${Math.ceil(seconds)}s`,
      });
      const body = await ask(lab, endpoint, `/loki/api/v1/query_range?${query}`);
      const stream = readAnswer(QueryAnswer, body, endpoint.url.host).data.result[0]?.stream;
      if (stream === undefined) return undefined;
      const labels = Object.entries(stream).map(([key, value]) => `${key}=${value}`);
      return { where: `stream {${labels.slice(0, 4).join(", ")}}` };
    },
    whyMissing: async (lab) =>
      `${collector} is running and Loki answers, but no stream of the namespace has the line: \`kubectl -n ${lab.loggingNamespace} logs daemonset/${collector}\` shows what was rejected`,
  };
}

const FilterAnswer = z.object({
  events: z.array(z.object({ logStreamName: z.string(), timestamp: z.number().optional() })),
});

/** A log group, and how far back to search it. */
interface LogSearch {
  readonly group: string;
  readonly region: string;
  readonly seconds: number;
  /** Default: all. */
  readonly streams?: readonly string[];
}

/**
 * Searches a log group with the AWS CLI.
 * @param filter Further arguments.
 * @see https://docs.aws.amazon.com/cli/latest/reference/logs/filter-log-events.html
 */
export async function logEvents(aws: Aws, search: LogSearch, ...filter: readonly string[]) {
  const { group, region, seconds, streams } = search;
  const start = String(Date.now() - Math.ceil(seconds) * 1000);
  const where = ["--log-group-name", group, "--region", region, "--start-time", start];
  const named = streams === undefined ? [] : ["--log-stream-names", ...streams];
  const answer = await aws(["logs", "filter-log-events", ...where, ...filter, "--output", "json", ...named]);
  return FilterAnswer.parse(JSON.parse(answer)).events;
}

/** Destination cloudwatch: searches the log group with the AWS CLI, which an EKS stack needs anyway. */
export function cloudwatchFinder(
  {
    logGroup,
    groupOf = () => logGroup,
    region,
  }: { readonly logGroup: string; readonly groupOf?: (namespace: string) => string; readonly region: string },
  collector: string,
  aws: Aws = awsCli,
): MarkerFinder {
  return {
    place: `cloudwatch ${logGroup}`,
    ...throughNode(collector),
    async find(_lab, { marker, seconds, pod }) {
      const search = { group: groupOf(pod.namespace), region, seconds };
      const [found] = await logEvents(aws, search, "--filter-pattern", `"${marker}"`, "--max-items", "1");
      return found && { where: `log stream ${found.logStreamName}` };
    },
    whyMissing: async (lab) =>
      `${collector} is running, but the log group does not have the line: its Pod Identity role may lack logs:PutLogEvents; \`kubectl -n ${lab.loggingNamespace} logs daemonset/${collector}\` shows what was rejected`,
  };
}

/** @throws {UnmetPrecondition} if the AWS CLI or its credentials are missing. */
export async function awsCli(args: readonly string[]): Promise<string> {
  try {
    return await outputOf("aws", args, { timeoutSeconds: 30 });
  } catch (error) {
    if (isMissingProgram(error))
      throw new UnmetPrecondition(
        "the AWS CLI is not installed",
        "it is needed to read CloudWatch Logs and S3: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
      );
    const reason = error instanceof ProcessError ? error.stderr.trim().split("\n").at(-1) : undefined;
    throw new UnmetPrecondition(
      reason || String(error),
      `the AWS CLI needs credentials that may ${args[0] === "s3api" ? "list the bucket (s3:ListBucket)" : "read the log group (logs:FilterLogEvents)"}`,
    );
  }
}
