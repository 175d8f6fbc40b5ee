import type { Field } from "../core/field.ts";
import { count, texts } from "../core/knob.ts";
import type { Report } from "../core/report.ts";
import type { Resource } from "../core/resource.ts";
import type { Rule } from "../core/rule.ts";
import { isEncrypted } from "./encryption.ts";
import { type Statement, statementsOf } from "./iam-document.ts";
import { aws } from "./sources.ts";

const POLICIES = [
  "aws:iam/policy:Policy",
  "aws:iam/rolePolicy:RolePolicy",
  "aws:iam/userPolicy:UserPolicy",
  "aws:iam/groupPolicy:GroupPolicy",
];
const ROLE = "aws:iam/role:Role";
const ATTACHMENTS = [
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  "aws:iam/userPolicyAttachment:UserPolicyAttachment",
  "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
  "aws:iam/policyAttachment:PolicyAttachment",
];
const LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup";
const KEY = "aws:kms/key:Key";

const UNBOUNDED = texts(
  "unbounded",
  "Actions that AWS knows without a resource, so * is right for them; * stands for any text",
  [
    "ec2:Describe*",
    "ecr:GetAuthorizationToken",
    "logs:DescribeLogGroups",
    "cloudwatch:PutMetricData",
    "sts:GetCallerIdentity",
    "eks:ListClusters",
    "elasticloadbalancing:Describe*",
    "autoscaling:Describe*",
  ],
);
const BROAD = texts("broad", "Managed policies that nobody gets", [
  "AdministratorAccess",
  "PowerUserAccess",
  "IAMFullAccess",
]);
const LONGEST = count("longestDays", "Longest retention, in days", 3653, 1);
const REQUIRED = texts("required", "Tags that each resource carries, of its own or from its provider", [
  "project",
  "environment",
]);
/** Types whose tags a person pays or searches by. */
const TAGGED = [
  "eks:index:Cluster",
  "aws:eks/cluster:Cluster",
  "aws:eks/nodeGroup:NodeGroup",
  "aws:eks/addon:Addon",
  "aws:ec2/vpc:Vpc",
  "aws:ec2/subnet:Subnet",
  "aws:ec2/natGateway:NatGateway",
  "aws:ec2/eip:Eip",
  "aws:ec2/launchTemplate:LaunchTemplate",
  "aws:ec2/securityGroup:SecurityGroup",
  ROLE,
  KEY,
  LOG_GROUP,
  "aws:s3/bucket:Bucket",
  "aws:s3/bucketV2:BucketV2",
];

