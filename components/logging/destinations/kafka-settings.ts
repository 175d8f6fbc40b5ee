import { z } from "zod";
import type { PolicyStatement } from "../../aws/policy-statements.ts";
import { relation, type SettingsIssue } from "../../schema/errors.ts";
import { string, unique } from "../../schema/values.ts";
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
    .superRefine(unique((broker) => broker.toLowerCase()))
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

/** Reports options that exclude or require each other. */
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
/**
 * Longest message that it takes, by default 1 MB: Fluent Bit drops a longer one with all that follows in its chunk. One that the broker
 * refuses is dropped alone. Less than the memory, or Fluent Bit waits for room indefinitely.
 */
export const LIBRDKAFKA_MESSAGE_BYTES = 15_000_000;

/** A broker of Amazon MSK, or of MSK Serverless. */
const MSK_BROKER = /\.(?<service>kafka|kafka-serverless)\.(?<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?:(?<port>\d+)$/i;

/** Authentication of clients, and MSK's ports for each: in its VPC, with public access, and by IPv6. */
const PORTS = {
  plaintext: { setting: "tls false", ports: ["9092", "20092"] },
  tls: { setting: "TLS and neither credentials nor mskArn", ports: ["9094", "9194", "20094"] },
  scram: { setting: "credentials", ports: ["9096", "9196", "20096"] },
  iam: { setting: "mskArn", ports: ["9098", "9198", "20098"] },
} satisfies Readonly<Record<string, { readonly setting: string; readonly ports: readonly string[] }>>;
const KNOWN_PORTS = Object.values(PORTS).flatMap(({ ports }) => ports);

/**
 * Settings with which a client can never reach Amazon MSK. A port that MSK's documentation does not list, such as one of PrivateLink, may
 * be right. Paths are below the destination.
 * @see https://docs.aws.amazon.com/msk/latest/developerguide/port-info.html
 * @see https://docs.aws.amazon.com/msk/latest/developerguide/msk-password-limitations.html
 * @see https://docs.aws.amazon.com/msk/latest/developerguide/serverless.html
 */
export function mskIssues(destination: KafkaDestination): SettingsIssue[] {
  const { brokers, credentials, mechanism, mskArn } = destination;
  const mskBrokers = brokers.flatMap((broker, index) => {
    const { service, region, port } = MSK_BROKER.exec(broker)?.groups ?? {};
    return service === undefined || region === undefined || port === undefined
      ? []
      : [{ broker, at: index, port, region: region.toLowerCase(), isServerless: /serverless/i.test(service) }];
  });
  const [first] = mskBrokers;
  if (first === undefined) return [];
  if (mskArn === undefined && mskBrokers.some(({ isServerless }) => isServerless)) {
    const message = `must be set for Amazon MSK Serverless (${first.broker}), which accepts only IAM${credentials === undefined ? "" : ": set it instead of credentials"}`;
    return [{ path: ["mskArn"], message }];
  }
  const issues: SettingsIssue[] = [];
  const { setting, ports } = PORTS[authenticationOf(destination)];
  for (const { broker, at, port } of mskBrokers)
    if (KNOWN_PORTS.includes(port) && !ports.includes(port)) {
      const message = `must have port ${alternatives(ports)} with ${setting}, on which Amazon MSK accepts such clients`;
      issues.push({ path: ["brokers", at], message, value: broker });
    }
  if (credentials !== undefined && mechanism !== "SCRAM-SHA-512")
    issues.push({
      path: ["mechanism"],
      message: "must be SCRAM-SHA-512 with Amazon MSK, which supports no other",
      value: mechanism,
    });
  const elsewhere = mskBrokers.find(({ region }) => mskArn !== undefined && region !== mskRegion(mskArn));
  if (elsewhere !== undefined) {
    const message = `must be in the region of brokers (${elsewhere.broker})`;
    issues.push({ path: ["mskArn"], message, value: mskArn });
  }
  return issues;
}

/** `9092 or 20092`, or `9094, 9194 or 20094`. */
function alternatives(ports: readonly string[]): string {
  return `${ports.slice(0, -1).join(", ")} or ${ports.at(-1)}`;
}

/** How clients authenticate with these settings. */
function authenticationOf({ mskArn, credentials, tls }: KafkaDestination): keyof typeof PORTS {
  if (mskArn !== undefined) return "iam";
  if (credentials !== undefined) return "scram";
  return tls === false ? "plaintext" : "tls";
}
