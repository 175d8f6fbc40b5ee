import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { parentPort, workerData } from "node:worker_threads";
import { gunzipSync } from "node:zlib";
import { PROTOCOLS, type Received } from "./protocols.ts";
import { REFUSALS, type ReceiverMode } from "./receiver.ts";
import { Tally } from "./tally.ts";

/** A word that every record has in its line which is refused for good, in each mode that takes records. */
const POISON = "poison";
const { keep }: { keep: number } = workerData;
let labels: Readonly<Record<string, string>> = workerData.labels;
/** What a search engine says of a document, as long as it says it; some collectors go by the type of an error. */
const SAYS: Readonly<Record<number, (id: string, place: string) => string>> = {
  201: () =>
    '"_version":1,"result":"created","_shards":{"total":2,"successful":1,"failed":0},"_seq_no":1048576,"_primary_term":1',
  400: () => '"error":{"type":"mapper_parsing_exception","reason":"failed to parse"}',
  409: (id, place) =>
    `"error":{"type":"version_conflict_engine_exception","reason":"[${id}]: version conflict, document already exists (current version [1])","index":"${place}","shard":"0","index_uuid":"aAsFqTI0Tc2W0LCWgPNrOA"}`,
  429: () => '"error":{"type":"rejected_execution_exception","reason":"rejected execution"}',
};
/** What is left of it where type and reason alone are wanted. */
const SHORT_SAYS: Readonly<Record<number, string>> = {
  400: ',"error":{"type":"mapper_parsing_exception","reason":"failed to parse"}',
  409: ',"error":{"type":"version_conflict_engine_exception","reason":"version conflict, document already exists"}',
  429: ',"error":{"type":"rejected_execution_exception","reason":"rejected execution"}',
};
const tally = new Tally();
const kept: Received[] = [];
let mode: ReceiverMode = "take";
let requests = 0;
const hung = new Set<ServerResponse>();

const server = createServer((request, response) => {
  answer(request, response).catch((error: Error) => response.writeHead(500).end(String(error)));
});
server.listen(0, "127.0.0.1", () => parentPort?.postMessage(server.address()));

parentPort?.on("message", (message: { mode?: ReceiverMode; labels?: typeof labels; ask?: "stats" | "kept" }) => {
  if (message.mode !== undefined) {
    mode = message.mode;
    for (const response of hung) response.destroy();
    hung.clear();
  }
  if (message.labels !== undefined) labels = message.labels;
  if (message.ask === "stats") parentPort?.postMessage(tally.stats());
  if (message.ask === "kept") parentPort?.postMessage(kept);
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const raw = Buffer.concat(chunks);
  const url = request.url ?? "";
  const pod = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/?]+)/.exec(url);
  if (pod !== null) return json(response, 200, podOf(pod[1] ?? "", pod[2] ?? ""));
  if (request.method === "GET" || request.method === "HEAD") return json(response, 200, hello(request));
  requests += 1;
  if (mode === "away") return void request.socket.destroy();
  if (mode === "silent") return;
  if (mode === "hung") return void hung.add(response);
  if (isRefusal(mode)) return json(response, REFUSALS[mode], { error: mode });

  const body = request.headers["content-encoding"] === "gzip" || url.endsWith(".gz") ? gunzipSync(raw) : raw;
  if (String(request.headers["x-amz-target"]).endsWith(".DescribeLogStreams"))
    return json(response, 200, { logStreams: [{ logStreamName: JSON.parse(body.toString()).logStreamNamePrefix }] });
  if (String(request.headers["x-amz-target"]).endsWith(".DescribeLogGroups"))
    return json(response, 200, { logGroups: [{ logGroupName: JSON.parse(body.toString()).logGroupNamePrefix }] });
  tally.request(raw.length);
  const received = PROTOCOLS.map((protocol) => protocol(request, body)).find((found) => found !== undefined) ?? [];
  const statuses = received.map((record, at) => statusOf(record, at));
  const refused = statuses.includes(400);
  // The bulk API and Loki take the rest of a request of which they refuse a part; nobody else does.
  if (refused && !url.includes("_bulk") && !url.startsWith("/loki/")) return json(response, 400, {});
  for (const [at, record] of received.entries()) {
    if (statuses[at] !== 201) continue;
    // As a search engine answers that is to create a document under an id that it has.
    if (tally.add(record.place, record.log, record.id, lateSeconds(record.json)) && record.create) statuses[at] = 409;
    if (kept.length < keep) kept.push(record);
  }
  if (mode === "forgetful") return void request.socket.destroy();
  if (url.includes("_bulk"))
    return bulkAnswer(response, statuses, url.includes("?filter_path=") ? undefined : received);
  // As CloudWatch Logs answers: without it the OpenTelemetry Collector sends again what was taken.
  if (String(request.headers["x-amz-target"]).endsWith(".PutLogEvents") && !refused)
    return json(response, 200, { nextSequenceToken: "1" });
  // S3 answers without a body, and its own clients would read one as XML.
  if (request.method === "PUT") return void response.writeHead(refused ? 400 : 200).end();
  json(response, refused ? 400 : 200, {});
}

