import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { seconds } from "../../support/collectors/losses.ts";
import { whyMissing } from "../../support/collectors/program.ts";
import { Receiver } from "../../support/collectors/receiver.ts";
import { Sandbox } from "../../support/collectors/sandbox.ts";
import { suiteCollector } from "../../support/collectors/suite-collector.ts";
import { line, POD, records } from "../curl-pod.ts";
import { localFluentd } from "./local.ts";

const COUNT = 500;
const NOISE = Array.from({ length: COUNT }, (_, at) => line(at % 60, `stdout F noise ${at}`));

/** What a configuration of Fluentd could take for its own, as a pattern, a line and a replacement. */
const ODD = { pattern: "'\\\\#\\{é\\}\\$\\{y\\} # \"𝄞", text: `'\\#{é}\${y} # "𝄞`, replacement: "it's #{x} # é𝄞" };

/** How far files are read, in bytes. */
function positions(sandbox: Sandbox): number[] {
  const file = join(sandbox.state, "positions");
  if (!existsSync(file)) return [];
  const entries = readFileSync(file, "latin1").trim().split("\n");
  return entries.map((entry) => Number.parseInt(entry.split("\t")[1] ?? "0", 16)).filter(Number.isInteger);
}

describe("A line that Fluentd drops", () => {
  const fluentd = suiteCollector(localFluentd, () => whyMissing("fluentd"));
  fluentd.use();

  it("counts as read, even while a multi-line record waits for more, and is not read again", async () => {
    const receiver = await Receiver.start({ keep: 2 * COUNT });
    const settings = {
      destination: { kind: "opensearch", host: "127.0.0.1", port: receiver.port, tls: false },
      processing: {
        redact: [{ pattern: ODD.pattern, replacement: ODD.replacement }],
        drop: [{ pattern: "noise" }],
        firstLines: [{ pattern: "^noise|^kept" }],
      },
    };
    const sandbox = new Sandbox(fluentd.found(), settings, receiver.port);
    const size = NOISE.join("\n").length + 1;
    try {
      sandbox.write(POD, NOISE);
      const first = sandbox.start();
      for (let waited = 0; waited < 240 && !positions(sandbox).includes(size); waited += 1) await seconds(0.5);
      assert.deepEqual(positions(sandbox), [size]);
      await first.stop("SIGKILL");
      const last = line(59, `stdout F kept ${ODD.text}`);
      sandbox.write(POD, [last]);
      const second = sandbox.start();
      for (let waited = 0; waited < 240 && (await receiver.kept()).length === 0; waited += 1) await seconds(0.5);
      await second.stop();
      assert.deepEqual(
        records(await receiver.kept()).map(({ log }) => log),
        [`kept ${ODD.replacement}`],
      );
      assert.deepEqual(positions(sandbox), [size + Buffer.byteLength(last) + 1]);
    } finally {
      await receiver.stop();
      sandbox.remove();
    }
  });
});
