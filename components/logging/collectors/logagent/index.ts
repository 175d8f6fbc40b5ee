import { amount } from "../../../schema/values.ts";
import { loginOf, tlsOf } from "../../destinations/destination-secrets.ts";
import type { Destination } from "../../destinations/destination-settings.ts";
import { timeZoneOffsets } from "../../indexing/index-format.ts";
import {
  APPLICATION_LOGS,
  hasIndex,
  type LogPipeline,
  MAX_FIELDS_BYTES,
  OPT_OUT_ANNOTATION,
  podFields,
  searchUrl,
} from "../../pipeline.ts";
import { scriptRules } from "../../processing/processing.ts";
import { type Collector, everyDestination, everyStep, onlyLines, readScripts } from "../collector.ts";
import { BY_INDENTATION, continuationPattern } from "../stack-traces.ts";
import { yamlText } from "../yaml-text.ts";
import type { InputConfig } from "./input.cjs";
import type { OutputConfig } from "./output.cjs";
import type { HttpOptions, Destination as SendTo } from "./send.cjs";

/** The image's configuration folder; empty in the image. */
const CONFIG_FOLDER = "/etc/sematext";
const STATE_FOLDER = "/var/lib/logagent";

/** Plugins and their modules, in JavaScript of 2019, for the image's Node.js 12. */
const PLUGINS = readScripts(import.meta.url, [
  "buffer.cjs",
  "files.cjs",
  "input.cjs",
  "lines.cjs",
  "output.cjs",
  "plugin.cjs",
  "processing.cjs",
  "record.cjs",
  "send.cjs",
  "sources.cjs",
]);

const DESTINATIONS: Collector["destinations"] = {
  ...everyDestination("Logagent has no such output"),
  stdout: true,
  file: true,
  http: true,
  opensearch: true,
  elasticsearch: true,
};

/**
 * Logagent, with this project's input and output plugins. Its own plugins lose lines when stopped, join the parts of a long line with a
 * blank, and send a document type, which OpenSearch 2 and Elasticsearch 8 reject.
 * @see https://sematext.com/docs/logagent/
 */
export const logagent: Collector = {
  id: "logagent",
  title: "Logagent",
  image: "docker.io/sematext/logagent:3.3.1",
  documentation: "https://sematext.com/docs/logagent/",
  modes: ["daemonset", "sidecar"],
  destinations: DESTINATIONS,
  routes: "whose plugins here send to one destination",
  processing: everyStep(true),
  about: {
    parsing: [BY_INDENTATION, "JSON with JavaScript's numbers"],
    buffer: "files on the node, then it drops the oldest or stops reading",
    index: "date in any time zone",
    maintenance: "no release since October 2023, and Node.js 12, unsupported since April 2022",
    ownCode: "JavaScript plugins for input, output and processing",
    losses: "none at 1 MB/s with this project's plugins",
    cpu: 3,
  },
  configFolder: CONFIG_FOLDER,
  stateFolder: STATE_FOLDER,
  // Not the image's start script, which writes to the root file system and adds inputs.
  command: ["/bin/logagent.js"],
  graceSeconds: 10,
  ports: {},
  resources: { cpu: "100m", memory: "128Mi", memoryLimit: "512Mi" },
  apiRules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }],
  unsupported: (pipeline) => onlyLines("Logagent", pipeline),
  render: (pipeline) => ({
    files: { "logagent.yml": yamlText(configuration(pipeline)), ...PLUGINS },
    args: ["--config", `${CONFIG_FOLDER}/logagent.yml`],
  }),
};

/** @see https://sematext.com/docs/logagent/config-file/ */
function configuration(pipeline: LogPipeline): object {
  return {
    // Silences Logagent's built-in output to stdout, which is always active.
    options: { suppress: true, diskBufferDir: STATE_FOLDER },
    input: { logs: { module: `${CONFIG_FOLDER}/input.cjs`, ...input(pipeline) } },
    output: { destination: { module: `${CONFIG_FOLDER}/output.cjs`, ...output(pipeline) } },
  };
}

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Options of the input plugin: files to read, and how to build a record from a line. */
function input(pipeline: LogPipeline): InputConfig {
  const { source, namespaces, labels, metadata, multiline, parseJson, destination, teamNames } = pipeline;
  const continues = continuationPattern(multiline);
  const processing = scriptRules(pipeline.processing, "ecmascript");
  return {
    state: STATE_FOLDER,
    ...(source.kind === "node"
      ? {
          node: {
            folder: "/var/log/pods",
            ...namespaces,
            labels,
            optOut: OPT_OUT_ANNOTATION,
            keep: metadata,
            teams: Object.keys(teamNames).length === 0 ? undefined : Object.entries(teamNames),
          },
          api: {
            url: "https://kubernetes.default.svc",
            tokenFile: `${SERVICE_ACCOUNT}/token`,
            caFile: `${SERVICE_ACCOUNT}/ca.crt`,
          },
        }
      : {
          application: {
            folder: APPLICATION_LOGS,
            kubernetes: podFields(pipeline, source.pod),
            team: source.pod.team,
            app: source.pod.app,
          },
        }),
    continues,
    processing,
    // A search engine reads a dot in a name as a path.
    record: {
      parseJson,
      safeNames: hasIndex(destination),
      fieldsBytes: destination.kind === "opensearch" ? MAX_FIELDS_BYTES : undefined,
    },
  };
}

/** Options of the output plugin. */
function output(pipeline: LogPipeline): OutputConfig {
  const { size, whenFull } = pipeline.buffer;
  const { timeZone, ...format } = pipeline.index;
  return {
    state: STATE_FOLDER,
    buffer: { bytes: amount(size), whenFull: whenFull === "block" ? "block" : "drop-oldest" },
    index: { ...format, offsets: timeZoneOffsets(timeZone) },
    ...destinationOptions(pipeline),
  };
}

/** Destination of the output plugin. It reads user and password from environment variables. */
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
      // The response names failures only.
      const url = `${searchUrl(destination)}/_bulk?filter_path=errors,items.*.status,items.*.error`;
      return { bulk: { url, ...access(destination) } };
    }
    default:
      throw new Error(`destination ${destination.kind}: ${DESTINATIONS[destination.kind]}`);
  }
}

function access(destination: Destination): Omit<HttpOptions, "url"> {
  const tls = tlsOf(destination);
  return {
    credentials: loginOf(destination).credentials && true,
    verify: tls?.verify,
    caFile: tls?.caFile,
  };
}
