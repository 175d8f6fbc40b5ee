import { z } from "zod";
import { Bytes, Cores, Image, string } from "../schema/values.ts";
import { Destination } from "./destination-settings.ts";
import { IndexFormat } from "./index-format.ts";

/** Collectors by the names that people know them by. */
export const COLLECTOR_IDS = [
  "fluent-bit",
  "fluentd",
  "filebeat",
  "vector",
  "promtail",
  "logagent",
  "tail",
  "opentelemetry",
] as const;
export type CollectorId = (typeof COLLECTOR_IDS)[number];

const NamespaceName = string(
  /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
  "the name of a namespace: up to 63 lower-case letters, digits and '-'",
);

/** @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
const LabelKey = string(
  /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/,
  "a label key, such as app or app.kubernetes.io/name",
);
const LabelValue = string(
  /^[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/,
  "a label value: a quoted string of 1 to 63 letters, digits, '-', '_' and '.'",
);

/** A size on disk in the notation of Kubernetes. */
const Size = string(/^[1-9]\d*(Mi|Gi)$/, "a size in Mi or Gi, such as '512Mi' or '2Gi'");

/** What collects the pods' logs, from which of them, and where they go. */
export const LoggingSettings = z.strictObject({
  collector: z
    .enum(COLLECTOR_IDS)
    .default("fluent-bit")
    .describe("Program that collects. Default fluent-bit; `npm run lab -- collectors` compares them."),
  mode: z
    .enum(["daemonset", "sidecar"])
    .default("daemonset")
    .describe(
      "One collector on each node, or one beside each curl pod that reads the files of the application. Default daemonset.",
    ),
  sidecar: z
    .strictObject({
      destinationCidrs: z
        .array(z.union([z.cidrv4(), z.cidrv6()], "must be a CIDR block, such as 203.0.113.0/24"))
        .default([])
        .describe(
          "Addresses of a destination that is a host name outside the cluster: the teams' network policies open to these. Default: none.",
        ),
    })
    .prefault({})
    .describe("Further settings of mode sidecar."),
  destination: Destination.prefault({ kind: "stdout" }).describe(
    "Where the lines go. Default: the collector's own stdout.",
  ),
  index: IndexFormat.prefault({}).describe(
    "How indices are called, in destinations that have them. Default logs-yyyy.MM.dd.",
  ),
  namespaces: z
    .strictObject({
      include: z.array(NamespaceName).default([]).describe("Only these. Default: all."),
      exclude: z
        .array(NamespaceName)
        .default([])
        .describe("All but these. Default: none. The collector's own namespace is never read."),
    })
    .prefault({})
    .describe("Namespaces whose pods are read."),
  labels: z.record(LabelKey, LabelValue).default({}).describe("Only pods with all of these labels. Default: all pods."),
  multiline: z
    .array(z.enum(["java", "python", "go", "node"]))
    .default(["java", "python", "go", "node"])
    .describe("Languages whose stack traces are joined to one record. Default: all four."),
  parseJson: z.boolean().default(true).describe("Turn a line that is a JSON object into fields. Default true."),
  metadata: z
    .strictObject({
      labels: z
        .boolean()
        .default(true)
        .describe("Keep the pod's labels, with '_' for the dots in their keys. Default true."),
      annotations: z.boolean().default(false).describe("Keep the pod's annotations, likewise. Default false."),
    })
    .prefault({})
    .describe("What is kept beside namespace, pod, container, node and team."),
  buffer: z
    .strictObject({
      size: Size.default("4Gi").describe(
        "Most that may wait on the node's disk: about a minute at 40 MB/s. Default 4Gi.",
      ),
      whenFull: z
        .enum(["drop-oldest", "block"])
        .optional()
        .describe(
          "Drop what has waited longest, or stop reading until there is room: then the kubelet's rotation sets the limit. Default: drop-oldest where the collector can, else block.",
        ),
    })
    .prefault({})
    .describe("What happens while the destination does not take the lines."),
  resources: z
    .strictObject({
      cpu: Cores.optional().describe("CPU request. Default: the collector's, 50m for Fluent Bit."),
      memory: Bytes.optional().describe("Memory request. Default: the collector's, 64Mi for Fluent Bit."),
      memoryLimit: Bytes.optional().describe("Memory limit. Default: the collector's, 512Mi for Fluent Bit."),
    })
    .prefault({})
    .describe("Resources of each collector's pod."),
  image: Image.optional().describe("Image of the collector. Default: a fixed version of it."),
});
export type LoggingSettings = z.infer<typeof LoggingSettings>;
