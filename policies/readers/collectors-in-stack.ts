import { type Field, type Resource, Undecided } from "../core/resource.ts";
import type { Report } from "../core/rule.ts";
import type { Stack } from "../core/stack.ts";
import { sinksIn } from "./collector-sinks.ts";
import { parseFluentBit, Section, type WrittenConfig } from "./fluent-bit-config.ts";
import {
  CONFIG_MAP,
  containerLists,
  isDaemonSet,
  nameOf,
  namespaceOf,
  plainPath,
  podSpecOf,
  WORKLOADS,
} from "./workload.ts";

/** A workload and its Fluent Bit configuration, from all files that it mounts. */
export interface RunningConfig {
  readonly workload: Resource;
  /** Whether it is a DaemonSet, which reads its node's logs; else it is a sidecar. */
  readonly isOnNode: boolean;
  readonly service: Section;
  readonly inputs: readonly Section[];
  readonly filters: readonly Section[];
  readonly outputs: readonly Section[];
  /** Nodes among which outputs distribute lines. */
  readonly nodes: readonly Section[];
}

/** Log collectors in a stack. */
interface Collectors {
  /** DaemonSets that read other pods' logs on the node, or run a known collector. */
  readonly daemonSets: readonly Resource[];
  /** Workloads other than DaemonSets that run Fluent Bit. */
  readonly sidecars: readonly Resource[];
  /** Unknown images of DaemonSets that would be collectors only because of these images. */
  readonly unknownImages: readonly Field[];
  /** Fluent Bit configurations that workloads mount from the stack's ConfigMaps. */
  readonly running: readonly RunningConfig[];
  /** Configurations of collectors other than Fluent Bit: files in the stack's ConfigMaps, or their operator's input. */
  readonly otherConfigs: readonly Field[];
  /** Workloads of collectors other than Fluent Bit, and whether a file in the stack's ConfigMaps has its destination. */
  readonly foreign: ReadonlyMap<Resource, boolean>;
  /** Undecided parts. */
  readonly open: readonly Undecided[];
}

/** Types that a collector's configuration is read from: workloads, and the ConfigMaps that they mount. */
export const CONFIGURATION_TYPES: readonly string[] = [...WORKLOADS, CONFIG_MAP];
/** Folders with other programs' logs. A folder below /var/log may be a program's own, such as the VPC CNI's. */
const LOG_PATHS = /^\/(var\/log(\/(containers|pods|journal))?|var\/lib\/docker\/containers|run\/log(\/journal)?)\/?$/;
/** Neither alloydb nor vectorized, and of OpenTelemetry none of the agents and operators that collect no logs. */
const COLLECTOR_IMAGES =
  /(^|[/_-])(fluent|filebeat|promtail|logagent|(vector|alloy)(?![a-z])|(otel|opentelemetry)(?![\w./-]*(ebpf|instrument|operator|allocator)))/;
/** Custom resources of the OpenTelemetry operator. */
const OPERATED = /^kubernetes:opentelemetry\.io\/\w+:OpenTelemetryCollector$/;
const FLUENT_BIT_IMAGES = /fluent-?bit/;

/** Cached, since all collector rules need them. */
const FOUND = new WeakMap<Stack, Collectors>();

/** The log collectors of a stack. Reports what is undecided about them. */
export function collectorsOf(stack: Stack, report: Report): Collectors {
  const found = FOUND.get(stack) ?? findCollectors(stack);
  FOUND.set(stack, found);
  for (const { field, why } of found.open) report.undecided(field, why);
  return found;
}

function findCollectors(stack: Stack): Collectors {
  const open: Undecided[] = [];
  const daemonSets: Resource[] = [];
  const sidecars: Resource[] = [];
  const unknownImages: Field[] = [];
  const running: RunningConfig[] = [];
  const otherConfigs: Field[] = [];
  const foreign = new Map<Resource, boolean>();
  // Collects what is undecided, so that an unknown part does not hide the others.
  const decided = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Undecided)) throw error;
      open.push(error);
      return undefined;
    }
  };
  const configMaps = Map.groupBy(stack.ofType(CONFIG_MAP), (map) => String(map.at("metadata", "name").raw));
  for (const workload of stack.resources) {
    if (OPERATED.test(workload.type)) otherConfigs.push(workload.at("spec", "config"));
    const pod = podSpecOf(workload);
    if (pod === undefined) continue;
    const isOnNode = isDaemonSet(workload);
    // Unknown parts of an application do not matter unless a collector runs beside it.
    if (!isOnNode && !hasImage(pod, COLLECTOR_IMAGES)) continue;
    if (!isOnNode && hasImage(pod, FLUENT_BIT_IMAGES)) sidecars.push(workload);
    const files = decided(() => filesOf(workload, pod, configMaps)) ?? [];
    const written = files.flatMap((file) => {
      const config = decided(() => parseFluentBit(file.text() ?? ""));
      return config === undefined ? [] : [{ file, config }];
    });
    const foreignFiles = files.filter((file) => !written.some((fluentBit) => fluentBit.file === file));
    otherConfigs.push(...foreignFiles);
    const sends = foreignFiles.some((file) => (decided(() => sinksIn(file.text() ?? "")) ?? []).length > 0);
    const collects = decided(() => readsLogs(workload, pod)) === true || hasImage(pod, COLLECTOR_IMAGES);
    if (!hasImage(pod, FLUENT_BIT_IMAGES) && (sends || collects)) foreign.set(workload, sends);
    if (isOnNode && (collects || written.length > 0)) daemonSets.push(workload);
    else if (isOnNode) unknownImages.push(...unknownImagesOf(pod));
    if (written.length > 0) running.push(merged(workload, isOnNode, pod, written));
  }
  return { daemonSets, sidecars, unknownImages, running, otherConfigs, foreign, open };
}

