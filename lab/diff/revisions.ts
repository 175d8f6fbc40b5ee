import { access, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../command-line.ts";
import { outputOf, PLAIN_OUTPUT, ProcessError, run } from "../process.ts";

/** Git refuses a repository of another user too, as in a container of a CI system. */
function whyNoRepository(folder: string, error: unknown): string {
  if (codeOf(error) === "ENOENT") return "git is not on the PATH, and lab diff needs it";
  if (error instanceof ProcessError && error.stderr.includes("dubious ownership"))
    return `Git refuses ${folder}, which belongs to another user: allow it with git config --global --add safe.directory ${folder.replace(/\/$/, "")}`;
  return `${folder} is not in a Git repository`;
}

/** The repository that a folder is in. */
export class Repository {
  readonly #folder: string;
  readonly #signal: AbortSignal;

  private constructor(folder: string, signal: AbortSignal) {
    this.#folder = folder;
    this.#signal = signal;
  }

  /** @throws {Failure} where there is no git, or the folder is in no repository. */
  static async open(folder: string, signal: AbortSignal): Promise<Repository> {
    const repository = new Repository(folder, signal);
    await repository.#git(["rev-parse", "--git-dir"]).catch((error: unknown) => {
      throw new Failure(whyNoRepository(folder, error), 2);
    });
    return repository;
  }

  /**
   * The commit that a branch, a tag or an abbreviation names.
   * @throws {Failure} where there is none.
   */
  async commit(revision: string): Promise<string> {
    return this.#git(["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`]).catch(() => {
      throw new Failure(
        `unknown revision '${revision}': use a local commit, branch or tag (in a shallow clone, fetch it first)`,
        2,
      );
    });
  }

  /** Text of a file at a commit, or undefined where it has none. */
  async file(commit: string, path: string): Promise<string | undefined> {
    return this.#git(["show", `${commit}:./${path}`]).catch(() => undefined);
  }

  /** Path of the folder inside its repository: empty at the top, else with a slash at its end. */
  prefix(): Promise<string> {
    return this.#git(["rev-parse", "--show-prefix"]);
  }

  /** Checks a commit out into a new folder; hooks stay out of it. */
  async addWorktree(folder: string, commit: string): Promise<void> {
    await this.#git(["-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--detach", folder, commit]);
  }

  /**
   * Takes a checkout away, with what was written there. Not stopped by Ctrl-C, since it cleans up after it; twice `--force`, since
   * git keeps one locked that it had not finished.
   */
  async removeWorktree(folder: string): Promise<void> {
    await outputOf("git", ["-C", this.#folder, "worktree", "remove", "--force", "--force", folder]);
  }

  async #git(args: readonly string[]): Promise<string> {
    return (await outputOf("git", ["-C", this.#folder, ...args], { signal: this.#signal })).trimEnd();
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}

/** The project at a revision, in a folder where it can be run. */
export interface Checkout {
  /** As the person named it: `main`, `.`. */
  readonly revision: string;
  /** Null for the working tree, with what is not committed. */
  readonly commit: string | null;
  readonly folder: string;
}

/** Where checkouts are made and what they are made of. */
export interface CheckoutOptions {
  readonly repository: Repository;
  /** The working copy, whose installed packages serve a revision with the same lock file. */
  readonly project: string;
  readonly signal: AbortSignal;
  /** Told what takes its time. */
  readonly onStep: (step: string) => void;
}

/** The revision that means the working tree. */
const WORKING_TREE = ".";

/**
 * Checks out two revisions beside the working copy, does something with them, and takes them away again, whatever happens.
 * @throws {Failure} where git knows no such revision, or its packages cannot be installed.
 */
export async function withCheckouts<T>(
  revisions: readonly [string, string],
  options: CheckoutOptions,
  use: (base: Checkout, head: Checkout) => Promise<T>,
): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), "lab-diff-"));
  const made: string[] = [];
  const check = async (revision: string, name: string): Promise<Checkout> => {
    if (revision === WORKING_TREE) return { revision, commit: null, folder: options.project };
    const commit = await options.repository.commit(revision);
    const worktree = join(root, name);
    made.push(worktree);
    await options.repository.addWorktree(worktree, commit);
    const folder = join(worktree, await options.repository.prefix());
    await providePackages(folder, revision, options);
    return { revision, commit, folder };
  };
  try {
    const [base, head] = revisions;
    return await use(await check(base, "base"), await check(head, "head"));
  } finally {
    // One that was never made, or only in part, is no reason to leave the others.
    for (const worktree of made) await options.repository.removeWorktree(worktree).catch(() => undefined);
    // A program that was stopped may still be writing its last file.
    await rm(root, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Links the installed packages where the lock file is the same, else installs those of the revision. */
async function providePackages(folder: string, revision: string, options: CheckoutOptions): Promise<void> {
  const { project, signal, onStep } = options;
  if (!(await isThere(join(folder, "package.json"))) || (await isThere(join(folder, "node_modules")))) return;
  const locks = await Promise.all([project, folder].map((place) => lockOf(place)));
  if (locks[0] === locks[1] && (await isThere(join(project, "node_modules")))) {
    // A junction needs no rights on Windows; elsewhere the type is not looked at.
    return symlink(join(project, "node_modules"), join(folder, "node_modules"), "junction");
  }
  onStep(`installing the packages of ${revision}, whose lock file differs`);
  // Plans need no install scripts, and those of a stranger's revision should not run.
  // With its own level: run by `npm run --silent`, it would keep the reason to itself.
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const { exitCode, stderr } = await run("npm", args, { cwd: folder, signal, env: PLAIN_OUTPUT });
  if (exitCode === 0) return;
  throw new Failure(`npm ${args.join(" ")} failed at ${revision}: ${causeOf(stderr) ?? `exit code ${exitCode}`}`);
}

/** npm says its code first and then what is wrong. */
function causeOf(stderr: string): string | undefined {
  const lines = stderr.split("\n").flatMap((line) => /^npm (?:err\w*!?)\s+(.+)$/i.exec(line)?.[1] ?? []);
  return lines.find((line) => !line.startsWith("code ")) ?? lines[0];
}

async function lockOf(folder: string): Promise<string> {
  return readFile(join(folder, "package-lock.json"), "utf8").catch(() => "");
}

export async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
