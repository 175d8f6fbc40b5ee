import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fluentd as collector } from "../../../components/logging/collectors/fluentd/index.ts";
import { amount } from "../../../components/schema/values.ts";
import { answering } from "../../support/collectors/events.ts";
import { FIRST_FILE, type Outcome, seconds, type Trial, tryOut } from "../../support/collectors/losses.ts";
import { inParts, peakMemory, waitingBytes } from "../../support/collectors/measures.ts";
import { whyMissing } from "../../support/collectors/program.ts";
import { REFUSALS } from "../../support/collectors/receiver.ts";
import { suiteCollector } from "../../support/collectors/suite-collector.ts";
import { localFluentd } from "./local.ts";

const MIB = 2 ** 20;
const POISON_EVERY = 10;
const fluentd = suiteCollector(localFluentd, () => whyMissing("fluentd"));

async function run(trial: Trial): Promise<Outcome> {
  return tryOut(fluentd.found(), { onceItReads: true, ...trial });
}

/** Waits until something is so, at most two minutes: a busy machine takes longer to fill a buffer. */
async function until(isSo: () => boolean): Promise<void> {
  for (let waited = 0; waited < 120 && !isSo(); waited += 1) await seconds(1);
}

describe("Fluentd at its limits", () => {
  fluentd.use();

  it("drops the oldest lines when its buffer is full, keeps to its size, and recovers", async () => {
    let waiting = 0;
    let later = 0;
    const { lost, stats } = await run({
      settings: { buffer: { size: "128Mi", whenFull: "drop-oldest" } },
      write: { files: 20, seconds: 10, bytesPerSecond: 10e6 },
      meanwhile: async ({ set, sandbox, write }) => {
        set("away");
        await until(() => readFileSync(sandbox.log, "utf8").includes("dropping oldest chunk"));
        waiting = waitingBytes(sandbox.state);
        set("take");
        later = (await write({ files: 10, firstFile: 100, bytesPerSecond: 1e6, seconds: 4 })).lines;
      },
      quietSeconds: 40,
    });
    assert.ok(waiting > 100 * MIB && waiting < 160 * MIB, `${waiting} bytes waited`);
    const came = (from: number) =>
      Object.entries(stats.files).reduce(
        (sum, [file, lines]) => sum + (Number(file) >= from && Number(file) < FIRST_FILE ? lines : 0),
        0,
      );
    assert.equal(came(100), later);
    assert.ok(lost > 0 && came(0) - later > 50_000, `${came(0) - later} of those before`);
    assert.equal(stats.doubled, 0);
  });

  it("stops reading when its buffer is full, and loses nothing that the kubelet still has, even if stopped meanwhile", async () => {
    let waiting = 0;
    const { lost, stats } = await run({
      settings: { buffer: { size: "128Mi", whenFull: "block" } },
      write: { files: 20, seconds: 10, bytesPerSecond: 10e6 },
      meanwhile: async ({ set, sandbox, restart }) => {
        set("away");
        await until(() => waitingBytes(sandbox.state) > 100 * MIB);
        await seconds(10);
        waiting = waitingBytes(sandbox.state);
        await restart("SIGTERM", 2);
        await seconds(5);
        set("take");
      },
      quietSeconds: 60,
    });
    assert.ok(waiting > 100 * MIB && waiting < 160 * MIB, `${waiting} bytes waited`);
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  it("truncates half a record that a kill left at the end of a chunk, and loses nothing of the chunk", async () => {
    const { lost, stats } = await run({
      write: { files: 2, bytesPerSecond: 2e5, seconds: 20 },
      meanwhile: async ({ set, restart, sandbox }) => {
        await seconds(6);
        set("away");
        await seconds(4);
        const again = restart("SIGKILL", 2);
        await seconds(1);
        const chunks = readdirSync(join(sandbox.state, "buffer")).filter((file) => file.endsWith(".log"));
        assert.ok(chunks.length > 0);
        // An array of two, and the beginning of the first.
        for (const file of chunks) appendFileSync(join(sandbox.state, "buffer", file), Buffer.from([0x92, 0xcf, 0]));
        await again;
        await seconds(4);
        set("take");
      },
      quietSeconds: 40,
    });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  it("drops only the chunk that an HTTP server rejects", async () => {
    const { stats } = await run({
      settings: (port: number) => ({ destination: { kind: "http", url: `http://127.0.0.1:${port}/lines` } }),
      write: { files: 5, bytesPerSecond: 5e5, seconds: 8 },
      meanwhile: async ({ write }) => {
        await write({ files: 1, firstFile: 100, bytesPerSecond: 1e5, seconds: 7, poisonEvery: POISON_EVERY });
      },
      quietSeconds: 10,
    });
    const lines = [0, 1, 2, 3, 4].map((file) => stats.files[file] ?? 0);
    assert.ok(Math.min(...lines) > 2000 && new Set(lines).size === 1, lines.join());
    // Those after the last that is refused may be in a chunk of their own.
    assert.ok((stats.files[100] ?? 0) < POISON_EVERY, `${stats.files[100]}`);
    assert.equal(stats.doubled, 0);
  });

  for (const mode of ["moved", "unauthorized"] as const)
    it(`sends again what an HTTP server answers with ${REFUSALS[mode]} for a while`, async () => {
      const { lost } = await run({
        settings: (port: number) => ({ destination: { kind: "http", url: `http://127.0.0.1:${port}/lines` } }),
        write: { files: 2, bytesPerSecond: 1e5, seconds: 10 },
        meanwhile: answering(mode, { after: 3, during: 5 }),
        quietSeconds: 20,
      });
      assert.equal(lost, 0);
    });

  it("reads what was written while it was stopped, within its memory limit", async () => {
    let peak: number | undefined;
    const { lost, stats } = await run({
      write: { files: 1, bytesPerSecond: 3000, seconds: 1 },
      meanwhile: async ({ restart, write, receiver, pid }) => {
        await seconds(8);
        const [{ lines }] = await Promise.all([
          write({ files: 25, firstFile: 100, ownPods: true, bytesPerSecond: 50e6, seconds: 2 }),
          restart("SIGTERM", 5),
        ]);
        const started = Date.now();
        await receiver.settled(lines, 30);
        peak = peakMemory(pid());
        const rate = (100 / ((Date.now() - started) / 1000)).toFixed(1);
        process.stdout.write(`        ${rate} MB/s, ${Math.round((peak ?? Number.NaN) / 1e6)} MB of memory at most\n`);
      },
    });
    assert.ok(peak === undefined || peak < amount(collector.resources.memoryLimit), `${peak} bytes`);
    assert.deepEqual([lost, stats.doubled, stats.repeated], [0, 0, 0]);
  });

  it("joins lines of 1 and 3 MiB, splits a longer one, and continues after one that the runtime did not split", async () => {
    const long = [MIB, 3 * MIB - 20_000].map((size) => "y".repeat(size));
    const came: string[] = [];
    await run({
      write: { files: 1, bytesPerSecond: 3000, seconds: 4 },
      meanwhile: async ({ sandbox, receiver }) => {
        await seconds(8);
        const place = { namespace: "sa-team", pod: "curl-sa", container: "curl" };
        sandbox.write(place, [...long, "w".repeat(5 * MIB), "after the parts"].flatMap(inParts));
        const undivided = `${inParts("z").join("")}${"z".repeat(3 * MIB)}`;
        sandbox.write({ ...place, container: "whole" }, [undivided, ...inParts("after the whole")]);

        const latin = join(sandbox.pods, "sa-team_curl-sa_95c1ec06-0000-0000-0000-000000000000", "latin");
        mkdirSync(latin);
        writeFileSync(join(latin, "0.log"), Buffer.from(`${inParts("caf\u00e9").join("")}\n`, "latin1"));
        await seconds(20);
        for (const { json } of await receiver.kept()) {
          const record: { log: string } = JSON.parse(json);
          came.push(record.log);
        }
      },
    });
    for (const line of [...long, "after the parts", "after the whole"])
      assert.ok(came.includes(line), line.slice(0, 20));
    const pieces = came.filter((line) => line.startsWith("www"));
    assert.equal(pieces.join("").length, 5 * MIB);
    assert.equal(pieces.length, 2);
    assert.ok(!came.some((line) => line.includes("zzz")));
  });
});
