import { type LogPipeline, logGroups, NODE, searchHost, tlsOf } from "./pipeline.ts";

/** Describes where the logs go; several destinations are prefixed with their names. */
export function describeDestinations(pipeline: LogPipeline): string {
  if (pipeline.branches.length === 0) return describeDestination(pipeline);
  return pipeline.branches.map((branch) => `${branch.name}: ${describeDestination(branch)}`).join("; ");
}

/** Describes where a destination's logs go. */
export function describeDestination({
  destination,
  context,
  source = NODE,
  suffix,
  sources = ["pods"],
}: Pick<LogPipeline, "destination" | "context"> & Partial<Pick<LogPipeline, "source" | "suffix" | "sources">>): string {
  switch (destination.kind) {
    case "stdout":
      return source.kind === "node"
        ? "stdout of the collector, in namespace logging"
        : "stdout of the sidecar, in each curl pod";
    case "file":
      return `files below ${destination.path} on each node`;
    case "http":
    case "loki":
    case "otlp":
    case "splunk":
      return `${destination.kind} at ${destination.url}`;
    case "kafka":
      return `topic ${destination.topic} of Kafka at ${destination.brokers.join(", ")}`;
    case "firehose":
      return `stream ${destination.stream} of Amazon Data Firehose`;
    case "opensearch":
    case "elasticsearch": {
      const { host, port } = searchHost(destination);
      return `${destination.kind} at ${tlsOf(destination) === undefined ? "http" : "https"}://${host}:${port}`;
    }
    case "cloudwatch":
      return `log group ${logGroups(destination, context.cluster, suffix, sources).join(" and ")} of CloudWatch Logs`;
    case "s3":
      return `bucket ${context.bucket ?? "of this stack"}${destination.prefix === "" ? "" : `, below ${destination.prefix}/`}`;
  }
}
