import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { filebeat } from "../../../components/logging/collectors/filebeat/index.ts";
import { findProgram } from "../../support/collectors/program.ts";
import type { LocalCollector } from "../../support/collectors/sandbox.ts";
import { kubeconfig, startClusterApi } from "../cluster-api.ts";

/** Where the settings say that Elasticsearch is; the sandbox puts the receiver in its place. */
export const ELASTICSEARCH = { kind: "elasticsearch", host: "elasticsearch.test", tls: false };

/** Filebeat knows pods by the folder `/var/log/pods` and no other: in a mount namespace of its own the sandbox's stands there. */
const WRAPPER = `#!/bin/sh
exec unshare --mount sh -c 'mount -t tmpfs none /var/log && mkdir /var/log/pods && mount --bind "$1" /var/log/pods && shift && exec "$@"' \\
  sh "$(dirname "$(dirname "$3")")/pods" "$FILEBEAT" "$@"
`;

export interface LocalFilebeat extends LocalCollector {
  stop(): void;
}

/** Filebeat of this machine; undefined where there is none, or where it cannot be shown a folder as another. */
export async function localFilebeat(): Promise<LocalFilebeat | undefined> {
  const program = findProgram("filebeat");
  if (program === undefined || spawnSync("unshare", ["--mount", "true"]).status !== 0) return undefined;
  const api = await startClusterApi();
  const folder = mkdtempSync(join(tmpdir(), "filebeat-program-"));
  const wrapper = join(folder, "filebeat");
  writeFileSync(wrapper, WRAPPER.replace("$FILEBEAT", program), { mode: 0o755 });
  return {
    collector: filebeat,
    program: wrapper,
    adapt: (text, { receiverPort, token }) => {
      const sandbox = dirname(token);
      const file = join(sandbox, "kubeconfig");
      writeFileSync(file, kubeconfig(api.url(sandbox)));
      return text
        .replaceAll(join(sandbox, "pods"), "/var/log/pods")
        .replaceAll("/var/log/app", join(sandbox, "app"))
        .replace("add_kubernetes_metadata:\n", `add_kubernetes_metadata:\n      kube_config: ${file}\n`)
        .replace("http://elasticsearch.test:9200", `http://127.0.0.1:${receiverPort}`)
        .replace("host: 0.0.0.0\n  port: 5066", "host: 127.0.0.1\n  port: 0")
        .replace("http:\n  enabled: true", "http:\n  enabled: false");
    },
    stop: () => {
      api.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
