import { folderOf } from "./names.ts";

/** Characters of a role's inline policies, without white space. @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
export const MAX_INLINE_POLICY = 10_240;

/** A statement of an IAM policy. Its keys are sorted, as in every JSON document of this program. */
export interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: "Allow";
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
}

/** The JSON of an IAM policy, or of another policy with statements. */
export function policyText(statements: readonly object[]): string {
  return JSON.stringify({ Statement: statements, Version: "2012-10-17" });
}

/** What a collector may do in a log group. */
export interface LogGroupAccess {
  /** Whether it also writes to log groups below this name, one per team. @default false */
  readonly withTeams?: boolean;
  /** Log group actions besides creating streams and writing to them. */
  readonly actions: readonly string[];
  /** Whether it finds the log group by listing: that permission cannot be limited to one log group. */
  readonly lists: boolean;
}

/**
 * Statements that let a collector write to a log group.
 * @param anyGroup Prefix of the ARN of every log group in the region.
 */
export function logGroupStatements(
  anyGroup: string,
  groupName: string,
  { actions, lists, withTeams = false }: LogGroupAccess,
): PolicyStatement[] {
  const groupArn = `${anyGroup}${groupName}`;
  const groupArns = withTeams ? [groupArn, `${groupArn}/*`] : [groupArn];
  const streams = groupArns.map((arn) => `${arn}:*`);
  const statement = (Sid: string, Action: readonly string[], Resource: readonly string[]): PolicyStatement => ({
    Sid,
    Effect: "Allow",
    Action,
    Resource,
  });
  return [
    statement("WriteLines", ["logs:CreateLogStream", "logs:PutLogEvents"], streams),
    ...(actions.length === 0 ? [] : [statement("OfItsGroup", [...actions], [...groupArns, ...streams])]),
    ...(lists ? [statement("FindsItsGroup", ["logs:DescribeLogGroups"], [`${anyGroup}*`])] : []),
  ];
}

/**
 * Statements that let a collector write below a prefix.
 * @param kmsKeyArn Customer managed key of the bucket. Default: none.
 * @param keyActions KMS actions besides generating data keys. Default: none.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
 */
export function bucketStatements(
  arn: string,
  prefix: string,
  kmsKeyArn?: string,
  keyActions: readonly string[] = [],
): PolicyStatement[] {
  const keyArns = kmsKeyArn === undefined ? [] : [kmsKeyArn];
  return [
    { Sid: "WriteObjects", Effect: "Allow", Action: ["s3:PutObject"], Resource: [`${arn}/${folderOf(prefix)}*`] },
    ...keyArns.map((keyArn) => ({
      Sid: "EncryptObjects",
      Effect: "Allow" as const,
      Action: ["kms:GenerateDataKey", ...keyActions],
      Resource: [keyArn],
    })),
  ];
}

/** Makes statement ids unique in a policy for several destinations. An id has only letters and digits. @param name Default: one destination. */
export function withUniqueSids(statements: readonly PolicyStatement[], name: string | undefined): PolicyStatement[] {
  const suffix = (name ?? "")
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
  return statements.map((statement) => ({ ...statement, Sid: `${statement.Sid}${suffix}` }));
}
