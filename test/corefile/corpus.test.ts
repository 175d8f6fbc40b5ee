import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { RELEASES, versionOf } from "../../corefile/releases.ts";
import { SETUPS } from "../../corefile/setups/index.ts";
import { startOf } from "../../corefile/setups/starts.ts";
import { corpus, recorded, triedReleases } from "../../tools/coredns/verdicts.ts";

describe("the corpus of Corefiles", () => {
  const { versions, starts } = recorded();

  it("has verdicts of both kinds from every release for each of at least 300 Corefiles", () => {
    const texts = corpus();
    assert.ok(texts.length >= 300, String(texts.length));
    assert.deepEqual(Object.keys(starts).sort(), [...texts].sort());
    assert.deepEqual(
      versions,
      RELEASES.map(({ version }) => version),
    );
    for (const index of versions.keys()) {
      const count = Object.values(starts).filter((verdict) => verdict[index] === "y").length;
      assert.ok(count > 150 && texts.length - count > 150, `${versions[index]}: ${count} of ${texts.length}`);
    }
    assert.ok(new Set(Object.values(starts)).size > 4, "releases differ in some");
  });

  for (const [index, version] of versions.entries()) {
    it(`is checked as CoreDNS ${version} judged it`, () => {
      const wrong = Object.entries(starts).filter(([text, verdict]) => {
        const { errors } = startOf(text, { coredns: versionOf(version), isAddon: true });
        return (errors.length === 0 ? "y" : "n") !== verdict[index];
      });
      assert.deepEqual(wrong, []);
    });
  }

  it("runs with each release that .ci/run builds, and with no other", () => {
    const script = readFileSync(new URL("../../.ci/run", import.meta.url), "utf8");
    const [, built = ""] = /for version in ([\d. ]+);/.exec(script) ?? [];
    assert.deepEqual(built.split(" "), triedReleases());
  });

  it("covers every plugin of a release, each of which is checked", () => {
    const texts = corpus().join("\n");
    for (const { version, plugins } of RELEASES)
      for (const { name } of plugins) {
        assert.ok(Object.hasOwn(SETUPS, name), `${name} of ${version} has no check`);
        assert.match(texts, new RegExp(`^\\s*${name}\\b`, "m"));
      }
  });
});
