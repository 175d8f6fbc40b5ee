import { dirname, join } from "node:path";
import { fluentd } from "../../../components/logging/collectors/fluentd/index.ts";
import { findProgram } from "../../support/collectors/program.ts";
import type { LocalCollector } from "../../support/collectors/sandbox.ts";
import { type PodApi, startPodApi } from "./api.ts";

export interface LocalFluentd extends LocalCollector {
  readonly api: PodApi;
  stop(): void;
}

/** Fluentd of this machine; undefined where there is none. @param labels Of each pod. Default: those of the cluster's tests. */
export async function localFluentd(labels?: Readonly<Record<string, string>>): Promise<LocalFluentd | undefined> {
  const program = findProgram("fluentd");
  if (program === undefined) return undefined;
  const api = await startPodApi(labels);
  return {
    collector: fluentd,
    api,
    program,
    adapt: (text, { receiverPort, token }) => {
      const sandbox = dirname(token);
      return (
        text
          .replaceAll("/var/log/app", join(sandbox, "app"))
          .replaceAll("/var/log/collected", join(sandbox, "collected"))
          .replace("@type pod_record\n", `@type pod_record\n    api_url ${api.url}\n`)
          .replace("@type cloudwatch_logs\n", `@type cloudwatch_logs\n    endpoint http://127.0.0.1:${receiverPort}\n`)
          .replace(
            "@type s3\n",
            `@type s3\n    s3_endpoint http://127.0.0.1:${receiverPort}\n    force_path_style true\n`,
          )
          // An object of S3 waits five minutes for more.
          .replace("flush_interval 300s", "flush_interval 1s")
          .replace("bind 0.0.0.0\n  port 24231", "bind 127.0.0.1\n  port 0")
      );
    },
    stop: () => api.stop(),
  };
}
