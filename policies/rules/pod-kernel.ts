import type { Field } from "../core/field.ts";
import type { Report } from "../core/report.ts";
import type { Rule } from "../core/rule.ts";
import { texts } from "../core/rule-option.ts";
import { containerLists } from "../kubernetes/pod-spec.ts";
import { podRule } from "./pod-rule.ts";
import { podSecurity } from "./sources.ts";

const SYSCTLS = texts("sysctls", "Kernel settings that are a pod's own, so it may set them", [
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ping_group_range",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.tcp_wmem",
]);
/** What stands in a security context and takes a protection away, with the values that do not. Unset is the runtime's own. */
const DEFAULTS: Readonly<Record<string, readonly string[]>> = {
  "appArmorProfile.type": ["RuntimeDefault", "Localhost"],
  procMount: ["Default"],
  "seLinuxOptions.type": ["container_t", "container_init_t", "container_kvm_t", "container_engine_t"],
  "seLinuxOptions.user": [],
  "seLinuxOptions.role": [],
};

/** What keeps the kernel's own walls up. */
export const POD_KERNEL: readonly Rule[] = [
  podRule(
    {
      id: "pods-kernel-defaults",
      forbids: true,
      linuxOnly: true,
      level: "mandatory",
      title: "No pod takes the runtime's kernel protections away",
      reason:
        "AppArmor, SELinux and the masks of /proc hold a program that broke out of all else; sysctls reach other pods.",
      fix: "take the field out, or set it to a value that is allowed",
      source: podSecurity("Baseline", "AppArmor, SELinux, /proc Mount Type, Sysctls"),
      options: [SYSCTLS],
    },
    (pod, report, settings) => {
      report.part(() =>
        report.each(pod.at("securityContext", "sysctls").items(), (sysctl) => {
          const name = sysctl.at("name");
          if (!settings.get(SYSCTLS).includes(name.text() ?? "")) report.wrong(name, "which is not the pod's own");
        }),
      );
      checkContext(pod, report);
      report.each(containerLists(pod), (list) =>
        report.each(list.items(), (container) => checkContext(container, report)),
      );
    },
  ),
];

function checkContext(holder: Field, report: Report): void {
  report.each(Object.entries(DEFAULTS), ([path, allowed]) => {
    const field = holder.at("securityContext", ...path.split("."));
    const value = field.text() ?? "";
    if (value !== "" && !allowed.includes(value))
      report.wrong(field, allowed.length === 0 ? "which must be left to the runtime" : `none of ${allowed.join(", ")}`);
  });
}
