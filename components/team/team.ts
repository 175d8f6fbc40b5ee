import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { PodIdentity } from "../aws/iam.ts";
import { type ClusterHandle, policyWarnings, requiredHandle, withClusterProvider } from "../cluster/handle.ts";
import { type PodDns, PodDnsSettings } from "../dns/resolver.ts";
import type { PodSidecar } from "../kubernetes/container.ts";
import { commonLabels, type PodSecurityLevel, podSecurityLabels, teamNamespace } from "../kubernetes/labels.ts";
import {
  type ArgumentKinds,
  checkArguments,
  checkedInputs,
  checkedTexts,
  holdsOutput,
  withEntries,
} from "../schema/arguments.ts";
import { parseArgs } from "../schema/errors.ts";
import { CurlPod, type CurlPodOptions, knownOptions } from "./curl-pod.ts";
import { grantMembers, grantRoles, memberGroups } from "./members.ts";
import {
  AccessRule,
  accessPolicies,
  type NamedPolicy,
  networkPolicies,
  type PolicyContext,
  PolicyContextSettings,
} from "./network-policies.ts";
import { PodIdentitySettings, policyStatements, SERVICE_ACCOUNT, type TeamPodIdentityArgs } from "./pod-identity.ts";
import { namespacePrefix, prefixesOf } from "./resource-names.ts";
import { CurlPodSettings, Limits, Quota, quotaAsStrings, TeamSettings } from "./settings.ts";

/** A team's namespace, which another team may have had before. */
export interface MovedNamespace {
  readonly name: string;
  /** Name of the previous team's component; the namespace's resources are kept. @default it does not move */
  readonly wasTeam?: string | undefined;
}

/** A team: its namespaces, limits, rights and policies. */
export interface TeamArgs {
  /** The namespaces' cluster. */
  readonly cluster: ClusterHandle;
  /**
   * Short name of the team: `ts` gives namespace `ts-team`, pod and Service `curl-ts`. Up to 58 lower-case letters, digits and '-'.
   * @default the name of the component
   */
  readonly team?: string;
  /** Teams to whose pods this team's pods may connect. @default only its own */
  readonly peers?: readonly string[];
  /** RBAC groups with access to the namespaces. @default none */
  readonly members?: readonly pulumi.Input<string>[];
  /** ARNs of IAM roles with access to the namespaces, on an EKS cluster. @default none */
  readonly memberRoles?: readonly pulumi.Input<string>[];
  /** AWS identity of the team's pods, by EKS Pod Identity. @default none */
  readonly podIdentity?: TeamPodIdentityArgs | undefined;
  /**
   * Namespaces of the team, without curl pods. An adopted one already exists: server-side apply adds labels, network policies and members, and
   * a destroy only removes these. `wasTeam` names the component of the previous team; only that team's curl pod is deleted.
   * @default one, named TEAM-team, with the curl pod
   */
  readonly namespaces?: readonly (MovedNamespace & { readonly adopt?: boolean })[] | undefined;
  /** Enforced Pod Security level, and why it is below restricted. @default restricted */
  readonly podSecurity?: { readonly level: PodSecurityLevel; readonly reason: string } | undefined;
  /** Other sources that may connect to the team's pods. @default none */
  readonly ingress?: readonly AccessRuleArgs[];
  /** Other destinations to which the team's pods may connect. @default none */
  readonly egress?: readonly AccessRuleArgs[];
  /** Further namespace labels. @default none */
  readonly labels?: Readonly<Record<string, pulumi.Input<string>>>;
  /**
   * Quota of each namespace, by ResourceQuota key; omitted keys keep their defaults.
   * @default 2 CPUs and 2Gi requested, 4Gi of memory limits, 10Gi of storage, 20 pods, 10 Services, no load balancers and node ports
   * @example { "requests.cpu": "8", pods: 50 }
   * @see https://kubernetes.io/docs/concepts/policy/resource-quotas/
   */
  readonly quota?: Readonly<Record<string, pulumi.Input<string | number>>>;
  /**
   * Default requests and limits of a container, and the highest memory limit; omitted keys keep their defaults.
   * @default { cpuRequest: "25m", memoryRequest: "32Mi", memoryLimit: "128Mi", maxMemory: "1Gi" }
   * @see https://kubernetes.io/docs/concepts/policy/limit-range/
   */
  readonly limits?: { readonly [K in keyof TeamSettings["limits"]]?: pulumi.Input<string> };
  /** The lab's curl pod; `false` for none. @default a pod that lives for an hour */
  readonly curlPod?: CurlPodOptions | false;
  /** Other teams and DNS servers, for network policies. @default no other teams, and only CoreDNS pods */
  readonly network?: Partial<PolicyContext>;
  /** Collects the curl pod's log files. @default none */
  readonly sidecar?: PodSidecar | undefined;
  /** Resolver of the curl pod. @default its node's */
  readonly dns?: PodDns | undefined;
  /** Resources to create before the curl pod, besides its namespace. @default none */
  readonly dependsOn?: readonly pulumi.Resource[];
}

