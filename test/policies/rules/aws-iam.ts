import { type Group, UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { first, type Sample } from "./samples.ts";

const LOGS = "arn:aws:logs:eu-central-1:123456789012:log-group:/pods:*";

/** A policy with one statement. */
function policy(statement: object): Sample {
  const document = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] });
  return [{ type: "aws:iam/rolePolicy:RolePolicy", name: "logs", props: { policy: document } }];
}
const GOOD_POLICY = policy({ Action: ["logs:PutLogEvents"], Resource: [LOGS] });
const UNKNOWN_POLICY = first(GOOD_POLICY, "policy", UNKNOWN);

/** A role with what an AWS service may do. */
function role(principal: unknown, more: Group = {}, condition?: object): Sample {
  const statement = { Effect: "Allow", Action: "sts:AssumeRole", Principal: principal, Condition: condition };
  const props = { assumeRolePolicy: JSON.stringify({ Statement: statement }), ...more };
  return [{ type: "aws:iam/role:Role", name: "node", props }];
}
const SERVICE = { Service: "ec2.amazonaws.com" };

const attachment = (arn: Value): Sample => [
  { type: "aws:iam/rolePolicyAttachment:RolePolicyAttachment", name: "node", props: { policyArn: arn } },
];

const GITHUB = "token.actions.githubusercontent.com";
const EKS = "oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF";
const federated = (issuer: string, condition: object): Sample =>
  role({ Federated: `arn:aws:iam::123456789012:oidc-provider/${issuer}` }, {}, condition);

