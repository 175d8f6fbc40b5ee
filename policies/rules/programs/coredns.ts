import { seconds, servesRoot, servesRootSomewhere } from "eks-dns-logging-corefile";
import { parseAddonVersion, possibleRejections, possibleVersions, rejections } from "eks-dns-logging-corefile/addon";
import { quantity } from "eks-dns-logging-corefile/quantity";
import type { Resource } from "../../core/resource.ts";
import { aws, coreDns, count, type Report, type Rule, texts } from "../../core/rule.ts";
import type { Stack } from "../../core/stack.ts";
import {
  ADDON,
  addonRule,
  blocksOf,
  CORE_DNS_COMPONENT,
  configurationOf,
  corefileRule,
  inside,
  isCoreDns,
  isOfComponent,
  SYSTEM_NAMESPACE,
} from "../../readers/cluster-dns.ts";
import { nameOf, namespaceOf } from "../../readers/workload.ts";
import { type Group, isGroup } from "../../readers/yaml-texts.ts";
import { NODE_GROUP } from "../aws/cluster-nodes.ts";
import { COREDNS_REPLICAS } from "./coredns-replicas.ts";

const EVERYWHERE = texts("everywhere", "Plugins that some server block must have", [
  "health",
  "ready",
  "kubernetes",
  "loop",
  "reload",
]);
const IN_ROOT = texts("inRoot", "Plugins that the server block of zone . must have", ["errors", "forward", "cache"]);
const TERMINATION = count("terminationGraceSeconds", "Termination grace period in seconds, set by the add-on", 30, 1);
const PODS_PER_NODE = count("podsPerNode", "Maximum pods per node", 110, 1);
const SERVICES = count("services", "Services in the cluster", 1000);
/** The add-on's default memory limit. */
const DEFAULT_LIMIT = "170Mi";
const MEBI = 2 ** 20;
/** CoreDNS's default capacity, in answers of each kind; the memory of a cluster's names includes them. */
const DEFAULT_CAPACITY = 9984;
/** Measured: 1.22 KB per answer of a full cache. */
const BYTES_PER_ANSWER = 1220;

/** A path in dotted form: `tolerations[0].key`. */
function dotted(path: readonly (string | number)[]): string {
  return path.map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? key : `.${key}`)).join("");
}

function shown(path: readonly (string | number)[], value: unknown): string {
  return `${dotted(path)} is ${value === undefined ? "not set" : JSON.stringify(value)}`;
}

/** Checks a configuration against the schemas of all versions that a looked-up one may be; the deployment checks what they accept. */
function checkPossible(addon: Resource, configuration: Group, report: Report): void {
  const field = addon.at("configurationValues");
  const found = possibleRejections(configuration);
  for (const { path, value, message, undecided, versions } of found) {
    if (undecided)
      report.undecided(field, `sets ${dotted(path)}, which ${message}: it is not known for ${versions.join(", ")}`);
    else report.wrongIn(field, shown(path, value), `which ${message} (${versions.join(", ")})`);
  }
  if (found.length > 0) return;
  const versions = possibleVersions().join(", ");
  report.deferred(addon.at("addonVersion"), `is looked up by the provider (the configuration fits ${versions})`);
}

