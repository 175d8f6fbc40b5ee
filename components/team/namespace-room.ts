import type { ContainerResources } from "../kubernetes/container.ts";
import type { SettingsIssue } from "../schema/errors.ts";
import { amount } from "../schema/values.ts";
import { networkPolicies } from "./network-policies.ts";
import { SERVICE_ACCOUNT } from "./pod-identity.ts";
import { CURL_POD, hasCurlPod, type TeamSettings } from "./settings.ts";

/** The stack's curl pods. */
export interface CurlPods {
  /** Whether the stack has them. */
  readonly enabled: boolean;
  /** Their sidecar's resources; undefined for none. */
  readonly sidecar: ContainerResources | undefined;
}

/** Minimum of a setting, and what needs it. */
interface Need {
  readonly path: readonly PropertyKey[];
  readonly value: string | number | undefined;
  readonly min: string | number;
  readonly what: string;
}

/**
 * Quotas and limits too low for this stack's objects in a team's namespace, or for a container without resource settings.
 * Paths are below `teams`.
 * @see https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
export function checkTeams(teams: readonly TeamSettings[], { enabled, sidecar }: CurlPods): SettingsIssue[] {
  return teams.flatMap((team, index) => {
    // Adopted namespaces keep their own quota and limits.
    if (team.namespaces?.every(({ adopt }) => adopt)) return [];
    const issues =
      enabled && hasCurlPod(team)
        ? [...unmet(curlPodNeeds(team, sidecar)), ...cpuLimitIssues(team, "error")]
        : cpuLimitIssues(team, "warning");
    return [
      ...issues,
      ...unmet(objectNeeds(team)).map((issue) => ({ ...issue, severity: "warning" as const })),
      ...defaultIssues(team),
    ].map((issue) => ({ ...issue, path: [index, ...issue.path] }));
  });
}

function unmet(needs: readonly Need[]): SettingsIssue[] {
  return needs.flatMap(({ path, value, min, what }) =>
    value === undefined || amount(String(value)) >= amount(String(min))
      ? []
      : [{ path, message: `must be at least ${min}, for ${what}`, value }],
  );
}

/** Minimums for Kubernetes to accept the curl pod, its Service and its configuration. */
function curlPodNeeds({ quota, limits }: TeamSettings, sidecar: ContainerResources | undefined): Need[] {
  const containers = [CURL_POD, CURL_POD, ...(sidecar === undefined ? [] : [sidecar])];
  const all = (key: keyof ContainerResources) => containers.map((container) => amount(container[key]));
  const sum = (key: keyof ContainerResources) => all(key).reduce((total, quantity) => total + quantity, 0);
  const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)}Mi`;
  const cpu = `${Math.ceil(sum("cpu") * 1000)}m`;
  const memory = mebibytes(sum("memory"));
  const memoryLimit = mebibytes(sum("memoryLimit"));
  const configMaps = sidecar === undefined ? 2 : 3;
  const ofPod = { "requests.cpu": cpu, cpu, "requests.memory": memory, memory, "limits.memory": memoryLimit };
  const ofCount = { pods: 1, "count/pods": 1, "count/services": 1 };
  const ofConfigMaps = { configmaps: configMaps, "count/configmaps": configMaps };
  return [
    ...quotaNeeds(quota, { ...ofPod, ...ofCount }, "the curl pod"),
    ...quotaNeeds(quota, ofConfigMaps, "those of the curl pod and kube-root-ca.crt"),
    {
      path: ["limits", "maxMemory"],
      value: limits.maxMemory,
      min: mebibytes(Math.max(...all("memoryLimit"))),
      what: "a container of the curl pod",
    },
  ];
}

/** The other objects in each of the team's namespaces. They are created in parallel with the quota, some perhaps before it. */
function objectNeeds({ quota, members, memberRoles, podIdentity, ingress, egress }: TeamSettings): Need[] {
  const rules = { ingress, egress, podIdentity: podIdentity !== undefined };
  const accounts = new Set(["default", SERVICE_ACCOUNT, podIdentity?.serviceAccount ?? SERVICE_ACCOUNT]);
  const objects = {
    "count/limitranges": 1,
    "count/networkpolicies.networking.k8s.io": networkPolicies({ name: "", peers: [] }, { teams: [] }, rules).length,
    "count/roles.rbac.authorization.k8s.io": 1,
    "count/rolebindings.rbac.authorization.k8s.io": members.length + memberRoles.length > 0 ? 1 : 0,
    "count/serviceaccounts": accounts.size,
  };
  return quotaNeeds(quota, objects, "what this stack creates in the namespace");
}

function quotaNeeds(
  quota: TeamSettings["quota"],
  needs: Readonly<Record<string, string | number>>,
  what: string,
): Need[] {
  return Object.entries(needs).map(([key, min]) => ({ path: ["quota", key], value: quota[key], min, what }));
}

/** A quota of CPU limits requires one per container; there is no default, since it would throttle. */
function cpuLimitIssues({ quota }: TeamSettings, severity: "error" | "warning"): SettingsIssue[] {
  const value = quota["limits.cpu"];
  if (value === undefined) return [];
  const message =
    severity === "error"
      ? "must not be set with a curl pod, whose containers have no CPU limit: Kubernetes would refuse it"
      : "makes Kubernetes refuse each container that names no CPU limit, since the LimitRange sets none";
  return [{ path: ["quota", "limits.cpu"], message, value, severity }];
}

/** Default resources of a container, and the quota keys that sum them. */
const DEFAULTS = [
  ["cpuRequest", "requests.cpu"],
  ["cpuRequest", "cpu"],
  ["memoryRequest", "requests.memory"],
  ["memoryRequest", "memory"],
  ["memoryLimit", "limits.memory"],
] as const;

function defaultIssues({ quota, limits }: TeamSettings): SettingsIssue[] {
  return DEFAULTS.flatMap(([key, quotaKey]): SettingsIssue[] => {
    const value = quota[quotaKey];
    if (value === undefined || amount(limits[key]) <= amount(String(value))) return [];
    const names = `limits.${key} (${limits[key]}) must not exceed quota.${quotaKey} (${value})`;
    const message = `${names}, or Kubernetes refuses each container that names no resources`;
    return [{ path: [], message, severity: "warning" }];
  });
}
