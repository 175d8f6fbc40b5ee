import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fluentBit } from "../../../components/logging/collectors/fluent-bit/index.ts";
import { amount } from "../../../components/schema/values.ts";
import { SEARCH_ENGINES, searchEngine, seconds } from "../../support/collectors/losses.ts";
import { inParts, peakMemory, waitingBytes } from "../../support/collectors/measures.ts";
import { run, skipWithoutFluentBit } from "./local.ts";

const MIB = 2 ** 20;

describe("Fluent Bit at its limits", () => {
  before(skipWithoutFluentBit);

  it("drops the oldest lines when its buffer is full, keeps to its size, and recovers", async () => {
    let waiting = 0;
    let later = 0;
    const { lost, stats } = await run({
      settings: { buffer: { size: "64Mi", whenFull: "drop-oldest" } },
      write: { seconds: 8, bytesPerSecond: 10e6 },
      meanwhile: async ({ set, sandbox, write }) => {
        set("away");
        // All is read by then, beside other work too: while it still reads what is old, it drops what is new as well.
        await seconds(20);
        waiting = waitingBytes(sandbox.state);
        set("take");
        later = (await write({ files: 10, firstFile: 100, bytesPerSecond: 2e6, seconds: 4 })).lines;
      },
      quietSeconds: 20,
    });
    assert.ok(waiting > 40 * MIB && waiting < 80 * MIB, `${waiting} bytes waited`);
    // What was written once it was back is all there, and of what was written before the latest.
    const came = (from: number) =>
      Object.entries(stats.files).reduce((sum, [file, lines]) => sum + (Number(file) >= from ? lines : 0), 0);
    assert.equal(came(100), later);
    assert.ok(lost > 0 && came(0) - later > 50_000, `${came(0) - later} of those before`);
    assert.equal(stats.doubled, 0);
  });

  it("stops reading when its buffer is full, and loses nothing that the kubelet still has", async () => {
    let waiting = 0;
    const { lost, stats } = await run({
      settings: { buffer: { size: "64Mi", whenFull: "block" } },
      write: { seconds: 8, bytesPerSecond: 10e6 },
      meanwhile: async ({ set, sandbox }) => {
        set("away");
        await seconds(9);
        waiting = waitingBytes(sandbox.state);
        set("take");
      },
      quietSeconds: 35,
    });
    assert.ok(waiting > 40 * MIB && waiting < 100 * MIB, `${waiting} bytes waited`);
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  it("delivers all documents except those that are always rejected, gives these up, and has room again", async () => {
    let waiting = Number.NaN;
    let requests = 0;
    const { lost, stats } = await run({
      write: { bytesPerSecond: 2e6, seconds: 6, poisonEvery: 500 },
      // Three tries in place of fifty.
      hasten: (configuration) => configuration.replace("retry_limit: 50", "retry_limit: 3"),
      meanwhile: async ({ sandbox, receiver, write }) => {
        await seconds(6);
        // Chunks without a refused document are not held up by those that are tried again.
        const before = Date.now();
        await write({ files: 1, firstFile: 100, bytesPerSecond: 1e5, seconds: 2 });
        while ((await receiver.stats()).files[100] === undefined) await seconds(0.1);
        assert.ok(Date.now() - before < 5000);
        await seconds(25);
        waiting = readdirSync(join(sandbox.state, "buffer", "tail.0")).length;
        requests = (await receiver.stats()).requests;
        await seconds(3);
      },
      quietSeconds: 1,
    });
    assert.equal(lost, 0);
    assert.equal(stats.doubled, 0);
    assert.deepEqual([waiting, stats.requests], [0, requests]);
  });

  for (const kind of SEARCH_ENGINES) {
    it(`parses the answer of ${kind} to a chunk of short lines that already exist, and does not resend it`, async () => {
      let waiting = Number.NaN;
      await run({
        settings: searchEngine(kind),
        write: { files: 1, bytesPerSecond: 1000, seconds: 1 },
        // Nothing is known of the pod, so that the records are as short as they get.
        hasten: (configuration) => configuration.replaceAll(/kube_url: .*/g, "kube_url: http://127.0.0.1:9"),
        meanwhile: async ({ sandbox, set }) => {
          set("forgetful");
          const time = new Date().toISOString().slice(0, -1);
          const lines = Array.from(
            { length: 60_000 },
            (_, at) => `${time}${String(at).padStart(6, "0")}Z stdout F f1 s${at} `,
          );
          sandbox.write({ namespace: "sa-team", pod: "curl-sa", container: "curl" }, lines);
          await seconds(4);
          set("take");
          await seconds(8);
          waiting = readdirSync(join(sandbox.state, "buffer", "tail.0")).length;
        },
        quietSeconds: 1,
      });
      assert.equal(waiting, 0);
    });
  }

  it("drops only the chunk that an HTTP server rejects", async () => {
    const { stats } = await run({
      settings: (port) => ({ destination: { kind: "http", url: `http://127.0.0.1:${port}/lines` } }),
      write: { files: 5, bytesPerSecond: 1e6, seconds: 5 },
      meanwhile: async ({ write }) => {
        await write({ files: 1, firstFile: 100, bytesPerSecond: 1e5, seconds: 4, poisonEvery: 10 });
      },
      quietSeconds: 4,
    });
    assert.equal(stats.files[100], undefined);
    const lines = [0, 1, 2, 3, 4].map((file) => stats.files[file] ?? 0);
    assert.ok(Math.min(...lines) > 3000 && new Set(lines).size === 1, lines.join());
    assert.equal(stats.doubled, 0);
  });

  it("reads what was written while it was stopped, within its memory limit", async () => {
    let peak: number | undefined;
    const { lost, stats } = await run({
      write: { files: 1, bytesPerSecond: 3000, seconds: 1 },
      meanwhile: async ({ restart, write, receiver, pid }) => {
        const [{ lines }] = await Promise.all([
          write({ files: 25, firstFile: 100, ownPods: true, bytesPerSecond: 112e6, seconds: 2 }),
          restart("SIGTERM", 5),
        ]);
        const started = Date.now();
        await receiver.settled(lines, 20);
        const rate = Math.round(225 / ((Date.now() - started) / 1000));
        peak = peakMemory(pid());
        process.stdout.write(`        ${rate} MB/s, ${Math.round((peak ?? Number.NaN) / 1e6)} MB of memory at most\n`);
      },
    });
    assert.ok(peak === undefined || peak < amount(fluentBit.resources.memoryLimit), `${peak} bytes`);
    assert.deepEqual([lost, stats.doubled, stats.repeated], [0, 0, 0]);
  });

  it("joins lines of 1 and 3 MiB, and continues after one that the runtime did not split", async () => {
    const long = [MIB, 3 * MIB].map((size) => "y".repeat(size));
    const came = new Map<string, string>();
    await run({
      write: { files: 1, bytesPerSecond: 3000, seconds: 4 },
      meanwhile: async ({ sandbox, receiver }) => {
        const place = { namespace: "sa-team", pod: "curl-sa", container: "curl" };
        sandbox.write(place, [...long, "after the parts"].flatMap(inParts));
        const undivided = `${inParts("z").join("")}${"z".repeat(3 * MIB)}`;
        sandbox.write({ ...place, container: "whole" }, [undivided, ...inParts("after the whole")]);
        await seconds(5);
        for (const { json } of await receiver.kept()) {
          const record: { log: string; kubernetes: { container_name: string } } = JSON.parse(json);
          came.set(record.log, record.kubernetes.container_name);
        }
      },
    });
    assert.deepEqual(
      [...long, "after the parts", "after the whole"].map((line) => came.get(line)),
      ["curl", "curl", "curl", "whole"],
    );
    assert.ok(![...came.keys()].some((line) => line.includes("zzz")));
  });
});