/** Reliability of name resolution. */
export const COREDNS: readonly Rule[] = [
  {
    id: "coredns-configuration-valid",
    family: "coredns",
    level: "mandatory",
    title: "The add-on configuration matches the schema of its version",
    reason: "EKS rejects anything else, after minutes.",
    fix: "follow the output of `aws eks describe-addon-configuration` for the version",
    source: aws("EKS add-on configuration", "eks/latest/APIReference/API_DescribeAddonConfiguration.html"),
    types: [ADDON],
    check: (addon, report) => {
      if (!isCoreDns(addon)) return;
      const field = addon.at("configurationValues");
      const configuration = configurationOf(addon);
      if (configuration === undefined) return report.wrong(field, "neither a JSON nor a YAML object");
      if (Object.keys(configuration).length === 0) return;
      if (addon.at("addonVersion").isLookedUp) return checkPossible(addon, configuration, report);
      const version = addon.at("addonVersion").text() ?? "";
      // Without a version the schema is unknown; cluster-addons-pinned reports that.
      if (parseAddonVersion(version) === undefined) return;
      for (const { path, value, message, undecided } of rejections(configuration, version)) {
        if (undecided) report.undecided(field, `sets ${dotted(path)}, which ${message}`);
        else report.wrongIn(field, shown(path, value), `which ${message} (${version})`);
      }
    },
  },
  COREDNS_REPLICAS,
  addonRule(
    {
      id: "coredns-disruption",
      level: "mandatory",
      title: "A disruption budget and spreading keep CoreDNS available during drains",
      reason: "Without them, one drain can stop every CoreDNS pod.",
      fix: "leave podDisruptionBudget, affinity and topologySpreadConstraints at the add-on's defaults",
      source: aws("EKS best practices, CoreDNS reliability", "eks/latest/best-practices/scale-cluster-services.html"),
    },
    (configuration, field, report) => {
      const budget = configuration.podDisruptionBudget;
      const replicas = leastReplicas(configuration);
      if (inside(budget, "enabled") === false)
        report.wrongIn(field, "podDisruptionBudget.enabled is false", "so a drain takes all pods");
      const [max, min] = [inside(budget, "maxUnavailable"), inside(budget, "minAvailable")];
      // Pods that may go, of the least that run; Kubernetes rounds both percentages up.
      const may = min === undefined ? podsOf(max, replicas) : replicas - (podsOf(min, replicas) ?? 0);
      const written = min === undefined ? `maxUnavailable is ${max}` : `minAvailable is ${min}`;
      if (may !== undefined && may >= replicas)
        report.wrongIn(field, `podDisruptionBudget.${written}`, `of ${replicas} pods, so a drain takes all`);
      if (may !== undefined && may <= 0)
        report.wrongIn(field, `podDisruptionBudget.${written}`, `of ${replicas} pods, so no node can be drained`);
      const { affinity, topologySpreadConstraints: spread } = configuration;
      const apart = affinity === undefined || keepsApart(inside(affinity, "podAntiAffinity"));
      const spreads = spread === undefined || (Array.isArray(spread) && spread.length > 0);
      if (!apart && !spreads)
        report.wrongIn(
          field,
          `affinity is ${JSON.stringify(affinity)} and topologySpreadConstraints is ${JSON.stringify(spread)}`,
          "so all pods may run on one node",
        );
    },
  ),
  corefileRule(
    {
      id: "coredns-corefile-complete",
      level: "mandatory",
      title: "The Corefile has the plugins that cluster DNS needs",
      reason: "Health and ready find failed pods, loop finds forwarding loops, cache relieves upstreams.",
      fix: "add the plugin to the server block",
      source: {
        id: "CoreDNS: the EKS default Corefile",
        url: "https://docs.aws.amazon.com/eks/latest/userguide/managing-coredns.html",
      },
      options: [EVERYWHERE, IN_ROOT],
    },
    (blocks, field, report, settings, resource) => {
      const has = (among: typeof blocks, name: string) =>
        among.some(({ directives }) => directives.some((line) => line.name === name));
      const usual = blocks.filter(servesRoot);
      const isUsual = usual.length > 0 || !mayHaveOtherPort(resource);
      const root = isUsual ? usual : blocks.filter(servesRootSomewhere);
      if (root.length === 0)
        report.wrongIn(field, "the Corefile", "which has no server block for the zone .", "add a server block .:53");
      for (const name of settings.get(EVERYWHERE).filter((wanted) => !has(blocks, wanted)))
        report.wrongIn(field, "the Corefile", `which lacks the plugin ${name}`);
      for (const name of settings.get(IN_ROOT).filter((wanted) => root.length > 0 && !has(root, wanted)))
        report.wrongIn(field, "the Corefile", `whose server block for . lacks the plugin ${name}`);
    },
  ),
  corefileRule(
    {
      id: "coredns-lameduck",
      level: "mandatory",
      title: "CoreDNS has a lameduck period shorter than its termination grace period",
      reason: "Without it, queries are lost while endpoints list the pod.",
      fix: "add a block with the line lameduck 5s to the plugin health",
      source: coreDns("health"),
      options: [TERMINATION],
    },
    (blocks, field, report, settings, resource) => {
      // A patch is for another owner's pods, whose grace period only their stack knows.
      const grace = resource.type.endsWith("Patch") ? Number.POSITIVE_INFINITY : settings.get(TERMINATION);
      for (const health of blocks.flatMap(({ directives }) => directives.filter(({ name }) => name === "health"))) {
        const written = health.block?.find(({ name }) => name === "lameduck")?.args[0];
        const lasts = seconds(written ?? "") ?? 0;
        if (lasts <= 0)
          report.wrongIn(field, `lameduck is ${written ?? "not set"}`, "so queries are lost when a pod stops");
        else if (lasts >= grace)
          report.wrongIn(field, `lameduck is ${written}`, `and the pod is killed after ${grace} s`);
      }
    },
  ),
  {
    id: "coredns-memory",
    family: "coredns",
    level: "mandatory",
    title: "The memory limit of CoreDNS fits the size of the cluster",
    reason: "CoreDNS is killed over the limit.",
    fix: "raise resources.limits.memory",
    source: {
      id: "CoreDNS: scaling in Kubernetes",
      url: "https://github.com/coredns/deployment/blob/master/kubernetes/Scaling_CoreDNS.md",
    },
    options: [PODS_PER_NODE, SERVICES],
    types: [ADDON, NODE_GROUP, CORE_DNS_COMPONENT],
    checkStack: (stack, report, settings) =>
      report.each(stack.ofType(ADDON).filter(isCoreDns), (addon) => {
        const field = addon.at("configurationValues");
        const configuration = configurationOf(addon) ?? {};
        const limit = inside(configuration, "resources", "limits", "memory") ?? DEFAULT_LIMIT;
        const bytes = typeof limit === "string" ? (quantity(limit) ?? 0) : 0;
        const expected = expectedObjects(stack, addon);
        const nodes = stack
          .ofType(NODE_GROUP)
          .reduce((sum, group) => sum + (group.at("scalingConfig", "maxSize").number() ?? 0), 0);
        const objects = expected ?? nodes * settings.get(PODS_PER_NODE) + settings.get(SERVICES);
        const size = expected === undefined ? `${nodes} nodes with ${objects}` : `the ${objects} expected`;
        const autopath = typeof configuration.corefile === "string" && /^\s*autopath\b/m.test(configuration.corefile);
        const names = autopath ? objects / 250 + 56 : objects / 1000 + 54;
        const cache = cacheBytes(configuration.corefile);
        const needed = names * 1e6 + cache;
        const uses = [...(autopath ? ["autopath"] : []), ...(cache > 0 ? ["a full cache"] : [])];
        const using = uses.length === 0 ? "" : ` with ${uses.join(" and ")}`;
        if (bytes < needed)
          report.wrongIn(
            field,
            `resources.limits.memory is ${limit}`,
            `and ${size} pods and Services need ${Math.ceil(needed / MEBI)}Mi${using}`,
          );
      }),
  },
  {
    id: "coredns-conflict-modes",
    family: "coredns",
    level: "mandatory",
    title: "Add-on conflict modes are set to values that EKS accepts",
    reason: "EKS rejects PRESERVE on create; a missing mode blocks the next update.",
    fix: "set resolveConflictsOnCreate: OVERWRITE (or NONE) and resolveConflictsOnUpdate: OVERWRITE, PRESERVE or NONE",
    source: aws("EKS CreateAddon, resolveConflicts", "eks/latest/APIReference/API_CreateAddon.html"),
    types: [ADDON],
    check: (addon, report) => {
      const modes = {
        resolveConflictsOnCreate: ["OVERWRITE", "NONE"],
        resolveConflictsOnUpdate: ["OVERWRITE", "PRESERVE", "NONE"],
      };
      report.each(Object.entries(modes), ([key, allowed]) => {
        const mode = addon.at(key);
        if (!allowed.includes(mode.text() ?? "")) report.wrong(mode, `not one of ${allowed.join(", ")}`);
      });
    },
  },
];

