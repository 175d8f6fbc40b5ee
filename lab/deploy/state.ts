import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ApiException, type KubeConfig, type KubernetesObject, KubernetesObjectApi } from "@kubernetes/client-node";
import type { EngineEvent, Stack } from "@pulumi/pulumi/automation/index.js";
import pLimit from "p-limit";
import { parse } from "yaml";
import { z } from "zod";
import { isEncrypted, isObject } from "../../components/schema/values.ts";
import { PROJECT_ROOT } from "../command-line.ts";
import { asClusterError } from "../kubernetes/api-requests.ts";
import { portableYaml } from "../stack-file.ts";

/** Folder, ignored by Git, in which `up` keeps its state. */
export const STATE_ROOT = join(PROJECT_ROOT, ".pulumi-state");

const Resource = z.looseObject({
  urn: z.string(),
  type: z.string(),
  id: z.string().optional(),
  inputs: z.looseObject({}).optional(),
  outputs: z.looseObject({}).optional(),
  /** URN and id of its provider, as `URN::ID`. */
  provider: z.string().optional(),
  /** URN of the resource whose deletion also deletes this one. */
  deletedWith: z.string().optional(),
});
export type Resource = z.infer<typeof Resource>;

const Memory = z.object({
  /** kubeconfig context of the lab's cluster. */
  context: z.string(),
  /** Absolute path of the kubeconfig, if one was named. */
  kubeconfig: z.string().optional(),
  /** Name of the kind cluster, if `up --kind` created it. */
  kind: z.string().optional(),
  /** Objects that the last run was creating when it was stopped, or forgot. */
  unanswered: z.array(Resource).optional(),
});
/** What `up` remembers of a stack, so that the next run and `down` find the same cluster. */
export type Memory = z.infer<typeof Memory>;

/** The files of one stack under {@link STATE_ROOT}. */
export class StateFolder {
  readonly stack: string;
  readonly #root: string;
  readonly #source: string;

  /** Tests pass another folder and another project. */
  constructor(stack: string, root: string = STATE_ROOT, source: string = PROJECT_ROOT) {
    this.stack = stack;
    this.#root = root;
    this.#source = source;
  }

