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
      paths.some((pattern) => matches(pattern, file, "[^/]")) &&
      !excluded.some((pattern) => matches(pattern, file, ".")),
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

/**
 * Shell patterns: `*`, `?` and `[abc]`. Of a path they stand for all but a slash, as in glob; of what is left out for a slash too,
 * as in fnmatch without flags.
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
    // Such as [z-a], which matches nothing.
    return false;
  }
}
