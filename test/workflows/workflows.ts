import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseDocument } from "yaml";
import { z } from "zod";

const Step = z.looseObject({
  name: z.string().optional(),
  uses: z.string().optional(),
  run: z.string().optional(),
  if: z.string().optional(),
  with: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  env: z.record(z.string(), z.string()).default({}),
});

const Concurrency = z.strictObject({ group: z.string(), "cancel-in-progress": z.union([z.boolean(), z.string()]) });

/** A job of its own, with its permissions and time limit. */
const Job = z.looseObject({
  if: z.string().optional(),
  needs: z.union([z.string(), z.array(z.string())]).optional(),
  permissions: z.record(z.string(), z.enum(["read", "write", "none"])),
  strategy: z.looseObject({}).optional(),
  "timeout-minutes": z.number(),
  concurrency: Concurrency.optional(),
  environment: z.string().optional(),
  steps: z.array(Step),
});

/** A job that another workflow runs. */
const Call = z.strictObject({
  if: z.string().optional(),
  permissions: z.record(z.string(), z.enum(["read", "write", "none"])),
  strategy: z.looseObject({}).optional(),
  uses: z.string().regex(/^\.\/\.github\/workflows\/[\w-]+\.yml$/),
  with: z.record(z.string(), z.string()),
  secrets: z.record(z.string(), z.string()),
});

/** What the tests read of a workflow. Every job must have its permissions and its limit. */
const Workflow = z.looseObject({
  name: z.string(),
  on: z.record(z.string(), z.unknown()),
  permissions: z.strictObject({}),
  concurrency: Concurrency.optional(),
  jobs: z.record(z.string(), z.union([Call, Job])),
});

const Action = z.looseObject({ runs: z.looseObject({ using: z.literal("composite"), steps: z.array(Step) }) });

export interface WorkflowFile {
  readonly name: string;
  readonly path: string;
  readonly text: string;
  readonly workflow: z.infer<typeof Workflow>;
}

export interface ActionFile {
  readonly name: string;
  readonly text: string;
  readonly steps: readonly Step[];
}

export type Job = z.infer<typeof Job>;
export type Call = z.infer<typeof Call>;
export type Step = z.infer<typeof Step>;

export const GITHUB_FOLDER = fileURLToPath(new URL("../../.github/", import.meta.url));

/** A YAML file of GitHub's, with what the parser says against it as an error. */
export function readYaml(path: string): { readonly text: string; readonly value: unknown } {
  const text = readFileSync(path, "utf8");
  const document = parseDocument(text, { strict: true, uniqueKeys: true });
  const [issue] = [...document.errors, ...document.warnings];
  if (issue !== undefined) throw new Error(`${path}: ${issue.message}`);
  return { text, value: document.toJS() };
}

let workflows: readonly WorkflowFile[] | undefined;

/** All workflows, read once. */
export function readWorkflows(): readonly WorkflowFile[] {
  const folder = `${GITHUB_FOLDER}workflows/`;
  workflows ??= readdirSync(folder)
    .sort()
    .map((file) => {
      const path = `${folder}${file}`;
      const { text, value } = readYaml(path);
      return { name: file.replace(/\.yml$/, ""), path, text, workflow: Workflow.parse(value) };
    });
  return workflows;
}

export function readActions(): ActionFile[] {
  const folder = `${GITHUB_FOLDER}actions/`;
  return readdirSync(folder).map((name) => {
    const { text, value } = readYaml(`${folder}${name}/action.yml`);
    return { name, text, steps: Action.parse(value).runs.steps };
  });
}

/** A step of a workflow by its name, or the first step with a shell script. */
export function stepOf(workflow: string, job: string, name?: string): Step {
  const found = readWorkflows().find((candidate) => candidate.name === workflow)?.workflow.jobs[job];
  const steps = found !== undefined && "steps" in found ? found.steps : [];
  const step = steps.find((candidate) => (name === undefined ? candidate.run !== undefined : candidate.name === name));
  if (step === undefined) throw new Error(`${workflow}.${job} has no such step`);
  return step;
}

/** The script that a workflow gives to actions/github-script. */
export function scriptOf(name: string): string {
  const file = readWorkflows().find((candidate) => candidate.name === name);
  const steps = Object.values(file?.workflow.jobs ?? {}).flatMap((job) => ("steps" in job ? job.steps : []));
  const script = steps.find((step) => step.uses?.startsWith("actions/github-script@"))?.with.script;
  if (typeof script !== "string") throw new Error(`${name} has no script`);
  return script;
}
