import { resolve } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { expandHome } from "../../components/cluster/kubeconfig.ts";
import { teamNamespace } from "../../components/kubernetes/labels.ts";
import type { Settings } from "../../components/settings.ts";
import { curlPodName } from "../../components/team/curl-pod-spec.ts";
import { hasCurlPod } from "../../components/team/settings.ts";
import { Failure } from "../command-line.ts";
import { type Cluster, ifExists } from "../kubernetes/cluster.ts";
import { connect, DRILL_STATE, drillNotice, loadKubeConfig, type Target } from "../kubernetes/connect.ts";
import { accessAdditions, sharedCorefile } from "./additions.ts";
import {
  deletedNamespaces,
  missingKinds,
  missingNamespaces,
  movedNamespaces,
  readNamespace,
  takenNamespaces,
} from "./preconditions.ts";
import {
  type Deployment,
  existingObjects,
  forgotten,
  type Memory,
  ownObjects,
  podUrns,
  readDeployment,
  StateFolder,
  type StateObject,
  UnansweredCreations,
  withoutPending,
} from "./state.ts";
import {
  deleteKind,
  ensureKind,
  ensureKubernetesPlugin,
  KIND_CLUSTER,
  KIND_CONTEXT,
  kindClusters,
  openStack,
  operate,
  pulumiOutput,
} from "./workspace.ts";

export interface UpOptions {
  readonly stack: string;
  readonly settings: Settings;
  /** kubeconfig and context from the stack or the flags. */
  readonly target: Target;
  /** Create a kind cluster and use it. */
  readonly kind: boolean;
  /** Default: that of the stack in this project. */
  readonly folder?: StateFolder;
}

/**
 * Deploys the lab to a cluster, or updates it: ended curl pods are replaced, and the rest of an interrupted run is completed.
 * @returns the cluster that the lab is on.
 * @throws {Failure} in one line if something is missing.
 */
export async function up({ stack: name, settings, target, kind, folder = new StateFolder(name) }: UpOptions) {
  requireExistingCluster(name, settings, "up");
  const before = await folder.memory();
  const memory = await chooseCluster(target, kind, before);
  if (before !== undefined && before.context !== memory.context)
    throw new Failure(
      `the lab is deployed to context '${before.context}': remove it with \`npm run lab -- down\` before you deploy to '${memory.context}'`,
      2,
    );
  // Remember a kind cluster at once; an existing cluster only when objects may be on it.
  if (memory.kind !== undefined) await folder.remember(memory);
  const { cluster, config } = await connect(memory);
  process.stderr.write((await drillNotice(cluster)) ?? "");
  refuse([...(await missingNamespaces(cluster, settings)), ...(await missingKinds(cluster, settings))]);
  const stack = await openStack(folder, memory);
  await ensureKubernetesPlugin(stack.workspace);
  await folder.remember(memory);
  const state = await withoutPending(stack, config, memory.unanswered);
  refuse([...movedNamespaces(state, settings), ...(await takenNamespaces(config, state, settings))]);
  const ended = await endedPods(state, cluster, settings);
  if (ended.length > 0) process.stderr.write(`Replacing expired pods: ${ended.map(podOfUrn).join(", ")}\n`);
  const additions = await accessAdditions(config, state);
  for (const { object, paths } of additions)
    process.stderr.write(`Replacing ${object}, to which another tool added ${paths.join(", ")}\n`);
  const shared = await sharedCorefile(config, state, settings);
  if (shared !== undefined) process.stderr.write(`Warning: ${shared}\n`);
  const replace = [...ended, ...additions.map(({ urn }) => urn)];
  for (const namespace of deletedNamespaces(state, settings))
    process.stderr.write(
      `Deleting namespace ${namespace}, which the settings no longer create, with everything in it: pods, secrets, volume claims, and objects created by hand\n`,
    );
  const creations = new UnansweredCreations();
  const updating = operate("up", (signal) =>
    stack.up({ ...pulumiOutput(), signal, ...FRESH, replace, onEvent: creations.record }),
  );
  const { unanswered: _, ...answered } = memory;
  await reportingStuckNamespaces(config, ownObjects(state), updating).finally(() =>
    folder.remember(creations.unanswered.length === 0 ? answered : { ...answered, unanswered: creations.unanswered }),
  );
  return answered;
}

