import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { arnName, IAM_ARNS, partitionOf } from "../aws/partition.ts";
import type { PolicyStatement } from "../aws/policy-statements.ts";
import { MAX_INLINE_POLICY, policyText } from "../aws/policy-statements.ts";
import { addressPeer, type PolicySpec } from "../kubernetes/network-policy.ts";
import { relation, type SettingsIssue } from "../schema/errors.ts";
import { string } from "../schema/values.ts";

/** Service account of a team's pods, except in adopted namespaces. */
export const SERVICE_ACCOUNT = "workload";

const ACTION =
  "an action with its service, such as s3:GetObject, with '*' only at the end: '*' and s3:* would allow everything";
/** IAM accepts no character beyond Latin-1 in a policy. @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html */
const RESOURCE = "an ARN that names its resource, in Latin-1 letters, such as arn:aws:s3:::orders/*";
/** Managed policies that allow pods nearly everything. */
const BROAD = ["AdministratorAccess", "PowerUserAccess", "IAMFullAccess"];

const Statement = z.strictObject({
  actions: z
    .array(string(/^[a-z0-9-]+:[A-Za-z][A-Za-z0-9]*\*?$/, ACTION))
    .min(1)
    .describe("Actions."),
  resources: z
    .array(string(/^arn:aws(-[a-z]+)*:[a-z0-9-]+:[a-z0-9-]*:(\d{12})?:(?![*?/:]*$)[!-~\u00a1-\u00ff]+$/, RESOURCE))
    .min(1)
    .describe("ARNs."),
});

