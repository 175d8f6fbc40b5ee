import type * as pulumi from "@pulumi/pulumi";
import type { ClusterHandle } from "../cluster/handle.ts";
import type { DestinationArgs, IndexArgs, NamedDestinationArgs } from "./destinations/destination-args.ts";
import type { ProcessingArgs } from "./processing/processing-args.ts";
import type { RouteArgs, SourceName } from "./routing/route-args.ts";
import type { CollectorId } from "./settings.ts";

/** Arguments of a `LogCollection`. Without any but `cluster`, Fluent Bit reads all pods and writes to its own stdout. */
export interface LogCollectionArgs {
  /** The cluster whose pods are read. Destinations in AWS need its `podIdentity`. */
  readonly cluster: ClusterHandle;
  /** Program that collects. `npm run lab -- collectors` compares them. @default "fluent-bit" */
  readonly collector?: CollectorId;
  /** One collector on each node, or one beside each curl pod, given by the output `sidecar`. @default "daemonset" */
  readonly mode?: "daemonset" | "sidecar";
  /**
   * What is collected: pods' files, parts of the node's journal, and Kubernetes events.
   * @default ["pods"]
   */
  readonly sources?: readonly SourceName[];
  /**
   * Where lines go.
   * @default { kind: "stdout" }
   * @example { kind: "opensearch", host: domain.endpoint, port: 443, credentials: { secretName: "opensearch" } }
   */
  readonly destination?: DestinationArgs;
  /**
   * Up to four destinations at once, by name, in the place of `destination`. Each has a buffer of its own, so that the outage of one
   * stops no other.
   * @default none
   * @example { archive: { kind: "s3" }, search: { kind: "opensearch", host: domain.endpoint } }
   */
  readonly destinations?: Readonly<Record<string, NamedDestinationArgs>>;
  /** Which lines go to which of the destinations. @default all lines to all of them */
  readonly routes?: readonly RouteArgs[];
  /** Names of the indices, in OpenSearch and Elasticsearch. @default "logs-yyyy.MM.dd", in UTC */
  readonly index?: IndexArgs;
  /** Namespaces that are read, and those that are not. Namespace `logging` never is. @default all */
  readonly namespaces?: {
    /** Namespaces that are read. @default all */
    readonly include?: readonly string[];
    /** Namespaces that are not read. @default none */
    readonly exclude?: readonly string[];
  };
  /** Labels that a pod must have to be read, all of them. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Languages whose stack traces become one record. @default all four */
  readonly multiline?: readonly ("java" | "python" | "go" | "node")[];
  /** Whether the fields of a JSON line are parsed. @default true */
  readonly parseJson?: boolean;
  /** What is done with lines on their way: redact, drop, sample, limit, join, add fields. @default nothing */
  readonly processing?: ProcessingArgs;
  /** Metadata in each record, beside the pod's names and team. @default { labels: true, annotations: false, cluster: true } */
  readonly metadata?: {
    /** Whether a record has the pod's labels. @default true */
    readonly labels?: boolean;
    /** Whether a record has the pod's annotations. @default false */
    readonly annotations?: boolean;
    /**
     * Whether a record has the cluster's name, `k8s_cluster_name`, and on EKS its region and account, `cloud_region` and
     * `cloud_account_id`.
     * @default true where the collector adds fields
     */
    readonly cluster?: boolean;
    /** ID of the AWS account, which a record has as `cloud_account_id`. @default looked up on EKS, but not with mode `sidecar` */
    readonly accountId?: string | undefined;
  };
  /**
   * How much waits on the node's disk while the destination is down, and what happens when that is full.
   * @default 4Gi; `drop-oldest` where the collector can, else `block`
   */
  readonly buffer?: {
    /** Size on the disk of each node, as a Kubernetes quantity. @default "4Gi" */
    readonly size?: string;
    /** Whether the oldest lines are dropped, or reading waits. @default `drop-oldest` where the collector can, else `block` */
    readonly whenFull?: "drop-oldest" | "drop-newest" | "block" | undefined;
  };
  /** Requests and memory limit of a collector, as Kubernetes quantities. @default those of the collector */
  readonly resources?: {
    /** CPU request. @default that of the collector */
    readonly cpu?: string | undefined;
    /** Memory request. @default that of the collector */
    readonly memory?: string | undefined;
    /** Memory limit. @default that of the collector */
    readonly memoryLimit?: string | undefined;
  };
  /** Image of the collector, such as a copy of it in a registry of your own. @default a fixed version of it */
  readonly image?: pulumi.Input<string> | undefined;
  /** The pod that reads Kubernetes events, which is Fluent Bit beside any collector. @default a fixed version of it */
  readonly events?: {
    /** Its image. @default `image` where the collector is Fluent Bit, else a fixed version */
    readonly image?: string | undefined;
  };
  /** For mode `sidecar`: where a network policy must let it send. @default none */
  readonly sidecar?: {
    /** CIDR blocks of the destination. @default none */
    readonly destinationCidrs?: readonly string[];
    /** Port of the pods behind a destination that is a Service. @default that of the Service from 1024, else all */
    readonly destinationPort?: number | undefined;
  };
  /** Domain of the cluster's names, for the OpenSearch that this component brings. @default "cluster.local" */
  readonly clusterDomain?: string | undefined;
  /** Teams that `routes` may name, and for whose namespaces the output `indices` names today's indices. @default none */
  readonly teams?: readonly {
    /** Name of the team. */
    readonly name: string;
    /** Its namespaces. @default one, NAME-team */
    readonly namespaces?: readonly {
      /** Name of the namespace. */
      readonly name: string;
    }[];
  }[];
}
