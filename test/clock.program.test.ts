import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { x } from "tinyexec";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** A program of this project, on another day. */
async function on(day: string, ...args: string[]) {
  const { exitCode, stdout, stderr } = await x(process.execPath, args, {
    nodeOptions: {
      cwd: ROOT,
      env: { ...process.env, CLOCK: day, NODE_OPTIONS: "--import ./test/support/clock.js", NO_COLOR: "1" },
    },
  });
  return { exitCode, stdout, stderr };
}

describe("a fresh clone on a later day", () => {
  for (const day of ["2027-03-28", "2027-08-03", "2029-01-31"])
    it(`plans both stacks: ${day}`, async () => {
      for (const stack of ["dev", "local"]) {
        const { exitCode, stdout, stderr } = await on(day, "lab/main.ts", "plan", "--stack", stack);
        assert.equal(exitCode, 0, stdout + stderr);
        assert.match(stdout, /none stops this plan/);
      }
    });

  it("is told in time that its version leaves standard support", async () => {
    const { stdout } = await on("2027-06-01", "lab/main.ts", "plan");
    assert.match(stdout, /violated, advisory: cluster-version-ending/);
    assert.match(stdout, /version is "1\.36", whose standard support ends on 2027-08-02, in 62 days/);
    assert.match(stdout, /^warning: .* looked up on 2026-11-28, 185 days ago: update eks-dns-logging$/m);
  });
});
