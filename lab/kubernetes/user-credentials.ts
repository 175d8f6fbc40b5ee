import type { KubeConfig } from "@kubernetes/client-node";
import { ClusterError } from "./cluster.ts";

/**
 * Loads the credentials of a kubeconfig's user before the first request, which would report their errors as answers of the server. A login
 * program may take a while.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 * @throws {ClusterError} in one sentence if there are none.
 */
export async function checkCredentials(config: KubeConfig): Promise<void> {
  try {
    await config.applyToHTTPSOptions({});
  } catch (error) {
    throw new ClusterError("unauthorized", whyNone(config, error));
  }
}

function whyNone(config: KubeConfig, error: unknown): string {
  const { exec, authProvider, name } = config.getCurrentUser() ?? {};
  const program = programOf(exec);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const said = error instanceof Error ? error.message.replaceAll(/\s+/g, " ").trim() : String(error);
  if (program !== undefined) {
    if (code === "ENOENT") return `its credentials come from the program ${program}, which is not on the PATH`;
    const isAnswer = error instanceof SyntaxError || error instanceof TypeError;
    const reason = isAnswer ? "it printed no ExecCredential" : said === "" ? "it failed, and printed no reason" : said;
    return `the program ${program} gives no credentials: ${reason}`;
  }
  if (authProvider !== undefined && error instanceof TypeError)
    return `user '${name}' has an auth-provider '${authProvider.name}', which Kubernetes replaced by exec: recreate the kubeconfig, for example with aws eks update-kubeconfig`;
  return typeof code === "string" || exec !== undefined
    ? `the credentials of user '${name}' cannot be read: ${said}`
    : `the kubeconfig cannot be used: ${said}`;
}

function programOf(exec: unknown): string | undefined {
  return typeof exec === "object" && exec !== null && "command" in exec ? String(exec.command) : undefined;
}
