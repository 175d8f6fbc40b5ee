/**
 * The names that people type in the lab: `kubectl -n ts-team exec curl-ts -- curl curl-sa.sa-team`. They follow from the
 * team's name alone and never carry a generated suffix.
 */
import { teamNamespace } from "../kubernetes/labels.ts";

export { teamNamespace };

/** Container of the curl pod that a person works in; `kubectl exec` and `logs` choose it by default. */
export const CURL_CONTAINER = "curl";
/** Container beside it that answers HTTP. */
export const RESPONDER_CONTAINER = "responder";
/** Port of the responder and of its Service: the one that `curl http://NAME` uses. */
export const RESPONDER_PORT = 80;

/** Name of a team's curl pod, of its Service and of its label `app`: `ts` gives `curl-ts`. */
export function curlPodName(team: string): string {
  return `curl-${team}`;
}

/** Full DNS name of a team's Service: `ts` gives `curl-ts.ts-team.svc.cluster.local`. */
export function curlServiceName(team: string): string {
  return `${curlPodName(team)}.${teamNamespace(team)}.svc.cluster.local`;
}

/** The names that lead to a team's Service from another namespace: `curl-ts.ts-team` and the full one. */
export function curlServiceNames(team: string): string[] {
  return [`${curlPodName(team)}.${teamNamespace(team)}`, curlServiceName(team)];
}

/**
 * What a team's members may do in their own namespace: run and look at workloads, follow logs, exec for the lab.
 * Secrets, roles, quotas and network policies are left out, since each would let a team raise its own limits.
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
  // A websocket exec was a GET before Kubernetes 1.35 and is a POST since.
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
