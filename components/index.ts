// The public API of the library: what a program of your own may import. examples/typescript uses it.
export type { PodIdentityHost } from "./aws/partition.ts";
export { EksCluster } from "./cluster/eks/eks-cluster.ts";
export type { AccessEntryArgs, EksClusterArgs, NewVpcArgs, NodeGroupArgs } from "./cluster/eks/eks-cluster-args.ts";
export {
  ExistingCluster,
  type ExistingClusterArgs,
  ExistingEksCluster,
  type ExistingEksClusterArgs,
} from "./cluster/existing-cluster.ts";
export type { AddonHost, ClusterHandle } from "./cluster/handle.ts";
export { CoreDns, type CoreDnsArgs } from "./dns/core-dns.ts";
export { NodeLocalCache, type NodeLocalCacheArgs } from "./dns/node-local-cache.ts";
export type { PodDns } from "./dns/resolver.ts";
export type { PodSidecar, SidecarParts } from "./kubernetes/container.ts";
export type { EgressRule } from "./kubernetes/network-policy.ts";
export type {
  CloudWatchArgs,
  DestinationArgs,
  DestinationCredentialsArgs,
  DestinationTlsArgs,
  DestinationTokenArgs,
  ElasticsearchArgs,
  FirehoseArgs,
  HttpArgs,
  IndexArgs,
  KafkaArgs,
  LokiArgs,
  NamedDestinationArgs,
  OpenSearchArgs,
  OtlpArgs,
  S3Args,
  SchemedTokenArgs,
  SplunkArgs,
} from "./logging/destinations/destination-args.ts";
export { LogCollection } from "./logging/log-collection.ts";
export type { LogCollectionArgs, ProcessingArgs, RouteArgs, SourceName } from "./logging/log-collection-args.ts";
export { Monitoring, type MonitoringArgs } from "./monitoring/monitoring.ts";
export { SettingsError } from "./schema/errors.ts";
export { CurlPod, type CurlPodArgs, type CurlPodOptions } from "./team/curl-pod.ts";
export type { PolicyContext } from "./team/network-policies.ts";
export type { TeamPodIdentityArgs } from "./team/pod-identity.ts";
export { Team, type TeamArgs } from "./team/team.ts";
