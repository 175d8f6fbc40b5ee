import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Failure } from "../failure.ts";

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
      throw new Failure(
        codeOf(error) === "ENOENT"
          ? "git is not on the PATH: lab diff reads the two revisions by it"
          : `${folder} is not in a git repository, so there are no revisions to compare`,
        2,
      );
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
        `git knows no revision '${revision}': give a commit, a branch or a tag that is here (in a shallow clone, fetch it first)`,
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
    await promisify(execFile)("git", ["-C", this.#folder, "worktree", "remove", "--force", "--force", folder]);
  }

  async #git(args: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)("git", ["-C", this.#folder, ...args], {
      signal: this.#signal,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout.trimEnd();
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}
