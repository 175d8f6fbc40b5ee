import { z } from "zod";
import type { Destination } from "../../../components/logging/destinations/destination-settings.ts";
import { indexName, indexPattern } from "../../../components/logging/indexing/index-format.ts";
import { bucketName, EVENT_READER_NAME, logGroupName, withName } from "../../../components/logging/pipeline.ts";
import { type Target, targetsOf } from "../../../components/logging/routing/routes.ts";
import {
  type AwsSource,
  controlPlaneGroup,
  isFromAws,
  type OwnSource,
  ownSources,
  sourceIndex,
  sourcePlace,
} from "../../../components/logging/sources/source.ts";
import type { Settings } from "../../../components/settings.ts";
import type { Aws } from "../../process.ts";
import type { Lab } from "../lab.ts";
import {
  ask,
  filesBelow,
  lokiEndpoint,
  readAnswer,
  SERVED,
  type SourceFinder,
  searchEndpoint,
  whyOutOfReach,
} from "./finder.ts";
import { awsCli, logEvents } from "./marker-finders.ts";

type Stack = Pick<Settings, "logging" | "cluster" | "region" | "teams">;
type Found = Omit<SourceFinder, "source" | "name">;

/** How far back to search, if a destination needs a start time; Firehose writes to S3 every five minutes. */
const BACK_SECONDS = 3600;
/** The same in a pod's log, of which a limited part is read, oldest line first. */
const LOG_SECONDS = 300;
/** How far back the audit log is searched: a control plane writes so much that a longer search is slow. */
const AUDIT_SECONDS = 300;
/** Maximum number of nodes or pods that are queried in turn. */
const MAX_ASKED = 3;

/** The finders for each source of a stack at each of its destinations. */
export function sourceFinders({ logging, cluster, region, teams }: Stack, aws: Aws = awsCli): SourceFinder[] {
  if (logging === undefined || logging.mode === "sidecar") return [];
  return targetsOf(logging, teams).flatMap((target) =>
    ownSources(target.sources).map((source) => {
      const place = { collector: logging.collector, namespace: logging.namespace, cluster, region, aws };
      return { source, name: target.name, ...finderFor(target, source, place) };
    }),
  );
}

interface Place extends Pick<Settings, "cluster" | "region"> {
  readonly collector: string;
  /** Namespace of the collectors. */
  readonly namespace: string;
  readonly aws: Aws;
}

function finderFor(target: Target, source: OwnSource, place: Place): Found {
  if (isFromAws(source)) return awsSourceFinder(target, source, place);
  const { destination } = target;
  switch (destination.kind) {
    case "opensearch":
    case "elasticsearch":
      return destination.kind === "opensearch" && destination.sigv4 !== undefined
        ? unreadable(destination, "its requests must be signed: search for it in OpenSearch Dashboards")
        : inIndices(destination, target, source, place);
    case "loki":
      return inLoki(destination, lokiSelector(source, place.collector));
    case "cloudwatch":
      return inLogGroup(destination, target, source, place);
    case "stdout":
      return inOwnLog(target, source, place);
    case "file":
      return inFiles(destination.path, source, place);
    case "s3":
      return unreadable(destination, "lines arrive in S3 after minutes, as compressed objects: use `aws s3 ls`");
    case "http":
      return unreadable(destination, "an HTTP receiver cannot be queried");
    default:
      return unreadable(destination, "it passes lines on: look for them where they arrive");
  }
}

/** The finder for a destination that cannot be searched. */
function unreadable({ kind }: Destination, why: string): Found {
  return { place: kind, whyUnreadable: why, newest: async () => undefined };
}

const SearchAnswer = z.object({
  hits: z.object({
    hits: z.array(z.object({ _index: z.string(), _source: z.object({ "@timestamp": z.string() }) })),
  }),
});

