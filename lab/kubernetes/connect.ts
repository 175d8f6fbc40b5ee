import { KubeConfig } from "@kubernetes/client-node";
import { findServer, type KubeconfigIssue, kubeconfigFiles } from "../../components/cluster/kubeconfig.ts";
import { Failure } from "../command-line.ts";
import { kubeCluster } from "./client.ts";
import { type Cluster, ClusterError } from "./cluster.ts";
import { checkCredentials } from "./user-credentials.ts";

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
    throw new Failure(`context '${cluster.context}' (${cluster.server}): ${error.message}`, NOT_TRIED);
  }
}

/** The kubeconfig with the requested context as its current one. */
export async function loadKubeConfig(target: Target): Promise<KubeConfig> {
  const found = findServer(target, kubeconfigFiles(target, process.env.KUBECONFIG));
  if ("issue" in found) throw new Failure(`${found.issue}${adviceFor(found)}`, NOT_TRIED);
  const config = readAll(found.files);
  config.setCurrentContext(found.context);
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
    } catch (error) {
      const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
      throw new Failure(`${file} is not a kubeconfig: ${reason}`, NOT_TRIED);
    }
    if (index === 0) config.loadFromOptions(one);
    else config.mergeConfig(without(one, config), true);
  }
  return config;
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
