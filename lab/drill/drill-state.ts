import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { parsedJson } from "../../components/schema/values.ts";
import { Failure } from "../command-line.ts";
import { ClusterError } from "../kubernetes/cluster.ts";
import { DRILL_STATE, DRILL_STATE_KEY } from "../kubernetes/connect.ts";
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
} from "../kubernetes/object-store.ts";
import type { History } from "./drill.ts";

const Json = z.record(z.string(), z.unknown());

const Saved = z.object({
  ref: z.object({ apiVersion: z.string(), plural: z.string(), namespace: z.string(), name: z.string() }),
  /** The object before the drill; null if the drill creates it. */
  original: Json.nullable(),
});
/** An object that a drill changes, in its original form. */
export type Saved = z.infer<typeof Saved>;

const SavedHistory = z.object({
  kept: z.object({ apiVersion: z.string(), plural: z.string(), namespace: z.string(), selector: z.string() }),
  /** All objects that existed before. */
  saved: z.array(Saved),
});
/** Old revisions that a controller kept of an object before a drill changed it. */
export type SavedHistory = z.infer<typeof SavedHistory>;

const DrillState = z.object({
  drill: z.string(),
  stack: z.string(),
  /** ISO 8601, UTC. */
  startedAt: z.string(),
  /** Number of hints shown. */
  hints: z.number(),
  /** Seconds from the start to the first successful check. */
  repairedAfter: z.number().optional(),
  /** The two teams. */
  from: z.string(),
  to: z.string(),
  /** Saved before the first of these objects is changed. */
  saved: z.array(Saved),
  history: SavedHistory.optional(),
  restarts: z.object({ namespace: z.string(), selector: z.string() }).optional(),
});
/** The state stored on the cluster while a drill is active. */
export type DrillState = z.infer<typeof DrillState>;

const REF: ObjectRef = { apiVersion: "v1", plural: "secrets", ...DRILL_STATE };

/** A stored state, with what an update needs. */
export interface StoredState {
  readonly state: DrillState;
  readonly object: KubernetesJson;
}

/**
 * The active drill; undefined if there is none.
 * @throws {Failure} if the state cannot be read, with a way to proceed.
 */
export async function readState(store: ObjectStore): Promise<StoredState | undefined> {
  const object = await store.read(REF);
  if (object === undefined) return undefined;
  const encoded = fieldOf(object, ["data", DRILL_STATE_KEY]);
  const text = typeof encoded === "string" ? Buffer.from(encoded, "base64").toString("utf8") : "";
  const state = DrillState.safeParse(parsedJson(text)).data;
  if (state !== undefined) return { state, object };
  throw new Failure(
    `Secret ${REF.namespace}/${REF.name} is not the state of a drill that this release knows: use the release that started it`,
    2,
  );
}

/** Stores the state of a new drill. @returns undefined if a drill is already active. */
export async function createState(store: ObjectStore, state: DrillState): Promise<StoredState | undefined> {
  const object = await store.create(REF, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { ...DRILL_STATE, labels: { "app.kubernetes.io/part-of": "eks-dns-logging" } },
    type: "Opaque",
    data: dataOf(state),
  });
  return object === undefined ? undefined : { state, object };
}

/** Updates the stored state. */
export async function updateState(
  store: ObjectStore,
  { state, object }: StoredState,
  changes: Partial<DrillState>,
): Promise<StoredState> {
  const next = { ...state, ...changes };
  return { state: next, object: await store.replace(REF, { ...object, data: dataOf(next) }) };
}

export function removeState(store: ObjectStore): Promise<void> {
  return store.remove(REF);
}

function dataOf(state: DrillState): Readonly<Record<string, string>> {
  return { [DRILL_STATE_KEY]: Buffer.from(JSON.stringify(state)).toString("base64") };
}

/** The revisions that a controller keeps now. */
export async function savedHistory(store: ObjectStore, kept: History): Promise<SavedHistory> {
  const { selector, ...list } = kept;
  const refs = (await store.names(list, selector)).map((name) => ({ ...list, name }));
  const saved = await Promise.all(refs.map(async (ref) => ({ ref, original: await store.read(ref) })));
  // A revision that was deleted meanwhile can be ignored.
  return { kept, saved: saved.flatMap(({ ref, original }) => (original === undefined ? [] : { ref, original })) };
}

/** What restoring needs. */
export interface Restoring {
  readonly store: ObjectStore;
  readonly pause: (seconds: number) => Promise<unknown>;
}

/**
 * Attempts, one second apart: an old object may still be terminating, a quota may be outdated, or the scheduler may have updated a new pod
 * in between.
 */
