import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { PolicyStatement } from "../aws/iam.ts";
import { arnName, partitionOf } from "../aws/partition.ts";
import { addressPeer, type PolicySpec } from "../kubernetes/network-policy.ts";
import { relation, type SettingsIssue } from "../schema/errors.ts";
import { string } from "../schema/values.ts";

/** Service account of a team's pods, in each of its own namespaces. */
export const SERVICE_ACCOUNT = "workload";

const ACTION =
  "an action with its service, such as s3:GetObject, of which only the end may be '*': '*' and s3:* would allow everything";
const RESOURCE = "an ARN that names its resource, such as arn:aws:s3:::orders/*";
/** Managed policies with which pods could do nearly everything. */
const BROAD = ["AdministratorAccess", "PowerUserAccess", "IAMFullAccess"];

const Statement = z.strictObject({
  actions: z
    .array(string(/^[a-z0-9-]+:[A-Za-z][A-Za-z0-9]*\*?$/, ACTION))
    .min(1)
    .describe("Actions."),
  resources: z
    .array(string(/^arn:aws(-[a-z]+)*:[a-z0-9-]+:[a-z0-9-]*:(\d{12})?:(?![*?/:]*$)\S+$/, RESOURCE))
    .min(1)
    .describe("ARNs."),
});

/** Policies that IAM attaches to a role: by default, and at most. @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const DEFAULT_POLICIES = 10;
const MAX_POLICIES = 25;
/** Characters of a role's inline policies, without white space. */
const MAX_INLINE_POLICY = 10_240;

/** An AWS identity of a team's pods. */
export const PodIdentitySettings = z
  .strictObject({
    serviceAccount: string(
      /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/,
      "the name of a service account: lower-case letters, digits, '-' and '.'",
    )
      .default(SERVICE_ACCOUNT)
      .describe("Service account. Default workload."),
    policyArns: z
      .array(
        string(
          /^arn:aws(-[a-z]+)*:iam::(aws|\d{12}):policy\/[\w+=,.@/-]+$/,
          "the ARN of an IAM policy, such as arn:aws:iam::123456789012:policy/orders",
        ).refine((arn) => !BROAD.includes(arnName(arn)), {
          error: "must not be a policy that allows nearly everything",
        }),
      )
      .max(MAX_POLICIES, `must have at most ${MAX_POLICIES} policies, the most that IAM attaches to a role`)
      .default([])
      .describe(`At most ${DEFAULT_POLICIES}, or ${MAX_POLICIES} with a higher IAM quota.`),
    statements: z
      .array(Statement)
      .default([])
      .refine((statements) => policySize(statements) <= MAX_INLINE_POLICY, {
        error: ({ input }) =>
          `must fit into ${MAX_INLINE_POLICY} characters as the role's inline policy${sizeOf(input)}: use policies of your own in policyArns`,
      })
      .describe("Further permissions."),
  })
  .superRefine((identity, context) => {
    if (identity.policyArns.length === 0 && identity.statements.length === 0)
      relation(
        context,
        ["policyArns", "statements"],
        "policyArns or statements is required, or the role would allow nothing",
      );
  });

/** What of a team names something in AWS. */
interface TeamInAws {
  readonly memberRoles: readonly string[];
  readonly podIdentity?: z.infer<typeof PodIdentitySettings> | undefined;
}

/** ARNs that no cluster of the region can use: an AWS partition has identities and resources of its own. */
export function arnIssues(teams: readonly TeamInAws[], region: string): SettingsIssue[] {
  const { id } = partitionOf(region);
  const message = `must start with arn:${id}:, the partition of ${region}`;
  return teams.flatMap(({ memberRoles, podIdentity }, team) => {
    const at = (path: SettingsIssue["path"], arns: readonly string[]) =>
      arns.flatMap((value, index): SettingsIssue[] =>
        value.startsWith(`arn:${id}:`) ? [] : [{ path: [team, ...path, index], message, value }],
      );
    return [
      ...at(["memberRoles"], memberRoles),
      ...at(["podIdentity", "policyArns"], podIdentity?.policyArns ?? []),
      ...(podIdentity?.statements ?? []).flatMap(({ resources }, index) =>
        at(["podIdentity", "statements", index, "resources"], resources),
      ),
    ];
  });
}

/** Actions of S3 on a bucket's objects. @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html */
const ON_OBJECTS =
  /^s3:(?:(?:Get|Put|Delete|Restore)Object(?!LockConfiguration)|AbortMultipartUpload|ListMultipartUploadParts)/;
