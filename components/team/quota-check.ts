import type { ContainerResources } from "../kubernetes/container.ts";
import type { SettingsIssue } from "../schema/errors.ts";
import { amount } from "../schema/values.ts";
import type { TeamSettings } from "./settings.ts";

/** What each of the lab's two containers takes. */
export const CURL_POD: ContainerResources = { cpu: "10m", memory: "16Mi", memoryLimit: "64Mi" };

/** Whether a team has the lab's pod, which is in the namespace of its own name alone. */
export function hasCurlPod({ namespaces }: Pick<TeamSettings, "namespaces">): boolean {
  return namespaces === undefined;
}

/** Teams whose quota or limits leave no room for the curl pod, which Kubernetes would refuse. Paths are below `teams`. */
export function checkTeams(
  teams: readonly Pick<TeamSettings, "quota" | "limits" | "namespaces">[],
  sidecar: ContainerResources | undefined,
): SettingsIssue[] {
  const containers = [CURL_POD, CURL_POD, ...(sidecar === undefined ? [] : [sidecar])];
  const all = (key: keyof ContainerResources) => containers.map((container) => amount(container[key]));
  const sum = (key: keyof ContainerResources) => all(key).reduce((total, each) => total + each, 0);
  const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)}Mi`;
  const pod = {
    "requests.cpu": `${Math.ceil(sum("cpu") * 1000)}m`,
    "requests.memory": mebibytes(sum("memory")),
    "limits.memory": mebibytes(sum("memoryLimit")),
  } as const;
  const largest = mebibytes(Math.max(...all("memoryLimit")));
  return teams.flatMap((team, index): SettingsIssue[] => {
    if (!hasCurlPod(team)) return [];
    const { quota, limits } = team;
    const needs = [
      ...(["requests.cpu", "requests.memory", "limits.memory"] as const).map((key) => ({
        path: ["quota", key],
        value: quota[key],
        least: pod[key],
        what: "the curl pod",
      })),
      {
        path: ["limits", "maxMemory"],
        value: limits.maxMemory,
        least: largest,
        what: "a container of the curl pod",
      },
    ];
    return needs.flatMap(({ path, value, least, what }) =>
      amount(value) >= amount(least)
        ? []
        : [{ path: [index, ...path], message: `must be at least ${least}, for ${what}`, value }],
    );
  });
}