const TRIES = 60;
const TEMPORARY = new Set([403, 409]);

/**
 * Restores every object. Can be repeated, and skips objects that are already restored.
 * @returns the objects that were written, as `plural namespace/name`.
 */
export async function restoreAll(env: Restoring, { saved }: Pick<DrillState, "saved">): Promise<string[]> {
  const written: string[] = [];
  // In the order of the faults: a quota before the pod that exceeded it.
  for (const object of saved) if (await restorePersistently(env, object)) written.push(objectText(object.ref));
  return written;
}

/**
 * Restores the old revisions of a changed object: revisions from the fault or the learner's repair are deleted, and the original ones get
 * their numbers back. The controller must have observed the restored object first, or it would write them again.
 */
export async function restoreHistory(
  env: Restoring,
  { saved }: Pick<DrillState, "saved">,
  history: SavedHistory,
): Promise<void> {
  // A recreated object has another history.
  for (const object of saved) if (!(await isSeen(env, object))) return;
  const { selector, ...list } = history.kept;
  const before = new Set(history.saved.map(({ ref }) => ref.name));
  for (const name of await env.store.names(list, selector))
    if (!before.has(name)) await env.store.remove({ ...list, name });
  await restoreAll(env, history);
}

/** Waits until an object's controller has observed it. @returns false if the object was recreated. */
async function isSeen({ store, pause }: Restoring, { ref, original }: Saved): Promise<boolean> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const object = await store.read(ref);
    const seen = fieldOf(object, OBSERVED);
    // Only workloads have an observedGeneration.
    if (seen === undefined) return fieldOf(original, OBSERVED) === undefined;
    if (metadataOf(object).uid !== metadataOf(original).uid) return false;
    if (seen === metadataOf(object).generation) return true;
    await pause(1);
  }
  throw new ClusterError("timeout", `the controller of ${objectText(ref)} does not see that it was changed`);
}

const OBSERVED = ["status", "observedGeneration"];

/** Deletes the pods that have read a drill's change; their controller recreates them. @returns how many. */
export async function restartPods({ store }: Restoring, restarts: DrillState["restarts"]): Promise<number> {
  if (restarts === undefined) return 0;
  const pods = { apiVersion: "v1", plural: "pods", namespace: restarts.namespace };
  const names = await store.names(pods, restarts.selector);
  for (const name of names) await store.remove({ ...pods, name });
  return names.length;
}

export function objectText({ plural, namespace, name }: ObjectRef): string {
  return `${plural} ${namespace}/${name}`;
}

async function restorePersistently(env: Restoring, object: Saved): Promise<boolean> {
  let written = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return (await restore(env, object)) || written;
    } catch (error) {
      if (!(error instanceof RefusedWrite) || !TEMPORARY.has(error.status) || attempt === TRIES) throw error;
      written = true;
    }
    await env.pause(1);
  }
}

async function restore({ store }: Restoring, { ref, original }: Saved): Promise<boolean> {
  const current = await store.read(ref);
  if (current !== undefined && metadataOf(current).deletionTimestamp !== undefined)
    throw new RefusedWrite(409, new ClusterError("timeout", `${objectText(ref)} is being deleted and does not end`));
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

/** Writes the original over the current object. If it cannot be updated, it is deleted and recreated by the next attempt. */
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

/** @returns false if `lab down` has deleted the namespace meanwhile. */
async function recreate(store: ObjectStore, ref: ObjectRef, original: KubernetesJson): Promise<boolean> {
  let made: KubernetesJson | undefined;
  try {
    made = await store.create(ref, contentOf(original));
  } catch (error) {
    if (error instanceof RefusedWrite && error.status === 404) return false;
    throw error;
  }
  if (made === undefined)
    throw new RefusedWrite(409, new ClusterError("other", `${objectText(ref)} cannot be created again`));
  await restoreOwners(store, ref, original, made);
  return true;
}

/**
 * Restores the field managers; otherwise the owner's next server-side apply would conflict with the drill's writes. The API server accepts
 * managedFields as sent if nothing else changes.
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

/** Whether the fields have the same managers. Status fields are ignored: their controllers write them again. */
function hasOwners(one: KubernetesJson, other: KubernetesJson): boolean {
  return isDeepStrictEqual(ownersOf(one), ownersOf(other));
}

function ownersOf(object: KubernetesJson): unknown {
  const { managedFields } = metadataOf(object);
  const entries: readonly unknown[] = Array.isArray(managedFields) ? managedFields : [];
  return entries.filter((entry) => metadataOf({ metadata: entry }).subresource === undefined);
}
