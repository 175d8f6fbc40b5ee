import { readFileSync } from "node:fs";
import { stringify } from "yaml";
import { amount } from "../../../schema/values.ts";
import {
  APPLICATION_LOGS,
  type ApplicationPod,
  hasIndex,
  type LogPipeline,
  MAX_FIELDS_BYTES,
  OPT_OUT_ANNOTATION,
} from "../../pipeline.ts";
import type { Collector } from "../collector.ts";
import { continuationPattern } from "../stack-traces.ts";
import { timeZoneOffsets } from "../time-zone-offsets.ts";
import { LOGAGENT_DESTINATIONS, logagentDestination } from "./destination.ts";
import type { InputConfig } from "./input.cjs";
import type { OutputConfig } from "./output.cjs";
import type { ApplicationOptions } from "./sources.cjs";

/** The image has it for its own configuration, and nothing in it. */
const CONFIG_FOLDER = "/etc/sematext";
const STATE_FOLDER = "/var/lib/logagent";
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Programs that Logagent loads, as they stand in the folder of that name. In JavaScript of 2019, which the Node.js of its image knows. */
const PLUGINS = [
  "buffer.cjs",
  "files.cjs",
  "input.cjs",
  "lines.cjs",
  "names.cjs",
  "open.cjs",
  "output.cjs",
  "pods.cjs",
  "positions.cjs",
  "record.cjs",
  "say.cjs",
  "send.cjs",
  "sources.cjs",
] as const;
const SOURCES = Object.fromEntries(
  PLUGINS.map((name) => [name, readFileSync(new URL(`./${name}`, import.meta.url), "utf8")]),
);

/**
 * Logagent, with an input and an output of this program: its own lose lines when it is stopped, join what a runtime divided with a
 * blank, and send a document type that search engines refuse since OpenSearch 2 and Elasticsearch 8.
 * @see https://sematext.com/docs/logagent/
 */
export const logagent: Collector = {
  id: "logagent",
  title: "Logagent",
  image: "docker.io/sematext/logagent:3.3.1",
  documentation: "https://sematext.com/docs/logagent/",
  carriers: ["daemonset", "sidecar"],
  destinations: LOGAGENT_DESTINATIONS,
  about: {
    parsing: "CRI parts joined; stack traces by indentation; JSON to fields, with JavaScript's numbers",
    buffer: "files on the node, up to buffer.size; then it drops the oldest or stops reading",
    index: "prefix, split value and date, in any time zone",
    maintenance: "no release since October 2023; its image has Node.js 12, which ended in April 2022",
  },
  configFolder: CONFIG_FOLDER,
  stateFolder: STATE_FOLDER,
  // Past the image's own start, which writes to the root file system and adds inputs of its own.
  command: ["/bin/logagent.js"],
  graceSeconds: 10,
  ports: {},
  resources: { cpu: "100m", memory: "128Mi", memoryLimit: "512Mi" },
  apiRules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }],
  unsupported: () => [],
  render: (pipeline) => ({
    files: {
      "logagent.yml": stringify(configuration(pipeline), { lineWidth: 0, aliasDuplicateObjects: false }),
      ...SOURCES,
    },
    args: ["--config", `${CONFIG_FOLDER}/logagent.yml`],
  }),
};

/** @see https://sematext.com/docs/logagent/config-file/ */
function configuration(pipeline: LogPipeline): object {
  return {
    // Its own output to stdout, which is always there, is to be silent.
    options: { suppress: true, diskBufferDir: STATE_FOLDER },
    input: { logs: { module: `${CONFIG_FOLDER}/input.cjs`, ...input(pipeline) } },
    output: { destination: { module: `${CONFIG_FOLDER}/output.cjs`, ...output(pipeline) } },
  };
}

function output(pipeline: LogPipeline): OutputConfig {
  const { size, whenFull } = pipeline.buffer;
  const { timeZone, ...format } = pipeline.index;
  return {
    state: STATE_FOLDER,
    buffer: { bytes: amount(size), whenFull },
    index: { ...format, offsets: timeZoneOffsets(timeZone) },
    ...logagentDestination(pipeline),
  };
}

function input(pipeline: LogPipeline): InputConfig {
  const { source, namespaces, labels, metadata, multiline, parseJson, destination } = pipeline;
  const continues = continuationPattern(multiline);
  return {
    state: STATE_FOLDER,
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
    // A search engine takes a dot in a name for a path.
    record: {
      parseJson,
      safeNames: hasIndex(destination),
      ...(destination.kind === "opensearch" ? { fieldsBytes: MAX_FIELDS_BYTES } : {}),
    },
  };
}

/** The pod of a sidecar is known: its lines need no look-up. */
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
