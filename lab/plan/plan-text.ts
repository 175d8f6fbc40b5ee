import { styleText } from "node:util";
import { ageWarning } from "eks-dns-logging-corefile/addon";
import { folderOf } from "../../components/aws/names.ts";
import { kubeDnsAddresses } from "../../components/cluster/settings.ts";
import { LOOKED_UP_VERSION } from "../../components/dns/addon.ts";
import { dnsWarnings } from "../../components/dns/issues.ts";
import { dnsProfile } from "../../components/dns/profile.ts";
import { DnsSettings } from "../../components/dns/settings.ts";
import { describeDestination, logGroups } from "../../components/logging/pipeline.ts";
import {
  indicesOfTarget,
  placeName,
  type Selection,
  type Target,
  targetsOf,
} from "../../components/logging/routing/routes.ts";
import { collectedPart } from "../../components/logging/routing/rule-issues.ts";
import type { LoggingSettings } from "../../components/logging/settings.ts";
import { ownSources, sourcePlace } from "../../components/logging/sources/source.ts";
import { runsCoreDns } from "../../components/parts.ts";
import { formatIssue } from "../../components/schema/errors.ts";
import type { Settings } from "../../components/settings.ts";
import { SECRET } from "../../policies/core/resource.ts";
import { providerUrn } from "../../policies/core/stack.ts";
import { statedPlace } from "../kubernetes/core-dns-place.ts";
import { bold, dim, plainTable, plural, warningLabel } from "../output/text.ts";
import type { PlannedResource, Recording } from "./recording.ts";

/** A line of the tree. */
interface TreeRow {
  /** Depth below the stack. */
  readonly depth: number;
  /** Branch characters before the type, as in `pulumi preview`. */
  readonly branch: string;
  readonly resource: PlannedResource;
  /** Names of the resources that depend on this one. */
  readonly neededBy: readonly string[];
}

/** The resources as a tree below the stack, in order of registration. */
export function treeRows(resources: readonly PlannedResource[]): TreeRow[] {
  const urns = new Set(resources.map((resource) => resource.urn));
  const children = Map.groupBy(resources, (resource) => (urns.has(resource.parent) ? resource.parent : ""));
  const dependents = dependentsByUrn(resources);

  const below = (parent: string, depth: number, indent: string): TreeRow[] =>
    (children.get(parent) ?? []).flatMap((resource, index, siblings) => {
      const last = index === siblings.length - 1;
      return [
        { depth, branch: `${indent}${last ? "└─ " : "├─ "}`, resource, neededBy: dependents.get(resource.urn) ?? [] },
        ...below(resource.urn, depth + 1, `${indent}${last ? "   " : "│  "}`),
      ];
    });
  return below("", 0, "");
}

function dependentsByUrn(resources: readonly PlannedResource[]): Map<string, string[]> {
  const dependents = new Map<string, string[]>();
  for (const resource of resources)
    for (const urn of new Set([...resource.dependencies, providerUrn(resource.provider)]))
      dependents.set(urn, [...(dependents.get(urn) ?? []), resource.name]);
  return dependents;
}

/** The plan for a terminal: tree, counts, unknown values, outputs. */
export function formatPlan(stack: string, recording: Recording): string {
  const rows = treeRows(recording.resources);
  const lines = rows.map(({ branch, resource, neededBy }) => [
    ` ${styleText("green", "+")}  ${dim(branch)}${resource.type}`,
    resource.name,
    dim(shortList(neededBy)),
  ]);
  const stackLine = [" +  pulumi:pulumi:Stack", `eks-dns-logging-${stack}`, ""];
  return [
    `Plan of stack ${bold(stack)}: what ${bold("pulumi up")} would create from scratch`,
    "",
    plainTable(["    Type", "Name", "Needed by"].map(bold), [stackLine, ...lines]),
    "",
    ...formatOutputs(recording),
    "",
    ...formatCounts(recording.resources),
    "",
  ].join("\n");
}

function shortList(names: readonly string[]): string {
  return names.length <= 2 ? names.join(", ") : `${names[0]} and ${names.length - 1} more`;
}

