import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seconds, tryOut } from "../../support/collectors/losses.ts";
import { whyMissing } from "../../support/collectors/program.ts";
import { leaveOut } from "../../support/leave-out.ts";
import { type LocalFluentd, localFluentd } from "./local.ts";

/** A disk of its own for what Fluentd keeps, in a mount namespace that goes with it. */
const WRAPPER = `#!/bin/sh
folder=$(dirname "$(dirname "$3")")
exec unshare --mount sh -c 'mount -t tmpfs -o size=30m none "$1/state" && shift && exec "$@"' sh "$folder" "$FLUENTD" "$@"
`;

describe("Fluentd with its disk full", () => {
  const folder = mkdtempSync(join(tmpdir(), "fluentd-disk-"));
  let fluentd: LocalFluentd | undefined;

  before(async function () {
    fluentd = await localFluentd();
    if (fluentd === undefined) return leaveOut(this, whyMissing("fluentd"));
    if (spawnSync("unshare", ["--mount", "true"]).status !== 0) leaveOut(this, "no right to a mount namespace");
  });
  after(() => {
    fluentd?.stop();
    rmSync(folder, { recursive: true });
  });

  for (const whenFull of ["drop-oldest", "block"] as const) {
    it(`reads on when there is room again, new pods too, and loses nothing: ${whenFull}`, async () => {
      assert.ok(fluentd);
      const program = join(folder, "fluentd");
      writeFileSync(program, WRAPPER.replace("$FLUENTD", fluentd.program), { mode: 0o755 });
      const { lost, stats } = await tryOut(
        { ...fluentd, program },
        {
          settings: { buffer: { size: "128Mi", whenFull } },
          // Rotated twice: what is still read of a file is deleted meanwhile.
          write: { files: 3, seconds: 20, bytesPerSecond: 35e5 },
          onceItReads: true,
          meanwhile: async ({ set, write }) => {
            set("away");
            await seconds(16);
            await write({ files: 20, firstFile: 100, ownPods: true, bytesPerSecond: 2e5, seconds: 5 });
            await seconds(9);
            set("take");
          },
          quietSeconds: 40,
        },
      );
      assert.deepEqual([lost, stats.doubled], [0, 0]);
    });
  }
});
