import { APPLICATION_FILES, APPLICATION_LOGS } from "../pipeline.ts";
import type { CollectorId } from "../settings.ts";
import { type Collector, everyDestination, everyStep } from "./collector.ts";
import { filebeat } from "./filebeat/index.ts";
import { fluentBit } from "./fluent-bit/index.ts";
import { fluentd } from "./fluentd/index.ts";
import { logagent } from "./logagent/index.ts";
import { opentelemetry } from "./opentelemetry/index.ts";
import { promtail } from "./promtail/index.ts";
import { vector } from "./vector/index.ts";

/**
 * The smallest sidecar: `tail -F` on the application's files, to its own stdout, where `kubectl logs` and the node's collector find the
 * lines.
 * @see https://kubernetes.io/docs/concepts/cluster-administration/logging/#sidecar-container-with-logging-agent
 */
export const tail: Collector = {
  id: "tail",
  title: "tail",
  image: "docker.io/curlimages/curl:8.17.0",
  documentation: "https://kubernetes.io/docs/concepts/cluster-administration/logging/",
  modes: ["sidecar"],
  destinations: { ...everyDestination("tail writes to its own stdout"), stdout: true },
  routes: "which prints lines only",
  processing: everyStep("which prints lines as they are"),
  about: {
    parsing: ["none", "lines stay as they are"],
    buffer: "none; the file is the buffer",
    index: "none",
    maintenance: "part of every system",
    ownCode: "none",
    losses: "not measured",
  },
  configFolder: "/etc/tail",
  stateFolder: "/var/lib/tail",
  command: ["tail"],
  graceSeconds: 1,
  ports: {},
  resources: { cpu: "5m", memory: "8Mi", memoryLimit: "32Mi" },
  apiRules: [],
  unsupported: () => [],
  // From their beginning, and again under the same name after a rotation; waits for missing files.
  render: () => ({
    files: {},
    args: ["-q", "-n", "+1", "-F", ...APPLICATION_FILES.map((file) => `${APPLICATION_LOGS}/${file}`)],
  }),
};

/** All collectors, by their name in the settings. */
export const COLLECTORS: Readonly<Record<CollectorId, Collector>> = {
  "fluent-bit": fluentBit,
  fluentd,
  filebeat,
  vector,
  promtail,
  logagent,
  opentelemetry,
  tail,
};
