import { type Directive, DNS_PORT, ifReadable, parseBlocks } from "eks-dns-logging-corefile";
import { teamNamespace } from "../../components/kubernetes/labels.ts";
import { LOGGING_NAMESPACE } from "../../components/logging/settings.ts";
import { isObject } from "../../components/schema/values.ts";
import type { Settings } from "../../components/settings.ts";
import { curlPodName } from "../../components/team/curl-pod-spec.ts";
import type { CoreDnsPlace } from "../kubernetes/core-dns-place.ts";
import { fieldOf, type KubernetesJson, type ObjectRef, withField } from "../kubernetes/object-store.ts";
import type { Check } from "../verify/result.ts";

/** One write that breaks something on a cluster. */
export type Fault =
  | {
      readonly kind: "change";
      readonly ref: ObjectRef;
      /** Returns the faulty object; undefined if the object cannot be made faulty. */
      readonly change: (object: KubernetesJson) => KubernetesJson | undefined;
    }
  | { readonly kind: "create"; readonly ref: ObjectRef; readonly object: KubernetesJson }
  | { readonly kind: "delete"; readonly ref: ObjectRef };

/** The setting of a drill: two teams, the first of which may connect to the second. */
export interface Scene {
  readonly settings: Settings;
  readonly from: string;
  readonly to: string;
  readonly coreDns: CoreDnsPlace;
}

/** A fault for a learner to find. */
export interface Drill {
  /** Names the symptom, never the cause. */
  readonly name: string;
  /** 1: one object to look at; 2: several; 3: the symptom misleads. */
  readonly level: 1 | 2 | 3;
  /** Expected duration for a learner. */
  readonly minutes: number;
  /** Part of the stack that it concerns. */
  readonly part: "dns" | "teams" | "logs";
  /** What a user would report. */
  readonly symptom: (scene: Scene) => string;
  /** A command that shows the symptom. */
  readonly shownBy: (scene: Scene) => string;
  readonly hints: (scene: Scene) => readonly [string, string, string];
  /** Rows of `lab verify` that fail with the fault, in the syntax of `--only`. */
  readonly rows: (scene: Scene) => readonly string[];
  /** Checks that verify does not have. @default none */
  readonly checks?: (scene: Scene) => readonly Check[];
  /** Why a stack cannot run the drill; undefined if it can. @default always possible */
  readonly unfit?: (scene: Scene) => string | undefined;
  readonly faults: (scene: Scene) => readonly Fault[];
  /** Pods that must restart before the fault or its repair takes effect. @default none */
  readonly restarts?: (scene: Scene) => { readonly namespace: string; readonly selector: string };
  /** Where a controller keeps old revisions of the object, which are restored too. @default nowhere */
  readonly history?: (scene: Scene) => History;
  /** An effect of the drill that cannot be undone, shown before the first write. @default nothing */
  readonly warning?: string;
  /** What was changed, and how it causes the symptom. */
  readonly cause: (scene: Scene) => string;
  /** How to repair it by hand. */
  readonly repair: (scene: Scene) => string;
  /** Alert that would report it; undefined if there is none. */
  readonly alert?: string;
}

/** Old revisions that a controller keeps of an object, such as the ReplicaSets of a Deployment. */
export interface History extends Omit<ObjectRef, "name"> {
  /** Their label, as `key=value`. */
  readonly selector: string;
}

/** A command to run in the team's curl pod. */
export function inPod(team: string, command: string): string {
  return `kubectl -n ${teamNamespace(team)} exec ${curlPodName(team)} -- ${command}`;
}

/** The ConfigMap with CoreDNS's Corefile. */
export function corefileOf({ namespace, configMap }: CoreDnsPlace): ObjectRef {
  return { apiVersion: "v1", plural: "configmaps", namespace, name: configMap };
}

/** An object of the core API in a team's namespace. */
export function teamObject(plural: string, team: string, name: string = curlPodName(team)): ObjectRef {
  return { apiVersion: "v1", plural, namespace: teamNamespace(team), name };
}

