import { teamNamespace } from "../../../components/kubernetes/labels.ts";
import { networkPolicies } from "../../../components/team/network-policies.ts";
import { hasCurlPod, type TeamSettings } from "../../../components/team/settings.ts";
import type { Lab } from "../lab.ts";
import { type Check, fail, type Outcome, pass } from "../result.ts";

const LEVEL_LABEL = "pod-security.kubernetes.io/enforce";

/** A team namespace without a curl pod, and what the stack put there. */
export interface GuardedNamespace {
  readonly name: string;
  readonly team: string;
  /** Enforced Pod Security level. */
  readonly level: string;
  /** Names of its network policies. */
  readonly policies: readonly string[];
}

/** Team namespaces without a curl pod. */
export function guardedNamespaces(teams: readonly TeamSettings[], curlPods: boolean): GuardedNamespace[] {
  return teams.flatMap((team) => {
    if (curlPods && hasCurlPod(team)) return [];
    const rules = { ...team, podIdentity: team.podIdentity !== undefined };
    return (team.namespaces?.map(({ name }) => name) ?? [teamNamespace(team.name)]).map((name) => ({
      name,
      team: team.name,
      level: team.podSecurity?.level ?? "restricted",
      policies: networkPolicies(team, { teams: [] }, rules).map((policy) => policy.name),
    }));
  });
}

/** The namespace belongs to the team, enforces its Pod Security level, and has its network policies. */
export function namespaceCheck(namespace: GuardedNamespace): Check {
  return {
    id: `namespace:${namespace.name}`,
    group: "namespace",
    what: "Pod Security and network policies",
    from: namespace.team,
    to: namespace.name,
    run: (lab) => guards(lab, namespace),
  };
}

async function guards(lab: Lab, { name, team, level, policies }: GuardedNamespace): Promise<Outcome> {
  const [labels, found] = await Promise.all([lab.cluster.namespaceLabels(name), lab.cluster.networkPolicies(name)]);
  const enforced = labels[LEVEL_LABEL] ?? "no level";
  const missing = policies.filter((policy) => !found.includes(policy));
  const detail = `team ${labels.team ?? "not set"}, ${enforced}, ${found.toSorted().join(", ") || "no network policy"}`;
  const facts = { team: labels.team ?? "", level: enforced, policies: found };
  if (missing.length > 0) return fail(detail, `${missing.join(", ")} missing: \`${lab.up}\` creates it`, facts);
  if (labels.team !== team || enforced !== level)
    return fail(detail, `the settings say team ${team}, ${level}: \`${lab.up}\` sets the labels`, facts);
  return pass(detail, facts);
}
