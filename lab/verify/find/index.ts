import type { LoggingSettings } from "../../../components/logging/settings.ts";
import type { Settings } from "../../../components/settings.ts";
import {
  fileFinder,
  type MarkerFinder,
  sidecarStdoutFinder,
  stdoutFinder,
  throughSidecar,
  unableFinder,
} from "./finder.ts";
import { cloudwatchFinder, lokiFinder, searchFinder } from "./stores.ts";

type Stack = Pick<Settings, "logging" | "cluster" | "region">;

/** What looks for a marker where this stack's collector sends logs. */
export function finderFor({ logging, ...where }: Stack): MarkerFinder {
  if (logging === undefined) throw new Error("a stack without log collection has nowhere to look for lines");
  const stack = { logging, ...where };
  const { collector, mode, destination } = logging;
  if (mode === "daemonset") return destinationFinder(stack);
  return throughSidecar(
    destination.kind === "stdout" ? sidecarStdoutFinder(collector) : destinationFinder(stack),
    collector,
  );
}

function destinationFinder({ logging, cluster, region }: Stack & { readonly logging: LoggingSettings }): MarkerFinder {
  const { collector, destination, index } = logging;
  switch (destination.kind) {
    case "stdout":
      return stdoutFinder(collector);
    case "opensearch":
    case "elasticsearch":
      return searchFinder(destination, index, collector);
    case "loki":
      return lokiFinder(destination, collector);
    case "file":
      return fileFinder(destination.path, collector);
    case "cloudwatch": {
      const name = cluster.kind === "existing" ? "" : cluster.name;
      const logGroup = destination.logGroup ?? `/eks-dns-logging/${name}/pods`;
      return cloudwatchFinder({ logGroup, region: region ?? "" }, collector);
    }
    case "http":
      return unableFinder("http", "an HTTP receiver cannot be queried");
    case "s3":
      return unableFinder("s3", "lines arrive in S3 as compressed objects after minutes: use `aws s3 ls`");
  }
}
