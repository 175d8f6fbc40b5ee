/**
 * Checks the subject of each commit that HEAD has and BASE lacks: `npm run commits [BASE]`.
 *
 * @see https://www.conventionalcommits.org/en/v1.0.0/
 */
import { execFileSync } from "node:child_process";
import { argv, exit, stderr, stdout } from "node:process";

export const COMMIT_TYPES = [
  "feat",
  "fix",
  "refactor",
  "test",
  "docs",
  "perf",
  "build",
  "ci",
  "chore",
  "revert",
] as const;
const MAX_SUBJECT_LENGTH = 72;

const SUBJECT = new RegExp(`^(${COMMIT_TYPES.join("|")})\\([a-z0-9][a-z0-9-]*\\)!?: [a-z0-9\`'"].*[^.\\s]$`);

/** Why a commit subject breaks the rule, or undefined if it keeps it. */
export function subjectIssue(subject: string): string | undefined {
  if (subject.length > MAX_SUBJECT_LENGTH)
    return `must be at most ${MAX_SUBJECT_LENGTH} characters (found ${subject.length})`;
  if (!SUBJECT.test(subject))
    return `must be "type(scope): subject", with a type of ${COMMIT_TYPES.join(", ")}, in lower case and without a final period`;
  return undefined;
}

function subjects(base: string): string[] {
  const log = execFileSync("git", ["log", "--no-merges", "--format=%s", `${base}..HEAD`], { encoding: "utf8" });
  return log.split("\n").filter((line) => line !== "");
}

if (import.meta.main) {
  const base = argv[2] ?? "origin/main";
  const checked = subjects(base);
  const issues = checked.flatMap((subject) => {
    const issue = subjectIssue(subject);
    return issue === undefined ? [] : [`  ${JSON.stringify(subject)}: ${issue}\n`];
  });
  stdout.write(`${checked.length} commit subjects since ${base}, ${issues.length} invalid\n`);
  stderr.write(issues.join(""));
  if (issues.length > 0) exit(1);
}
