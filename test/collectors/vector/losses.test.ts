import assert from "node:assert/strict";
import { dirname } from "node:path";
import { answering, killed } from "../../support/collectors/events.ts";
import { searchEngine, seconds, type Trial, type TrialChanges } from "../../support/collectors/losses.ts";
import type { LocalCollector } from "../../support/collectors/sandbox.ts";
import { suiteCollector } from "../../support/collectors/suite-collector.ts";
import { localVector, whyNoVector } from "./local.ts";

/** MB/s of all containers together: little, for builds of Vector without optimisation. */
const RATE = Number(process.env.LOG_RATE ?? 1);
/** Lines that wait for the next one, which may continue them: one of each file. */
const FILES = 10;

const vector = suiteCollector(localVector, whyNoVector);

const USUAL: Trial = {
  quietSeconds: 40,
  settings: { buffer: { whenFull: "block" } },
  write: { files: FILES, bytesPerSecond: RATE * 1e6, seconds: 10 },
};

const run = vector.trials(USUAL);

describe(`Vector loses nothing at ${RATE} MB/s, in special cases`, () => {
  vector.use();

  const others = {
    http: (port: number) => ({ kind: "http", url: `http://127.0.0.1:${port}/in` }),
    s3: () => ({ kind: "s3" }),
  };
  for (const [kind, destination] of Object.entries(others)) {
    it(`with access to ${kind} denied for a while, without ids`, async () => {
      const { lost, stats } = await run({
        settings: (port) => ({ destination: destination(port) }),
        meanwhile: answering("denied", { after: 2, during: 6 }),
      });
      assert.deepEqual([lost, stats.doubled], [0, 0]);
    });
  }

  /** Some whose sinks have no option that sends again what is refused with 403; docs/reference/collectors.md says so. */
  const dropping = {
    opensearch: searchEngine("opensearch"),
    splunk: (port: number) => ({
      destination: { kind: "splunk", url: `https://127.0.0.1:${port}`, token: { secretName: "splunk" } },
    }),
    cloudwatch: () => ({ destination: { kind: "cloudwatch" } }),
  };
  for (const [kind, settings] of Object.entries(dropping))
    it(`except what it sends to ${kind} with access denied`, async () => {
      const local = vector.found();
      const plain: LocalCollector = {
        ...local,
        adapt: (text, place) => local.adapt(text, place).replace("https://127.0.0.1", "http://127.0.0.1"),
      };
      const changes: TrialChanges = {
        settings,
        write: { seconds: 30 },
        // Not before it sends: what it has not sent yet is not lost.
        meanwhile: async ({ receiver, set }) => {
          for (let wait = 0; wait < 240 && (await receiver.stats()).records === 0; wait += 1) await seconds(0.25);
          set("denied");
          await seconds(10);
          set("take");
        },
      };
      const { written, lost, stats } = await run(changes, plain);
      assert.ok(lost > 0 && lost < written, `${lost} of ${written} lost`);
      assert.equal(stats.unique, written - lost);
    });

  it("killed and restarted as a sidecar, whose source uses acknowledgements", async () => {
    const local = vector.found();
    // The writer's files stand for the application's.
    const sidecar: LocalCollector = {
      ...local,
      adapt: (text, place) =>
        local.adapt(text, place).replace(/include:\n.*\n/, `include: ["${dirname(place.token)}/pods/*/*/*.log"]\n`),
    };
    const { lost } = await run(
      {
        settings: { mode: "sidecar" },
        meanwhile: killed(4),
      },
      sidecar,
    );
    // Read again, a line has another time and so another id: it may stand twice.
    assert.equal(lost, 0);
  });
});
