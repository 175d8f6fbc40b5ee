import {
  APPLICATION_LOGS,
  type ApplicationPod,
  hasIndex,
  type LogPipeline,
  MAX_FIELDS_BYTES,
  OPT_OUT_ANNOTATION,
} from "../../pipeline.ts";
import { continuationPattern } from "../stack-traces.ts";
import type { InputConfig } from "./input.cjs";
import type { ApplicationOptions } from "./sources.cjs";

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Options of the input plugin: which files are read, and how a record is made of a line. */
export function input(pipeline: LogPipeline, stateFolder: string): InputConfig {
  const { source, namespaces, labels, metadata, multiline, parseJson, destination } = pipeline;
  const continues = continuationPattern(multiline);
  return {
    state: stateFolder,
    ...(source.kind === "node"
      ? {
          node: { folder: "/var/log/pods", ...namespaces, labels, optOut: OPT_OUT_ANNOTATION, keep: metadata },
          api: {
            url: "https://kubernetes.default.svc",
            tokenFile: `${SERVICE_ACCOUNT}/token`,
            caFile: `${SERVICE_ACCOUNT}/ca.crt`,
          },
        }
      : { application: application(source.pod, metadata.labels) }),
    ...(continues === undefined ? {} : { continues }),
    // A search engine reads a dot in a name as a path.
    record: {
      parseJson,
      safeNames: hasIndex(destination),
      ...(destination.kind === "opensearch" ? { fieldsBytes: MAX_FIELDS_BYTES } : {}),
    },
  };
}

/** A sidecar's pod is known when the configuration is rendered. */
function application({ namespace, pod, container, team, app }: ApplicationPod, labels: boolean): ApplicationOptions {
  return {
    folder: APPLICATION_LOGS,
    kubernetes: {
      namespace_name: namespace,
      pod_name: pod,
      container_name: container,
      ...(labels && app !== undefined ? { labels: { "app_kubernetes_io/name": app } } : {}),
    },
    ...(team === undefined ? {} : { team }),
    ...(app === undefined ? {} : { app }),
  };
}
