import { z } from "zod";
import { IAM_ARNS } from "../aws/partition.ts";
import type { ContainerResources } from "../kubernetes/container.ts";
import { teamNamespace } from "../kubernetes/labels.ts";
import { relation } from "../schema/errors.ts";
import {
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
import { Quota } from "./quota.ts";

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
      reason: z.string().min(10, "must say why, in at least 10 characters").describe("Kept as an annotation."),
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
