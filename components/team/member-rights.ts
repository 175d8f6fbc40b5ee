/**
 * Rights of a team's members in its namespaces: run and inspect workloads, follow logs, exec for the lab. No changes to secrets,
 * roles, quotas and network policies, since each would let a team raise its own limits.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/
 */
export const MEMBER_RULES = [
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
