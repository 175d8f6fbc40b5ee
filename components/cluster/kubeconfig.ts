/**
 * A kubeconfig of @pulumi/eks, with the profile for `aws eks get-token`: Pulumi's own setting `aws:profile` does not reach the AWS CLI.
 * By argument, since credentials in the environment win over AWS_PROFILE.
 * @param text as JSON; nothing where no engine makes the cluster.
 */
export function withProfile(text: string | undefined, profile: string): string {
  return JSON.stringify(JSON.parse(text ?? "{}"), (key, value: unknown) =>
    key === "args" && Array.isArray(value) ? [...value, "--profile", profile] : value,
  );
}
