import { type ApplicationPod, logPipeline, NODE } from "../../../../components/logging/pipeline.ts";
import { LoggingSettings } from "../../../../components/logging/settings.ts";

/** What a collector beside an application is told of its pod. */
const POD: ApplicationPod = {
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
      LoggingSettings.parse({ ...always, ...settings }),
      { cluster: "dev", region: "eu-central-1", bucket: "dev-logs" },
      source === undefined ? NODE : { kind: source, pod: POD },
    );
}