function formatOutputs(recording: Recording): string[] {
  const entries = Object.entries(recording.outputs);
  if (entries.length === 0) return [];
  const width = Math.max(...entries.map(([key]) => key.length));
  const lines = entries.map(([key, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return `    ${key.padEnd(width)} : ${recording.secretOutputs.includes(key) ? SECRET : text}`;
  });
  return [bold("Outputs:"), ...lines];
}

function formatCounts(resources: readonly PlannedResource[]): string[] {
  const custom = resources.filter((resource) => resource.custom);
  const byPackage = Map.groupBy(custom, (resource) => resource.type.split(":")[0] ?? "");
  const counts = [...byPackage].map(([name, members]) => `${members.length} ${name}`).join(", ");
  return [
    bold("Resources:"),
    `    + ${resources.length + 1} to create: ${custom.length} resources (${counts}) in ${resources.length - custom.length} components and the stack`,
    ...formatUnknowns(custom.filter((resource) => resource.unknowns.length > 0)),
  ];
}

/** Maximum number of unknown values that a plan names. */
const MAX_NAMED = 8;

function formatUnknowns(resources: readonly PlannedResource[]): string[] {
  const count = resources.reduce((sum, resource) => sum + resource.unknowns.length, 0);
  if (count === 0) return [];
  const total = `    ${plural(count, "value")} of ${plural(resources.length, "resource")} known only after deployment`;
  if (count > MAX_NAMED) return [`${total} (--json lists them)`];
  return [total, ...resources.map(({ name, unknowns }) => `      ${name}: ${unknowns.join(", ")}`)];
}

/** Settings without effect and deprecated names, one line each; empty if there are none. */
export function formatWarnings({ warnings }: Pick<Settings, "warnings">): string {
  return warnings.map((issue) => warningLine(formatIssue(issue))).join("");
}

function warningLine(text: string): string {
  return `${warningLabel()} ${text}\n`;
}

/** Warns if the versions of EKS were looked up long before a day (YYYY-MM-DD) and the stack uses any; else empty. */
export function formatAge({ cluster }: Pick<Settings, "cluster">, day: string): string {
  const age = cluster.kind === "existing" ? undefined : ageWarning(day);
  return age === undefined ? "" : warningLine(age);
}

type Stack = Pick<Settings, "logging" | "cluster" | "region" | "teams">;

/**
 * The destinations, if there are several: location, routed lines, and today's names. Empty for a single destination that is not split by
 * team.
 */
export function formatRoutes(settings: Stack, now: Date): string {
  const { logging, teams } = settings;
  if (logging === undefined) return "";
  const targets = targetsOf(logging, teams);
  const isPlain = targets.every(({ places }) => places.length === 0) && logging.sources.length === 1;
  if (logging.destinations === undefined && isPlain) return "";
  const lines = targets.flatMap((target) => [
    `    ${target.name ?? "destination"} : ${placeOf(target, settings)}`,
    `      gets  : ${routedLines(target, logging).join("; or ")}`,
    ...todaysNames(target, settings, now).map((name) => `      today : ${name}`),
  ]);
  return [bold("Log routes:"), ...lines, "", ""].join("\n");
}

function placeOf({ suffix, destination, sources }: Target, { cluster, region }: Stack): string {
  const clusterName = cluster.kind === "existing" ? "" : cluster.name;
  return describeDestination({ suffix, destination, sources, context: { cluster: clusterName, region } });
}

/** The name of each team's place, and of the default place. */
function inPlaces(base: string, places: Target["places"]): string[] {
  return places.length === 0 ? [base] : places.map(({ team }) => placeName(base, team));
}

/** Which lines a destination gets, in words. */
function routedLines({ sources, selections }: Target, logging: LoggingSettings): string[] {
  if (selections.length === 0 && sources.length === logging.sources.length) return ["all lines"];
  const others = sources.filter((source) => source !== "pods");
  const parts = selections.map((selection) => collectedPart(selection, logging)).filter((part) => part !== undefined);
  const pods = selections.length === 0 ? ["all lines of pods"] : parts.map(selectorText);
  const routed = [
    ...(sources.includes("pods") ? pods : []),
    ...(others.length === 0 ? [] : [`source ${others.join(" or ")}`]),
  ];
  return routed.length === 0 ? ["no lines, because none that its routes select are collected"] : routed;
}

/** The lines that a route or step selects; empty for all. */
function selectorText({
  pattern,
  namespaces,
  teams,
  labels,
  streams,
  levels,
}: Partial<Selection> & ProcessingSelectors): string {
  return [
    ...(pattern === undefined ? [] : [`/${pattern}/`]),
    ...(namespaces === undefined ? [] : [`namespace ${namespaces.join(" or ")}`]),
    ...(teams === undefined ? [] : [`team ${teams.join(" or ")}`]),
    ...Object.entries(labels ?? {}).map(([key, value]) => `label ${key}=${value}`),
    ...(streams === undefined ? [] : [`stream ${streams.join(" or ")}`]),
    ...(levels === undefined ? [] : [`level ${levels.join(" or ")}`]),
  ].join(", ");
}

/** Where lines are written now: indices, the log group, or the prefix of object keys, whose day starts at midnight UTC. */
function todaysNames(target: Target, { cluster, teams }: Stack, now: Date): string[] {
  const { suffix, destination, sources, places } = target;
  switch (destination.kind) {
    case "opensearch":
    case "elasticsearch":
      return indicesOfTarget(target, teams, now);
    case "cloudwatch": {
      const name = cluster.kind === "existing" ? "" : cluster.name;
      const [group = "", ...others] = logGroups(destination, name, suffix, sources);
      return [...inPlaces(group, places), ...others];
    }
    case "s3":
      return [
        ...(sources.includes("pods") ? inPlaces(destination.prefix, places) : []),
        // AWS names its own deliveries.
        ...ownSources(sources.filter((source) => source !== "auto-mode")).map((source) =>
          sourcePlace(destination.prefix, source),
        ),
      ].map((prefix) => `${folderOf(prefix)}${now.toISOString().slice(0, 10).replaceAll("-", "/")}/`);
    default:
      return [];
  }
}

type Processing = LoggingSettings["processing"];
type Rule = Partial<Processing["drop"][number]>;
/** Selectors that processing steps have and routes lack. */
type ProcessingSelectors = { readonly [key in "pattern" | "teams"]?: Readonly<Rule[key]> };

/** The processing steps, one line each. Empty if there are none. */
export function formatProcessing(logging: Pick<LoggingSettings, "processing"> | undefined): string {
  const lines = logging === undefined ? [] : processingSteps(logging.processing);
  if (lines.length === 0) return "";
  const title = bold("Log processing:");
  return [title, ...lines.map((line) => `    ${line}`), "", ""].join("\n");
}

function processingSteps({ firstLines, redact, drop, sample, limit, fields }: Processing): string[] {
  const masked = redact.map((kind) => (typeof kind === "string" ? kind : `/${kind.pattern}/`));
  const added = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  return [
    ...firstLines.map((rule) => `joins   : lines up to the next of ${selectorText(rule)}`),
    ...(masked.length === 0 ? [] : [`redacts : ${masked.join(", ")}`]),
    ...drop.map((rule) => `drops   : ${selectorText(rule)}`),
    ...sample.map(
      (rule) => `keeps   : ${Math.round(rule.ratio * 1000) / 10} % of ${selectorText(rule) || "all lines"}`,
    ),
    ...limit.map((rule) => `limits  : each pod to ${rule.linesPerSecond} lines/s${inPlace(rule)}`),
    ...(added.length === 0 ? [] : [`adds    : ${added.join(", ")}`]),
  ];
}

function inPlace(rule: Rule): string {
  const selected = selectorText(rule);
  return selected === "" ? "" : ` in ${selected}`;
}

/** The effective DNS settings with the reason for each choice, and behavior of CoreDNS that may surprise. */
export function formatDns({ dns, cluster }: Pick<Settings, "dns" | "cluster">): string {
  // With Auto Mode nothing of it is installed, which is a warning.
  if (dns === undefined || !runsCoreDns(cluster, dns)) return "";
  if (dns.adopt?.manage === false) {
    const { namespace, selector } = statedPlace(dns);
    return `${bold(`DNS, left as it is: pods of ${namespace} with ${selector} answer queries.`)}\n\n`;
  }
  const { rows } = dnsProfile(dns);
  const width = (key: "setting" | "value") => Math.max(...rows.map((row) => row[key].length));
  const lines = rows.map(
    ({ setting, value, reason }) =>
      `    ${setting.padEnd(width("setting"))} : ${value.padEnd(width("value"))}  ${reason}`,
  );
  const warnings = dnsWarnings(dns, kubernetesVersionOf(cluster), kubeDnsAddresses(cluster));
  return [
    bold(
      cluster.kind === "existing" && dns.adopt === undefined
        ? "DNS, not deployed (--manifests writes its Corefile):"
        : "DNS:",
    ),
    ...lines,
    ...warnings.map((warning) => `    ${warningLabel()} ${warning}`),
    "",
    "",
  ].join("\n");
}

function kubernetesVersionOf(cluster: Settings["cluster"]): string | undefined {
  if (cluster.kind === "existing") return undefined;
  return cluster.kind === "eks" ? cluster.version : (cluster.kubernetesVersion ?? LOOKED_UP_VERSION);
}

/** Cluster sizes in the documentation, up to the Kubernetes maximum. */
const SIZES = [
  { nodes: 3, pods: 60, services: 20 },
  { nodes: 100, pods: 3000, services: 500 },
  { nodes: 500, pods: 15_000, services: 2000 },
  { nodes: 1000, pods: 30_000, services: 5000 },
  { nodes: 5000, pods: 150_000, services: 10_000 },
] as const;

const COLUMNS = [
  "nodes",
  "pods",
  "services",
  "CoreDNS pods",
  "answers in the cache",
  "memory limit",
  "with autopath",
  "with tuned",
];

/** The profile's settings by cluster size, as Markdown, if nothing else is set. */
export function profileTable(): string {
  const lines = SIZES.map((clusterSize) => {
    const plain = profileOf({ clusterSize });
    const bounds = plain.autoscaling;
    return [
      ...Object.values(clusterSize).map((count) => count.toLocaleString("en")),
      bounds === undefined ? String(plain.replicas) : `${bounds.minReplicas} to ${bounds.maxReplicas}`,
      plain.cache.success?.toLocaleString("en") ?? "9,984",
      plain.memoryLimit ?? "",
      profileOf({ clusterSize, corefile: { options: { autopath: true } } }).memoryLimit ?? "",
      profileOf({ clusterSize, corefile: { profile: "tuned" } }).memoryLimit ?? "",
    ];
  });
  return `${[COLUMNS, COLUMNS.map(() => "---:"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}

function profileOf(settings: unknown) {
  return dnsProfile(DnsSettings.parse(settings));
}
