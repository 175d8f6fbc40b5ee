import { matchesGlob } from "../../core/pack-config.ts";
import { Field, type Resource, type Value } from "../../core/resource.ts";
import { aws, type Report, type Rule, texts } from "../../core/rule.ts";
import { ROLE } from "./aws.ts";

const POLICIES = [
  "aws:iam/policy:Policy",
  "aws:iam/rolePolicy:RolePolicy",
  "aws:iam/userPolicy:UserPolicy",
  "aws:iam/groupPolicy:GroupPolicy",
];
const ATTACHMENTS = [
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  "aws:iam/userPolicyAttachment:UserPolicyAttachment",
  "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
  "aws:iam/policyAttachment:PolicyAttachment",
];

const UNBOUNDED = texts("unbounded", "Actions for which AWS defines no resource; * matches any text", [
  "ec2:Describe*",
  "ecr:GetAuthorizationToken",
  "ecr-public:GetAuthorizationToken",
  "sts:GetServiceBearerToken",
  "logs:DescribeLogGroups",
  "logs:GetQueryResults",
  "logs:StopQuery",
  "logs:StopLiveTail",
  "cloudwatch:PutMetricData",
  "cloudwatch:GetMetricData",
  "cloudwatch:GetMetricStatistics",
  "cloudwatch:ListMetrics",
  "xray:PutTraceSegments",
  "xray:PutTelemetryRecords",
  "xray:GetSampling*",
  "ssmmessages:CreateControlChannel",
  "ssmmessages:CreateDataChannel",
  "ssmmessages:OpenControlChannel",
  "ssmmessages:OpenDataChannel",
  "tag:GetResources",
  "acm:ListCertificates",
  "kms:ListAliases",
  "kms:ListKeys",
  "pricing:GetProducts",
  "route53:ListHostedZones",
  "route53:ListHostedZonesByName",
  "s3:ListAllMyBuckets",
  "secretsmanager:ListSecrets",
  "sts:GetCallerIdentity",
  "eks:ListClusters",
  "elasticloadbalancing:Describe*",
  "autoscaling:Describe*",
]);
const BROAD = texts("broad", "Forbidden managed policies", ["AdministratorAccess", "PowerUserAccess", "IAMFullAccess"]);