function inIndices(
  destination: Extract<Destination, { kind: "opensearch" | "elasticsearch" }>,
  { index }: Target,
  source: OwnSource,
  { namespace }: Place,
): Found {
  const endpoint = searchEndpoint(destination, namespace);
  const format = sourceIndex(index, source);
  const pattern = indexPattern(format);
  return {
    place: `${destination.kind} ${pattern}`,
    whyUnreadable: whyOutOfReach(endpoint),
    async newest(lab, word = "*") {
      const query = `q=${word}&lenient=true&size=1&sort=@timestamp:desc&_source_includes=@timestamp&ignore_unavailable=true&allow_no_indices=true`;
      const body = await ask(lab, endpoint, `/${encodeURIComponent(pattern).replaceAll("%2A", "*")}/_search?${query}`);
      const hit = readAnswer(SearchAnswer, body, endpoint.url.host).hits.hits[0];
      if (hit === undefined) return undefined;
      const time = new Date(hit._source["@timestamp"]);
      const wanted = indexName(format, time);
      const where = `index ${hit._index}`;
      return hit._index === wanted
        ? { where, at: time }
        : { where, at: time, unexpected: `by its time and the settings it should be ${wanted}` };
    },
  };
}

const LokiAnswer = z.object({
  data: z.object({
    result: z.array(z.object({ values: z.array(z.tuple([z.string(), z.string()]).rest(z.unknown())) })),
  }),
});

/** The Loki labels of a source. With OTLP, Loki derives them from resource attributes; events come from Fluent Bit. */
function lokiSelector(source: OwnSource, collector: string): string {
  return collector === "opentelemetry" && source !== "events"
    ? `{service_name="eks-dns-logging", service_namespace="${source}"}`
    : `{job="eks-dns-logging", source="${source}"}`;
}

/** @see https://grafana.com/docs/loki/latest/reference/loki-http-api/#query-logs-within-a-range-of-time */
function inLoki(destination: Extract<Destination, { kind: "loki" }>, selector: string): Found {
  const endpoint = lokiEndpoint(destination);
  return {
    place: `loki ${endpoint.url.host}`,
    searchedSeconds: BACK_SECONDS,
    whyUnreadable: whyOutOfReach(endpoint),
    async newest(lab, word) {
      const query = new URLSearchParams({
        query: `${selector}${word === undefined ? "" : ` |= "${word}"`}`,
        limit: "1",
        since: `${BACK_SECONDS}s`,
      });
      const body = await ask(lab, endpoint, `/loki/api/v1/query_range?${query}`);
      const times = readAnswer(LokiAnswer, body, endpoint.url.host).data.result.flatMap(({ values }) =>
        values.map(([nanoseconds]) => Number(nanoseconds) / 1e6),
      );
      return times.length === 0 ? undefined : { where: `stream ${selector}`, at: new Date(Math.max(...times)) };
    },
  };
}

/** Events have one stream; other sources have one per node. */
function inLogGroup(
  destination: Extract<Destination, { kind: "cloudwatch" }>,
  { suffix }: Target,
  source: OwnSource,
  { cluster, region = "", collector, aws }: Place,
): Found {
  const group = logGroupName(destination, cluster.kind === "existing" ? "" : cluster.name, suffix);
  return {
    place: `cloudwatch ${group}`,
    searchedSeconds: BACK_SECONDS,
    async newest(lab, word) {
      const nodes = source === "events" ? [] : await nodesOf(lab, collector);
      const streams = source === "events" ? [source] : nodes.map((node) => `${node}.${source}`);
      const filter = word === undefined ? [] : ["--filter-pattern", `"${word}"`];
      const search = { group, region, seconds: BACK_SECONDS, streams };
      const events = await logEvents(aws, search, ...filter);
      const newest = events.toSorted((one, other) => (other.timestamp ?? 0) - (one.timestamp ?? 0))[0];
      return newest && { where: `log stream ${newest.logStreamName}`, at: dateOf(newest.timestamp) };
    },
  };
}

/** Destination stdout: the record is in the log of one of the collector's pods. */
function inOwnLog({ name }: Target, source: OwnSource, { collector }: Place): Found {
  const app = source === "events" ? EVENT_READER_NAME : collector;
  const container = withName(source === "events" ? "fluent-bit" : collector, name);
  return {
    place: `${container} stdout`,
    searchedSeconds: LOG_SECONDS,
    async newest(lab, word = "") {
      const pods = await lab.loggingPods(app);
      for (const pod of pods.filter(({ phase }) => phase === "Running").slice(0, MAX_ASKED)) {
        const found = pod.containers.includes(container) ? container : (pod.containers[0] ?? container);
        const text = await lab.cluster.logs(pod, { container: found, seconds: LOG_SECONDS });
        const isOfSource = new RegExp(`"source":\\s?"${source}"`);
        const line = text.split("\n").findLast((candidate) => isOfSource.test(candidate) && candidate.includes(word));
        if (line === undefined) continue;
        const time = /"@timestamp":\s?"([^"]+)"/.exec(line)?.[1];
        return { where: `log of ${pod.name}`, at: time === undefined ? undefined : new Date(time) };
      }
      return undefined;
    },
  };
}

