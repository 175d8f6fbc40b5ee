import { matchesGlob } from "../core/exemption.ts";
import type { Resource } from "../core/resource.ts";
import type { Section } from "../fluent-bit/section.ts";
import { nameOf, namespaceOf, podSpecOf } from "../kubernetes/pod-spec.ts";

/** Patterns of an option that holds a list. */
function patternsOf(input: Section, option: string): string[] {
  return (input.get(option) ?? "")
    .split(",")
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== "");
}

/** Whether an input reads what the workload's own containers log. @throws {Undecided} */
export function readsOwnLogs(input: Section, workload: Resource): boolean {
  const [paths, excluded] = [patternsOf(input, "path"), patternsOf(input, "exclude_path")];
  return ownFiles(workload).some(
    (file) =>
      paths.some((pattern) => matchesPath(pattern, file)) && !excluded.some((pattern) => matchesPath(pattern, file)),
  );
}

/**
 * Names of the files that the kubelet gives to a pod of the workload, by both ways that they are reached.
 * @see https://kubernetes.io/docs/concepts/cluster-administration/logging/#log-location-node
 */
function ownFiles(workload: Resource): string[] {
  const [name, namespace] = [nameOf(workload), namespaceOf(workload)];
  const containers = podSpecOf(workload)?.at("containers").items() ?? [];
  return containers.flatMap((one) => {
    const container = one.at("name").text() ?? "";
    return [
      `/var/log/containers/${name}-x7k2p_${namespace}_${container}-${"0".repeat(64)}.log`,
      `/var/log/pods/${namespace}_${name}-x7k2p_00000000-0000-0000-0000-000000000000/${container}/0.log`,
    ];
  });
}

/** Shell patterns: `*`, `?` and `[abc]`. As fnmatch without flags, a `*` goes over slashes too. */
function matchesPath(pattern: string, file: string): boolean {
  if (!/[?[]/.test(pattern)) return matchesGlob(pattern, file);
  const source = pattern.replaceAll(/\[!?[^\]]+\]|[.*+?^${}()|[\]\\]/g, (part) => {
    if (part === "*") return ".*";
    if (part === "?") return ".";
    return part.length > 2 ? part.replace("[!", "[^") : `\\${part}`;
  });
  return new RegExp(`^${source}$`).test(file);
}
