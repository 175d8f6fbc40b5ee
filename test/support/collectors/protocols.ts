import type { IncomingMessage } from "node:http";

/** A record as it came: where to, its line, and the id that it has there. */
export interface Received {
  readonly place: string;
  readonly log: string;
  readonly id?: string;
  /** Whether it is refused where there is one of this id. */
  readonly create?: boolean;
  /** The record whole, as JSON. */
  readonly json: string;
  /** Its time in nanoseconds, where that stands beside it. */
  readonly at?: string;
  /** What its resource says in OTLP, as JSON. */
  readonly resource?: string;
}

/** Takes a request apart; undefined where the protocol does not know it. */
export type Protocol = (
  request: Pick<IncomingMessage, "method" | "url" | "headers">,
  body: Buffer,
) => Received[] | undefined;

/** Elasticsearch's and OpenSearch's bulk API: an action line and a document, in turn. */
const bulk: Protocol = ({ url = "" }, body) => {
  const path = url.split("?")[0] ?? "";
  if (!path.endsWith("/_bulk")) return undefined;
  const received: Received[] = [];
  let action: ReturnType<typeof actionOf> | undefined;
  for (const line of lines(body)) {
    if (action === undefined) action = actionOf(line, path);
    else {
      received.push({
        place: action.place,
        log: logOf(line),
        create: action.create,
        ...(action.id === undefined ? {} : { id: action.id }),
        json: line,
      });
      action = undefined;
    }
  }
  return received;
};

function actionOf(line: string, path: string) {
  const target = /"_index":\s*"([^"]*)"/.exec(line)?.[1] ?? path.split("/")[1] ?? "";
  return { place: target, create: line.startsWith('{"create"'), id: /"_id":\s*"([^"]*)"/.exec(line)?.[1] };
}

/** Loki's push API, in JSON. The place is the stream's labels. */
const loki: Protocol = ({ url }, body) => {
  if (url !== "/loki/api/v1/push") return undefined;
  const push: { streams: { stream: Record<string, string>; values: [string, string][] }[] } = JSON.parse(
    body.toString(),
  );
  return push.streams.flatMap(({ stream, values }) => {
    const place = JSON.stringify(stream);
    return values.map(([at, line]) => ({ place, log: line, json: line, at }));
  });
};

/** CloudWatch Logs' PutLogEvents. The place is group and stream. */
const cloudwatch: Protocol = ({ headers }, body) => {
  const target = headers["x-amz-target"];
  if (typeof target !== "string") return undefined;
  if (!target.endsWith(".PutLogEvents")) return [];
  const put: { logGroupName: string; logStreamName: string; logEvents: { message: string }[] } = JSON.parse(
    body.toString(),
  );
  return put.logEvents.map(({ message }) => ({
    place: `${put.logGroupName} ${put.logStreamName}`,
    log: message,
    json: message,
  }));
};

interface OtlpValue {
  readonly stringValue?: string;
  readonly kvlistValue?: { readonly values: readonly { readonly key: string; readonly value: OtlpValue }[] };
}
interface OtlpLogs {
  readonly resourceLogs: readonly {
    readonly resource?: object;
    readonly scopeLogs: readonly {
      readonly logRecords: readonly { readonly timeUnixNano: string; readonly body: OtlpValue }[];
    }[];
  }[];
}

/** OTLP over HTTP, in JSON. The place is the path. */
const otlp: Protocol = ({ url = "", headers }, body) => {
  if (!url.endsWith("/v1/logs") || headers["content-type"] !== "application/json") return undefined;
  const sent: OtlpLogs = JSON.parse(body.toString());
  return sent.resourceLogs
    .flatMap(({ resource, scopeLogs }) =>
      scopeLogs.flatMap(({ logRecords }) =>
        logRecords.map((record) => ({ resource: JSON.stringify(resource), record })),
      ),
    )
    .map(({ resource, record }) => {
      const log = record.body.kvlistValue?.values.find(({ key }) => key === "log")?.value.stringValue ?? "";
      return {
        place: url,
        log: log.slice(0, 193),
        json: JSON.stringify(record.body),
        at: record.timeUnixNano,
        resource,
      };
    });
};

/** Splunk's HTTP event collector: events one behind the other. The place is the path. */
const splunk: Protocol = ({ url = "" }, body) => {
  if (!url.startsWith("/services/collector/event")) return undefined;
  const events = body.toString().split(/(?<=\})\s*(?=\{"(?:event|time|host|fields)":)/);
  return events.map((json) => ({ place: url, log: logOf(json), json }));
};

/** Anything else: a JSON object a line, by POST or as an S3 object by PUT. The place is the path. */
const jsonLines: Protocol = ({ method, url = "" }, body) => {
  if (method !== "POST" && method !== "PUT") return undefined;
  return lines(body).map((json) => ({ place: url, log: logOf(json), json }));
};

/** The first that knows a request takes it. */
export const PROTOCOLS: readonly Protocol[] = [bulk, loki, cloudwatch, otlp, splunk, jsonLines];

function lines(body: Buffer): string[] {
  return body
    .toString()
    .split("\n")
    .filter((line) => line !== "");
}

/** The value of `log`; looked for and not parsed, since there are 100,000 a second. */
function logOf(json: string): string {
  const at = json.indexOf('"log":"');
  return at < 0 ? json : json.slice(at + 7, at + 200);
}
