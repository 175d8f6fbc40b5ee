import { styleText } from "node:util";
import { plainTable, plural } from "../output/table.ts";
import { portableYaml } from "../yaml.ts";
import type { Adoption } from "./adoption.ts";
import type { AdoptionAction, AdoptionRow } from "./live-objects.ts";

/** The stack's file, with a comment on where it comes from. */
export function stackFileText({ config }: Adoption, title: string): string {
  const header = [
    "# yaml-language-server: $schema=./settings.schema.json",
    `# Written by lab adopt from ${title}. Review it before \`pulumi up\`.`,
    "",
  ].join("\n");
  return header + portableYaml({ config });
}

const ORDER: readonly AdoptionAction[] = ["conflict", "check", "import", "adopt", "leave"];
const COLORS = { conflict: "red", check: "yellow", import: "green", adopt: "green", leave: "dim" } as const;

/** The worst first; otherwise in the order in which they were found. */
function sorted(rows: readonly AdoptionRow[]): AdoptionRow[] {
  return rows.toSorted((one, other) => ORDER.indexOf(one.action) - ORDER.indexOf(other.action));
}

/** The adoption for a terminal. */
export function adoptionTable(adoption: Adoption, title: string, commands: readonly string[]): string {
  const { rows, importFile } = adoption;
  const cells = sorted(rows).map(({ action, subject, reason }) => [
    styleText(COLORS[action], action, { stream: process.stdout }),
    subject,
    reason,
  ]);
  const count = (action: AdoptionAction) => rows.filter((row) => row.action === action).length;
  const imported = importFile.resources.filter(({ id }) => id !== undefined).length;
  return [
    `Adoption of ${title}`,
    "",
    plainTable(["Action", "Subject", "Reason"], cells, { widths: [10, 62, 90] }),
    "",
    `${plural(count("conflict"), "conflict")}, ${count("check")} to check, ${imported} to import, ${count("adopt")} adopted, ${count("leave")} left alone`,
    "",
    ...commands.map((command) => `    ${command}`),
    "",
  ].join("\n");
}

export function adoptionJson({ stack, config, importFile, rows }: Adoption, title: string, files: readonly string[]) {
  return { stack, source: title, files, config, import: importFile, rows: sorted(rows) };
}
