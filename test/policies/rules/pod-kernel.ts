import { UNKNOWN } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { first } from "./samples.ts";
import { GOOD_POD } from "./workloads.ts";

const C = "spec.containers.0";
const POD = "Pod/ts-team/curl-ts: spec.securityContext.";
const AT = "Pod/ts-team/curl-ts: spec.containers[0].securityContext.";
const set = (path: string, to: Parameters<typeof first>[2]) => first(GOOD_POD, path, to);
const APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/curl";
const annotation = (profile: string) => ({ [APP_ARMOR]: profile });

export const POD_KERNEL_CASES: CasesByRule = {
  "pods-kernel-defaults": {
    good: {
      "a pod without settings": GOOD_POD,
      "settings of the pod's own": set("spec.securityContext.sysctls", [
        { name: "net.ipv4.ping_group_range", value: "0 2147483647" },
        { name: "net.ipv4.ip_unprivileged_port_start", value: "0" },
      ]),
      "AppArmor's profile of the runtime, by an annotation": set("metadata", {
        name: "curl-ts",
        namespace: "ts-team",
        annotations: annotation("runtime/default"),
      }),
      "a profile of the node, by an annotation": set("metadata", {
        name: "curl-ts",
        namespace: "ts-team",
        annotations: annotation("localhost/curl"),
      }),
      "the explicit defaults": first(
        first(set(`${C}.securityContext.procMount`, "Default"), "spec.securityContext.appArmorProfile", {
          type: "RuntimeDefault",
        }),
        `${C}.securityContext.seLinuxOptions`,
        { level: "s0:c1,c2", type: "container_t" },
      ),
      "profiles by annotations": set("metadata", {
        name: "curl-ts",
        annotations: { ...annotation("localhost/curl"), other: "unconfined" },
      }),
      "a Windows pod": first(set("spec.os", { name: "windows" }), `${C}.securityContext.procMount`, "Unmasked"),
    },
    bad: {
      "a setting of the node": [
        set("spec.securityContext.sysctls", [
          { name: "net.ipv4.tcp_syncookies", value: "1" },
          { name: "kernel.msgmax", value: "1" },
        ]),
        `${POD}sysctls[1].name is "kernel.msgmax", which is not the pod's own. Fix: remove the field`,
      ],
      "all of /proc": [
        set(`${C}.securityContext.procMount`, "Unmasked"),
        `${AT}procMount is "Unmasked", not one of Default`,
      ],
      "all of /proc in an init container": [
        set("spec.initContainers", [{ name: "init", securityContext: { procMount: "Unmasked" } }]),
        'Pod/ts-team/curl-ts: spec.initContainers[0].securityContext.procMount is "Unmasked"',
      ],
      "no AppArmor": [
        set("spec.securityContext.appArmorProfile", { type: "Unconfined" }),
        `${POD}appArmorProfile.type is "Unconfined", not one of RuntimeDefault, Localhost`,
      ],
      "no AppArmor, by an annotation": [
        set("metadata", { name: "curl-ts", namespace: "ts-team", annotations: annotation("unconfined") }),
        `Pod/ts-team/curl-ts: metadata.annotations["${APP_ARMOR}"] is "unconfined", a profile that is not allowed`,
      ],
      "no AppArmor for the pods of a Windows deployment": [
        [
          {
            type: "kubernetes:apps/v1:Deployment",
            name: "d",
            props: {
              spec: {
                template: { metadata: { annotations: annotation("unconfined") }, spec: { os: { name: "windows" } } },
              },
            },
          },
        ],
        `Deployment/d: spec.template.metadata.annotations["${APP_ARMOR}"] is "unconfined"`,
      ],
      "another SELinux type, user and role": [
        set(`${C}.securityContext.seLinuxOptions`, { type: "spc_t", user: "root", role: "system_r" }),
        `${AT}seLinuxOptions.type is "spc_t", not one of container_t`,
        `${AT}seLinuxOptions.user is "root", which must be left to the runtime`,
        `${AT}seLinuxOptions.role is "system_r"`,
      ],
      "a patch": [
        [
          {
            type: "kubernetes:apps/v1:DeploymentPatch",
            name: "patch",
            props: { spec: { template: { spec: { securityContext: { sysctls: [{ name: "kernel.sem" }] } } } } },
          },
        ],
        'DeploymentPatch/patch: spec.template.spec.securityContext.sysctls[0].name is "kernel.sem"',
      ],
    },
    unknown: {
      "unknown settings": [set("spec.securityContext.sysctls", UNKNOWN), `${POD}sysctls is known only`],
      "unknown annotations": [
        set("metadata", { name: "curl-ts", namespace: "ts-team", annotations: UNKNOWN }),
        "Pod/ts-team/curl-ts: metadata.annotations is known only",
      ],
      "an unknown mask": [set(`${C}.securityContext.procMount`, UNKNOWN), `${AT}procMount is known only`],
    },
  },
};
