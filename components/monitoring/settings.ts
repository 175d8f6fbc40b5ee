import { z } from "zod";
import { Image, integer, LabelKey, LabelValue, NamespaceName, string } from "../schema/values.ts";

const INTERVAL = "a number of seconds from 5s to 60s, since alerts look back two minutes, such as '30s'";
/** A Service's name and port. */
const ServicePort = string(
  /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?:\d{1,5}$/,
  "the name of a Service and a port, such as prometheus-server:80",
).refine((text) => {
  // The pattern rejects text without a port.
  const port = /:(\d+)$/.exec(text)?.[1];
  return port === undefined || (Number(port) >= 1 && Number(port) <= 65535);
}, "must have a port from 1 to 65535");
/** A name with a dot, safe in a query and a shell script. A numeric top-level domain would be an address. */
const DnsName = string(
  /^(?=.{1,253}$)(?!.*\.\d+$)[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)+$/,
  "a DNS name with a dot, such as aws.amazon.com",
);

/** How to watch a stack: scraping, alerts and the canary. */
export const MonitoringSettings = z.strictObject({
  kind: z
    .enum(["none", "prometheus-operator", "annotations", "cloudwatch"])
    .default("none")
    .describe(
      "PodMonitors and a PrometheusRule, annotated Services and a ConfigMap, or CloudWatch alarms. Default none.",
    ),
  prometheus: z
    .strictObject({
      namespace: NamespaceName.default("monitoring").describe(
        "Its namespace, the only one that reaches the metrics ports. Default monitoring.",
      ),
      labels: z.record(LabelKey, LabelValue).default({}).describe("Labels by which it selects objects. Default: none."),
      interval: string(/^([5-9]|[1-5]\d|60)s$/, INTERVAL)
        .default("30s")
        .describe("Scrape interval. Default 30s."),
      service: ServicePort.default("prometheus-operated:9090").describe(
        "Its Service and port, for `lab verify`. Default prometheus-operated:9090.",
      ),
      kubeStateMetrics: z
        .boolean()
        .default(true)
        .describe("It scrapes kube-state-metrics, which some alerts need. Default true."),
    })
    .prefault({})
    .describe("Your Prometheus."),
  canary: z
    .strictObject({
      enabled: z.boolean().default(true).describe("Write a line and look up names every minute. Default true."),
      outsideName: DnsName.default("aws.amazon.com").describe("Name outside the cluster. Default aws.amazon.com."),
      lossAfter: integer(60, 3600).default(600).describe("Seconds after which a line counts as lost. Default 600."),
      image: Image.default("docker.io/curlimages/curl:8.17.0").describe(
        "Image that runs its checks. Default docker.io/curlimages/curl:8.17.0.",
      ),
      serverImage: Image.default("docker.io/nginxinc/nginx-unprivileged:1.29.8-alpine").describe(
        "Serves its metrics. Default docker.io/nginxinc/nginx-unprivileged:1.29.8-alpine.",
      ),
    })
    .prefault({})
    .describe("The canary on each node."),
  runbookUrl: string(
    // Prometheus would read braces as a template.
    /^https?:\/\/[^\s?#{}]+$/,
    "an address such as https://git.example.com/platform/blob/main/docs/runbooks",
  )
    .optional()
    .describe("URL of your copy of docs/runbooks, for links in alerts. Default: alerts name the file."),
  alarmActions: z
    .array(
      string(
        /^(?=.{1,1024}$)arn:aws[\w-]*:[\w-]+:[\w-]*:\w*:\S+$/,
        "an ARN of at most 1024 characters, such as that of an SNS topic",
      ),
    )
    // @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    .max(5, "must have at most 5 ARNs, CloudWatch's limit")
    .default([])
    .describe(
      "Up to 5 ARNs that CloudWatch alarms notify. SNS topics and Lambda functions also hear when an alarm is over. Default: none.",
    ),
});
export type MonitoringSettings = z.infer<typeof MonitoringSettings>;
