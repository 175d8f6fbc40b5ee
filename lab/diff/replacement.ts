import { providerUrn } from "../../policies/core/stack.ts";
import {
  outsideName,
  type Pair,
  type PlanDocument,
  type PlannedResourceDocument,
  UNKNOWN_TEXT,
  valueAt,
} from "./document.ts";
import { changedFields, type FieldChange, type FieldPath, isMember, leafPaths, pathText } from "./fields.ts";

/**
 * Fields that force replacement, which a plan cannot ask a provider about.
 * Kubernetes: https://github.com/pulumi/pulumi-kubernetes/blob/v4.34.2/provider/pkg/provider/diff.go
 * AWS: `ForceNew` and `RequiresReplace` in https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service (eks/cluster.go,
 * eks/node_group.go, eks/addon.go, eks/pod_identity_association.go, ec2/vpc_.go, ec2/vpc_subnet.go, kms/key.go, logs/group.go and so on),
 * on which @pulumi/aws is built.
 *
 * A field includes everything below it.
 */
const REPLACING_FIELDS: { readonly [type: string]: readonly string[] } = {
  "kubernetes:core/v1:Pod": [
    ...[
      "affinity automountServiceAccountToken dnsConfig dnsPolicy enableServiceLinks hostAliases hostIPC hostNetwork hostPID",
      "hostname imagePullSecrets nodeName nodeSelector overhead preemptionPolicy priority priorityClassName readinessGates",
      "restartPolicy runtimeClassName schedulerName securityContext serviceAccount serviceAccountName shareProcessNamespace",
      "subdomain terminationGracePeriodSeconds volumes containers initContainers",
    ]
      .join(" ")
      .split(" ")
      .map((field) => `spec.${field}`),
  ],
  "kubernetes:core/v1:Service": ["spec.clusterIP"],
  "kubernetes:core/v1:ResourceQuota": ["spec.scopes"],
  "kubernetes:core/v1:PersistentVolumeClaim": [
    "spec.accessModes",
    "spec.selector",
    "spec.storageClassName",
    "spec.volumeName",
  ],
  "kubernetes:core/v1:PersistentVolume": [
    "spec.awsElasticBlockStore",
    "spec.csi",
    "spec.hostPath",
    "spec.local",
    "spec.nfs",
  ],
  "kubernetes:apps/v1:DaemonSet": ["spec.selector"],
  "kubernetes:apps/v1:Deployment": ["spec.selector"],
  "kubernetes:apps/v1:StatefulSet": [
    "spec.podManagementPolicy",
    "spec.revisionHistoryLimit",
    "spec.selector",
    "spec.serviceName",
    "spec.volumeClaimTemplates",
  ],
  "kubernetes:batch/v1:Job": ["spec.completions", "spec.parallelism", "spec.selector", "spec.template"],
  "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": ["roleRef"],
  "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": ["roleRef"],
  "kubernetes:storage.k8s.io/v1:StorageClass": ["parameters", "provisioner"],

  // The component passes these to its aws:eks/cluster:Cluster.
  "eks:index:Cluster": [
    "name",
    "serviceRole",
    "bootstrapSelfManagedAddons",
    "ipFamily",
    "kubernetesServiceIpAddressRange",
  ],
  "aws:eks/cluster:Cluster": [
    "name",
    "roleArn",
    "bootstrapSelfManagedAddons",
    "accessConfig.bootstrapClusterCreatorAdminPermissions",
    "kubernetesNetworkConfig.ipFamily",
    "kubernetesNetworkConfig.serviceIpv4Cidr",
    "outpostConfig.controlPlaneInstanceType",
  ],
  "aws:eks/nodeGroup:NodeGroup": [
    "amiType",
    "capacityType",
    "clusterName",
    "diskSize",
    "instanceTypes",
    "launchTemplate.id",
    "launchTemplate.name",
    "nodeGroupName",
    "nodeGroupNamePrefix",
    "nodeRoleArn",
    "remoteAccess",
    "subnetIds",
  ],
  "aws:eks/addon:Addon": ["addonName", "clusterName"],
  "aws:eks/podIdentityAssociation:PodIdentityAssociation": ["clusterName", "namespace", "serviceAccount"],
  "aws:eks/accessEntry:AccessEntry": ["clusterName", "principalArn", "type"],
  "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": [
    "accessScope",
    "clusterName",
    "policyArn",
    "principalArn",
  ],
  "aws:ec2/vpc:Vpc": ["cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength"],
  "aws:ec2/subnet:Subnet": ["availabilityZone", "availabilityZoneId", "cidrBlock", "ipv6Native", "outpostArn", "vpcId"],
  "aws:ec2/natGateway:NatGateway": ["allocationId", "connectivityType", "privateIp", "subnetId"],
  "aws:ec2/route:Route": [
    "destinationCidrBlock",
    "destinationIpv6CidrBlock",
    "destinationPrefixListId",
    "routeTableId",
  ],
  "aws:ec2/routeTable:RouteTable": ["vpcId"],
  "aws:ec2/routeTableAssociation:RouteTableAssociation": ["gatewayId", "subnetId"],
  "aws:ec2/vpcEndpoint:VpcEndpoint": ["serviceName", "vpcEndpointType", "vpcId"],
  "aws:ec2/securityGroup:SecurityGroup": ["description", "name", "namePrefix", "vpcId"],
  "aws:ec2/launchTemplate:LaunchTemplate": ["name", "namePrefix"],
  "aws:kms/key:Key": ["customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion", "xksKeyId"],
  "aws:kms/alias:Alias": ["name", "namePrefix"],
  "aws:cloudwatch/logGroup:LogGroup": ["logGroupClass", "name", "namePrefix"],
  "aws:iam/role:Role": ["name", "namePrefix", "path"],
  "aws:iam/rolePolicy:RolePolicy": ["name", "namePrefix", "role"],
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": ["policyArn", "role"],
  "aws:s3/bucket:Bucket": ["bucket", "bucketPrefix"],
};

