import { z } from "zod";
import { Failure } from "../command-line.ts";
import { DRILL_STATE, DRILL_STATE_KEY } from "../kubernetes/connect.ts";
import { fieldOf, type KubernetesJson, type ObjectRef, type ObjectStore } from "../kubernetes/object-store.ts";

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
  const parsed = parse(typeof encoded === "string" ? Buffer.from(encoded, "base64").toString("utf8") : "");
  if (parsed !== undefined) return { state: parsed, object };
  throw new Failure(
    `Secret ${REF.namespace}/${REF.name} is not the state of a drill that this release knows: use the release that started it`,
    2,
  );
}

function parse(text: string): DrillState | undefined {
  try {
    return DrillState.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
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
