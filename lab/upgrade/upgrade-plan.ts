import { styleText } from "node:util";
import {
  type BehaviorChange,
  behaviorChanges,
  checkCorefile,
  ifReadable,
  parseCorefile,
  pluginName,
  type ReleaseChanges,
  releaseChanges,
  type Server,
} from "eks-dns-logging-corefile";
import {
  addonDefaults,
  ageWarning,
  type Component,
  type ComponentVerdict,
  judgeComponent,
  LOOKED_UP,
  parseAddonVersion,
} from "eks-dns-logging-corefile/addon";
import type { StackComparison } from "../diff/comparison.ts";
import { type PlanDocument, valueAt } from "../diff/document.ts";
import { bold, dim, paragraphs, plainTable } from "../output/text.ts";
import type { LiveCluster } from "./kubernetes-changes.ts";
import { changesWith, type FoundChange, type ScannedObject } from "./kubernetes-changes.ts";
import { ADDON, stepsOf, UNKNOWN_VERSION, type UpgradeInput, type UpgradeStep, wayBack } from "./upgrade-steps.ts";

/** The change of CoreDNS's version. */
interface CoreDnsUpgrade {
  readonly from: string;
  readonly to: string;
  readonly changes: ReleaseChanges;
  /** Plugins of the Corefile that are removed, or that see a query earlier or later. */
  readonly affected: readonly string[];
  /** Changed behavior of lines that the new release still accepts. */
  readonly behavior: readonly BehaviorChange[];
  /** Whether the Corefile was checked with the new release. */
  readonly isChecked: boolean;
  /** Why it does not start; empty if it does. */
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
  /** What must be done first; the upgrade can start if it is empty. */
  readonly blockers: readonly string[];
  /** Open questions. */
  readonly notes: readonly string[];
  readonly steps: readonly UpgradeStep[];
  readonly components: readonly ComponentVerdict[];
  readonly coredns?: CoreDnsUpgrade;
  readonly changes: readonly FoundChange[];
  readonly wayBack: readonly string[];
}

const ADDONS: readonly Exclude<Component, "kubelet">[] = ["kube-proxy", "vpc-cni", "coredns", "eks-pod-identity-agent"];

/** Plans an upgrade. Pure: no queries, no clock. */
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
        (budget) => `disruption budget ${budget} allows no eviction: nodes cannot drain`,
      ),
      ...changes
        .filter(({ breaks, found }) => breaks && (found ?? []).length > 0)
        .map(({ title, action, found }) => `${title}: ${action} (${(found ?? []).join(", ")})`),
    ],
    notes: [...(age === undefined ? [] : [age]), ...liveNotes(live), ...unlistedNotes(input, components)],
    steps: stepsOf(input, components),
    components,
    ...(coredns === undefined ? {} : { coredns }),
    changes,
    wayBack: wayBack(input, components),
  };
}

function liveNotes(live: LiveCluster | undefined): string[] {
  if (live === undefined)
    return ["without --context, only the stack is read, not the cluster's nodes, images and disruption budgets"];
  return [
    ...(live.isEks ? [] : [`the API server of context ${live.context} is not EKS's`]),
    ...(live.forbidden.length === 0 ? [] : [`not readable by this kubeconfig: ${live.forbidden.join(", ")}`]),
  ];
}

/** Notes on add-ons of a cluster that the stack did not create; EKS Auto Mode has none. */
function unlistedNotes(
  { live, ownsCluster, compute, cluster }: UpgradeInput,
  components: readonly ComponentVerdict[],
): string[] {
  if (live !== undefined || ownsCluster || compute === "auto") return [];
  const unlisted = ADDONS.filter((name) => !components.some(({ component }) => component === name));
  if (unlisted.length === 0) return [];
  return [
    `${unlisted.join(", ")} ${unlisted.length === 1 ? "is" : "are"} not listed, since the owner of ${cluster} updates what the stack does not make: --context reads the versions that run`,
  ];
}

function scanned({ type, name, inputs }: PlanDocument["resources"][number]): ScannedObject {
  const kind = valueAt(inputs, "kind");
  const metadata = [valueAt(inputs, "metadata", "namespace"), valueAt(inputs, "metadata", "name")];
  const outside = [kind, ...metadata].filter((part) => typeof part === "string").join("/");
  return { type, name: `${outside === "" ? name : outside} of the stack`, fields: inputs };
}

