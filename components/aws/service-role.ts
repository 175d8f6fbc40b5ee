import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

/** A role that one AWS service takes on, with managed policies. */
export function serviceRole(
  name: string,
  args: {
    service: string;
    actions: string[];
    policies: string[];
    partition: string;
    tags: Readonly<Record<string, string>>;
  },
  options: pulumi.CustomResourceOptions,
): { role: aws.iam.Role; attachments: aws.iam.RolePolicyAttachment[] } {
  const statement = { Action: args.actions, Effect: "Allow", Principal: { Service: args.service } };
  const role = new aws.iam.Role(
    name,
    { assumeRolePolicy: JSON.stringify({ Statement: [statement], Version: "2012-10-17" }), tags: args.tags },
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