/** Fields of every Kubernetes object: another name or namespace means another object. */
const KUBERNETES_IDENTITY: readonly string[] = ["metadata.name", "metadata.namespace"];

/** Provider fields whose change replaces the provider and all its resources. */
const PROVIDER_IDENTITY = {
  pinned: "clusterIdentifier",
  fromKubeconfig: ["kubeconfig", "context", "cluster"],
} as const;

/** The type that an id comes from, for ids known only after deployment. If that resource is replaced, the id changes. */
const ID_SOURCES: { readonly [field: string]: string } = {
  vpcId: "aws:ec2/vpc:Vpc",
  subnetId: "aws:ec2/subnet:Subnet",
  subnetIds: "aws:ec2/subnet:Subnet",
  routeTableId: "aws:ec2/routeTable:RouteTable",
  allocationId: "aws:ec2/eip:Eip",
  "launchTemplate.id": "aws:ec2/launchTemplate:LaunchTemplate",
  nodeRoleArn: "aws:iam/role:Role",
  roleArn: "aws:iam/role:Role",
  role: "aws:iam/role:Role",
  principalArn: "aws:iam/role:Role",
};

/** What would be lost with a resource that holds more than its own settings. */
export const DATA_LOSS_ON_REPLACE: { readonly [type: string]: { readonly noun: string; readonly loss: string } } = {
  "kubernetes:core/v1:Namespace": {
    noun: "namespace",
    loss: "everything in it is deleted: pods, secrets, volume claims, and objects created by hand",
  },
  "kubernetes:core/v1:PersistentVolumeClaim": {
    noun: "volume claim",
    loss: "the data on its volume is lost, unless its class retains volumes",
  },
  "kubernetes:core/v1:PersistentVolume": {
    noun: "volume",
    loss: "the data on it is lost, unless its policy is Retain",
  },
  "kubernetes:apps/v1:StatefulSet": { noun: "StatefulSet", loss: "its pods stop, and new volume claims start empty" },
  "eks:index:Cluster": { noun: "cluster", loss: "everything that runs in it is lost, with volumes and addresses" },
  "aws:eks/cluster:Cluster": {
    noun: "cluster",
    loss: "everything that runs in it is lost, with volumes and addresses",
  },
  "aws:ec2/vpc:Vpc": { noun: "VPC", loss: "everything in it must be deleted first: subnets, nodes, cluster" },
  "aws:cloudwatch/logGroup:LogGroup": { noun: "log group", loss: "the logs in it are deleted" },
  "aws:s3/bucket:Bucket": { noun: "bucket", loss: "its objects are lost, or deletion fails if it is not empty" },
  "aws:s3/bucketV2:BucketV2": {
    noun: "bucket",
    loss: "its objects are lost, or deletion fails if it is not empty",
  },
  "aws:ebs/volume:Volume": { noun: "volume", loss: "the data on it is lost" },
  "aws:efs/fileSystem:FileSystem": { noun: "file system", loss: "the files on it are lost" },
  "aws:kms/key:Key": { noun: "key", loss: "data encrypted with it is unreadable after the waiting period" },
  "aws:opensearch/domain:Domain": { noun: "OpenSearch domain", loss: "its indices are lost" },
  "pulumi:providers:kubernetes": { noun: "provider", loss: "everything that it manages is deleted and created again" },
};

