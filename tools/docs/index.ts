import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { commandLine, Failure, PROJECT_ROOT, runCommandLine } from "../../lab/command-line.ts";
import { PACKAGE_SCHEMA_FILE, packageSchemaText } from "../library/package-schema.ts";
import { COLLECTORS_FILE, collectorsPage, INDEX_FILE, indexPage } from "./collector-pages.ts";
import { POLICIES_FILE, RUNBOOKS, rulesPage } from "./rule-pages.ts";
import { REFERENCE_FILE, SCHEMA_FILE, schemaText, settingsReference } from "./settings.ts";

/** A generated file of the repository. */
interface GeneratedFile {
  /** Path relative to the project's root. */
  readonly file: string;
  readonly text: () => string;
}

/** All generated files. `npm run docs` writes them; a test fails if one is outdated. */
export const GENERATED_FILES: readonly GeneratedFile[] = [
  { file: SCHEMA_FILE, text: schemaText },
  { file: REFERENCE_FILE, text: settingsReference },
  { file: COLLECTORS_FILE, text: collectorsPage },
  { file: INDEX_FILE, text: indexPage },
  { file: POLICIES_FILE, text: rulesPage },
  ...RUNBOOKS,
  { file: PACKAGE_SCHEMA_FILE, text: packageSchemaText },
];

/** The generated files that are outdated. */
async function outdatedFiles(): Promise<GeneratedFile[]> {
  const compared = GENERATED_FILES.map(async (generated) => {
    const current = await readFile(join(PROJECT_ROOT, generated.file), "utf8").catch(() => undefined);
    return current === generated.text() ? [] : [generated];
  });
  return (await Promise.all(compared)).flat();
}

async function generate({ check }: { readonly check?: true }): Promise<void> {
  const outdated = await outdatedFiles();
  const names = outdated.map(({ file }) => file).join(", ");
  if (check && outdated.length > 0) throw new Failure(`out of date: ${names}; run \`npm run docs\``);
  for (const { file, text } of outdated) await writeFile(join(PROJECT_ROOT, file), text());
  process.stdout.write(outdated.length === 0 ? "all generated files are up to date\n" : `wrote ${names}\n`);
}

if (import.meta.main) {
  await runCommandLine(
    commandLine("docs", "write the files that are generated from the code: settings schema and reference pages")
      .option("--check", "write nothing; exit with 1 if a file is out of date")
      .action(generate),
  );
}