/** Whether a Service may target a port other than 53, as with CoreDNS's Helm chart; the usual kube-system/coredns listens on 53. */
function mayHaveOtherPort(resource: Resource): boolean {
  if (resource.type === ADDON) return false;
  return isOfComponent(resource) || nameOf(resource) !== "coredns" || namespaceOf(resource) !== SYSTEM_NAMESPACE;
}

/** Pods and Services by `dns.clusterSize` in an add-on's stack; undefined if unset. */
function expectedObjects(stack: Stack, addon: Resource): number | undefined {
  const owner = stack.ofType(CORE_DNS_COMPONENT).find(({ name }) => addon.name === `${name}-addon`);
  const [pods, services] = ["pods", "services"].map((key) => owner?.at("clusterSize", key).number());
  return pods === undefined || services === undefined ? undefined : pods + services;
}

/** Bytes of a Corefile's cached answers above CoreDNS's default; 0 if it cannot be parsed. */
function cacheBytes(corefile: unknown): number {
  const blocks = typeof corefile === "string" ? blocksOf(corefile, false) : [];
  if (typeof blocks === "string") return 0;
  const lines = blocks
    .flatMap(({ directives }) => directives.filter(({ name }) => name === "cache"))
    .flatMap(({ block = [] }) => block.filter(({ name }) => name === "success" || name === "denial"));
  const above = lines.map(({ args: [capacity] }) => Math.max(0, Number(capacity) - DEFAULT_CAPACITY) || 0);
  return above.reduce((sum, count) => sum + count, 0) * BYTES_PER_ANSWER;
}

/** The add-on's default number of pods, and its autoscaler's minimum. */
const DEFAULT_REPLICAS = 2;

/** Pods that run at any load. */
function leastReplicas({ replicaCount, autoScaling }: Group): number {
  const count = inside(autoScaling, "enabled") === true ? inside(autoScaling, "minReplicas") : replicaCount;
  return typeof count === "number" ? count : DEFAULT_REPLICAS;
}

/** Pods of a number or percentage, such as `50%`, which Kubernetes rounds up; undefined if it is neither. */
function podsOf(value: unknown, replicas: number): number | undefined {
  if (typeof value === "number") return value;
  const share = typeof value === "string" ? /^(\d+)%$/.exec(value)?.[1] : undefined;
  return share === undefined ? undefined : Math.ceil((Number(share) / 100) * replicas);
}

/** Whether an anti-affinity has any terms. */
function keepsApart(antiAffinity: unknown): boolean {
  return isGroup(antiAffinity) && Object.values(antiAffinity).some((terms) => Array.isArray(terms) && terms.length > 0);
}
