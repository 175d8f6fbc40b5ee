import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_FOLDER, pages } from "./markdown.ts";

/** Words of earlier versions, by what to write instead. CONTRIBUTING.md has the vocabulary. */
const AVOIDED: Readonly<Record<string, RegExp>> = {
  "SettingsIssue or validation error": /\bmistakes?\b/i,
  "rule option": /\bknobs?\b/i,
  precondition: /\bobstacles?\b/i,
  DnsClient: /\basker\b/i,
  "unmatched, best match, similarity": /\b(lone|likeliest|likeness)\b/i,
  fixed: /\bmend(ed|s)?\b/i,
  "shutdown timeout, retry limits": /\b(farewell|patience)\b/i,
  integer: /\bwhole numbers?\b/i,
  "built-in exemption": /\bstanding exemptions?\b/i,
  "an active sentence": /\b(is|are) told\b/i,
  "anyone who, the owner": /\bwhoever\b/i,
  "what is in, what precedes": /\bwhat stands\b/i,
  "the CIS benchmark 1.8.0": /CIS EKS 1\.7/,
};

/** The same, of pages and of what the reference takes from the code. */
const AVOIDED_ON_PAGES: Readonly<Record<string, RegExp>> = {
  "shows, prints": /\btells?\b/i,
  "someone else, by hand": /\bsomebody\b/i,
  mode: /\bcarriers?\b/i,
  "more expensive": /\bdearer\b/i,
  American: /\b(behaviour|colour|licence|organis\w+|cancelled)\b/i,
};

/** What a text has of the words, each with what to write instead. */
function found(text: string, avoided: Readonly<Record<string, RegExp>>): string[] {
  return text
    .split("\n")
    .flatMap((line, index) =>
      Object.entries(avoided).flatMap(([instead, pattern]) =>
        pattern.test(line) ? [`${index + 1}: ${pattern.exec(line)?.[0]}; write: ${instead}`] : [],
      ),
    );
}

describe("the vocabulary", () => {
  it("is kept by the sources", () => {
    const files = globSync(["index.ts", "{components,corefile,lab,policies,tools}/**/*.ts", ".github/**/*.{md,yml}"], {
      cwd: PROJECT_FOLDER,
      exclude: (file) => file.includes("node_modules"),
    });
    assert.ok(files.length > 150, `${files.length}`);
    const issues = files.flatMap((file) =>
      found(readFileSync(join(PROJECT_FOLDER, file), "utf8"), AVOIDED).map((issue) => `${file}:${issue}`),
    );
    assert.deepEqual(issues, []);
  });

  it("is kept by the pages", () => {
    // The changelog names what was renamed.
    const issues = pages()
      .filter(({ file }) => file !== "CHANGELOG.md")
      .flatMap(({ file, text }) => found(text, { ...AVOIDED, ...AVOIDED_ON_PAGES }).map((issue) => `${file}:${issue}`));
    assert.deepEqual(issues, []);
  });

  it("is found in what does not keep it", () => {
    assert.deepEqual(found("one\nWhoever runs it", AVOIDED), ["2: Whoever; write: anyone who, the owner"]);
  });
});
