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

  it("shows only the beginning of a long value, and both ends of a long list", () => {
    const long = "a".repeat(5000);
    const cut = `${"a".repeat(77)}…`;
    assert.equal(sentenceOf({ block: [long], subject: long, problem: `has ${long}` }), `${cut}: ${cut}: has ${cut}`);
    const listed = sentenceOf({ subject: "x", problem: `asks ${"10.0.0.1 ".repeat(200)}for names`, advice: long });
    assert.match(listed, /^x: asks 10\.0\.0\.1 .{300,400} for names; a{77}…$/);
  });

  it("is no longer than a few lines, whatever the Corefile has", () => {
    const [name, words] = [`${"a.".repeat(120)}example`, "word ".repeat(2000)];
    const lines = [
      `forward ${name} ${"10.0.0.1 10.96.0.10 ".repeat(500)}`,
      `forward . ${"x".repeat(5000)}`,
      `rewrite name regex ${"(".repeat(3000)} b`,
      `rewrite name exact ${"b".repeat(3000)} ${"c".repeat(3000)}`,
      `kubernetes ${"cluster.local ".repeat(200)} {\nfallthrough ${"a.example ".repeat(200)}\n}`,
      `log . "${words}"`,
      `template IN A ${`${name} `.repeat(50)} {\nmatch ${"a".repeat(4000)}\nanswer "${words}"\n}`,
      `acl {\nblock type ${"A ".repeat(2000)}net *\n}`,
      `${"p".repeat(5000)} ${words}`,
      `errors ${"q".repeat(5000)}`,
      `import ${"r".repeat(5000)}`,
    ];
    const keys = Array.from({ length: 200 }, (_, index) => `zone${index}.example`).join(" ");
    for (const line of lines)
      for (const block of [".:53", keys]) {
        const { errors, warnings } = checkCorefile(`${block} {\n${line}\n}\n`, { coredns: [1, 14, 3] });
        const findings = [...errors, ...warnings];
        assert.ok(findings.length > 0, line.slice(0, 80));
        for (const finding of findings) assert.ok(finding.length < 1000, `${finding.length}: ${finding}`);
      }
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
