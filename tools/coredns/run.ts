import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Puts CoreDNS where a pod of the add-on is, as far as its start depends on it: a network of its own, a token for the cluster's API,
 * and no other files. `unshare` needs root, or user namespaces.
 */
const SANDBOX = `
set -e
ip link set lo up
mount -t tmpfs none /run
mkdir -p /run/secrets/kubernetes.io/serviceaccount
echo token > /run/secrets/kubernetes.io/serviceaccount/token
exec env -i PATH=/bin HOSTNAME=coredns KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT=1 "$0" -conf "$1"
`;
const UNSHARE = process.getuid?.() === 0 ? ["-n", "-m"] : ["-r", "-n", "-m"];

/** CoreDNS waits 5 s for a cluster's API. What has not started after this never does. */
const TIMEOUT_MS = 30_000;

/** Whether this machine can run CoreDNS apart from its own network. */
export function canSandbox(): boolean {
  return spawnSync("unshare", [...UNSHARE, "sh", "-c", "ip link set lo up && mount -t tmpfs none /run"]).status === 0;
}

/** What CoreDNS says against a Corefile; undefined where it starts. */
export async function complaint(binary: string, corefile: string): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "corefile-"));
  const file = join(folder, "Corefile");
  writeFileSync(file, corefile);
  const child = spawn("unshare", [...UNSHARE, "sh", "-c", SANDBOX, binary, file], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const late = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
  const ended = new Promise<string | undefined>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        // It writes its name once every server listens.
        if (said.includes("\nCoreDNS-")) child.kill("SIGKILL");
      });
    child.on("close", () => resolve(said.includes("\nCoreDNS-") ? undefined : said.trim()));
  });
  try {
    return await ended;
  } finally {
    clearTimeout(late);
    await rm(folder, { recursive: true });
  }
}

/** Runs a task on each item, a number of them at a time. */
export async function each<T, R>(items: readonly T[], width: number, task: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await task(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}
