import pLimit from "p-limit";
import { teamNamespace } from "../../components/kubernetes/labels.ts";
import { ClusterError, failAt, ifExists } from "../kubernetes/cluster.ts";
import { connect, drillNotice, type Target } from "../kubernetes/connect.ts";
import { findCoreDns } from "../kubernetes/core-dns-place.ts";
import { allChecks, type CheckInput, type Selection, select } from "./catalog.ts";
import { clusterDomain, Lab, UnmetPrecondition } from "./lab.ts";
import { type Check, fail, type Outcome, type Row, type TeamView, type VerifyResult } from "./result.ts";

export interface VerifyOptions {
  readonly stack: string;
  readonly input: CheckInput;
  readonly target: Target;
  readonly selection: Selection;
  /** Number of parallel sessions in pods. */
  readonly parallel: number;
  readonly onRow?: (row: Row, done: number, all: number) => void;
}

/** Rows mostly wait for an answer or a marker, and only sometimes for a session. */
const PLACES_PER_SESSION = 4;

/**
 * Runs the lab's experiments on a live cluster.
 * @throws {Failure} if the cluster cannot be queried, or no row is selected.
 */
export async function verify(options: VerifyOptions): Promise<VerifyResult> {
  // Before any query: the rows' ids do not depend on the cluster.
  select(allChecks(options.input), options.selection);
  const { cluster, version } = await connect(options.target);
  process.stderr.write((await drillNotice(cluster)) ?? "");
  const { up, stated, installsCoreDns, loggingNamespace } = options.input;
  const coreDns = await findCoreDns(cluster, stated);
  const lab = new Lab(cluster, { up, coreDns, installsCoreDns, loggingNamespace, parallel: options.parallel });
  const start = Date.now();
  const names = options.input.teams.map(({ name }) => name);
  const [teams, domain] = await Promise.all([
    Promise.all(names.map((name) => teamView(lab, name))),
    clusterDomain(lab, names, options.input.clusterDomain),
  ]);
  const checks = select(allChecks({ ...options.input, coreDns, clusterDomain: domain }), options.selection);
  const { onRow } = options;
  const parallel = options.parallel * PLACES_PER_SESSION;
  const rows = await runChecks(checks, lab, { parallel, ...(onRow === undefined ? {} : { onRow }) });
  return {
    stack: options.stack,
    context: cluster.context,
    server: cluster.server,
    version,
    startedAt: new Date(start).toISOString(),
    seconds: (Date.now() - start) / 1000,
    rows,
    // A user limited to one namespace may not list nodes; the report then shows less.
    nodes: await cluster.nodes().catch(() => []),
    teams,
    dnsNamespace: coreDns.namespace,
  };
}

/** The team's pod, if it exists. Without permission to read it no row can run, so that ends the run with one line. */
async function teamView(lab: Lab, team: string): Promise<TeamView> {
  const pod = await ifExists(lab.pod(team)).catch(failAt(`context '${lab.cluster.context}'`));
  return { team, namespace: teamNamespace(team), pod };
}

export interface RunOptions {
  /** Number of places whose rows run in parallel. */
  readonly parallel: number;
  /** Called as each row ends. */
  readonly onRow?: (row: Row, done: number, all: number) => void;
}

/** Runs the checks, some in parallel, and returns their rows in the order of the checks. */
export async function runChecks(checks: readonly Check[], lab: Lab, options: RunOptions): Promise<Row[]> {
  const rows = new Map<string, Row>();
  const groups = Map.groupBy(checks, ({ from }) => from).values();
  const run = async (check: Check) => {
    const row = await runCheck(check, lab);
    rows.set(check.id, row);
    options.onRow?.(row, rows.size, checks.length);
  };
  await pLimit(options.parallel).map(groups, (group) => Promise.all(group.map(run)));
  return checks.flatMap((check) => rows.get(check.id) ?? []);
}

async function runCheck(check: Check, lab: Lab): Promise<Row> {
  const start = performance.now();
  const outcome = await check.run(lab).catch((error) => outcomeOf(error, lab));
  const { id, group, what, from, to } = check;
  return {
    id,
    group,
    what,
    from,
    to,
    ...outcome,
    milliseconds: ownTime(outcome) ?? Math.round(performance.now() - start),
  };
}

/** Time of the request itself, if curl measured it: rows that share a session end together. */
function ownTime({ facts }: Outcome): number | undefined {
  const time = facts?.totalMs ?? facts?.lookupMs;
  return typeof time === "number" ? time : undefined;
}

/** Turns an error into a failed row; an error of the check itself is reported as such. */
function outcomeOf(error: unknown, lab: Lab): Outcome {
  if (error instanceof UnmetPrecondition) return fail(error.message, error.likelyCause);
  if (error instanceof ClusterError) return fail(error.message, clusterCause(error, lab));
  const message = error instanceof Error ? error.message : String(error);
  return fail(message, "a bug in this check, not in the cluster: please report it");
}

function clusterCause(error: ClusterError, { up }: Lab): string {
  switch (error.kind) {
    case "forbidden":
      return "the kubeconfig's user lacks this permission: verify needs get and list of pods, services, configmaps and endpointslices, get of pods/log and create of pods/exec; of teams without a curl pod, get of their namespaces and list of networkpolicies";
    case "unauthorized":
      return "the credentials have expired: log in again; on EKS use `aws eks update-kubeconfig`";
    case "unreachable":
      return "the API server became unreachable during the run";
    case "not-found":
      return `it does not exist: \`${up}\` creates it`;
    case "timeout":
      return "the pod or its node is overloaded, or the program hangs";
    case "other":
      return "the container runtime or the API server refused; see the message in the row";
  }
}
