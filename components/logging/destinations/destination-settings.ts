import { z } from "zod";
import { relation } from "../../schema/errors.ts";
import { string } from "../../schema/values.ts";
import { IndexFormat } from "../indexing/index-format.ts";
import { CLOUDWATCH, checkStored, FIREHOSE, S3 } from "./aws/aws-settings.ts";
import { Size } from "./destination-values.ts";
import { checkHeaders, checkOtlp, checkUrl, HTTP, LOKI, OTLP, SPLUNK } from "./http-settings.ts";
import { checkKafka, KAFKA } from "./kafka-settings.ts";
import { checkSearch, ELASTICSEARCH, OPENSEARCH, type Sigv4 } from "./search/search-settings.ts";

const STDOUT = { kind: z.literal("stdout").describe("The collector's log, shown by `kubectl logs`.") };
const FILE = {
  kind: z.literal("file").describe("Files on each node."),
  path: string(
    /^(?!.*\.\.|.*\/\.(\/|$))\/var\/log\/(?!pods(\/|$)|containers(\/|$))[\w.-]+(\/[\w.-]+)*$/,
    "a folder below /var/log, other than pods and containers",
  )
    .default("/var/log/collected")
    .describe("Default /var/log/collected. Another one must be in statePaths of the rule collectors-host-paths."),
};

/** Where lines go: the settings of one kind of destination. */
export const Destination = z
  .discriminatedUnion("kind", [
    z.strictObject(STDOUT),
    z.strictObject(FILE),
    z.strictObject(HTTP),
    z.strictObject(OPENSEARCH),
    z.strictObject(ELASTICSEARCH),
    z.strictObject(CLOUDWATCH),
    z.strictObject(S3),
    z.strictObject(LOKI),
    z.strictObject(OTLP),
    z.strictObject(SPLUNK),
    z.strictObject(FIREHOSE),
    z.strictObject(KAFKA),
  ])
  .superRefine(checkOptions);
export type Destination = z.infer<typeof Destination>;
export type DestinationKind = Destination["kind"];
/** The settings of one or several kinds of destination. */
export type DestinationOf<K extends DestinationKind> = Extract<Destination, { kind: K }>;

/** Further settings of one of several destinations. */
const OWN = {
  buffer: z
    .strictObject({ size: Size.optional().describe("Maximum size on the node's disk. Default: logging.buffer.size.") })
    .prefault({})
    .describe("Buffer for lines that this destination does not accept yet."),
  index: IndexFormat.optional().describe("Index names of this destination. Default: logging.index."),
  wasDestination: z
    .boolean()
    .default(false)
    .describe("This was logging.destination: keep its log group or bucket. Default false."),
};

/** One of several destinations: the settings of its kind, its buffer and its index names. */
export const NamedDestination = z
  .discriminatedUnion("kind", [
    z.strictObject({ ...STDOUT, ...OWN }),
    z.strictObject({ ...FILE, ...OWN }),
    z.strictObject({ ...HTTP, ...OWN }),
    z.strictObject({ ...OPENSEARCH, ...OWN }),
    z.strictObject({ ...ELASTICSEARCH, ...OWN }),
    z.strictObject({ ...CLOUDWATCH, ...OWN }),
    z.strictObject({ ...S3, ...OWN }),
    z.strictObject({ ...LOKI, ...OWN }),
    z.strictObject({ ...OTLP, ...OWN }),
    z.strictObject({ ...SPLUNK, ...OWN }),
    z.strictObject({ ...FIREHOSE, ...OWN }),
    z.strictObject({ ...KAFKA, ...OWN }),
  ])
  .superRefine(checkOptions);
export type NamedDestination = z.infer<typeof NamedDestination>;

/** The setting that makes the collector need an AWS identity to write there, and its value; undefined if it needs none. */
export function awsIdentitySetting({ kind, sigv4, mskArn }: Identified) {
  if (mskArn !== undefined) return { key: "mskArn", value: mskArn };
  if (sigv4 !== undefined) return { key: "sigv4", value: sigv4.arn };
  return ["cloudwatch", "s3", "firehose"].includes(kind) ? { key: "kind", value: kind } : undefined;
}

/** What decides whether a destination needs an AWS identity. */
interface Identified {
  readonly kind: string;
  readonly sigv4?: Sigv4 | undefined;
  readonly mskArn?: string | undefined;
}

/** Reports options that exclude or require each other. */
function checkOptions(destination: Destination, context: z.core.$RefinementCtx): void {
  if (destination.kind === "kafka") checkKafka(destination, context);
  if (destination.kind === "otlp") checkOtlp(destination, context);
  if ("headers" in destination) checkHeaders(destination, context);
  if (destination.kind === "opensearch" || destination.kind === "elasticsearch") checkSearch(destination, context);
  if (destination.kind === "cloudwatch" || destination.kind === "s3") checkStored(destination, context);
  if ("token" in destination && destination.token && "credentials" in destination && destination.credentials)
    relation(context, ["token", "credentials"], "token and credentials are mutually exclusive");
  if ("url" in destination) checkUrl(destination, context);
}
