import { z } from "zod";
import { RETENTION_DAYS } from "../../cluster/settings.ts";
import { relation } from "../../schema/errors.ts";
import { integer, string } from "../../schema/values.ts";
import { IndexFormat } from "../indexing/index-format.ts";
import { checkSigv4, Sigv4 } from "./amazon.ts";
import { DELIVERY_KINDS } from "./delivery-kinds.ts";
import {
  Credentials,
  Host,
  originUrl,
  Port,
  SchemedToken,
  Size,
  server,
  TlsChoice,
  Token,
  Url,
} from "./destination-values.ts";
import { checkHeaders, Headers } from "./headers.ts";
import { checkKafka, KAFKA } from "./kafka.ts";
import { isKeyPrefix } from "./key-prefix.ts";

const DEFAULT_PORT = 9200;

/** Settings that OpenSearch and Elasticsearch share. */
const searchEngine = {
  port: Port.default(DEFAULT_PORT).describe("Default 9200."),
  tls: TlsChoice,
  credentials: Credentials.optional().describe("User and password."),
  token: SchemedToken.optional().describe("API key or bearer token; excludes credentials."),
};

const RESERVED_BUCKET = /^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/;

/**
 * Whether S3 accepts the name for a general purpose bucket. Dots are excluded: with them the bucket's host name matches no certificate.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
 */
export function isBucketName(name: string): boolean {
  return /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name) && !RESERVED_BUCKET.test(name);
}

const KmsKeyArn = string(
  /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/,
  "the ARN of a KMS key, such as arn:aws:kms:eu-central-1:111122223333:key/1234abcd",
);
/** @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html */
const LogClass = z.enum(["STANDARD", "INFREQUENT_ACCESS"]);

/** Normalizes a prefix as in keys: `/logs//pods/` becomes `logs/pods`, since no console shows a folder without a name. */
function withoutEmptyParts(prefix: string): string {
  return prefix
    .split("/")
    .filter((part) => part !== "")
    .join("/");
}

/** Default retention in days. */
export const RETENTION = { cloudwatch: 30, s3: 90 } as const;

