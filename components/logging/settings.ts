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
    .describe("The log collector; `npm run lab -- collectors` compares them. Default fluent-bit."),
  mode: z
    .enum(["daemonset", "sidecar"])
    .default("daemonset")
    .describe("One collector per node, or one in each curl pod that reads the application's files. Default daemonset."),
  sidecar: z
    .strictObject({
      destinationCidrs: z
        .array(z.union([z.cidrv4(), z.cidrv6()], "must be a CIDR block, such as 203.0.113.0/24"))
        .default([])
        .describe("CIDR blocks of a destination outside the cluster, which the teams' network policies allow."),
    })
    .prefault({})
    .describe("Further settings of mode sidecar."),
  destination: Destination.prefault({ kind: "stdout" }).describe(
    "Destination of the lines. Default: the collector's stdout.",
  ),
  index: IndexFormat.prefault({}).describe("Index names, in OpenSearch and Elasticsearch. Default logs-yyyy.MM.dd."),
  namespaces: z
    .strictObject({
      include: z.array(NamespaceName).default([]).describe("Only these namespaces. Default: all."),
      exclude: z
        .array(NamespaceName)
        .default([])
        .describe("All except these; the collector's namespace is always excluded."),
    })
    .prefault({})
    .describe("Namespaces whose pods are collected."),
  labels: z
    .record(LabelKey, LabelValue)
    .default({})
    .describe("Collect only pods with all of these labels. Default: all pods."),
  multiline: z
    .array(z.enum(["java", "python", "go", "node"]))
    .default(["java", "python", "go", "node"])
    .describe("Languages whose stack traces are joined into one record. Default: all four."),
  parseJson: z.boolean().default(true).describe("Parse a line that is a JSON object into fields. Default true."),
  metadata: z
    .strictObject({
      labels: z.boolean().default(true).describe("Add the pod's labels, with '_' for dots in keys. Default true."),
      annotations: z.boolean().default(false).describe("Add the pod's annotations in the same way. Default false."),
    })
    .prefault({})
    .describe("Metadata besides namespace, pod, container, node and team."),
  buffer: z
    .strictObject({
      size: Size.default("4Gi").describe(
        "Maximum size on the node's disk; 4Gi hold about a minute at 40 MB/s. Default 4Gi.",
      ),
      whenFull: z
        .enum(["drop-oldest", "block"])
        .optional()
        .describe(
          "Drop the oldest lines, or stop reading, which leaves lines to the kubelet's rotation. Default: drop-oldest if the collector supports it, else block.",
        ),
    })
    .prefault({})
    .describe("Buffer for lines that the destination does not accept yet."),
  resources: z
    .strictObject({
      cpu: Cores.optional().describe("CPU request. Default: the collector's, 50m for Fluent Bit."),
      memory: Bytes.optional().describe("Memory request. Default: the collector's, 64Mi for Fluent Bit."),
      memoryLimit: Bytes.optional().describe("Memory limit. Default: the collector's, 512Mi for Fluent Bit."),
    })
    .prefault({})
    .describe("Resources of each collector pod."),
  image: Image.optional().describe("Image of the collector. Default: the one of this release."),
});
export type LoggingSettings = z.infer<typeof LoggingSettings>;
