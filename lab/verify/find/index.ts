import { placeName, placeOfNamespace } from "../../../components/logging/indexing/team-places.ts";
import { logGroupName, withName } from "../../../components/logging/pipeline.ts";
import { destinationsOfLine, type Target, targetsOf } from "../../../components/logging/routing/routes.ts";
import type { LoggingSettings } from "../../../components/logging/settings.ts";
import type { Settings } from "../../../components/settings.ts";
import type { PodFacts } from "../../kubernetes/cluster.ts";
import {
  fileFinder,
  type MarkerFinder,
  sidecarStdoutFinder,
  stdoutFinder,
  throughSidecar,
  unableFinder,
} from "./finder.ts";
import { cloudwatchFinder, lokiFinder, searchFinder } from "./stores.ts";

type Stack = Pick<Settings, "logging" | "cluster" | "region" | "teams">;

/** The finders for every destination of the stack's collector. */
export function findersFor({ logging, ...where }: Stack): MarkerFinder[] {
  if (logging === undefined) return [];
  const stack = { logging, ...where };
  const { collector, mode } = logging;
  const targets = targetsOf(logging, where.teams);
  if (mode === "sidecar")
    return targets.map((target) =>
      throughSidecar(
        target.destination.kind === "stdout" ? sidecarStdoutFinder(collector) : destinationFinder(target, stack),
        collector,
      ),
    );
  return targets.map((target) => {
    const finder = destinationFinder(target, stack);
    const { name } = target;
    if (name === undefined) return finder;
    const takes = ({ namespace, labels }: PodFacts) =>
      destinationsOfLine([target], { namespace, labels, stream: "stdout" }).length > 0;
    return { ...finder, name, takes };
  });
}

function destinationFinder(
  { name, suffix, destination, index, places }: Target,
  { logging: { collector }, cluster, region }: Stack & { readonly logging: LoggingSettings },
): MarkerFinder {
  switch (destination.kind) {
    case "stdout":
      // With several destinations, Fluent Bit has a container for each.
      return stdoutFinder(collector, collector === "fluent-bit" ? withName(collector, name) : collector);
    case "opensearch":
    case "elasticsearch":
      if (destination.kind === "opensearch" && destination.sigv4 !== undefined)
        return unableFinder(
          "opensearch",
          "its requests must be signed: search for the marker in OpenSearch Dashboards",
        );
      return searchFinder(destination, index, collector);
    case "loki":
      return lokiFinder(destination, collector);
    case "file":
      return fileFinder(destination.path, collector);
    case "cloudwatch": {
      const logGroup = logGroupName(destination, cluster.kind === "existing" ? "" : cluster.name, suffix);
      const groupOf = (namespace: string) => placeName(logGroup, placeOfNamespace(places, namespace)?.team);
      return cloudwatchFinder({ logGroup, groupOf, region: region ?? "" }, collector);
    }
    case "http":
      return unableFinder("http", "an HTTP receiver cannot be queried");
    case "otlp":
    case "splunk":
    case "firehose":
    case "kafka":
      return unableFinder(destination.kind, "it passes lines on: look where they arrive");
    case "s3":
      return unableFinder("s3", "lines arrive in S3 as compressed objects after minutes: use `aws s3 ls`");
  }
}
