import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { seconds } from "../../support/collectors/losses.ts";
import { whyMissing } from "../../support/collectors/program.ts";
import { Receiver } from "../../support/collectors/receiver.ts";
import { Sandbox } from "../../support/collectors/sandbox.ts";
import { suiteCollector } from "../../support/collectors/suite-collector.ts";
import { localFluentd } from "./local.ts";

const PAD = "x".repeat(150);
/** Fluentd reads of a file 1 MB in a second, so that it has not read these to the end when they are deleted. */
const OLD = 3;
const OLD_LINES = 25_000;
const NEW_LINES = 30_000;

/**
 * Makes a file with the inode of one that was deleted. Some file systems give a number again at once, and some after minutes: there all
 * that was noted under the old number is noted under the new one.
 */
function makeWith([inode, ...others]: readonly number[], path: string, text: string, state: string): void {
  writeFileSync(path, text);
  const { ino } = statSync(path);
  if (inode === undefined || [inode, ...others].includes(ino)) return;
  const hexadecimal = (number: number) => number.toString(16).padStart(16, "0");
  for (const name of readdirSync(state).filter((file) => file.startsWith("positions"))) {
    const noted = readFileSync(join(state, name), "utf8");
    const moved = noted
      .replace(`\t${hexadecimal(inode)}\n`, `\t${hexadecimal(ino)}\n`)
      .replace(`"${inode}":`, `"${ino}":`);
    writeFileSync(join(state, name), moved);
  }
}

function lines(file: number, count: number): string {
  const line = (at: number) => `2026-02-01T10:00:00.${String(at).padStart(9, "0")}Z stdout F f${file} s${at} ${PAD}\n`;
  return Array.from({ length: count }, (_, at) => line(at)).join("");
}

const fluentd = suiteCollector(localFluentd, () => whyMissing("fluentd"));

/** Containers' files, a running Fluentd and what it sends to. */
async function withFluentd(
  count: number,
  body: (trial: {
    sandbox: Sandbox;
    receiver: Receiver;
    paths: string[];
    restart(between: () => void): Promise<void>;
  }) => Promise<void>,
): Promise<void> {
  const { graceSeconds } = fluentd.found().collector;
  const receiver = await Receiver.start();
  const destination = { kind: "opensearch", host: "127.0.0.1", port: receiver.port, tls: false };
  const sandbox = new Sandbox(fluentd.found(), { destination }, receiver.port);
  const paths = Array.from({ length: count }, (_, file) => {
    const folder = join(sandbox.pods, `ts-team_pod-${file}_95c1ec06-0000-0000-0000-000000000000`, "curl");
    mkdirSync(folder, { recursive: true });
    return join(folder, "0.log");
  });
  let running = sandbox.start();
  const restart = async (between: () => void) => {
    await running.stop("SIGTERM", graceSeconds);
    between();
    running = sandbox.start();
  };
  try {
    await body({ sandbox, receiver, paths, restart });
  } finally {
    await running.stop("SIGKILL");
    await receiver.stop();
    sandbox.remove();
  }
}

function remove(paths: readonly string[]): number[] {
  return paths.map((path) => {
    const { ino } = statSync(path);
    rmSync(path);
    return ino;
  });
}

describe("Fluentd distinguishes files", () => {
  fluentd.use();

  for (const early of [false, true]) {
    const when = early ? "while it still read that one" : "after it was stopped";
    it(`and reads from its beginning a new one with the inode of one that was deleted ${when}`, () =>
      withFluentd(OLD + 1, async ({ sandbox, receiver, paths, restart }) => {
        const old = paths.slice(0, OLD);
        for (const [file, path] of old.entries()) writeFileSync(path, lines(file, OLD_LINES));
        while ((await receiver.stats()).unique === 0) await seconds(0.1);
        const inodes = early ? remove(old) : [];
        await receiver.settled(OLD * OLD_LINES, 20);
        await seconds(3);
        await restart(() =>
          makeWith(early ? inodes : remove(old), paths[OLD] ?? "", lines(OLD, NEW_LINES), sandbox.state),
        );
        const { files, doubled } = await receiver.settled(OLD * OLD_LINES + NEW_LINES, 15);
        assert.deepEqual([Object.values(files), doubled], [[...old.map(() => OLD_LINES), NEW_LINES], 0]);
      }));
  }

  it("and reads a file once that is renamed during a scan", () =>
    withFluentd(4, async ({ receiver, paths }) => {
      for (const [file, path] of paths.entries()) writeFileSync(path, lines(file, 100));
      await receiver.settled(paths.length * 100, 30);
      const end = Date.now() + 40_000;
      for (let [from, to] = ["", ".20260201-100000"]; Date.now() < end; [from, to] = [to, from]) {
        for (const path of paths) renameSync(`${path}${from}`, `${path}${to}`);
        await seconds(0.001);
      }
      await seconds(5);
      const { unique, records } = await receiver.stats();
      assert.deepEqual([unique, records], [400, 400]);
    }));
});
