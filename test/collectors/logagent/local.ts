import { dirname, join } from "node:path";
import { logagent } from "../../../components/logging/collectors/logagent/index.ts";
import { findProgram } from "../../support/collectors/program.ts";
import type { LocalCollector } from "../../support/collectors/sandbox.ts";
import { startClusterApi } from "../cluster-api.ts";

export interface LocalLogagent extends LocalCollector {
  stop(): void;
}

/** Logagent of this machine; undefined where there is none. */
export async function localLogagent(): Promise<LocalLogagent | undefined> {
  const program = findProgram("logagent");
  if (program === undefined) return undefined;
  const api = await startClusterApi();
  return {
    collector: logagent,
    program,
    adapt: (text, { token }) => {
      const sandbox = dirname(token);
      return text
        .replaceAll("/var/log/app", join(sandbox, "app"))
        .replaceAll("/var/log/collected", join(sandbox, "collected"))
        .replace("https://kubernetes.default.svc", api.url(sandbox))
        .replaceAll("/var/run/secrets/kubernetes.io/serviceaccount/token", token);
    },
    stop: () => api.stop(),
  };
}
