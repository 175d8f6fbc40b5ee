import type * as pulumi from "@pulumi/pulumi";
import type { ClusterHandle } from "../cluster/handle.ts";
import type { DestinationArgs, IndexArgs, NamedDestinationArgs } from "./destinations/destination-args.ts";
import type { CollectorId } from "./settings.ts";

/** Arguments of a `LogCollection`. With only `cluster`, Fluent Bit reads all pods and writes to its own stdout. */
export interface LogCollectionArgs {
  /** The cluster to collect from. Destinations in AWS need its `podIdentity`. */
  readonly cluster: ClusterHandle;
  /** Collector program. `npm run lab -- collectors` compares them. @default "fluent-bit" */
  readonly collector?: CollectorId;
  /** One collector on each node, or one beside each curl pod, from the output `sidecar`. @default "daemonset" */
  readonly mode?: "daemonset" | "sidecar";
  /** Namespace that is created for the collectors. A change deletes the old one with all that is in it. @default "logging" */
  readonly namespace?: string;
  /**
   * What to collect: pods' files, parts of the node's journal, Kubernetes events, EKS's audit log, and the logs of EKS Auto Mode.
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
   * Up to four destinations at once, by name, instead of `destination`. Each has its own buffer, so that the outage of one stops no other.
   * @default none
   * @example { archive: { kind: "s3" }, search: { kind: "opensearch", host: domain.endpoint } }
   */
  readonly destinations?: Readonly<Record<string, NamedDestinationArgs>>;
  /** Which lines go to which of the destinations. @default all lines to all of them */
  readonly routes?: readonly RouteArgs[];
  /** Names of the indices, in OpenSearch and Elasticsearch. @default "logs-yyyy.MM.dd", in UTC */
  readonly index?: IndexArgs;
  /** Namespaces to include or exclude. The collectors' own is never read. @default all */
  readonly namespaces?: {
    /** Namespaces to read. @default all */
    readonly include?: readonly string[];
    /** Namespaces not to read. @default none */
    readonly exclude?: readonly string[];
  };
  /** Only pods with all these labels are read. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Languages whose stack traces become one record. @default all four */
  readonly multiline?: readonly ("java" | "python" | "go" | "node")[];
  /** Whether JSON lines are parsed into fields. @default true */
  readonly parseJson?: boolean;
  /** Changes to lines before they are sent: redact, drop, sample, limit, join, add fields. @default none */
  readonly processing?: ProcessingArgs;
  /** Metadata in each record, besides the pod's names and team. @default { labels: true, annotations: false, cluster: true } */
  readonly metadata?: {
    /** Whether records have the pod's labels. @default true */
    readonly labels?: boolean;
    /** Whether records have the pod's annotations. @default false */
    readonly annotations?: boolean;
    /**
     * Whether records have the cluster's name, `k8s_cluster_name`, and on EKS its region and account, `cloud_region` and
     * `cloud_account_id`.
     * @default true if the collector adds fields
     */
    readonly cluster?: boolean;
    /** ID of the AWS account, for the field `cloud_account_id`. @default looked up on EKS, but not with mode `sidecar` */
    readonly accountId?: string | undefined;
  };
  /**
   * Size of the disk buffer for outages of the destination, and what happens when it is full.
   * @default 4Gi; `drop-oldest` if the collector supports it, else `block`
   */
  readonly buffer?: {
    /** Size on each node's disk, as a Kubernetes quantity. @default "4Gi" */
    readonly size?: string;
    /** Whether to drop the oldest or newest lines, or stop reading. @default `drop-oldest` if the collector supports it, else `block` */
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
  /** Image of the collector, such as a copy in your own registry. @default a pinned version */
  readonly image?: pulumi.Input<string> | undefined;
  /** The pod that reads Kubernetes events, always with Fluent Bit. @default a pinned version */
  readonly events?: {
    /** Its image. @default `image` if the collector is Fluent Bit, else a pinned version */
    readonly image?: string | undefined;
  };
  /** For mode `sidecar`: what its network policy must allow. @default none */
  readonly sidecar?: {
    /** CIDR blocks of the destination. @default none */
    readonly destinationCidrs?: readonly string[];
    /** Port of the pods behind a destination that is a Service. @default the Service's port if that is 1024 or higher, else all ports */
    readonly destinationPort?: number | undefined;
  };
  /** The cluster's DNS domain, for the OpenSearch that this component creates. @default "cluster.local" */
  readonly clusterDomain?: string | undefined;
  /** Teams that `routes` may name, and whose current indices the output `indices` lists. @default none */
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

/**
 * What to collect: pods' files, parts of the node's journal, events of the Kubernetes API, the audit log of an EKS control plane, and the
 * logs of EKS Auto Mode's components.
 * @see https://kubernetes.io/docs/concepts/cluster-administration/logging/
 */
export type SourceName = "pods" | "kubelet" | "containerd" | "kernel" | "auth" | "events" | "audit" | "auto-mode";

/**
 * Sends lines that meet all conditions to some of several destinations.
 * @example { to: ["siem"], sources: ["auth", "events"] }
 */
export interface RouteArgs {
  /** Names of the destinations. */
  readonly to: readonly string[];
  /** Teams whose namespaces' lines go there. @default all lines */
  readonly teams?: readonly string[];
  /** Namespaces whose lines go there. @default all */
  readonly namespaces?: readonly string[];
  /** Only lines of pods with all these labels. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Sources whose lines go there. @default all, or pods if another condition is set */
  readonly sources?: readonly SourceName[];
  /** Streams whose lines go there. @default both */
  readonly streams?: readonly ("stdout" | "stderr")[];
  /** Levels of JSON lines, by their `level` or `severity`. @default all lines */
  readonly levels?: readonly ("trace" | "debug" | "info" | "warn" | "error" | "fatal")[];
}

/** Namespaces to which a rule applies. */
interface PlacesArgs {
  /** Namespaces to whose lines it applies. @default all */
  readonly namespaces?: readonly string[];
  /** Teams to whose namespaces' lines it applies. @default all */
  readonly teams?: readonly string[];
}

/** Conditions of a rule, all of which a line must meet. */
interface MatchArgs extends PlacesArgs {
  /** Regular expression, in the syntax that all collectors share, that matches anywhere in the line. @default any line */
  readonly pattern?: string;
  /** Levels of JSON lines, by their `level` or `severity`. @default all lines */
  readonly levels?: readonly ("trace" | "debug" | "info" | "warn" | "error" | "fatal")[];
  /** Only lines of pods with all these labels. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Streams of its lines. @default both */
  readonly streams?: readonly ("stdout" | "stderr")[];
}

/** Changes to lines before they are sent, in the order firstLines, redact, drop, sample, limit, fields. */
export interface ProcessingArgs {
  /**
   * What to mask in lines and their JSON fields: kinds of secrets, and custom patterns.
   * @default nothing
   * @example ["email", "credit-card", { pattern: "\\bCUST-\\d{8}\\b", replacement: "[customer]" }]
   */
  readonly redact?: readonly (
    | "private-key"
    | "jwt"
    | "bearer-token"
    | "aws-access-key"
    | "api-key"
    | "email"
    | "credit-card"
    | "ipv4"
    | "ipv6"
    | {
        /** Regular expression of the text to replace. */
        readonly pattern: string;
        /** Replacement; $1 is the first group's match. @default "[REDACTED]" */
        readonly replacement?: string;
      }
  )[];
  /** Lines to drop. @default none */
  readonly drop?: readonly MatchArgs[];
  /** Lines to sample. @default none */
  readonly sample?: readonly (MatchArgs & {
    /** Share to keep, 0.001 to 0.999. */
    readonly ratio: number;
  })[];
  /** Maximum lines per pod; the rest is dropped. @default no limit */
  readonly limit?: readonly (PlacesArgs & {
    /** Lines per second for each pod. */
    readonly linesPerSecond: number;
  })[];
  /** First lines of multi-line records, replacing `multiline` for their namespaces. @default none */
  readonly firstLines?: readonly (PlacesArgs & {
    /** Regular expression that matches the first line of each record. */
    readonly pattern: string;
  })[];
  /** Fields added to each record. @default none */
  readonly fields?: Readonly<Record<string, string>>;
}