/** A team's NetworkPolicy. */
export function teamPolicy(team: string, name: string): ObjectRef {
  return { apiVersion: "networking.k8s.io/v1", plural: "networkpolicies", namespace: teamNamespace(team), name };
}

/** Reference to a workload. */
export function workload(plural: "deployments" | "daemonsets", namespace: string, name: string): ObjectRef {
  return { apiVersion: "apps/v1", plural, namespace, name };
}

/** Changes the first container of a workload's pods, and the fields beside it. */
export function changePods(
  object: KubernetesJson,
  change: (container: KubernetesJson) => KubernetesJson,
  beside: (pods: KubernetesJson) => KubernetesJson = (pods) => pods,
): KubernetesJson | undefined {
  const path = ["spec", "template", "spec"];
  const pods = fieldOf(object, path);
  const containers = fieldOf(pods, ["containers"]);
  if (!isObject(pods) || !Array.isArray(containers)) return undefined;
  const [first, ...others]: readonly unknown[] = containers;
  if (!isObject(first)) return undefined;
  return withField(object, path, beside({ ...pods, containers: [change(first), ...others] }));
}

/** Appends an element to a list, which may be missing. */
export function withElement(object: KubernetesJson, key: string, element: KubernetesJson): KubernetesJson {
  const list: unknown = object[key];
  return { ...object, [key]: [...(Array.isArray(list) ? list : []), element] };
}

/** Changes one text of a ConfigMap; undefined if there was nothing to change. */
function changeText(
  configMap: KubernetesJson,
  key: string,
  change: (text: string) => string | undefined,
): KubernetesJson | undefined {
  const text = fieldOf(configMap, ["data", key]);
  const changed = typeof text === "string" ? change(text) : undefined;
  return changed === undefined || changed === text ? undefined : withField(configMap, ["data", key], changed);
}

export const FLUENT_BIT = "fluent-bit";
const CONFIGURATION = "fluent-bit.yaml";

/** Namespace of the collectors. */
export function loggingNamespace({ settings }: Scene): string {
  return settings.logging?.namespace ?? LOGGING_NAMESPACE;
}

/** A command of kubectl in the namespace of the collectors. */
export function onCollector(scene: Scene, command: string): string {
  return `kubectl -n ${loggingNamespace(scene)} ${command}`;
}

/** A core API object in the collector's namespace. */
export function logging(scene: Scene, plural: string, name: string): ObjectRef {
  return { apiVersion: "v1", plural, namespace: loggingNamespace(scene), name };
}

/** Changes Fluent Bit's configuration. @param change Returns undefined if the text has nothing to change. */
export function configuration(scene: Scene, change: (text: string) => string | undefined): Fault {
  const ref = logging(scene, "configmaps", FLUENT_BIT);
  return { kind: "change", ref, change: (object) => changeText(object, CONFIGURATION, change) };
}

/** The collector's pods on the nodes. */
export function collectorPods(scene: Scene) {
  return { namespace: loggingNamespace(scene), selector: `app.kubernetes.io/name=${FLUENT_BIT}` };
}

/** What all drills about the DaemonSet collector share. */
export const LOGS = {
  part: "logs",
  restarts: collectorPods,
  unfit: ({ settings: { logging: settings } }: Scene) => {
    if (settings === undefined) return "the stack collects no logs";
    if (settings.collector !== FLUENT_BIT || settings.mode !== "daemonset")
      return "it changes Fluent Bit's configuration on the nodes, and the stack runs another collector";
    if (settings.destinations !== undefined) return "the stack has several destinations";
    return undefined;
  },
} as const;

/** Changes CoreDNS's Corefile. */
export function corefile({ coreDns }: Scene, change: CorefileFault): Fault {
  return {
    kind: "change",
    ref: corefileOf(coreDns),
    change: (object) => changeText(object, "Corefile", (text) => change(text, coreDns.port)),
  };
}

