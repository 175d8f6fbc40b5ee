import { matchesGlob } from "node:path";
import { podDns } from "../../components/dns/resolver.ts";
import { managesCoreDns } from "../../components/dns/settings.ts";
import type { CollectorId } from "../../components/logging/settings.ts";
import { LOGGING_NAMESPACE } from "../../components/logging/settings.ts";
import { runsCoreDns } from "../../components/parts.ts";
import type { Settings } from "../../components/settings.ts";
import { upCommand } from "../../components/stack-commands.ts";
import { hasCurlPod } from "../../components/team/settings.ts";
import { Failure } from "../command-line.ts";
import type { Target } from "../kubernetes/connect.ts";
import { type CoreDnsPlace, type StatedCoreDns, statedPlace } from "../kubernetes/core-dns-place.ts";
import { backlogCheck, stateCheck } from "./checks/collector-health.ts";
import { corednsCheck, curlCheck, FORMS, lookupCheck, resolverCheck } from "./checks/dns.ts";
import { collectorCheck, logsCheck, sourceCheck } from "./checks/log-lines.ts";
import { collectorPodsCheck, pingCheck, podCheck, restartsCheck, type Steady, serviceCheck } from "./checks/pods.ts";
import { monitoringChecks } from "./checks/scraping.ts";
import {
  allowedPairs,
  deniedPairs,
  denyCoreDnsCheck,
  denyTeamCheck,
  type GuardedNamespace,
  guardedNamespaces,
  namespaceCheck,
  type TeamPeers,
} from "./checks/team-access.ts";
import type { MarkerFinder, SourceFinder } from "./find/finder.ts";
import { findersFor } from "./find/marker-finders.ts";
import { sourceFinders } from "./find/source-finders.ts";
import { loggingSelector, statedDomain } from "./lab.ts";
import type { Check } from "./result.ts";

/** Input from which the checks are created. */
export interface CheckInput {
  /** Whether the stack configures CoreDNS and its pods run. Default: yes. */
  readonly coredns?: boolean;
  /** Whether the stack installs CoreDNS, instead of using the cluster's. Default: yes. */
  readonly installsCoreDns?: boolean;
  /** The settings that identify the stack's CoreDNS. Default: the one in kube-system. */
  readonly stated?: StatedCoreDns | undefined;
  /** Location of that CoreDNS. Default: as on EKS. */
  readonly coreDns?: CoreDnsPlace;
  /** Teams with a curl pod, which runs the experiments. */
  readonly teams: readonly TeamPeers[];
  /** Team namespaces without a curl pod. Default: none. */
  readonly namespaces?: readonly GuardedNamespace[];
  /** The DaemonSet collector, if no curl pod writes a line to look for. Default: none. */
  readonly collector?: string | undefined;
  /** Namespace of the collectors. Default: logging. */
  readonly loggingNamespace?: string | undefined;
  /** The collector whose pods run on the nodes. Default: none. */
  readonly onNodes?: CollectorId | undefined;
  /** Expected `ndots` in the pods' resolv.conf. */
  readonly ndots: number;
  /** Expected first name server in their resolv.conf. Default: the DNS Service's. */
  readonly nameserver?: string | undefined;
  /** The cluster domain. Default: cluster.local. */
  readonly clusterDomain?: string | undefined;
  /** Whether the cluster's network is known to enforce NetworkPolicies. */
  readonly enforced: boolean;
  /** Search for lines where the collector sends them, one per destination; empty without log collection. */
  readonly finders: readonly MarkerFinder[];
  /** Search for lines of sources other than pods. Default: none. */
  readonly sources?: readonly SourceFinder[];
  /** Checks of the stack's monitoring. Default: none. */
  readonly monitoring?: readonly Check[];
  /** The command that creates what is missing. Default: that of the stack local. */
  readonly up?: string;
  /** Maximum time for a marker to reach the destination, in seconds. */
  readonly wait: number;
}

/** All checks for a stack, in display order. */
export function allChecks(input: CheckInput): Check[] {
  const { finders, wait, clusterDomain } = input;
  const teams = input.teams.map((team) => team.name);
  const pairs = allowedPairs(input.teams);
  const between = pairs.filter((pair) => pair.from !== pair.to);
  const ownPairs = pairs.filter((pair) => pair.from === pair.to);
  const foreignForms = FORMS.filter((form) => form !== "short");
  return [
    ...(input.coredns === false ? [] : [corednsCheck(), restartsCheck(steadyCoreDns(input.coreDns))]),
    ...(input.namespaces ?? []).map(namespaceCheck),
    ...teams.map(podCheck),
    ...teams.map(serviceCheck),
    ...teams.map((team) => resolverCheck(team, input)),
    ...between.map(pingCheck),
    ...ownPairs.flatMap((pair) => FORMS.map((form) => lookupCheck(pair, form, clusterDomain))),
    ...between.flatMap((pair) => FORMS.map((form) => lookupCheck(pair, form, clusterDomain))),
    ...ownPairs.flatMap((pair) => FORMS.map((form) => curlCheck(pair, form, clusterDomain))),
    ...between.flatMap((pair) => foreignForms.map((form) => curlCheck(pair, form, clusterDomain))),
    ...teams.map((team) => denyCoreDnsCheck(team, input)),
    ...deniedPairs(input.teams).map((pair) => denyTeamCheck(pair, input)),
    ...teams.map(logsCheck),
    ...(input.collector === undefined ? [] : [collectorPodsCheck(input.collector, input.loggingNamespace)]),
    ...finders.flatMap((finder) => teams.map((team) => collectorCheck(team, { finder, seconds: wait }))),
    ...(input.sources ?? []).map((finder) => sourceCheck(finder, wait)),
    ...(input.onNodes === undefined ? [] : collectorChecks(input.onNodes, input.loggingNamespace)),
    ...(input.monitoring ?? []),
  ];
}

