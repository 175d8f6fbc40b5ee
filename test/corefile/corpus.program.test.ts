import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import pLimit from "p-limit";
import { canSandbox, complaint, recorded, triedReleases } from "../../tools/coredns/verdicts.ts";
import { leaveOut } from "../support/leave-out.ts";

const WIDTH = 16;
/** Of those that start, a few: each takes a process, and one with the cluster's API five seconds. */
const SHARE = 8;

/**
 * COREDNS_BINARIES is a folder with `coredns-VERSION` for each release of an add-on and for the newest, as `.ci/run` makes it. ALL_CASES=1
 * runs every Corefile.
 */
describe("the corpus of Corefiles, by the real CoreDNS", function () {
  this.timeout(600_000);
  const { versions, starts } = recorded();
  for (const version of triedReleases()) {
    const index = versions.indexOf(version);
    it(`starts and stops CoreDNS ${version} as recorded`, async function () {
      const binary = join(process.env.COREDNS_BINARIES ?? "", `coredns-${version}`);
      if (process.env.COREDNS_BINARIES === undefined || !existsSync(binary))
        return leaveOut(this, `COREDNS_BINARIES names no folder with coredns-${version}`);
      if (!canSandbox()) return leaveOut(this, "unshare cannot make a network of its own here");
      const all = Object.entries(starts);
      const cases = process.env.ALL_CASES === undefined ? all.filter((_, at) => at % SHARE === 0) : all;
      const said = await pLimit(WIDTH).map(cases, ([text]) => complaint(binary, text));
      const wrong = cases.filter(([, verdict], at) => (said[at] === undefined ? "y" : "n") !== verdict[index]);
      assert.deepEqual(wrong, []);
      // biome-ignore lint/suspicious/noConsole: the whole run tells its counts.
      console.log(`      ${cases.length} of ${all.length} Corefiles`);
    });
  }
});
