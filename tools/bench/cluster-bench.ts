import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { ApiException, type KubeConfig, type KubernetesObject, KubernetesObjectApi } from "@kubernetes/client-node";
import { teamNamespace } from "../../components/kubernetes/labels.ts";
import { parseSettings } from "../../components/settings.ts";
import { curlPodName } from "../../components/team/curl-pod-spec.ts";
import { Failure } from "../../lab/command-line.ts";
import { dnsClientAt } from "../../lab/dns/dns-client.ts";
import { type FormCost, nameForms } from "../../lab/dns/explanation.ts";
import { asClusterError } from "../../lab/kubernetes/api-requests.ts";
import { kubeCluster } from "../../lab/kubernetes/client.ts";
import type { Connection, Target } from "../../lab/kubernetes/connect.ts";
import { applyObject } from "../../lab/kubernetes/object-store.ts";
import { manifestsOf } from "../../lab/plan/manifests.ts";
import { planStack } from "../../lab/plan/plan.ts";
import { readStackFile } from "../../lab/stack-file.ts";
import { allChecks, checkInputOf, fits } from "../../lab/verify/catalog.ts";
import { type BenchRow, type Command, measure, teamsOf, withTeamFiles } from "./suite.ts";

/** Numbers of teams for which verify is timed; the smaller sets are part of the largest. */
const COUNTS = [2, 20] as const;
const MAX_TEAMS = Math.max(...COUNTS);
/** The collector is not deployed: its image may be unavailable, and its time depends on the destination. */
const SKIPPED = ["collector", "state"];
/** Each run with many teams takes a minute. */
const MAX_RUNS = 3;
const FORM_RUNS = 3;

export interface ClusterRows {
  readonly rows: readonly BenchRow[];
  readonly forms: readonly FormCost[];
}

/**
 * Measures on a cluster: verify with few and many teams, and the cost of each form of a name in a pod. The teams are deployed for this, and
 * removed afterwards.
 * @param target The same cluster, for the timed command.
 * @throws {Failure} if the cluster rejects the teams.
 */
export async function runOnCluster(
  { cluster, config }: Connection,
  target: Target,
  runs: number,
  say: (what: string) => void,
): Promise<ClusterRows> {
  const teams = teamsOf(MAX_TEAMS).map(({ name }) => name);
  return withTeamFiles(COUNTS, (files) => {
    say(`putting ${MAX_TEAMS} teams on ${cluster.context}`);
    return withTeamsOn(config, files.get(MAX_TEAMS) ?? "", teams, async () => {
      const rows: BenchRow[] = [];
      for (const [count, file] of files) {
        say(`lab verify, ${count} teams`);
        const row = await measure(`lab verify, ${count} teams`, verifyCommand(file, target), {
          runs: Math.min(runs, MAX_RUNS),
        });
        rows.push({ ...row, count: await countRows(file), of: "rows" });
      }
      say("what a name costs");
      const [from = "", other = ""] = teams;
      const client = await dnsClientAt(cluster, `${teamNamespace(from)}/${curlPodName(from)}`);
      const service = `${curlPodName(other)}.${teamNamespace(other)}`;
      return { rows, forms: await nameForms(cluster, client, service, FORM_RUNS) };
    });
  });
}

/** The timed command: all rows except those about the collector. */
export function verifyCommand(file: string, { context, kubeconfig }: Target): Command {
  const where = [
    ...(context === undefined ? [] : ["--context", context]),
    ...(kubeconfig === undefined ? [] : ["--kubeconfig", kubeconfig]),
  ];
  return ["node", join("lab", "main.ts"), "verify", "--config-file", file, "--skip", ...SKIPPED, "--json", ...where];
}

async function countRows(file: string): Promise<number> {
  const { name, config } = await readStackFile("local", file);
  return allChecks(checkInputOf(name, parseSettings(config), 1)).filter(
    ({ id }) => !SKIPPED.some((name) => fits(id, name)),
  ).length;
}

const FIELD_MANAGER = "eks-dns-logging-bench";
const READY_SECONDS = 300;
const GONE_SECONDS = 300;

/** Deploys the namespaces of some teams with their content, and removes them afterwards. */
export async function withTeamsOn<T>(
  config: KubeConfig,
  file: string,
  teams: readonly string[],
  use: () => Promise<T>,
): Promise<T> {
  const api = KubernetesObjectApi.makeApiClient(config);
  const namespaces = teams.map((team) => namespaceOf(teamNamespace(team)));
  // Pods of an interrupted run may have ended, and ended pods do not restart.
  await remove(api, namespaces);
  try {
    for (const object of await objectsOf(file, new Set(teams.map(teamNamespace)))) await apply(config, object);
    await podsReady(config, teams);
    return await use();
  } finally {
    await remove(api, namespaces);
  }
}

/** The teams' objects of a plan, in an order in which they can be applied; without the collector, which may exist already. */
export async function objectsOf(file: string, namespaces: ReadonlySet<string>): Promise<KubernetesObject[]> {
  const { resources } = await planStack(await readStackFile("local", file));
  const all = manifestsOf(resources).map(({ object }): KubernetesObject => JSON.parse(JSON.stringify(object)));
  return all.filter(({ kind, metadata }) =>
    namespaces.has((kind === "Namespace" ? metadata?.name : metadata?.namespace) ?? ""),
  );
}

function namespaceOf(name: string): KubernetesObject & { metadata: { name: string } } {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}

async function apply(config: KubeConfig, object: KubernetesObject): Promise<void> {
  const what = `apply ${object.kind} ${object.metadata?.name}`;
  await applyObject(config, object, { fieldManager: FIELD_MANAGER }).catch((error: unknown) => {
    throw new Failure(asClusterError(error, what).message, 2);
  });
}

async function podsReady(config: KubeConfig, teams: readonly string[]): Promise<void> {
  const cluster = kubeCluster(config);
  const end = Date.now() + READY_SECONDS * 1000;
  for (const team of teams) {
    let pod = await cluster.pod(teamNamespace(team), curlPodName(team));
    while (!pod.ready) {
      if (Date.now() > end)
        throw new Failure(`pod ${curlPodName(team)} is not ready after ${READY_SECONDS} s: ${pod.reason || pod.phase}`);
      await wait(500);
      pod = await cluster.pod(teamNamespace(team), curlPodName(team));
    }
  }
}

async function remove(
  api: KubernetesObjectApi,
  objects: readonly (KubernetesObject & { metadata: { name: string } })[],
): Promise<void> {
  for (const object of objects) await api.delete(object).catch(unlessMissing);
  const end = Date.now() + GONE_SECONDS * 1000;
  for (const object of objects) {
    const there = () => api.read(object).then(() => true, unlessMissing);
    while (await there()) {
      if (Date.now() > end)
        throw new Failure(`namespace ${object.metadata.name} is still there after ${GONE_SECONDS} s`);
      await wait(500);
    }
  }
}

/** False if the object does not exist. @throws {Failure} for other errors. */
function unlessMissing(error: unknown): false {
  if (error instanceof ApiException && error.code === 404) return false;
  throw new Failure(asClusterError(error, "delete the bench's namespaces").message, 2);
}
