import { UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { NAMESPACE, NS, namespace, OTHERS, PSS } from "./tenancy-samples.ts";

const labelled = (key: string, to: Value) =>
  namespace("ts-team", {
    [`${PSS}/audit`]: "restricted",
    [`${PSS}/enforce`]: "restricted",
    [`${PSS}/warn`]: "restricted",
    [key]: to,
  });

export const TENANCY_CASES: CasesByRule = {
  "tenancy-team-label": {
    good: { "a team's": [NAMESPACE], "one of nobody's": OTHERS },
    bad: {
      "a team's by its name": [
        namespace("ts-team", {}),
        `${NS}metadata.labels.team is not set, on the namespace of a team. Fix: set metadata.labels.team`,
      ],
      "an empty label": [namespace("team-ts", { team: "" }), 'Namespace/team-ts: metadata.labels.team is "", on'],
    },
    unknown: {
      "unknown labels": [namespace("ts-team", UNKNOWN), `${NS}metadata.labels.team is known only`],
      "an unknown name": [namespace(UNKNOWN, {}), "Namespace/namespace: metadata.name is known only"],
    },
  },
  "tenancy-pod-security": {
    good: { restricted: [NAMESPACE] },
    bad: {
      "no labels": [
        OTHERS,
        `Namespace/kube-tools: metadata.labels["${PSS}/enforce"] is not set, less than restricted. Fix: set the labels`,
        `Namespace/kube-tools: metadata.labels["${PSS}/audit"] is not set`,
        `Namespace/kube-tools: metadata.labels["${PSS}/warn"] is not set`,
      ],
      privileged: [
        labelled(`${PSS}/enforce`, "privileged"),
        `${NS}metadata.labels["${PSS}/enforce"] is "privileged", less`,
      ],
      baseline: [labelled(`${PSS}/enforce`, "baseline"), `${NS}metadata.labels["${PSS}/enforce"] is "baseline", less`],
      "no audit": [labelled(`${PSS}/audit`, ""), `${NS}metadata.labels["${PSS}/audit"] is ""`],
      "a word that is no level": [labelled(`${PSS}/warn`, "strict"), `${NS}metadata.labels["${PSS}/warn"] is "strict"`],
    },
    unknown: {
      "an unknown label": [labelled(`${PSS}/enforce`, UNKNOWN), `${NS}metadata.labels["${PSS}/enforce"] is known only`],
    },
  },
};
