import { readFileSync } from "node:fs";
import { amount } from "../../schema/values.ts";
import type { Destination, DestinationKind } from "../destinations/destination-settings.ts";
import { plainHeaders } from "../destinations/http-settings.ts";
import { hasIndex, type LogPipeline } from "../pipeline.ts";
import type { ProcessingStep } from "../processing/settings.ts";
import type { CollectorId, LoggingSettings } from "../settings.ts";

/** A pipeline, rendered for a collector. It holds no secret: the container gets credentials as variables and files. */
export interface Rendered {
  /** Configuration files: name to text. */
  readonly files: Readonly<Record<string, string>>;
  /** Arguments of the entry point. */
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Further containers, each for one of several destinations. @default none: the collector itself sends */
  readonly senders?: readonly Sender[];
}

/** Options of a component in a collector's own configuration. */
export type Options = Readonly<Record<string, unknown>>;

/** A container that receives records from the collector in its pod and sends them to one destination. */
export interface Sender {
  /** Destination name. */
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

/** How to probe a collector: by its own HTTP server. */
export interface Probe {
  readonly path: string;
  readonly port: number;
  /** Probe timeout in seconds. Default 1. */
  readonly timeoutSeconds?: number;
}

/** Description of a collector, for the comparison table. */
export interface About {
  /** Line parsing beyond partial CRI lines and JSON, which all collectors parse, and where it differs from the others'. */
  readonly parsing: readonly string[];
  /** Where lines wait while the destination is down. */
  readonly buffer: string;
  /** How it dates an index. */
  readonly index: string;
  /** Who maintains it; if nobody, the consequences. */
  readonly maintenance: string;
  /** Scripts and plugins of this project that it runs: unknown to the collector's users, and maintained here only. */
  readonly ownCode: string;
  /** Observed losses. @see docs/measurements/log-delivery.md */
  readonly losses: string;
  /** CPU time per line, as a multiple of Fluent Bit's. Default: not measured. @see test/collectors/cost.test.ts */
  readonly cpu?: number;
}

/** Where a collector that reads the journal with `journalctl` gets it from. */
export interface JournalNeeds {
  /** Image with `journalctl`. @default the collector's */
  readonly image?: string;
  /** Node folders with `journalctl`, mounted read-only at the same paths. @default none */
  readonly nodeFolders?: readonly string[];
}

/** Authentication besides user and password: an AWS signature, a token in the Authorization header, or other headers. */
export const AUTHENTICATIONS = ["sigv4", "token", "headers"] as const;
export type Authentication = (typeof AUTHENTICATIONS)[number];

/** A log collector. To add one, write an object of this type and list it in `COLLECTORS`. */
export interface Collector {
  readonly id: CollectorId;
  /** Display name, such as `Fluent Bit`. */
  readonly title: string;
  /** Image with a pinned tag. */
  readonly image: string;
  /** Images for destinations whose plugin is in another image. Default: none. */
  readonly images?: Readonly<Partial<Record<DestinationKind, string>>>;
  /** URL of its documentation. */
  readonly documentation: string;
  /** Supported modes. */
  readonly modes: readonly LoggingSettings["mode"][];
  /** For each destination: true if supported, or else the reason. */
  readonly destinations: Readonly<Record<DestinationKind, true | string>>;
  /** Authentication besides user and password, by destination kind. @default none */
  readonly authenticates?: Partial<Readonly<Record<DestinationKind, readonly Authentication[]>>>;
  /** What its pod needs to read the node's journal; empty if its image suffices. @default it does not read it */
  readonly journal?: JournalNeeds;
  /** True if it can send to several destinations at once, or else the reason. */
  readonly routes: true | string;
  /** For each step of `logging.processing`: true if supported, or else the reason. */
  readonly processing: Readonly<Record<ProcessingStep, true | string>>;
  readonly about: About;
  /** Folder in the container with the mounted configuration. */
  readonly configFolder: string;
  /** Folder for buffers and read positions, on a volume that outlives the container. */
  readonly stateFolder: string;
  /** Command, if it is not the image's entry point. */
  readonly command?: readonly string[];
  /** Seconds to flush when stopped; the pod gets a few more. */
  readonly graceSeconds: number;
  /** Default: none, if the process exits on failure and is then restarted. */
  readonly liveness?: Probe;
  readonly readiness?: Probe;
  /** Ports by name: `metrics` for its own metrics. */
  readonly ports: Readonly<Record<string, number>>;
  /** Node ports, among {@link ports}, to which applications may send their lines. Default: none. */
  readonly receives?: Readonly<Record<string, number>>;
  /** How it reads user and password: from files if it would interpret parts of a variable. Default: variables. */
  readonly readsCredentials?: "variables" | "files";
  /** Resources if the settings have none. */
  readonly resources: Required<LoggingSettings["resources"]>;
  /** Actions on its log group in CloudWatch Logs besides creating streams and writing to them. Default: none. */
  readonly logGroupActions?: readonly string[];
  /** Whether it finds its log group by listing all groups of the region. Default false. */
  readonly listsLogGroups?: boolean;
  /** Actions on the bucket's KMS key besides generating data keys. Default: none. */
  readonly bucketKeyActions?: readonly string[];
  /** Permissions for the Kubernetes API. */
  readonly apiRules: readonly ApiRule[];
  /** Settings of a pipeline that it does not support; empty if it supports all. */
  unsupported(pipeline: LogPipeline): readonly Unsupported[];
  render(pipeline: LogPipeline): Rendered;
}

/** A setting that a collector does not support. */
export interface Unsupported {
  /** Path below `logging`, such as `["index", "timeZone"]`. */
  readonly path: readonly string[];
  /** The requirement, as in a settings issue: `must be UTC with Fluent Bit, which …`. */
  readonly message: string;
  readonly value: unknown;
}

/** The setting, unless a collector supports it. @param message See {@link Unsupported.message}. */
export function unless(supported: boolean, path: string, message: string, value: unknown): Unsupported[] {
  return supported ? [] : [{ path: path.split("."), message, value }];
}

/**
 * For collectors whose buffer has a minimum.
 * @param least A quantity.
 * @param title The collector's, perhaps with a reason after it.
 */
export function bufferOf(least: string, title: string, { buffer: { size } }: LogPipeline): Unsupported[] {
  return unless(amount(size) >= amount(least), "buffer.size", `must be at least ${least} with ${title}`, size);
}

/** For collectors that never drop the oldest lines. */
export function neverOldest(title: string, { buffer: { whenFull } }: LogPipeline): Unsupported[] {
  const message = `must be block or drop-newest with ${title}, which cannot drop the oldest lines`;
  return unless(whenFull !== "drop-oldest", "buffer.whenFull", message, whenFull);
}

/** For collectors that post only lines. */
export function onlyLines(title: string, { destination }: LogPipeline): Unsupported[] {
  if (destination.kind !== "http") return [];
  const { body } = destination;
  return unless(body === "lines", "destination.body", `must be lines with ${title}, which posts no arrays here`, body);
}

/** For collectors that date indices in UTC. */
export function onlyUtc(title: string, { destination, index: { timeZone } }: LogPipeline): Unsupported[] {
  const supported = !hasIndex(destination) || timeZone === "UTC";
  return unless(supported, "index.timeZone", `must be UTC with ${title}, which dates indices in UTC`, timeZone);
}

/**
 * For collectors that interpret parts of a URL and of headers.
 * @param what Such as `'%' with Vector, which reads it as a date`.
 */
export function verbatimOnly({ destination }: LogPipeline, interpreted: RegExp, what: string): Unsupported[] {
  const url = destination.kind === "http" ? destination.url : "";
  return [
    ...unless(!interpreted.test(url), "destination.url", `must be a URL without ${what}`, url),
    ...plainHeaders(destination).flatMap(([name, value]) =>
      interpreted.test(value)
        ? [{ path: ["destination", "headers", name], message: `must be a string without ${what}`, value }]
        : [],
    ),
  ];
}

/** Kept free beside a sidecar's buffer for read positions, since a volume over its limit evicts the pod. */
const SIDECAR_RESERVE = 32 * 2 ** 20;

/** Bytes that a buffer may take on disk. */
export function bufferBytes({ buffer, source }: Pick<LogPipeline, "buffer" | "source">): number {
  return amount(buffer.size) - (source.kind === "application" ? SIDECAR_RESERVE : 0);
}

/**
 * Status codes after which a request is sent again: redirects, a password that changes, and shortages. All others are final, 403 and 404 too,
 * so that what is always refused never holds up the rest.
 */
export const RETRYABLE_STATUS: readonly number[] = [301, 302, 307, 308, 401, 408, 425, 429, 500, 502, 503, 504];

/** The collector's image for a destination. */
export function imageFor(
  { image, images }: Pick<Collector, "image" | "images">,
  { kind }: Pick<Destination, "kind">,
): string {
  return images?.[kind] ?? image;
}

/** Destinations that a collector supports. */
export function destinationsOf({ destinations }: Pick<Collector, "destinations">): string[] {
  return Object.entries(destinations).flatMap(([kind, support]) => (support === true ? [kind] : []));
}

/** The same support of every destination, or the same reason for none. */
export function everyDestination(support: true | string): Collector["destinations"] {
  return {
    stdout: support,
    file: support,
    http: support,
    opensearch: support,
    elasticsearch: support,
    cloudwatch: support,
    s3: support,
    loki: support,
    otlp: support,
    splunk: support,
    firehose: support,
    kafka: support,
  };
}

/** The same support of every step of `logging.processing`, or the same reason for none. */
export function everyStep(support: true | string): Collector["processing"] {
  return { redact: support, drop: support, sample: support, limit: support, firstLines: support, fields: support };
}

/**
 * Reads scripts in other languages from a renderer's folder.
 * @param folder URL of the renderer's module, `import.meta.url`.
 * @param names File names, in rendering order.
 * @returns Name to text.
 */
export function readScripts(folder: string, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, readScript(folder, name)]));
}

/** Reads a script from a renderer's folder. */
export function readScript(folder: string, name: string): string {
  return readFileSync(new URL(name, folder), "utf8");
}

/**
 * Splits a script into sections, each from a comment line `# section: NAME` to the next. Text before the first is for readers only.
 * @returns A section's lines without comments, blank lines and indented comments; throws for an unknown name.
 */
export function scriptSections(text: string): (name: string) => string {
  const [, ...parts] = text.split(/^# section: /m);
  const sections = new Map(
    parts.map((part) => {
      const [name = "", ...lines] = part.split("\n");
      return [name, lines.filter((line) => !/^\s*(#|$)/.test(line)).map((line) => `${line}\n`)];
    }),
  );
  return (name) => {
    const lines = sections.get(name);
    if (lines === undefined) throw new Error(`no section ${name}`);
    return lines.join("");
  };
}
