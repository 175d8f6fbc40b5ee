import assert from "node:assert/strict";
import { type Outcome, seconds, type Trial, tryOut } from "../support/collectors/losses.ts";
import { whyMissing } from "../support/collectors/program.ts";
import { localFluentBit } from "./fluent-bit-local.ts";

/** MB/s of all containers together; docs/logging.md has the figures at 40. */
const RATE = Number(process.env.LOG_RATE ?? 10);
const local = localFluentBit();

async function run(
  trial: Omit<Trial, "write"> & { readonly seconds?: number; readonly poisonEvery?: number },
): Promise<Outcome> {
  assert.ok(local);
  const { seconds: duration = 10, poisonEvery, ...rest } = trial;
  const outcome = await tryOut(local, {
    ...rest,
    write: {
      files: 10,
      bytesPerSecond: RATE * 1e6,
      seconds: duration,
      ...(poisonEvery === undefined ? {} : { poisonEvery }),
    },
  });
  const { written, lost, stats } = outcome;
  process.stdout.write(
    `        ${written} written, ${lost} lost, ${stats.repeated} repeated by id, ${stats.doubled} doubled, ${stats.requests} requests\n`,
  );
  return outcome;
}

describe(`Fluent Bit loses nothing at ${RATE} MB/s`, () => {
  before(function () {
    if (local === undefined) {
      process.stdout.write(`      ${whyMissing("fluent-bit")}\n`);
      this.skip();
    }
  });

  it("with files rotated under it", async () => {
    const { lost, stats } = await run({});
    assert.deepEqual([lost, stats.doubled, stats.repeated], [0, 0, 0]);
  });

  it("with an index for each app, by a script", async () => {
    const { lost, stats } = await run({ settings: { index: { splitBy: "app" } } });
    assert.deepEqual([lost, stats.doubled, stats.repeated], [0, 0, 0]);
    assert.match(Object.keys(stats.places).join(), /^logs-curl-\d{4}\.\d\d\.\d\d$/);
  });

  it("with the destination away for a while", async () => {
    const { lost, stats } = await run({
      seconds: 20,
      meanwhile: async ({ set }) => {
        await seconds(3);
        set("away");
        await seconds(12);
        set("take");
      },
      quietSeconds: 35,
    });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  for (const mode of ["busy", "failing"] as const) {
    it(`with the destination ${mode}`, async () => {
      const { lost, stats } = await run({
        meanwhile: async ({ set }) => {
          set(mode);
          await seconds(5);
          set("take");
        },
        quietSeconds: 35,
      });
      assert.deepEqual([lost, stats.doubled], [0, 0]);
    });
  }

  it("with a part of the documents refused for now", async () => {
    const { lost, stats } = await run({
      meanwhile: async ({ set }) => {
        set("partial");
        await seconds(6);
        set("take");
      },
      quietSeconds: 35,
    });
    // A chunk is sent again whole; its documents have their ids.
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  it("stopped and started again", async () => {
    const { lost, stats } = await run({
      meanwhile: async ({ restart }) => seconds(4).then(() => restart("SIGTERM", 2)),
    });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  it("killed and started again", async () => {
    const { lost, stats } = await run({ meanwhile: async ({ restart }) => seconds(4).then(() => restart("SIGKILL")) });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  it("stopped while the destination is away", async () => {
    const { lost, stats } = await run({
      meanwhile: async ({ set, restart }) => {
        await seconds(2);
        set("away");
        await seconds(3);
        await restart("SIGTERM", 2);
        set("take");
      },
      quietSeconds: 35,
    });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });
});
