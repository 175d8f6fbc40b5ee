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
