import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { KubeConfig, type User } from "@kubernetes/client-node";
import { findServer, type KubeconfigIssue, kubeconfigFiles } from "../../components/cluster/kubeconfig.ts";
import { isObject, parsedJson } from "../../components/schema/values.ts";
import { Failure } from "../command-line.ts";
import { kubeCluster } from "./client.ts";
import { type Cluster, ClusterError } from "./cluster.ts";

/** How to find a cluster. */
export interface Target {
  /** Kubeconfig file; default: the files of KUBECONFIG, else `~/.kube/config`. */
  readonly kubeconfig?: string | undefined;
  /** Context in it; default: its current one. */
  readonly context?: string | undefined;
  /** Whether a stack's file could name the kubeconfig, for the advice on a missing one. Default: true. */
  readonly hasStack?: boolean;
}

/** A cluster that answered. */
export interface Connection {
  readonly cluster: Cluster;
  /** Version of its API server. */
  readonly version: string;
  /** The kubeconfig that leads there, for requests that {@link Cluster} lacks. */
  readonly config: KubeConfig;
}

/** Exit code if nothing could be tried. */
const NOT_TRIED = 2;

/**
 * Reads the kubeconfig and queries the API server's version.
 * @throws {Failure} in one line for a missing file, an unknown context, an unreachable server, or invalid credentials.
 */
export async function connect(target: Target): Promise<Connection> {
  const config = await loadKubeConfig(target);
  const cluster = kubeCluster(config);
  try {
    await checkCredentials(config);
    return { cluster, version: await cluster.version(), config };
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    const why = error.kind === "unauthorized" ? expiredCertificate(config) : undefined;
    const place = `context '${cluster.context}' (${cluster.server})`;
    throw new Failure(`${place}: ${error.message}${why === undefined ? "" : `: ${why}`}`, NOT_TRIED);
  }
}

/** The kubeconfig with the requested context as its current one. */
export async function loadKubeConfig(target: Target): Promise<KubeConfig> {
  const server = findServer(target, kubeconfigFiles(target, process.env.KUBECONFIG));
  if ("issue" in server) throw new Failure(`${server.issue}${adviceFor(server, target)}`, NOT_TRIED);
  const config = readAll(server.files);
  config.setCurrentContext(server.context);
  // A context without a user has no credentials, as behind `kubectl proxy`. If the user is missing, the client ignores the server's CA too.
  const user = config.getContextObject(server.context)?.user ?? "";
  if (user !== "" && config.getUser(user) === null)
    throw new Failure(
      `context '${server.context}' refers to user '${user}', which is not in ${server.files.join(", ")}`,
      NOT_TRIED,
    );
  return config;
}

function adviceFor({ setting, absent }: KubeconfigIssue, { hasStack = true }: Target): string {
  if (!absent) return "";
  if (setting !== "kubeconfig") return "; set --context";
  return hasStack
    ? ": set --kubeconfig, KUBECONFIG or cluster.kubeconfig in the stack's file"
    : ": set --kubeconfig or KUBECONFIG";
}

function readAll(files: readonly string[]): KubeConfig {
  const config = new KubeConfig();
  for (const [index, file] of files.entries()) {
    const part = new KubeConfig();
    try {
      part.loadFromFile(file);
      part.users = part.users.map((user) => ({ ...user, exec: withAbsoluteCommand(user.exec, dirname(file)) }));
    } catch (error) {
      const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
      throw new Failure(`${file} is not a kubeconfig: ${reason}`, NOT_TRIED);
    }
    if (index === 0) config.loadFromOptions(part);
    else config.mergeConfig(withoutKnown(part, config), true);
  }
  return config;
}

/**
 * A program for credentials by its path, which the file may give from its own folder. A name without a folder is one of the PATH.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#configuration
 */
function withAbsoluteCommand(exec: unknown, folder: string): unknown {
  if (!isObject(exec) || typeof exec.command !== "string" || !/[\\/]/.test(exec.command)) return exec;
  return { ...exec, command: resolve(folder, exec.command) };
}

