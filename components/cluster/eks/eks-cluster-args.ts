import type * as pulumi from "@pulumi/pulumi";

/** A group of nodes of an {@link EksClusterArgs EKS cluster}: a managed node group on Amazon Linux 2023. */
export interface NodeGroupArgs {
  /** Name of the group in this stack: up to 32 lower-case letters, digits and '-'. */
  readonly name: string;
  /**
   * Processor of the nodes.
   * @default "arm64"
   */
  readonly architecture?: "arm64" | "amd64";
  /**
   * EC2 instance types in order of preference. They need the same drivers, for which the AMI is chosen.
   * @default ["t4g.medium"]
   */
  readonly instanceTypes?: readonly string[];
  /**
   * `SPOT` is cheaper, but AWS may interrupt the nodes.
   * @default "ON_DEMAND"
   */
  readonly capacityType?: "ON_DEMAND" | "SPOT";
  /**
   * Fewest nodes.
   * @default 2
   */
  readonly minSize?: number;
  /**
   * Number of nodes that each `pulumi up` restores. If omitted, an autoscaler may change it after the group's creation.
   * @default minSize at first
   */
  readonly desiredSize?: number | undefined;
  /**
   * Most nodes.
   * @default 3
   */
  readonly maxSize?: number;
  /**
   * Encrypted gp3 disk of each node, in GiB.
   * @default 20
   */
  readonly diskSize?: number;
  /**
   * What the kubelet keeps of a container's log on its node.
   * @default the kubelet's own: 5 files of 10Mi
   * @example { maxSize: "50Mi", maxFiles: 3 }
   */
  readonly containerLogs?: {
    /** Size of a file, such as `50Mi`. @default "10Mi" */
    readonly maxSize?: string | undefined;
    /** Number of files, at least 2. @default 5 */
    readonly maxFiles?: number | undefined;
  };
  /** Kubernetes labels of the nodes. @default none */
  readonly labels?: Readonly<Record<string, pulumi.Input<string>>>;
  /**
   * Taints of the nodes.
   * @default none
   * @example [{ key: "nvidia.com/gpu", value: "true", effect: "NoSchedule" }]
   */
  readonly taints?: readonly {
    /** Key of the taint. */
    readonly key: string;
    /** Value of the taint. @default "" */
    readonly value?: string;
    /** What it does to pods that do not tolerate it. */
    readonly effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
  }[];
}

/** A new VPC. */
export interface NewVpcArgs {
  /** IPv4 CIDR block, /16 to /22. @default "10.0.0.0/16" */
  readonly cidr?: pulumi.Input<string>;
  /** Number of availability zones, or their names; append new ones at the end. @default 2 */
  readonly zones?: number | readonly string[];
  /** One NAT gateway for all zones, or one in each. @default "single" */
  readonly nat?: "single" | "per-zone";
  /** AWS services reached without NAT. @default ["s3"] */
  readonly endpoints?: readonly ("s3" | "ecr.api" | "ecr.dkr" | "logs" | "sts" | "ec2" | "eks-auth")[];
}

/** An IAM principal that may use the Kubernetes API. */
export interface AccessEntryArgs {
  /** ARN of an IAM role or user. */
  readonly principalArn: pulumi.Input<string>;
  /** RBAC groups. @default none */
  readonly groups?: readonly string[];
  /** EKS access policy, such as `AmazonEKSViewPolicy`. @default none */
  readonly policy?: string | undefined;
  /** Namespaces to which the policy applies. @default all */
  readonly namespaces?: readonly string[];
}

/** A new EKS cluster, with its VPC and nodes. */
export interface EksClusterArgs {
  /** AWS region of the cluster, such as `eu-central-1`: the AWS provider's. */
  readonly region: string;
  /** AWS profile for `aws eks get-token`. @default that of the environment */
  readonly profile?: string | undefined;
  /** Name of the EKS cluster, which cannot be changed. @default "eks-dns-logging" */
  readonly name?: string;
  /** Kubernetes version. @default "1.36" */
  readonly version?: "1.34" | "1.35" | "1.36";
  /** A new VPC. @default one with two zones and one NAT gateway */
  readonly vpc?: NewVpcArgs | undefined;
  /**
   * An existing VPC with private subnets in at least two zones, instead of a new one.
   * @default none, a new VPC
   * @see https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
   */
  readonly existingVpc?:
    | {
        /** Id of the VPC. */
        readonly id: pulumi.Input<string>;
        /** Subnets of the nodes and of the control plane's interfaces, with a route to the internet by NAT. */
        readonly privateSubnetIds: pulumi.Input<readonly pulumi.Input<string>[]>;
      }
    | undefined;
  /** Nodes. @default [{ name: "default" }] */
  readonly nodeGroups?: readonly NodeGroupArgs[];
  /**
   * From where the Kubernetes API can be reached.
   * @default { private: true, public: false }
   * @example { public: true, publicCidrs: ["203.0.113.7/32"] }
   */
  readonly endpointAccess?: {
    /** Whether it is reached from within the VPC. @default true */
    readonly private?: boolean;
    /** Whether it is reached from the internet. @default false */
    readonly public?: boolean;
    /** CIDR blocks that reach it from the internet. @default none */
    readonly publicCidrs?: readonly pulumi.Input<string>[];
  };
  /** IAM principals with access, besides the one that deploys. @default none */
  readonly accessEntries?: readonly AccessEntryArgs[];
  /** Control-plane logs to keep. @default ["api", "audit", "authenticator"] */
  readonly logTypes?: readonly ("api" | "audit" | "authenticator" | "controllerManager" | "scheduler")[];
  /** Days to keep these logs: one of the periods that CloudWatch Logs supports. @default 30 */
  readonly logRetentionDays?: number;
  /** Whether EKS refuses to delete the cluster, and Pulumi to delete the cluster or its key. @default false */
  readonly deletionProtection?: boolean;
  /** Versions of the add-ons other than CoreDNS. @default a fixed one for each Kubernetes version */
  readonly addons?: {
    /** Version of vpc-cni. @default by Kubernetes version */
    readonly vpcCni?: string | undefined;
    /** Version of kube-proxy. @default by Kubernetes version */
    readonly kubeProxy?: string | undefined;
    /** Version of eks-pod-identity-agent. @default a fixed one */
    readonly podIdentityAgent?: string | undefined;
  };
  /** Tags of every AWS resource. @default none */
  readonly tags?: Readonly<Record<string, pulumi.Input<string>>>;
}
