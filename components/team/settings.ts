import { z } from "zod";
import { IAM_ARNS } from "../aws/partition.ts";
import type { ContainerResources } from "../kubernetes/container.ts";
import { teamNamespace } from "../kubernetes/labels.ts";
import { relation, type SettingsIssue } from "../schema/errors.ts";
import {
  amount,
  Bytes,
  Cores,
  Image,
  integer,
  isMore,
  isObject,
  LABEL_KEY,
  NamespaceName,
  string,
  UNIQUE,
  unique,
} from "../schema/values.ts";
import { AccessRule } from "./network-policies.ts";
import { PodIdentitySettings } from "./pod-identity.ts";

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

const REASON = "must say why, in at least 10 characters";
const DNS_LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;
const LABEL_WORDS = "must be a Kubernetes label value: a quoted string of at most 63 letters, digits, '-', '_' and '.'";

const LIFETIME = "must be an integer of seconds from 60 to 31536000 (a year), or 'infinity'";

/** Pairs of limits, of which the first must not exceed the second. */
const ORDER = [
  ["memoryRequest", "memoryLimit"],
  ["memoryLimit", "maxMemory"],
] as const;

/**
 * Default resources of a container, and its highest memory limit.
 * @see https://kubernetes.io/docs/concepts/policy/limit-range/
 */
export const Limits = z
  .strictObject({
    cpuRequest: Cores.default("25m").describe("CPU request. Default 25m."),
    memoryRequest: Bytes.default("32Mi").describe("Memory request. Default 32Mi."),
    memoryLimit: Bytes.default("128Mi").describe("Memory limit. Default 128Mi."),
    maxMemory: Bytes.default("1Gi").describe("Highest memory limit. Default 1Gi."),
  })
  .superRefine((limits, context) => {
    for (const [lower, upper] of ORDER)
      if (isMore(Bytes, limits[lower], limits[upper]))
        relation(
          context,
          [lower, upper],
          `${lower} (${limits[lower]}) must not exceed ${upper} (${limits[upper]}), or Kubernetes refuses the LimitRange`,
        );
  });

const TeamName = string(
  DNS_LABEL,
  "a string of lower-case letters, digits and '-' that starts with a letter and does not end with '-'",
);

export const TeamSettings = z.strictObject({
  name: TeamName.max(
    58,
    "must have at most 58 characters, since the namespace is NAME-team and Kubernetes allows 63",
  ).describe("Short name: `ts` creates namespace ts-team and pod curl-ts."),
  peers: z.array(z.string()).default([]).describe("Teams that its pods may connect to."),
  members: z
    .array(
      z
        .string()
        .min(1)
        .regex(/^(?!system:)/, "must not start with 'system:', which Kubernetes reserves"),
    )
    .default([])
    .describe("RBAC groups with access to the namespaces."),
  memberRoles: z
    .array(string(IAM_ARNS.role, "the ARN of an IAM role, such as arn:aws:iam::123456789012:role/dev"))
    .superRefine(unique())
    .default([])
    .describe("IAM roles with access, by EKS access entries."),
  podIdentity: PodIdentitySettings.optional().describe("IAM role of its pods, by EKS Pod Identity. Default: none."),
  namespaces: z
    .array(
      z
        .strictObject({
          // Pods there would lose their network, and the cluster its DNS.
          name: NamespaceName.regex(/^(?!kube-)/, "must not start with kube-, which Kubernetes reserves").describe(
            "Name.",
          ),
          adopt: z
            .boolean()
            .default(false)
            .describe(
              "Adopt an existing one: `pulumi destroy` keeps it, and removes labels, network policies and members. Default false.",
            ),
          wasTeam: TeamName.optional().describe(
            "Team that had it until now: `pulumi up` keeps all that is in it. Default: none.",
          ),
        })
        .refine(({ name, adopt }) => name !== "default" || adopt, {
          path: ["name"],
          error: "must have adopt: true, since every cluster already has this namespace",
        }),
    )
    .min(1)
    .superRefine(unique(({ name }) => name, ["name"]))
    .optional()
    .describe("Without curl pods. Default: NAME-team, with one."),
  podSecurity: z
    .strictObject({
      level: z.enum(["restricted", "baseline", "privileged"]).describe("Level."),
      reason: z.string(REASON).min(10, REASON).describe("Kept as an annotation."),
    })
    .optional()
    .describe("A level below restricted; also needs a policy exemption."),
  ingress: z.array(AccessRule).default([]).describe("Other allowed sources."),
  egress: z.array(AccessRule).default([]).describe("Other allowed destinations."),
  labels: z
    .record(
      string(LABEL_KEY, "a Kubernetes label key, such as app.kubernetes.io/part-of").regex(
        /^(?!team$|([a-z0-9-]+\.)*kubernetes\.io\/)/,
        "must not be 'team' or under kubernetes.io, since this program sets those",
      ),
      z.string(LABEL_WORDS).max(63, LABEL_WORDS).regex(LABEL_VALUE, LABEL_WORDS),
    )
    .default({})
    .describe("Namespace labels."),
  quota: Quota.prefault({}).describe("ResourceQuota, with any of its keys."),
  limits: Limits.prefault({}).describe("LimitRange: what a container gets that sets none, and its maximum."),
});
export type TeamSettings = z.infer<typeof TeamSettings>;

