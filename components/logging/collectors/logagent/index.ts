import type { LogPipeline } from "../../pipeline.ts";
import type { Collector } from "../collector.ts";
import { readScripts, yamlText } from "../scripts.ts";
import { DESTINATIONS, input, output } from "./plugin-options.ts";

/** The folder of the image for configuration; empty there. */
const CONFIG_FOLDER = "/etc/sematext";
const STATE_FOLDER = "/var/lib/logagent";

/** Plugins and what they load, in the JavaScript of 2019, which the Node.js 12 of the image knows. */
const PLUGINS = readScripts(import.meta.url, [
  "buffer.cjs",
  "files.cjs",
  "input.cjs",
  "lines.cjs",
  "output.cjs",
  "plugin.cjs",
  "record.cjs",
  "send.cjs",
  "sources.cjs",
]);

/**
 * Logagent, with an input and an output plugin of this project. Its own plugins lose lines when it is stopped, join the parts of a long line
 * with a blank, and send a document type, which OpenSearch 2 and Elasticsearch 8 reject.
 * @see https://sematext.com/docs/logagent/
 */
export const logagent: Collector = {
  id: "logagent",
  title: "Logagent",
  image: "docker.io/sematext/logagent:3.3.1",
  documentation: "https://sematext.com/docs/logagent/",
  modes: ["daemonset", "sidecar"],
  destinations: DESTINATIONS,
  about: {
    parsing: "CRI parts joined; stack traces by indentation; JSON to fields, with JavaScript's numbers",
    buffer: "files on the node, up to buffer.size, then it drops the oldest or stops reading",
    index: "prefix, split value and date, in any time zone",
    maintenance: "no release since October 2023; its image has Node.js 12, which ended in April 2022",
    ownCode: "input and output plugins in JavaScript, instead of its own (9 files)",
  },
  configFolder: CONFIG_FOLDER,
  stateFolder: STATE_FOLDER,
  // Not the start script of the image, which writes to the root file system and adds inputs.
  command: ["/bin/logagent.js"],
  graceSeconds: 10,
  ports: {},
  resources: { cpu: "100m", memory: "128Mi", memoryLimit: "512Mi" },
  apiRules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }],
  unsupported: () => [],
  render: (pipeline) => ({
    files: {
      "logagent.yml": yamlText(configuration(pipeline)),
      ...PLUGINS,
    },
    args: ["--config", `${CONFIG_FOLDER}/logagent.yml`],
  }),
};

/** @see https://sematext.com/docs/logagent/config-file/ */
function configuration(pipeline: LogPipeline): object {
  return {
    // Silences Logagent's own output to stdout, which is always there.
    options: { suppress: true, diskBufferDir: STATE_FOLDER },
    input: { logs: { module: `${CONFIG_FOLDER}/input.cjs`, ...input(pipeline, STATE_FOLDER) } },
    output: { destination: { module: `${CONFIG_FOLDER}/output.cjs`, ...output(pipeline, STATE_FOLDER) } },
  };
}
