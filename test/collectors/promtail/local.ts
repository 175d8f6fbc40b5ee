import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promtail } from "../../../components/logging/collectors/promtail/index.ts";
import { findProgram } from "../../support/collectors/program.ts";
import type { LocalCollector } from "../../support/collectors/sandbox.ts";
import { kubeconfig, startClusterApi } from "../cluster-api.ts";
import { startPush } from "./push.ts";

/** Where the settings say that Loki is; the sandbox puts another in its place. */
export const LOKI = { kind: "loki", url: "http://loki.test:3100" };

export interface LocalPromtail extends LocalCollector {
  stop(): void;
}

/** Promtail of this machine; undefined where there is none. */
export async function localPromtail(): Promise<LocalPromtail | undefined> {
  const program = findProgram("promtail");
  if (program === undefined) return undefined;
  const [api, push] = [await startClusterApi(), await startPush()];
  return {
    collector: promtail,
    program,
    adapt: (text, { receiverPort, token }) => {
      const sandbox = dirname(token);
      writeFileSync(join(sandbox, "kubeconfig"), kubeconfig(api.url(sandbox)));
      return text
        .replace(LOKI.url, push.url(receiverPort))
        .replace("- role: pod\n", `- role: pod\n        kubeconfig_file: ${join(sandbox, "kubeconfig")}\n`)
        .replace("http_listen_port: 9080", "http_listen_address: 127.0.0.1\n  http_listen_port: 0");
    },
    stop: () => {
      api.stop();
      push.stop();
    },
  };
}
