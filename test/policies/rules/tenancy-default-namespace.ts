import { UNKNOWN } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { first } from "./samples.ts";
import { OTHERS } from "./tenancy-samples.ts";
import { GOOD_POD } from "./workloads.ts";

export const TENANCY_DEFAULT_NAMESPACE_CASES: CasesByRule = {
  "tenancy-no-default-namespace": {
    good: {
      "a pod of a team": GOOD_POD,
      "what has no namespace": OTHERS,
      "the provider's namespace": [
        ...first(GOOD_POD, "metadata.namespace", undefined).map((pod) => ({
          ...pod,
          provider: { namespace: "ts-team" },
        })),
      ],
      "a custom resource without a namespace": [
        { type: "kubernetes:example.com/v1:Thing", name: "thing", props: { metadata: { name: "thing" } } },
      ],
      ...Object.fromEntries(
        [
          "rbac.authorization.k8s.io/v1:ClusterRoleBinding",
          "core/v1:PersistentVolume",
          "storage.k8s.io/v1:StorageClass",
          "apiextensions.k8s.io/v1:CustomResourceDefinition",
        ].map((kind) => [
          `a namespace of what is in none: ${kind}`,
          [{ type: `kubernetes:${kind}`, name: "a", props: { metadata: { name: "a", namespace: "default" } } }],
        ]),
      ),
      "a patch of what is there": [
        {
          type: "kubernetes:core/v1:ServiceAccountPatch",
          name: "quiet",
          props: { metadata: { name: "default", namespace: "default" }, automountServiceAccountToken: false },
        },
      ],
      "a Helm release elsewhere": [
        { type: "kubernetes:helm.sh/v3:Release", name: "app", props: { chart: "app", namespace: "shop" } },
      ],
    },
    bad: {
      "explicit default": [
        first(GOOD_POD, "metadata.namespace", "default"),
        'Pod/default/curl-ts: metadata.namespace is "default", which is the namespace default. Fix: set metadata.namespace',
      ],
      "an unset value": [
        first(GOOD_POD, "metadata.namespace", undefined),
        "Pod/curl-ts: metadata.namespace is not set",
      ],
      "what is in a namespace, of a group whose others are not": [
        [
          {
            type: "kubernetes:storage.k8s.io/v1:CSIStorageCapacity",
            name: "a",
            props: { metadata: { namespace: "default" } },
          },
        ],
        'CSIStorageCapacity/default/a: metadata.namespace is "default"',
      ],
      "a custom resource that says so": [
        [{ type: "kubernetes:example.com/v1:Thing", name: "thing", props: { metadata: { namespace: "default" } } }],
        'Thing/default/thing: metadata.namespace is "default"',
      ],
      "an older API": [
        [{ type: "kubernetes:batch/v1beta1:CronJob", name: "job", props: {} }],
        "CronJob/job: metadata.namespace is not set",
      ],
      "a Helm release that names none": [
        [{ type: "kubernetes:helm.sh/v3:Release", name: "app", props: { chart: "app" } }],
        "Release/app: namespace is not set, which is the namespace default",
      ],
    },
    unknown: {
      "the unknown namespace of a custom resource": [
        [{ type: "kubernetes:example.com/v1:Thing", name: "thing", props: { metadata: { namespace: UNKNOWN } } }],
        "Thing/thing: metadata.namespace is known only",
      ],
      "the unknown namespace of a Helm release": [
        [{ type: "kubernetes:helm.sh/v3:Release", name: "app", props: { namespace: UNKNOWN } }],
        "Release/app: namespace is known only",
      ],
      "an unknown namespace": [
        first(GOOD_POD, "metadata.namespace", UNKNOWN),
        "Pod/curl-ts: metadata.namespace is known only",
      ],
    },
  },
};
