import { checkCorefile, type ReleaseChanges, releaseChanges } from "eks-dns-logging-corefile";
import {
  addonDefaults,
  ageWarning,
  type Component,
  type ComponentVerdict,
  judgeComponent,
  parseAddonVersion,
  supportOf,
  type VersionStep,
} from "eks-dns-logging-corefile/addon";
import type { StackComparison } from "../diff/compare.ts";
import { type PlanDocument, valueAt } from "../diff/document.ts";
import { plural } from "../output/table.ts";
import { changesWith, type FoundChange, type ScannedObject } from "./kubernetes-changes.ts";
import type { LiveCluster } from "./live-cluster.ts";

/** One step of an upgrade, in EKS's order. */
interface UpgradeStep {
  readonly title: string;
  /** What happens to it: `in place`, `replaced`, `nodes replaced`, `unchanged`, `by hand`. */
  readonly how: string;
  /** How long it takes. */
  readonly takes: string;
  readonly details: readonly string[];
  readonly source: string;
}

/** CoreDNS on the way. */
interface CoreDnsUpgrade {
  readonly from: string;
  readonly to: string;
  readonly changes: ReleaseChanges;
  /** Whether the Corefile was checked with the new release. */
  readonly isChecked: boolean;
  /** Why it does not start; empty where it does. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/** A whole upgrade. */
export interface UpgradePlan {
  readonly stack: string;
  readonly cluster: string;
  readonly from: string;
  readonly to: string;
  readonly context?: string;
  /** What has to be done first; the upgrade can start where it is empty. */
  readonly blockers: readonly string[];
  /** What is not known. */
  readonly notes: readonly string[];
  readonly steps: readonly UpgradeStep[];
  readonly components: readonly ComponentVerdict[];
  readonly coredns?: CoreDnsUpgrade;
  readonly changes: readonly FoundChange[];
  readonly wayBack: readonly string[];
}

/** What an upgrade is planned from. */
export interface UpgradeInput {
  readonly stack: string;
  readonly cluster: string;
  /** Whether the stack makes the cluster; otherwise its owner upgrades control plane and nodes. */
  readonly ownsCluster: boolean;
  readonly step: VersionStep;
  /** The stack's plan with the target version; undefined where its settings are refused. */
  readonly target: PlanDocument | undefined;
  /** Why they are refused. */
  readonly refused: readonly string[];
  /** The plans before and after, compared; undefined where one of them is missing. */
  readonly comparison: StackComparison | undefined;
  readonly live: LiveCluster | undefined;
  /** Day, as YYYY-MM-DD. */
  readonly today: string;
}

const GUIDE = "https://docs.aws.amazon.com/eks/latest/userguide";
const ADDON = "aws:eks/addon:Addon";
const NODE_GROUP = "aws:eks/nodeGroup:NodeGroup";

/** Plans an upgrade. Pure: it asks nobody and reads no clock. */
export function planUpgrade(input: UpgradeInput): UpgradePlan {
  const { stack, cluster, step, live, refused, today } = input;
  const components = componentsOf(input);
  const coredns = corednsOf(input, components);
  const changes = changesWith(step.to, [...(input.target?.resources ?? []).map(scanned), ...(live?.objects ?? [])]);
  const age = ageWarning(today);
  return {
    stack,
    cluster,
    from: step.from,
    to: step.to,
    ...(live === undefined ? {} : { context: live.context }),
    blockers: [
      ...refused.map((issue) => `settings with ${step.to}: ${issue}`),
      ...components
        .filter(({ standing }) => standing === "before")
        .map(({ component, version, reason }) => `${component} ${version}: ${reason}`),
      ...(refused.length > 0 ? [] : (coredns?.errors ?? [])).map(
        (error) => `the Corefile with CoreDNS ${coredns?.changes.to}: ${error}`,
      ),
      ...(live?.blockingBudgets ?? []).map(
        (budget) => `disruption budget ${budget} lets no pod go: nodes cannot drain`,
      ),
      ...changes
        .filter(({ breaks, found }) => breaks && (found ?? []).length > 0)
        .map(({ title, action, found }) => `${title}: ${action} (${(found ?? []).join(", ")})`),
    ],
    notes: [...(age === undefined ? [] : [age]), ...liveNotes(live)],
    steps: stepsOf(input, components),
    components,
    ...(coredns === undefined ? {} : { coredns }),
    changes,
    wayBack: wayBack(input),
  };
}

function liveNotes(live: LiveCluster | undefined): string[] {
  if (live === undefined)
    return ["without --context, only the stack is read: not the nodes, images and budgets that run"];
  return [
    ...(live.isEks ? [] : [`the API server of context ${live.context} is not EKS's`]),
    ...(live.forbidden.length === 0 ? [] : [`not readable by this kubeconfig: ${live.forbidden.join(", ")}`]),
  ];
}

function scanned({ type, name, inputs }: PlanDocument["resources"][number]): ScannedObject {
  const kind = valueAt(inputs, "kind");
  const metadata = [valueAt(inputs, "metadata", "namespace"), valueAt(inputs, "metadata", "name")];
  const outside = [kind, ...metadata].filter((part) => typeof part === "string").join("/");
  return { type, name: `${outside === "" ? name : outside} of the stack`, fields: inputs };
}

/** Versions that run, or those that the stack has with the version before. */
function componentsOf({ step, live, target, comparison }: UpgradeInput): ComponentVerdict[] {
  const kubelets = Object.keys(live?.kubelets ?? {});
  const verdicts = kubelets.map((version) => judgeComponent("kubelet", version, step));
  const names: readonly Exclude<Component, "kubelet">[] = [
    "kube-proxy",
    "vpc-cni",
    "coredns",
    "eks-pod-identity-agent",
  ];
  const planned = names.flatMap((name) => {
    const version = live?.components[name] ?? versionBefore(name, target, comparison) ?? addonDefaults(name)[step.from];
    return version === undefined ? [] : [judgeComponent(name, version, step)];
  });
  return [...verdicts, ...planned];
}

function versionBefore(
  addon: string,
  target: PlanDocument | undefined,
  comparison: StackComparison | undefined,
): string | undefined {
  if (comparison === undefined) return undefined;
  const change = comparison.changes.find(({ type, outside }) => type === ADDON && outside === addon);
  const before = change?.fields.find(({ path }) => path === "addonVersion")?.before;
  const stays = target?.resources.find(({ type, inputs }) => type === ADDON && inputs.addonName === addon);
  const found = before ?? stays?.inputs.addonVersion;
  return typeof found === "string" ? found : undefined;
}

function corednsOf(
  { step, target, live, refused }: UpgradeInput,
  components: readonly ComponentVerdict[],
): CoreDnsUpgrade | undefined {
  const before = components.find(({ component }) => component === "coredns")?.version ?? "";
  const addon = target?.resources.find(({ type, inputs }) => type === ADDON && inputs.addonName === "coredns");
  const planned = addon?.inputs.addonVersion;
  const after = typeof planned === "string" ? planned : addonDefaults("coredns")[step.to];
  const from = /^v?(\d+)\.(\d+)\.(\d+)/.exec(before)?.slice(1).map(Number);
  const to = after === undefined ? undefined : parseAddonVersion(after)?.coredns;
  if (after === undefined || from === undefined || to === undefined) return undefined;
  const [major = 0, minor = 0, patch = 0] = from;
  const own = corefileIn(addon?.inputs.configurationValues);
  const text = own ?? live?.corefile;
  // What the settings accept starts: they know more of the cluster than the text alone.
  const found = text === undefined ? undefined : checkCorefile(text, { coredns: to, mayHaveRole: true });
  const refusals = refused.filter((issue) => issue.startsWith("dns.corefile"));
  return {
    from: before,
    to: after,
    changes: releaseChanges([major, minor, patch], to),
    isChecked: found !== undefined || refusals.length > 0,
    errors: [...refusals, ...(own === undefined ? (found?.errors ?? []) : [])],
    warnings: found?.warnings ?? [],
  };
}

function corefileIn(values: unknown): string | undefined {
  if (typeof values !== "string") return undefined;
  try {
    const { corefile }: { corefile?: unknown } = JSON.parse(values);
    return typeof corefile === "string" ? corefile : undefined;
  } catch {
    return undefined; // known after deployment
  }
}

function stepsOf(input: UpgradeInput, components: readonly ComponentVerdict[]): UpgradeStep[] {
  const { cluster, ownsCluster, step, stack } = input;
  const setting = ownsCluster ? "cluster.version" : "cluster.kubernetesVersion";
  const owner = ownsCluster ? [] : [`by the owner of ${cluster}; this stack then states ${setting}: "${step.to}"`];
  return [
    {
      title: "prepare",
      how: "by hand",
      takes: "-",
      details: [
        `read EKS's own findings: aws eks list-insights --cluster-name ${cluster}`,
        "keep five free IP addresses in the cluster's subnets",
      ],
      source: `${GUIDE}/update-cluster.html`,
    },
    {
      title: `control plane ${step.from} → ${step.to}`,
      how: clusterHow(input),
      takes: "several minutes",
      details: [
        ...owner,
        ...(ownsCluster
          ? [
              `${setting}: "${step.to}" in Pulumi.${stack}.yaml, then pulumi up, which also updates the add-ons and node groups`,
              "pulumi up takes kube-proxy and vpc-cni before the nodes, CoreDNS after them: both orders keep the skew rules",
            ]
          : []),
        "cannot be paused; EKS goes back by itself where its health checks fail",
      ],
      source: `${GUIDE}/update-cluster.html`,
    },
    ...nodeSteps(input),
    ...addonSteps(input, components),
    {
      title: "clients",
      how: "by hand",
      takes: "-",
      details: [`kubectl and a cluster autoscaler of ${step.to}`],
      source: `${GUIDE}/update-cluster.html`,
    },
  ];
}

function clusterHow({ ownsCluster, comparison }: UpgradeInput): string {
  if (!ownsCluster) return "by its owner";
  const replaced = comparison?.changes.some(({ type, kind }) => type.endsWith(":Cluster") && kind === "replaced");
  return replaced ? "replaced" : "in place";
}

function nodeSteps({ ownsCluster, target, comparison, step, live }: UpgradeInput): UpgradeStep[] {
  const source = `${GUIDE}/managed-node-update-behavior.html`;
  const count = Object.values(live?.kubelets ?? {}).reduce((sum, nodes) => sum + nodes, 0);
  const takes = "minutes a node; up to 15 to drain it";
  const drain = "each new node comes first; a pod that does not leave within 15 minutes fails the update";
  if (!ownsCluster) return [{ title: "nodes", how: "by their owner", takes, details: [drain], source }];
  const groups = (target?.resources ?? []).filter(({ type }) => type === NODE_GROUP);
  return groups.map(({ urn, name, inputs }) => {
    const replaced = comparison?.changes.some((change) => change.urn === urn && change.kind === "replaced");
    const size = valueAt(inputs, "scalingConfig", "desiredSize");
    const nodes = groups.length === 1 && count > 0 ? `${plural(count, "node")} run` : `${size} in the stack`;
    return {
      title: `node group ${name} → ${step.to}`,
      how: replaced ? "replaced" : "nodes replaced",
      takes,
      details: [`${nodes}, ${valueAt(inputs, "updateConfig", "maxUnavailable") ?? 1} at a time`, drain],
      source,
    };
  });
}

function addonSteps({ target, ownsCluster }: UpgradeInput, components: readonly ComponentVerdict[]): UpgradeStep[] {
  return components.flatMap(({ component, version, standing, wanted }) => {
    if (component === "kubelet") return [];
    const planned = target?.resources.find(({ type, inputs }) => type === ADDON && inputs.addonName === component);
    const isManaged = planned !== undefined || (target === undefined && ownsCluster);
    const after = isManaged ? (planned?.inputs.addonVersion ?? wanted) : standing === "update" ? wanted : version;
    const isPinned = after === version && standing === "update";
    const changes = after !== version;
    return [
      {
        title: changes ? `add-on ${component} ${version} → ${after ?? "?"}` : `add-on ${component} ${version}`,
        how: changes ? (isManaged ? "in place" : "by its owner") : "unchanged",
        takes: changes ? "minutes: a rolling update of its pods" : "-",
        details: isPinned ? [`the stack pins it: state ${wanted} to update it`] : [],
        source: `${GUIDE}/updating-an-add-on.html`,
      },
    ];
  });
}

/** How to go back. @see https://docs.aws.amazon.com/eks/latest/userguide/rollback-cluster.html */
function wayBack({ cluster, step: { from, to }, ownsCluster, stack, today }: UpgradeInput): string[] {
  const extended = (supportOf(from, today)?.daysLeft ?? 0) < 0;
  const old = (["kube-proxy", "coredns"] as const).flatMap((addon) => {
    const version = addonDefaults(addon)[from];
    return version === undefined || version === addonDefaults(addon)[to]
      ? []
      : [`aws eks update-addon --cluster-name ${cluster} --addon-name ${addon} --addon-version ${version}`];
  });
  return [
    `possible within 7 days, once, and not for a cluster created with ${to}`,
    ...(extended
      ? [`${from} is in extended support: set the cluster's upgrade policy to EXTENDED first; it costs more`]
      : []),
    `aws eks list-insights --cluster-name ${cluster} --filter '{"categories": ["ROLLBACK_READINESS"]}' and resolve ERROR and UNKNOWN`,
    `node groups first: aws eks update-nodegroup-version --cluster-name ${cluster} --nodegroup-name NAME --kubernetes-version ${from}`,
    ...old.map((command) => `add-ons are not rolled back: ${command}`),
    `aws eks update-cluster-version --name ${cluster} --kubernetes-version ${from}`,
    ownsCluster
      ? `cluster.version: "${from}" in Pulumi.${stack}.yaml, then pulumi refresh and pulumi preview, which shows no other version`
      : `cluster.kubernetesVersion: "${from}" in Pulumi.${stack}.yaml`,
  ];
}
