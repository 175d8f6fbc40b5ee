import { z } from "zod";
import type { SettingsIssue } from "../schema/errors.ts";
import { amount, Bytes, Cores, integer } from "../schema/values.ts";

const Count = integer(0);

const QUANTITY = "must be an integer of at least 0, or a quoted quantity, such as '500m' or '10Gi'";
const AnyQuota = z.union(
  [z.int(QUANTITY).min(0, QUANTITY), z.string(QUANTITY).regex(/^\d+(\.\d+)?([mkMGTPE]|[KMGTPE]i)?$/, QUANTITY)],
  QUANTITY,
);

const DOMAIN = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const NAME = "[A-Za-z0-9]([-\\w.]{0,61}[A-Za-z0-9])?";

/**
 * Keys that the API accepts, and whether their values must be integers.
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/apis/core/helper/helpers.go standardQuotaResources, integerResources
 * @see https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
const KEYS: readonly { readonly key: RegExp; readonly integer: boolean }[] = [
  { key: /^(requests\.|limits\.)?(cpu|memory|ephemeral-storage)$|^requests\.storage$/, integer: false },
  { key: /^(pods|services(\.loadbalancers|\.nodeports)?|secrets|configmaps)$/, integer: true },
  { key: /^(persistentvolumeclaims|replicationcontrollers|resourcequotas)$/, integer: true },
  { key: new RegExp(`^(requests\\.)?hugepages-${NAME}$`), integer: false },
  { key: new RegExp(`^requests\\.${DOMAIN}/${NAME}$`), integer: false },
  { key: new RegExp(`^limits\\.${DOMAIN}/${NAME}$`), integer: true },
  { key: /^count\/[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/, integer: true },
  {
    key: new RegExp(`^${DOMAIN}\\.storageclass\\.storage\\.k8s\\.io/(requests\\.storage|persistentvolumeclaims)$`),
    integer: true,
  },
  { key: new RegExp(`^${DOMAIN}\\.deviceclass\\.resource\\.k8s\\.io/devices$`), integer: true },
];
const KEY_MESSAGE =
  "must be a key of a ResourceQuota, such as requests.nvidia.com/gpu, count/deployments.apps or gold.storageclass.storage.k8s.io/requests.storage";

/**
 * Limits of a whole namespace, by ResourceQuota key.
 * @see https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
export const Quota = z
  .object({
    "requests.cpu": Cores.default("2").describe("Requested cores. Default 2."),
    "requests.memory": Bytes.default("2Gi").describe("Requested memory. Default 2Gi."),
    "limits.memory": Bytes.default("4Gi").describe("Memory limits. Default 4Gi."),
    "requests.storage": Bytes.default("10Gi").describe("Requested storage. Default 10Gi."),
    pods: integer(1).default(20).describe("Pods, including the curl pod. Default 20."),
    services: integer(1).default(10).describe("Services, including the curl pod's. Default 10."),
    "services.loadbalancers": Count.default(0).describe("Load balancers. Default 0."),
    "services.nodeports": Count.default(0).describe("Services with node ports. Default 0."),
  })
  .catchall(AnyQuota)
  .superRefine((quota, context) => {
    for (const [key, value] of Object.entries(quota)) {
      const known = KEYS.find((form) => form.key.test(key));
      const add = (message: string) => context.addIssue({ code: "custom", path: [key], message, input: value });
      if (known === undefined) add(KEY_MESSAGE);
      else if (known.integer && !isInteger(value)) add("must be an integer, or Kubernetes refuses the ResourceQuota");
    }
  });
export type Quota = z.infer<typeof Quota>;

function isInteger(value: string | number): boolean {
  return Number.isInteger(amount(String(value)));
}

/** Namespaced resources of the core group: only these are counted without a group. */
const CORE = [
  ...["configmaps", "endpoints", "events", "limitranges", "persistentvolumeclaims", "pods", "podtemplates"],
  ...["replicationcontrollers", "resourcequotas", "secrets", "serviceaccounts", "services"],
];

/**
 * Valid keys that limit nothing, or less than they say. Paths are below `teams`.
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/quota/v1/evaluator/core/pods.go isExtendedResourceNameForQuota
 */
export function idleQuotas(teams: readonly { readonly quota: Quota }[]): SettingsIssue[] {
  return teams.flatMap(({ quota }, index) =>
    Object.entries(quota).flatMap(([key, value]): SettingsIssue[] => {
      const message = idleMessage(key, value);
      return message === undefined ? [] : [{ path: [index, "quota", key], message, value, severity: "warning" }];
    }),
  );
}

function idleMessage(key: string, value: string | number): string | undefined {
  const [kind, name = ""] = key.split(/\/(.*)/s);
  if (kind === "count" && !name.includes(".") && !CORE.includes(name))
    return `has no effect, since the core group has no ${name}: a group follows the name, as in count/deployments.apps`;
  if (key.startsWith("limits.") && name !== "")
    return `has no effect, since Kubernetes counts extended resources as requests.${key.slice("limits.".length)} alone`;
  if (key.startsWith("requests.") && name !== "" && !isInteger(value))
    return `admits ${Math.floor(amount(String(value)))}, since pods take extended resources in whole units`;
  return undefined;
}

/** The API stores quantities as strings; numbers would show as a change in every preview. */
export function quotaAsStrings(quota: z.infer<typeof Quota>): Record<string, string> {
  return Object.fromEntries(Object.entries(quota).map(([key, value]) => [key, String(value)]));
}
