import type { SettingsIssue } from "../../schema/errors.ts";
import type { Destination } from "./destination-settings.ts";
import { type KafkaDestination, mskRegion } from "./kafka.ts";

/** A broker of Amazon MSK, or of MSK Serverless. */
const BROKER = /\.(?<service>kafka|kafka-serverless)\.(?<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?:(?<port>\d+)$/i;

/** Authentication of clients, and MSK's ports for each: in its VPC, with public access, and by IPv6. */
const PORTS = {
  plaintext: { by: "tls false", ports: ["9092", "20092"] },
  tls: { by: "TLS and neither credentials nor mskArn", ports: ["9094", "9194", "20094"] },
  scram: { by: "credentials", ports: ["9096", "9196", "20096"] },
  iam: { by: "mskArn", ports: ["9098", "9198", "20098"] },
} satisfies Readonly<Record<string, { readonly by: string; readonly ports: readonly string[] }>>;
const KNOWN_PORTS = Object.values(PORTS).flatMap(({ ports }) => ports);

/**
 * Settings with which a client can never reach Amazon MSK. A port that MSK's documentation does not list, such as one of PrivateLink, may
 * be right. Paths are below the destination.
 * @see https://docs.aws.amazon.com/msk/latest/developerguide/port-info.html
 * @see https://docs.aws.amazon.com/msk/latest/developerguide/msk-password-limitations.html
 * @see https://docs.aws.amazon.com/msk/latest/developerguide/serverless.html
 */
export function mskIssues(destination: Destination): SettingsIssue[] {
  if (destination.kind !== "kafka") return [];
  const { brokers, credentials, mechanism, mskArn } = destination;
  const found = brokers.flatMap((broker, at) => {
    const { service, region, port } = BROKER.exec(broker)?.groups ?? {};
    return service === undefined || region === undefined || port === undefined
      ? []
      : [{ broker, at, port, region: region.toLowerCase(), isServerless: /serverless/i.test(service) }];
  });
  const [first] = found;
  if (first === undefined) return [];
  if (mskArn === undefined && found.some(({ isServerless }) => isServerless)) {
    const message = `must be set for Amazon MSK Serverless (${first.broker}), which accepts only IAM${credentials === undefined ? "" : ": set it instead of credentials"}`;
    return [{ path: ["mskArn"], message }];
  }
  const issues: SettingsIssue[] = [];
  const { by, ports } = PORTS[wayTo(destination)];
  for (const { broker, at, port } of found)
    if (KNOWN_PORTS.includes(port) && !ports.includes(port)) {
      const message = `must have port ${ports.join(" or ")} with ${by}, on which Amazon MSK accepts such clients`;
      issues.push({ path: ["brokers", at], message, value: broker });
    }
  if (credentials !== undefined && mechanism !== "SCRAM-SHA-512")
    issues.push({
      path: ["mechanism"],
      message: "must be SCRAM-SHA-512 with Amazon MSK, which supports no other",
      value: mechanism,
    });
  const elsewhere = found.find(({ region }) => mskArn !== undefined && region !== mskRegion(mskArn));
  if (elsewhere !== undefined) {
    const message = `must be of the region in brokers (${elsewhere.broker})`;
    issues.push({ path: ["mskArn"], message, value: mskArn });
  }
  return issues;
}

function wayTo({ mskArn, credentials, tls }: KafkaDestination): keyof typeof PORTS {
  if (mskArn !== undefined) return "iam";
  if (credentials !== undefined) return "scram";
  return tls === false ? "plaintext" : "tls";
}