/** Running versions, or those of the stack with the current Kubernetes version. */
function componentsOf({ step, live, target, comparison, ownsCluster, cluster }: UpgradeInput): ComponentVerdict[] {
  const kubelets = Object.keys(live?.kubelets ?? {});
  const verdicts = kubelets.map((version) => judgeComponent("kubelet", version, step));
  const planned = ADDONS.flatMap((name) => {
    // The add-ons of an existing cluster are unknown until it is read.
    const isPlanned = target?.resources.some(({ type, inputs }) => type === ADDON && inputs.addonName === name);
    const isOwn = ownsCluster || isPlanned;
    const stated = isOwn ? (versionBefore(name, target, comparison) ?? addonDefaults(name)[step.from]) : undefined;
    const version = live?.components[name] ?? stated;
    if (version !== undefined) return [judgeComponent(name, version, step)];
    if (!isPlanned) return [];
    const reason = `its version with ${step.from} is not known: add --context, or see aws eks describe-addon --cluster-name ${cluster} --addon-name ${name}`;
    return [{ ...judgeComponent(name, UNKNOWN_VERSION, step), reason }];
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
  const version = before ?? stays?.inputs.addonVersion;
  return typeof version === "string" ? version : undefined;
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
  const corefile = corefileIn(addon?.inputs.configurationValues);
  const text = corefile ?? live?.corefile;
  const verdict = text === undefined ? undefined : checkCorefile(text, { coredns: to, mayHaveRole: true });
  const now = [major, minor, patch] as const;
  const changes = releaseChanges(now, to);
  const servers = serversOf(text);
  const touched = [...changes.removed, ...changes.moved.map((move) => move.split(":")[0] ?? "")];
  const refusals = refused.filter((issue) => issue.startsWith("dns.corefile"));
  return {
    from: before,
    to: after,
    changes,
    affected: pluginsOf(servers).filter((name) => touched.includes(name)),
    behavior: behaviorChanges(now, to, servers),
    isChecked: verdict !== undefined || refusals.length > 0,
    // The settings know more about the cluster than the Corefile shows, so a Corefile that they accept starts.
    errors: [...refusals, ...(corefile === undefined ? (verdict?.errors ?? []) : [])],
    warnings: verdict?.warnings ?? [],
  };
}

/** Server blocks of a Corefile; empty if it cannot be parsed. */
function serversOf(text: string | undefined): readonly Server[] {
  return ifReadable(() => parseCorefile(text ?? "").servers) ?? [];
}

/** Names of the plugins in the blocks, without duplicates. */
function pluginsOf(servers: readonly Server[]): string[] {
  return [...new Set(servers.flatMap(({ plugins }) => plugins.map(pluginName)))];
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

/** An upgrade for a terminal. It has colors: strip them for other outputs. */
export function formatUpgrade(plan: UpgradePlan): string {
  const { stack, cluster, from, to, context } = plan;
  const where = context === undefined ? "" : `, context ${context}`;
  return paragraphs([
    [`Upgrade of ${bold(cluster)} (stack ${stack}${where}): Kubernetes ${bold(`${from} → ${to}`)}`],
    plan.notes.map((note) => `${styleText("yellow", "note")}: ${note}`),
    blockers(plan),
    steps(plan),
    components(plan),
    coredns(plan),
    changes(plan),
    [
      bold("Rollback:"),
      ...numbered(plan.wayBack),
      "   https://docs.aws.amazon.com/eks/latest/userguide/rollback-cluster.html",
    ],
  ]);
}

function blockers({ blockers: lines }: UpgradePlan): string[] {
  if (lines.length === 0) return [styleText("green", "Nothing blocks the upgrade.")];
  return [styleText(["bold", "red"], "Before the upgrade:"), ...numbered(lines)];
}

function numbered(lines: readonly string[]): string[] {
  return lines.map((line, index) => `${String(index + 1).padStart(2)}. ${line}`);
}

function steps({ steps: all }: UpgradePlan): string[] {
  const lines = all.flatMap(({ title, how, takes, details, source }, index) => [
    `${String(index + 1).padStart(2)}. ${bold(title)}: ${how}${takes === "-" ? "" : ` (${takes})`}`,
    ...details.map((detail) => `    ${detail}`),
    ...(all[index - 1]?.source === source ? [] : [dim(`    ${source}`)]),
  ]);
  return [bold("Steps, in EKS's order:"), ...lines];
}

function components({ components: verdicts, to }: UpgradePlan): string[] {
  if (verdicts.length === 0) return [];
  const rows = verdicts.map(({ component, version, standing, wanted, reason }) => [
    component,
    version,
    standing,
    wanted ?? "-",
    reason,
  ]);
  return [
    bold("Component versions:"),
    plainTable(["component", "now", "verdict", `with ${to}`, "why"], rows).trimEnd(),
    dim(`looked up on ${LOOKED_UP}; https://kubernetes.io/releases/version-skew-policy/`),
  ];
}

function coredns({ coredns: upgrade }: UpgradePlan): string[] {
  if (upgrade === undefined) return [];
  const { changes: release, errors, warnings, from, to, isChecked, affected, behavior } = upgrade;
  const kinds: readonly (readonly [string, readonly string[]])[] = [
    ["new plugins", release.added],
    ["removed plugins", release.removed],
    ["new options", release.addedOptions],
    ["removed options", release.removedOptions],
    ["moved in the order", release.moved],
  ];
  return [
    bold(`CoreDNS ${from} → ${to}:`),
    ...(release.from === release.to ? ["  the same plugins and options"] : []),
    ...kinds.flatMap(([kind, names]) => (names.length === 0 ? [] : [`  ${kind}: ${names.join("; ")}`])),
    ...affected.map((plugin) => bold(`  the Corefile uses ${plugin}, which was moved or removed`)),
    ...behavior.flatMap(({ change, version, source }) => [
      `  behaves differently since ${version}: ${change}`,
      dim(`    ${source}`),
    ]),
    ...(errors.length === 0
      ? [isChecked ? "  the Corefile starts" : "  the Corefile is unknown: add --context"]
      : errors.map((error) => `  the Corefile does not start: ${error}`)),
    ...warnings.map((warning) => `  warning: ${warning}`),
    dim(`  by the plugins of CoreDNS ${release.from} and ${release.to}; https://coredns.io/tags/notes/`),
  ];
}

function changes({ changes: list, to }: UpgradePlan): string[] {
  if (list.length === 0) return [];
  return [
    bold(`What changes with Kubernetes ${to}:`),
    ...list.flatMap(({ title, action, source, breaks, found: objects }) => [
      `  ${breaks ? styleText("red", "breaks") : "notice"}  ${title}: ${action}`,
      ...(objects === undefined ? [] : [`          ${concerned(objects)}`]),
      dim(`          ${source}`),
    ]),
  ];
}

const MAX_NAMES = 10;

function concerned(objects: readonly string[]): string {
  if (objects.length === 0) return "none found";
  const more = objects.length > MAX_NAMES ? ` and ${objects.length - MAX_NAMES} more` : "";
  return bold(`found in ${objects.slice(0, MAX_NAMES).join(", ")}${more}`);
}
