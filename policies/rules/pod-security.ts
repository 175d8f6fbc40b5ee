import { texts } from "../core/options.ts";
import type { Field } from "../core/resource.ts";
import type { Report, Rule } from "../core/rule.ts";
import { containerLists } from "../kubernetes/workload.ts";
import { containerRule, podRule } from "./pod-rule.ts";
import { cis, podSecurity } from "./sources.ts";

const ADDED = texts("capabilities", "Capabilities that a container may add", ["NET_BIND_SERVICE"]);

/** Of Pod Security 1.36, "restricted". */
const VOLUME_TYPES: readonly string[] = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
];

/** What keeps a container apart from its node and its neighbours. */
export const POD_ISOLATION: readonly Rule[] = [
  containerRule(
    {
      id: "pods-not-privileged",
      forbids: true,
      level: "mandatory",
      title: "No container is privileged",
      reason: "A privileged container is root on the node.",
      fix: "remove securityContext.privileged, and add only the capability or device that is needed",
      source: podSecurity("Baseline", "Privileged Containers"),
    },
    (container, report) => {
      report.part(() => {
        const privileged = container.at("securityContext", "privileged");
        if (privileged.flag()) report.wrong(privileged, "which makes the container root on the node");
      });
      const hostProcess = container.at("securityContext", "windowsOptions", "hostProcess");
      if (hostProcess.flag()) report.wrong(hostProcess, "which runs the container on the Windows host itself");
    },
  ),
  podRule(
    {
      id: "pods-no-host-process",
      forbids: true,
      level: "mandatory",
      title: "No pod runs as a Windows host process",
      reason: "A host process runs on the node with administrator rights, outside any container.",
      fix: "remove securityContext.windowsOptions.hostProcess from the pod",
      source: podSecurity("Baseline", "HostProcess"),
    },
    (pod, report) => {
      const hostProcess = pod.at("securityContext", "windowsOptions", "hostProcess");
      if (hostProcess.flag()) report.wrong(hostProcess, "which runs the pod on the Windows host itself");
    },
  ),
  containerRule(
    {
      id: "pods-no-host-probes",
      forbids: true,
      level: "mandatory",
      title: "Probes and lifecycle hooks do not set a host",
      reason: "The kubelet sends the request, so the pod can reach hosts that its network policies deny.",
      fix: "remove host from the probe or hook",
      source: podSecurity("Baseline", "Host Probes / Lifecycle Hooks"),
    },
    (container, report) => {
      const probes = ["livenessProbe", "readinessProbe", "startupProbe"].map((key) => container.at(key));
      const hooks = ["postStart", "preStop"].map((key) => container.at("lifecycle", key));
      const hosts = [...probes, ...hooks].flatMap((one) => [one.at("httpGet", "host"), one.at("tcpSocket", "host")]);
      report.each(hosts, (host) => {
        if ((host.text() ?? "") !== "") report.wrong(host, "which the kubelet asks in the pod's stead");
      });
    },
  ),
  podRule(
    {
      id: "pods-no-host-namespaces",
      forbids: true,
      level: "mandatory",
      title: "No pod shares the node's network, process or IPC namespace",
      reason: "In them a pod can see and signal other processes, and network policies do not apply.",
      fix: "remove hostNetwork, hostPID and hostIPC",
      source: cis("4.2.2 to 4.2.4"),
    },
    (pod, report) =>
      report.each(["hostNetwork", "hostPID", "hostIPC"], (key) => {
        if (pod.at(key).flag()) report.wrong(pod.at(key), "so the pod is not apart from its node");
      }),
  ),
  containerRule(
    {
      id: "pods-no-host-ports",
      forbids: true,
      level: "mandatory",
      title: "No container uses a host port",
      reason: "A host port bypasses network policies and limits each node to one such pod.",
      fix: "remove hostPort, and reach the pod through a Service",
      source: podSecurity("Baseline", "Host Ports"),
    },
    (container, report) =>
      report.each(container.at("ports").items(), (port) => {
        const hostPort = port.at("hostPort");
        if ((hostPort.number() ?? 0) !== 0) report.wrong(hostPort, "a port of the node itself");
      }),
  ),
  containerRule(
    {
      id: "pods-no-escalation",
      linuxOnly: true,
      level: "mandatory",
      title: "No process can gain more privileges than its parent",
      reason: "A setuid program in the image can turn any user into root.",
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
      reason: "Runtimes grant fourteen capabilities by default, raw sockets among them, and few programs need any.",
      fix: "set securityContext.capabilities.drop: [ALL] and add none",
      source: podSecurity("Restricted", "Capabilities"),
      options: [ADDED],
    },
    (container, report, settings) => {
      const capabilities = container.at("securityContext", "capabilities");
      report.part(() => {
        const dropped = capabilities.at("drop").items();
        if (dropped.some((one) => !one.isUnknown && one.text() === "ALL")) return;
        for (const one of dropped) one.text();
        report.wrong(capabilities.at("drop"), "which leaves the container capabilities");
      });
      const allowed = settings.get(ADDED);
      report.each(capabilities.at("add").items(), (added) => {
        if (!allowed.includes(added.text() ?? "")) {
          report.wrong(added, "a capability that is not allowed", `add none but ${allowed.join(", ") || "none"}`);
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
      reason: "Without it a container can make every system call of the kernel.",
      fix: "set securityContext.seccompProfile: {type: RuntimeDefault} on the pod",
      source: podSecurity("Restricted", "Seccomp"),
    },
    (container, report, _, pod) => {
      const ofPod = pod.at("securityContext", "seccompProfile", "type");
      // Pod Security refuses it on the pod though each container has another.
      report.part(() => {
        if (ofPod.isSet && !["RuntimeDefault", "Localhost"].includes(ofPod.text() ?? ""))
          report.wrong(ofPod, "so the pod may make every system call");
      });
      const own = container.at("securityContext", "seccompProfile", "type");
      if (!own.isUnknown && !own.isSet && !ofPod.isUnknown && ofPod.isSet) return;
      const type = own.isSet ? own : pod.at("securityContext", "seccompProfile", "type");
      if (!["RuntimeDefault", "Localhost"].includes(type.text() ?? "")) {
        report.wrong(type, `so ${container.path} may make every system call`);
      }
    },
  ),
  containerRule(
    {
      id: "pods-non-root",
      level: "mandatory",
      title: "No container runs as root",
      reason: "A process that escapes a root container is root on the node.",
      fix: "set securityContext.runAsNonRoot: true on the pod, and a runAsUser other than 0 if the image sets none",
      source: podSecurity("Restricted", "Running as Non-root"),
    },
    (container, report, _, pod) => {
      report.part(() => {
        const user = container.at("securityContext", "runAsUser");
        const ofPod = pod.at("securityContext", "runAsUser");
        // Pod Security refuses it on the pod though each container has another.
        if (!ofPod.isUnknown && ofPod.number() === 0 && user.isSet) report.wrong(ofPod, "so the pod may run as root");
        const inherited = user.isSet ? user : ofPod;
        if (inherited.number() === 0) report.wrong(inherited, `so ${container.path} runs as root`);
      });
      const own = container.at("securityContext", "runAsNonRoot");
      const ofPod = pod.at("securityContext", "runAsNonRoot");
      if (!ofPod.isUnknown && ofPod.flag() === false && own.isSet) report.wrong(ofPod, "so the pod may run as root");
      const nonRoot = own.isSet ? own : ofPod;
      if (nonRoot.flag() !== true) report.wrong(nonRoot, `so ${container.path} may run as root`);
    },
  ),
  containerRule(
    {
      id: "pods-read-only-root",
      linuxOnly: true,
      level: "mandatory",
      title: "Each container's root file system is read-only",
      reason: "An attacker can install programs in a writable one.",
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
      id: "pods-no-host-path",
      forbids: true,
      level: "mandatory",
      title: "No pod mounts a hostPath volume",
      reason: "It exposes other pods' files, and a writable one can compromise the node.",
      fix: "use an emptyDir, ConfigMap or PersistentVolumeClaim",
      source: podSecurity("Baseline", "HostPath Volumes"),
    },
    (pod, report) =>
      report.each(pod.at("volumes").items(), (volume) => {
        const path = volume.at("hostPath", "path");
        if (volume.at("hostPath").isSet) report.wrong(path, "a path of the node");
      }),
  ),
  podRule(
    {
      id: "pods-volume-types",
      forbids: true,
      level: "mandatory",
      title: "Only volume types that Pod Security allows are used",
      reason: "Other types mount storage directly, which an administrator should provide as a PersistentVolume.",
      fix: `use one of ${VOLUME_TYPES.join(", ")}`,
      source: podSecurity("Restricted", "Volume Types"),
    },
    (pod, report) =>
      report.each(pod.at("volumes").items(), (volume) =>
        report.each(volume.entries(), ([type, source]) => {
          // A path of the node is pods-no-host-path's to report.
          if (type === "name" || type === "hostPath" || VOLUME_TYPES.includes(type)) return;
          if (source.isUnknown || source.isSet) report.wrongIn(volume, type, "a type that is not allowed");
        }),
      ),
  ),
];

const SYSCTLS = texts("sysctls", "Sysctls that are namespaced, so a pod may set them", [
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
      title: "No pod weakens the runtime's kernel protections",
      reason:
        "AppArmor, SELinux and masked /proc paths contain a program that has escaped; some sysctls affect other pods.",
      fix: "remove the field, or set an allowed value",
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
