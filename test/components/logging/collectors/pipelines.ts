import type { ApplicationPod } from "../../../../components/kubernetes/container.ts";
import { logPipeline, NODE } from "../../../../components/logging/pipeline.ts";
import { unnamedCluster } from "../../../support/collectors/unnamed-cluster.ts";

/** What a collector beside an application is told of its pod. */
export const POD: ApplicationPod = {
  namespace: "ts-team",
  pod: "curl-ts",
  container: "responder",
  team: "ts",
  app: "curl-ts",
};

export const credentials = { secretName: "log-writer" };

/** Makes the pipeline of settings below `logging`, over those that a test always has, on a node or beside an application. */
export function pipelines(always: object) {
  return (settings: object, source?: "application") =>
    logPipeline(
      unnamedCluster({ ...always, ...settings }),
      { cluster: "dev", region: "eu-central-1" },
      source === undefined ? NODE : { kind: source, pod: POD },
    );
}

/** Each kind that a collector may have, and what differs within it. */
export const DESTINATIONS: readonly Readonly<Record<string, unknown>>[] = [
  { kind: "stdout" },
  { kind: "file" },
  { kind: "http", url: "https://logs.example.com:8443/ingest?a=1", credentials, caSecretName: "http-ca" },
  { kind: "opensearch", host: "search.example.com", credentials, tls: { caSecretName: "search-ca" } },
  { kind: "opensearch", inCluster: true },
  { kind: "elasticsearch", host: "10.0.0.5", tls: false },
  { kind: "elasticsearch", host: "search.example.com", credentials, tls: { verify: false } },
  { kind: "cloudwatch" },
  { kind: "s3" },
  { kind: "loki", url: "http://loki.monitoring.svc:3100", tenant: "one" },
  { kind: "loki", url: "https://loki.example.com", tenant: "one", verify: false, credentials },
];
