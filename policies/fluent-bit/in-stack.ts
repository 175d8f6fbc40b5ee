import type { Field } from "../core/field.ts";
import type { Report } from "../core/report.ts";
import type { Resource } from "../core/resource.ts";
import type { Stack } from "../core/stack.ts";
import { namespaceOf, podSpecOf } from "../kubernetes/pod-spec.ts";
import { type FluentBitConfig, parseFluentBit } from "./config.ts";

/** A volume as a container sees it. */
export interface Mount {
  readonly path: string;
  readonly readOnly: boolean;
  /** Path on the node; undefined for other volumes. */
  readonly hostPath: string | undefined;
  /** The mount, for messages. */
  readonly field: Field;
}

/** A Fluent Bit configuration and the workload that runs it. */
export interface RunningConfig {
  readonly workload: Resource;
  readonly configMap: Resource;
  /** The file in the ConfigMap. */
  readonly file: Field;
  readonly config: FluentBitConfig;
}

const LOG_PATHS = /^\/(var\/log|var\/lib\/docker\/containers|run\/log)(\/|$)/;
const COLLECTOR_IMAGES = /fluent|filebeat|vector|promtail|logagent|otel|opentelemetry|alloy/;

/** DaemonSets that read the node's log files, or run a collector that is known. */
export function collectorDaemonSets(stack: Stack, report: Report): Resource[] {
  const found: Resource[] = [];
  report.each(stack.ofType("kubernetes:apps/v1:DaemonSet"), (resource) => {
    const pod = podSpecOf(resource);
    if (pod === undefined) return;
    const logs = pod
      .at("volumes")
      .items()
      .some((volume) => LOG_PATHS.test(volume.at("hostPath", "path").text() ?? ""));
    const images = pod
      .at("containers")
      .items()
      .map((container) => container.at("image"));
    const known = images.some((image) => !image.isUnknown && COLLECTOR_IMAGES.test(image.text() ?? ""));
    if (logs || known) found.push(resource);
  });
  return found;
}

/** What the containers of a pod mount. @throws {Undecided} */
export function mountsOf(pod: Field): Mount[] {
  const hostPaths = new Map(
    pod
      .at("volumes")
      .items()
      .map((volume) => [volume.at("name").text(), volume.at("hostPath", "path").text()]),
  );
  return pod
    .at("containers")
    .items()
    .flatMap((container) =>
      container
        .at("volumeMounts")
        .items()
        .map((mount) => ({
          path: mount.at("mountPath").text() ?? "",
          readOnly: mount.at("readOnly").flag() ?? false,
          hostPath: hostPaths.get(mount.at("name").text()),
          field: mount,
        })),
    );
}

/** Where on the node a path of the container stands; undefined where it is gone with the pod. */
export function onNode(path: string, mounts: readonly Mount[]): string | undefined {
  const over = mounts.filter((mount) => path === mount.path || path.startsWith(`${mount.path.replace(/\/$/, "")}/`));
  const nearest = over.toSorted((one, other) => other.path.length - one.path.length)[0];
  return nearest?.hostPath;
}

/** The Fluent Bit configurations that workloads of the stack mount from its ConfigMaps. */
export function fluentBitConfigs(stack: Stack, report: Report): RunningConfig[] {
  return collectorDaemonSets(stack, report).flatMap((workload) => {
    const found: RunningConfig[] = [];
    report.each(configMapsOf(stack, workload), (configMap) =>
      report.each(configMap.at("data").entries(), ([, file]) => {
        const config = parseFluentBit(file.text() ?? "");
        if (config !== undefined) found.push({ workload, configMap, file, config });
      }),
    );
    return found;
  });
}

function configMapsOf(stack: Stack, workload: Resource): Resource[] {
  const pod = podSpecOf(workload);
  if (pod === undefined) return [];
  const names = pod
    .at("volumes")
    .items()
    .flatMap((volume) => [
      volume.at("configMap", "name"),
      ...volume
        .at("projected", "sources")
        .items()
        .map((source) => source.at("configMap", "name")),
    ])
    .map((name) => name.text());
  return stack
    .ofType("kubernetes:core/v1:ConfigMap")
    .filter((map) => names.includes(map.at("metadata", "name").text()) && namespaceOf(map) === namespaceOf(workload));
}
