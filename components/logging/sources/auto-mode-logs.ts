import { setTimeout as wait } from "node:timers/promises";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { isTooLong, shortened } from "../../aws/names.ts";
import { bucketArn, logGroupArn, type PodIdentityHost, streamArn } from "../../aws/partition.ts";
import { policyText } from "../../aws/policy-statements.ts";
import type { LateTarget } from "../destinations/aws/aws-destinations.ts";
import { bucketName, logGroupName, withName } from "../pipeline.ts";
import type { Target } from "../routing/routes.ts";

/** Logs of EKS Auto Mode's own components, and where they go. */
export interface AutoModeLogsArgs {
  /** The EKS cluster. */
  readonly host: PodIdentityHost;
  /** Name of the cluster, as in names of buckets and log groups. */
  readonly cluster: string;
  /** Destinations of the stack. */
  readonly targets: readonly LateTarget[];
  /** Prerequisites: the cluster, buckets and log groups. */
  readonly dependsOn: readonly pulumi.Resource[];
}

/** Log types of Karpenter, the EBS CSI driver, the load balancer controller and IP address management, by resource name. */
const LOG_TYPES = {
  compute: "AUTO_MODE_COMPUTE_LOGS",
  "block-storage": "AUTO_MODE_BLOCK_STORAGE_LOGS",
  "load-balancing": "AUTO_MODE_LOAD_BALANCING_LOGS",
  ipam: "AUTO_MODE_IPAM_LOGS",
} as const;

/** Measured: a cluster update takes two to three minutes. */
const RETRY_MILLISECONDS = 20_000;
const MAX_RETRIES = 45;

/**
 * Delivers the logs of EKS Auto Mode's components to CloudWatch Logs, S3 or a stream of Amazon Data Firehose. Each source is an update of
 * the cluster, and EKS accepts one at a time: so sources are created one after another, and retried while an update is in progress.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/auto-managed-component-logs.html
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-vended-logs-permissions-V2.html
 */
export class AutoModeLogs extends pulumi.ComponentResource {
  constructor(name: string, args: AutoModeLogsArgs, options: pulumi.ComponentResourceOptions) {
    super("eks-dns-logging:logging:AutoModeLogs", name, {}, options);
    const { host } = args;
    const { accountId } = aws.getCallerIdentityOutput({}, { parent: this });
    const targets = args.targets.filter(({ sources }) => sources.includes("auto-mode"));
    const destinations = targets.map((target) =>
      this.#destination(withName(name, target.suffix), target, accountId, args),
    );
    const resourceArn = pulumi
      .all([host.clusterName, accountId])
      .apply(([cluster, account]) => `arn:${host.partition}:eks:${host.region}:${account}:cluster/${cluster}`);
    const onError = runsErrorHooks()
      ? [new pulumi.ErrorHook(`${name}-update-in-progress`, retriesAfter(RETRY_MILLISECONDS))]
      : [];
    let previous: readonly pulumi.Resource[] = args.dependsOn;
    for (const [component, logType] of Object.entries(LOG_TYPES)) {
      const source = new aws.cloudwatch.LogDeliverySource(
        `${name}-${component}`,
        { ...deliveryName(`${name}-${component}`), logType, resourceArn, tags: host.tags },
        // A cluster has one source per type.
        { parent: this, dependsOn: [...previous], deleteBeforeReplace: true, hooks: { onError } },
      );
      previous = [source];
      for (const { suffix, destination, ready } of destinations)
        previous = [
          new aws.cloudwatch.LogDelivery(
            withName(`${name}-${component}`, suffix),
            { deliverySourceName: source.name, deliveryDestinationArn: destination.arn, tags: host.tags },
            { parent: this, dependsOn: [...previous, ...ready], hooks: { onError } },
          ),
        ];
    }
    this.registerOutputs({});
  }

  /** A destination, and the permission for AWS to write there; a bucket of this stack has it in its own policy. */
  #destination(name: string, target: LateTarget, accountId: pulumi.Output<string>, args: AutoModeLogsArgs) {
    const { host, dependsOn } = args;
    const { destination, suffix, known } = target;
    const arn = pulumi
      .all([accountId, known])
      .apply(([account, resolved]) => arnOf({ ...target, destination: resolved }, account, args));
    const ready: pulumi.Resource[] =
      destination.kind === "cloudwatch" && !destination.existing
        ? [
            new aws.cloudwatch.LogResourcePolicy(
              name,
              {
                resourceArn: arn,
                policyDocument: pulumi
                  .all([arn, accountId])
                  .apply(([group, account]) => deliveryPolicy(group, account, host)),
              },
              { parent: this, dependsOn: [...dependsOn] },
            ),
          ]
        : [];
    const deliveryDestination = new aws.cloudwatch.LogDeliveryDestination(
      name,
      { ...deliveryName(name), deliveryDestinationConfiguration: { destinationResourceArn: arn }, tags: host.tags },
      { parent: this, dependsOn: [...dependsOn] },
    );
    return { suffix, destination: deliveryDestination, ready };
  }
}

/** @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutDeliverySource.html */
const MAX_DELIVERY_NAME = 60;

/** The name of a delivery's source or destination with a long name; empty for all others, which Pulumi names. */
function deliveryName(name: string): { readonly name?: string } {
  return isTooLong(name, MAX_DELIVERY_NAME) ? { name: shortened(name, MAX_DELIVERY_NAME) } : {};
}

/** A preview creates nothing that could fail, and the SDK's mocks have no error hooks, though they claim so. */
function runsErrorHooks(): boolean {
  const monitor = pulumi.runtime.getMonitor();
  return !pulumi.runtime.isDryRun() && monitor !== undefined && "registerErrorHook" in monitor;
}

function arnOf({ destination, suffix }: Target, account: string, { host, cluster }: AutoModeLogsArgs): string {
  switch (destination.kind) {
    case "cloudwatch":
      return logGroupArn(host, account, logGroupName(destination, cluster, suffix));
    case "s3":
      return bucketArn(host, bucketName(destination, cluster, host.region, suffix));
    case "firehose":
      return streamArn(host, account, destination.stream);
    default:
      throw new Error(`auto-mode to ${destination.kind} passed the settings`);
  }
}

/**
 * Lets AWS write this account's deliveries to a log group.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-V2-CloudWatchLogs.html
 */
function deliveryPolicy(groupArn: string, account: string, { partition, region }: PodIdentityHost): string {
  return policyText([
    {
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      Condition: {
        ArnLike: { "aws:SourceArn": `arn:${partition}:logs:${region}:${account}:*` },
        StringEquals: { "aws:SourceAccount": account },
      },
      Effect: "Allow",
      Principal: { Service: "delivery.logs.amazonaws.com" },
      Resource: [`${groupArn}:log-stream:*`],
      Sid: "DeliverLogs",
    },
  ]);
}

/**
 * Retries what AWS rejects while an update of the cluster, or another delivery, is in progress.
 * @param milliseconds Time between two tries.
 * @see https://github.com/hashicorp/terraform-provider-aws/issues/42194
 */
export function retriesAfter(milliseconds: number): pulumi.ErrorHookFunction {
  return async ({ errors: [newest = ""], errors }) => {
    if (!newest.includes("ConflictException") || errors.length > MAX_RETRIES) return false;
    await wait(milliseconds);
    return true;
  };
}
