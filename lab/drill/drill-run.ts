import { teamNamespace } from "../../components/kubernetes/labels.ts";
import { Failure } from "../command-line.ts";
import { type Cluster, isNotFound } from "../kubernetes/cluster.ts";
import type { KubernetesJson, ObjectStore } from "../kubernetes/object-store.ts";
import { allChecks, type CheckInput, select } from "../verify/catalog.ts";
import { Lab } from "../verify/lab.ts";
import type { Row } from "../verify/result.ts";
import { runChecks } from "../verify/verify.ts";
import type { Drill, Fault, Scene } from "./drill.ts";
import {
  createState,
  type DrillState,
  objectText,
  readState,
  removeState,
  restartPods,
  restoreAll,
  restoreHistory,
  type Saved,
  type StoredState,
  savedHistory,
  updateState,
} from "./drill-state.ts";

/** What a drill needs to run. */
export interface Environment {
  readonly store: ObjectStore;
  readonly cluster: Cluster;
  readonly stack: string;
  readonly input: CheckInput;
  readonly scene: Scene;
  /** Waits for some seconds. */
  readonly pause: (seconds: number) => Promise<unknown>;
  readonly now: () => Date;
  /** Called before each step. */
  readonly onStep: (text: string) => void;
  /** Stops the start of a drill and restores everything. @default never */
  readonly signal?: AbortSignal;
}

/** Time until a fault takes effect, which depends on the slowest component: the kubelet, or CoreDNS's reload. */
const SYMPTOM_SECONDS = 120;
/** Time for pods to be recreated and ready; one that is not ready by then is part of the symptom. */
const RESTART_SECONDS = 30;
/** Time for everything to recover. */
const RECOVERY_SECONDS = 120;
const POLL_SECONDS = 2;

const STOP = "`npm run lab -- drill stop`";

/**
 * Applies a drill's fault and waits for its symptom.
 * @returns the rows that fail.
 * @throws {Failure} if a drill is active, the lab is unhealthy before it, or the symptom does not show. Everything is restored then.
 */
export async function startDrill(env: Environment, drill: Drill): Promise<Row[]> {
  const other = await readState(env.store);
  if (other !== undefined) throw isOn(other);
  env.onStep("checking that the lab is healthy");
  const before = await unhealthyRow(env, drill);
  if (before !== undefined)
    throw new Failure(
      `drill ${drill.name} needs a healthy lab, but row ${before.id} says: ${before.detail}${before.cause === undefined ? "" : ` (${before.cause})`}`,
      2,
    );
  refuseStopped(env);
  const stored = await claim(env, drill);
  try {
    return await setFaults(env, drill, stored);
  } catch (error) {
    await stopDrill(env, stored.state).catch((second: unknown) => {
      throw new Failure(`${messageOf(error)}; restoring failed too (${messageOf(second)}): ${STOP} tries again`);
    });
    throw error;
  }
}

/** Reserves the cluster by creating the state, because only one drill may be active. */
async function claim({ store, stack, scene, now }: Environment, drill: Drill): Promise<StoredState> {
  const stored = await createState(store, {
    drill: drill.name,
    stack,
    startedAt: now().toISOString(),
    hints: 0,
    from: scene.from,
    to: scene.to,
    saved: [],
    ...(drill.restarts === undefined ? {} : { restarts: drill.restarts(scene) }),
  });
  if (stored !== undefined) return stored;
  throw isOn(await readState(store));
}

function isOn(other: StoredState | undefined): Failure {
  return new Failure(`drill ${other?.state.drill ?? "another"} is on: end it with ${STOP} first`, 2);
}

async function setFaults(env: Environment, drill: Drill, claimed: StoredState): Promise<Row[]> {
  const { store, scene } = env;
  const writes = await Promise.all(drill.faults(scene).map((fault) => prepare(store, drill, fault)));
  const history = drill.history === undefined ? {} : { history: await savedHistory(store, drill.history(scene)) };
  await updateState(store, claimed, { saved: writes.map(({ saved }) => saved), ...history });
  env.onStep("setting the fault");
  for (const { write } of writes) {
    refuseStopped(env);
    await write();
  }
  const restarts = drill.restarts?.(scene);
  const restarted = await restartPods(env, restarts);
  env.onStep("waiting until the fault shows");
  await untilRestarted(env, restarts, restarted);
  const failing = await poll(env, SYMPTOM_SECONDS, async () => {
    // No retries within a row: a failure is expected here.
    const rows = (await rowsOf(env, drill, async () => {})).filter(({ status }) => status === "fail");
    return rows.length > 0 ? rows : undefined;
  });
  if (failing !== undefined) return failing;
  throw new Failure(
    `this cluster does not show the fault of drill ${drill.name} within ${SYMPTOM_SECONDS} s: everything was restored`,
    2,
  );
}

/** Waits until new pods are ready or have ended; before that, rows fail because of the restart alone. */
async function untilRestarted(env: Environment, restarts: DrillState["restarts"], count: number): Promise<void> {
  if (restarts === undefined) return;
  await poll(env, RESTART_SECONDS, async () => {
    const pods = await env.cluster.pods(restarts.namespace, restarts.selector);
    const started = pods.filter(({ deleting, ready, restarts: ends }) => !deleting && (ready || ends > 0));
    return started.length >= count ? true : undefined;
  });
}

