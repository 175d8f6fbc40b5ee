import { join } from "node:path";
import { ZodError } from "zod";
import { Failure } from "../command-line.ts";
import { PLAIN_OUTPUT, run } from "../process.ts";
import { stackNames } from "../stack-file.ts";
import { comparePlans, type StackComparison } from "./comparison.ts";
import { emptyPlan, PlanDocument, withEngineUrns } from "./document.ts";
import { type Checkout, type CheckoutOptions, exists, Repository, withCheckouts } from "./revisions.ts";

/** One of the two revisions: its name and its commit, which the working tree lacks. */
export interface Side {
  readonly revision: string;
  readonly commit: string | null;
}

/** One stack's comparison, or why head has no plan of it. */
export type StackDiff =
  | { readonly stack: string; readonly comparison: StackComparison; readonly notes: readonly string[] }
  | { readonly stack: string; readonly problem: string };

/** All changes between two revisions. */
export interface Diff {
  readonly base: Side;
  readonly head: Side;
  readonly stacks: readonly StackDiff[];
  /** Notes that concern no single stack. */
  readonly notes: readonly string[];
}

export interface DiffOptions {
  /** Revisions in Git's syntax; `.` is the working tree. */
  readonly base: string;
  readonly head: string;
  /** Stacks to compare. Default: those with a file in head. */
  readonly stacks: readonly string[];
  /** Folder of the project. */
  readonly project: string;
  /** Stops the comparison; the checkouts are removed anyway. */
  readonly signal: AbortSignal;
  readonly onStep: (step: string) => void;
}

/**
 * Compares the plans of two revisions.
 * @throws {Failure} if Git does not know a revision, or neither has the stack.
 */
export async function diff(options: DiffOptions): Promise<Diff> {
  const { signal, project, onStep } = options;
  const repository = await Repository.open(project, signal);
  const checkouts: CheckoutOptions = { repository, project, signal, onStep };
  return withCheckouts([options.base, options.head], checkouts, async (base, head) => {
    const [before, after] = await Promise.all([base, head].map(({ folder }) => stackNames(folder)));
    const known = { before: before ?? [], after: after ?? [] };
    const stacks = options.stacks.length > 0 ? options.stacks : known.after;
    requireKnown(stacks, [...new Set([...known.before, ...known.after])]);
    const results: StackDiff[] = [];
    for (const stack of stacks) {
      onStep(`planning stack ${stack}`);
      results.push(await diffStack(stack, base, head, signal));
    }
    return { base: sideOf(base), head: sideOf(head), stacks: results, notes: goneStacks(known, options.stacks) };
  });
}

function sideOf({ revision, commit }: Checkout): Side {
  return { revision, commit };
}

function requireKnown(stacks: readonly string[], found: readonly string[]): void {
  const unknown = stacks.find((stack) => !found.includes(stack));
  if (unknown === undefined) return;
  const choice = found.length === 0 ? "neither has any" : `found: ${found.toSorted().join(", ")}`;
  throw new Failure(`no stack '${unknown}' in either revision; ${choice}`, 2);
}

/** Stacks whose file was deleted, which Pulumi itself leaves deployed. */
function goneStacks(
  found: { readonly before: string[]; readonly after: string[] },
  asked: readonly string[],
): string[] {
  if (asked.length > 0) return [];
  return found.before
    .filter((stack) => !found.after.includes(stack))
    .map((stack) => `stack ${stack} no longer has a file: its resources stay until you run 'pulumi destroy' for it`);
}

async function diffStack(stack: string, base: Checkout, head: Checkout, signal: AbortSignal): Promise<StackDiff> {
  const [before, after] = await Promise.all([planAt(base, stack, signal), planAt(head, stack, signal)]);
  if ("problem" in after) return { stack, problem: after.problem };
  const notes: string[] = [];
  if ("absent" in before) notes.push(`${base.revision} ${before.absent}: everything is new`);
  if ("absent" in after) notes.push(`${head.revision} ${after.absent}: everything is removed`);
  if ("problem" in before) {
    notes.push(`${base.revision} cannot be planned, so everything in head appears as new: ${before.problem}`);
  }
  const checkInputOf = (side: PlanAt) => ("plan" in side ? side.plan : emptyPlan(stack));
  return { stack, comparison: comparePlans(checkInputOf(before), checkInputOf(after)), notes };
}

/**
 * Whether a check on this diff fails: a stack of head cannot be planned, a mandatory policy is violated or undecided, or EKS refuses a
 * cluster's version change.
 */
export function fails({ stacks }: Diff): boolean {
  return stacks.some(
    (stack) =>
      "problem" in stack ||
      (stack.comparison.policies?.failing ?? 0) > 0 ||
      stack.comparison.upgrades.some(({ step }) => step.kind === "refused"),
  );
}

/** A stack's plan at a revision, or why there is none. */
export type PlanAt =
  | { readonly plan: PlanDocument }
  /** The revision lacks the stack, or predates `lab plan`. */
  | { readonly absent: string }
  /** The revision has the stack but cannot plan it: its error message. */
  | { readonly problem: string };

/** Plans a stack with the revision's own program, in a separate process. */
async function planAt(checkout: Checkout, stack: string, signal: AbortSignal): Promise<PlanAt> {
  const main = join(checkout.folder, "lab", "main.ts");
  if (!(await exists(join(checkout.folder, `Pulumi.${stack}.yaml`)))) return { absent: "has no such stack" };
  if (!(await exists(main))) return { absent: "is older than lab plan" };
  const args = [main, "plan", "--stack", stack, "--json"];
  const { exitCode, stdout, stderr } = await run(process.execPath, args, {
    cwd: checkout.folder,
    signal,
    env: PLAIN_OUTPUT,
  });
  const document = documentIn(stdout);
  // Violated mandatory policies make the plan exit non-zero; its document reports them.
  if (document !== undefined) return { plan: document };
  const silence = exitCode === 0 ? "prints no readable plan" : `exits with code ${exitCode} and no message`;
  return { problem: stderr.trim() || `lab plan ${silence}` };
}

function documentIn(stdout: string): PlanDocument | undefined {
  try {
    return withEngineUrns(PlanDocument.parse(JSON.parse(stdout)));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof ZodError) return undefined;
    throw error;
  }
}
