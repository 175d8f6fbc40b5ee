import assert from "node:assert/strict";
import { projectSources } from "./import-graph.ts";

const DECLARATION = /^export (async |abstract )*(function|class|interface) (\w+)/;
const FIELD = /^ {2}(?:readonly )?(\w+)(\??):/;

/**
 * What a component exports without a doc comment, fields of its Args among it, and optional fields of Args whose comment says no default.
 * Reads lines, as Biome formats them.
 */
function undocumented(file: string, text: string): string[] {
  const lines = text.split("\n");
  let args: string | undefined;
  return lines.flatMap((line, index) => {
    const [, , , declared] = DECLARATION.exec(line) ?? [];
    if (declared !== undefined) args = /^export interface \w+Args\b/.test(line) ? declared : undefined;
    if (line.startsWith("}")) args = undefined;
    const [, field, optional] = (args === undefined ? undefined : FIELD.exec(line)) ?? [];
    const what = declared ?? (field === undefined ? undefined : `${args}.${field}`);
    if (what === undefined) return [];
    if (!lines[index - 1]?.trimEnd().endsWith("*/")) return [`${file}: ${what} has no doc comment`];
    const start = lines.findLastIndex((above, at) => at < index && above.trimStart().startsWith("/**"));
    const comment = lines.slice(start, index).join("\n");
    return optional === "?" && !/@default|Default:/.test(comment) ? [`${file}: ${what} has no @default`] : [];
  });
}

describe("doc comments", () => {
  it("stand at each export of components/ and each field of its Args, with the default of an optional one", () => {
    const sources = projectSources().filter(({ file }) => /^components\/.*\.ts$/.test(file));
    assert.ok(sources.length > 50);
    assert.deepEqual(
      sources.flatMap(({ file, text }) => undocumented(file, text)),
      [],
    );
  });

  it("are missed where they are planted out", () => {
    const planted = `export interface TeamArgs {
  readonly name: string;
  /** More labels. */
  readonly labels?: object;
  /** Peers. @default none */
  readonly peers?: object;
}
/** A team. */
export class Team {}
export async function teamOf(): Promise<void> {}
`;
    assert.deepEqual(undocumented("team.ts", planted), [
      "team.ts: TeamArgs has no doc comment",
      "team.ts: TeamArgs.name has no doc comment",
      "team.ts: TeamArgs.labels has no @default",
      "team.ts: teamOf has no doc comment",
    ]);
  });
});
