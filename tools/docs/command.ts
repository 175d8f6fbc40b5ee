import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { PROJECT_ROOT } from "../../lab/project.ts";

/** Adds `schema` to the command line. */
export function registerSchema(program: Command): void {
  program
    .command("schema")
    .description("print the JSON Schema of the stack settings, by which editors complete Pulumi.*.yaml")
    .option("--reference", "print the table of all settings instead, as Markdown")
    .option("--write", "write it to settings.schema.json, or docs/settings.md")
    .action(async (flags: { readonly reference?: true; readonly write?: true }) => {
      const { file, text } = flags.reference ? await reference() : await schema();
      if (flags.write) await writeFile(join(PROJECT_ROOT, file), text);
      else process.stdout.write(text);
    });
}

async function schema() {
  const { SCHEMA_FILE, stackSchema } = await import("./stack-schema.ts");
  return { file: SCHEMA_FILE, text: `${JSON.stringify(stackSchema(), null, 2)}\n` };
}

async function reference() {
  const { REFERENCE_FILE, settingsReference } = await import("./reference.ts");
  return { file: REFERENCE_FILE, text: settingsReference() };
}