/** Refresh detects manual changes and deletions. It runs the program, so that it uses the current provider. */
const FRESH = { refresh: true, runProgram: true } as const;

/** Waits for an operation that may delete namespaces; if it fails, reports what keeps them. */
async function reportingStuckNamespaces<T>(
  config: KubeConfig,
  objects: readonly StateObject[],
  operation: Promise<T>,
): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    // If the cluster does not answer, the operation's own error says so.
    for (const line of await stuckNamespaces(config, objects).catch(() => [])) process.stderr.write(`${line}\n`);
    throw error;
  }
}

/**
 * Reports why namespaces are still being deleted, such as an object whose finalizer is not removed, or an API that does not answer. Pulumi
 * waits for them silently.
 * @returns a line per namespace.
 */
export async function stuckNamespaces(config: KubeConfig, objects: readonly StateObject[]): Promise<string[]> {
  const lines: string[] = [];
  for (const { header } of objects) {
    if (header.kind !== "Namespace") continue;
    const { name } = header.metadata;
    const namespace = await readNamespace(config, name);
    if (namespace?.metadata?.deletionTimestamp === undefined) continue;
    const reasons = (namespace.status?.conditions ?? []).flatMap(({ type, status, message = "" }) =>
      IS_STUCK.test(type) && status === "True" ? [message] : [],
    );
    lines.push(
      `Namespace ${name} is still being deleted: ${reasons.join("; ") || "the cluster does not say what keeps it"}`,
    );
  }
  return lines;
}

/** Conditions that say why. @see https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/namespace-v1/#NamespaceStatus */
const IS_STUCK = /^Namespace(ContentRemaining|FinalizersRemaining|Deletion\w+Failure)$/;

/** @throws {Failure} that lists all problems, if there are any. */
function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new Failure(`nothing was changed:\n${problems.map((line) => `  ${line}`).join("\n")}`, 2);
}

/** The Pulumi command that does the same. */
const PULUMI_COMMANDS = { up: "up", down: "destroy" } as const;

function requireExistingCluster(name: string, settings: Settings, command: keyof typeof PULUMI_COMMANDS): void {
  if (settings.cluster.kind === "existing") return;
  throw new Failure(
    `stack '${name}' is on EKS: use \`pulumi ${PULUMI_COMMANDS[command]} --stack ${name}\`; \`lab ${command}\` is for stacks with cluster.kind existing`,
    2,
  );
}

/** Chooses the cluster by flag, settings, the last run, or the current context, and saves the choice for the next run. */
async function chooseCluster(target: Target, kind: boolean, before: Memory | undefined): Promise<Memory> {
  const file = kubeconfigOf(target, before);
  const remembered = {
    ...(before?.kind === undefined ? {} : { kind: before.kind }),
    ...(before?.unanswered === undefined ? {} : { unanswered: before.unanswered }),
  };
  if (kind) {
    if (target.context !== undefined && target.context !== KIND_CONTEXT)
      throw new Failure(`--kind uses context '${KIND_CONTEXT}', not '${target.context}'`, 2);
    const isNew = await ensureKind();
    return { context: KIND_CONTEXT, ...file, ...(isNew ? { kind: KIND_CLUSTER } : remembered) };
  }
  const context = target.context ?? before?.context ?? (await loadKubeConfig(file)).getCurrentContext();
  return { context, ...file, ...remembered };
}

/** The kubeconfig named by flags or stack, else that of the last run. */
function kubeconfigOf({ kubeconfig }: Target, before: Memory | undefined): Pick<Memory, "kubeconfig"> {
  const file = kubeconfig === undefined ? before?.kubeconfig : resolve(expandHome(kubeconfig));
  return file === undefined ? {} : { kubeconfig: file };
}

/** URNs of curl pods in the state that have ended on the cluster. */
async function endedPods(deployment: Deployment, cluster: Cluster, settings: Settings): Promise<string[]> {
  const podUrnsBefore = podUrns(deployment);
  const urns: string[] = [];
  for (const { name } of settings.curlPods ? settings.teams.filter(hasCurlPod) : []) {
    const [namespace, podName] = [teamNamespace(name), curlPodName(name)];
    const urn = podUrnsBefore.get(`${namespace}/${podName}`);
    if (urn === undefined) continue;
    const pod = await ifExists(cluster.pod(namespace, podName));
    if (pod?.phase === "Succeeded" || pod?.phase === "Failed") urns.push(urn);
  }
  return urns;
}

