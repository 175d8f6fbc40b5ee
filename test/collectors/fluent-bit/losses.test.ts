import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { answering, killed } from "../../support/collectors/events.ts";
import { seconds } from "../../support/collectors/losses.ts";
import { RATE, run, skipWithoutFluentBit, withShortUploads } from "./local.ts";

describe(`Fluent Bit loses nothing at ${RATE} MB/s, in special cases`, () => {
  before(skipWithoutFluentBit);

  it("with an index for each app, by a script", async () => {
    const { lost, stats } = await run({ settings: { index: { splitBy: "app" } } });
    assert.deepEqual([lost, stats.doubled, stats.repeated], [0, 0, 0]);
    assert.match(Object.keys(stats.places).join(), /^logs-curl-\d{4}\.\d\d\.\d\d$/);
  });

  it("killed and restarted with an index for each app, whose ids a script sets", async () => {
    const { lost, stats } = await run({
      settings: { index: { splitBy: "app" } },
      write: { bytesPerSecond: (RATE * 1e6) / 2 },
      meanwhile: killed(4),
    });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  it("with S3 down for longer than five retries", async () => {
    const { lost } = await run({
      settings: { destination: { kind: "s3" } },
      write: { files: 2, bytesPerSecond: 1e5, seconds: 4 },
      hasten: withShortUploads,
      meanwhile: answering("failing", { after: 0, during: 40 }),
      quietSeconds: 30,
    });
    assert.equal(lost, 0);
  });

  it("restarted with another index format, under both names", async () => {
    const { lost, stats } = await run({
      meanwhile: async ({ sandbox, restart }) => {
        await seconds(5);
        const file = join(sandbox.folder, "config", "fluent-bit.yaml");
        writeFileSync(file, readFileSync(file, "utf8").replace("logstash_prefix: logs\n", "logstash_prefix: pods\n"));
        await restart("SIGTERM", 2);
      },
    });
    // A line that was sent as it stopped, and not yet answered, comes under its id in the index of the new name too.
    assert.deepEqual([lost, stats.doubled], [0, 0]);
    assert.match(Object.keys(stats.places).join(), /^logs-\d{4}\.\d\d\.\d\d,pods-\d{4}\.\d\d\.\d\d$/);
  });

  it("with a hundred new pods at once, and their metadata", async () => {
    const { lost, stats } = await run({
      settings: { index: { splitBy: "app" } },
      write: { files: 100, ownPods: true },
    });
    assert.deepEqual([lost, stats.doubled, stats.repeated], [0, 0, 0]);
    assert.match(Object.keys(stats.places).join(), /^logs-curl-\d{4}\.\d\d\.\d\d$/);
  });
});
