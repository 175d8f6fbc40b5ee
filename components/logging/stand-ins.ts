// In a separate file: code that only reads settings uses it too, and must not load the SDK.

/** Part of each stand-in. A domain name has at most 28 characters. */
const UNKNOWN = "known-after-deployment";

/** Stand-ins by argument name, until deployment provides the values: valid and unique. */
const STAND_INS: Readonly<Record<string, (unknown: string) => unknown>> = {
  arn: (unknown) => `arn:aws:es:us-east-1:000000000000:domain/${unknown}`,
  brokers: (unknown) => [`${unknown}.invalid:9092`],
  bucket: (unknown) => unknown,
  host: (unknown) => `${unknown}.invalid`,
  kmsKeyArn: (unknown) => `arn:aws:kms:us-east-1:000000000000:key/${unknown}`,
  logGroup: (unknown) => unknown,
  mskArn: (unknown) => `arn:aws:kafka:us-east-1:000000000000:cluster/${unknown}/0`,
  stream: (unknown) => unknown,
  topic: (unknown) => unknown,
  url: (unknown) => `https://${unknown}.invalid`,
};

/**
 * The stand-in for an argument; undefined if it must be a plain value.
 * @param id Unique for each argument.
 */
export function standInFor(argument: string, id: number): unknown {
  return STAND_INS[argument]?.(`${UNKNOWN}-${id}`);
}

/** Whether a text is, or contains, a stand-in for a value that is only known during deployment. */
export function isUnknown(text: string): boolean {
  return text.includes(UNKNOWN);
}