/** Fields of a resource that cannot be changed in place, depending on its provider's settings. */
function replacingFields(resource: PlannedResourceDocument, plan: PlanDocument): string[] {
  const fields = [...(REPLACING_FIELDS[resource.type] ?? [])];
  if (resource.type === "pulumi:providers:kubernetes") {
    // If both sides have a cluster identifier, the provider ignores the kubeconfig. Adding one replaces nothing.
    return valueAt(resource.inputs, PROVIDER_IDENTITY.pinned) === undefined
      ? [...PROVIDER_IDENTITY.fromKubeconfig]
      : [PROVIDER_IDENTITY.pinned];
  }
  if (!resource.type.startsWith("kubernetes:")) return fields;
  fields.push(...KUBERNETES_IDENTITY);
  const provider = plan.resources.find((other) => other.urn === providerUrn(resource.provider));
  const mutable = (setting: string) =>
    String(provider?.inputs[setting]) === "true" && valueAt(resource.inputs, "immutable") !== true;
  if (resource.type === "kubernetes:core/v1:ConfigMap" && !mutable("enableConfigMapMutable"))
    fields.push("data", "binaryData");
  if (resource.type === "kubernetes:core/v1:Secret") {
    fields.push("type", ...(mutable("enableSecretMutable") ? [] : ["data", "stringData"]));
  }
  return fields;
}

/** Whether a change affects one of the fields: the field itself, a child, or a parent. */
function touches(change: FieldChange, fields: readonly string[]): boolean {
  return leavesOf(change).some((leaf) => fields.some((field) => startsWith(leaf, field)));
}

/** Whether a change is entirely within these fields. */
function isWithin(change: FieldChange, fields: readonly string[]): boolean {
  return leavesOf(change).every((leaf) => fields.some((field) => startsWith(leaf, field)));
}

function leavesOf({ path, before, after }: FieldChange): FieldPath[] {
  return [...leafPaths(before, path), ...leafPaths(after, path)];
}

