import assert from "node:assert/strict";
import { checkCorefile } from "../../corefile/checks/checker.ts";
import { sentenceOf } from "../../corefile/finding.ts";
import { RELEASES, versionOf } from "../../corefile/releases.ts";
import { corpus } from "../../tools/coredns/verdicts.ts";

describe("a finding in a Corefile", () => {
  const plugins = new Set(RELEASES.flatMap((release) => release.plugins.map(({ name }) => name)));
  /** A plugin with some of its words, or what else may be wrong. A plugin that no release has is followed by the reason alone. */
  const isSubject = (words: string) =>
    plugins.has(words.split(" ")[0] ?? "") || /^(zone|port|line|import|CoreDNS) \S|^Corefile$/.test(words);
  const isUnknown = (clause: string) => clause.startsWith("CoreDNS ") && clause.includes(" has no such plugin");

  it("is worded as block, subject, problem and advice", () => {
    const all = {
      block: [".:53", "corp.example"],
      subject: "forward .",
      problem: "is never used",
      advice: "leave it out",
    };
    assert.equal(sentenceOf(all), ".:53 corp.example: forward .: is never used; leave it out");
    assert.equal(sentenceOf({ subject: "reload", problem: "is missing" }), "reload: is missing");
  });

  it("begins with what has the problem, in every Corefile of the corpus", () => {
    const coredns = versionOf(RELEASES.at(-1)?.version ?? "");
    let count = 0;
    for (const text of corpus()) {
      const { errors, warnings } = checkCorefile(text, { coredns });
      for (const finding of [...errors, ...warnings]) {
        const parts = finding.split(": ");
        const fits = [0, 1].some((at) => isSubject(parts[at] ?? "") || isUnknown(parts[at + 1] ?? ""));
        assert.ok(fits, `${finding}\n${text}`);
        count += 1;
      }
    }
    assert.ok(count > 3000, String(count));
  });
});
