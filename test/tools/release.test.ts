import assert from "node:assert/strict";
import { subjectIssue } from "../../tools/release/commits.ts";
import { releaseNotes } from "../../tools/release/notes.ts";

describe("the check of commit subjects", () => {
  it("accepts type(scope): subject", () => {
    for (const subject of [
      "fix(dns): keep stale answers to outside names",
      "feat(policies)!: rename the option leastRetries",
      "build(deps): bump yaml from 2.9.1 to 2.9.2",
      `docs(readme): ${"x".repeat(58)}`,
    ])
      assert.equal(subjectIssue(subject), undefined, subject);
  });

  it("rejects everything else, and says why", () => {
    for (const subject of [
      "Fix the drift workflow",
      "fix: no scope",
      "fixed(dns): not a type",
      "fix(dns): Upper case",
      "fix(dns): a period.",
      "fix(dns):no blank",
      "fix(DNS): upper case scope",
      "fixup! fix(dns): something",
    ])
      assert.match(subjectIssue(subject) ?? "", /^must be "type\(scope\): subject"/, subject);
    assert.equal(subjectIssue(`docs(readme): ${"x".repeat(59)}`), "must be at most 72 characters (found 73)");
  });
});

describe("a release", () => {
  const packageJson = '{"version":"1.2.0"}';
  const changelog =
    "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-11-28\n\n### Fixed\n\n- one\n\n## [1.1.0] - 2026-10-01\n\n- old\n";
  const notes = (changed: Partial<Parameters<typeof releaseNotes>[0]>) =>
    releaseNotes({ tag: "v1.2.0", packageJson, changelog, ...changed });

  it("has the notes of its section of the changelog", () => {
    assert.equal(notes({}), "### Fixed\n\n- one\n");
  });

  it("stops if tag, version and changelog disagree", () => {
    assert.throws(() => notes({ tag: "1.2.0" }), /^Error: tag: must be vMAJOR\.MINOR\.PATCH \(found "1\.2\.0"\)/);
    assert.throws(() => notes({ tag: "v1.3.0" }), /package\.json: version must be 1\.3\.0 \(found "1\.2\.0"\)/);
    assert.throws(
      () => notes({ changelog: changelog.replace(" - 2026-11-28", "") }),
      /must have a section "## \[1\.2\.0\]/,
    );
    assert.throws(() => notes({ changelog: changelog.replace("### Fixed\n\n- one\n", "") }), /must not be empty/);
  });
});
