import { amount } from "../../../schema/values.ts";
import type { Destination, DestinationKind } from "../../destination-settings.ts";
import { type LogPipeline, searchHost, tlsOf } from "../../pipeline.ts";
import { timeZoneOffsets } from "../time-zone-offsets.ts";
import type { OutputConfig } from "./output.cjs";
import type { HttpOptions, Destination as SendTo } from "./send.cjs";

const NO_OUTPUT = "Logagent has no output for it";
export const DESTINATIONS: Readonly<Record<DestinationKind, true | string>> = {
  stdout: true,
  file: true,
  http: true,
  opensearch: true,
  elasticsearch: true,
  cloudwatch: NO_OUTPUT,
  s3: NO_OUTPUT,
  loki: NO_OUTPUT,
};

/** Options of the output plugin. */
export function output(pipeline: LogPipeline, stateFolder: string): OutputConfig {
  const { size, whenFull } = pipeline.buffer;
  const { timeZone, ...format } = pipeline.index;
  return {
    state: stateFolder,
    buffer: { bytes: amount(size), whenFull },
    index: { ...format, offsets: timeZoneOffsets(timeZone) },
    ...destinationOptions(pipeline),
  };
}

/** Where the output plugin sends to, and how. It reads user and password from environment variables. */
function destinationOptions({ destination }: Pick<LogPipeline, "destination">): SendTo {
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
      // The response names failures only.
      const url = `${scheme}://${host}:${port}/_bulk?filter_path=errors,items.*.status,items.*.error`;
      return { bulk: { url, ...access(destination) } };
    }
    default:
      throw new Error(`destination ${destination.kind}: ${DESTINATIONS[destination.kind]}`);
  }
}

function access(destination: Destination): Omit<HttpOptions, "url"> {
  const tls = tlsOf(destination);
  return {
    ...("credentials" in destination && destination.credentials !== undefined ? { credentials: true } : {}),
    ...(tls === undefined ? {} : { verify: tls.verify, ...(tls.caFile === undefined ? {} : { caFile: tls.caFile }) }),
  };
}
