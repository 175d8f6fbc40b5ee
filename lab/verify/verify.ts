import { teamNamespace } from "../../components/team/names.ts";
import { Failure } from "../failure.ts";
import { ClusterError } from "../kubernetes/cluster.ts";
import { connect, type Target } from "../kubernetes/connect.ts";
import type { Plan } from "./catalog.ts";
import { allChecks } from "./catalog.ts";
import type { Row } from "./check.ts";
import { Lab } from "./lab.ts";
import type { TeamView, VerifyResult } from "./result.ts";
import { runChecks } from "./run.ts";
import { type Selection, select } from "./select.ts";

export interface VerifyOptions {
  readonly stack: string;
  readonly plan: Plan;
  readonly target: Target;
  readonly selection: Selection;
  /** Rows that run at the same time. */
  readonly parallel: number;
  readonly onRow?: (row: Row, done: number, all: number) => void;
}

/**
 * Runs the lab's experiments on a live cluster.
 * @throws {Failure} where the cluster cannot be asked at all, or the selection fits nothing.
 */
export async function verify(options: VerifyOptions): Promise<VerifyResult> {
  const checks = select(allChecks(options.plan), options.selection);
  const { cluster, version } = await connect(options.target);
  const lab = new Lab(cluster, options.plan.up);
  const start = Date.now();
  const teams = await Promise.all(options.plan.teams.map(({ name }) => view(lab, name)));
  const { parallel, onRow } = options;
  const rows = await runChecks(checks, lab, { parallel, ...(onRow === undefined ? {} : { onRow }) });
  return {
    stack: options.stack,
    context: cluster.context,
    server: cluster.server,
    version,
    startedAt: new Date(start).toISOString(),
    seconds: (Date.now() - start) / 1000,
    rows,
    // Whoever works in one namespace may not see the nodes; the report then shows less of them.
    nodes: await cluster.nodes().catch(() => []),
    teams,
  };
}

/** The team's pod, as far as it is there. Without the right to see it no row can run, so that ends the run in one line. */
async function view(lab: Lab, team: string): Promise<TeamView> {
  const pod = await lab.pod(team).catch((error) => {
    if (error instanceof ClusterError && error.kind === "not-found") return undefined;
    if (error instanceof ClusterError) throw new Failure(`context '${lab.cluster.context}': ${error.message}`, 2);
    throw error;
  });
  return { team, namespace: teamNamespace(team), pod };
}
