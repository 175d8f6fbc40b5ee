import { isDeepStrictEqual } from "node:util";
import { ClusterError } from "../kubernetes/cluster.ts";
import type { DrillState, Saved } from "./drill-state.ts";
import {
  contentOf,
  isSame,
  type KubernetesJson,
  metadataOf,
  type ObjectRef,
  type ObjectStore,
  RefusedWrite,
  withField,
} from "./object-store.ts";

/** What restoring needs. */
export interface Restoring {
  readonly store: ObjectStore;
  readonly pause: (seconds: number) => Promise<unknown>;
}

/** Tries of a write that the cluster refuses for a moment, a second apart: an old object is ending, a quota is not counted yet. */
const TRIES = 30;

/**
 * Puts every object back as it was. May be repeated, and does nothing to what is as it was.
 * @returns the objects that were written, as `plural namespace/name`.
 */
export async function restoreAll(env: Restoring, { saved }: Pick<DrillState, "saved">): Promise<string[]> {
  const written: string[] = [];
  // In the order of the faults: a quota before the pod that did not fit.
  for (const one of saved) if (await restore(env, one)) written.push(inWords(one.ref));
  return written;
}

/** Deletes the pods that have read what a drill changed; their controller makes new ones. */
export async function restartPods({ store }: Restoring, restarts: DrillState["restarts"]): Promise<void> {
  if (restarts === undefined) return;
  const pods = { apiVersion: "v1", plural: "pods", namespace: restarts.namespace };
  for (const name of await store.names(pods, restarts.selector)) await store.remove({ ...pods, name });
}

export function inWords({ plural, namespace, name }: ObjectRef): string {
  return `${plural} ${namespace}/${name}`;
}

async function restore(env: Restoring, { ref, original }: Saved): Promise<boolean> {
  const { store } = env;
  const current = await settled(env, ref);
  if (original === null) {
    if (current !== undefined) await store.remove(ref);
    return current !== undefined;
  }
  if (current === undefined) {
    await recreate(env, ref, original);
    return true;
  }
  const same = isSame(current, original);
  if (same && hasOwners(current, original)) return false;
  const stored = same ? current : await put(env, ref, original, current);
  if (stored !== undefined) await restoreOwners(store, ref, original, stored);
  return true;
}

/** An object that is not being deleted; undefined where there is none. */
async function settled({ store, pause }: Restoring, ref: ObjectRef): Promise<KubernetesJson | undefined> {
  for (let attempt = 0; ; attempt += 1) {
    const object = await store.read(ref);
    if (object === undefined || metadataOf(object).deletionTimestamp === undefined) return object;
    if (attempt === TRIES) throw new ClusterError("timeout", `${inWords(ref)} is being deleted and does not end`);
    await pause(1);
  }
}

/** Writes the original over what is there. An object that cannot be changed so far is replaced, and undefined is returned. */
async function put(env: Restoring, ref: ObjectRef, original: KubernetesJson, current: KubernetesJson) {
  const { resourceVersion, uid } = metadataOf(current);
  const content = contentOf(original);
  const metadata = { ...metadataOf(content), resourceVersion, uid };
  try {
    return await env.store.replace(ref, { ...content, metadata });
  } catch (error) {
    if (!(error instanceof RefusedWrite) || error.status !== 422) throw error;
  }
  await env.store.remove(ref);
  await settled(env, ref);
  await recreate(env, ref, original);
  return undefined;
}

async function recreate({ store, pause }: Restoring, ref: ObjectRef, original: KubernetesJson): Promise<void> {
  const content = contentOf(original);
  // The scheduler chooses: the node may be gone.
  const object = ref.plural === "pods" ? withField(content, ["spec", "nodeName"], undefined) : content;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const made = await store.create(ref, object);
      if (made !== undefined) return await restoreOwners(store, ref, original, made);
    } catch (error) {
      const later = error instanceof RefusedWrite && (error.status === 403 || error.status === 409);
      if (!later || attempt === TRIES) throw error;
    }
    if (attempt === TRIES) throw new ClusterError("other", `${inWords(ref)} cannot be created again`);
    await pause(1);
  }
}

/**
 * Gives the fields back to those who own them, or the next server-side apply of the owner would conflict with the drill's writes. The
 * API server takes managedFields as they are sent where nothing else changes.
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#clearing-managedfields
 */
async function restoreOwners(
  store: ObjectStore,
  ref: ObjectRef,
  original: KubernetesJson,
  stored: KubernetesJson,
): Promise<void> {
  if (hasOwners(stored, original)) return;
  const { managedFields } = metadataOf(original);
  await store.replace(ref, withField(stored, ["metadata", "managedFields"], managedFields));
}

/** Whether the fields belong to the same managers. Those of the status belong to controllers, which write it again. */
function hasOwners(one: KubernetesJson, other: KubernetesJson): boolean {
  return isDeepStrictEqual(ownersOf(one), ownersOf(other));
}

function ownersOf(object: KubernetesJson): unknown {
  const { managedFields } = metadataOf(object);
  const entries: readonly unknown[] = Array.isArray(managedFields) ? managedFields : [];
  return entries.filter((entry) => metadataOf({ metadata: entry }).subresource === undefined);
}
