/**
 * Fields that no provider changes on a living resource: it makes another one in its place. A plan without engine and provider has
 * to know them.
 *
 * Kubernetes: https://github.com/pulumi/pulumi-kubernetes/blob/v4.34.2/provider/pkg/provider/diff.go
 * AWS: what is `ForceNew` or `RequiresReplace` in https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service
 * (eks/cluster.go, eks/node_group.go, eks/addon.go, eks/pod_identity_association.go, ec2/vpc_.go, ec2/vpc_subnet.go, kms/key.go,
 * logs/group.go and so on), on which @pulumi/aws is built.
 */

/** A field stands for all that is below it. */
export const REPLACING_FIELDS: { readonly [type: string]: readonly string[] } = {
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

  // The component hands these to the aws:eks/cluster:Cluster that it makes.
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

/** Of every Kubernetes object: another name or namespace is another object. */
export const KUBERNETES_IDENTITY: readonly string[] = ["metadata.name", "metadata.namespace"];

/** Fields of a provider whose change makes it, and with it all that it made, anew. */
export const PROVIDER_IDENTITY = {
  pinned: "clusterIdentifier",
  fromKubeconfig: ["kubeconfig", "context", "cluster"],
} as const;

/**
 * Which type an id comes from that only the deployment tells. Where that resource is replaced, the id is another one.
 */
export const ID_SOURCES: { readonly [field: string]: string } = {
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

/** What would be lost with a resource, for those that hold more than their own settings. */
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
