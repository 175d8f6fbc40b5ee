import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { PROJECT_ROOT } from "../project.ts";

/** Adds `schema` to the command line. */
export function registerSchema(program: Command): void {
  program
    .command("schema")
    .description("print the JSON Schema of the stack settings, by which editors complete Pulumi.*.yaml")
    .option("--write", "write it to settings.schema.json instead")
    .action(async (flags: { readonly write?: true }) => {
      const { SCHEMA_FILE, stackSchema } = await import("./stack-schema.ts");
      const text = `${JSON.stringify(stackSchema(), null, 2)}\n`;
      if (flags.write) await writeFile(join(PROJECT_ROOT, SCHEMA_FILE), text);
      else process.stdout.write(text);
    });
}
