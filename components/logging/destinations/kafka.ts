import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { PolicyStatement } from "../../aws/iam.ts";
import { relation } from "../../schema/errors.ts";
import { string } from "../../schema/values.ts";
import { Credentials, HOST_NAME, isHost, TlsChoice } from "./destination-values.ts";

const MSK_ARN =
  /^arn:(?<partition>aws[a-z-]*):kafka:(?<region>[a-z0-9-]+):(?<account>\d{12}):cluster\/(?<name>[\w-]{1,64})\/(?<id>[\w-]+)$/;

const BROKER = "a host and its port, such as kafka.example.com:9092";
const PORT = "([1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d\\d|655[0-2]\\d|6553[0-5])";

/** Settings of Apache Kafka. */
export const KAFKA = {
  kind: z.literal("kafka").describe("An existing topic of Apache Kafka or Amazon MSK."),
  brokers: z
    .array(
      string(new RegExp(`^${HOST_NAME}:${PORT}$`), BROKER).refine(
        (broker) => isHost(broker.replace(/:\d+$/, "")),
        `must be ${BROKER}`,
      ),
    )
    .min(1, "must not be empty")
    .describe("Bootstrap brokers, as HOST:PORT."),
  topic: string(/^(?!\.{1,2}$)[\w.-]{1,249}$/, "1 to 249 letters, digits and '_', '-', '.'").describe("Topic."),
  tls: TlsChoice,
  credentials: Credentials.optional().describe("User and password, by SCRAM or PLAIN."),
  mechanism: z
    .enum(["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"])
    .default("SCRAM-SHA-512")
    .describe("SASL mechanism. Default SCRAM-SHA-512."),
  mskArn: string(
    MSK_ARN,
    "the ARN of a cluster, such as arn:aws:kafka:eu-central-1:111122223333:cluster/logs/1234abcd-12ab-1",
  )
    .optional()
    .describe("Amazon MSK cluster, to use an IAM role; excludes credentials."),
};

/** A destination of kind `kafka`. */
const KafkaDestination = z.strictObject(KAFKA);
export type KafkaDestination = z.infer<typeof KafkaDestination>;

/** Region of an MSK cluster. */
export function mskRegion(arn: string): string {
  return MSK_ARN.exec(arn)?.groups?.region ?? "";
}

/** The collector role's permissions in an MSK cluster. @see https://docs.aws.amazon.com/msk/latest/developerguide/iam-access-control.html */
export function mskStatements(arn: string, topic: string): PolicyStatement[] {
  const statement = (Sid: string, actions: readonly string[], resource: string): PolicyStatement => ({
    Sid,
    Effect: "Allow",
    Action: actions.map((action) => `kafka-cluster:${action}`),
    Resource: [resource],
  });
  return [
    statement("ConnectToKafka", ["Connect", "WriteDataIdempotently"], arn),
    statement("WriteTopic", ["DescribeTopic", "WriteData"], `${arn.replace(":cluster/", ":topic/")}/${topic}`),
  ];
}

/** Conflicting options. */
export function checkKafka({ credentials, mskArn, tls }: KafkaDestination, context: z.core.$RefinementCtx): void {
  if (credentials !== undefined && mskArn !== undefined)
    relation(context, ["mskArn", "credentials"], "mskArn and credentials are mutually exclusive");
  if (tls !== false) return;
  if (mskArn !== undefined)
    relation(context, ["mskArn", "tls"], "mskArn requires TLS, since MSK accepts IAM only with TLS");
  if (credentials !== undefined)
    relation(
      context,
      ["tls", "credentials"],
      "credentials require TLS, since the password would be sent in clear text",
    );
}

/** Memory of librdkafka in Fluent Bit, which counts a line as sent once it is there. */
export const LIBRDKAFKA_KBYTES = 16_384;

/** Verification of a broker's certificate. */
interface KafkaTlsArgs {
  /** Whether invalid certificates are rejected. @default true */
  readonly verify?: boolean;
  /** Secret in namespace `logging` whose key `ca.crt` is the CA certificate. @default the public CAs */
  readonly caSecretName?: string | undefined;
}

/** A Secret in the collector's namespace with user and password. */
interface KafkaCredentialsArgs {
  /** Name of the Secret. */
  readonly secretName: string;
  /** Its key with the user. @default "username" */
  readonly usernameKey?: string;
  /** Its key with the password. @default "password" */
  readonly passwordKey?: string;
}

/** An existing topic of Apache Kafka or Amazon MSK. With `mskArn` the cluster must have `podIdentity`. */
export interface KafkaArgs {
  /** Kind of the destination. */
  readonly kind: "kafka";
  /** Bootstrap brokers, as `HOST:PORT`. */
  readonly brokers: pulumi.Input<readonly string[]>;
  /** Name of the topic. */
  readonly topic: pulumi.Input<string>;
  /** TLS: `true` for the default, `false` for none. @default TLS, with verification against the public CAs */
  readonly tls?: boolean | KafkaTlsArgs | undefined;
  /** Secret in the collector's namespace with user and password. @default none */
  readonly credentials?: KafkaCredentialsArgs | undefined;
  /** SASL mechanism of `credentials`. @default "SCRAM-SHA-512" */
  readonly mechanism?: "SCRAM-SHA-512" | "SCRAM-SHA-256" | "PLAIN";
  /** ARN of an MSK cluster, to authenticate with the collector's IAM role; excludes `credentials`. @default none */
  readonly mskArn?: pulumi.Input<string> | undefined;
}
