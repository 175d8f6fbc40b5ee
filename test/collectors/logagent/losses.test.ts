import assert from "node:assert/strict";
import { dirname } from "node:path";
import { answering, killed } from "../../support/collectors/events.ts";
import { seconds, type Trial } from "../../support/collectors/losses.ts";
import { whyMissing } from "../../support/collectors/program.ts";
import type { LocalCollector } from "../../support/collectors/sandbox.ts";
import { suiteCollector } from "../../support/collectors/suite-collector.ts";
import { localLogagent } from "./local.ts";

/** MB/s of all containers together. */
const RATE = Number(process.env.LOG_RATE ?? 5);

const logagent = suiteCollector(localLogagent, () => whyMissing("logagent"));

const USUAL: Trial = { quietSeconds: 40, write: { files: 10, bytesPerSecond: RATE * 1e6, seconds: 10 } };

const run = logagent.trials(USUAL);

/** As a sidecar, where the writer's files stand for the application's. */
function asSidecar(logagent: LocalCollector): LocalCollector {
  return {
    ...logagent,
    adapt: (text, place) =>
      logagent.adapt(text, place).replace(/folder: .*\/app\n/, `folder: ${appFolder(place.token)}\n`),
  };
}

function appFolder(token: string): string {
  return `${dirname(token)}/pods/ts-team_curl-ts_95c1ec06-0000-0000-0000-000000000000/load0`;
}

describe(`Logagent loses nothing at ${RATE} MB/s, in special cases`, () => {
  logagent.use();

  it("with ten files rotated meanwhile", async () => {
    const { lost, stats } = await run({ write: { seconds: 150 / RATE } });
    assert.deepEqual([lost, stats.doubled, stats.repeated], [0, 0, 0]);
  });

  it("except records that an HTTP server rejects permanently, which delay no other", async () => {
    const settings = (port: number) => ({ destination: { kind: "http", url: `http://127.0.0.1:${port}/in` } });
    const { lost, stats } = await run({ settings, write: { poisonEvery: 500, bytesPerSecond: 1e6 } });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  it("killed and restarted as a sidecar", async () => {
    const { lost, stats } = await run(
      {
        settings: (port) => ({
          mode: "sidecar",
          destination: { kind: "opensearch", host: "127.0.0.1", port, tls: false },
        }),
        write: { files: 1, seconds: 8 / RATE },
        meanwhile: killed(4 / RATE),
      },
      asSidecar(logagent.found()),
    );
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  it("with a full buffer that stops it, within what the kubelet keeps", async () => {
    const { lost, stats } = await run({
      settings: (port) => ({
        buffer: { size: "16Mi", whenFull: "block" },
        destination: { kind: "opensearch", host: "127.0.0.1", port, tls: false },
      }),
      meanwhile: answering("away", { after: 0, during: 12 }),
    });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });
});

describe("Logagent's full buffer", () => {
  logagent.use();

  it("drops the oldest lines, and nothing that comes after the outage", async () => {
    const { written, lost, stats } = await run({
      settings: (port) => ({
        buffer: { size: "16Mi", whenFull: "drop-oldest" },
        destination: { kind: "opensearch", host: "127.0.0.1", port, tls: false },
      }),
      meanwhile: async ({ set, write }) => {
        set("away");
        await seconds(10);
        set("take");
        // Until it tries again.
        await seconds(32);
        await write({ files: 1, firstFile: 50, bytesPerSecond: 2e5, seconds: 3 });
      },
    });
    assert.ok(lost > 0 && lost < written, `${lost} of ${written}`);
    assert.equal(stats.doubled, 0);
    assert.ok((stats.files[50] ?? 0) > 1500, `${stats.files[50]} of the lines afterwards`);
  });
});
