import { anyAddress, anyEndpoint } from "../../../kubernetes/ip-family.ts";
import { amount } from "../../../schema/values.ts";
import { indexPattern } from "../../indexing/index-format.ts";
import { indexTemplate, TEMPLATE_NAME } from "../../indexing/index-template.ts";
import { hasIndex, type LogPipeline } from "../../pipeline.ts";
import { bufferOf, type Collector, everyStep, type Options, onlyUtc, type Unsupported, unless } from "../collector.ts";
import { BY_INDENTATION } from "../stack-traces.ts";
import { yamlText } from "../yaml-text.ts";
import { DESTINATIONS, inputs, output, processors } from "./configuration.ts";

const CONFIG_FOLDER = "/etc/filebeat";
const STATE_FOLDER = "/var/lib/filebeat";
const HTTP_PORT = 5066;
const INPUTS_FILE = `${CONFIG_FOLDER}/inputs.yml`;
const TEMPLATE_FILE = `${CONFIG_FOLDER}/template.json`;

/**
 * Filebeat, with filestream and a disk queue. Its index template and lifecycle management are off: index names and template are this
 * project's.
 * @see https://www.elastic.co/docs/reference/beats/filebeat
 */
export const filebeat: Collector = {
  id: "filebeat",
  title: "Filebeat",
  image: "docker.elastic.co/beats/filebeat:9.3.4",
  documentation: "https://www.elastic.co/docs/reference/beats/filebeat",
  modes: ["daemonset", "sidecar"],
  destinations: DESTINATIONS,
  routes: "which has one output",
  processing: everyStep(true),
  about: {
    parsing: [
      BY_INDENTATION,
      "no long lines that interleave with the other stream",
      "key @metadata on stdout and in files",
    ],
    buffer: "a queue on the node, then it stops reading",
    index: "date in UTC",
    maintenance: "maintained (Elastic)",
    ownCode: "JavaScript for the record, redact, drop and sample",
    losses: "interleaved long lines, and files deleted during a stop",
  },
  configFolder: CONFIG_FOLDER,
  stateFolder: STATE_FOLDER,
  command: ["filebeat"],
  graceSeconds: 10,
  liveness: { path: "/", port: HTTP_PORT },
  readiness: { path: "/", port: HTTP_PORT },
  ports: { metrics: HTTP_PORT },
  resources: { cpu: "100m", memory: "128Mi", memoryLimit: "512Mi" },
  apiRules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] }],
  unsupported,
  render: (pipeline) => ({
    files: {
      "filebeat.yml": yamlText(configuration(pipeline)),
      "inputs.yml": yamlText(inputs(pipeline)),
      ...(hasIndex(pipeline.destination)
        ? { "template.json": `${JSON.stringify(indexTemplate(pipeline.index, "elasticsearch"), null, 2)}\n` }
        : {}),
    },
    args: ["-e", "-c", `${CONFIG_FOLDER}/filebeat.yml`, "--path.data", STATE_FOLDER, "--strict.perms=false"],
  }),
};

function unsupported(pipeline: LogPipeline): Unsupported[] {
  const { whenFull } = pipeline.buffer;
  const { annotations } = pipeline.metadata;
  const block = "must be block with Filebeat, whose queue drops nothing";
  const none = "must be false with Filebeat, which keeps only annotations that it is given by name";
  return [
    ...unless(whenFull === "block", "buffer.whenFull", block, whenFull),
    ...bufferOf("64Mi", "Filebeat", pipeline),
    ...unless(!annotations, "metadata.annotations", none, true),
    ...onlyUtc("Filebeat", pipeline),
  ];
}

/** @see https://www.elastic.co/docs/reference/beats/filebeat/filebeat-reference-yml */
function configuration(pipeline: LogPipeline): Options {
  const { ipFamily } = pipeline.context;
  const pattern = indexPattern(pipeline.index);
  // An existing template is not overwritten, so each pattern has its own template.
  const templateName = `${TEMPLATE_NAME}-${pattern.slice(0, -1)}`;
  const queue = { max_size: `${amount(pipeline.buffer.size)}B`, segment_size: "16MB" };
  return {
    // Loaded some seconds after the start: until the API has listed the pods, lines would pass without labels, excluded ones too.
    "filebeat.config.inputs": { enabled: true, path: INPUTS_FILE, reload: { enabled: true, period: "5s" } },
    processors: processors(pipeline),
    "queue.disk": queue,
    // Default: milliseconds.
    "timestamp.precision": "nanosecond",
    "setup.ilm.enabled": false,
    ...(hasIndex(pipeline.destination)
      ? {
          "setup.template": {
            name: templateName,
            pattern,
            // Keeps manual changes.
            overwrite: false,
            json: { enabled: true, path: TEMPLATE_FILE, name: templateName },
          },
        }
      : { "setup.template.enabled": false }),
    ...output(pipeline),
    // Filebeat parses the host as a URL, in which an IPv6 address needs a scheme and a port.
    http: {
      enabled: true,
      host: ipFamily === "ipv6" ? `http://${anyEndpoint(ipFamily, HTTP_PORT)}` : anyAddress(ipFamily),
      port: HTTP_PORT,
    },
    "logging.level": "info",
    "logging.metrics.enabled": false,
  };
}