/** Settings by destination kind. */
const KINDS = {
  stdout: { kind: z.literal("stdout").describe("The collector's log, shown by `kubectl logs`.") },
  file: {
    kind: z.literal("file").describe("Files on each node."),
    path: string(
      /^(?!.*\.\.|.*\/\.(\/|$))\/var\/log\/(?!pods(\/|$)|containers(\/|$))[\w.-]+(\/[\w.-]+)*$/,
      "a folder below /var/log, other than pods and containers",
    )
      .default("/var/log/collected")
      .describe("Default /var/log/collected. Another one must be in statePaths of the rule collectors-host-paths."),
  },
  http: {
    kind: z.literal("http").describe("JSON sent by POST."),
    url: Url.describe("URL."),
    body: z
      .enum(["lines", "array"])
      .default("lines")
      .describe("One JSON object per line, or an array, as for Datadog. Default lines."),
    ...server,
    credentials: Credentials.optional().describe("User and password."),
    token: SchemedToken.optional().describe("API key or bearer token; excludes credentials."),
    headers: Headers,
  },
  opensearch: {
    kind: z.literal("opensearch"),
    host: Host.optional().describe("Excludes inCluster."),
    inCluster: z.boolean().default(false).describe("Deploy OpenSearch with Dashboards, for evaluation. Default false."),
    storage: string(/^[1-9]\d*(Mi|Gi)$/, "a size in Mi or Gi, such as '10Gi'")
      .optional()
      .describe("Volume size. Default: none; logs are lost with the pod."),
    storageClass: string(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, "the name of a StorageClass")
      .optional()
      .describe("Required on a new EKS cluster. Default: the cluster's."),
    ...searchEngine,
    sigv4: Sigv4.optional().describe("Sign with an IAM role, for Amazon OpenSearch; excludes credentials."),
  },
  elasticsearch: { kind: z.literal("elasticsearch"), host: Host.describe("Host."), ...searchEngine },
  cloudwatch: {
    kind: z.literal("cloudwatch").describe("CloudWatch Logs, in a new or existing log group."),
    logGroup: string(/^[\w./#-]{1,512}$/, "a string of 1 to 512 letters, digits and '_', '-', '/', '.', '#'")
      .optional()
      .describe("Default /eks-dns-logging/CLUSTER/pods."),
    existing: z
      .boolean()
      .default(false)
      .describe("The log group exists, in the cluster's region, and stays unchanged. Default false."),
    retentionDays: z.literal(RETENTION_DAYS).optional().describe(`Retention in days. Default ${RETENTION.cloudwatch}.`),
    class: LogClass.optional().describe("A change replaces the log group. Default STANDARD."),
    kmsKeyArn: KmsKeyArn.optional().describe("KMS key. Default: one of this stack."),
    teams: z
      .record(
        z.string(),
        z.strictObject({
          retentionDays: z
            .literal(RETENTION_DAYS)
            .optional()
            .describe("Retention in days. Default: the destination's."),
          class: LogClass.optional().describe("Log class. Default: the destination's."),
          kmsKeyArn: KmsKeyArn.optional().describe(
            "Key that encrypts it. Default: the destination's, or one of its own.",
          ),
        }),
      )
      .optional()
      .describe("With index.splitBy team, such as { ts: { retentionDays: 90 } }."),
  },
  s3: {
    kind: z.literal("s3").describe("S3, in a new or existing bucket."),
    bucket: z
      .string()
      .refine(
        isBucketName,
        "must be 3 to 63 lowercase letters, digits and '-', and no prefix or suffix that S3 reserves",
      )
      .optional()
      .describe("A change replaces the bucket. Default CLUSTER-logs-REGION."),
    prefix: string(/^[\w./-]*$/, "a string of letters, digits and '_', '-', '/', '.'")
      .overwrite(withoutEmptyParts)
      .refine(isKeyPrefix, "must have no more '..' than other parts before them, or S3 refuses its keys")
      .default("logs")
      .describe("'' for none. Default logs."),
    existing: z
      .boolean()
      .default(false)
      .describe("The bucket exists, in the cluster's region, and stays unchanged. Default false."),
    teams: z
      .record(z.string(), z.strictObject({ retentionDays: integer(1, 3653).describe("Retention in days.") }))
      .optional()
      .describe("With index.splitBy team, such as { ts: { retentionDays: 90 } }."),
    kmsKeyArn: KmsKeyArn.optional().describe("KMS key of an existing bucket, unless it is S3's own."),
    retentionDays: integer(1, 3653).optional().describe(`Retention in days. Default ${RETENTION.s3}.`),
  },
  loki: {
    kind: z.literal("loki").describe("Grafana Loki."),
    url: originUrl("http://loki.monitoring.svc:3100").describe("Without a path: http://loki.monitoring.svc:3100."),
    // @see https://github.com/grafana/dskit/blob/main/tenant/tenant.go
    tenant: string(
      /^(?!\.{1,2}$)[\w!.*'()-]{1,150}$/,
      "a quoted string of up to 150 letters, digits and ! - _ . * ' ( ), such as 'team-a', and neither '.' nor '..'",
    )
      .optional()
      .describe("Sent as X-Scope-OrgID."),
    ...server,
    credentials: Credentials.optional().describe("User and password."),
    token: Token.optional().describe("Bearer token; excludes credentials."),
    headers: Headers,
  },
  ...DELIVERY_KINDS,
  kafka: KAFKA,
};

export const Destination = z
  .discriminatedUnion("kind", [
    z.strictObject(KINDS.stdout),
    z.strictObject(KINDS.file),
    z.strictObject(KINDS.http),
    z.strictObject(KINDS.opensearch),
    z.strictObject(KINDS.elasticsearch),
    z.strictObject(KINDS.cloudwatch),
    z.strictObject(KINDS.s3),
    z.strictObject(KINDS.loki),
    z.strictObject(KINDS.otlp),
    z.strictObject(KINDS.splunk),
    z.strictObject(KINDS.firehose),
    z.strictObject(KINDS.kafka),
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
    z.strictObject({ ...KINDS.stdout, ...OWN }),
    z.strictObject({ ...KINDS.file, ...OWN }),
    z.strictObject({ ...KINDS.http, ...OWN }),
    z.strictObject({ ...KINDS.opensearch, ...OWN }),
    z.strictObject({ ...KINDS.elasticsearch, ...OWN }),
    z.strictObject({ ...KINDS.cloudwatch, ...OWN }),
    z.strictObject({ ...KINDS.s3, ...OWN }),
    z.strictObject({ ...KINDS.loki, ...OWN }),
    z.strictObject({ ...KINDS.otlp, ...OWN }),
    z.strictObject({ ...KINDS.splunk, ...OWN }),
    z.strictObject({ ...KINDS.firehose, ...OWN }),
    z.strictObject({ ...KINDS.kafka, ...OWN }),
  ])
  .superRefine(checkOptions);
export type NamedDestination = z.infer<typeof NamedDestination>;

/** Conflicting options. */
function checkOptions(destination: Destination, context: z.core.$RefinementCtx): void {
  if (destination.kind === "kafka") checkKafka(destination, context);
  if ("headers" in destination) checkHeaders(destination, context);
  // @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
  if (destination.kind === "cloudwatch" && !destination.existing && destination.logGroup?.startsWith("aws/")) {
    const message = "must not begin with aws/, since CloudWatch Logs creates no such log group";
    value(context, "logGroup", message, destination.logGroup);
  }
  if (destination.kind === "opensearch") checkOpenSearch(destination, context);
  if (destination.kind === "opensearch" || destination.kind === "elasticsearch") checkPlainSearch(destination, context);
  checkExisting(destination, context);
  if ("token" in destination && destination.token && "credentials" in destination && destination.credentials)
    relation(context, ["token", "credentials"], "token and credentials are mutually exclusive");
  if ("url" in destination) checkPlainUrl(destination, context);
}

function value(context: z.core.$RefinementCtx, path: string, message: string, input: unknown): void {
  context.addIssue({ code: "custom", path: [path], message, input });
}

/** Location of an OpenSearch, and options only without inCluster. */
function checkOpenSearch(destination: DestinationOf<"opensearch">, context: z.core.$RefinementCtx): void {
  const { host, inCluster, port, storage, storageClass, tls, credentials, token } = destination;
  checkSigv4(destination, context);
  if (host === undefined && !inCluster)
    relation(context, ["host", "inCluster"], "one of host and inCluster is required");
  if (host !== undefined && inCluster)
    relation(context, ["host", "inCluster"], "host and inCluster are mutually exclusive");
  if (storage !== undefined && !inCluster) relation(context, ["storage", "inCluster"], "storage requires inCluster");
  if (storageClass !== undefined && storage === undefined)
    relation(context, ["storageClass", "storage"], "storageClass requires storage");
  if (!inCluster) return;
  const own = "must not be set with inCluster, whose OpenSearch has no TLS and no users";
  if (port !== DEFAULT_PORT) value(context, "port", `must be ${DEFAULT_PORT} with inCluster`, port);
  if (tls !== undefined && tls !== false) value(context, "tls", own, tls);
  if (credentials !== undefined) relation(context, ["credentials", "inCluster"], `credentials ${own}`);
  if (token !== undefined) relation(context, ["token", "inCluster"], `token ${own}`);
}

/** Forbids secrets for a search engine without TLS. */
function checkPlainSearch(
  { tls, token, credentials }: DestinationOf<"opensearch" | "elasticsearch">,
  context: z.core.$RefinementCtx,
): void {
  if (tls !== false || (credentials ?? token) === undefined) return;
  const [key, secret] = token === undefined ? ["credentials", "the password"] : ["token", "the token"];
  const message = `${key} ${key === "token" ? "requires" : "require"} TLS, since ${secret} would be sent in clear text`;
  relation(context, ["tls", key], message);
}

/** Forbids secrets and CA certificates for http URLs. */
function checkPlainUrl(destination: Extract<Destination, { url: string }>, context: z.core.$RefinementCtx): void {
  if (!destination.url.startsWith("http:")) return;
  if (destination.token !== undefined) {
    const message = "must be an https URL with a token, since it would be sent in clear text";
    value(context, "url", message, destination.url);
  } else if ("credentials" in destination && destination.credentials !== undefined) {
    const message = "must be an https URL with credentials, since the password would be sent in clear text";
    value(context, "url", message, destination.url);
  }
  if (destination.caSecretName !== undefined) {
    const message = "must not be set with an http URL, which has no certificate";
    value(context, "caSecretName", message, destination.caSecretName);
  }
}

/** Checks required and excluded options of an existing log group or bucket. */
function checkExisting(destination: Destination, context: z.core.$RefinementCtx): void {
  if (destination.kind !== "cloudwatch" && destination.kind !== "s3") return;
  const [key, name] =
    destination.kind === "cloudwatch" ? ["logGroup", destination.logGroup] : ["bucket", destination.bucket];
  if (destination.kind === "s3" && destination.kmsKeyArn !== undefined && !destination.existing)
    relation(context, ["kmsKeyArn", "existing"], "kmsKeyArn requires existing");
  if (!destination.existing) return;
  if (name === undefined) relation(context, ["existing", key], `existing requires ${key}`);
  const { retentionDays } = destination;
  const kept =
    destination.kind === "cloudwatch"
      ? { retentionDays, class: destination.class, kmsKeyArn: destination.kmsKeyArn }
      : { retentionDays };
  for (const [setting, value] of Object.entries(kept)) {
    if (value === undefined) continue;
    const message = `${setting} must not be set with existing: the ${key === "bucket" ? "bucket" : "log group"} keeps its own`;
    relation(context, ["existing", setting], message);
  }
}