interface PreparedWrite {
  readonly saved: Saved;
  readonly write: () => Promise<unknown>;
}

/** Reads the objects that a fault changes, and detects problems before the first write. */
async function prepare(store: ObjectStore, drill: Drill, fault: Fault): Promise<PreparedWrite> {
  const { ref } = fault;
  const original = await store.read(ref);
  if (fault.kind === "create") {
    if (original !== undefined) throw unfit(drill, `${objectText(ref)} exists`);
    return { saved: { ref, original: null }, write: () => store.create(ref, fault.object) };
  }
  if (original === undefined) throw unfit(drill, `there is no ${objectText(ref)}`);
  const saved = { ref, original };
  if (fault.kind === "delete") return { saved, write: () => store.remove(ref) };
  const changed: KubernetesJson | undefined = fault.change(original);
  if (changed === undefined) throw unfit(drill, `${objectText(ref)} has nothing that it could change`);
  return { saved, write: () => store.replace(ref, changed) };
}

function unfit({ name }: Drill, reason: string): Failure {
  return new Failure(`drill ${name} does not fit this cluster: ${reason}`, 2);
}

/** Checks the repair. @returns the drill's rows; the fault is repaired if all pass. */
export async function checkDrill(env: Environment, drill: Drill, stored: StoredState): Promise<Row[]> {
  const rows = await rowsOf(env, drill);
  const { startedAt, repairedAfter } = stored.state;
  if (isRepaired(rows) && repairedAfter === undefined) {
    const seconds = Math.round((env.now().getTime() - new Date(startedAt).getTime()) / 1000);
    await updateState(env.store, stored, { repairedAfter: seconds });
  }
  return rows;
}

export function isRepaired(rows: readonly Row[]): boolean {
  return rows.every(({ status }) => status === "pass");
}

/** The rows of a drill as `drill check` prints them, with the status that `verify` would give. */
export function drillVerdict(rows: readonly Row[]): string {
  const lines = rows.map(({ status, id, what, detail }) => {
    const reason = status === "warn" || status === "skip" ? `: ${detail}` : "";
    return `${status === "fail" ? "FAIL" : status}  ${id}  ${what}${reason}`;
  });
  const end = isRepaired(rows)
    ? "Repaired. Next: `npm run lab -- drill explain` or `stop`."
    : "Not repaired yet. Next: `npm run lab -- drill hint`.";
  return `${lines.join("\n")}\n${end}\n`;
}

/**
 * Restores everything. Can be repeated, even after an interrupted start or stop.
 * @returns the objects that were written.
 */
export async function stopDrill(env: Pick<Environment, "store" | "pause">, claimed: DrillState): Promise<string[]> {
  // The caller's copy may be older than the stored state.
  const { state } = (await readState(env.store)) ?? { state: claimed };
  const written = await restoreAll(env, state);
  if (state.history !== undefined) await restoreHistory(env, state, state.history);
  // Even if nothing was written, because an earlier stop may have been interrupted right before this.
  if (state.saved.length > 0) await restartPods(env, state.restarts);
  await removeState(env.store);
  return written;
}

/** Waits until a drill's rows pass again. @returns the rows that do not; none if `lab down` has removed the lab meanwhile. */
export async function untilHealthy(env: Environment, drill: Drill): Promise<Row[]> {
  const isGone = await env.cluster.namespaceLabels(teamNamespace(env.scene.from)).then(() => false, isNotFound);
  if (isGone) return [];
  env.onStep("waiting until the lab is healthy");
  let rows: Row[] = [];
  await poll(env, RECOVERY_SECONDS, async () => {
    rows = await rowsOf(env, drill);
    return isRepaired(rows) ? true : undefined;
  });
  return rows.filter(({ status }) => status !== "pass");
}

/** The first row that does not pass, unless it soon does: the end of another drill may still replace pods. */
async function unhealthyRow(env: Environment, drill: Drill): Promise<Row | undefined> {
  let row: Row | undefined;
  await poll(env, RESTART_SECONDS, async () => {
    row = (await rowsOf(env, drill)).find(({ status }) => status !== "pass");
    return row === undefined ? true : undefined;
  });
  return row;
}

/** Runs the rows of a drill, without cached results. */
async function rowsOf(
  { cluster, input, scene, pause }: Environment,
  drill: Drill,
  pauseInRow: Environment["pause"] = pause,
): Promise<Row[]> {
  const only = drill.rows(scene);
  const ofVerify = only.length === 0 ? [] : select(allChecks(input), { only, skip: [] });
  const { up, loggingNamespace } = input;
  const lab = new Lab(cluster, { up, coreDns: scene.coreDns, loggingNamespace, pause: pauseInRow });
  return runChecks([...ofVerify, ...(drill.checks?.(scene) ?? [])], lab, { parallel: 8 });
}

async function poll<T>(env: Environment, seconds: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
  const { now, pause } = env;
  const end = now().getTime() + seconds * 1000;
  for (;;) {
    const found = await look();
    // One run may take as long as a log line needs to reach its destination.
    refuseStopped(env);
    if (found !== undefined || now().getTime() > end) return found;
    await pause(POLL_SECONDS);
  }
}

/** @throws {Failure} after Ctrl-C. */
function refuseStopped({ signal }: Environment): void {
  if (signal?.aborted) throw new Failure("stopped: everything was restored", 130);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