  /** Working directory of the CLI: a separate project, because the CLI writes a salt into the stack file beside Pulumi.yaml. */
  get project(): string {
    return join(this.#root, this.stack);
  }

  /** Pulumi's file backend. */
  get backend(): string {
    return pathToFileURL(join(this.#root, "backend")).href;
  }

  async memory(): Promise<Memory | undefined> {
    const text = await readFile(this.#memoryFile, "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    return Memory.safeParse(JSON.parse(text)).data;
  }

  async remember(memory: Memory): Promise<void> {
    await mkdir(this.project, { recursive: true });
    await writeFile(this.#memoryFile, `${JSON.stringify(memory)}\n`);
  }

  async forget(): Promise<void> {
    await rm(this.project, { recursive: true, force: true });
  }

  /**
   * Writes Pulumi.yaml and the stack's file, with the chosen cluster. The CLI's salt is kept: without it the state's secrets cannot be
   * decrypted.
   */
  async writeProject({ context, kubeconfig }: Memory): Promise<void> {
    await mkdir(join(this.#root, "backend"), { recursive: true });
    await mkdir(this.project, { recursive: true });
    const file = `Pulumi.${this.stack}.yaml`;
    const project: unknown = parse(await readFile(join(this.#source, "Pulumi.yaml"), "utf8"));
    const stack: unknown = parse(await readFile(join(this.#source, file), "utf8"));
    const before: unknown = parse(await readFile(join(this.project, file), "utf8").catch(() => "{}"));
    const main = `${this.#source.replace(/[\\/]$/, "")}/`;
    await writeFile(join(this.project, "Pulumi.yaml"), portableYaml({ ...group(project), main }));
    await writeFile(
      join(this.project, file),
      portableYaml(
        stackFile(
          String(group(project).name),
          group(stack),
          group(before),
          kubeconfig === undefined ? { context } : { context, kubeconfig },
        ),
      ),
    );
  }

  get #memoryFile(): string {
    return join(this.project, "lab.json");
  }
}

/** Keys in which the CLI records the encryption of a stack file. */
const ENCRYPTION = ["encryptionsalt", "encryptedkey", "secretsprovider"];

/**
 * The stack's file with another context or kubeconfig in `PROJECT:cluster`, and the salt of the previous file. `pulumi stack init` in the
 * user's folder records a different encryption, which matters only if that file has secrets.
 */
export function stackFile(name: string, stack: Group, before: Group, cluster: Readonly<Record<string, string>>): Group {
  const key = `${name}:cluster`;
  const config = group(stack.config);
  const salt = before.encryptionsalt === undefined ? {} : { encryptionsalt: before.encryptionsalt };
  const left = holdsSecret(config) ? [] : ENCRYPTION;
  const entries = Object.entries(stack).filter(([entry]) => !left.includes(entry));
  return {
    ...salt,
    ...Object.fromEntries(entries),
    config: { ...config, [key]: { ...group(config[key]), ...cluster } },
  };
}

/** Whether a value contains an encrypted one. */
function holdsSecret(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsSecret);
  return isObject(value) && (isEncrypted(value) || Object.values(value).some(holdsSecret));
}

type Group = Readonly<Record<string, unknown>>;

function group(value: unknown): Group {
  return isObject(value) ? value : {};
}

/** The fields of a stack's state that are read here; all others are kept unchanged. */
const Deployment = z.looseObject({
  resources: z.array(Resource).optional(),
  pending_operations: z.array(z.looseObject({ type: z.string(), resource: Resource })).optional(),
});
export type Deployment = z.infer<typeof Deployment>;

/** Reads the field `deployment` of `pulumi stack export`. */
export function readDeployment(exported: unknown): Deployment {
  return Deployment.parse(exported ?? {});
}

/** A Kubernetes object that a stack created. */
export interface StateObject {
  readonly urn: string;
  /** What the API needs to identify it. */
  readonly header: Header;
}
/** The fields of an object that identify it to the API. */
export type Header = KubernetesObject & { metadata: { name: string; namespace?: string } };

/** The Kubernetes objects in the state, including those pending when a run was interrupted. */
export function stateObjects(deployment: Deployment): StateObject[] {
  return [...(deployment.resources ?? []), ...pendingCreates(deployment)].flatMap((resource) => {
    const header = headerOf(resource);
    return header === undefined ? [] : [{ urn: resource.urn, header }];
  });
}

/** Objects that are deleted with the stack, unlike those it only patches, such as an adopted namespace. */
export function ownObjects(deployment: Deployment): StateObject[] {
  return stateObjects(deployment).filter(({ urn }) => !PATCH.test(urn));
}

/** URN of a resource that patches an object which it does not own. */
const PATCH = /Patch::[^:]+$/;

/** URNs of the pods in the state, by `namespace/name`. */
export function podUrns(deployment: Deployment): Map<string, string> {
  const pods = stateObjects(deployment).filter(({ header }) => header.kind === "Pod");
  return new Map(pods.map(({ urn, header }) => [`${header.metadata.namespace}/${header.metadata.name}`, urn]));
}

/** Resources that the interrupted run was creating. */
export function pendingCreates(deployment: Deployment): Resource[] {
  return (deployment.pending_operations ?? []).flatMap(({ type, resource }) => (type === "creating" ? [resource] : []));
}

/**
 * Adds the objects to the state that an interrupted run created but did not record. Otherwise the next run would try to create them, and
 * fail. The next refresh reads their other fields.
 * @param existing The pending objects that exist on the cluster, by URN.
 */
export function adopted(deployment: Deployment, existing: ReadonlyMap<string, KubernetesObject>): Deployment {
  const created = pendingCreates(deployment).flatMap((resource) => {
    const live = existing.get(resource.urn);
    if (live === undefined) return [];
    return [
      { ...resource, id: idOf(headerOf(resource)), outputs: { ...resource.inputs, ...patchManager(resource, live) } },
    ];
  });
  const { pending_operations: _, ...rest } = deployment;
  return { ...rest, resources: [...(deployment.resources ?? []), ...created] };
}

/** The output in which Pulumi's Kubernetes provider keeps the field manager of a resource. */
export const FIELD_MANAGER = "__fieldManager";

/**
 * The field manager of a patch that an interrupted run applied: Pulumi makes up a name for each patch, and without the old one it would take
 * the values that it has set for another tool's.
 */
function patchManager({ urn, inputs }: Resource, live: KubernetesObject): Record<string, string> {
  if (!PATCH.test(urn) || !isPart(inputs, live)) return {};
  const applied = (live.metadata?.managedFields ?? []).filter(
    ({ manager = "", operation }) => operation === "Apply" && manager.startsWith("pulumi-kubernetes-"),
  );
  const newest = applied.sort((one, other) => appliedAt(one) - appliedAt(other)).at(-1)?.manager;
  return newest === undefined ? {} : { [FIELD_MANAGER]: newest };
}

/** When a manager applied its fields. The API server records no time for one that has found the values there. */
function appliedAt({ time }: { readonly time?: Date }): number {
  return time?.getTime() ?? Number.MAX_VALUE;
}

/** Whether a value has all fields and items of a part. */
function isPart(part: unknown, whole: unknown): boolean {
  if (Array.isArray(part))
    return Array.isArray(whole) && part.every((item) => whole.some((other) => isPart(item, other)));
  if (!isObject(part)) return part === whole;
  return isObject(whole) && Object.entries(part).every(([key, value]) => isPart(value, whole[key]));
}

/** The Kubernetes provider's id: `namespace/name`, or the name of a cluster-scoped object. */
function idOf(header: Header | undefined): string {
  const { namespace, name } = header?.metadata ?? { name: "" };
  return namespace === undefined ? name : `${namespace}/${name}`;
}

const Inputs = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({ name: z.string(), namespace: z.string().optional() }),
});

function headerOf({ type, inputs }: Resource): Header | undefined {
  if (!type.startsWith("kubernetes:")) return undefined;
  const parsed = Inputs.safeParse(inputs);
  if (!parsed.success) return undefined;
  const { apiVersion, kind, metadata } = parsed.data;
  const { name, namespace } = metadata;
  return { apiVersion, kind, metadata: namespace === undefined ? { name } : { name, namespace } };
}

/** Reads at the same time. */
const PARALLEL = 10;

/**
 * The stack's objects that exist on the cluster, as it has them.
 * @throws {ClusterError}
 */
export async function existingObjects(
  config: KubeConfig,
  objects: readonly StateObject[],
): Promise<(StateObject & { readonly live: KubernetesObject })[]> {
  const api = KubernetesObjectApi.makeApiClient(config);
  const existing = await pLimit(PARALLEL).map(objects, async (object) => {
    const live = await api.read(object.header).catch((error: unknown) => {
      if (error instanceof ApiException && error.code === 404) return undefined;
      throw asClusterError(error, `get ${object.header.kind} ${object.header.metadata.name}`);
    });
    return live === undefined ? [] : [{ ...object, live }];
  });
  return existing.flat();
}

/**
 * Removes the pending operations of an interrupted run from the state: created objects are recorded, others are forgotten.
 * @param unanswered Objects that the run requested without getting an answer; the state does not have them.
 * @returns the current state.
 */
export async function withoutPending(
  stack: Pick<Stack, "exportStack" | "importStack">,
  config: KubeConfig,
  unanswered: readonly Resource[] = [],
): Promise<Deployment> {
  const exported = await stack.exportStack();
  const deployment = withPendingCreations(readDeployment(exported.deployment), unanswered);
  if ((deployment.pending_operations ?? []).length === 0) return deployment;
  const pending = new Set(pendingCreates(deployment).map((resource) => resource.urn));
  const candidates = stateObjects(deployment).filter((object) => pending.has(object.urn));
  const existing = await existingObjects(config, candidates);
  const fixed = adopted(deployment, new Map(existing.map(({ urn, live }) => [urn, live])));
  await stack.importStack({ ...exported, deployment: fixed });
  process.stderr.write("The last run was interrupted; recovering\n");
  return fixed;
}

/** Objects that a stopped destroy forgot, because the deletion of their namespace would delete them, without getting to that. */
export function forgotten(before: Deployment, after: Deployment): Resource[] {
  const left = new Set((after.resources ?? []).map(({ urn }) => urn));
  return (before.resources ?? []).filter(
    ({ urn, deletedWith }) => deletedWith !== undefined && left.has(deletedWith) && !left.has(urn),
  );
}

/** Adds pending creations to a state, except those that it already knows. */
export function withPendingCreations(deployment: Deployment, creations: readonly Resource[]): Deployment {
  const { resources = [], pending_operations = [] } = deployment;
  const recorded = new Set([...resources, ...pending_operations.map(({ resource }) => resource)].map(({ urn }) => urn));
  const more = creations.filter(({ urn }) => !recorded.has(urn)).map((resource) => ({ type: "creating", resource }));
  return more.length === 0 ? deployment : { ...deployment, pending_operations: [...pending_operations, ...more] };
}

/** Message for a request whose answer never came, because the run was stopped or the connection broke: the object may exist. */
const NO_ANSWER = /\bwas not successfully created by the Kubernetes API server: Post "[^"]+": /;

/** Objects whose creation a run requested without getting an answer. Pulumi forgets them, and the next run would fail because they exist. */
export class UnansweredCreations {
  /** All failed resources, by URN. */
  readonly #failed = new Map<string, Resource>();
  /** URNs whose diagnostics report a missing answer. */
  readonly #unanswered = new Set<string>();

  /** Records an engine event. */
  readonly record = ({ resOpFailedEvent, diagnosticEvent }: EngineEvent): void => {
    const resource = readResource(resOpFailedEvent?.metadata.new);
    if (resource !== undefined) this.#failed.set(resource.urn, resource);
    if (diagnosticEvent?.urn !== undefined && NO_ANSWER.test(diagnosticEvent.message))
      this.#unanswered.add(diagnosticEvent.urn);
  };

  /** The unanswered resources, in the form in which a state records pending ones. */
  get unanswered(): Resource[] {
    return [...this.#failed.values()].filter(({ urn }) => this.#unanswered.has(urn));
  }
}

/** The fields that identify a resource in a state; undefined if it is not a resource of a provider. */
function readResource(value: unknown): Resource | undefined {
  const { urn, type, custom, inputs, parent, provider } = group(value);
  return custom === true ? Resource.safeParse({ urn, type, custom, inputs, parent, provider }).data : undefined;
}
