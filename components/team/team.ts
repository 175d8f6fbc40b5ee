import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterHandle } from "../cluster/handle.ts";
import type { PodDns } from "../dns/resolver.ts";
import type { PodSidecar } from "../kubernetes/container.ts";
import { commonLabels, podSecurityLabels } from "../kubernetes/labels.ts";
import { CurlPod, type CurlPodOptions } from "./curl-pod.ts";
import { MEMBER_RULES, teamNamespace } from "./namespace.ts";
import { networkPolicies, type PolicyContext } from "./network-policies.ts";
import { Limits, Quota, type TeamSettings } from "./settings.ts";

export interface TeamArgs {
  /** The cluster that the namespace is on. */
  readonly cluster: ClusterHandle;
  /**
   * Short name of the team: `ts` gives namespace `ts-team`, pod and Service `curl-ts`. Up to 58 lower-case letters, digits and '-'.
   * @default the name of the component
   */
  readonly team?: string;
  /** Teams whose pods this team's pods may connect to. @default none but its own */
  readonly peers?: readonly string[];
  /** RBAC groups whose members may work in the namespace. @default none */
  readonly members?: readonly pulumi.Input<string>[];
  /** More labels of the namespace. @default none */
  readonly labels?: Readonly<Record<string, pulumi.Input<string>>>;
  /**
   * Quota of the namespace, under the keys of a ResourceQuota; keys left out keep their defaults.
   * @default 2 CPUs and 2Gi requested, 4Gi of memory limits, 10Gi of storage, 20 pods, 10 Services, no load balancers and node ports
   * @example { "requests.cpu": "8", pods: 50 }
   * @see https://kubernetes.io/docs/concepts/policy/resource-quotas/
   */
  readonly quota?: Readonly<Partial<TeamSettings["quota"]>>;
  /**
   * Requests and limits of a container that names none, and the highest memory limit; keys left out keep their defaults.
   * @default { cpuRequest: "25m", memoryRequest: "32Mi", memoryLimit: "128Mi", maxMemory: "1Gi" }
   * @see https://kubernetes.io/docs/concepts/policy/limit-range/
   */
  readonly limits?: Readonly<Partial<TeamSettings["limits"]>>;
  /** The curl pod of the lab; `false` for none. @default a pod that lives for an hour */
  readonly curlPod?: CurlPodOptions | false;
  /** The other side of the team's network policies. @default no other teams, and DNS by the CoreDNS pods alone */
  readonly network?: Partial<PolicyContext>;
  /** Collects what the curl pod writes to files. @default none */
  readonly sidecar?: PodSidecar | undefined;
  /** Resolver of the curl pod. @default its node's */
  readonly dns?: PodDns | undefined;
  /** What must exist before the curl pod starts, beside its namespace. @default nothing */
  readonly dependsOn?: readonly pulumi.Resource[];
}

/** Service account of a team's pods. */
const SERVICE_ACCOUNT = "workload";
const MEMBER_ROLE = "team-member";

/**
 * A team's namespace with all that keeps teams apart: Pod Security "restricted", quota, limits, network policies, a role for
 * its members and a service account without a token; and the lab's curl pod in it.
 * @see https://kubernetes.io/docs/concepts/security/multi-tenancy/
 */
export class Team extends pulumi.ComponentResource {
  /** Name of the namespace, such as `ts-team`. */
  readonly namespace: pulumi.Output<string>;
  /** The curl pod; undefined where `curlPod` is false. */
  readonly curlPod: CurlPod | undefined;

  constructor(name: string, args: TeamArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("eks-dns-logging:team:Team", name, {}, { ...options, provider: args.cluster.provider });
    const team = { name: args.team ?? name, peers: args.peers ?? [], members: args.members ?? [] };
    const metadata = { namespace: teamNamespace(team.name), labels: { ...commonLabels("team"), team: team.name } };

    const namespace = new k8s.core.v1.Namespace(
      `${name}-namespace`,
      {
        metadata: { name: metadata.namespace, labels: { ...args.labels, ...metadata.labels, ...podSecurityLabels() } },
      },
      // Made after the nodes and so destroyed before them: its pods need a kubelet to end.
      { parent: this, dependsOn: [...args.cluster.ready], deleteBeforeReplace: true },
    );
    const inNamespace = { parent: this, dependsOn: namespace, deleteBeforeReplace: true };

    const { cpuRequest, memoryRequest, memoryLimit, maxMemory } = Limits.parse({ ...args.limits });
    const guards = [
      new k8s.core.v1.ResourceQuota(
        `${name}-quota`,
        { metadata: { ...metadata, name: "team" }, spec: { hard: quotaAsStrings(Quota.parse({ ...args.quota })) } },
        inNamespace,
      ),
      new k8s.core.v1.LimitRange(
        `${name}-limits`,
        {
          metadata: { ...metadata, name: "team" },
          spec: {
            limits: [
              {
                type: "Container",
                defaultRequest: { cpu: cpuRequest, memory: memoryRequest },
                default: { memory: memoryLimit },
                max: { memory: maxMemory },
              },
            ],
          },
        },
        inNamespace,
      ),
      ...networkPolicies(team, { teams: [], ...args.network }).map(
        (policy) =>
          new k8s.networking.v1.NetworkPolicy(
            `${name}-${policy.name}`,
            { metadata: { ...metadata, name: policy.name }, spec: policy.spec },
            inNamespace,
          ),
      ),
    ];
    const account = new k8s.core.v1.ServiceAccount(
      `${name}-workload`,
      { metadata: { ...metadata, name: SERVICE_ACCOUNT }, automountServiceAccountToken: false },
      inNamespace,
    );
    this.grantMembers(name, team, metadata, inNamespace);

    this.curlPod =
      args.curlPod === false
        ? undefined
        : new CurlPod(
            `${name}-curl`,
            {
              team: team.name,
              pod: args.curlPod,
              serviceAccount: SERVICE_ACCOUNT,
              namespace,
              // After the quota, so that the pod counts; after the policies, so that it never runs without them.
              dependsOn: [...guards, account, ...(args.dependsOn ?? [])],
              sidecar: args.sidecar,
              dns: args.dns,
            },
            { parent: this },
          );
    this.namespace = namespace.metadata.name;
    this.registerOutputs({ namespace: this.namespace });
  }

  /** A binding without subjects grants nothing, so none is made for a team without members. */
  private grantMembers(
    name: string,
    team: { readonly members: readonly pulumi.Input<string>[] },
    metadata: { namespace: string; labels: Record<string, string> },
    options: pulumi.CustomResourceOptions,
  ): void {
    const role = new k8s.rbac.v1.Role(
      `${name}-member`,
      { metadata: { ...metadata, name: MEMBER_ROLE }, rules: MEMBER_RULES },
      options,
    );
    if (team.members.length === 0) return;
    new k8s.rbac.v1.RoleBinding(
      `${name}-members`,
      {
        metadata: { ...metadata, name: MEMBER_ROLE },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: MEMBER_ROLE },
        subjects: team.members.map((group) => ({ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: group })),
      },
      { ...options, dependsOn: role },
    );
  }
}

/** The API stores quantities as strings; numbers would show as a change in every preview. */
function quotaAsStrings(quota: TeamSettings["quota"]): Record<string, string> {
  return Object.fromEntries(Object.entries(quota).map(([key, value]) => [key, String(value)]));
}
