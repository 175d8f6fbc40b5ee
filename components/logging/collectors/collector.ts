import type { Authentication } from "../destinations/authentication.ts";
import type { Destination, DestinationKind } from "../destinations/destination-settings.ts";
import type { LogPipeline } from "../pipeline.ts";
import type { ProcessingStep } from "../processing/settings.ts";
import type { CollectorId, LoggingSettings } from "../settings.ts";

/** What a collector makes of a pipeline. It holds no secret: credentials reach the container as variables and files. */
export interface Rendered {
  /** Configuration files: name to text. */
  readonly files: Readonly<Record<string, string>>;
  /** Arguments of the collector's own entry point. */
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Containers beside the collector's own, each for one of several destinations. @default none: the collector's own sends */
  readonly senders?: readonly Sender[];
}

/** A container that takes records from the collector beside it and sends them to one destination. */
export interface Sender {
  /** Name of the destination. */
  readonly name: string;
  readonly args: readonly string[];
  readonly ports: Readonly<Record<string, number>>;
  readonly liveness?: Probe;
  readonly readiness?: Probe;
}

/** A rule of a ClusterRole. */
export interface ApiRule {
  readonly apiGroups: string[];
  readonly resources: string[];
  readonly verbs: string[];
}

/** How to ask a collector whether it lives: its own HTTP server, or a command in its container. */
export type Probe = ({ readonly path: string; readonly port: number } | { readonly command: readonly string[] }) & {
  /** How long an answer may take, in seconds. Default 1. */
  readonly timeoutSeconds?: number;
};

/** What a collector is, in words, for the table that compares them. */
export interface About {
  /** How lines are parsed, besides partial CRI lines and JSON, which all do. */
  readonly parsing: string;
  /** What holds lines while the destination is down. */
  readonly buffer: string;
  /** How it dates an index. */
  readonly index: string;
  /** Whether somebody maintains it, and what follows it if not. */
  readonly maintenance: string;
  /** Scripts and plugins of this project that run inside of it: users of the collector do not know them, and nobody else maintains them. */
  readonly ownCode: string;
  /** Lines that it was seen to lose. @see docs/measurements/log-delivery.md */
  readonly losses: string;
  /** CPU of a line, as a multiple of Fluent Bit's. Default: not measured. @see test/collectors/cost.test.ts */
  readonly cpu?: number;
}

/** How a collector gets `journalctl`, where it reads the journal by that. */
export interface JournalNeeds {
  /** Image that has it. @default that of the collector */
  readonly image?: string;
  /** Folders of the node that have it, mounted read-only at their own paths. @default none */
  readonly nodeFolders?: readonly string[];
}

/** A program that collects logs, as this stack knows it. Adding one is a file of this shape and a line in the table. */
export interface Collector {
  readonly id: CollectorId;
  /** Name for people, such as `Fluent Bit`. */
  readonly title: string;
  /** Image with a fixed tag. */
  readonly image: string;
  /** Images for destinations whose plugin is in another one. Default: none. */
  readonly images?: Readonly<Partial<Record<DestinationKind, string>>>;
  /** Where its documentation is. */
  readonly documentation: string;
  /** How it can be run. */
  readonly modes: readonly LoggingSettings["mode"][];
  /** Of every destination: whether it can send there, or in words why not. */
  readonly destinations: Readonly<Record<DestinationKind, true | string>>;
  /** How it can authenticate itself beside user and password, by the kind of the destination. @default nowhere */
  readonly authenticates?: Partial<Readonly<Record<DestinationKind, readonly Authentication[]>>>;
  /** Of other sources than pods and events: whether it reads them, or in words why not. @default it does not */
  readonly sources?: Partial<Readonly<Record<"journal", true | string>>>;
  /** What its pod has beside the journal to read that. @default nothing: its image can */
  readonly journal?: JournalNeeds;
  /** Whether it can send to several destinations at once, or in words why not. */
  readonly routes: true | string;
  /** Of each step of `logging.processing`: whether it can do it, or in words why not. */
  readonly processing: Readonly<Record<ProcessingStep, true | string>>;
  readonly about: About;
  /** Folder in the container where the configuration is mounted. */
  readonly configFolder: string;
  /** Folder for buffers and read positions, on a volume that outlives the container. */
  readonly stateFolder: string;
  /** Command, where the image's entry point is not what is to run. */
  readonly command?: readonly string[];
  /** Seconds that it may take to hand over what it holds when it is stopped; the pod gets a few more. */
  readonly graceSeconds: number;
  /** None where the process alone tells: a container that ends is started again. */
  readonly liveness?: Probe;
  readonly readiness?: Probe;
  /** Ports that it listens on, by name: `metrics` for its own metrics. */
  readonly ports: Readonly<Record<string, number>>;
  /** Those of its ports, on each node, at which applications may send their lines themselves. Default: none. */
  readonly receives?: Readonly<Record<string, number>>;
  /** How it reads user and password: from files where it would take a part of a variable for something else. Default variables. */
  readonly readsCredentials?: "variables" | "files";
  /** Resources where the settings name none. */
  readonly resources: Required<LoggingSettings["resources"]>;
  /** What it asks of its log group in CloudWatch Logs beside making streams and writing to them. Default: nothing. */
  readonly logGroupActions?: readonly string[];
  /** Whether it looks for its log group among all of the region, by their names. Default false. */
  readonly listsLogGroups?: boolean;
  /** What it asks of a KMS key that encrypts its bucket beside making data keys. Default: nothing. */
  readonly bucketKeyActions?: readonly string[];
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
  /** What is required instead, as in a settings issue: `must be UTC with Fluent Bit, which …`. */
  readonly message: string;
  readonly value: unknown;
}

/** Of a collector that posts lines and nothing else. */
export function bodyIssue(title: string, value: string): Unsupported {
  return { path: ["destination", "body"], message: `must be lines with ${title}, which posts no arrays here`, value };
}

/** The image of a collector that sends there. */
export function imageFor(
  { image, images }: Pick<Collector, "image" | "images">,
  { kind }: Pick<Destination, "kind">,
): string {
  return images?.[kind] ?? image;
}

/** Destinations that a collector can send to. */
export function destinationsOf({ destinations }: Pick<Collector, "destinations">): string[] {
  return Object.entries(destinations).flatMap(([kind, support]) => (support === true ? [kind] : []));
}

/** A collector that takes no step of `logging.processing`, for one reason. */
export function noProcessing(why: string): Collector["processing"] {
  return { redact: why, drop: why, sample: why, limit: why, firstLines: why, fields: why };
}
