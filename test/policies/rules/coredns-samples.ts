import { UNKNOWN } from "../../../policies/core/resource.ts";
import { EKS_COREFILE } from "../../support/eks-corefile.ts";
import { first, type Sample } from "./samples.ts";

/** The add-on with a configuration. */
export function addon(configuration: unknown, version = "v1.13.2-eksbuild.31"): Sample {
  const props = {
    addonName: "coredns",
    addonVersion: version,
    configurationValues: JSON.stringify(configuration),
    resolveConflictsOnCreate: "OVERWRITE",
    resolveConflictsOnUpdate: "OVERWRITE",
  };
  return [{ type: "aws:eks/addon:Addon", name: "coredns", props }];
}

export const corefile = (text: string) => addon({ corefile: text });
export const GOOD: Record<string, Sample> = {
  "the default": first(addon({}), "configurationValues", undefined),
  "a whole configuration": addon({ corefile: EKS_COREFILE, replicaCount: 2 }),
};
export const UNKNOWN_CONFIGURATION = first(addon({}), "configurationValues", UNKNOWN);
export const IN = "Addon/coredns: configurationValues: ";
export const NOT_YET = "Addon/coredns: configurationValues is known only";
