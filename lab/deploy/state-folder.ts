import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parse } from "yaml";
import { z } from "zod";
import { PROJECT_ROOT } from "../command-line.ts";
import { isEncrypted } from "../stack-file.ts";
import { portableYaml } from "../yaml.ts";

/** Folder of the project that git ignores and that holds all that `up` keeps. */
export const STATE_ROOT = join(PROJECT_ROOT, ".pulumi-state");

const Memory = z.object({
  /** kubeconfig context that the lab stands on. */
  context: z.string(),
  /** Absolute path of the kubeconfig, where one was named. */
  kubeconfig: z.string().optional(),
  /** Name of the kind cluster, where `up --kind` made it. */
  kind: z.string().optional(),
});
/** What `up` remembers of a stack, so that the next run and `down` find the same cluster. */
export type Memory = z.infer<typeof Memory>;

/** The files of one stack under {@link STATE_ROOT}. */
export class StateFolder {
  readonly stack: string;
  readonly #root: string;
  readonly #source: string;

  /** Tests name another folder, and another project than this one. */
  constructor(stack: string, root: string = STATE_ROOT, source: string = PROJECT_ROOT) {
    this.stack = stack;
    this.#root = root;
    this.#source = source;
  }

  /** Where the CLI stands: a project of its own, since the CLI writes a salt into the stack's file beside Pulumi.yaml. */
  get project(): string {
    return join(this.#root, this.stack);
  }

  /** Pulumi's file backend. */
  get backend(): string {
    return pathToFileURL(join(this.#root, "backend")).href;
  }

  async memory(): Promise<Memory | undefined> {
    const text = await readFile(this.#memoryFile, "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    const found = Memory.safeParse(JSON.parse(text));
    return found.success ? found.data : undefined;
  }

  async remember(memory: Memory): Promise<void> {
    await mkdir(this.project, { recursive: true });
    await writeFile(this.#memoryFile, `${JSON.stringify(memory)}\n`);
  }

  async forget(): Promise<void> {
    await rm(this.project, { recursive: true, force: true });
  }

  /**
   * Writes Pulumi.yaml and the stack's file, with the cluster that is used. The salt that the CLI wrote before is kept: without it
   * the state's secrets cannot be read.
   */
  async writeProject({ context, kubeconfig }: Memory): Promise<void> {
    await mkdir(join(this.#root, "backend"), { recursive: true });
    await mkdir(this.project, { recursive: true });
    const file = `Pulumi.${this.stack}.yaml`;
    const project: unknown = parse(await readFile(join(this.#source, "Pulumi.yaml"), "utf8"));
    const stack: unknown = parse(await readFile(join(this.#source, file), "utf8"));
    const before: unknown = parse(await readFile(join(this.project, file), "utf8").catch(() => "{}"));
    const main = `${this.#source.replace(/[\\/]$/, "")}/`;
    await writeFile(join(this.project, "Pulumi.yaml"), portableYaml({ ...group(project), main }));
    await writeFile(
      join(this.project, file),
      portableYaml(
        stackFile(
          String(group(project).name),
          group(stack),
          group(before),
          kubeconfig === undefined ? { context } : { context, kubeconfig },
        ),
      ),
    );
  }

  get #memoryFile(): string {
    return join(this.project, "lab.json");
  }
}

/** Keys by which the CLI notes in a stack's file how its secrets are encrypted. */
const ENCRYPTION = ["encryptionsalt", "encryptedkey", "secretsprovider"];

/**
 * The stack's file with another context or kubeconfig in `PROJECT:cluster`, and the salt of the file before it. `pulumi stack init` in
 * the person's own folder notes another encryption in theirs: it counts only where secrets in that file were made with it.
 */
export function stackFile(name: string, stack: Group, before: Group, cluster: Readonly<Record<string, string>>): Group {
  const key = `${name}:cluster`;
  const config = group(stack.config);
  const salt = before.encryptionsalt === undefined ? {} : { encryptionsalt: before.encryptionsalt };
  const left = holdsSecret(config) ? [] : ENCRYPTION;
  const own = Object.entries(stack).filter(([entry]) => !left.includes(entry));
  return { ...salt, ...Object.fromEntries(own), config: { ...config, [key]: { ...group(config[key]), ...cluster } } };
}

/** Whether an encrypted value is in there. */
function holdsSecret(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsSecret);
  return isGroup(value) && (isEncrypted(value) || Object.values(value).some(holdsSecret));
}

type Group = Readonly<Record<string, unknown>>;

function isGroup(value: unknown): value is Group {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function group(value: unknown): Group {
  return isGroup(value) ? value : {};
}
