import type { DestinationKind } from "../destination-settings.ts";
import type { LogPipeline } from "../pipeline.ts";
import type { CollectorId, LoggingSettings } from "../settings.ts";

/** What a collector makes of a pipeline. */
export interface Rendered {
  /** Configuration files: name to text. */
  readonly files: Readonly<Record<string, string>>;
  /** Arguments of the collector's own entry point. */
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** A rule of a ClusterRole. */
export interface ApiRule {
  readonly apiGroups: string[];
  readonly resources: string[];
  readonly verbs: string[];
}

/** A probe of the collector's own HTTP server. */
export interface HttpProbe {
  readonly path: string;
  readonly port: number;
}

/** A program that collects logs, as this stack knows it. Adding one is a file of this shape and a line in the table. */
export interface Collector {
  readonly id: CollectorId;
  /** Name for people, such as `Fluent Bit`. */
  readonly title: string;
  /** Image with a fixed tag. */
  readonly image: string;
  /** Where its documentation is. */
  readonly documentation: string;
  /** How it can be run. */
  readonly carriers: readonly LoggingSettings["carrier"][];
  /** Where it can send to. */
  readonly destinations: readonly DestinationKind[];
  /** Folder in the container where the configuration is mounted. */
  readonly configFolder: string;
  /** Folder for buffers and read positions, on a volume that outlives the container. */
  readonly stateFolder: string;
  /** Command, where the image's entry point is not what is to run. */
  readonly command?: readonly string[];
  /** Seconds that it may take to hand over what it holds when it is stopped; the pod gets a few more. */
  readonly graceSeconds: number;
  readonly liveness: HttpProbe;
  readonly readiness: HttpProbe;
  /** Port of its own metrics. */
  readonly metricsPort: number;
  /** What it must read from the Kubernetes API. */
  readonly apiRules: readonly ApiRule[];
  /** What it cannot do of a pipeline, each in words that follow `logging.`; empty where it can do all. */
  unsupported(pipeline: LogPipeline): readonly Unsupported[];
  render(pipeline: LogPipeline): Rendered;
}

/** A setting that a collector cannot follow. */
export interface Unsupported {
  /** Path below `logging`, such as `["index", "timeZone"]`. */
  readonly path: readonly string[];
  /** What is allowed instead, in words. */
  readonly message: string;
  readonly value: unknown;
}