export const AWS_IAM_CASES: CasesByRule = {
  "aws-iam-actions": {
    good: {
      "named actions": GOOD_POLICY,
      "a family of actions": policy({ Action: "ec2:Describe*", Resource: "*" }),
      "an action that is a part of a service": policy({ Action: "s3:Get*", Resource: LOGS }),
      "a denial of all": policy({ Effect: "Deny", Action: "*", Resource: "*" }),
    },
    bad: {
      "all actions": [
        policy({ Action: "*", Resource: LOGS }),
        "RolePolicy/logs: policy: Action *, which is everything. Fix: list the actions",
      ],
      ...Object.fromEntries(
        ["policy:Policy", "userPolicy:UserPolicy", "groupPolicy:GroupPolicy"].map((kind) => [
          `all actions, in a ${kind}`,
          [
            policy({ Action: "*", Resource: LOGS }).map((one) => ({ ...one, type: `aws:iam/${kind}` })),
            `${kind.split(":")[1]}/logs: policy: Action *,`,
          ] as const,
        ]),
      ),
      "all actions of a service": [
        policy({ Action: ["logs:PutLogEvents", "s3:*"], Resource: LOGS }),
        "RolePolicy/logs: policy: Action s3:*, which is everything",
      ],
      "all actions of all services": [
        policy({ Action: "*:*", Resource: LOGS }),
        "RolePolicy/logs: policy: Action *:*,",
      ],
      "all actions in another way": [
        policy({ Action: "iam:?*", Resource: LOGS }),
        "RolePolicy/logs: policy: Action iam:?*,",
      ],
      "all actions on what is not known": [
        first(GOOD_POLICY, "policy", { Statement: { Effect: "Allow", Action: "iam:*", Resource: UNKNOWN } }),
        "RolePolicy/logs: policy: Action iam:*,",
      ],
      "all others": [
        policy({ NotAction: "iam:*", Resource: LOGS }),
        "RolePolicy/logs: policy: NotAction iam:*, which allows all the others",
      ],
      "a policy inside a role": [
        role(SERVICE, {
          inlinePolicies: [{ name: "all", policy: JSON.stringify({ Statement: { Effect: "Allow", Action: "*" } }) }],
        }),
        "Role/node: inlinePolicies[0].policy: Action *, which is everything",
      ],
      "a document as an object": [
        first(GOOD_POLICY, "policy", { Statement: [{ Effect: "Allow", Action: ["*"], Resource: LOGS }] }),
        "RolePolicy/logs: policy: Action *",
      ],
    },
    unknown: {
      "an unknown policy": [UNKNOWN_POLICY, "RolePolicy/logs: policy is known only"],
      "an unknown part of one": [
        first(GOOD_POLICY, "policy", { Statement: [{ Effect: "Allow", Action: UNKNOWN }] }),
        "RolePolicy/logs: policy.Statement[0].Action is known only",
      ],
      "an unknown statement": [
        first(GOOD_POLICY, "policy", { Statement: [UNKNOWN, { Effect: "Allow", Action: "s3:GetObject" }] }),
        "RolePolicy/logs: policy.Statement[0].Effect is known only",
      ],
    },
  },
  "aws-iam-resources": {
    good: {
      "actions of controllers that have no resource": policy({
        Action: ["route53:ListHostedZones", "tag:GetResources", "xray:PutTraceSegments", "pricing:GetProducts"],
        Resource: "*",
      }),
      "named resources": GOOD_POLICY,
      "what the X-Ray daemon, Session Manager and public images need": policy({
        Action: ["xray:GetSamplingRules", "ssmmessages:OpenDataChannel", "sts:GetServiceBearerToken"],
        Resource: "*",
      }),
      "an action without resources": policy({ Action: "ecr:GetAuthorizationToken", Resource: "*" }),
      "the results of queries, which have no resource": policy({
        Action: ["logs:GetQueryResults", "logs:StopQuery", "logs:StopLiveTail"],
        Resource: "*",
      }),
      "the objects of a bucket": policy({ Action: "s3:PutObject", Resource: "arn:aws:s3:::logs/*" }),
      "an object of each name in a bucket of a family": policy({
        Action: "s3:PutObject",
        Resource: "arn:aws:s3:::logs-*",
      }),
      "the roles of the account": policy({ Action: "sts:AssumeRole", Resource: "arn:aws:iam::123456789012:role/*" }),
      "what is not known yet": first(GOOD_POLICY, "policy", {
        Statement: { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::logs/*", Condition: UNKNOWN },
      }),
      "an action without resources, in other letters": policy({ Action: "EC2:DescribeVpcs", Resource: "*" }),
      "everything under a condition": policy({
        Action: "kms:Decrypt",
        Resource: "*",
        Condition: { StringEquals: { "kms:ViaService": "logs.eu-central-1.amazonaws.com" } },
      }),
    },
    bad: {
      "every resource": [
        policy({ Action: ["logs:PutLogEvents"], Resource: "*" }),
        "RolePolicy/logs: policy: Resource * for logs:PutLogEvents, which includes everybody's resources",
      ],
      "every resource of a service": [
        policy({ Action: "s3:GetObject", Resource: ["arn:aws:s3:::*"] }),
        "RolePolicy/logs: policy: Resource arn:aws:s3:::* for s3:GetObject",
      ],
      "every object of every bucket": [
        policy({ Action: "s3:GetObject", Resource: "arn:aws:s3:::*/*" }),
        "RolePolicy/logs: policy: Resource arn:aws:s3:::*/* for s3:GetObject",
      ],
      "the roles of every account": [
        policy({ Action: "sts:AssumeRole", Resource: "arn:aws:iam::*:role/*" }),
        "RolePolicy/logs: policy: Resource arn:aws:iam::*:role/* for sts:AssumeRole",
      ],
      "every ARN": [
        policy({ Action: "sqs:SendMessage", Resource: "arn:aws:*" }),
        "RolePolicy/logs: policy: Resource arn:aws:* for sqs:SendMessage",
      ],
      "all resources but one": [
        policy({ Action: "s3:GetObject", NotResource: "arn:aws:s3:::secret/*" }),
        "RolePolicy/logs: policy: NotResource arn:aws:s3:::secret/*, which includes every other resource",
      ],
      "every resource, with a condition only about how": [
        policy({ Action: "s3:GetObject", Resource: "*", Condition: { Bool: { "aws:SecureTransport": "true" } } }),
        "RolePolicy/logs: policy: Resource * for s3:GetObject",
      ],
      "every resource, with a condition that accepts any value": [
        policy({ Action: "s3:GetObject", Resource: "*", Condition: { StringLike: { "aws:ResourceTag/team": "*" } } }),
        "RolePolicy/logs: policy: Resource * for s3:GetObject",
      ],
      "every resource under a condition that a request may leave out": [
        policy({
          Action: "s3:GetObject",
          Resource: "*",
          Condition: { StringEqualsIfExists: { "aws:ResourceTag/team": "a" } },
        }),
        "RolePolicy/logs: policy: Resource * for s3:GetObject",
      ],
      "every resource in one statement, and an unknown one": [
        first(GOOD_POLICY, "policy", {
          Statement: [
            { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::logs/*" },
            { Effect: "Allow", Action: "s3:PutObject", Resource: "*" },
          ],
        }),
        "RolePolicy/logs: policy: Resource * for s3:PutObject",
      ],
      "one action with resources and one without": [
        policy({ Action: ["ec2:DescribeVpcs", "ec2:DeleteVpc"], Resource: "*" }),
        "RolePolicy/logs: policy: Resource * for ec2:DeleteVpc,",
      ],
    },
    unknown: {
      "an unknown policy": [UNKNOWN_POLICY, "RolePolicy/logs: policy is known only"],
      "an unknown condition on everything": [
        first(GOOD_POLICY, "policy", {
          Statement: { Effect: "Allow", Action: "s3:GetObject", Resource: "*", Condition: UNKNOWN },
        }),
        "RolePolicy/logs: policy.Statement.Condition is known only",
      ],
      "an unknown resource": [
        first(GOOD_POLICY, "policy", { Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: [UNKNOWN] }] }),
        "RolePolicy/logs: policy.Statement[0].Resource[0] is known only",
      ],
    },
  },
  "aws-iam-trust": {
    good: {
      "a service": role(SERVICE),
      "a repository of GitHub": federated(GITHUB, { StringLike: { [`${GITHUB}:sub`]: "repo:org/repo:*" } }),
      "repositories of an owner": federated(GITHUB, {
        StringEquals: { [`${GITHUB}:aud`]: "sts.amazonaws.com", [`${GITHUB}:repository_owner`]: "org" },
      }),
      "a service account of EKS": federated(EKS, { StringEquals: { [`${EKS}:sub`]: "system:serviceaccount:a:b" } }),
      "service accounts of a namespace": federated(EKS, {
        StringLike: { [`${EKS}:sub`]: "system:serviceaccount:a:*" },
      }),
      "an identity that is not known yet": first(role(SERVICE), "assumeRolePolicy", {
        Statement: {
          Effect: "Allow",
          Principal: { Federated: `arn:aws:iam::123456789012:oidc-provider/${EKS}` },
          Condition: { StringEquals: { [`${EKS}:sub`]: UNKNOWN } },
        },
      }),
      "an identity provider with SAML": role({ Federated: "arn:aws:iam::123456789012:saml-provider/sso" }),
      "everybody under a condition": role("*", {}, { StringEquals: { "aws:PrincipalOrgID": "o-1" } }),
    },
    bad: {
      everybody: [role("*"), "Role/node: assumeRolePolicy: Principal *, so every account may assume the role"],
      "everybody but one": [
        first(role(SERVICE), "assumeRolePolicy", {
          Statement: { Effect: "Allow", Action: "sts:AssumeRole", NotPrincipal: { AWS: "123456789012" } },
        }),
        "Role/node: assumeRolePolicy: NotPrincipal, so every other account may assume the role",
      ],
      "everybody over TLS": [
        role("*", {}, { Bool: { "aws:SecureTransport": "true" } }),
        "Role/node: assumeRolePolicy: Principal *",
      ],
      ...Object.fromEntries(
        [
          { StringEquals: { [`${GITHUB}:aud`]: "sts.amazonaws.com" } },
          { StringLike: { [`${GITHUB}:sub`]: "*" } },
          { StringLike: { [`${GITHUB}:sub`]: ["repo:org/repo:*", "repo:*:ref:refs/heads/main"] } },
          { StringLikeIfExists: { [`${GITHUB}:sub`]: "repo:org/repo:*" } },
          { StringNotLike: { [`${GITHUB}:sub`]: "repo:org/repo:*" } },
        ].map((condition) => [
          `every repository of GitHub: ${JSON.stringify(condition)}`,
          [
            federated(GITHUB, condition),
            `Role/node: assumeRolePolicy: Federated ${GITHUB}, so every identity of ${GITHUB} may assume the role. Fix: `,
          ] as const,
        ]),
      ),
      "every service account of EKS": [
        federated(EKS, { StringLike: { [`${EKS}:sub`]: "system:serviceaccount:*:*" } }),
        `Role/node: assumeRolePolicy: Federated ${EKS}, so every identity of ${EKS} may assume the role`,
      ],
      "every account": [role({ AWS: ["*"] }), "Role/node: assumeRolePolicy: Principal *"],
    },
    unknown: {
      "an unknown document": [
        first(role(SERVICE), "assumeRolePolicy", UNKNOWN),
        "Role/node: assumeRolePolicy is known only",
      ],
    },
  },
  "aws-iam-managed": {
    good: {
      "a narrow policy": attachment("arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"),
      "a role without": role(SERVICE),
    },
    bad: {
      ...Object.fromEntries(
        ["userPolicyAttachment:User", "groupPolicyAttachment:Group", "policyAttachment:"].map((kind) => [
          `the administrator's, by ${kind}PolicyAttachment`,
          [
            attachment("arn:aws:iam::aws:policy/AdministratorAccess").map((one) => ({
              ...one,
              type: `aws:iam/${kind}PolicyAttachment`,
            })),
            `${kind.split(":")[1]}PolicyAttachment/node: policyArn is`,
          ] as const,
        ]),
      ),
      "the administrator's": [
        attachment("arn:aws:iam::aws:policy/AdministratorAccess"),
        'RolePolicyAttachment/node: policyArn is "arn:aws:iam::aws:policy/AdministratorAccess", which may do nearly everything',
      ],
      "one inside a role": [
        role(SERVICE, { managedPolicyArns: ["arn:aws:iam::aws:policy/IAMFullAccess"] }),
        'Role/node: managedPolicyArns[0] is "arn:aws:iam::aws:policy/IAMFullAccess"',
      ],
    },
    unknown: { "an unknown policy": [attachment(UNKNOWN), "RolePolicyAttachment/node: policyArn is known only"] },
  },
};
