import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import { ADDON_VERSIONS, parseAddonVersion } from "../../corefile/addon/index.ts";

/**
 * Records in `test/corefile/corpus/verdicts.json` whether each release of CoreDNS starts with each Corefile of the corpus.
 *
 *     node tools/coredns/verdicts.ts 1.12.4=/path/to/coredns 1.13.2=… 1.14.3=…
 *
 * What is recorded already stays; with ALL=1 in the environment every Corefile is run again.
 */
const FOLDER = new URL("../../test/corefile/corpus/", import.meta.url);

/**
 * Isolates CoreDNS like a pod of the add-on, in everything that its start depends on: its own network, in which each name of the Corefile
 * has an address, a token for the API server, and no other files. `unshare` needs root or user namespaces.
 */
const SANDBOX = `
set -e
ip link set lo up
mount --bind "$2" /etc/hosts
mount -t tmpfs none /run
mkdir -p /run/secrets/kubernetes.io/serviceaccount
echo token > /run/secrets/kubernetes.io/serviceaccount/token
exec env -i PATH=/bin HOSTNAME=coredns KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT=1 "$0" -conf "$1"
`;
const UNSHARE = process.getuid?.() === 0 ? ["-n", "-m"] : ["-r", "-n", "-m"];

function hostsFor(corefile: string): string {
  const words = corefile.split(/\s+/).map((word) => word.replace(/^[a-z0-9]+:\/\//, "").replace(/(:\d+|%.*)$/, ""));
  const names = new Set(words.filter((word) => /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+\.?$/i.test(word)));
  return ["127.0.0.1 localhost", ...[...names].map((name) => `192.0.2.1 ${name}`), ""].join("\n");
}

/** Timeout of a start; CoreDNS waits 5 s for the API server. */
const TIMEOUT_MS = 30_000;

/** Whether this machine can run CoreDNS in its own network. */
export function canSandbox(): boolean {
  return spawnSync("unshare", [...UNSHARE, "sh", "-c", "ip link set lo up && mount -t tmpfs none /run"]).status === 0;
}

/** CoreDNS's error for a Corefile; undefined if it starts. */
export async function complaint(binary: string, corefile: string): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "corefile-"));
  const file = join(folder, "Corefile");
  writeFileSync(file, corefile);
  const hosts = join(folder, "hosts");
  writeFileSync(hosts, hostsFor(corefile));
  const child = spawn("unshare", [...UNSHARE, "sh", "-c", SANDBOX, binary, file, hosts], {
    // Orders of certificates write files there.
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const late = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
  const ended = new Promise<string | undefined>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        // It prints its name once every server listens.
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

/** Verdicts of the releases on a Corefile: `y` if it starts, `n` if not. */
export interface Verdicts {
  readonly versions: readonly string[];
  readonly starts: Readonly<Record<string, string>>;
}

/** The Corefiles of the corpus: each line of lines.txt as the content of a block, with `|` for a line break, and those in files.txt. */
export function corpus(): readonly string[] {
  const lines = readFileSync(new URL("lines.txt", FOLDER), "utf8").split("\n").slice(0, -1);
  const files = readFileSync(new URL("files.txt", FOLDER), "utf8").split(/^----\n/m);
  return [...new Set([...lines.map((line) => inBlock(line)), ...files])];
}

/** The releases whose program the tests run: those in add-ons, and the newest. */
export function triedReleases(): readonly string[] {
  const { versions } = recorded();
  const ofAddons = Object.values(ADDON_VERSIONS).map((version) => parseAddonVersion(version)?.coredns.join("."));
  return versions.filter((version, index) => ofAddons.includes(version) || index === versions.length - 1);
}

export function inBlock(line: string): string {
  return `.:1053 {\n${line
    .split("|")
    .map((part) => `${part}\n`)
    .join("")}}\n`;
}

export function recorded(): Verdicts {
  return JSON.parse(readFileSync(new URL("verdicts.json", FOLDER), "utf8"));
}

const WIDTH = 24;

if (import.meta.main) {
  const binaries = process.argv.slice(2).map((word) => word.split("="));
  const texts = corpus();
  const before = process.env.ALL === undefined ? recorded().starts : {};
  const fresh = texts.filter((text) => before[text] === undefined);
  const starts: Record<string, string> = Object.fromEntries(texts.map((text) => [text, before[text] ?? ""]));
  for (const [, binary = ""] of binaries) {
    const said = await pLimit(WIDTH).map(fresh, (text) => complaint(binary, text));
    for (const [index, text] of fresh.entries()) starts[text] += said[index] === undefined ? "y" : "n";
  }
  const verdicts: Verdicts = { versions: binaries.map(([version = ""]) => version), starts };
  writeFileSync(new URL("verdicts.json", FOLDER), `${JSON.stringify(verdicts, null, 2)}\n`);
}
