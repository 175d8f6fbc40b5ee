import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type Corefile, type Plugin, renderCorefile } from "../../../corefile/model.ts";
import { isBefore, type Version, versionOf } from "../../../corefile/releases.ts";
import { leaveOut } from "../../support/leave-out.ts";

/** The real CoreDNS on this machine: COREDNS_BINARY, or `coredns` on the PATH; undefined where there is none. */
export const COREDNS: string | undefined = [process.env.COREDNS_BINARY, "coredns"].find(
  (program) => program !== undefined && program !== "" && spawnSync(program, ["-version"]).status === 0,
);

/** Its version; that of the add-ons where there is none. */
export const VERSION: Version = versionOf(
  /^CoreDNS-(\d+\.\d+\.\d+)/m.exec(
    spawnSync(COREDNS ?? "coredns", ["-version"], { encoding: "utf8" }).stdout ?? "",
  )?.[1] ?? "1.14.3",
);

/** Whether it is of that version or newer. */
export const since = (...version: Version): boolean => !isBefore(VERSION, version);

/** `describe`, left out with the reason where there is no CoreDNS, which is a Go program and nothing that npm installs. */
export function describeReal(title: string, suite: () => void): void {
  describe(title, () => {
    before(function () {
      if (COREDNS === undefined) leaveOut(this, "no program coredns on the PATH, and COREDNS_BINARY names none");
    });
    suite();
  });
}

/**
 * A block that CoreDNS refuses, and only after all plugins of all other blocks were set up, since `view` is among the last in its
 * order. So it stops before it opens a port or asks a cluster.
 */
const LAST_WORD = "last-word.invalid:53 {\n    view\n}\n";

/** What CoreDNS says against a Corefile; undefined where it would run it. */
export async function complaint(corefile: string): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "corefile-"));
  try {
    const file = join(folder, "Corefile");
    await writeFile(file, corefile + LAST_WORD);
    const child = spawn(COREDNS ?? "coredns", ["-conf", file, "-dns.port", "0"], { stdio: ["ignore", "pipe", "pipe"] });
    const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const said = `${out}${error}`.split("\n").filter((line) => line !== "" && !line.startsWith("maxprocs:"));
    const last = said.at(-1) ?? "";
    return last.startsWith("plugin/view: ") ? undefined : said.join("\n");
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What CoreDNS says against each of these lines, in a block of their own; some at a time. */
export async function complaints(lines: readonly string[]): Promise<(string | undefined)[]> {
  const said: (string | undefined)[] = [];
  const queue = lines.entries();
  const worker = async () => {
    for (const [index, line] of queue) said[index] = await complaint(`.:53 {\n${line}\n}\n`);
  };
  await Promise.all([worker(), worker(), worker()]);
  return said;
}

/** The lines that CoreDNS takes, of those that it should not. */
export async function taken(lines: readonly string[]): Promise<string[]> {
  const said = await complaints(lines);
  return lines.filter((_, index) => said[index] === undefined);
}

/** The same Corefile where there is no cluster: the kubernetes plugin is given an address where nobody answers. */
export function withoutCluster(corefile: Corefile, changes: (plugin: Plugin) => Plugin = (plugin) => plugin): string {
  const alone = (plugin: Plugin): Plugin =>
    plugin.plugin === "kubernetes"
      ? {
          ...plugin,
          more: [
            { name: "endpoint", args: ["http://127.0.0.1:1"] },
            { name: "startup_timeout", args: ["1ms"] },
          ],
        }
      : plugin;
  return renderCorefile({
    ...corefile,
    servers: corefile.servers.map((server) => ({
      ...server,
      plugins: server.plugins.map((plugin) => changes(alone(plugin))),
    })),
  });
}
