import type * as pulumi from "@pulumi/pulumi";

/** A Secret in namespace `logging` with the user and password of a destination. No other resource contains them. */
export interface DestinationCredentialsArgs {
  /** Name of the Secret. */
  readonly secretName: string;
  /** Its key with the user. @default "username" */
  readonly usernameKey?: string;
  /** Its key with the password. @default "password" */
  readonly passwordKey?: string;
}

/** A Secret in namespace `logging` with the token of requests. No other resource contains it. */
export interface DestinationTokenArgs {
  /** Name of the Secret. */
  readonly secretName: string;
  /** Its key with the token. @default "token" */
  readonly key?: string;
}

/** A token, and its scheme in the header Authorization. */
export interface SchemedTokenArgs extends DestinationTokenArgs {
  /** `ApiKey` for an API key of Elasticsearch. @default "Bearer" */
  readonly scheme?: "Bearer" | "ApiKey";
}

/** Verification of a server's certificate. */
export interface DestinationTlsArgs {
  /** Whether invalid certificates are rejected. @default true */
  readonly verify?: boolean;
  /** Secret in namespace `logging` whose key `ca.crt` is the CA certificate. @default the public CAs */
  readonly caSecretName?: string | undefined;
}

/** Address and access of OpenSearch or Elasticsearch. */
interface SearchEngineArgs {
  /** Port. A domain of Amazon OpenSearch Service listens on 443. @default 9200 */
  readonly port?: number;
  /** TLS: `true` for the default, `false` for none. @default TLS with verification */
  readonly tls?: boolean | DestinationTlsArgs | undefined;
  /** User and password. @default none */
  readonly credentials?: DestinationCredentialsArgs | undefined;
  /** API key or bearer token; excludes `credentials`. @default none */
  readonly token?: SchemedTokenArgs | undefined;
}

/** An external OpenSearch, or one that this component creates. */
export interface OpenSearchArgs extends SearchEngineArgs {
  /** Kind of the destination. */
  readonly kind: "opensearch";
  /**
   * Host name or IPv4 address. May be an output if `mode` is `daemonset`. Exactly one of `host` and `inCluster` is set.
   * @default none
   * @example domain.endpoint
   */
  readonly host?: pulumi.Input<string> | undefined;
  /** Whether to create a single-node OpenSearch with Dashboards, for evaluation. @default false */
  readonly inCluster?: boolean;
  /** Size of the volume of that OpenSearch, such as `10Gi`. @default none: the data is deleted with the pod */
  readonly storage?: string | undefined;
  /** StorageClass of the volume. A new EKS cluster has none. @default the cluster's default class */
  readonly storageClass?: string | undefined;
  /**
   * Signs requests with an IAM role that this component creates, for Amazon OpenSearch Service and Serverless. The cluster must have
   * `podIdentity`. Excludes `credentials`.
   * @default none
   */
  readonly sigv4?:
    | {
        /** ARN of the domain, or of the Serverless collection. */
        readonly arn: pulumi.Input<string>;
      }
    | undefined;
}

/** An external Elasticsearch. */
export interface ElasticsearchArgs extends SearchEngineArgs {
  /** Kind of the destination. */
  readonly kind: "elasticsearch";
  /** Host name or IPv4 address. May be an output if `mode` is `daemonset`. */
  readonly host: pulumi.Input<string>;
}

/** A server that accepts JSON by POST. */
export interface HttpArgs extends DestinationTlsArgs {
  /** Kind of the destination. */
  readonly kind: "http";
  /** URL, with `http:` or `https:`. May be an output if `mode` is `daemonset`. */
  readonly url: pulumi.Input<string>;
  /** User and password, only for `https:`. @default none */
  readonly credentials?: DestinationCredentialsArgs | undefined;
  /** API key or bearer token, only for `https:`; excludes `credentials`. @default none */
  readonly token?: SchemedTokenArgs | undefined;
  /** Body of each request: JSON lines, or one JSON array. @default "lines" */
  readonly body?: "lines" | "array";
  /**
   * Headers by name: a string, or for `https:` a Secret in namespace `logging` with the value.
   * @default none
   * @example { "DD-API-KEY": { secretName: "datadog", key: "api-key" } }
   */
  readonly headers?: Readonly<Record<string, string | DestinationTokenArgs>> | undefined;
}

