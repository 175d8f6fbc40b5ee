import { join } from "node:path";
import { ZodError } from "zod";
import type { Checkout } from "./checkout.ts";
import { isThere } from "./checkout.ts";
import { PlanDocument } from "./document.ts";
import { run } from "./run.ts";

/** The plan of a stack at a revision, or why there is none. */
export type PlanAt =
  | { readonly plan: PlanDocument }
  /** The revision has no such stack, or is older than the plan. */
  | { readonly absent: string }
  /** The revision has the stack and cannot plan it: its own message. */
  | { readonly problem: string };

/** Plans a stack by the revision's own program, in a process of its own. */
export async function planAt(checkout: Checkout, stack: string, signal: AbortSignal): Promise<PlanAt> {
  const main = join(checkout.folder, "lab", "main.ts");
  if (!(await isThere(join(checkout.folder, `Pulumi.${stack}.yaml`)))) return { absent: "has no such stack" };
  if (!(await isThere(main))) return { absent: "is older than lab plan" };
  const args = [main, "plan", "--stack", stack, "--json"];
  const { exitCode, stdout, stderr } = await run(process.execPath, args, { cwd: checkout.folder, signal });
  const document = documentIn(stdout);
  // Mandatory policies make the plan fail, and are told by its document.
  if (document !== undefined) return { plan: document };
  const silence =
    exitCode === 0 ? "prints no plan that can be read" : `ends with exit code ${exitCode} and says nothing`;
  return { problem: stderr.trim() || `lab plan ${silence}` };
}

function documentIn(stdout: string): PlanDocument | undefined {
  try {
    return PlanDocument.parse(JSON.parse(stdout));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof ZodError) return undefined;
    throw error;
  }
}
