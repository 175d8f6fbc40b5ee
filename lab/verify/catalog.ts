import type { Check } from "./check.ts";
import { corednsCheck, resolverCheck } from "./checks/coredns.ts";
import { denyCoreDnsCheck, denyTeamCheck } from "./checks/deny.ts";
import { lookupCheck } from "./checks/dns.ts";
import { curlCheck } from "./checks/http.ts";
import { collectorCheck, logsCheck } from "./checks/logs.ts";
import { allowedPairs, deniedPairs, FORMS, type TeamPeers } from "./checks/names.ts";
import { pingCheck } from "./checks/ping.ts";
import { podCheck, serviceCheck } from "./checks/pods.ts";
import type { MarkerFinder } from "./find/finder.ts";

/** What the checks are made from. */
export interface Plan {
  readonly teams: readonly TeamPeers[];
  /** `ndots` that the pods' resolv.conf should have. */
  readonly ndots: number;
  /** Address that their resolv.conf should name first. Default: the DNS Service's. */
  readonly nameserver?: string | undefined;
  /** Whether the cluster's network is known to enforce NetworkPolicies. */
  readonly enforced: boolean;
  readonly finder: MarkerFinder;
  /** The command that makes what is missing. Default: that of the stack local. */
  readonly up?: string;
  /** How long a marker may take to the destination, in seconds. */
  readonly wait: number;
}

/** All checks for a stack, in the order in which they are shown. */
export function allChecks(plan: Plan): Check[] {
  const teams = plan.teams.map((team) => team.name);
  const pairs = allowedPairs(plan.teams);
  const between = pairs.filter((pair) => pair.from !== pair.to);
  const own = pairs.filter((pair) => pair.from === pair.to);
  const foreignForms = FORMS.filter((form) => form !== "short");
  return [
    corednsCheck(),
    ...teams.map(podCheck),
    ...teams.map(serviceCheck),
    ...teams.map((team) => resolverCheck(team, plan)),
    ...between.map(pingCheck),
    ...own.flatMap((pair) => FORMS.map((form) => lookupCheck(pair, form))),
    ...between.flatMap((pair) => FORMS.map((form) => lookupCheck(pair, form))),
    ...own.flatMap((pair) => FORMS.map((form) => curlCheck(pair, form))),
    ...between.flatMap((pair) => foreignForms.map((form) => curlCheck(pair, form))),
    ...teams.map((team) => denyCoreDnsCheck(team, plan)),
    ...deniedPairs(plan.teams).map((pair) => denyTeamCheck(pair, plan)),
    ...teams.map(logsCheck),
    ...teams.map((team) => collectorCheck(team, { finder: plan.finder, seconds: plan.wait })),
  ];
}