function podOfUrn(urn: string): string {
  return urn.split("::").at(-1) ?? urn;
}

export interface DownOptions {
  readonly stack: string;
  readonly settings: Settings;
  readonly target: Target;
  /** Default: that of the stack in this project. */
  readonly folder?: StateFolder;
}

/**
 * Removes the lab and deletes its state, and the kind cluster if `up` created it.
 * @returns the objects left on the cluster, as text; undefined if `up` has deployed nothing.
 */
export async function down(options: DownOptions): Promise<string[] | undefined> {
  const { stack: name, settings, target, folder = new StateFolder(name) } = options;
  requireExistingCluster(name, settings, "down");
  const memory = await folder.memory();
  if (memory === undefined) return undefined;
  const { context, kind } = memory;
  if (target.context !== undefined && target.context !== context)
    throw new Failure(`the lab is deployed to context '${context}', not '${target.context}'`, 2);

  if (kind !== undefined) await removeKind(folder, memory, kind);
  else {
    const left = await destroy(folder, { ...memory, ...kubeconfigOf(target, memory) });
    if (left.length > 0) return left.map(objectText);
  }
  await folder.forget();
  return [];
}

/** The message of `down` after all objects are gone. It also names what Kubernetes objects do not cover. */
export function removalText({ logging, dns }: Pick<Settings, "logging" | "dns">, isClusterGone: boolean): string {
  if (isClusterGone) return "Removed: the kind cluster that `up` created, with everything on it.\n";
  const lines = ["Removed: no object of the lab is left on the cluster."];
  if (logging?.mode === "daemonset")
    lines.push(
      "Nodes keep the collector's buffer and positions (up to logging.buffer.size) in /var/lib/eks-dns-logging; delete that folder by hand.",
    );
  if (dns?.adopt?.manage && dns.preserve !== false)
    lines.push("CoreDNS keeps the Corefile and the fields that dns.adopt manages.");
  return `${lines.join("\n")}\n`;
}

/** Deletes the kind cluster; its objects go with it, so they need not be destroyed one by one. */
async function removeKind(folder: StateFolder, memory: Memory, kind: string): Promise<void> {
  if ((await kindClusters()).includes(kind)) await deleteKind(kind);
  const stack = await openStack(folder, memory);
  await stack.workspace.removeStack(folder.stack, { force: true });
}

/** Destroys the stack and returns the objects that are still on the cluster. */
async function destroy(folder: StateFolder, memory: Memory): Promise<StateObject[]> {
  const { cluster, config } = await connect(memory).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(
      `${error.message}\nIf the cluster is gone for good, delete the folder .pulumi-state, which is all that is left of the lab`,
      error.exitCode,
    );
  });
  const drill = await drillNotice(cluster);
  process.stderr.write(drill ?? "");
  const stack = await openStack(folder, memory);
  await ensureKubernetesPlugin(stack.workspace);
  const state = await withoutPending(stack, config, memory.unanswered);
  const objects = ownObjects(state);
  // A first run that was stopped or refused at once created nothing.
  if ((state.resources ?? []).length > 0)
    await reportingStuckNamespaces(
      config,
      objects,
      operate("destroy", (signal) => stack.destroy({ ...pulumiOutput(), signal, ...FRESH })),
    ).catch(async (error: unknown) => {
      const { deployment } = await stack.exportStack();
      await folder.remember({ ...memory, unanswered: forgotten(state, readDeployment(deployment)) });
      throw error;
    });
  const left = await existingObjects(config, objects);
  // The program records its components, also those that a stopped run never reached; they have nothing on the cluster.
  if (left.length === 0) await stack.workspace.removeStack(folder.stack, { force: true });
  if (drill !== undefined)
    process.stderr.write(
      `The drill has left Secret ${DRILL_STATE.namespace}/${DRILL_STATE.name} and its changes to CoreDNS: \`npm run lab -- drill stop\` reverts the changes and deletes the Secret\n`,
    );
  return left;
}

function objectText({ header }: StateObject): string {
  const { namespace, name } = header.metadata;
  return `${header.kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}