/** Namespaces or CIDR blocks, and ports. */
interface AccessRuleArgs extends Omit<Readonly<z.input<typeof AccessRule>>, "cidrs"> {
  /** CIDR blocks. @default none */
  readonly cidrs?: readonly pulumi.Input<string>[] | undefined;
}

/** A NetworkPolicy; its spec is an output if one of its CIDR blocks is. */
type PolicyArgs = Pick<NamedPolicy, "name"> & { readonly spec: pulumi.Input<NamedPolicy["spec"]> };

/** One namespace of a team. */
interface NamespaceArgs {
  readonly prefix: string;
  readonly metadata: { readonly namespace: string; readonly labels: Record<string, string> };
  readonly adopted: boolean;
  readonly policies: readonly PolicyArgs[];
  readonly members: readonly pulumi.Input<string>[];
}

const AccessRules = z.array(AccessRule);
/** What is checked at once, as far as it holds no output. */
const Known = TeamSettings.omit({ name: true }).extend({
  team: TeamSettings.shape.name,
  peers: z.array(TeamSettings.shape.name),
  curlPod: CurlPodSettings,
  network: PolicyContextSettings.optional(),
  dns: PodDnsSettings.optional(),
});

/** Arguments that decide what is created, so that none may be or hold an output. */
const PLAIN: readonly (keyof TeamArgs)[] = ["team", "namespaces", "podSecurity", "network", "dns"];

const KINDS: ArgumentKinds<keyof TeamArgs> = {
  any: ["cluster", ...PLAIN, "peers", "ingress", "egress", "labels", "quota", "limits", "curlPod"],
  list: ["members", "memberRoles", "dependsOn"],
  group: ["podIdentity", "sidecar"],
  ofSettings: ["name"],
};

function knownArgs({ curlPod, peers = [], ...args }: TeamArgs): object {
  const givenArguments = Object.entries(args).filter(
    ([key, value]) =>
      key in Known.shape && value !== undefined && (PLAIN.some((plain) => plain === key) || !holdsOutput(value)),
  );
  return { ...Object.fromEntries(givenArguments), peers, curlPod: curlPod === false ? {} : knownOptions(curlPod) };
}

/**
 * A team's namespaces with what isolates teams: Pod Security "restricted", quota, limits, network policies, a role for members
 * and a service account without token; and the lab's curl pod.
 * @see https://kubernetes.io/docs/concepts/security/multi-tenancy/
 */
export class Team extends pulumi.ComponentResource {
  /** Name of the first namespace, such as `ts-team`. */
  readonly namespace: pulumi.Output<string>;
  /** Names of all namespaces. */
  readonly namespaces: readonly pulumi.Output<string>[];
  /** The curl pod; undefined for none. */
  readonly curlPod: CurlPod | undefined;
  /** Reasons why the team is not isolated, one sentence each. */
  readonly warnings: readonly string[];

