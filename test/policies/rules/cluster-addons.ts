import { UNKNOWN } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { COMPONENT, component } from "./cluster-samples.ts";
import { first, type SampleResource } from "./samples.ts";

const ADDON: SampleResource = {
  type: "aws:eks/addon:Addon",
  name: "proxy",
  props: { addonName: "kube-proxy", addonVersion: "v1.35.3-eksbuild.29" },
};

export const CLUSTER_ADDONS_CASES: CasesByRule = {
  "cluster-addons-pinned": {
    good: {
      "a whole version": [ADDON],
      "add-ons of @pulumi/eks off": [COMPONENT],
      "add-ons of @pulumi/eks pinned": first(
        first(
          first(component("useDefaultVpcCni", undefined), "vpcCniOptions", { addonVersion: "v1.22.4-eksbuild.3" }),
          "corednsAddonOptions",
          { version: "v1.13.2-eksbuild.31" },
        ),
        "kubeProxyAddonOptions",
        { version: "v1.35.3-eksbuild.29" },
      ),
      "a cluster without nodes of its own, in which @pulumi/eks installs no CoreDNS": first(
        component("corednsAddonOptions", undefined),
        "skipDefaultNodeGroup",
        true,
      ),
      "EKS Auto Mode, which needs no add-on": first(
        first(
          first(component("useDefaultVpcCni", undefined), "corednsAddonOptions", undefined),
          "kubeProxyAddonOptions",
          undefined,
        ),
        "autoMode",
        { enabled: true },
      ),
    },
    bad: {
      "no version": [
        first([ADDON], "addonVersion", undefined),
        "Addon/proxy: addonVersion is not set, not a full version",
      ],
      latest: [first([ADDON], "addonVersion", "latest"), 'Addon/proxy: addonVersion is "latest"'],
      "half a version": [first([ADDON], "addonVersion", "v1.35"), 'Addon/proxy: addonVersion is "v1.35"'],
      "CoreDNS of @pulumi/eks": [
        component("corednsAddonOptions", undefined),
        "Cluster/dev: corednsAddonOptions.version is not set, so @pulumi/eks uses the newest. Fix: set corednsAddonOptions.version",
      ],
      "CoreDNS of @pulumi/eks on Fargate": [
        first(first(component("corednsAddonOptions", {}), "skipDefaultNodeGroup", true), "fargate", {}),
        "Cluster/dev: corednsAddonOptions.version is not set, so @pulumi/eks uses the newest",
      ],
      "CoreDNS that is wanted without nodes": [
        first(component("corednsAddonOptions", { configurationValues: { a: 1 } }), "skipDefaultNodeGroup", true),
        "Cluster/dev: corednsAddonOptions.version is not set, so @pulumi/eks uses the newest",
      ],
      "kube-proxy that is wanted in Auto Mode": [
        first(component("kubeProxyAddonOptions", { enabled: true }), "autoMode", { enabled: true }),
        "Cluster/dev: kubeProxyAddonOptions.version is not set",
      ],
      "kube-proxy of @pulumi/eks": [
        component("kubeProxyAddonOptions", {}),
        "Cluster/dev: kubeProxyAddonOptions.version is not set",
      ],
      "the CNI of @pulumi/eks": [
        component("useDefaultVpcCni", undefined),
        "Cluster/dev: vpcCniOptions.addonVersion is not set",
      ],
    },
    unknown: {
      "a version from another resource": [
        first([{ ...ADDON, waitsFor: ["dev"] }, COMPONENT], "addonVersion", UNKNOWN),
        "Addon/proxy: addonVersion is known only",
      ],
    },
    deferred: {
      "a version from the provider": [
        first([ADDON], "addonVersion", UNKNOWN),
        "Addon/proxy: addonVersion is looked up by the provider, so the deployment decides: Each EKS add-on",
      ],
    },
  },
};