/**
 * Changes a Corefile; returns the same text, or undefined, if there is nothing to change.
 * @param port Port at which CoreDNS's pods answer. Default 53, also without a port in the Corefile.
 */
type CorefileFault = (text: string, port?: number) => string | undefined;

/** Blanks within a line. */
const S = "[^\\S\\n]";

/** Inserts lines at the start of the server block for all names. */
export function intoBlock(lines: string): CorefileFault {
  return inRootBlock((block) => block.replace(/^.*\n/, (head) => `${head}${lines}`));
}

/** Replaces all upstreams of outside names by one. */
export function forwardTo(upstream: string): CorefileFault {
  const upstreams = new RegExp(`^(${S}*forward${S}+\\.)(?:${S}+[^\\s{]+)+`, "m");
  return inRootBlock((block) => block.replace(upstreams, `$1 ${upstream}`));
}

/** Replaces the cluster's domain in the plugin kubernetes; a line may contain it twice, also with a final dot. */
export function answerFor(zone: string, domain: string): CorefileFault {
  const isDomain = (word: string) => word.toLowerCase().replace(/\.$/, "") === domain;
  return (text) =>
    text.replace(new RegExp(`^${S}*kubernetes${S}[^{#\\n]*`, "gm"), (line) =>
      line.replace(/\S+/g, (word) => (isDomain(word) ? zone : word)),
    );
}

/** Gives a name an address through the plugin hosts. A server block may have it only once, so an existing one gets the entry, as in K3s. */
export function hostsEntry(address: string, name: string): CorefileFault {
  const entry = `${address} ${name}`;
  return (text, port) => {
    const hosts = rootDirectives(text, port)?.filter((directive) => directive.name === "hosts") ?? [];
    if (hosts.length === 0) return intoBlock(`    hosts {\n      ${entry}\n      fallthrough\n    }\n`)(text, port);
    if (!hosts.every(isForEveryName)) return undefined;
    const line = new RegExp(`^(${S}*)hosts${S}[^#\\n]*\\{${S}*\\n`, "m");
    return inRootBlock((block) => block.replace(line, (found, indent) => `${found}${indent}  ${entry}\n`))(text, port);
  };
}

/** Whether hosts applies to all names and falls through for unknown ones. Its first argument is a file, the others are zones. */
function isForEveryName({ args, block = [] }: Directive): boolean {
  return args.length < 2 && block.some(({ name, args: zones }) => name === "fallthrough" && zones.length === 0);
}

/** A regular expression for the zone of all names at a port, as in the head of a server block. */
export function rootZone(port: number = DNS_PORT): string {
  return `(?:dns://)?\\.${port === DNS_PORT ? `(?::${DNS_PORT})?` : `:${port}`}`;
}

/** The lines of the server block for all names; undefined if it cannot be read. */
function rootDirectives(text: string, port: number | undefined): readonly Directive[] | undefined {
  const root = new RegExp(`^${rootZone(port)}$`, "i");
  const blocks = ifReadable(() => parseBlocks(text));
  return blocks?.find(({ zones }) => zones.some((zone) => root.test(zone)))?.directives;
}

/** Changes only the server block for all names, which may come after blocks for other zones. */
function inRootBlock(change: (block: string) => string): CorefileFault {
  return (text, port) => {
    const found = new RegExp(`^${rootZone(port)}\\s*\\{`, "m").exec(text);
    if (found === null) return undefined;
    const start = found.index;
    const end = endOfBlock(text, start);
    return `${text.slice(0, start)}${change(text.slice(start, end))}${text.slice(end)}`;
  };
}

/** The position after a block's closing brace; braces in comments do not count. */
function endOfBlock(text: string, start: number): number {
  let depth = 0;
  for (const { 0: found, index } of text.slice(start).matchAll(/#.*|[{}]/g)) {
    if (found === "{") depth += 1;
    if (found === "}") depth -= 1;
    if (found === "}" && depth === 0) return start + index + 1;
  }
  return text.length;
}
