import type { PackConfig } from "../../policies/core/pack-config.ts";

/** The day on which these tests judge the support of a Kubernetes version, whatever the clock says. */
const asOf = "2026-11-28";

/** A configuration of the pack that judges support on that day. */
export const ON_ITS_DAY = {
  "cluster-version-supported": { asOf },
  "cluster-version-ending": { asOf },
} satisfies PackConfig;
