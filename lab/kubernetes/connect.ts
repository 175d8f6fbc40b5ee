import { dirname, resolve } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { findServer, type KubeconfigIssue, kubeconfigFiles } from "../../components/cluster/kubeconfig.ts";
import { isObject } from "../../components/schema/values.ts";
import { Failure } from "../command-line.ts";
import { kubeCluster } from "./client.ts";
import { type Cluster, ClusterError } from "./cluster.ts";
import { checkCredentials, expiry } from "./user-credentials.ts";

/** How to find a cluster. */
export interface Target {
  /** Kubeconfig file; default: the files of KUBECONFIG, else `~/.kube/config`. */
  readonly kubeconfig?: string | undefined;
  /** Context in it; default: its current one. */
  readonly context?: string | undefined;
}

/** A cluster that answered, with the version of its API server. */
export interface Connection {
  readonly cluster: Cluster;
  readonly version: string;
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
    return { cluster, version: await cluster.version() };
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    const why = error.kind === "unauthorized" ? expiry(config) : undefined;
    const place = `context '${cluster.context}' (${cluster.server})`;
    throw new Failure(`${place}: ${error.message}${why === undefined ? "" : `: ${why}`}`, NOT_TRIED);
  }
}

/** The kubeconfig with the requested context as its current one. */
export async function loadKubeConfig(target: Target): Promise<KubeConfig> {
  const found = findServer(target, kubeconfigFiles(target, process.env.KUBECONFIG));
  if ("issue" in found) throw new Failure(`${found.issue}${adviceFor(found)}`, NOT_TRIED);
  const config = readAll(found.files);
  config.setCurrentContext(found.context);
  // A context without a user has no credentials, as behind `kubectl proxy`. Without the one that it names, the server's CA is not used either.
  const user = config.getContextObject(found.context)?.user ?? "";
  if (user !== "" && config.getUser(user) === null)
    throw new Failure(
      `context '${found.context}' refers to user '${user}', which is not in ${found.files.join(", ")}`,
      NOT_TRIED,
    );
  return config;
}

function adviceFor({ setting, absent }: KubeconfigIssue): string {
  if (!absent) return "";
  return setting === "kubeconfig"
    ? ": set --kubeconfig, KUBECONFIG or cluster.kubeconfig in the stack's file"
    : "; set --context";
}

function readAll(files: readonly string[]): KubeConfig {
  const config = new KubeConfig();
  for (const [index, file] of files.entries()) {
    const one = new KubeConfig();
    try {
      one.loadFromFile(file);
      one.users = one.users.map((user) => ({ ...user, exec: withAbsoluteCommand(user.exec, dirname(file)) }));
    } catch (error) {
      const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
      throw new Failure(`${file} is not a kubeconfig: ${reason}`, NOT_TRIED);
    }
    if (index === 0) config.loadFromOptions(one);
    else config.mergeConfig(without(one, config), true);
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
function without(config: KubeConfig, known: KubeConfig): KubeConfig {
  const names = (items: readonly { name: string }[]) => new Set(items.map((item) => item.name));
  const [clusters, users, contexts] = [names(known.clusters), names(known.users), names(known.contexts)];
  config.clusters = config.clusters.filter((cluster) => !clusters.has(cluster.name));
  config.users = config.users.filter((user) => !users.has(user.name));
  config.contexts = config.contexts.filter((context) => !contexts.has(context.name));
  return config;
}