/** Names of a team's namespaces, as far as they are valid. */
function namespacesOf(team: unknown): string[] {
  if (!isObject(team)) return [];
  const { name, namespaces } = team;
  if (!Array.isArray(namespaces)) return typeof name === "string" ? [teamNamespace(name)] : [];
  return namespaces.flatMap((namespace: unknown) =>
    isObject(namespace) && typeof namespace.name === "string" ? [namespace.name] : [],
  );
}

/** All teams. Names are unique and peers are teams of the list. */
export const TeamsSettings = z.array(TeamSettings).superRefine(
  (teams, context) => {
    const add = (path: PropertyKey[], message: string, input: unknown) =>
      context.addIssue({ code: "custom", path, message, input });
    const names = teams.map((team) => team?.name);
    // A team without a valid name may be the missing peer.
    const allNamed = names.every((name) => typeof name === "string");
    for (const [index, team] of teams.entries()) {
      for (const name of namespacesOf(team)) {
        const owner = teams.findIndex((other) => namespacesOf(other).includes(name));
        if (owner !== index && names[owner] !== team?.name)
          add([index, "namespaces"], `must not include ${name}, which is a namespace of team ${names[owner]}`, name);
      }
      if (team?.name !== undefined && names.indexOf(team.name) !== index) add([index, "name"], UNIQUE, team?.name);
      const others = names.filter((name) => name !== team?.name);
      for (const [place, peer] of Array.isArray(team?.peers) ? team.peers.entries() : []) {
        if (typeof peer !== "string" || others.includes(peer) || !allNamed) continue;
        const choice = others.length > 0 ? ` (${others.join(", ")})` : ", but there is none";
        add([index, "peers", place], `must be the name of another team${choice}`, peer);
      }
    }
  },
  // Even if a team has other issues, so that all are reported together; fields may be missing.
  { when: ({ value }) => Array.isArray(value) },
);
export type TeamsSettings = z.infer<typeof TeamsSettings>;

/** The lab's teams: two that may connect to each other. */
export const DEFAULT_TEAMS = [
  { name: "ts", peers: ["sa"] },
  { name: "sa", peers: ["ts"] },
];

/** The lab's pod, the same for every team. */
export const CurlPodSettings = z.strictObject({
  lifetime: z
    .union([z.int(LIFETIME).min(60, LIFETIME).max(31_536_000, LIFETIME), z.literal("infinity", LIFETIME)], LIFETIME)
    .default(3600)
    .describe("Seconds until it completes. Default 3600."),
  ndots: integer(1, 15).default(3).describe("Names with this many dots are first queried as written. Default 3."),
  image: Image.default("docker.io/curlimages/curl:8.17.0").describe("curl image."),
  responderImage: Image.default("docker.io/nginxinc/nginx-unprivileged:1.29.8-alpine").describe(
    "An nginx that runs as user 101.",
  ),
});
export type CurlPodSettings = z.infer<typeof CurlPodSettings>;

/** Resources of each of the curl pod's two containers. */
export const CURL_POD: ContainerResources = { cpu: "10m", memory: "16Mi", memoryLimit: "64Mi" };

/** Whether a team has the lab's pod, which only exists in its default namespace. */
export function hasCurlPod({ namespaces }: Pick<TeamSettings, "namespaces">): boolean {
  return namespaces === undefined;
}