  constructor(name: string, args: TeamArgs, options: pulumi.ComponentResourceOptions = {}) {
    checkArguments(name, KINDS, args);
    parseArgs(name, Known, { team: name, ...knownArgs(args) });
    const transformations = [keepingMoved(name, args.namespaces ?? []), ...(options.transformations ?? [])];
    const cluster = requiredHandle(name, args);
    super("eks-dns-logging:team:Team", name, {}, withClusterProvider({ ...options, transformations }, cluster));
    const namespaces = args.namespaces?.map(({ name: namespace }) => namespace);
    const team = { name: args.team ?? name, peers: args.peers ?? [], namespaces: args.namespaces };
    const rules = { ingress: [], egress: [], podIdentity: args.podIdentity !== undefined };
    const policies = [
      ...networkPolicies(team, { teams: [], ...args.network }, rules),
      ...accessOf(name, "ingress", args.ingress ?? []),
      ...accessOf(name, "egress", args.egress ?? []),
    ];
    const members = [...memberGroups(name, args.members), ...grantRoles(name, team.name, args, this)];
    const created = (namespaces ?? [teamNamespace(team.name)]).map((namespace, index) => {
      const prefix = namespacePrefix(name, namespaces?.[index]);
      const metadata = { namespace, labels: { ...commonLabels("team"), team: team.name } };
      const adopted = args.namespaces?.[index]?.adopt ?? false;
      return this.#namespace({ prefix, metadata, adopted, policies, members }, args);
    });

    const [first] = created;
    if (first === undefined) throw new Error(`team ${team.name} without a namespace passed the settings`);
    this.curlPod =
      args.curlPod === false || namespaces !== undefined
        ? undefined
        : new CurlPod(
            `${name}-curl`,
            {
              team: team.name,
              pod: args.curlPod,
              serviceAccount: SERVICE_ACCOUNT,
              namespace: first.namespace,
              // After the quota, so that the pod counts; after the policies, so that it always has them.
              dependsOn: [...first.guards, ...(args.dependsOn ?? [])],
              sidecar: args.sidecar,
              ipFamily: args.cluster.ipFamily,
              dns: args.dns,
            },
            { parent: this },
          );
    this.namespaces = created.map(({ namespace }) => namespace.metadata.name);
    this.namespace = first.namespace.metadata.name;
    this.warnings = policyWarnings(args.cluster);
    this.registerOutputs({ namespace: this.namespace, warnings: this.warnings });
  }

  /** A namespace and its guards. An adopted one keeps its own quota, limits and accounts. */
  #namespace({ prefix, metadata, adopted, policies, members }: NamespaceArgs, args: TeamArgs) {
    const labels = checkedTexts(`${prefix}.labels`, TeamSettings.shape.labels, args.labels);
    const { level, reason } = args.podSecurity ?? { level: "restricted" as const, reason: undefined };
    const content = {
      metadata: {
        name: metadata.namespace,
        labels: withEntries(labels, { ...metadata.labels, ...podSecurityLabels(level) }),
        ...(reason === undefined ? {} : { annotations: { "eks-dns-logging/pod-security-reason": reason } }),
      },
    };
    const ofNamespace = { parent: this, dependsOn: [...args.cluster.ready] };
    const namespace = adopted
      ? new k8s.core.v1.NamespacePatch(`${prefix}-namespace`, content, ofNamespace)
      : // Created after the nodes, so destroyed before them: its pods need a kubelet to end.
        new k8s.core.v1.Namespace(`${prefix}-namespace`, content, { ...ofNamespace, deleteBeforeReplace: true });
    const inNamespace = { parent: this, dependsOn: namespace, deleteBeforeReplace: true };
    // Kubernetes deletes a namespace's policies after its pods: were they deleted one by one, pods that still stop would not be isolated.
    const ofPolicies = adopted ? inNamespace : { ...inNamespace, deletedWith: namespace };
    const guards: pulumi.Resource[] = [
      ...(adopted ? [] : this.#shares(prefix, metadata, args, inNamespace)),
      ...policies.map(
        (policy) =>
          new k8s.networking.v1.NetworkPolicy(
            `${prefix}-${policy.name}`,
            { metadata: { ...metadata, name: policy.name }, spec: policy.spec },
            ofPolicies,
          ),
      ),
    ];
    const account = args.podIdentity?.serviceAccount ?? SERVICE_ACCOUNT;
    for (const accountName of adopted ? [] : new Set([SERVICE_ACCOUNT, account]))
      guards.push(
        new k8s.core.v1.ServiceAccount(
          `${prefix}-${accountName}`,
          { metadata: { ...metadata, name: accountName }, automountServiceAccountToken: false },
          inNamespace,
        ),
      );
    if (args.podIdentity !== undefined)
      guards.push(this.#podIdentity(prefix, metadata.namespace, account, args.podIdentity, args.cluster));
    grantMembers(prefix, members, metadata, inNamespace);
    return { namespace, guards };
  }

  /** AWS identity of an account's pods, created before them: older pods get no credentials. */
  #podIdentity(
    prefix: string,
    namespace: string,
    serviceAccount: string,
    given: TeamPodIdentityArgs,
    { podIdentity: host }: ClusterHandle,
  ): pulumi.Resource {
    if (host === undefined)
      throw new pulumi.ResourceError("podIdentity needs an EKS cluster whose pods get Pod Identity", this);
    const { policyArns = [], statements = [] } = given;
    const settings = checkedInputs(`${prefix}.podIdentity`, PodIdentitySettings, given);
    return new PodIdentity(
      `${prefix}-pods`,
      {
        host,
        namespace,
        serviceAccount,
        statements: statements.length === 0 ? undefined : settings.statements.apply(policyStatements),
        policyArns: policyArns.map((arn, index) =>
          typeof arn === "string" ? arn : settings.policyArns.apply((arns) => arns[index] ?? ""),
        ),
      },
      { parent: this },
    ).association;
  }

