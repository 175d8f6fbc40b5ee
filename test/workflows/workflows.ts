import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseDocument } from "yaml";
import { z } from "zod";

const Step = z.looseObject({
  uses: z.string().optional(),
  run: z.string().optional(),
  if: z.string().optional(),
  with: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
});

const Job = z.looseObject({
  if: z.string().optional(),
  permissions: z.record(z.string(), z.enum(["read", "write", "none"])),
  "timeout-minutes": z.number(),
  concurrency: z.looseObject({ group: z.string() }).optional(),
  environment: z.string().optional(),
  steps: z.array(Step),
});

/** What the tests read of a workflow. Every job must have its permissions and its limit. */
const Workflow = z.looseObject({
  name: z.string(),
  on: z.record(z.string(), z.unknown()),
  permissions: z.strictObject({}),
  concurrency: z.looseObject({ group: z.string() }).optional(),
  jobs: z.record(z.string(), Job),
});

export interface WorkflowFile {
  readonly name: string;
  readonly path: string;
  readonly text: string;
  readonly workflow: z.infer<typeof Workflow>;
}

export type Job = z.infer<typeof Job>;
export type Step = z.infer<typeof Step>;

export const GITHUB_FOLDER = fileURLToPath(new URL("../../.github/", import.meta.url));

export function readWorkflows(): WorkflowFile[] {
  const folder = `${GITHUB_FOLDER}workflows/`;
  return readdirSync(folder)
    .sort()
    .map((file) => {
      const text = readFileSync(`${folder}${file}`, "utf8");
      const document = parseDocument(text, { strict: true, uniqueKeys: true });
      const [issue] = [...document.errors, ...document.warnings];
      if (issue !== undefined) throw new Error(`${file}: ${issue.message}`);
      return {
        name: file.replace(/\.yml$/, ""),
        path: `${folder}${file}`,
        text,
        workflow: Workflow.parse(document.toJS()),
      };
    });
}

/** The script that a workflow gives to actions/github-script. */
export function scriptOf(name: string): string {
  const file = readWorkflows().find((candidate) => candidate.name === name);
  const steps = Object.values(file?.workflow.jobs ?? {}).flatMap((job) => job.steps);
  const script = steps.find((step) => step.uses?.startsWith("actions/github-script@"))?.with.script;
  if (typeof script !== "string") throw new Error(`${name} has no script`);
  return script;
}
