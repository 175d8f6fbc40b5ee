import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { vector } from "../../../components/logging/collectors/vector/index.ts";
import { findProgram, whyMissing } from "../../support/collectors/program.ts";
import type { LocalCollector } from "../../support/collectors/sandbox.ts";
import { kubeconfig } from "../cluster-api.ts";
import { startApi } from "./api.ts";

/** Vector reads `/var/log/pods` and no other folder: in a mount namespace of its own the sandbox's stands there. */
const WRAPPER = `#!/bin/sh
exec unshare --mount sh -c 'mount -t tmpfs none /var/log && mkdir /var/log/pods && mount --bind "$1" /var/log/pods && shift && exec "$@"' \\
  sh "$(dirname "$(dirname "$2")")/pods" "$VECTOR" "$@"
`;

export interface LocalVector extends LocalCollector {
  stop(): void;
}

/** Why a test is left out. */
export function whyNoVector(): string {
  return findProgram("vector") === undefined ? whyMissing("vector") : "no right to a mount namespace";
}

/**
 * Vector of this machine; undefined where there is none, or where it cannot be shown a folder as another.
 * @param labels Those of all pods.
 */
export async function localVector(labels?: Readonly<Record<string, string>>): Promise<LocalVector | undefined> {
  const program = findProgram("vector");
  if (program === undefined || spawnSync("unshare", ["--mount", "true"]).status !== 0) return undefined;
  const api = await startApi(labels);
  const folder = mkdtempSync(join(tmpdir(), "vector-program-"));
  const wrapper = join(folder, "vector");
  writeFileSync(wrapper, WRAPPER.replace("$VECTOR", program), { mode: 0o755 });
  return {
    collector: vector,
    program: wrapper,
    adapt: (text, { receiverPort, token }) => {
      const sandbox = dirname(token);
      const file = join(sandbox, "kubeconfig");
      writeFileSync(file, kubeconfig(api.url(basename(sandbox))));
      return (
        text
          .replaceAll(join(sandbox, "pods"), "/var/log/pods")
          .replaceAll("/var/log/app", join(sandbox, "app"))
          .replaceAll("/var/log/collected", join(sandbox, "collected"))
          .replace(
            "type: kubernetes_logs\n",
            `type: kubernetes_logs\n    self_node_name: node\n    kube_config_file: ${file}\n`,
          )
          // A batch of S3 waits five minutes for more.
          .replace("timeout_secs: 300", "timeout_secs: 1")
          .replace("0.0.0.0:9598", "127.0.0.1:0")
          .replace(
            /type: (aws_cloudwatch_logs|aws_s3)\n/,
            (found) => `${found}    endpoint: http://127.0.0.1:${receiverPort}\n`,
          )
      );
    },
    stop: () => {
      api.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
