import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findProgram, whyMissing } from "../../support/collectors/program.ts";
import { leaveOut } from "../../support/leave-out.ts";

const RUBY = findProgram("ruby");
const SCRIPTS = fileURLToPath(new URL("../../../components/logging/collectors/fluentd/", import.meta.url));

/** Leaves a suite out where there is no Ruby: `before(needsRuby)`. */
export function needsRuby(this: Mocha.Context): void {
  if (RUBY === undefined) leaveOut(this, whyMissing("ruby"));
}

/**
 * Runs a Ruby program in a folder with the plugins.
 * @param driver Text of the program, of that folder's path.
 * @returns What it prints.
 */
export function runRuby(
  driver: (folder: string) => string,
  { args = [], input = "" }: { readonly args?: readonly string[]; readonly input?: string } = {},
): string {
  const folder = mkdtempSync(join(tmpdir(), "fluentd-ruby-"));
  try {
    for (const name of readdirSync(SCRIPTS).filter((file) => file.endsWith(".rb")))
      cpSync(join(SCRIPTS, name), join(folder, name));
    const program = join(folder, "driver.rb");
    writeFileSync(program, driver(folder));
    return execFileSync(RUBY ?? "", [program, ...args], { encoding: "utf8", input, maxBuffer: 64 * 2 ** 20 });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
