import { posix } from "node:path";
import type { Rule } from "../../core/rule.ts";
import { cis, kubernetes, podSecurity } from "../../core/rule.ts";
import { containerRule, handlersOf, podRule } from "../../readers/workload.ts";

/** Volume types that Pod Security "restricted" allows. */
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

const VOLUME_RISK = "concepts/security/rbac-good-practices/#persistent-volume-creation";
/** A node's system folders with all below them, and their parents. Provisioners keep volumes elsewhere below /var and /opt. */
const SYSTEM =
  /^\/((bin|boot|etc|lib|lib64|proc|root|run|sbin|sys|usr|var\/(log|run|lib\/(cni|containerd|docker|etcd|kubelet)))(\/.*)?|var|var\/lib|home)?$/;

/** A container's isolation from its node and its neighbors. */
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
      reason: "It runs on the node with administrator rights.",
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
      reason: "The kubelet sends the request, past the pod's network policies.",
      fix: "remove host from the probe or hook",
      source: podSecurity("Baseline", "Host Probes / Lifecycle Hooks"),
    },
    (container, report) => {
      const hosts = handlersOf(container).flatMap((handler) =>
        ["httpGet", "tcpSocket"].map((key) => handler.at(key, "host")),
      );
      report.each(hosts, (host) => {
        if ((host.text() ?? "") !== "") report.wrong(host, "a host that the kubelet connects to instead of the pod");
      });
    },
  ),
  podRule(
    {
      id: "pods-no-host-namespaces",
      forbids: true,
      level: "mandatory",
      title: "No pod shares the node's network, process or IPC namespace",
      reason: "There a pod sees other processes, and network policies do not apply.",
      fix: "remove hostNetwork, hostPID and hostIPC",
      source: cis("4.2.2 to 4.2.4"),
    },
    (pod, report) =>
      report.each(["hostNetwork", "hostPID", "hostIPC"], (key) => {
        if (pod.at(key).flag()) report.wrong(pod.at(key), "so the pod is not isolated from its node");
      }),
  ),
  containerRule(
    {
      id: "pods-no-host-ports",
      forbids: true,
      level: "mandatory",
      title: "No container uses a host port",
      reason: "A host port bypasses network policies.",
      fix: "remove hostPort, and reach the pod through a Service",
      source: podSecurity("Baseline", "Host Ports"),
    },
    (container, report) =>
      report.each(container.at("ports").items(), (port) => {
        const hostPort = port.at("hostPort");
        if ((hostPort.number() ?? 0) !== 0) report.wrong(hostPort, "a port of the node itself");
      }),
  ),
  podRule(
    {
      id: "pods-no-host-path",
      forbids: true,
      level: "mandatory",
      title: "No pod mounts a hostPath volume",
      reason: "It exposes other pods' files and, if writable, the node.",
      fix: "use an emptyDir, ConfigMap or PersistentVolumeClaim",
      source: podSecurity("Baseline", "HostPath Volumes"),
    },
    (pod, report) =>
      report.each(pod.at("volumes").items(), (volume) => {
        const path = volume.at("hostPath", "path");
        if (volume.at("hostPath").isSet) report.wrong(path, "a path of the node");
      }),
  ),
  {
    id: "pods-no-host-volumes",
    family: "pods",
    level: "mandatory",
    title: "No PersistentVolume is a folder of the node's system",
    reason: "A pod with a claim on it sees the node, and passes Pod Security.",
    fix: "use a CSI driver, or a disk or folder by itself, such as /mnt/disks/a",
    source: kubernetes("RBAC good practices, persistent volume creation", VOLUME_RISK),
    types: ["kubernetes:core/v1:PersistentVolume", "kubernetes:core/v1:PersistentVolumePatch"],
    check: (volume, report) => {
      report.each(["hostPath", "local"], (source) => {
        const path = volume.at("spec", source, "path");
        if (path.isSet && SYSTEM.test(posix.join("/", path.text() ?? "", ".")))
          report.wrong(path, "which holds files of the node's system");
      });
    },
  },
  podRule(
    {
      id: "pods-volume-types",
      forbids: true,
      level: "mandatory",
      title: "Only volume types that Pod Security allows are used",
      reason: "Other storage belongs in a PersistentVolume.",
      fix: `use one of ${VOLUME_TYPES.join(", ")}`,
      source: podSecurity("Restricted", "Volume Types"),
    },
    (pod, report) =>
      report.each(pod.at("volumes").items(), (volume) =>
        report.each(volume.entries(), ([type, source]) => {
          // pods-no-host-path reports node paths. A patch has directives such as $patch.
          if (type === "name" || type.startsWith("$") || type === "hostPath" || VOLUME_TYPES.includes(type)) return;
          if (source.isUnknown || source.isSet) report.wrongIn(volume, type, "a type that is not allowed");
        }),
      ),
  ),
];
