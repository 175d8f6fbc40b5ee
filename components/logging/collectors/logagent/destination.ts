import type { Destination, DestinationKind } from "../../destination-settings.ts";
import { type LogPipeline, searchHost, tlsOf } from "../../pipeline.ts";
import type { HttpOptions, Destination as SendTo } from "./send.cjs";

const NO_OUTPUT = "Logagent has no output for it";
export const LOGAGENT_DESTINATIONS: Readonly<Record<DestinationKind, true | string>> = {
  stdout: true,
  file: true,
  http: true,
  opensearch: true,
  elasticsearch: true,
  cloudwatch: NO_OUTPUT,
  s3: NO_OUTPUT,
  loki: NO_OUTPUT,
};

/** Where the output plugin sends to, and how. User and password it takes from variables. */
export function logagentDestination({ destination }: Pick<LogPipeline, "destination">): SendTo {
  switch (destination.kind) {
    case "stdout":
      return { stdout: {} };
    case "file":
      return { file: { path: destination.path } };
    case "http":
      return { http: { url: destination.url, ...access(destination) } };
    case "opensearch":
    case "elasticsearch": {
      const { host, port } = searchHost(destination);
      const scheme = tlsOf(destination) === undefined ? "http" : "https";
      // Of an answer only what went wrong.
      const url = `${scheme}://${host}:${port}/_bulk?filter_path=errors,items.*.status,items.*.error`;
      return { bulk: { url, ...access(destination) } };
    }
    default:
      throw new Error(`destination ${destination.kind}: ${LOGAGENT_DESTINATIONS[destination.kind]}`);
  }
}

function access(destination: Destination): Omit<HttpOptions, "url"> {
  const tls = tlsOf(destination);
  return {
    ...("credentials" in destination && destination.credentials !== undefined ? { credentials: true } : {}),
    ...(tls === undefined ? {} : { verify: tls.verify, ...(tls.caFile === undefined ? {} : { caFile: tls.caFile }) }),
  };
}
