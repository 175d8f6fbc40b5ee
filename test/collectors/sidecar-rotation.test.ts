import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { APPLICATION_LOGS } from "../../components/logging/pipeline.ts";
import { FIRST_FILE, seconds } from "../support/collectors/losses.ts";
import { whyMissing } from "../support/collectors/program.ts";
import { Receiver } from "../support/collectors/receiver.ts";
import { type LocalCollector, Sandbox } from "../support/collectors/sandbox.ts";
import { leaveOut } from "../support/leave-out.ts";
import { localFluentBit } from "./fluent-bit/local.ts";
import { localFluentd } from "./fluentd/local.ts";
import { localLogagent } from "./logagent/local.ts";
import { ELASTICSEARCH, localOpenTelemetry } from "./opentelemetry/local.ts";

type Local = LocalCollector & { stop?(): void };

/** Vector and Filebeat are not among them: docs/explanation/delivery.md says why. */
const PROGRAMS: Readonly<Record<string, () => Promise<Local | undefined>>> = {
  "fluent-bit": async () => localFluentBit(),
  fluentd: localFluentd,
  logagent: localLogagent,
  otelcol: localOpenTelemetry,
};

const LINES = 3000;
const ROTATIONS = 7;
/** How often a file is written to before it is renamed. */
const STEPS = 20;

/** The same at the beginning of each file, and longer than what some readers tell files apart by. */
const BANNER = `${"=".repeat(1200)}\n`;

/**
 * Writes a banner and numbered lines to a file that is renamed every two seconds, over the one before: file systems give its inode again at
 * once.
 */
async function writeAndRotate(folder: string): Promise<number> {
  const file = join(folder, "app.log");
  let number = 0;
  for (let rotation = 0; rotation <= ROTATIONS; rotation++) {
    appendFileSync(file, BANNER);
    for (let step = 0; step < STEPS; step++) {
      const lines = Array.from({ length: LINES / STEPS }, () => `f1 s${number++} ${"x".repeat(70)}\n`);
      appendFileSync(file, lines.join(""));
      await seconds(2 / STEPS);
    }
    if (rotation < ROTATIONS) renameSync(file, `${file}.1`);
  }
  return number;
}

describe("A sidecar loses nothing of an application that keeps one old file", () => {
  for (const [program, find] of Object.entries(PROGRAMS)) {
    it(program, async function () {
      const local = await find();
      if (local === undefined) return leaveOut(this, whyMissing(program));
      const receiver = await Receiver.start();
      const appFolder = (token: string) => join(dirname(token), "app");
      const sidecar: LocalCollector = {
        ...local,
        adapt: (text, place) => local.adapt(text, place).replaceAll(APPLICATION_LOGS, appFolder(place.token)),
      };
      const destination =
        program === "otelcol"
          ? ELASTICSEARCH
          : { kind: "opensearch", host: "127.0.0.1", port: receiver.port, tls: false };
      const sandbox = new Sandbox(sidecar, { mode: "sidecar", destination }, receiver.port);
      mkdirSync(join(sandbox.folder, "app"));
      const collector = sandbox.start();
      try {
        const app = join(sandbox.folder, "app");
        // On a busy machine a collector may start so late that the first file has been renamed twice.
        appendFileSync(join(app, "first.log"), `f${FIRST_FILE} s0 first\n`);
        assert.equal((await receiver.settled(1, 60)).unique, 1);
        const written = 1 + (await writeAndRotate(app));
        const { unique, doubled } = await receiver.settled(written, 20);
        assert.deepEqual([written - unique, doubled], [0, 0]);
      } finally {
        await collector.stop("SIGKILL");
        await receiver.stop();
        sandbox.remove();
        local.stop?.();
      }
    });
  }
});
