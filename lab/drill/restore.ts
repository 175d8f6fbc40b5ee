import { isDeepStrictEqual } from "node:util";
import { ClusterError } from "../kubernetes/cluster.ts";
import type { DrillState, Saved, SavedHistory } from "./drill-state.ts";
import {
  asDecided,
  contentOf,
  fieldOf,
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

/**
 * Tries of a restore, a second apart: an old object is ending, a quota is not counted yet, or the scheduler has written to a new pod in
 * between.
 */
const TRIES = 60;
const FOR_NOW = new Set([403, 409]);

/**
 * Puts every object back as it was. May be repeated, and does nothing to what is as it was.
 * @returns the objects that were written, as `plural namespace/name`.
 */
export async function restoreAll(env: Restoring, { saved }: Pick<DrillState, "saved">): Promise<string[]> {
  const written: string[] = [];
  // In the order of the faults: a quota before the pod that did not fit.
  for (const one of saved) if (await persistently(env, one)) written.push(inWords(one.ref));
  return written;
}

/**
 * Puts back what a controller keeps of an object that was changed: what came with the fault, or with the learner's repair, goes, and what
 * was there has the number that it had. The controller must have seen the restored object first, or it would write it again.
 */
export async function restoreHistory(
  env: Restoring,
  { saved }: Pick<DrillState, "saved">,
  history: SavedHistory,
): Promise<void> {
  // That of an object which was made anew is another one's.
  for (const one of saved) if (!(await isSeen(env, one))) return;
  const { selector, ...list } = history.kept;
  const before = new Set(history.saved.map(({ ref }) => ref.name));
  for (const name of await env.store.names(list, selector))
    if (!before.has(name)) await env.store.remove({ ...list, name });
  await restoreAll(env, history);
}

/** Waits until the controller of an object has seen it as it is. @returns false where the object is another one than before. */
async function isSeen({ store, pause }: Restoring, { ref, original }: Saved): Promise<boolean> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const object = await store.read(ref);
    const seen = fieldOf(object, OBSERVED);
    // Others than workloads have no controller that says so.
    if (seen === undefined) return fieldOf(original, OBSERVED) === undefined;
    if (metadataOf(object).uid !== metadataOf(original).uid) return false;
    if (seen === metadataOf(object).generation) return true;
    await pause(1);
  }
  throw new ClusterError("timeout", `the controller of ${inWords(ref)} does not see that it was changed`);
}

const OBSERVED = ["status", "observedGeneration"];

/** Deletes the pods that have read what a drill changed; their controller makes new ones. @returns how many. */
export async function restartPods({ store }: Restoring, restarts: DrillState["restarts"]): Promise<number> {
  if (restarts === undefined) return 0;
  const pods = { apiVersion: "v1", plural: "pods", namespace: restarts.namespace };
  const names = await store.names(pods, restarts.selector);
  for (const name of names) await store.remove({ ...pods, name });
  return names.length;
}

export function inWords({ plural, namespace, name }: ObjectRef): string {
  return `${plural} ${namespace}/${name}`;
}

async function persistently(env: Restoring, one: Saved): Promise<boolean> {
  let written = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return (await restore(env, one)) || written;
    } catch (error) {
      if (!(error instanceof RefusedWrite) || !FOR_NOW.has(error.status) || attempt === TRIES) throw error;
      written = true;
    }
    await env.pause(1);
  }
}

async function restore({ store }: Restoring, { ref, original }: Saved): Promise<boolean> {
  const current = await store.read(ref);
  if (current !== undefined && metadataOf(current).deletionTimestamp !== undefined)
    throw new RefusedWrite(409, new ClusterError("timeout", `${inWords(ref)} is being deleted and does not end`));
  if (original === null) {
    if (current !== undefined) await store.remove(ref);
    return current !== undefined;
  }
  if (current === undefined) return recreate(store, ref, original);
  const same = isSame(current, original);
  if (same && hasOwners(current, original)) return false;
  await restoreOwners(store, ref, original, same ? current : await put(store, ref, original, current));
  return true;
}

/** Writes the original over what is there. An object that cannot be changed so far is deleted, to be made anew by the next try. */
async function put(store: ObjectStore, ref: ObjectRef, original: KubernetesJson, current: KubernetesJson) {
  const { resourceVersion, uid } = metadataOf(current);
  const content = contentOf(original);
  const restored = { ...content, metadata: { ...metadataOf(content), resourceVersion, uid } };
  try {
    return await store.replace(ref, asDecided(restored, current));
  } catch (error) {
    if (!(error instanceof RefusedWrite) || error.status !== 422) throw error;
    await store.remove(ref);
    throw new RefusedWrite(409, error);
  }
}

/** @returns false where `lab down` has taken the namespace away meanwhile. */
async function recreate(store: ObjectStore, ref: ObjectRef, original: KubernetesJson): Promise<boolean> {
  let made: KubernetesJson | undefined;
  try {
    made = await store.create(ref, contentOf(original));
  } catch (error) {
    if (error instanceof RefusedWrite && error.status === 404) return false;
    throw error;
  }
  if (made === undefined)
    throw new RefusedWrite(409, new ClusterError("other", `${inWords(ref)} cannot be created again`));
  await restoreOwners(store, ref, original, made);
  return true;
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
