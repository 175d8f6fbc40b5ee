import { curlPodName } from "../../components/team/curl-pod-spec.ts";
import { curlFrom } from "../verify/curl.ts";
import type { Lab } from "../verify/lab.ts";
import { type Check, fail, type Outcome, pass } from "../verify/result.ts";

/** A look-up that takes longer is noticed by users. */
const SLOW_MS = 1000;

/**
 * A name outside the cluster resolves, and quickly. Verify has no such row, since a lab need not have a way out; a drill whose row
 * fails beforehand is refused.
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
  // A dot at the end: the search list would ask CoreDNS for three more names.
  const result = await curlFrom(lab, pod, `http://${name}./`);
  const facts = { name, addresses: result.addresses, lookupMs: result.lookupMs };
  if (result.addresses.length === 0)
    return fail(result.message || "no address", "CoreDNS's upstream does not answer, or there is no way out", facts);
  const detail = `${result.addresses[0]} in ${result.lookupMs} ms`;
  return result.lookupMs < SLOW_MS ? pass(detail, facts) : fail(detail, "CoreDNS's upstream is slow", facts);
}
