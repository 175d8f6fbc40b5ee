import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Outcome, seconds, type Trial, tryOut } from "../../support/collectors/losses.ts";
import { whyMissing } from "../../support/collectors/program.ts";
import type { LocalCollector } from "../../support/collectors/sandbox.ts";
import { suiteCollector } from "../../support/collectors/suite-collector.ts";
import { localFluentd } from "./local.ts";

/** MB/s of all files together. */
const RATE = Number(process.env.LOG_RATE ?? 1);
const fluentd = suiteCollector(localFluentd, () => whyMissing("fluentd"));

/** Fluentd as a sidecar: the writer's files stand for the application's. */
async function run(trial: Omit<Trial, "write" | "settings"> & { readonly write?: object }): Promise<Outcome> {
  const local = fluentd.found();
  const sidecar: LocalCollector = {
    ...local,
    adapt: (text, place) => {
      const folder = dirname(place.token);
      return local.adapt(text, place).replace(join(folder, "app", "*.log"), join(folder, "pods", "*", "*", "*.log"));
    },
  };
  const write = { files: 3, bytesPerSecond: RATE * 1e6, seconds: 20, ...trial.write };
  return tryOut(sidecar, {
    quietSeconds: 30,
    ...trial,
    settings: (port: number) => ({
      mode: "sidecar",
      destination: { kind: "opensearch", host: "127.0.0.1", port, tls: false },
    }),
    write,
  });
}

describe("Fluentd as a sidecar", () => {
  fluentd.use();

  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    it(`loses nothing when its container ends by ${signal} three times and its pod stays`, async () => {
      const { lost } = await run({
        meanwhile: async ({ restart }) => {
          for (const pause of [5.3, 5.6, 5.9]) {
            await seconds(pause);
            await restart(signal);
          }
        },
      });
      assert.equal(lost, 0);
    });
  }

  for (const [what, bytesPerSecond] of [
    ["much", RATE * 1e6],
    ["little", 3000],
  ] as const) {
    it(`flushes within two seconds when its pod ends: ${what} was written until then`, async () => {
      const { lost } = await run({
        write: { files: 1, seconds: 1 },
        quietSeconds: 5,
        meanwhile: async ({ pid, write }) => {
          await write({ files: 3, firstFile: 10, bytesPerSecond, seconds: 12 });
          const id = pid() ?? 0;
          process.kill(id, "SIGTERM");
          await seconds(2);
          if (existsSync(`/proc/${id}`)) process.kill(id, "SIGKILL");
        },
      });
      assert.equal(lost, 0);
    });
  }
});
