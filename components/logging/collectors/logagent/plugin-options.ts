import { amount } from "../../../schema/values.ts";
import type { Destination, DestinationKind } from "../../destination-settings.ts";
import {
  APPLICATION_LOGS,
  type ApplicationPod,
  hasIndex,
  type LogPipeline,
  MAX_FIELDS_BYTES,
  OPT_OUT_ANNOTATION,
  searchHost,
  tlsOf,
} from "../../pipeline.ts";
import { timeZoneOffsets } from "../../time-zones.ts";
import { continuationPattern } from "../stack-traces.ts";
import type { InputConfig } from "./input.cjs";
import type { OutputConfig } from "./output.cjs";
import type { HttpOptions, Destination as SendTo } from "./send.cjs";
import type { ApplicationOptions } from "./sources.cjs";

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Options of the input plugin: which files are read, and how a record is made of a line. */
export function input(pipeline: LogPipeline, stateFolder: string): InputConfig {
  const { source, namespaces, labels, metadata, multiline, parseJson, destination } = pipeline;
  const continues = continuationPattern(multiline);
  return {
    state: stateFolder,
    ...(source.kind === "node"
      ? {
          node: { folder: "/var/log/pods", ...namespaces, labels, optOut: OPT_OUT_ANNOTATION, keep: metadata },
          api: {
            url: "https://kubernetes.default.svc",
            tokenFile: `${SERVICE_ACCOUNT}/token`,
            caFile: `${SERVICE_ACCOUNT}/ca.crt`,
          },
        }
      : { application: application(source.pod, metadata.labels) }),
    ...(continues === undefined ? {} : { continues }),
    // A search engine reads a dot in a name as a path.
    record: {
      parseJson,
      safeNames: hasIndex(destination),
      ...(destination.kind === "opensearch" ? { fieldsBytes: MAX_FIELDS_BYTES } : {}),
    },
  };
}

/** A sidecar's pod is known when the configuration is rendered. */
function application({ namespace, pod, container, team, app }: ApplicationPod, labels: boolean): ApplicationOptions {
  return {
    folder: APPLICATION_LOGS,
    kubernetes: {
      namespace_name: namespace,
      pod_name: pod,
      container_name: container,
      ...(labels && app !== undefined ? { labels: { "app_kubernetes_io/name": app } } : {}),
    },
    ...(team === undefined ? {} : { team }),
    ...(app === undefined ? {} : { app }),
  };
}

const NO_OUTPUT = "Logagent has no such output";
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
