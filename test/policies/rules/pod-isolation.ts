import { UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { first, type Sample } from "./samples.ts";
import { CONTAINER, GOOD_POD } from "./workloads.ts";

const C = "spec.containers.0";
const AT = "Pod/ts-team/curl-ts: spec.containers[0]";
const set = (path: string, to: Parameters<typeof first>[2]) => first(GOOD_POD, path, to);

const persistentVolume = (spec: Value): Sample => [
  { type: "kubernetes:core/v1:PersistentVolume", name: "a", props: { metadata: { name: "a" }, spec } },
];

export const POD_ISOLATION_CASES: CasesByRule = {
  "pods-not-privileged": {
    good: { "a pod without settings": GOOD_POD, "privileged: false": set(`${C}.securityContext.privileged`, false) },
    bad: {
      "a privileged container": [
        set(`${C}.securityContext.privileged`, true),
        `${AT}.securityContext.privileged is true, which makes the container root on the node. Fix: remove`,
      ],
      "a privileged init container": [
        set("spec.initContainers", [{ name: "init", securityContext: { privileged: true } }]),
        "Pod/ts-team/curl-ts: spec.initContainers[0].securityContext.privileged is true",
      ],
      "a privileged ephemeral container": [
        set("spec.ephemeralContainers", [{ name: "debug", securityContext: { privileged: true } }]),
        "Pod/ts-team/curl-ts: spec.ephemeralContainers[0].securityContext.privileged is true",
      ],
      "a patch that makes one privileged": [
        [
          {
            type: "kubernetes:core/v1:PodPatch",
            name: "patch",
            props: {
              metadata: { name: "app", namespace: "shop" },
              spec: { containers: [{ name: "app", securityContext: { privileged: true } }] },
            },
          },
        ],
        "PodPatch/shop/app: spec.containers[0].securityContext.privileged is true",
      ],
      "one of an old API": [
        [
          {
            type: "kubernetes:extensions/v1beta1:DaemonSet",
            name: "old",
            props: { spec: { template: { spec: { containers: [{ securityContext: { privileged: true } }] } } } },
          },
        ],
        "DaemonSet/old: spec.template.spec.containers[0].securityContext.privileged is true",
      ],
      "a Windows host process": [
        set(`${C}.securityContext.windowsOptions`, { hostProcess: true }),
        `${AT}.securityContext.windowsOptions.hostProcess is true`,
      ],
      "the second container": [
        set("spec.containers", [CONTAINER, { name: "second", securityContext: { privileged: true } }]),
        "Pod/ts-team/curl-ts: spec.containers[1].securityContext.privileged is true",
      ],
    },
    unknown: {
      "an unknown switch": [
        set(`${C}.securityContext.privileged`, UNKNOWN),
        `${AT}.securityContext.privileged is known`,
      ],
      "unknown containers": [
        set("spec.containers", UNKNOWN),
        "Pod/ts-team/curl-ts: spec.containers is known only after",
      ],
      "an unknown spec": [
        set("spec", UNKNOWN),
        "Pod/ts-team/curl-ts: spec.initContainers is known only",
        "Pod/ts-team/curl-ts: spec.containers is known only",
        "Pod/ts-team/curl-ts: spec.ephemeralContainers is known only",
      ],
    },
  },
  "pods-no-host-namespaces": {
    good: { "a pod without settings": GOOD_POD, "hostNetwork: false": set("spec.hostNetwork", false) },
    bad: {
      hostNetwork: [set("spec.hostNetwork", true), "Pod/ts-team/curl-ts: spec.hostNetwork is true, so the pod"],
      hostPID: [set("spec.hostPID", true), "Pod/ts-team/curl-ts: spec.hostPID is true"],
      hostIPC: [set("spec.hostIPC", true), "Pod/ts-team/curl-ts: spec.hostIPC is true"],
    },
    unknown: { "an unknown switch": [set("spec.hostPID", UNKNOWN), "Pod/ts-team/curl-ts: spec.hostPID is known only"] },
  },
  "pods-no-host-ports": {
    good: { "a port of the container": GOOD_POD, "hostPort: 0": set(`${C}.ports.0.hostPort`, 0) },
    bad: { "a host port": [set(`${C}.ports.0.hostPort`, 8080), `${AT}.ports[0].hostPort is 8080, a port of the node`] },
    unknown: {
      "an unknown host port": [set(`${C}.ports.0.hostPort`, UNKNOWN), `${AT}.ports[0].hostPort is known only`],
      "unknown ports": [set(`${C}.ports`, UNKNOWN), `${AT}.ports is known only`],
    },
  },
  "pods-no-escalation": {
    good: {
      "explicit false": GOOD_POD,
      "a Windows pod, which has no such thing": first(set(`${C}.securityContext`, undefined), "spec.os", {
        name: "windows",
      }),
      "a patch, which only has changes": [
        { type: "kubernetes:core/v1:PodPatch", name: "patch", props: { spec: { containers: [{ name: "app" }] } } },
      ],
    },
    bad: {
      "an unset value": [
        set(`${C}.securityContext.allowPrivilegeEscalation`, undefined),
        `${AT}.securityContext.allowPrivilegeEscalation is not set, so a process may gain`,
      ],
      true: [
        set(`${C}.securityContext.allowPrivilegeEscalation`, true),
        `${AT}.securityContext.allowPrivilegeEscalation is true`,
      ],
    },
    unknown: {
      "an unknown context": [
        set(`${C}.securityContext`, UNKNOWN),
        `${AT}.securityContext.allowPrivilegeEscalation is known only`,
      ],
    },
  },
  "pods-drop-capabilities": {
    good: {
      "all dropped": GOOD_POD,
      "the one that is allowed": set(`${C}.securityContext.capabilities.add`, ["NET_BIND_SERVICE"]),
    },
    bad: {
      "nothing dropped": [
        set(`${C}.securityContext.capabilities`, undefined),
        `${AT}.securityContext.capabilities.drop is not set, which leaves`,
      ],
      "some dropped": [
        set(`${C}.securityContext.capabilities.drop`, ["NET_RAW"]),
        `${AT}.securityContext.capabilities.drop is ["NET_RAW"]`,
      ],
      "one added": [
        set(`${C}.securityContext.capabilities.add`, ["NET_BIND_SERVICE", "SYS_ADMIN"]),
        `${AT}.securityContext.capabilities.add[1] is "SYS_ADMIN", a capability that is not allowed. Fix: add only NET_BIND`,
      ],
    },
    unknown: {
      "an unknown list": [
        set(`${C}.securityContext.capabilities.drop`, UNKNOWN),
        `${AT}.securityContext.capabilities.drop is known only`,
      ],
      "an unknown one added": [
        set(`${C}.securityContext.capabilities.add`, [UNKNOWN]),
        `${AT}.securityContext.capabilities.add[0] is known only`,
      ],
    },
  },
  "pods-seccomp": {
    good: {
      "the pod's profile": GOOD_POD,
      "the container's own": first(
        set("spec.securityContext.seccompProfile", undefined),
        `${C}.securityContext.seccompProfile`,
        { type: "Localhost", localhostProfile: "app.json" },
      ),
    },
    bad: {
      "no profile": [
        set("spec.securityContext.seccompProfile", undefined),
        "Pod/ts-team/curl-ts: spec.securityContext.seccompProfile.type is not set, so spec.containers[0] may make",
      ],
      "a container without": [
        set(`${C}.securityContext.seccompProfile`, { type: "Unconfined" }),
        `${AT}.securityContext.seccompProfile.type is "Unconfined"`,
      ],
    },
    unknown: {
      "an unknown profile": [
        set("spec.securityContext.seccompProfile", UNKNOWN),
        "Pod/ts-team/curl-ts: spec.securityContext.seccompProfile.type is known only",
      ],
    },
  },
  "pods-non-root": {
    good: {
      "a value on the pod": GOOD_POD,
      "a value on the container": first(
        set("spec.securityContext.runAsNonRoot", undefined),
        `${C}.securityContext.runAsNonRoot`,
        true,
      ),
    },
    bad: {
      "an unset value": [
        set("spec.securityContext.runAsNonRoot", undefined),
        "Pod/ts-team/curl-ts: spec.securityContext.runAsNonRoot is not set, though Pod Security requires it of spec.containers[0] even with user 100.",
      ],
      "an unset value and no user": [
        first(set("spec.securityContext.runAsNonRoot", undefined), `${C}.securityContext.runAsUser`, undefined),
        "Pod/ts-team/curl-ts: spec.securityContext.runAsNonRoot is not set, so spec.containers[0] may run as root",
      ],
      "taken back by the container": [
        set(`${C}.securityContext.runAsNonRoot`, false),
        `${AT}.securityContext.runAsNonRoot is false`,
      ],
      "user 0": [set(`${C}.securityContext.runAsUser`, 0), `${AT}.securityContext.runAsUser is 0, so`],
      "user 0 of the pod": [
        first(set(`${C}.securityContext.runAsUser`, undefined), "spec.securityContext.runAsUser", 0),
        "Pod/ts-team/curl-ts: spec.securityContext.runAsUser is 0",
      ],
    },
    unknown: {
      "an unknown user": [
        set(`${C}.securityContext.runAsUser`, UNKNOWN),
        `${AT}.securityContext.runAsUser is known only`,
      ],
      "an unknown switch": [
        set("spec.securityContext.runAsNonRoot", UNKNOWN),
        "Pod/ts-team/curl-ts: spec.securityContext.runAsNonRoot is known only",
      ],
    },
  },
  "pods-read-only-root": {
    good: { "true, said": GOOD_POD },
    bad: {
      "an unset value": [
        set(`${C}.securityContext.readOnlyRootFilesystem`, undefined),
        `${AT}.securityContext.readOnlyRootFilesystem is not set, so the container can be written to`,
      ],
      false: [
        set(`${C}.securityContext.readOnlyRootFilesystem`, false),
        `${AT}.securityContext.readOnlyRootFilesystem is false`,
      ],
    },
    unknown: {
      "an unknown switch": [
        set(`${C}.securityContext.readOnlyRootFilesystem`, UNKNOWN),
        `${AT}.securityContext.readOnlyRootFilesystem is known only`,
      ],
    },
  },
  "pods-no-host-path": {
    good: { "an emptyDir": GOOD_POD, "no volumes": set("spec.volumes", undefined) },
    bad: {
      "a path of the node": [
        set("spec.volumes", [{ name: "root", hostPath: { path: "/" } }]),
        'Pod/ts-team/curl-ts: spec.volumes[0].hostPath.path is "/", a path of the node',
      ],
    },
    unknown: {
      "unknown volumes": [set("spec.volumes", UNKNOWN), "Pod/ts-team/curl-ts: spec.volumes is known only"],
      "an unknown volume": [
        set("spec.volumes", [UNKNOWN]),
        "Pod/ts-team/curl-ts: spec.volumes[0].hostPath is known only",
      ],
    },
  },
  "pods-no-host-volumes": {
    good: {
      "a driver's volume": persistentVolume({ csi: { driver: "ebs.csi.aws.com", volumeHandle: "vol-1" } }),
      ...Object.fromEntries(
        ["/mnt/disks/a", "/var/local-path-provisioner/pvc-1", "/var/lib/rancher/k3s/storage/pvc-1", "/home/data"].map(
          (path) => [`a folder by itself: ${path}`, persistentVolume({ local: { path } })],
        ),
      ),
    },
    bad: {
      ...Object.fromEntries(
        ["/", "/etc", "/var/lib/kubelet/pods", "/mnt/../proc/1", "/run/containerd/", "/var/lib"].map((path) => [
          `a folder of the system: ${path}`,
          [
            persistentVolume({ hostPath: { path } }),
            `PersistentVolume/a: spec.hostPath.path is "${path}", which holds files of the node's system. Fix: use a CSI`,
          ] as const,
        ]),
      ),
      "a local volume": [persistentVolume({ local: { path: "/" } }), 'PersistentVolume/a: spec.local.path is "/"'],
    },
    unknown: {
      "an unknown path": [
        persistentVolume({ hostPath: { path: UNKNOWN } }),
        "PersistentVolume/a: spec.hostPath.path is known only",
      ],
    },
  },
};