  /** A namespace's quota and limits. */
  #shares(
    prefix: string,
    metadata: NamespaceArgs["metadata"],
    args: TeamArgs,
    options: pulumi.CustomResourceOptions,
  ): pulumi.Resource[] {
    const limits = checkedInputs(`${prefix}.limits`, Limits, { ...args.limits });
    const quota = checkedInputs(`${prefix}.quota`, Quota, { ...args.quota });
    return [
      new k8s.core.v1.ResourceQuota(
        `${prefix}-quota`,
        {
          metadata: { ...metadata, name: "team" },
          spec: { hard: quota.apply(quotaAsStrings) },
        },
        options,
      ),
      new k8s.core.v1.LimitRange(
        `${prefix}-limits`,
        {
          metadata: { ...metadata, name: "team" },
          spec: {
            limits: [
              {
                type: "Container",
                defaultRequest: { cpu: limits.cpuRequest, memory: limits.memoryRequest },
                default: { memory: limits.memoryLimit },
                max: { memory: limits.maxMemory },
              },
            ],
          },
        },
        options,
      ),
    ];
  }
}

/** Policies for access besides peers, in one direction. */
function accessOf(name: string, way: "ingress" | "egress", given: readonly AccessRuleArgs[]): readonly PolicyArgs[] {
  const read = checkedInputs(`${name}.${way}`, AccessRules, given);
  const policies = (rules: readonly AccessRule[]) => accessPolicies({ ingress: [], egress: [], [way]: rules });
  if (!holdsOutput(given)) return policies(AccessRules.parse(given));
  return [
    {
      name: `allow-${way}`,
      spec: read.apply((rules) => policies(rules)[0]?.spec ?? { podSelector: {}, policyTypes: [] }),
    },
  ];
}

/**
 * Aliases for resources of namespaces that another team had: the engine then updates instead of replacing them. A name alone is enough,
 * since a URN has the types of the parents, not their names.
 * @param team Name of the team's component.
 */
export function keepingMoved(team: string, namespaces: readonly MovedNamespace[]): pulumi.ResourceTransformation {
  const places = namespaces
    .map(({ name, wasTeam }) => ({
      prefix: namespacePrefix(team, name),
      former: wasTeam === undefined ? [] : prefixesOf(wasTeam, name),
    }))
    // If two prefixes match a name, the longer one is right.
    .sort((one, other) => other.prefix.length - one.prefix.length);
  return ({ name, props, opts }) => {
    const place = places.find(({ prefix }) => name.startsWith(`${prefix}-`));
    if (place === undefined || place.former.length === 0) return undefined;
    const rest = name.slice(place.prefix.length);
    return {
      props,
      opts: pulumi.mergeOptions(opts, { aliases: place.former.map((prefix) => ({ name: prefix + rest })) }),
    };
  };
}