/** Nodes on which a program of the logging namespace runs: not those of Windows or Fargate. */
async function nodesOf(lab: Lab, program: string): Promise<string[]> {
  const pods = await lab.loggingPods(program);
  return [...new Set(pods.map(({ node }) => node))].slice(0, MAX_ASKED);
}

/** Destination file: files on the nodes, served by the kubelet, with plain lines. */
function inFiles(path: string, source: OwnSource, { collector }: Place): Found {
  const folder = `/logs/${path.slice(SERVED.length)}/`;
  return {
    place: `${path} on each node`,
    async newest(lab) {
      for (const node of await nodesOf(lab, source === "events" ? EVENT_READER_NAME : collector)) {
        const file = (await filesBelow(lab, node, folder, 0)).find((path) => path.endsWith(`/${source}.log`));
        if (file === undefined) continue;
        const text = await lab.cluster.proxyGet({ kind: "nodes", name: node }, file, { Range: "bytes=-65536" });
        if (text.trim() !== "") return { where: `${SERVED}${file.slice("/logs/".length)} on ${node}` };
      }
      return undefined;
    },
  };
}

/** Searches for a source's deliveries by AWS, with the AWS CLI. */
function awsSourceFinder(
  { destination, suffix }: Target,
  source: AwsSource,
  { cluster, region = "", aws }: Place,
): Found {
  const name = cluster.kind === "existing" ? "" : cluster.name;
  if (source === "auto-mode")
    return unreadable(
      destination,
      "AWS names the streams and objects: `aws logs describe-deliveries` lists what is delivered",
    );
  switch (destination.kind) {
    case "cloudwatch": {
      const group = controlPlaneGroup(name);
      return {
        place: `cloudwatch ${group}`,
        searchedSeconds: AUDIT_SECONDS,
        whyMissing: `the control plane writes no ${source} log: \`aws eks describe-cluster --name ${name} --query cluster.logging\``,
        async newest() {
          const search = { group, region, seconds: AUDIT_SECONDS };
          const prefix = `kube-apiserver-${source}`;
          const [found] = await logEvents(aws, search, "--log-stream-name-prefix", prefix, "--max-items", "1");
          return found && { where: `log stream ${found.logStreamName}`, at: dateOf(found.timestamp) };
        },
      };
    }
    case "s3": {
      const bucket = bucketName(destination, name, region, suffix);
      const place = sourcePlace(destination.prefix, source);
      return {
        place: `s3 ${bucket}/${place}`,
        searchedSeconds: BACK_SECONDS,
        whyMissing: `no object: look below ${place}-errors and at the metric DeliveryToS3.Success of the stream`,
        async newest() {
          const keys = [];
          for (const hour of [0, 1]) keys.push(...(await objects(aws, bucket, `${place}/${hoursAgo(hour)}/`, region)));
          const [newest] = keys.sort((one, other) => (one.LastModified < other.LastModified ? 1 : -1));
          return newest && { where: newest.Key, at: new Date(newest.LastModified) };
        },
      };
    }
    default:
      return unreadable(destination, "it passes lines on: look for them where they arrive");
  }
}

const ListAnswer = z.object({
  Contents: z.array(z.object({ Key: z.string(), LastModified: z.string() })).default([]),
});

/** Objects below a prefix; empty if S3 returns none. @see https://docs.aws.amazon.com/cli/latest/reference/s3api/list-objects-v2.html */
async function objects(aws: Aws, bucket: string, prefix: string, region: string) {
  const where = ["--bucket", bucket, "--prefix", prefix, "--region", region];
  const answer = await aws(["s3api", "list-objects-v2", ...where, "--output", "json"]);
  return answer.trim() === "" ? [] : ListAnswer.parse(JSON.parse(answer)).Contents;
}

/** The part of object keys for an hour, in UTC. */
function hoursAgo(hours: number): string {
  return new Date(Date.now() - hours * 3_600_000).toISOString().slice(0, 13).replaceAll(/[-T]/g, "/");
}

function dateOf(milliseconds: number | undefined): Date | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds);
}
