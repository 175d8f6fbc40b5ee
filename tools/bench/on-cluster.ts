import { join } from "node:path";
import { parseSettings } from "../../components/settings.ts";
import { curlPodName, teamNamespace } from "../../components/team/names.ts";
import { type FormCost, nameForms } from "../../lab/dns/forms.ts";
import { askerAt } from "../../lab/dns/pod.ts";
import { connect, loadKubeConfig, type Target } from "../../lab/kubernetes/connect.ts";
import { readStackFile } from "../../lab/stack.ts";
import { allChecks } from "../../lab/verify/catalog.ts";
import { planOf } from "../../lab/verify/from-settings.ts";
import { fits } from "../../lab/verify/select.ts";
import { type Command, measure } from "./measure.ts";
import type { BenchRow } from "./suite.ts";
import { withTeamsOn } from "./team-objects.ts";
import { teamsOf, withTeamFiles } from "./teams.ts";

/** Numbers of teams that verify is timed with; the smaller ones are a part of the greatest. */
const COUNTS = [2, 20] as const;
const MOST = Math.max(...COUNTS);
/** The collector is not put on the cluster: its image may be out of reach there, and its time is that of the destination. */
const SKIPPED = "collector";
/** Each run with many teams takes a minute. */
const MOST_RUNS = 3;
const FORM_RUNS = 3;

export interface ClusterRows {
  readonly rows: readonly BenchRow[];
  readonly forms: readonly FormCost[];
}

/**
 * Measures on a cluster: verify with some and with many teams, and what each form of a name costs a pod. The teams are put there
 * for that, and taken away again.
 * @throws {Failure} where the cluster cannot be asked, or does not take them.
 */
export async function runOnCluster(target: Target, runs: number, say: (what: string) => void): Promise<ClusterRows> {
  const { cluster } = await connect(target);
  const config = await loadKubeConfig(target);
  const teams = teamsOf(MOST).map(({ name }) => name);
  return withTeamFiles(COUNTS, (files) => {
    say(`putting ${MOST} teams on ${cluster.context}`);
    return withTeamsOn(config, files.get(MOST) ?? "", teams, async () => {
      const rows: BenchRow[] = [];
      for (const [count, file] of files) {
        say(`lab verify, ${count} teams`);
        const row = await measure(`lab verify, ${count} teams`, verifyCommand(file, target), {
          runs: Math.min(runs, MOST_RUNS),
        });
        rows.push({ ...row, count: await countRows(file), of: "rows" });
      }
      say("what a name costs");
      const [from = "", other = ""] = teams;
      const asker = await askerAt(cluster, `${teamNamespace(from)}/${curlPodName(from)}`);
      const service = `${curlPodName(other)}.${teamNamespace(other)}`;
      return { rows, forms: await nameForms(cluster, asker, service, FORM_RUNS) };
    });
  });
}

function verifyCommand(file: string, { context, kubeconfig }: Target): Command {
  const where = [
    ...(context === undefined ? [] : ["--context", context]),
    ...(kubeconfig === undefined ? [] : ["--kubeconfig", kubeconfig]),
  ];
  return ["node", join("lab", "main.ts"), "verify", "--config-file", file, "--skip", SKIPPED, "--json", ...where];
}

async function countRows(file: string): Promise<number> {
  const { name, config } = await readStackFile("local", file);
  return allChecks(planOf(name, parseSettings(config), 1)).filter(({ id }) => !fits(id, SKIPPED)).length;
}
