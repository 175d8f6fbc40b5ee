import { curlPodName } from "../../components/team/curl-pod-spec.ts";
import { curlFrom } from "../verify/curl.ts";
import type { Lab } from "../verify/lab.ts";
import { type Check, fail, type Outcome, pass } from "../verify/result.ts";

/** Users notice slower lookups. */
const SLOW_MS = 1000;

/**
 * A name outside the cluster resolves quickly. Verify has no such row, because a lab may have no internet access; a drill is refused if the
 * row fails beforehand.
 */
export function outsideCheck(team: string, name: string): Check {
  return {
    id: `outside:${team}`,
    group: "dns",
    what: "look up a name outside the cluster",
    from: curlPodName(team),
    to: name,
    run: (lab) => outside(lab, team, name),
  };
}

async function outside(lab: Lab, team: string, name: string): Promise<Outcome> {
  const pod = await lab.runningPod(team);
  // The trailing dot skips the search list, which would add three queries.
  const result = await curlFrom(lab, pod, `http://${name}./`);
  const facts = { name, addresses: result.addresses, lookupMs: result.lookupMs };
  if (result.addresses.length === 0)
    return fail(
      result.message || "no address",
      "CoreDNS's upstream does not answer, or the cluster has no internet access",
      facts,
    );
  const detail = `${result.addresses[0]} in ${result.lookupMs} ms`;
  return result.lookupMs < SLOW_MS ? pass(detail, facts) : fail(detail, "CoreDNS's upstream is slow", facts);
}
