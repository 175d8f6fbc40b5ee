import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterHandle } from "../cluster/handle.ts";
import { checkedText } from "../schema/arguments.ts";
import { accessEntryName } from "./resource-names.ts";
import { TeamSettings } from "./settings.ts";

const Group = TeamSettings.shape.members.unwrap().element;
const RoleArn = TeamSettings.shape.memberRoles.unwrap().element;

/** The RBAC groups of a team, of which those that are outputs are checked once known. */
export function memberGroups(name: string, groups: readonly pulumi.Input<string>[] = []): pulumi.Input<string>[] {
  return groups.map((group, index) => checkedText(`${name}.members.${index}`, Group, group));
}

/** Gives IAM roles access to the cluster in an RBAC group of the team, and returns the group; none without roles. */
export function grantRoles(
  name: string,
  team: string,
  {
    memberRoles = [],
    cluster,
  }: { readonly memberRoles?: readonly pulumi.Input<string>[]; readonly cluster: ClusterHandle },
  parent: pulumi.Resource,
): string[] {
  if (memberRoles.length === 0) return [];
  const { access, ready } = cluster;
  if (access === undefined) throw new pulumi.ResourceError("memberRoles needs an EKS cluster", parent);
  const group = `team:${team}`;
  for (const [index, role] of memberRoles.entries())
    new aws.eks.AccessEntry(
      typeof role === "string" ? accessEntryName(name, role) : `${name}-${index}`,
      {
        clusterName: access.clusterName,
        principalArn: checkedText(`${name}.memberRoles.${index}`, RoleArn, role),
        kubernetesGroups: [group],
        type: "STANDARD",
        tags: access.tags,
      },
      { parent, dependsOn: [...ready], deleteBeforeReplace: true },
    );
  return [group];
}

const ROLE = "team-member";

/**
 * Gives RBAC groups a namespace's role for members. Without groups there is no binding, since it would grant nothing.
 * @param name Prefix of the resources' names.
 */
export function grantMembers(
  name: string,
  groups: readonly pulumi.Input<string>[],
  metadata: { readonly namespace: string; readonly labels: Record<string, string> },
  options: pulumi.CustomResourceOptions,
): void {
  const role = new k8s.rbac.v1.Role(`${name}-member`, { metadata: { ...metadata, name: ROLE }, rules: RULES }, options);
  if (groups.length === 0) return;
  new k8s.rbac.v1.RoleBinding(
    `${name}-members`,
    {
      metadata: { ...metadata, name: ROLE },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: ROLE },
      subjects: groups.map((group) => ({ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: group })),
    },
    { ...options, dependsOn: role },
  );
}

/**
 * Rights of a team's members in its namespaces: run and inspect workloads, follow logs, exec for the lab. No changes to secrets,
 * roles, quotas and network policies, since each would let a team raise its own limits.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/
 */
const RULES = [
  {
    apiGroups: [""],
    resources: ["pods", "services", "configmaps", "persistentvolumeclaims"],
    verbs: ["get", "list", "watch", "create", "update", "patch", "delete"],
  },
  {
    apiGroups: [""],
    resources: ["pods/log", "pods/status", "events", "resourcequotas", "limitranges"],
    verbs: ["get", "list", "watch"],
  },
  // A websocket exec was a GET before Kubernetes 1.35, and is a POST since.
  { apiGroups: [""], resources: ["pods/exec", "pods/portforward"], verbs: ["get", "create"] },
  {
    apiGroups: ["apps"],
    resources: ["deployments", "statefulsets", "replicasets"],
    verbs: ["get", "list", "watch", "create", "update", "patch", "delete"],
  },
  {
    apiGroups: ["batch"],
    resources: ["jobs", "cronjobs"],
    verbs: ["get", "list", "watch", "create", "update", "patch", "delete"],
  },
  { apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs: ["get", "list", "watch"] },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["get", "list", "watch"] },
];