/** Grafana Loki. */
export interface LokiArgs extends Omit<HttpArgs, "kind" | "token" | "body"> {
  /** Bearer token, only for `https:`; excludes `credentials`. @default none */
  readonly token?: DestinationTokenArgs | undefined;
  /** Kind of the destination. */
  readonly kind: "loki";
  /** Value of the header X-Scope-OrgID. @default none */
  readonly tenant?: string | undefined;
}

/** An OTLP server. */
export interface OtlpArgs extends Omit<HttpArgs, "kind" | "body"> {
  /** Kind of the destination. */
  readonly kind: "otlp";
  /** OTLP over HTTP or gRPC. @default "http" */
  readonly protocol?: "http" | "grpc";
}

/** Splunk's HTTP Event Collector. */
export interface SplunkArgs extends DestinationTlsArgs {
  /** Kind of the destination. */
  readonly kind: "splunk";
  /** URL without a path, such as `https://splunk.example.com:8088`. May be an output if `mode` is `daemonset`. */
  readonly url: pulumi.Input<string>;
  /** Token of the HTTP Event Collector. */
  readonly token: DestinationTokenArgs;
}

/** An existing stream of Amazon Data Firehose. The cluster must have `podIdentity`. */
export interface FirehoseArgs {
  /** Kind of the destination. */
  readonly kind: "firehose";
  /** Name of the stream. */
  readonly stream: pulumi.Input<string>;
}

/** Options of a team's log group. */
interface TeamLogGroupArgs {
  /** Retention in days. @default that of the destination */
  readonly retentionDays?: number;
  /** Log class. @default that of the destination */
  readonly class?: "STANDARD" | "INFREQUENT_ACCESS";
  /** ARN of the KMS key that encrypts it. @default that of the destination, or a key of its own */
  readonly kmsKeyArn?: pulumi.Input<string>;
}

/** A log group of CloudWatch Logs, which this component creates. The cluster must have `podIdentity`. */
export interface CloudWatchArgs {
  /** Kind of the destination. */
  readonly kind: "cloudwatch";
  /** Name of the log group. @default "/eks-dns-logging/CLUSTER/pods" */
  readonly logGroup?: pulumi.Input<string> | undefined;
  /**
   * Whether the log group already exists and stays unchanged; requires `logGroup`, excludes `retentionDays`, `class` and `kmsKeyArn`.
   * @default false
   */
  readonly existing?: boolean;
  /** Retention in days: a value that CloudWatch Logs accepts. @default 30 */
  readonly retentionDays?: number;
  /** Log class; a change replaces the log group. @default "STANDARD" */
  readonly class?: "STANDARD" | "INFREQUENT_ACCESS";
  /** ARN of the KMS key that encrypts it. @default a key that this component creates */
  readonly kmsKeyArn?: pulumi.Input<string>;
  /** Options of teams' own log groups, if `index.splitBy` is `team`. @default none */
  readonly teams?: Readonly<Record<string, TeamLogGroupArgs>>;
}

/** An S3 bucket, which this component creates. The cluster must have `podIdentity`. */
export interface S3Args {
  /** Kind of the destination. */
  readonly kind: "s3";
  /** Name of the bucket, unique among all AWS accounts of the partition. @default "CLUSTER-logs-REGION" */
  readonly bucket?: pulumi.Input<string> | undefined;
  /** First part of object keys. @default "logs" */
  readonly prefix?: string;
  /** Whether the bucket already exists and stays unchanged; requires `bucket`, excludes `retentionDays`. @default false */
  readonly existing?: boolean;
  /** ARN of the KMS key that encrypts an existing bucket. @default none: S3's own key */
  readonly kmsKeyArn?: pulumi.Input<string> | undefined;
  /** Days until an object is deleted, 1 to 3653. @default 90 */
  readonly retentionDays?: number;
  /** Shorter retention of teams' objects, in days, if `index.splitBy` is `team`. @default none */
  readonly teams?: Readonly<Record<string, { /** Days until an object is deleted. */ readonly retentionDays: number }>>;
}

