import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { shortPrefix } from "./names.ts";
import { arnName, type PodIdentityHost } from "./partition.ts";
import { type PolicyStatement, policyText } from "./policy-statements.ts";

/** An AWS identity for pods of one service account. */
export interface PodIdentityArgs {
  /** The cluster. */
  readonly host: PodIdentityHost;
  /** Namespace of the service account. */
  readonly namespace: string;
  /** Service account whose pods get the role. */
  readonly serviceAccount: string;
  /** Permissions of the pods, with resources by ARN. @default only those of the attached policies */
  readonly statements?: pulumi.Input<readonly PolicyStatement[]> | undefined;
  /** ARNs of IAM policies to attach. @default none */
  readonly policyArns?: readonly pulumi.Input<string>[];
}

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const MAX_ROLE_NAME = 64;

/** The name prefix of a role with a long name; empty for all others. */
function roleName(name: string): { readonly namePrefix?: string } {
  const namePrefix = shortPrefix(name, MAX_ROLE_NAME);
  return namePrefix === undefined ? {} : { namePrefix };
}

/**
 * An IAM role for the pods of one service account. Only EKS can assume it, and only for that service account of that cluster.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
 */
export class PodIdentity extends pulumi.ComponentResource {
  /** The association. Pods must start after it, or they get no credentials. */
  readonly association: aws.eks.PodIdentityAssociation;
  /** ARN of the role. */
  readonly roleArn: pulumi.Output<string>;

  constructor(name: string, args: PodIdentityArgs, options: pulumi.ComponentResourceOptions) {
    super("eks-dns-logging:logging:PodIdentity", name, {}, options);
    const { host, namespace, serviceAccount } = args;
    const role = new aws.iam.Role(
      name,
      {
        ...roleName(name),
        assumeRolePolicy: pulumi
          .output(host.clusterName)
          .apply((cluster) => trustPolicy(cluster, namespace, serviceAccount)),
        tags: host.tags,
      },
      { parent: this },
    );
    const attached = (args.policyArns ?? []).map(
      (arn, index) =>
        new aws.iam.RolePolicyAttachment(
          `${name}-${typeof arn === "string" ? arnName(arn) : index}`,
          { role: role.name, policyArn: arn },
          { parent: this },
        ),
    );
    const inline =
      args.statements === undefined
        ? []
        : [
            new aws.iam.RolePolicy(
              name,
              {
                role: role.name,
                policy: pulumi.output(args.statements).apply(policyText),
              },
              { parent: this },
            ),
          ];
    const policies: pulumi.Resource[] = [...inline, ...attached];
    this.association = new aws.eks.PodIdentityAssociation(
      name,
      { clusterName: host.clusterName, namespace, serviceAccount, roleArn: role.arn, tags: host.tags },
      { parent: this, dependsOn: host.agent === undefined ? policies : [...policies, host.agent] },
    );
    this.roleArn = role.arn;
    this.registerOutputs({ roleArn: this.roleArn });
  }
}

/** EKS tags each session with the cluster, namespace and service account; the trust policy requires these tags. */
function trustPolicy(cluster: string, namespace: string, serviceAccount: string): string {
  return policyText([
    {
      Action: ["sts:AssumeRole", "sts:TagSession"],
      Condition: {
        StringEquals: {
          "aws:RequestTag/eks-cluster-name": cluster,
          "aws:RequestTag/kubernetes-namespace": namespace,
          "aws:RequestTag/kubernetes-service-account": serviceAccount,
        },
      },
      Effect: "Allow",
      Principal: { Service: "pods.eks.amazonaws.com" },
    },
  ]);
}

/** A role that an AWS service assumes. */
export interface ServiceRoleArgs {
  /** Service that assumes the role, such as `eks.amazonaws.com`. */
  readonly service: string;
  /** STS actions that the service may call, such as `sts:AssumeRole`. */
  readonly actions: readonly string[];
  /** Names of AWS managed policies to attach. */
  readonly policies: readonly string[];
  /** ARN partition, such as `aws`. */
  readonly partition: string;
  /** Tags of every AWS resource. */
  readonly tags: Readonly<Record<string, pulumi.Input<string>>>;
}

/** A role for one AWS service, with managed policies. */
export function serviceRole(
  name: string,
  args: ServiceRoleArgs,
  options: pulumi.CustomResourceOptions,
): { role: aws.iam.Role; attachments: aws.iam.RolePolicyAttachment[] } {
  const statement = { Action: args.actions, Effect: "Allow", Principal: { Service: args.service } };
  const role = new aws.iam.Role(
    name,
    {
      ...roleName(name),
      assumeRolePolicy: policyText([statement]),
      tags: args.tags,
    },
    options,
  );
  const attachments = args.policies.map(
    (policy) =>
      new aws.iam.RolePolicyAttachment(
        `${name}-${policy.split("/").at(-1)}`,
        { role: role.name, policyArn: `arn:${args.partition}:iam::aws:policy/${policy}` },
        options,
      ),
  );
  return { role, attachments };
}

/** A role with which an AWS service delivers logs. */
export interface DeliveryRoleArgs {
  /** Service that assumes the role, such as `firehose.amazonaws.com`. */
  readonly service: string;
  /** Condition of the trust policy, by operator. */
  readonly condition: pulumi.Input<Readonly<Record<string, Readonly<Record<string, string>>>>>;
  /** Permissions of the service, with resources by ARN. */
  readonly statements: pulumi.Input<readonly PolicyStatement[]>;
  /** Tags of every AWS resource. */
  readonly tags: Readonly<Record<string, pulumi.Input<string>>>;
}

/**
 * A role that one AWS service assumes for this account only, with the least privileges.
 * @returns Its ARN, and its policy, which users of the role must depend on.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
 */
export function deliveryRole(
  name: string,
  { service, condition, statements, tags }: DeliveryRoleArgs,
  options: pulumi.CustomResourceOptions,
): { arn: pulumi.Output<string>; policy: aws.iam.RolePolicy } {
  const trust = pulumi
    .output(condition)
    .apply((known) =>
      policyText([{ Action: "sts:AssumeRole", Condition: known, Effect: "Allow", Principal: { Service: service } }]),
    );
  const role = new aws.iam.Role(name, { ...roleName(name), assumeRolePolicy: trust, tags }, options);
  const policy = new aws.iam.RolePolicy(
    name,
    { role: role.name, policy: pulumi.output(statements).apply(policyText) },
    options,
  );
  return { arn: role.arn, policy };
}
