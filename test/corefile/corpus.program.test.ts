import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import pLimit from "p-limit";
import { canSandbox, complaint, inBlock, recorded, triedReleases } from "../../tools/coredns/verdicts.ts";
import { leaveOut } from "../support/leave-out.ts";
import { JUDGED_LINES } from "./judged-lines.ts";

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
  const binaryOf = (version: string) => join(process.env.COREDNS_BINARIES ?? "", `coredns-${version}`);
  const lackOf = (version: string) => {
    if (process.env.COREDNS_BINARIES === undefined || !existsSync(binaryOf(version)))
      return `COREDNS_BINARIES names no folder with coredns-${version}`;
    return canSandbox() ? undefined : "unshare cannot make a network of its own here";
  };

  it("starts and stops CoreDNS 1.15.0 with its options as stated", async function () {
    const lack = lackOf("1.15.0");
    if (lack !== undefined) return leaveOut(this, lack);
    const said = await pLimit(WIDTH).map([...JUDGED_LINES], ([line]) => complaint(binaryOf("1.15.0"), inBlock(line)));
    const wrong = JUDGED_LINES.filter(([, verdict], at) => (said[at] === undefined ? "y" : "n") !== verdict);
    assert.deepEqual(wrong, []);
  });

  for (const version of triedReleases()) {
    const index = versions.indexOf(version);
    it(`starts and stops CoreDNS ${version} as recorded`, async function () {
      const lack = lackOf(version);
      if (lack !== undefined) return leaveOut(this, lack);
      const all = Object.entries(starts);
      const cases = process.env.ALL_CASES === undefined ? all.filter((_, at) => at % SHARE === 0) : all;
      const said = await pLimit(WIDTH).map(cases, ([text]) => complaint(binaryOf(version), text));
      const wrong = cases.filter(([, verdict], at) => (said[at] === undefined ? "y" : "n") !== verdict[index]);
      assert.deepEqual(wrong, []);
      // biome-ignore lint/suspicious/noConsole: the whole run tells its counts.
      console.log(`      ${cases.length} of ${all.length} Corefiles`);
    });
  }
});