function isRefusal(mode: ReceiverMode): mode is keyof typeof REFUSALS {
  return mode in REFUSALS;
}

let [lastTime, lastMilliseconds] = ["", Number.NaN];

/** How long ago the runtime wrote a line; undefined if its record does not say. Neighbors mostly have one time, and so it is kept. */
function lateSeconds(json: string): number | undefined {
  const time = /"(?:time|@timestamp)":"(\d{4}-\d\d-\d\dT[\d:]+\.\d{3})/.exec(json)?.[1];
  if (time === undefined) return undefined;
  if (time !== lastTime) [lastTime, lastMilliseconds] = [time, Date.parse(`${time}Z`)];
  return (Date.now() - lastMilliseconds) / 1000;
}

/** In the mode `partial` every third request has every seventh document refused for now. */
function statusOf({ log }: Received, at: number): number {
  if (log.includes(POISON)) return 400;
  return mode === "partial" && requests % 3 === 0 && at % 7 === 0 ? 429 : 201;
}

/** @param received What was taken, where an answer is wanted as long as it is by default. */
function bulkAnswer(
  response: ServerResponse,
  statuses: readonly number[],
  received: readonly Received[] | undefined,
): void {
  const errors = statuses.some((status) => status !== 201);
  const items = statuses
    .map((status, at) => {
      const { id = "made-by-the-engine", place = "" } = received?.[at] ?? {};
      const [says = "", why] = [SAYS[status]?.(id, place), SHORT_SAYS[status] ?? ""];
      return received === undefined
        ? `{"create":{"status":${status}${why}}}`
        : `{"create":{"_index":"${place}","_id":"${id}",${says},"status":${status}}}`;
    })
    .join(",");
  response.setHeader("content-type", "application/json");
  response.setHeader("X-Elastic-Product", "Elasticsearch");
  // Newer versions of Elasticsearch name the errors first, OpenSearch and older ones the time.
  const head = requests % 2 === 0 ? `"errors":${errors},"took":1` : `"took":1,"errors":${errors}`;
  response.end(`{${received === undefined ? `"errors":${errors}` : head},"items":[${items}]}`);
}

function json(response: ServerResponse, status: number, body: object): void {
  // Elasticsearch's and Amazon's clients believe no answer without their header.
  const headers = { "X-Elastic-Product": "Elasticsearch", "x-amzn-RequestId": "1" };
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

/** OpenSearch's own client takes no other, and Elasticsearch's neither. */
function hello({ headers }: IncomingMessage): object {
  const opensearch = String(headers["user-agent"]).startsWith("opensearch");
  return {
    name: "receiver",
    cluster_name: "test",
    version: opensearch
      ? { number: "2.19.0", distribution: "opensearch" }
      : { number: "8.19.0", build_flavor: "default" },
    tagline: "You Know, for Search",
  };
}

/** A pod as the API server describes it, with the labels that the test gives to all. */
function podOf(namespace: string, name: string): object {
  return {
    kind: "Pod",
    apiVersion: "v1",
    metadata: { name, namespace, uid: "95c1ec06-0000-0000-0000-000000000000", labels, annotations: {} },
    spec: { nodeName: "node", containers: [] },
    status: { phase: "Running", podIP: "10.0.0.1", containerStatuses: [] },
  };
}
