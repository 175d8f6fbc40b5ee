/**
 * Prints the changelog's section of a release tag, and fails if tag, package.json and changelog disagree:
 * `npm run release:notes -- v1.0.0`.
 *
 * @see https://keepachangelog.com/en/1.1.0/
 */
import { readFileSync } from "node:fs";
import { argv, exit, stderr, stdout } from "node:process";

/** What a release is checked against. */
export interface ReleaseSources {
  /** The Git tag, such as `v1.0.0`. */
  readonly tag: string;
  /** Text of package.json. */
  readonly packageJson: string;
  /** Text of CHANGELOG.md. */
  readonly changelog: string;
}

/**
 * The notes of the tag's release.
 *
 * @throws Error if the tag is not a semantic version or not the version of package.json, or has no dated section in the changelog
 */
export function releaseNotes({ tag, packageJson, changelog }: ReleaseSources): string {
  const [, version] = /^v(\d+\.\d+\.\d+(?:-[\w.]+)?)$/.exec(tag) ?? [];
  if (version === undefined) throw new Error(`tag: must be vMAJOR.MINOR.PATCH (found ${JSON.stringify(tag)})`);
  const declared: unknown = JSON.parse(packageJson);
  const declaredVersion =
    typeof declared === "object" && declared !== null && "version" in declared && declared.version;
  if (declaredVersion !== version)
    throw new Error(`package.json: version must be ${version} (found ${JSON.stringify(declaredVersion)})`);
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((text) => text.startsWith(`[${version}] - `));
  const [heading = "", ...lines] = section?.split("\n") ?? [];
  if (!/ - \d{4}-\d{2}-\d{2}$/.test(heading))
    throw new Error(`CHANGELOG.md: must have a section "## [${version}] - YYYY-MM-DD"`);
  const notes = lines
    .filter((line) => !/^\[[^\]]+\]: /.test(line))
    .join("\n")
    .trim();
  if (notes === "") throw new Error(`CHANGELOG.md: the section of ${version} must not be empty`);
  return `${notes}\n`;
}

if (import.meta.main) {
  const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");
  try {
    stdout.write(
      releaseNotes({ tag: argv[2] ?? "", packageJson: read("package.json"), changelog: read("CHANGELOG.md") }),
    );
  } catch (error) {
    stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    exit(1);
  }
}
