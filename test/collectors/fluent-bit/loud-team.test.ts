import assert from "node:assert/strict";
import { run, skipWithoutFluentBit } from "./local.ts";

/** MB/s of the loud team, 40 for the figures of docs/measurements/log-delivery.md, and seconds of writing. */
const RATE = Number(process.env.LOUD_RATE ?? 5);
const SECONDS = Number(process.env.LOUD_SECONDS ?? 10);
const LINE_BYTES = Number(process.env.LOUD_LINE_BYTES ?? 290);
/** Number of the other team's first file. */
const QUIET = 50;
/** As the kubelet looks at the files: at each write, ten files at this rate would be gone twice in five seconds. */
const ROTATION = { rotationSeconds: 10 };

describe(`Fluent Bit with one team at ${RATE} MB/s beside another`, () => {
  before(skipWithoutFluentBit);

  it("loses no line of either, and delivers the other's in time", async function () {
    this.timeout((SECONDS + 300) * 1000);
    const { lost, stats } = await run({
      write: { files: 10, bytesPerSecond: RATE * 1e6, seconds: SECONDS, lineBytes: LINE_BYTES, ...ROTATION },
      meanwhile: async ({ write }) => {
        await write({
          namespace: "sa-team",
          firstFile: QUIET,
          files: 4,
          bytesPerSecond: 1e5,
          seconds: SECONDS,
          lineBytes: LINE_BYTES,
          ...ROTATION,
        });
      },
      quietSeconds: 30,
    });
    const late = (quiet: boolean) =>
      Math.max(
        ...Object.entries(stats.fileLateSeconds).flatMap(([file, seconds]) =>
          Number(file) >= QUIET === quiet ? [seconds] : [],
        ),
      );
    process.stdout.write(`        loud ${late(false)} s late, the other ${late(true)} s\n`);
    assert.equal(lost, 0);
    // A machine that is busy with others is late without a loud team too.
    if (RATE >= 40) assert.ok(late(true) < 5, `${late(true)} s late`);
  });
});
