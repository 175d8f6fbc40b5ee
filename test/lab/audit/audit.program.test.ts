import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runLab } from "../../support/run-lab.ts";
import { live, SOUND_POD } from "./fixtures.ts";

describe("lab audit", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "audit-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("exits with 0 for sound manifests, and with 1 for a mandatory finding, which it writes in each form", async () => {
    const file = join(folder, "pod.json");
    await writeFile(file, JSON.stringify(live("v1", "Pod", "a", { spec: SOUND_POD })));
    const sound = await runLab(["audit", "--manifests", file]);
    assert.equal(sound.exitCode, 0, sound.stderr + sound.stdout);
    assert.match(sound.stdout, /: 0 mandatory, 0 advisory, 0 exempt in 1 object \(\d+ rules\)\n$/);

    await writeFile(file, JSON.stringify(live("v1", "Pod", "a", { spec: { ...SOUND_POD, hostPID: true } })));
    const [sarif, markdown] = [join(folder, "a.sarif"), join(folder, "a.md")];
    const bad = await runLab(["audit", "--manifests", file, "--json", "--sarif", sarif, "--markdown", markdown]);
    assert.equal(bad.exitCode, 1, bad.stderr);
    const { summary }: { summary: { mandatory: number } } = JSON.parse(bad.stdout);
    const { version, runs }: { version: string; runs: { results: unknown[] }[] } = JSON.parse(
      await readFile(sarif, "utf8"),
    );
    assert.deepEqual([summary.mandatory, version, runs[0]?.results.length], [1, "2.1.0", 1]);
    assert.match(await readFile(markdown, "utf8"), /pods-no-host-namespaces/);
  });

  it("exits with 2 and one line where nothing can be read", async () => {
    for (const [args, expected] of [
      [["--manifests", join(folder, "nothing")], /there is no file or folder/],
      [["--state", join(folder, "nothing")], /there is no file/],
      [["--kubeconfig", join(folder, "nothing")], /no kubeconfig at/],
      [["--state", "a", "--manifests", "b"], /cannot be used with/],
    ] satisfies [string[], RegExp][]) {
      const { exitCode, stderr } = await runLab(["audit", ...args]);
      assert.equal(exitCode, 2, args.join(" "));
      assert.match(stderr, expected);
    }
  });
});
