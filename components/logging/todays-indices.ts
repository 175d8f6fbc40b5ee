import { teamNamespace } from "../kubernetes/labels.ts";
import { type IndexFormat, indexName } from "./index-format.ts";

/**
 * What the indices of the teams' lines are called at a time, sorted. The curl pods' app is `curl`; pods of others, such as those of
 * kube-system, may have indices of their own where the format splits by namespace or app.
 */
export function todaysIndices(format: IndexFormat, teams: readonly { readonly name: string }[], now: Date): string[] {
  const names = teams.map((team) =>
    indexName(format, now, { team: team.name, namespace: teamNamespace(team.name), app: "curl" }),
  );
  return [...new Set(names)].sort();
}