/** Actions of S3 on a bucket as a whole. */
const ON_BUCKETS = /^s3:(?:ListBucket|GetBucket|PutBucket)/;
const BUCKET = /^arn:[a-z-]+:s3:::[^/*?]*$/;
const OBJECTS = /^arn:[a-z-]+:s3:::[^/]+\/./;

/** Actions of Secrets Manager on one secret. @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html */
const ON_SECRETS = /^secretsmanager:(?!BatchGet|GetRandom|List(?!SecretVersionIds))/;
const SECRET = /^arn:[a-z-]+:secretsmanager:[^:]*:\d*:secret:/;
/** Whether a pattern can match the six characters that AWS adds to a secret's name. */
const WITH_SUFFIX = /\*[^*]{0,6}$|[-?][A-Za-z0-9?]{6}$/;
/** Actions of KMS on a key, which an alias in a policy does not stand for. @see https://docs.aws.amazon.com/kms/latest/developerguide/cmks-in-iam-policies.html */
const ON_KEYS =
  /^kms:(Decrypt|Encrypt|ReEncrypt|GenerateDataKey|GenerateMac|VerifyMac|Sign|Verify|DescribeKey|GetPublicKey)/;
const ALIAS = /^arn:[a-z-]+:kms:[^:]*:\d*:alias\//;

/** Statements that allow nothing: actions on objects for a bucket alone and the other way round, incomplete secrets, and aliases of keys. */
export function idleStatements(teams: readonly Pick<TeamInAws, "podIdentity">[]): SettingsIssue[] {
  return teams.flatMap(({ podIdentity }, team) =>
    (podIdentity?.statements ?? []).flatMap(({ actions, resources }, index): SettingsIssue[] => {
      const path = [team, "podIdentity", "statements", index, "resources"];
      const warn = (message: string): SettingsIssue => ({ path, message, severity: "warning" });
      const each = resources.flatMap((arn, place) => {
        const message = idleMessage(arn, actions);
        return message === undefined ? [] : [{ ...warn(message), path: [...path, place], value: arn }];
      });
      const objects = actions.find((action) => ON_OBJECTS.test(action));
      if (objects !== undefined && resources.every((arn) => BUCKET.test(arn)))
        return [...each, warn(`must have ${resources[0]}/*, since ${objects} is for objects`)];
      const bucket = actions.find((action) => ON_BUCKETS.test(action));
      if (bucket === undefined || !resources.every((arn) => OBJECTS.test(arn))) return each;
      const name = resources[0]?.replace(/\/.*$/, "");
      return [...each, warn(`must have ${name}, since ${bucket} is for buckets`)];
    }),
  );
}

/** Why a resource never is that of an action of its service. */
function idleMessage(arn: string, actions: readonly string[]): string | undefined {
  const onSecret = actions.some((action) => ON_SECRETS.test(action));
  if (onSecret && SECRET.test(arn) && !WITH_SUFFIX.test(arn))
    return "must end with -?????? or *, since AWS adds '-' and six characters to the name of a secret";
  const onKey = actions.find((action) => ON_KEYS.test(action));
  const ofAliases = actions.some((action) => action.startsWith("kms:") && !ON_KEYS.test(action));
  if (onKey !== undefined && !ofAliases && ALIAS.test(arn))
    return `must be the ARN of the key, since ${onKey} is never for an alias`;
  return undefined;
}

/** The AWS identity of a team's pods, by EKS Pod Identity. */
export interface TeamPodIdentityArgs {
  /** Service account whose pods get the role; made in the team's own namespaces. @default "workload" */
  readonly serviceAccount?: string;
  /** ARNs of IAM policies that are attached to the role. @default none */
  readonly policyArns?: readonly pulumi.Input<string>[];
  /** Further permissions, each of actions such as `s3:GetObject` on resources by their ARNs. @default none */
  readonly statements?: readonly {
    /** Actions, such as `s3:GetObject`. */
    readonly actions: readonly string[];
    /** ARNs of the resources. */
    readonly resources: readonly pulumi.Input<string>[];
  }[];
}

/** Roles that IAM refuses in an account whose quota is the default one. Paths are below `teams`. */
export function quotaIssues(teams: readonly Pick<TeamInAws, "podIdentity">[]): SettingsIssue[] {
  return teams.flatMap(({ podIdentity }, team): SettingsIssue[] => {
    const count = podIdentity?.policyArns.length ?? 0;
    if (count <= DEFAULT_POLICIES) return [];
    const path = [team, "podIdentity", "policyArns"];
    const message = `has ${count} policies, of which IAM attaches ${DEFAULT_POLICIES} to a role unless the account's quota 'Managed policies per role' is raised`;
    return [{ path, message, severity: "warning" }];
  });
}

/** Characters of statements as an inline policy; 0 where they have issues of their own. */
function policySize(statements: unknown): number {
  const parsed = z.array(Statement).safeParse(statements);
  if (!parsed.success) return 0;
  return JSON.stringify({ Statement: policyStatements(parsed.data), Version: "2012-10-17" }).length;
}

function sizeOf(statements: unknown): string {
  return `, and has ${policySize(statements)}`;
}

/** The statements as an IAM policy has them. */
export function policyStatements(statements: z.infer<typeof Statement>[]): PolicyStatement[] {
  return statements.map(({ actions, resources }, index) => ({
    Action: actions,
    Effect: "Allow",
    Resource: resources,
    Sid: `Team${index + 1}`,
  }));
}

/**
 * The way to the agent, which gives out the credentials on each node.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
 */
export const AGENT_EGRESS: PolicySpec = {
  podSelector: {},
  policyTypes: ["Egress"],
  egress: [{ to: ["169.254.170.23", "fd00:ec2::23"].map(addressPeer), ports: [{ protocol: "TCP", port: 80 }] }],
};
