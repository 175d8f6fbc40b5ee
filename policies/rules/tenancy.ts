import { matchesGlob } from "../core/exemption.ts";
import type { Rule } from "../core/rule.ts";
import { text } from "../core/rule-option.ts";
import { nameOf } from "../kubernetes/pod-spec.ts";
import { cis } from "./sources.ts";
import { LABEL, NAMES, NAMESPACE } from "./team-namespaces.ts";
import { TENANCY_DEFAULT_NAMESPACE } from "./tenancy-default-namespace.ts";
import { TENANCY_NETWORK } from "./tenancy-network.ts";
import { TENANCY_RBAC } from "./tenancy-rbac.ts";
import { TENANCY_SHARES } from "./tenancy-shares.ts";

const STANDARD = text("standard", "Pod Security level that namespaces enforce at least", "restricted", [
  "baseline",
  "restricted",
]);
const STANDARDS = ["privileged", "baseline", "restricted"];
const ENFORCE = "pod-security.kubernetes.io/enforce";

/** What keeps teams apart and within their share. */
export const TENANCY: readonly Rule[] = [
  {
    id: "tenancy-team-label",
    family: "tenancy",
    level: "mandatory",
    title: "A team's namespace carries the label of its team",
    reason: "Network policies, quotas and the logs' index find a team by its label.",
    fix: "set metadata.labels.team to the team's name",
    source: cis("4.5.1"),
    options: [LABEL, NAMES],
    types: [NAMESPACE],
    check: (namespace, report, settings) => {
      const name = nameOf(namespace);
      if (!settings.get(NAMES).some((pattern) => matchesGlob(pattern, name))) return;
      const label = namespace.at("metadata", "labels", settings.get(LABEL));
      if ((label.text() ?? "") === "") report.wrong(label, "on the namespace of a team");
    },
  },
  {
    id: "tenancy-pod-security",
    family: "tenancy",
    level: "mandatory",
    title: "Each namespace enforces a Pod Security standard, and warns and audits by it",
    reason: "Without the label the namespace takes privileged pods.",
    fix: "set the labels pod-security.kubernetes.io/enforce, audit and warn to restricted",
    source: cis("4.2.1"),
    options: [STANDARD],
    types: [NAMESPACE],
    check: (namespace, report, settings) =>
      report.each([ENFORCE, "pod-security.kubernetes.io/audit", "pod-security.kubernetes.io/warn"], (key) => {
        const label = namespace.at("metadata", "labels", key);
        const wanted = settings.get(STANDARD);
        if (STANDARDS.indexOf(label.text() ?? "") < STANDARDS.indexOf(wanted))
          report.wrong(label, `less than ${wanted}`);
      }),
  },
  ...TENANCY_SHARES,
  ...TENANCY_DEFAULT_NAMESPACE,
  ...TENANCY_NETWORK,
  ...TENANCY_RBAC,
];
