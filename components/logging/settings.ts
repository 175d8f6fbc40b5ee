import { z } from "zod";
import {
  Bytes,
  Cores,
  Image,
  LabelKey,
  LabelValue,
  NamespaceName,
  PolicyCidr,
  PortNumber,
  string,
  unique,
} from "../schema/values.ts";
import { Destination } from "./destinations/destination-settings.ts";
import { Size } from "./destinations/destination-values.ts";
import { IndexFormat } from "./indexing/index-format.ts";
import { ProcessingSettings } from "./processing/settings.ts";
import { Destinations, Route } from "./routing/routes.ts";
import { SOURCES } from "./sources/source.ts";

/** Ids of the known collectors. */
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

/** Namespace of the collectors, unless the stack names another. */
export const LOGGING_NAMESPACE = "logging";

/** Settings of log collection: the collector, its sources and its destinations. */
export const LoggingSettings = z.strictObject({
  collector: z
    .enum(COLLECTOR_IDS)
    .default("fluent-bit")
    .describe("Program that reads and sends lines. Default fluent-bit."),
  mode: z
    .enum(["daemonset", "sidecar"])
    .default("daemonset")
    .describe("One collector per node, or one per curl pod. Default daemonset."),
  namespace: NamespaceName.regex(
    /^(?!kube-|default$)/,
    "must not be default, nor start with kube-, which Kubernetes reserves",
  )
    .default(LOGGING_NAMESPACE)
    .describe(
      "Of the collectors, created by the stack. A change deletes the old one with its Secrets and OpenSearch. Default logging.",
    ),
  sidecar: z
    .strictObject({
      destinationCidrs: z
        .array(PolicyCidr)
        .default([])
        .describe("Addresses of an outside destination, for network policies."),
      destinationPort: PortNumber.optional().describe(
        "Port of the destination's pods, for network policies. Default: the Service's if 1024 or higher, else all.",
      ),
    })
    .prefault({})
    .describe("Mode sidecar only."),
  sources: z
    .array(z.enum(SOURCES))
    .superRefine(unique())
    .default(["pods"])
    .describe("Pods' files, the node's journal, Kubernetes events, EKS's audit log, EKS Auto Mode. Default: pods."),
  events: z
    .strictObject({
      image: Image.optional().describe(
        "Fluent Bit's image. Default: logging.image with collector fluent-bit, else the release's.",
      ),
    })
    .prefault({})
    .describe("Source events only."),
  destination: Destination.optional().describe("Excludes destinations. Default: the collector's stdout."),
  destinations: Destinations.optional().describe(
    "Up to four by name, with the keys of destination, buffer.size and index; excludes destination.",
  ),
  routes: z
    .array(Route)
    .default([])
    .describe("A line takes each route whose conditions it meets. Default: all lines to all destinations."),
  index: IndexFormat.prefault({}).describe("Index names in OpenSearch and Elasticsearch."),
  namespaces: z
    .strictObject({
      include: z.array(NamespaceName).default([]).describe("Only these. Default: all."),
      exclude: z.array(NamespaceName).default([]).describe("Not these, and never the collector's."),
    })
    .prefault({})
    .describe("Namespaces to collect."),
  labels: z.record(LabelKey, LabelValue).default({}).describe("Only pods with these labels. Default: all."),
  multiline: z
    .array(z.enum(["java", "python", "go", "node"]))
    .superRefine(unique())
    .default(["java", "python", "go", "node"])
    .describe("Stack traces joined into one record; .NET, Ruby and PHP count as java, Rust as go. Default: all four."),
  parseJson: z.boolean().default(true).describe("Parse JSON lines into fields. Default true."),
  processing: ProcessingSettings.prefault({}).describe("Changes to lines before they are sent."),
  metadata: z
    .strictObject({
      labels: z.boolean().default(true).describe("Pod labels, with '_' for dots in keys. Default true."),
      annotations: z.boolean().default(false).describe("Pod annotations, in the same way. Default false."),
      cluster: z
        .boolean()
        .optional()
        .describe("Fields k8s_cluster_name and, on EKS, cloud_region and cloud_account_id. Default true."),
      accountId: string(/^\d{12}$/, "a quoted string of 12 digits")
        .optional()
        .describe("For cloud_account_id. Default: looked up on EKS, except in mode sidecar."),
    })
    .prefault({})
    .describe("Besides namespace, pod, container, node and team."),
  buffer: z
    .strictObject({
      size: Size.default("4Gi").describe("On the node's disk; 4Gi holds about 40 seconds at 40 MB/s. Default 4Gi."),
      whenFull: z
        .enum(["drop-oldest", "drop-newest", "block"])
        .optional()
        .describe(
          "`block` leaves lines in the kubelet's files until it deletes them. Default: drop-oldest if supported.",
        ),
    })
    .prefault({})
    .describe("Disk buffer for undelivered lines."),
  resources: z
    .strictObject({
      cpu: Cores.optional().describe("CPU request."),
      memory: Bytes.optional().describe("Memory request."),
      memoryLimit: Bytes.optional().describe("Memory limit."),
    })
    .prefault({})
    .describe("Per collector pod. Default: by collector."),
  image: Image.optional().describe("Default: the release's."),
});
export type LoggingSettings = z.infer<typeof LoggingSettings>;
