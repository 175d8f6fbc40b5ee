import type { Exemption } from "./core/exemption.ts";

const READS_NODE = "the log collector reads the log files of all pods, which belong to root, on its node";

/** What stands exempt of itself: the log collector of this project, which cannot do its work otherwise. */
export const STANDING_EXEMPTIONS: readonly Exemption[] = [
  {
    rule: "tenancy-pod-security",
    resource: "Namespace/logging",
    reason: `${READS_NODE}, which needs the level privileged`,
  },
  { rule: "pods-no-host-path", resource: "DaemonSet/logging/*", reason: READS_NODE },
  { rule: "pods-non-root", resource: "DaemonSet/logging/*", reason: READS_NODE },
];