/** Rights of roles, users and groups in the account. */
export const AWS_IAM: readonly Rule[] = [
  {
    id: "aws-iam-document",
    family: "aws",
    level: "mandatory",
    title: "Each IAM policy is a JSON document with statements",
    reason: "AWS rejects anything else.",
    fix: "write JSON with a Statement list, using JSON.stringify or aws.iam.getPolicyDocument",
    source: aws("IAM JSON policy grammar", "IAM/latest/UserGuide/reference_policies_grammar.html"),
    types: [...POLICIES, ROLE],
    check: (resource, report) => {
      const documents = resource.type === ROLE ? [resource.at("assumeRolePolicy")] : [resource.at("policy")];
      const inside = resource.type === ROLE ? inlinePolicies(resource) : [];
      report.each([...documents, ...inside], (document) => {
        if (document.isSet && statementsOf(document).length === 0)
          report.hidden(document, "not a JSON document with statements");
      });
    },
  },
  {
    id: "aws-iam-actions",
    family: "aws",
    level: "mandatory",
    title: "No IAM policy allows all actions of AWS or of a service",
    reason: "With * a role can extend its own rights.",
    fix: "list the actions that are needed",
    source: aws(
      "IAM best practices, least privilege",
      "IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
    ),
    types: [...POLICIES, ROLE],
    check: (resource, report) =>
      eachAllowed(resource, report, ({ statement, policy }) => {
        report.part(() => {
          for (const action of textsOf(statement, "Action").filter(isEverything))
            report.wrongIn(policy, `Action ${action}`, "which is everything");
        });
        const others = textsOf(statement, "NotAction");
        if (others.length > 0) report.wrongIn(policy, `NotAction ${others.join(", ")}`, "which allows all the others");
      }),
  },
  {
    id: "aws-iam-resources",
    family: "aws",
    level: "mandatory",
    title: "IAM policies list their resources",
    reason: "An action on * reaches other teams' resources.",
    fix: "list the ARNs, or add an action that has no resource level to the option `unbounded`",
    source: aws("IAM JSON policy elements, Resource", "IAM/latest/UserGuide/reference_policies_elements_resource.html"),
    options: [UNBOUNDED],
    types: [...POLICIES, ROLE],
    check: (resource, report, settings) =>
      eachAllowed(resource, report, ({ statement, policy }) => {
        report.part(() => {
          const others = textsOf(statement, "NotResource");
          if (others.length > 0)
            report.wrongIn(policy, `NotResource ${others.join(", ")}`, "which includes every other resource");
        });
        const unbounded = textsOf(statement, "Resource").filter(isEverybodys);
        if (unbounded.length === 0) return;
        const free = settings.get(UNBOUNDED).map((action) => action.toLowerCase());
        const bound = textsOf(statement, "Action").filter(
          (action) => !free.some((pattern) => matchesGlob(pattern, action.toLowerCase())),
        );
        if (bound.length > 0 && !isBounded(statement))
          report.wrongIn(
            policy,
            `Resource ${unbounded.join(", ")} for ${bound.join(", ")}`,
            "which includes everybody's resources",
          );
      }),
  },
  {
    id: "aws-iam-trust",
    family: "aws",
    level: "mandatory",
    title: "No role can be assumed by everyone",
    reason: "With principal * any AWS account can assume it, and so can any user of an identity provider.",
    fix: "set the service or account as Principal, and a condition on the sub of an OIDC provider's tokens",
    source: aws(
      "IAM JSON policy elements, Principal",
      "IAM/latest/UserGuide/reference_policies_elements_principal.html",
    ),
    types: [ROLE],
    check: (role, report) => {
      const policy = role.at("assumeRolePolicy");
      report.each(statementsOf(policy), (statement) => {
        if (!allows(statement)) return;
        for (const issuer of issuersOf(statement))
          if (!namesIdentity(statement, issuer))
            report.wrongIn(policy, `Federated ${issuer}`, `so every identity of ${issuer} may assume the role`);
        if (isBounded(statement)) return;
        if (principalsOf(statement).includes("*"))
          report.wrongIn(policy, "Principal *", "so every account may assume the role");
        if (statement.at("NotPrincipal").isSet)
          report.wrongIn(policy, "NotPrincipal", "so every other account may assume the role");
      });
    },
  },
  {
    id: "aws-iam-managed",
    family: "aws",
    level: "mandatory",
    title: "No administrator policy is attached",
    reason: "A compromised program would own the account.",
    fix: "write a policy with the actions that are needed",
    source: aws(
      "IAM best practices, least privilege",
      "IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
    ),
    options: [BROAD],
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
];

/** A role's inline policies. @throws {Undecided} */
function inlinePolicies(role: Resource): Field[] {
  return role
    .at("inlinePolicies")
    .items()
    .map((inline) => inline.at("policy"));
}

/** Checks each allowing statement of a policy, or of a role's inline policies. */
function eachAllowed(resource: Resource, report: Report, check: (statement: Statement) => void): void {
  report.part(() => {
    report.each(resource.type === ROLE ? inlinePolicies(resource) : [resource.at("policy")], (policy) =>
      report.each(statementsOf(policy), (statement) => {
        if (allows(statement)) check({ statement, policy });
      }),
    );
  });
}

/** A statement, and the field with its document. */
interface Statement {
  readonly statement: Field;
  readonly policy: Field;
}

/** Whether an action includes all of AWS, or all of a service. */
function isEverything(action: string): boolean {
  return /^[*?]+$|^[\w*?-]+:[*?]+$/.test(action);
}

/**
 * Whether an ARN names no resource: it has only wildcards, and no particular account. `arn:aws:s3:::bucket/*` names a bucket.
 */
function isEverybodys(resource: string): boolean {
  const [prefix = "", , , , account = "", ...rest] = resource.split(":");
  if (
    /^[*?]+$/.test(resource) ||
    /[*?]/.test(prefix) ||
    (prefix === "arn" && rest.length === 0 && resource.includes("*"))
  )
    return true;
  const name = rest.join(":");
  if (account === "") return /^[*?/]+$/.test(name);
  return /^[*?]+$/.test(account) && /^([\w-]+[:/])*[*?/:]+$/.test(name);
}

/**
 * Statements of a policy document, given as JSON text or object; empty if the text is not a document, which AWS rejects.
 * @throws {Undecided} if their number is unknown.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
function statementsOf(field: Field): Field[] {
  const text = field.text();
  const document = text === undefined ? field : new Field(field.owner, field.path, parseQuietly(text));
  return oneOrMore(document.at("Statement"));
}

/** @throws {Undecided} */
function allows(statement: Field): boolean {
  return statement.at("Effect").text() === "Allow";
}

/** Items of a list, or a single value. @throws {Undecided} */
function oneOrMore(field: Field): Field[] {
  const items = field.items();
  return items.length > 0 ? items : [field].filter((single) => single.isSet && !Array.isArray(single.raw));
}

/** Texts of a statement's element, such as its actions. @throws {Undecided} if one is unknown. */
function textsOf(statement: Field, element: string): string[] {
  return oneOrMore(statement.at(element)).flatMap((value) => value.text() ?? []);
}

/** A statement's principals of all kinds. @throws {Undecided} */
function principalsOf(statement: Field): string[] {
  const principal = statement.at("Principal");
  const kinds = principal.entries().map(([kind]) => kind);
  return kinds.length > 0 ? kinds.flatMap((kind) => textsOf(principal, kind)) : textsOf(statement, "Principal");
}

/** OIDC providers whose tokens a statement accepts. @throws {Undecided} */
function issuersOf(statement: Field): string[] {
  const federated = textsOf(statement.at("Principal"), "Federated");
  return federated.flatMap((arn) => /:oidc-provider\/(.+)$/.exec(arn)?.[1] ?? []);
}

/** Matches any repository or service account. */
const ANY_IDENTITY = /^([*?]*|repo:[*?].*|system:serviceaccount:[*?]+(:[*?]+)?)$/i;

/**
 * Whether a condition restricts a provider's identities. `aud` does not: all tokens are for AWS.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html
 * @throws {Undecided}
 */
function namesIdentity(statement: Field, issuer: string): boolean {
  return conditionsOf(statement).some(({ operator, key, values }) => {
    const [ofIssuer, claim] = [key.toLowerCase().slice(0, issuer.length), key.toLowerCase().slice(issuer.length)];
    if (ofIssuer !== issuer.toLowerCase() || !claim.startsWith(":") || claim === ":aud") return false;
    if (/^(ForAllValues:)?Null$|^ForAllValues:|IfExists$|Not/i.test(operator)) return false;
    return (
      values.isUnknown || oneOrMore(values).every((value) => value.isUnknown || !ANY_IDENTITY.test(value.text() ?? ""))
    );
  });
}

/** A statement's conditions, one per key. @throws {Undecided} */
function conditionsOf(statement: Field): { operator: string; key: string; values: Field }[] {
  return statement
    .at("Condition")
    .entries()
    .flatMap(([operator, keys]) => keys.entries().map(([key, values]) => ({ operator, key, values })));
}

/** Condition keys about how a request is sent, not about the owner of the resource or the caller. */
const HOW = ["aws:securetransport", "aws:multifactorauthpresent", "aws:currenttime", "aws:epochtime", "aws:useragent"];

/** Whether a condition limits a statement's scope. One that accepts any value does not. @throws {Undecided} */
function isBounded(statement: Field): boolean {
  return conditionsOf(statement).some(({ operator, key, values }) => {
    if (HOW.includes(key.toLowerCase()) || /^(ForAllValues:)?Null$|^ForAllValues:|IfExists$/i.test(operator))
      return false;
    // An unknown value counts as one.
    return values.isUnknown || !oneOrMore(values).some((value) => !value.isUnknown && value.text() === "*");
  });
}

/** The value of a JSON text; undefined if it is not JSON. AWS accepts no YAML. */
function parseQuietly(text: string): Value | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
