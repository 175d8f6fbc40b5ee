import { ClusterError } from "../kubernetes/cluster.ts";
import { type Check, fail, type Outcome, type Row } from "./check.ts";
import { type Lab, Obstacle } from "./lab.ts";

export interface RunOptions {
  /** Rows that run at the same time; those that share a session in a pod count as one. */
  readonly parallel: number;
  /** Told of each row as it ends. */
  readonly onRow?: (row: Row, done: number, all: number) => void;
}

/** Runs the checks, some at a time, and returns their rows in the checks' order. */
export async function runChecks(checks: readonly Check[], lab: Lab, options: RunOptions): Promise<Row[]> {
  const rows = new Map<string, Row>();
  const queue = [...Map.groupBy(checks, ({ id, together = id }) => together).values()];
  const run = async (check: Check) => {
    const row = await runCheck(check, lab);
    rows.set(check.id, row);
    options.onRow?.(row, rows.size, checks.length);
  };
  const worker = async () => {
    for (let group = queue.shift(); group !== undefined; group = queue.shift()) await Promise.all(group.map(run));
  };
  await Promise.all(Array.from({ length: Math.min(options.parallel, queue.length) }, worker));
  return checks.flatMap((check) => rows.get(check.id) ?? []);
}

async function runCheck(check: Check, lab: Lab): Promise<Row> {
  const start = performance.now();
  const outcome = await check.run(lab).catch((error) => outcomeOf(error, lab));
  const { id, group, what, from, to } = check;
  return { id, group, what, from, to, ...outcome, milliseconds: Math.round(performance.now() - start) };
}

/** A check that could not end is a row that failed; a fault of the check itself is one too, and says so. */
function outcomeOf(error: unknown, lab: Lab): Outcome {
  if (error instanceof Obstacle) return fail(error.message, error.likelyCause);
  if (error instanceof ClusterError) return fail(error.message, clusterCause(error, lab));
  const message = error instanceof Error ? error.message : String(error);
  return fail(message, "a fault of this check, not of the cluster: please report it");
}

function clusterCause(error: ClusterError, { up }: Lab): string {
  switch (error.kind) {
    case "forbidden":
      return "the kubeconfig's user lacks that right: verify needs get and list of pods, services, configmaps and endpointslices, get of pods/log and create of pods/exec";
    case "unauthorized":
      return "the credentials have expired: log in again, on EKS with `aws eks update-kubeconfig`";
    case "unreachable":
      return "the API server went away during the run";
    case "not-found":
      return `it is gone or was never made: \`${up}\` makes it`;
    case "timeout":
      return "the pod or its node is overloaded, or the program hangs";
    case "other":
      return "the container's runtime or the API server refused; its message stands in the row";
  }
}
