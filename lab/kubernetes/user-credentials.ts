import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { KubeConfig, User } from "@kubernetes/client-node";
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

/**
 * Why a server does not accept a user's credentials, as far as they tell: kubeadm and K3s make client certificates for a year.
 * @returns undefined where they have no certificate, or one that is valid.
 */
export function expiry(config: KubeConfig): string | undefined {
  const user = config.getCurrentUser();
  const certificate = user === null ? undefined : certificateOf(user);
  if (certificate === undefined || certificate.validToDate.getTime() > Date.now()) return undefined;
  const day = certificate.validToDate.toISOString().slice(0, 10);
  return `the certificate of user '${user?.name}' expired on ${day}: write the kubeconfig anew`;
}

function certificateOf({ certData, certFile }: Pick<User, "certData" | "certFile">): X509Certificate | undefined {
  try {
    if (certData !== undefined) return new X509Certificate(Buffer.from(certData, "base64"));
    return certFile === undefined ? undefined : new X509Certificate(readFileSync(certFile));
  } catch {
    // What it is instead is the connection's to tell.
    return undefined;
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