/** Whether a DaemonSet mounts other pods' logs on its node. @throws {Undecided} */
function readsLogs(workload: Resource, pod: Field): boolean {
  if (!isDaemonSet(workload)) return false;
  const paths = pod
    .at("volumes")
    .items()
    .map((volume) => volume.at("hostPath", "path"));
  return paths.some((path) => LOG_PATHS.test(plainPath(path.text() ?? "")));
}

function unknownImagesOf(pod: Field): Field[] {
  const images = containerLists(pod).flatMap((list) =>
    list.isUnknown ? [list] : list.items().map((container) => container.at("image")),
  );
  return images.filter((image) => image.isUnknown);
}

/** A pod's containers, as far as they are known. */
function knownContainers(pod: Field): Field[] {
  return containerLists(pod).flatMap((list) => (list.isUnknown ? [] : list.items()));
}

/** Whether a known image of a container matches. */
function hasImage(pod: Field, images: RegExp): boolean {
  return knownContainers(pod).some((container) => {
    const image = container.at("image").raw;
    return typeof image === "string" && images.test(image);
  });
}

/** Files of the ConfigMaps that a workload mounts. @throws {Undecided} */
function filesOf(workload: Resource, pod: Field, configMaps: ReadonlyMap<string, readonly Resource[]>): Field[] {
  const names = pod
    .at("volumes")
    .items()
    .flatMap((volume) => [volume, ...volume.at("projected", "sources").items()])
    .map((source) => source.at("configMap", "name").text());
  return [...new Set(names)]
    .flatMap((name) => (name === undefined ? [] : (configMaps.get(name) ?? [])))
    .filter((map) => namespaceOf(map) === namespaceOf(workload))
    .flatMap((map) =>
      map
        .at("data")
        .entries()
        .map(([, file]) => file),
    );
}

/** Merges files that include one another into one configuration. */
function merged(
  workload: Resource,
  isOnNode: boolean,
  pod: Field,
  written: readonly { readonly file: Field; readonly config: WrittenConfig }[],
): RunningConfig {
  const variables = new Map([...environmentOf(pod), ...written.flatMap(({ config }) => config.variables)]);
  const all = written.flatMap(({ file, config }) => config.sections.map((section) => ({ ...section, file })));
  const of = (wanted: (typeof all)[number]["kind"]) =>
    all
      .filter(({ kind }) => kind === wanted)
      .map(({ file, options }) => new Section(wanted === "nodes" ? "node" : "", file, options, variables));
  const services = all.filter(({ kind }) => kind === "service");
  const [first] = services.length > 0 ? services : all;
  return {
    workload,
    isOnNode,
    service: new Section(
      "service",
      first?.file ?? pod,
      services.flatMap(({ options }) => options),
      variables,
    ),
    inputs: of("inputs"),
    filters: of("filters"),
    outputs: of("outputs"),
    nodes: of("nodes"),
  };
}

/** Environment variables with values in the stack. */
function environmentOf(pod: Field): [string, string][] {
  return knownContainers(pod)
    .filter((container) => !container.isUnknown && !container.at("env").isUnknown)
    .flatMap((container) => container.at("env").items())
    .flatMap((entry) => {
      const [name, value] = [entry.at("name").raw, entry.at("value").raw];
      return typeof name === "string" && typeof value === "string" ? [[name, value] satisfies [string, string]] : [];
    });
}

/** Patterns in a list option. */
function patternsOf(input: Section, option: string): string[] {
  return (input.get(option) ?? "")
    .split(",")
    .map((pattern) => plainPath(pattern.trim()))
    .filter((pattern) => pattern !== "");
}

/** Whether an input reads the workload's own logs. @throws {Undecided} */
export function readsOwnLogs(input: Section, workload: Resource): boolean {
  const [paths, excluded] = [patternsOf(input, "path"), patternsOf(input, "exclude_path")];
  return ownFiles(workload).some(
    (file) =>
      paths.some((pattern) => matches(pattern, file, "[^/]")) &&
      !excluded.some((pattern) => matches(pattern, file, ".")),
  );
}

/**
 * Names of the kubelet's log files for a pod of the workload, by both paths.
 * @see https://kubernetes.io/docs/concepts/cluster-administration/logging/#log-location-node
 */
function ownFiles(workload: Resource): string[] {
  const [name, namespace] = [nameOf(workload), namespaceOf(workload)];
  const containers = podSpecOf(workload)?.at("containers").items() ?? [];
  return containers.flatMap((field) => {
    const container = field.at("name").text() ?? "";
    return [
      `/var/log/containers/${name}-x7k2p_${namespace}_${container}-${"0".repeat(64)}.log`,
      `/var/log/pods/${namespace}_${name}-x7k2p_00000000-0000-0000-0000-000000000000/${container}/0.log`,
    ];
  });
}

/**
 * Shell patterns: `*`, `?` and `[abc]`. In a path they match all but a slash, as in glob; in an exclusion a slash too, as in fnmatch
 * without flags.
 */
function matches(pattern: string, file: string, any: "." | "[^/]"): boolean {
  const source = pattern.replaceAll(/\[!?[^\]]+\]|[.*+?^${}()|[\]\\]/g, (part) => {
    if (part === "*") return `${any}*`;
    if (part === "?") return any;
    return part.length > 2 ? part.replace("[!", "[^") : `\\${part}`;
  });
  try {
    return new RegExp(`^${source}$`).test(file);
  } catch {
    // Invalid, such as [z-a]: matches nothing.
    return false;
  }
}
