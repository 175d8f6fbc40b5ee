import type { Field } from "../../core/resource.ts";
import { cis, podSecurity, type Report, type Rule, texts } from "../../core/rule.ts";
import { containerLists, containerRule, podMetadataOf, podRule, STANDARD } from "../../readers/workload.ts";

const ADDED = texts("capabilities", "Allowed capabilities", ["NET_BIND_SERVICE"]);
/** Capabilities that Pod Security "baseline" allows: runtimes' defaults, without NET_RAW. */
const BASELINE_CAPABILITIES: readonly string[] = [
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
];
const SECCOMP_PROFILES: readonly string[] = ["RuntimeDefault", "Localhost"];
const SYSCTLS = texts("sysctls", "Allowed sysctls", [
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
const PROC_MOUNT = "procMount";
/** Security context fields that can remove a protection, with the safe values. Unset means the runtime's default. */
const DEFAULTS: Readonly<Record<string, readonly string[]>> = {
  "appArmorProfile.type": ["RuntimeDefault", "Localhost"],
  [PROC_MOUNT]: ["Default"],
  "seLinuxOptions.type": ["container_t", "container_init_t", "container_kvm_t", "container_engine_t"],
  "seLinuxOptions.user": [],
  "seLinuxOptions.role": [],
};
const APP_ARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/";

/** The kernel's restrictions on a container's processes. */
export const POD_KERNEL: readonly Rule[] = [
  containerRule(
    {
      id: "pods-no-escalation",
      linuxOnly: true,
      level: "mandatory",
      title: "No process can gain more privileges than its parent",
      reason: "A setuid program can turn any user into root.",
      fix: "set securityContext.allowPrivilegeEscalation: false",
      source: cis("4.2.5"),
    },
    (container, report) => {
      const escalation = container.at("securityContext", "allowPrivilegeEscalation");
      if (escalation.flag() !== false) report.wrong(escalation, "so a process may gain privileges");
    },
  ),
  containerRule(
    {
      id: "pods-drop-capabilities",
      linuxOnly: true,
      level: "mandatory",
      title: "All Linux capabilities are dropped, and only allowed ones added",
      reason: "Runtimes grant fourteen by default.",
      fix: "set securityContext.capabilities.drop: [ALL] and add none",
      source: podSecurity("Restricted", "Capabilities"),
      options: [ADDED, STANDARD],
    },
    (container, report, settings) => {
      const capabilities = container.at("securityContext", "capabilities");
      const isBaseline = settings.get(STANDARD) === "baseline";
      report.part(() => {
        const dropped = capabilities.at("drop").items();
        if (isBaseline || dropped.some((name) => !name.isUnknown && name.text() === "ALL")) return;
        // Undecided if one of them is unknown, which may be ALL.
        for (const name of dropped) name.text();
        report.wrong(capabilities.at("drop"), "which leaves the container capabilities");
      });
      const allowed = [...new Set([...settings.get(ADDED), ...(isBaseline ? BASELINE_CAPABILITIES : [])])];
      report.each(capabilities.at("add").items(), (added) => {
        if (!allowed.includes(added.text() ?? "")) {
          report.wrong(
            added,
            "a capability that is not allowed",
            allowed.length === 0 ? "add none" : `add only ${allowed.join(", ")}`,
          );
        }
      });
    },
  ),
  containerRule(
    {
      id: "pods-seccomp",
      linuxOnly: true,
      level: "mandatory",
      title: "The runtime's default seccomp profile is enabled",
      reason: "Without it a container can make every system call.",
      fix: "set securityContext.seccompProfile: {type: RuntimeDefault} on the pod",
      source: podSecurity("Restricted", "Seccomp"),
      options: [STANDARD],
    },
    (container, report, settings, pod) => {
      const ofPod = pod.at("securityContext", "seccompProfile", "type");
      // Pod Security rejects it on the pod even if each container has another.
      report.part(() => {
        if (ofPod.isSet && !SECCOMP_PROFILES.includes(ofPod.text() ?? ""))
          report.wrong(ofPod, "so the pod may make every system call");
      });
      const ofContainer = container.at("securityContext", "seccompProfile", "type");
      if (!ofContainer.isUnknown && !ofContainer.isSet && !ofPod.isUnknown && ofPod.isSet) return;
      const type = ofContainer.isSet ? ofContainer : ofPod;
      if (settings.get(STANDARD) === "baseline" && !type.isSet) return;
      if (!SECCOMP_PROFILES.includes(type.text() ?? "")) {
        report.wrong(type, `so ${container.path} may make every system call`);
      }
    },
  ),
  containerRule(
    {
      id: "pods-non-root",
      level: "mandatory",
      title: "No container runs as root, unless the pod has a user namespace",
      reason: "An escaped root process is root on the node.",
      fix: "set securityContext.runAsNonRoot: true on the pod, and a runAsUser other than 0 if the image sets none",
      source: podSecurity("Restricted", "Running as Non-root"),
    },
    (container, report, _, pod) => {
      const hostUsers = pod.at("hostUsers");
      if (!hostUsers.isUnknown && hostUsers.flag() === false) return;
      const wrong = (field: Field, problem: string) => {
        // Only a pod known to have no user namespace is wrong.
        hostUsers.flag();
        report.wrong(field, problem);
      };
      report.part(() => {
        const user = container.at("securityContext", "runAsUser");
        const ofPod = pod.at("securityContext", "runAsUser");
        // Pod Security rejects it on the pod even if each container has another.
        if (!ofPod.isUnknown && ofPod.number() === 0 && user.isSet) wrong(ofPod, "so the pod may run as root");
        const inherited = user.isSet ? user : ofPod;
        if (inherited.number() === 0) wrong(inherited, `so ${container.path} runs as root`);
      });
      const ofContainer = container.at("securityContext", "runAsNonRoot");
      const ofPod = pod.at("securityContext", "runAsNonRoot");
      if (!ofPod.isUnknown && ofPod.flag() === false && ofContainer.isSet) wrong(ofPod, "so the pod may run as root");
      const nonRoot = ofContainer.isSet ? ofContainer : ofPod;
      if (nonRoot.flag() === true) return;
      const user = knownUserOf(container, pod);
      // Pod Security requires it whatever the user is.
      if (user === undefined || user === 0) wrong(nonRoot, `so ${container.path} may run as root`);
      else wrong(nonRoot, `though Pod Security requires it of ${container.path} even with user ${user}`);
    },
  ),
  containerRule(
    {
      id: "pods-read-only-root",
      linuxOnly: true,
      level: "mandatory",
      title: "Each container's root file system is read-only",
      reason: "Otherwise an attacker can install programs.",
      fix: "set securityContext.readOnlyRootFilesystem: true, and mount an emptyDir where the program writes",
      source: {
        id: "NSA Kubernetes Hardening Guide 1.2, immutable container file systems",
        url: "https://media.defense.gov/2022/Aug/29/2003066362/-1/-1/0/CTR_KUBERNETES_HARDENING_GUIDANCE_1.2_20220829.PDF",
      },
    },
    (container, report) => {
      const readOnly = container.at("securityContext", "readOnlyRootFilesystem");
      if (readOnly.flag() !== true) report.wrong(readOnly, "so the container can be written to");
    },
  ),
  podRule(
    {
      id: "pods-kernel-defaults",
      forbids: true,
      level: "mandatory",
      title: "No pod weakens the runtime's kernel protections",
      reason: "They contain escaped programs; some sysctls affect other pods.",
      fix: "remove the field, or set an allowed value",
      source: podSecurity("Baseline", "AppArmor, SELinux, /proc Mount Type, Sysctls"),
      options: [SYSCTLS, STANDARD],
    },
    (pod, report, settings) => {
      report.part(() => checkAnnotations(podMetadataOf(pod.owner), report));
      // The API server rejects the fields below on Windows, but not the annotations.
      if (pod.at("os", "name").raw === "windows") return;
      report.part(() =>
        report.each(pod.at("securityContext", "sysctls").items(), (sysctl) => {
          const name = sysctl.at("name");
          if (!settings.get(SYSCTLS).includes(name.text() ?? "")) report.wrong(name, "which is not the pod's own");
        }),
      );
      // "baseline" allows a pod with a user namespace to see all of /proc.
      const mayBe = (field: Field) =>
        field.path.endsWith(PROC_MOUNT) &&
        settings.get(STANDARD) === "baseline" &&
        pod.at("hostUsers").flag() === false;
      checkContext(pod, report, mayBe);
      report.each(containerLists(pod), (list) =>
        report.each(list.items(), (container) => checkContext(container, report, mayBe)),
      );
    },
  ),
];

/** The user that a manifest sets for a container; undefined if it sets none, or its number is unknown. */
function knownUserOf(...holders: readonly Field[]): number | undefined {
  const users = holders.map((holder) => holder.at("securityContext", "runAsUser"));
  const set = users.find((user) => user.isUnknown || user.isSet);
  return set === undefined || set.isUnknown ? undefined : set.number();
}

function checkContext(holder: Field, report: Report, isAllowed: (field: Field) => boolean): void {
  report.each(Object.entries(DEFAULTS), ([path, allowed]) => {
    const field = holder.at("securityContext", ...path.split("."));
    const value = field.text() ?? "";
    if (value !== "" && !allowed.includes(value) && !isAllowed(field))
      report.wrong(
        field,
        allowed.length === 0 ? "which must be left to the runtime" : `not one of ${allowed.join(", ")}`,
      );
  });
}

/** AppArmor profiles as before Kubernetes 1.30, which Pod Security still reads. */
function checkAnnotations(metadata: Field, report: Report): void {
  report.each(metadata.at("annotations").entries(), ([key, profile]) => {
    if (!key.startsWith(APP_ARMOR_ANNOTATION)) return;
    const value = profile.text() ?? "";
    if (value !== "" && value !== "runtime/default" && !value.startsWith("localhost/"))
      report.wrong(profile, "a profile that is not allowed");
  });
}