/** `*` matches any key, `[*]` any member of a list. */
function startsWith(path: FieldPath, field: string): boolean {
  return field.split(/\.|(?=\[)/).every((step, index) => {
    const actual = path[index];
    return actual !== undefined && (actual === step || step === "*" || (step === "[*]" && isMember(actual)));
  });
}

/**
 * Fields whose id changes because its resource is replaced. They are unknown in both plans, which therefore look equal.
 * @param replaced types of the replaced resources that this one depends on.
 */
function fieldsWithNewIds(
  resource: PlannedResourceDocument,
  fields: readonly string[],
  replaced: ReadonlySet<string>,
): string[] {
  return fields.filter((field) => {
    const source = ID_SOURCES[field];
    return source !== undefined && replaced.has(source) && holdsUnknown(valueAt(resource.inputs, ...field.split(".")));
  });
}

function holdsUnknown(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsUnknown);
  return value === UNKNOWN_TEXT;
}

/** A pair with its differences. */
export interface ComparedPair extends Pair {
  /** Inputs that differ, without those in ignoreChanges. */
  readonly changes: readonly FieldChange[];
  /** The differences that force a replacement. */
  readonly forcing: readonly FieldChange[];
  /** All fields that would force a replacement. */
  readonly fixed: readonly string[];
}

export function comparePair(pair: Pair, base: PlanDocument, head: PlanDocument): ComparedPair {
  const { before, after, renamed } = pair;
  // A new resource takes all inputs.
  const ignored = renamed ? [] : after.ignoreChanges;
  const changes = changedFields(before.inputs, after.inputs).filter((change) => !isWithin(change, ignored));
  const fixedBefore = new Set(replacingFields(before, base));
  // A cluster identifier on only one side does not decide anything.
  const fixed = replacingFields(after, head).filter(
    (field) => !after.type.startsWith("pulumi:") || fixedBefore.has(field),
  );
  return { ...pair, changes, fixed, forcing: changes.filter((change) => touches(change, fixed)) };
}

/** Why each replaced pair is replaced, as text. Dependents of a replaced resource are replaced with it. */
export function whyReplaced(pairs: readonly ComparedPair[]): Map<ComparedPair, readonly string[]> {
  const reasons = new Map<ComparedPair, readonly string[]>();
  const add = (pair: ComparedPair, why: readonly string[]) => {
    if (why.length > 0) reasons.set(pair, why);
    return why.length > 0;
  };
  for (const pair of pairs) add(pair, ownReasons(pair));
  for (let settled = false; !settled; ) {
    const replaced = [...reasons.keys()];
    const others = pairs.filter((pair) => !reasons.has(pair));
    settled = others.filter((pair) => add(pair, inheritedReasons(pair, replaced))).length === 0;
  }
  return reasons;
}

function ownReasons({ before, after, renamed, forcing }: ComparedPair): string[] {
  const fields = shortList(forcing.map(({ path }) => pathText(path)));
  const paths = forcing.length === 0 ? [] : [`${fields} cannot be changed in place`];
  if (!renamed) return paths;
  const names = `its Pulumi name changes: ${before.name} → ${after.name}`;
  const same = outsideName(before) === outsideName(after) && outsideName(after) !== after.name;
  return [same ? `${names}; an alias would prevent this` : names, ...paths];
}

/** Shortens a list of paths; the differences show the fields anyway. */
function shortList(paths: readonly string[]): string {
  return paths.length <= 3 ? paths.join(", ") : `${paths.slice(0, 2).join(", ")} and ${paths.length - 2} more`;
}

function inheritedReasons({ after, fixed }: ComparedPair, replaced: readonly ComparedPair[]): string[] {
  const provider = replaced.find(
    (pair) => pair.after.urn === providerUrn(after.provider) && replacesItsResources(pair),
  );
  if (provider !== undefined) return [`its provider ${provider.after.name} is replaced`];
  const sources = replaced.filter((pair) => after.dependencies.includes(pair.after.urn));
  const types = new Set(sources.map((pair) => pair.after.type));
  return fieldsWithNewIds(after, fixed, types).map((field) => `${field} changes, since its source is replaced`);
}

/** Whether replacing a provider replaces its resources: a renamed provider with the same identity takes them over. */
export function replacesItsResources({ renamed, forcing }: ComparedPair): boolean {
  return !renamed || forcing.length > 0;
}
