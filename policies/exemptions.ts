import type { Exemption } from "./core/exemption.ts";

/** Of any stack of this project: what another project calls the same is not meant. */
const PROJECT = "urn:pulumi:*::eks-dns-logging::";

const READS_NODE = "the log collector reads the log files of all pods, which belong to root, on its node";

/** What stands exempt of itself: the log collector of this project, which cannot do its work otherwise. */
export const STANDING_EXEMPTIONS: readonly Exemption[] = [
  {
    rule: "tenancy-pod-security",
    resource: `${PROJECT}*Namespace::logs-namespace`,
    reason: `${READS_NODE}, which needs the level privileged; audit and warn stay restricted`,
  },
  {
    rule: "pods-no-host-path",
    resource: `${PROJECT}*DaemonSet::logs-*-daemonset`,
    reason: `${READS_NODE}; collectors-host-paths says which paths it may mount`,
  },
  {
    rule: "pods-non-root",
    resource: `${PROJECT}*DaemonSet::logs-*-daemonset`,
    reason: `${READS_NODE}; it has no capability and a read-only root file system`,
  },
];