function steadyCoreDns({ namespace, selector }: CoreDnsPlace = statedPlace(undefined)): Steady {
  const moreMemory = "the memory limit of its Deployment, or `dns.resources.limits.memory`";
  return { name: "coredns", namespace, selector, moreMemory };
}

/** Checks of a DaemonSet collector, besides the arrival of lines. */
function collectorChecks(collector: CollectorId, namespace = LOGGING_NAMESPACE): Check[] {
  const steady = {
    name: collector,
    namespace,
    selector: loggingSelector(collector),
    moreMemory: "`logging.resources.memoryLimit`",
  };
  return [
    restartsCheck(steady),
    stateCheck(collector),
    // The metrics of other collectors do not show it.
    ...(collector === "fluent-bit" ? [backlogCheck()] : []),
  ];
}

export interface Selection {
  /** Run only these rows; empty for all. */
  readonly only: readonly string[];
  readonly skip: readonly string[];
}

/**
 * Filters the checks. A pattern is an id (`ping:ts:sa`), its start up to a colon (`ping`, `dns:ts`), or has `*` for one part (`dns:*:sa`).
 * @throws {Failure} for a pattern that matches no row, because a typo would otherwise pass as a success.
 */
export function select(checks: readonly Check[], { only, skip }: Selection): Check[] {
  const ids = checks.map((check) => check.id);
  for (const pattern of [...only, ...skip]) {
    if (ids.some((id) => fits(id, pattern))) continue;
    const known =
      ids.length === 0
        ? "nothing of this stack runs on the cluster"
        : `ids start with: ${families(ids).join(", ")} (as in ${ids.at(-1)})`;
    throw new Failure(`no row matches '${pattern}'; ${known}`, 2);
  }
  const chosen = checks.filter(
    ({ id }) =>
      (only.length === 0 || only.some((pattern) => fits(id, pattern))) && !skip.some((pattern) => fits(id, pattern)),
  );
  if (chosen.length === 0 && checks.length > 0) throw new Failure("--only and --skip together exclude every row", 2);
  return chosen;
}

/** Whether an id or its start matches the pattern. */
export function fits(id: string, pattern: string): boolean {
  const parts = id.split(":");
  const wanted = pattern.split(":");
  return wanted.length <= parts.length && wanted.every((part, index) => matchesGlob(parts[index] ?? "", part));
}

function families(ids: readonly string[]): string[] {
  return [...new Set(ids.flatMap((id) => id.split(":")[0] ?? []))];
}

/** Derives the checks' input from a stack's settings: what these promise is verified. */
export function checkInputOf(stack: string, settings: Settings, wait: number): CheckInput {
  const { cluster, dns, logging } = settings;
  const teams = settings.curlPods ? settings.teams.filter(hasCurlPod) : [];
  return {
    coredns: dns !== undefined && runsCoreDns(cluster, dns),
    installsCoreDns: cluster.kind !== "existing" && dns?.adopt === undefined,
    stated: dns,
    teams,
    namespaces: guardedNamespaces(settings.teams, settings.curlPods),
    collector: teams.length === 0 ? logging?.collector : undefined,
    loggingNamespace: logging?.namespace,
    onNodes: logging?.mode === "daemonset" ? logging.collector : undefined,
    ndots: settings.curlPod.ndots,
    nameserver: dns && podDns(dns)?.nameservers[0],
    clusterDomain: statedDomain(settings),
    // The vpc-cni add-on of this program's EKS cluster has its policy agent on.
    enforced: cluster.kind === "eks" || cluster.networkPolicies,
    finders: findersFor(settings),
    sources: sourceFinders(settings),
    monitoring: monitoringChecks(settings.monitoring, {
      dns: runsCoreDns(cluster, dns) ? dns : undefined,
      managesCoreDns: managesCoreDns(dns, cluster.kind !== "existing"),
      logging: settings.logging,
      teams: settings.teams,
    }),
    up: upCommand({ stack, cluster }),
    wait,
  };
}

/** The cluster of the stack; flags take precedence. */
export function targetOf(settings: Settings, flags: Target): Target {
  const { cluster } = settings;
  const kubeconfigCluster = cluster.kind === "eks" ? undefined : cluster;
  // A context from the flags is looked up in the stack's kubeconfig, unless the flags name a file too.
  return {
    kubeconfig: flags.kubeconfig ?? kubeconfigCluster?.kubeconfig,
    context: flags.context ?? kubeconfigCluster?.context,
  };
}