/** Verification of a broker's certificate. */
interface KafkaTlsArgs {
  /** Whether invalid certificates are rejected. @default true */
  readonly verify?: boolean;
  /** Secret in namespace `logging` whose key `ca.crt` is the CA certificate. @default the public CAs */
  readonly caSecretName?: string | undefined;
}

/** A Secret in the collector's namespace with user and password. */
interface KafkaCredentialsArgs {
  /** Name of the Secret. */
  readonly secretName: string;
  /** Its key with the user. @default "username" */
  readonly usernameKey?: string;
  /** Its key with the password. @default "password" */
  readonly passwordKey?: string;
}

/** An existing topic of Apache Kafka or Amazon MSK. With `mskArn` the cluster must have `podIdentity`. */
export interface KafkaArgs {
  /** Kind of the destination. */
  readonly kind: "kafka";
  /** Bootstrap brokers, as `HOST:PORT`. */
  readonly brokers: pulumi.Input<readonly string[]>;
  /** Name of the topic. */
  readonly topic: pulumi.Input<string>;
  /** TLS: `true` for the default, `false` for none. @default TLS, with verification against the public CAs */
  readonly tls?: boolean | KafkaTlsArgs | undefined;
  /** Secret in the collector's namespace with user and password. @default none */
  readonly credentials?: KafkaCredentialsArgs | undefined;
  /** SASL mechanism of `credentials`. @default "SCRAM-SHA-512" */
  readonly mechanism?: "SCRAM-SHA-512" | "SCRAM-SHA-256" | "PLAIN";
  /** ARN of an MSK cluster, to authenticate with the collector's IAM role; excludes `credentials`. @default none */
  readonly mskArn?: pulumi.Input<string> | undefined;
}

/** A folder on each node. */
interface FileArgs {
  /** Kind of the destination. */
  readonly kind: "file";
  /** Folder below /var/log. @default "/var/log/collected" */
  readonly path?: string;
}

/** Where lines go. `stdout` is the collector's own log; `file` is a folder below /var/log on each node. */
export type DestinationArgs =
  | { /** Kind of the destination. */ readonly kind: "stdout" }
  | FileArgs
  | HttpArgs
  | OpenSearchArgs
  | ElasticsearchArgs
  | CloudWatchArgs
  | S3Args
  | LokiArgs
  | OtlpArgs
  | SplunkArgs
  | FirehoseArgs
  | KafkaArgs;

/** Name of an index: `PREFIX[SEPARATOR SPLIT]SEPARATOR DATE`. */
export interface IndexArgs {
  /** First part: up to 63 lower-case letters, digits, '.', '-' and '_'. @default "logs" */
  readonly prefix?: string;
  /** Separator of the parts. @default "-" */
  readonly separator?: "-" | "." | "_";
  /** Date pattern, from the parts yyyy, MM, dd, HH, xxxx and ww. @default "yyyy.MM.dd" */
  readonly datePattern?: string;
  /** IANA time zone of dates. @default "UTC" */
  readonly timeZone?: string;
  /** What gets its own indices. @default "none" */
  readonly splitBy?: "none" | "team" | "namespace" | "app";
}

/** One of several destinations. */
export type NamedDestinationArgs = DestinationArgs & {
  /** Lines that wait for it on the node's disk. @default buffer.size of the collection */
  readonly buffer?: {
    /** Size in Mi or Gi. @default buffer.size of the collection */
    readonly size?: string;
  };
  /** Its index names. @default index of the collection */
  readonly index?: IndexArgs;
  /** Whether this was the former `destination`, whose log group or bucket keeps its name. @default false */
  readonly wasDestination?: boolean;
};
