import { dirname, join } from "node:path";
import { fluentd } from "../../components/logging/collectors/fluentd.ts";
import { findProgram } from "../support/collectors/program.ts";
import type { LocalCollector } from "../support/collectors/sandbox.ts";
import { startPodApi } from "./fluentd-api.ts";

export interface LocalFluentd extends LocalCollector {
  stop(): void;
}

/** Fluentd of this machine; undefined where there is none. */
export async function localFluentd(): Promise<LocalFluentd | undefined> {
  const program = findProgram("fluentd");
  if (program === undefined) return undefined;
  const api = await startPodApi();
  return {
    collector: fluentd,
    program,
    adapt: (text, { token }) => {
      const sandbox = dirname(token);
      return text
        .replaceAll("/var/log/app", join(sandbox, "app"))
        .replaceAll("/var/log/collected", join(sandbox, "collected"))
        .replace("@type kubernetes_metadata\n", `@type kubernetes_metadata\n    kubernetes_url ${api.url}\n`)
        .replace("bind 0.0.0.0\n  port 24231", "bind 127.0.0.1\n  port 0");
    },
    stop: () => api.stop(),
  };
}