/** What the stack may do in the account, and what it costs and leaves there. */
export const AWS: readonly Rule[] = [
  {
    id: "aws-iam-actions",
    family: "aws",
    level: "mandatory",
    title: "No IAM policy allows all actions, of AWS or of a service",
    reason: "With * a role may do more than anybody thought of, also to itself.",
    fix: "name the actions that are needed",
    source: aws(
      "IAM best practices, least privilege",
      "IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
    ),
    types: [...POLICIES, ROLE],
    check: (resource, report) =>
      eachAllowed(resource, report, (statement, field) => {
        for (const action of statement.actions.filter((one) => /^(\*|[\w-]+:\*)$/.test(one)))
          report.wrongIn(field, `Action ${action}`, "which is everything");
        if (statement.notActions.length > 0)
          report.wrongIn(field, `NotAction ${statement.notActions.join(", ")}`, "which allows all the others");
      }),
  },
  {
    id: "aws-iam-resources",
    family: "aws",
    level: "mandatory",
    title: "IAM policies name their resources",
    reason: "An action on * reaches what other teams and stacks own.",
    fix: "name the ARNs, or put an action that AWS knows without one into the rule's setting `unbounded`",
    source: aws("IAM JSON policy elements, Resource", "IAM/latest/UserGuide/reference_policies_elements_resource.html"),
    knobs: [UNBOUNDED],
    types: [...POLICIES, ROLE],
    check: (resource, report, settings) =>
      eachAllowed(resource, report, (statement, field) => {
        const unbounded = statement.resources.filter((one) => /^(\*|arn:aws[\w-]*:[\w-]+:\*?:\*?:\*)$/.test(one));
        const bound = statement.actions.filter(
          (action) => !settings.get(UNBOUNDED).some((free) => covers(free, action)),
        );
        if (unbounded.length > 0 && bound.length > 0 && !statement.hasCondition)
          report.wrongIn(field, `Resource ${unbounded.join(", ")} for ${bound.join(", ")}`, "which is everybody's");
      }),
  },
  {
    id: "aws-iam-trust",
    family: "aws",
    level: "mandatory",
    title: "No role lets everybody assume it",
    reason: "With * as the principal every AWS account may take the role.",
    fix: "name the service or the account in Principal",
    source: aws(
      "IAM JSON policy elements, Principal",
      "IAM/latest/UserGuide/reference_policies_elements_principal.html",
    ),
    types: [ROLE],
    check: (role, report) => {
      const field = role.at("assumeRolePolicy");
      for (const statement of statementsOf(field).filter(({ allows }) => allows)) {
        if (statement.principals.includes("*") && !statement.hasCondition)
          report.wrongIn(field, "Principal *", "so every account may assume the role");
      }
    },
  },
  {
    id: "aws-iam-managed",
    family: "aws",
    level: "mandatory",
    title: "No administrator's policy is attached",
    reason: "A program that may do everything is the way into the account.",
    fix: "write a policy with the actions that are needed",
    source: aws(
      "IAM best practices, least privilege",
      "IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
    ),
    knobs: [BROAD],
    types: [...ATTACHMENTS, ROLE],
    check: (resource, report, settings) => {
      const arns = resource.type === ROLE ? resource.at("managedPolicyArns").items() : [resource.at("policyArn")];
      report.each(arns, (arn) => {
        const name = arn.text()?.split("/").at(-1);
        if (name !== undefined && settings.get(BROAD).includes(name))
          report.wrong(arn, "which may do nearly everything");
      });
    },
  },
  {
    id: "aws-log-retention",
    family: "aws",
    level: "mandatory",
    title: "Log groups keep their logs for a time and no longer",
    reason: "Without a retention logs are kept, and paid for, for ever.",
    fix: "set retentionInDays",
    source: aws("CloudWatch Logs retention", "AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html"),
    knobs: [LONGEST],
    types: [LOG_GROUP],
    check: (group, report, settings) => {
      const days = group.at("retentionInDays");
      const set = days.number() ?? 0;
      if (set === 0) report.wrong(days, "so its logs are kept for ever");
      else if (set > settings.get(LONGEST)) report.wrong(days, `longer than ${settings.get(LONGEST)} days`);
    },
  },
  {
    id: "aws-log-encryption",
    family: "aws",
    level: "mandatory",
    title: "Log groups are encrypted by a key of the account's own",
    reason: "With its own key the account says, and logs, who reads; and can end it.",
    fix: "set kmsKeyId to the ARN of a KMS key",
    source: aws("Encrypt log data by KMS", "AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"),
    types: [LOG_GROUP, KEY],
    checkStack: (stack, report) =>
      report.each(stack.ofType(LOG_GROUP), (group) => {
        const key = group.at("kmsKeyId");
        if (!isEncrypted(stack, key)) report.wrong(key, "so AWS's own key encrypts it");
      }),
  },
  {
    id: "aws-kms-rotation",
    family: "aws",
    level: "mandatory",
    title: "KMS keys rotate",
    reason: "A key that never changes protects all that it ever encrypted with one secret.",
    fix: "set enableKeyRotation: true",
    source: aws("Rotate KMS keys", "kms/latest/developerguide/rotate-keys.html"),
    types: [KEY],
    check: (key, report) => {
      const symmetric = ["SYMMETRIC_DEFAULT", undefined].includes(key.at("customerMasterKeySpec").text());
      const rotation = key.at("enableKeyRotation");
      if (symmetric && rotation.flag() !== true) report.wrong(rotation, "so the key stays the same for ever");
    },
  },
  {
    id: "aws-tags",
    family: "aws",
    level: "advisory",
    title: "Resources carry the tags that are agreed on",
    reason: "Nobody finds out whose an untagged resource is, nor what a stack costs.",
    fix: "set the tag, or the provider's defaultTags",
    source: aws("Tagging best practices", "whitepapers/latest/tagging-best-practices/tagging-best-practices.html"),
    knobs: [REQUIRED],
    types: TAGGED,
    check: (resource, report, settings) => {
      const places = [resource.at("tags"), resource.at("tagsAll"), resource.provider.at("defaultTags", "tags")];
      report.each(settings.get(REQUIRED), (tag) => {
        // A value that is not known yet is a value; a group of tags that is not known may lack the tag.
        const known = places.filter((tags) => !tags.isUnknown).map((tags) => tags.at(tag));
        if (known.some((field) => field.isUnknown || field.isSet)) return;
        for (const tags of places) tags.entries();
        report.wrong(resource.at("tags", tag), "a tag that is required");
      });
    },
  },
];

/** Each statement that allows something, in a policy or in the policies inside a role. */
function eachAllowed(resource: Resource, report: Report, check: (statement: Statement, field: Field) => void): void {
  report.part(() => {
    const inside =
      resource.type === ROLE
        ? resource
            .at("inlinePolicies")
            .items()
            .map((one) => one.at("policy"))
        : [resource.at("policy")];
    report.each(inside, (field) => {
      for (const statement of statementsOf(field).filter(({ allows }) => allows)) check(statement, field);
    });
  });
}

/** Whether one form of an action covers another, which may have a `*` of its own. */
function covers(free: string, action: string): boolean {
  const prefix = free.replace(/\*$/, "");
  return free.endsWith("*") ? action.startsWith(prefix) : action === free;
}