/** IAM policies per role: the default quota, and the maximum. @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const DEFAULT_POLICIES = 10;
const MAX_POLICIES = 25;

/** AWS identity of a team's pods. */
export const PodIdentitySettings = z
  .strictObject({
    serviceAccount: string(
      /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
      "the name of a service account: lower-case letters, digits, '-' and '.'",
    )
      .default(SERVICE_ACCOUNT)
      .describe("Service account. Default workload."),
    policyArns: z
      .array(
        string(IAM_ARNS.policy, "the ARN of an IAM policy, such as arn:aws:iam::123456789012:policy/orders").refine(
          (arn) => !BROAD.includes(arnName(arn)),
          {
            error: "must not be a policy that allows nearly everything",
          },
        ),
      )
      .max(MAX_POLICIES, `must have at most ${MAX_POLICIES} policies, the most that IAM attaches to a role`)
      .default([])
      .describe(`At most ${DEFAULT_POLICIES}, or ${MAX_POLICIES} with a higher IAM quota.`),
    statements: z
      .array(Statement)
      .default([])
      .refine((statements) => policySize(statements) <= MAX_INLINE_POLICY, {
        error: ({ input }) =>
          `must fit into ${MAX_INLINE_POLICY} characters as the role's inline policy, but takes ${policySize(input)}: use policies of your own in policyArns`,
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

/** The AWS identity of a team's pods, by EKS Pod Identity. */
export interface TeamPodIdentityArgs {
  /** Service account whose pods get the role; created except in adopted namespaces. @default "workload" */
  readonly serviceAccount?: string;
  /** ARNs of IAM policies to attach to the role. @default none */
  readonly policyArns?: readonly pulumi.Input<string>[];
  /** Further permissions: actions on resources. @default none */
  readonly statements?: readonly {
    /** Actions, such as `s3:GetObject`. */
    readonly actions: readonly string[];
    /** ARNs of the resources. */
    readonly resources: readonly pulumi.Input<string>[];
  }[];
}

/** Statements of an IAM policy. */
export function policyStatements(statements: z.infer<typeof Statement>[]): PolicyStatement[] {
  return statements.map(({ actions, resources }, index) => ({
    Action: actions,
    Effect: "Allow",
    Resource: resources,
    Sid: `Team${index + 1}`,
  }));
}

/**
 * Egress to the Pod Identity agent, which serves credentials on each node.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
 */
export const AGENT_EGRESS: PolicySpec = {
  podSelector: {},
  policyTypes: ["Egress"],
  egress: [{ to: ["169.254.170.23", "fd00:ec2::23"].map(addressPeer), ports: [{ protocol: "TCP", port: 80 }] }],
};

/** A team's settings with ARNs. */
interface TeamInAws {
  readonly memberRoles: readonly string[];
  readonly podIdentity?: z.infer<typeof PodIdentitySettings> | undefined;
}

/** ARNs that the region's clusters cannot use: each AWS partition has its own identities and resources. */
export function arnIssues(teams: readonly TeamInAws[], region: string): SettingsIssue[] {
  const { id } = partitionOf(region);
  const message = `must start with arn:${id}:, the partition of ${region}`;
  return teams.flatMap(({ memberRoles, podIdentity }, team) => {
    const issuesOf = (path: SettingsIssue["path"], arns: readonly string[]) =>
      arns.flatMap((value, index): SettingsIssue[] =>
        value.startsWith(`arn:${id}:`) ? [] : [{ path: [team, ...path, index], message, value }],
      );
    return [
      ...issuesOf(["memberRoles"], memberRoles),
      ...issuesOf(["podIdentity", "policyArns"], podIdentity?.policyArns ?? []),
      ...(podIdentity?.statements ?? []).flatMap(({ resources }, index) =>
        issuesOf(["podIdentity", "statements", index, "resources"], resources),
      ),
    ];
  });
}

/** S3 actions on a bucket's objects. @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html */
const ON_OBJECTS =
  /^s3:(?:(?:Get|Put|Delete|Restore)Object(?!LockConfiguration)|AbortMultipartUpload|ListMultipartUploadParts)/;
/** S3 actions on a whole bucket. */
const ON_BUCKETS = /^s3:(?:ListBucket|GetBucket|PutBucket)/;
const BUCKET = /^arn:[a-z-]+:s3:::[^/*?]*$/;
const OBJECTS = /^arn:[a-z-]+:s3:::[^/]+\/./;

/** Secrets Manager actions on one secret. @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html */
const ON_SECRETS = /^secretsmanager:(?!BatchGet|GetRandom|List(?!SecretVersionIds))/;
const SECRET = /^arn:[a-z-]+:secretsmanager:[^:]*:\d*:secret:/;
/** Whether a pattern can match the six characters that AWS adds to a secret's name. */
const WITH_SUFFIX = /\*[^*]{0,6}$|[-?][A-Za-z0-9?]{6}$/;
/** KMS actions on a key; an alias in a policy does not match its key. @see https://docs.aws.amazon.com/kms/latest/developerguide/cmks-in-iam-policies.html */
const ON_KEYS =
  /^kms:(Decrypt|Encrypt|ReEncrypt|GenerateDataKey|GenerateMac|VerifyMac|Sign|Verify|DescribeKey|GetPublicKey)/;
const ALIAS = /^arn:[a-z-]+:kms:[^:]*:\d*:alias\//;

/** Statements that allow nothing: object actions with only buckets and vice versa, incomplete secret ARNs, and key aliases. */
export function idleStatements(teams: readonly Pick<TeamInAws, "podIdentity">[]): SettingsIssue[] {
  return teams.flatMap(({ podIdentity }, team) =>
    (podIdentity?.statements ?? []).flatMap(({ actions, resources }, index): SettingsIssue[] => {
      const path = [team, "podIdentity", "statements", index, "resources"];
      const warn = (message: string): SettingsIssue => ({ path, message, severity: "warning" });
      const ofResources = resources.flatMap((arn, place) => {
        const message = idleMessage(arn, actions);
        return message === undefined ? [] : [{ ...warn(message), path: [...path, place], value: arn }];
      });
      const objects = actions.find((action) => ON_OBJECTS.test(action));
      if (objects !== undefined && resources.every((arn) => BUCKET.test(arn)))
        return [...ofResources, warn(`must include ${resources[0]}/*, since ${objects} applies to objects`)];
      const bucket = actions.find((action) => ON_BUCKETS.test(action));
      if (bucket === undefined || !resources.every((arn) => OBJECTS.test(arn))) return ofResources;
      const name = resources[0]?.replace(/\/.*$/, "");
      return [...ofResources, warn(`must include ${name}, since ${bucket} applies to buckets`)];
    }),
  );
}

/** Why none of its service's actions ever applies to a resource. */
function idleMessage(arn: string, actions: readonly string[]): string | undefined {
  const onSecret = actions.some((action) => ON_SECRETS.test(action));
  if (onSecret && SECRET.test(arn) && !WITH_SUFFIX.test(arn))
    return "must end with -?????? or *, since AWS adds '-' and six characters to the name of a secret";
  const onKey = actions.find((action) => ON_KEYS.test(action));
  const ofAliases = actions.some((action) => action.startsWith("kms:") && !ON_KEYS.test(action));
  if (onKey !== undefined && !ofAliases && ALIAS.test(arn))
    return `must be the ARN of the key, since ${onKey} never applies to an alias`;
  return undefined;
}

/** Roles that IAM rejects in accounts with the default quota. Paths are below `teams`. */
export function quotaIssues(teams: readonly Pick<TeamInAws, "podIdentity">[]): SettingsIssue[] {
  return teams.flatMap(({ podIdentity }, team): SettingsIssue[] => {
    const count = podIdentity?.policyArns.length ?? 0;
    if (count <= DEFAULT_POLICIES) return [];
    const path = [team, "podIdentity", "policyArns"];
    const message = `has ${count} policies, but IAM attaches at most ${DEFAULT_POLICIES} to a role unless the account's quota 'Managed policies per role' is raised`;
    return [{ path, message, severity: "warning" }];
  });
}

/** Length of statements as an inline policy, in characters; 0 if invalid. */
function policySize(statements: unknown): number {
  const parsed = z.array(Statement).safeParse(statements);
  if (!parsed.success) return 0;
  return policyText(policyStatements(parsed.data)).length;
}
