import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { type Diff, diff } from "../../../lab/diff/diff.ts";
import type { PlannedResourceDocument } from "../../../lab/diff/document.ts";

/** Prints the plan that stands in `STACK.plan.json`, or fails as it says in `STACK.fails`. */
const MAIN = `
import { existsSync, readFileSync } from "node:fs";
const stack = process.argv[process.argv.indexOf("--stack") + 1];
if (existsSync(stack + ".fails")) {
  process.stderr.write(readFileSync(stack + ".fails", "utf8"));
  process.exitCode = 2;
} else process.stdout.write(readFileSync(stack + ".plan.json", "utf8"));
`;

/** A project in a git repository of its own, whose lab does nothing but print plans. */
export class Project {
  readonly folder: string;
  /** Where the project is inside the repository. */
  readonly inside: string;

  private constructor(folder: string, inside: string) {
    this.folder = join(folder, inside);
    this.inside = inside;
  }

  static async create(inside = ""): Promise<Project> {
    const folder = await mkdtemp(join(tmpdir(), "lab-diff-test-"));
    const project = new Project(folder, inside);
    await mkdir(project.folder, { recursive: true });
    await project.git("init", "--quiet", "--initial-branch=main");
    return project;
  }

  async git(...args: readonly string[]): Promise<string> {
    const identity = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
    const { stdout } = await promisify(execFile)("git", ["-C", this.folder, ...identity, ...args]);
    return stdout.trim();
  }

  async write(file: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.folder, file)), { recursive: true });
    await writeFile(join(this.folder, file), text);
  }

  async stack(name: string, ...resources: readonly PlannedResourceDocument[]): Promise<void> {
    await this.write("lab/main.ts", MAIN);
    await this.write(`Pulumi.${name}.yaml`, "config: {}\n");
    await this.write(`${name}.plan.json`, JSON.stringify({ stack: name, resources }));
  }

  async commit(): Promise<string> {
    await this.git("add", "--all");
    await this.git("commit", "--quiet", "--message", "change");
    return this.git("rev-parse", "HEAD");
  }

  diff(
    base: string,
    head: string,
    options: { readonly stacks?: readonly string[]; readonly onStep?: (step: string) => void } = {},
    signal: AbortSignal = new AbortController().signal,
  ): Promise<Diff> {
    const { stacks = [], onStep = () => undefined } = options;
    return diff({ base, head, stacks, project: this.folder, signal, onStep });
  }

  /** Checkouts that git still knows, beside the working copy. */
  async checkouts(): Promise<string[]> {
    return (await this.git("worktree", "list", "--porcelain")).match(/^worktree .+/gm)?.slice(1) ?? [];
  }

  async remove(): Promise<void> {
    await rm(this.inside === "" ? this.folder : dirname(this.folder), { recursive: true, force: true });
  }
}
