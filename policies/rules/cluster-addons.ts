import type { Rule } from "../core/rule.ts";
import { EKS_COMPONENT } from "./control-plane.ts";
import { aws } from "./sources.ts";

const ADDON = "aws:eks/addon:Addon";
const ADDON_VERSION = /^v\d+(\.\d+)+-eksbuild\.\d+$/;

/** What EKS runs in a cluster. */
export const CLUSTER_ADDONS: readonly Rule[] = [
  {
    id: "cluster-addons-pinned",
    family: "cluster",
    level: "mandatory",
    title: "Each EKS add-on names its version",
    reason: "Without one, two clusters made a month apart run two versions.",
    fix: "set addonVersion to a whole version such as v1.13.2-eksbuild.31",
    source: aws("Update an EKS add-on", "eks/latest/userguide/updating-an-add-on.html"),
    types: [ADDON, EKS_COMPONENT],
    check: (resource, report) => {
      if (resource.type === ADDON) {
        const version = resource.at("addonVersion");
        if (!ADDON_VERSION.test(version.text() ?? "")) report.wrong(version, "not one whole version");
        return;
      }
      // What @pulumi/eks installs unless told otherwise, at the newest version of the day.
      report.each(["corednsAddonOptions", "kubeProxyAddonOptions"], (key) => {
        const options = resource.at(key);
        const version = options.at("version");
        if (options.at("enabled").flag() !== false && !ADDON_VERSION.test(version.text() ?? ""))
          report.wrong(version, "so @pulumi/eks takes the newest", `set ${key}.version, or ${key}.enabled: false`);
      });
      const cni = resource.at("vpcCniOptions", "addonVersion");
      if (resource.at("useDefaultVpcCni").flag() !== true && !ADDON_VERSION.test(cni.text() ?? ""))
        report.wrong(
          cni,
          "so @pulumi/eks takes the newest",
          "set vpcCniOptions.addonVersion, or useDefaultVpcCni: true",
        );
    },
  },
];
