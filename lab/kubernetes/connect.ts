import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { Failure } from "../command-line.ts";
import { kubeCluster } from "./client.ts";
import { type Cluster, ClusterError } from "./cluster.ts";

/** Where a cluster is found. */
export interface Target {
  /** Kubeconfig file; default: the files of KUBECONFIG, else `~/.kube/config`. */
  readonly kubeconfig?: string | undefined;
  /** Context in it; default: its current one. */
  readonly context?: string | undefined;
}

/** A cluster that answered, and the version of its API server. */
export interface Connection {
  readonly cluster: Cluster;
  readonly version: string;
}

/** Exit code where nothing could be tried. */
const NOT_TRIED = 2;

/**
 * Reads the kubeconfig and asks the API server for its version.
 * @throws {Failure} with one line for a missing file, an unknown context, a server that does not answer, wrong credentials.
 */
export async function connect(target: Target): Promise<Connection> {
  const config = await loadKubeConfig(target);
  const cluster = kubeCluster(config);
  try {
    return { cluster, version: await cluster.version() };
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    throw new Failure(`context '${cluster.context}' (${cluster.server}): ${error.message}`, NOT_TRIED);
  }
}

/** The kubeconfig with the wanted context as its current one. */
export async function loadKubeConfig(target: Target): Promise<KubeConfig> {
  const files = kubeconfigFiles(target.kubeconfig);
  const readable = await present(files);
  if (readable.length === 0) {
    const advice = "set --kubeconfig, KUBECONFIG or cluster.kubeconfig in the stack's file";
    throw new Failure(`no kubeconfig at ${files.join(", ")}: ${advice}`, NOT_TRIED);
  }
  const config = readAll(readable);
  const names = config.getContexts().map((context) => context.name);
  const wanted = target.context ?? config.getCurrentContext();
  const choice = names.length === 0 ? "it has no contexts" : `contexts: ${names.join(", ")}`;
  if (wanted === undefined || wanted === "")
    throw new Failure(`${readable.join(", ")} has no current context: set --context; ${choice}`, NOT_TRIED);
  if (!names.includes(wanted))
    throw new Failure(`no context '${wanted}' in ${readable.join(", ")}; ${choice}`, NOT_TRIED);
  config.setCurrentContext(wanted);
  if (config.getCurrentCluster() === null)
    throw new Failure(`context '${wanted}' refers to a cluster that is not in ${readable.join(", ")}`, NOT_TRIED);
  return config;
}

/** The files that kubectl would read, in its order. */
function kubeconfigFiles(named: string | undefined): string[] {
  if (named !== undefined && named !== "") return [expandHome(named)];
  const listed = (process.env.KUBECONFIG ?? "").split(delimiter).filter((file) => file !== "");
  return listed.length > 0 ? listed : [join(homedir(), ".kube", "config")];
}

export function expandHome(path: string): string {
  return path.replace(/^~(?=\/|$)/, homedir());
}

async function present(files: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const file of files) {
    const readable = await readFile(file).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT" || error.code === "ENOTDIR") return false;
        throw new Failure(`cannot read the kubeconfig ${file}: ${error.code ?? error.message}`, NOT_TRIED);
      },
    );
    if (readable) found.push(file);
  }
  return found;
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

/** What another file of KUBECONFIG adds: where two name the same thing, the first one wins, as with kubectl. */
function without(config: KubeConfig, known: KubeConfig): KubeConfig {
  const names = (items: readonly { name: string }[]) => new Set(items.map((item) => item.name));
  const [clusters, users, contexts] = [names(known.clusters), names(known.users), names(known.contexts)];
  config.clusters = config.clusters.filter((cluster) => !clusters.has(cluster.name));
  config.users = config.users.filter((user) => !users.has(user.name));
  config.contexts = config.contexts.filter((context) => !contexts.has(context.name));
  return config;
}
