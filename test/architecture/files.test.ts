import assert from "node:assert/strict";
import { posix } from "node:path";
import { projectSources, type SourceFile } from "./import-graph.ts";

/** The sources, without examples and the scripts in a collector's own language. */
const SOURCES = /^(index\.ts|(components|corefile|lab|library|policies|tools)\/.*\.ts)$/;
const MAX_LINES = 350;
const MIN_LINES = 25;
/** More in one folder are not seen at a glance. */
const MAX_FILES = 12;

/** Shorter files, and why each is a file of its own. */
const SHORT: Readonly<Record<string, string>> = {
  "library/provider.ts": "the entry of the Pulumi package, which its engine starts",
  "policies/index.ts": "the entry of the policy pack, which Pulumi starts",
};

/** Names that each folder has once, for the same thing. */
const REPEATED: readonly string[] = ["index.ts", "settings.ts"];
/** A collector's folder has its own sources, outputs and records. */
const COLLECTOR = /^components\/logging\/collectors\/[^/]+\//;

function linesOf(text: string): number {
  return text.split("\n").length - 1;
}

function offences(files: readonly SourceFile[]): string[] {
  const sources = files.filter(({ file }) => SOURCES.test(file));
  const sizes = sources.flatMap(({ file, text }) => {
    const lines = linesOf(text);
    if (lines > MAX_LINES) return [`${file} has ${lines} lines: split it by meaning`];
    return lines < MIN_LINES && SHORT[file] === undefined ? [`${file} has ${lines} lines: merge it`] : [];
  });
  const byName = Map.groupBy(
    sources.map(({ file }) => file).filter((file) => !REPEATED.includes(posix.basename(file))),
    (file) => posix.basename(file),
  );
  const names = [...byName].flatMap(([name, same]) => {
    // Those of the collectors count as one.
    const places = new Set(same.map((file) => (COLLECTOR.test(file) ? "collectors" : file)));
    return places.size > 1 ? [`${same.join(" and ")} share the name ${name}`] : [];
  });
  const byFolder = Map.groupBy(sources, ({ file }) => posix.dirname(file));
  const folders = [...byFolder].flatMap(([folder, { length }]) =>
    length > MAX_FILES ? [`${folder} has ${length} files: give it folders by meaning`] : [],
  );
  return [...sizes, ...names, ...folders];
}

describe("the source files", () => {
  const files = projectSources();

  it("have 25 to 350 lines, and each a name of its own in a folder of at most twelve", () => {
    assert.ok(files.length > 150, `only ${files.length} sources were found`);
    assert.deepEqual(offences(files), []);
  });

  it("are listed as short only where they are", () => {
    const short = files.filter(({ file, text }) => file in SHORT && linesOf(text) < MIN_LINES);
    assert.deepEqual(short.map(({ file }) => file).sort(), Object.keys(SHORT).sort());
  });

  it("fail the check by a planted file that is too short, too long, or has another's name", () => {
    const planted = (file: string, lines: number): SourceFile[] => [...files, { file, text: "\n".repeat(lines) }];
    assert.deepEqual(offences(planted("lab/planted.ts", 24)), ["lab/planted.ts has 24 lines: merge it"]);
    assert.deepEqual(offences(planted("lab/planted.ts", 351)), ["lab/planted.ts has 351 lines: split it by meaning"]);
    assert.deepEqual(offences(planted("lab/team.ts", 60)), [
      "components/team/team.ts and lab/team.ts share the name team.ts",
    ]);
    assert.deepEqual(offences(planted("lab/dns/index.ts", 60)), []);
  });

  it("fail the check by a planted folder with one file too many", () => {
    const folder = (count: number): SourceFile[] =>
      Array.from({ length: count }, (_, at) => ({ file: `lab/planted/planted-${at}.ts`, text: "\n".repeat(60) }));
    assert.deepEqual(offences([...files, ...folder(12)]), []);
    assert.deepEqual(offences([...files, ...folder(13)]), ["lab/planted has 13 files: give it folders by meaning"]);
  });
});
