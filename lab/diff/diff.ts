import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ZodError } from "zod";
import { Failure, shellWord } from "../command-line.ts";
import { isMissingProgram, outputOf, PLAIN_OUTPUT, ProcessError, run } from "../process.ts";
import { stackNames } from "../stack-file.ts";
import { comparePlans, type StackComparison } from "./comparison.ts";
import { emptyPlan, PlanDocument, withEngineUrns } from "./document.ts";

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
  const planOf = (side: PlanAt) => ("plan" in side ? side.plan : emptyPlan(stack));
  return { stack, comparison: comparePlans(planOf(before), planOf(after)), notes };
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
  if (!existsSync(join(checkout.folder, `Pulumi.${stack}.yaml`))) return { absent: "has no such stack" };
  if (!existsSync(main)) return { absent: "is older than lab plan" };
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

/** Why Git fails in a folder. It also rejects a repository owned by another user, as in a CI container. */
function whyNoRepository(folder: string, error: unknown): string {
  if (isMissingProgram(error)) return "git is not on the PATH, and lab diff needs it";
  if (error instanceof ProcessError && error.stderr.includes("dubious ownership"))
    return `Git refuses ${folder}, which belongs to another user: allow it with git config --global --add safe.directory ${shellWord(folder.replace(/\/$/, ""))}`;
  return `${folder} is not in a Git repository`;
}

/** The repository of a folder. */
export class Repository {
  readonly #folder: string;
  readonly #signal: AbortSignal;

  private constructor(folder: string, signal: AbortSignal) {
    this.#folder = folder;
    this.#signal = signal;
  }

  /** @throws {Failure} if Git is missing, or the folder is in no repository. */
  static async open(folder: string, signal: AbortSignal): Promise<Repository> {
    const repository = new Repository(folder, signal);
    await repository.#git(["rev-parse", "--git-dir"]).catch((error: unknown) => {
      throw new Failure(whyNoRepository(folder, error), 2);
    });
    return repository;
  }

  /**
   * Resolves a branch, tag or abbreviated hash to a commit.
   * @throws {Failure} if there is none.
   */
  async commit(revision: string): Promise<string> {
    return this.#git(["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`]).catch(() => {
      throw new Failure(
        `unknown revision '${revision}': use a local commit, branch or tag (in a shallow clone, fetch it first)`,
        2,
      );
    });
  }

  /** Text of a file at a commit, or undefined if absent. */
  async file(commit: string, path: string): Promise<string | undefined> {
    return this.#git(["show", `${commit}:./${path}`]).catch(() => undefined);
  }

  /** Path of the folder inside its repository: empty at the top, else ending in a slash. */
  prefix(): Promise<string> {
    return this.#git(["rev-parse", "--show-prefix"]);
  }

  /** Checks a commit out into a new folder, without hooks. */
  async addWorktree(folder: string, commit: string): Promise<void> {
    await this.#git(["-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--detach", folder, commit]);
  }

  /**
   * Removes a checkout with all its files. Ctrl-C does not stop it, since it cleans up afterwards. `--force` is given twice, because Git
   * keeps an unfinished checkout locked.
   */
  async removeWorktree(folder: string): Promise<void> {
    await outputOf("git", ["-C", this.#folder, "worktree", "remove", "--force", "--force", folder]);
  }

  async #git(args: readonly string[]): Promise<string> {
    return (await outputOf("git", ["-C", this.#folder, ...args], { signal: this.#signal })).trimEnd();
  }
}

/** The project at a revision, ready to run. */
export interface Checkout {
  /** Its name on the command line: `main`, `.`. */
  readonly revision: string;
  /** Null for the working tree with its uncommitted changes. */
  readonly commit: string | null;
  readonly folder: string;
}

/** How to create checkouts. */
export interface CheckoutOptions {
  readonly repository: Repository;
  /** The working copy, whose installed packages are reused if the lock file is the same. */
  readonly project: string;
  readonly signal: AbortSignal;
  /** Called before each slow step. */
  readonly onStep: (step: string) => void;
}

/** The revision for the working tree. */
const WORKING_TREE = ".";

/**
 * Checks out two revisions beside the working copy, runs `use` with them, and always removes them.
 * @throws {Failure} if Git does not know a revision, or its packages cannot be installed.
 */
async function withCheckouts<T>(
  revisions: readonly [string, string],
  options: CheckoutOptions,
  use: (base: Checkout, head: Checkout) => Promise<T>,
): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), "lab-diff-"));
  const worktrees: string[] = [];
  const check = async (revision: string, name: string): Promise<Checkout> => {
    if (revision === WORKING_TREE) return { revision, commit: null, folder: options.project };
    const commit = await options.repository.commit(revision);
    const worktree = join(root, name);
    worktrees.push(worktree);
    await options.repository.addWorktree(worktree, commit);
    const folder = join(worktree, await options.repository.prefix());
    await providePackages(folder, revision, options);
    return { revision, commit, folder };
  };
  try {
    const [base, head] = revisions;
    return await use(await check(base, "base"), await check(head, "head"));
  } finally {
    // A checkout that failed or is incomplete must not keep the others from being removed.
    for (const worktree of worktrees) await options.repository.removeWorktree(worktree).catch(() => undefined);
    // A stopped program may still be writing its last file.
    await rm(root, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Links the installed packages if the lock file is the same, else installs the revision's own. */
async function providePackages(folder: string, revision: string, options: CheckoutOptions): Promise<void> {
  const { project, signal, onStep } = options;
  if (!existsSync(join(folder, "package.json")) || existsSync(join(folder, "node_modules"))) return;
  const locks = await Promise.all([project, folder].map((place) => lockOf(place)));
  if (locks[0] === locks[1] && existsSync(join(project, "node_modules"))) {
    // A junction needs no privileges on Windows; other systems ignore the type.
    return symlink(join(project, "node_modules"), join(folder, "node_modules"), "junction");
  }
  onStep(`installing the packages of ${revision}, whose lock file differs`);
  // Plans need no install scripts, and untrusted revisions must not run any.
  // Sets the log level explicitly: `npm run --silent` would hide the reason.
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const { exitCode, stderr } = await run("npm", args, { cwd: folder, signal, env: PLAIN_OUTPUT });
  if (exitCode === 0) return;
  throw new Failure(`npm ${args.join(" ")} failed at ${revision}: ${causeOf(stderr) ?? `exit code ${exitCode}`}`);
}

/** The cause in npm's output: its error code comes first, then the message. */
function causeOf(stderr: string): string | undefined {
  const lines = stderr.split("\n").flatMap((line) => /^npm (?:err\w*!?)\s+(.+)$/i.exec(line)?.[1] ?? []);
  return lines.find((line) => !line.startsWith("code ")) ?? lines[0];
}

async function lockOf(folder: string): Promise<string> {
  return readFile(join(folder, "package-lock.json"), "utf8").catch(() => "");
}