/** What a further file of KUBECONFIG adds: of two entries with the same name, the first wins, as in kubectl. */
function withoutKnown(config: KubeConfig, other: KubeConfig): KubeConfig {
  const names = (items: readonly { name: string }[]) => new Set(items.map((item) => item.name));
  const [clusters, users, contexts] = [names(other.clusters), names(other.users), names(other.contexts)];
  config.clusters = config.clusters.filter((cluster) => !clusters.has(cluster.name));
  config.users = config.users.filter((user) => !users.has(user.name));
  config.contexts = config.contexts.filter((context) => !contexts.has(context.name));
  return config;
}

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
    throw new ClusterError("unauthorized", whyNoCredentials(config, error));
  }
}

/**
 * Says that the user's client certificate has expired, which the server reports only as unauthorized: those of kubeadm and K3s are valid for a
 * year.
 * @returns undefined if there is no certificate, or it is still valid.
 */
export function expiredCertificate(config: KubeConfig): string | undefined {
  const user = config.getCurrentUser();
  const certificate = user === null ? undefined : certificateOf(user);
  if (certificate === undefined || certificate.validToDate.getTime() > Date.now()) return undefined;
  const day = certificate.validToDate.toISOString().slice(0, 10);
  return `the certificate of user '${user?.name}' expired on ${day}: recreate the kubeconfig`;
}

function certificateOf({ certData, certFile }: Pick<User, "certData" | "certFile">): X509Certificate | undefined {
  try {
    if (certData !== undefined) return new X509Certificate(Buffer.from(certData, "base64"));
    return certFile === undefined ? undefined : new X509Certificate(readFileSync(certFile));
  } catch {
    // The connection itself reports a file that is not a certificate.
    return undefined;
  }
}

function whyNoCredentials(config: KubeConfig, error: unknown): string {
  const { exec, authProvider, name } = config.getCurrentUser() ?? {};
  const program = programOf(exec);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const message = error instanceof Error ? error.message.replaceAll(/\s+/g, " ").trim() : String(error);
  if (program !== undefined) {
    if (code === "ENOENT") return `its credentials come from the program ${program}, which is not on the PATH`;
    const isWrongOutput = error instanceof SyntaxError || error instanceof TypeError;
    const failure = message === "" ? "it failed, and printed no reason" : message;
    return `the program ${program} gives no credentials: ${isWrongOutput ? "it printed no ExecCredential" : failure}`;
  }
  if (authProvider !== undefined && error instanceof TypeError)
    return `user '${name}' has an auth-provider '${authProvider.name}', which Kubernetes replaced by exec: recreate the kubeconfig, for example with aws eks update-kubeconfig`;
  return typeof code === "string" || exec !== undefined
    ? `the credentials of user '${name}' cannot be read: ${message}`
    : `the kubeconfig cannot be used: ${message}`;
}

function programOf(exec: unknown): string | undefined {
  return typeof exec === "object" && exec !== null && "command" in exec ? String(exec.command) : undefined;
}

/** Where a drill stores the originals of what it changes: in a Secret, because they may be Secrets. */
export const DRILL_STATE = { namespace: "kube-system", name: "eks-dns-logging-drill" } as const;
/** Key of the state in that Secret. */
export const DRILL_STATE_KEY = "state";

/** A notice for commands on a cluster with an active drill; undefined if there is none. */
export async function drillNotice(cluster: Pick<Cluster, "secret">): Promise<string | undefined> {
  // Without permission to read the Secret, no notice; the command itself may not need it.
  const data = await cluster.secret(DRILL_STATE.namespace, DRILL_STATE.name).catch(() => undefined);
  const text = data?.[DRILL_STATE_KEY];
  if (text === undefined) return undefined;
  const state = parsedJson(text);
  const name = isObject(state) && typeof state.drill === "string" ? state.drill : undefined;
  return `A drill${name === undefined ? "" : ` (${name})`} is on: this cluster has a fault on purpose. \`npm run lab -- drill stop\` removes it.\n`;
}
