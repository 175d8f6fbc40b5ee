import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../lab/failure.ts";
import { PROJECT_ROOT } from "../../lab/project.ts";

const START = "<!-- bench: made by `npm run bench -- --write` -->\n";
const END = "<!-- /bench -->";

/** The README with other tables in the place that is kept for them. @throws {Failure} where there is no such place. */
export function withBench(readme: string, markdown: string): string {
  const [start, end] = [readme.indexOf(START), readme.indexOf(END)];
  if (start === -1 || end < start)
    throw new Failure(`README.md has no place for the tables: ${START.trim()} and ${END}`);
  return `${readme.slice(0, start + START.length)}\n${markdown}\n${readme.slice(end)}`;
}

/** The tables that stand in the README; undefined where there is no place for them. */
export function benchOf(readme: string): string | undefined {
  const [start, end] = [readme.indexOf(START), readme.indexOf(END)];
  return start === -1 || end < start ? undefined : readme.slice(start + START.length, end);
}

/** Writes the tables into the README. */
export async function writeReadme(markdown: string): Promise<void> {
  const file = join(PROJECT_ROOT, "README.md");
  await writeFile(file, withBench(await readFile(file, "utf8"), markdown));
}
