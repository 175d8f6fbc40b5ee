import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterHandle } from "../cluster/handle.ts";
import type { PodDns } from "../dns/node-local-cache/pod-dns.ts";
import type { PodSidecar } from "../kubernetes/container.ts";
import { commonLabels, podSecurityLabels } from "../kubernetes/labels.ts";
import { CurlPod } from "./curl-pod.ts";
import { MEMBER_RULES } from "./member-role.ts";
import { teamNamespace } from "./names.ts";
import { networkPolicies, type PolicyContext } from "./network-policies.ts";
import type { CurlPodSettings, TeamSettings } from "./settings.ts";

export interface TeamArgs {
  readonly cluster: ClusterHandle;
  readonly team: TeamSettings;
  readonly curlPod: CurlPodSettings;
  /** The other side of the team's network policies. */
  readonly network: PolicyContext;
  /** Collects beside the curl pod. Default: none. */
  readonly sidecar?: PodSidecar | undefined;
  /** Where the curl pod asks for names. Default: where its node's kubelet says. */
  readonly dns?: PodDns | undefined;
  /** What must stand before the curl pod starts, beside its namespace. Default: nothing. */
  readonly after?: readonly pulumi.Resource[];
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
  readonly curlPod: CurlPod;

  constructor(name: string, args: TeamArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("eks-dns-logging:team:Team", name, {}, { ...options, provider: args.cluster.provider });
    const { team } = args;
    const metadata = { namespace: teamNamespace(team.name), labels: { ...commonLabels("team"), team: team.name } };

    const namespace = new k8s.core.v1.Namespace(
      `${name}-namespace`,
      {
        metadata: { name: metadata.namespace, labels: { ...team.labels, ...metadata.labels, ...podSecurityLabels() } },
      },
      // Made after the nodes and so destroyed before them: its pods need a kubelet to end.
      { parent: this, dependsOn: [...args.cluster.ready], deleteBeforeReplace: true },
    );
    const inNamespace = { parent: this, dependsOn: namespace, deleteBeforeReplace: true };

    const { cpuRequest, memoryRequest, memoryLimit, maxMemory } = team.limits;
    const guards = [
      new k8s.core.v1.ResourceQuota(
        `${name}-quota`,
        { metadata: { ...metadata, name: "team" }, spec: { hard: quotaAsStrings(team) } },
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
      ...networkPolicies(team, args.network).map(
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

    this.curlPod = new CurlPod(
      `${name}-curl`,
      {
        team: team.name,
        settings: args.curlPod,
        serviceAccount: SERVICE_ACCOUNT,
        namespace,
        // After the quota, so that the pod counts; after the policies, so that it never runs without them.
        after: [...guards, account, ...(args.after ?? [])],
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
    team: TeamSettings,
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
function quotaAsStrings(team: TeamSettings): Record<string, string> {
  return Object.fromEntries(Object.entries(team.quota).map(([key, value]) => [key, String(value)]));
}
