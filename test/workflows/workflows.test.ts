import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { z } from "zod";
import { parseSettings } from "../../components/settings.ts";
import { PROJECT_ROOT } from "../../lab/command-line.ts";
import { MARKER } from "../../lab/diff/diff-report.ts";
import { POLICY_CONFIG_FILE } from "../../lab/plan/policy-report.ts";
import { readStack } from "../../lab/stack-file.ts";
import { COMMIT_TYPES } from "../../tools/release/commits.ts";
import { leaveOut } from "../support/leave-out.ts";
import { GITHUB_FOLDER, type Job, readActions, readWorkflows, readYaml, type Step } from "./workflows.ts";

const Lock = z.object({ packages: z.record(z.string(), z.looseObject({ link: z.boolean().optional() })) });
const Dependabot = z.object({
  updates: z.array(
    z.looseObject({
      "package-ecosystem": z.string(),
      directory: z.string().optional(),
      directories: z.array(z.string()).optional(),
      "commit-message": z.strictObject({ prefix: z.enum(COMMIT_TYPES), include: z.literal("scope") }),
    }),
  ),
});

const workflows = readWorkflows();
const actions = readActions();
const all = workflows.flatMap(({ name, workflow }) =>
  Object.entries(workflow.jobs).map(([id, job]) => ({ name, workflow, job, where: `${name}.${id}` })),
);
const jobs = all.flatMap(({ job, ...rest }) => ("steps" in job ? [{ ...rest, job }] : []));
const calls = all.flatMap(({ job, ...rest }) => ("uses" in job ? [{ ...rest, job }] : []));
const steps = [
  ...jobs.flatMap(({ where, job }) => job.steps.map((step) => ({ where, step }))),
  ...actions.flatMap((action) => action.steps.map((step) => ({ where: `action ${action.name}`, step }))),
];

/** As a workflow writes it. */
function expression(inner: string): string {
  return `\${{ ${inner} }}`;
}

function jobOf(where: string): Job {
  const found = jobs.find((candidate) => candidate.where === where);
  assert.ok(found, where);
  return found.job;
}

function isAction(step: Step, action: string): boolean {
  return step.uses?.startsWith(`${action}@`) ?? false;
}

describe("the workflows", () => {
  it("are these, each with its permissions and limits", () => {
    assert.deepEqual(
      workflows.map(({ name, workflow }) => [name, workflow.name]),
      ["check", "comment", "deploy-stack", "deploy", "drift", "preview", "release"].map((name) => [name, name]),
    );
  });

  it("may do no more than they need", () => {
    assert.deepEqual(Object.fromEntries(all.map(({ where, job }) => [where, job.permissions])), {
      "check.test": { contents: "read" },
      "check.commits": { contents: "read" },
      "check.cluster": { contents: "read" },
      "preview.offline": { contents: "read" },
      "preview.engine": { contents: "read", "id-token": "write" },
      "preview.result": {},
      "comment.comment": { actions: "read", "pull-requests": "write" },
      "deploy.stack": { contents: "read", "id-token": "write" },
      "deploy-stack.approve": {},
      "deploy-stack.deploy": { contents: "read", "id-token": "write" },
      "drift.detect": { contents: "read", "id-token": "write" },
      "drift.report": { issues: "write" },
      "release.test": { contents: "read" },
      "release.publish": { contents: "write", "id-token": "write", attestations: "write" },
      "release.npm": { "id-token": "write" },
    });
  });

  it("end by themselves, and run one at a time where they would meet", () => {
    for (const { where, workflow, job } of jobs) {
      assert.ok(job["timeout-minutes"] <= 90, where);
      assert.ok(job.concurrency ?? workflow.concurrency, `${where} has no concurrency`);
    }
    for (const where of ["drift.detect", "preview.engine"]) {
      assert.match(jobOf(where).concurrency?.group ?? "", /\$\{\{ matrix\.stack \}\}/, where);
    }
    // A group keeps one waiting run, and a newer one of another kind would replace it.
    const groups = jobs.flatMap(({ job, workflow }) => job.concurrency?.group ?? workflow.concurrency?.group ?? []);
    const kinds = groups.map((group) => group.replace(/\$\{\{.*?\}\}/g, "*"));
    assert.deepEqual(
      kinds.filter((kind, index) => kinds.indexOf(kind) !== index),
      ["check-*", "check-*", "release-*", "release-*"],
    );
  });

  it("deploy one at a time, while an approval that nobody gives holds up no newer commit", () => {
    const [call] = calls;
    assert.deepEqual(
      calls.map(({ where, job }) => [where, job.uses, job.with]),
      [["deploy.stack", "./.github/workflows/deploy-stack.yml", { stack: expression("matrix.stack") }]],
    );
    assert.equal(call?.job.strategy?.["max-parallel"], 1);
    const [approve, deploy] = [jobOf("deploy-stack.approve"), jobOf("deploy-stack.deploy")];
    // A job that waits for the reviewers of its environment holds its group: the two must not share one.
    assert.deepEqual(approve.concurrency, {
      group: `approve-${expression("inputs.stack")}`,
      "cancel-in-progress": true,
    });
    assert.deepEqual(deploy.concurrency, {
      group: `deploy-${expression("inputs.stack")}`,
      "cancel-in-progress": false,
    });
    assert.equal(deploy.needs, "approve");
    assert.notEqual(approve.environment, deploy.environment);
    // What may be cancelled must do nothing.
    assert.deepEqual(approve.steps, [{ run: 'echo "approved"', with: {}, env: {} }]);
  });

  it("preview with the policies before they deploy, and read the cluster in both", () => {
    const commands = steps.flatMap(({ where, step }) =>
      [...(step.run ?? "").replaceAll("\\\n", " ").matchAll(/pulumi (up|preview|refresh)\b.*/g)].map(([command]) => ({
        where,
        command,
      })),
    );
    assert.deepEqual(
      commands.map(({ where, command }) => [where, command.split(" ")[1]]),
      [
        ["deploy-stack.deploy", "up"],
        ["drift.detect", "refresh"],
        ["preview.engine", "preview"],
      ],
    );
    for (const { where, command } of commands) {
      assert.doesNotMatch(command, /--skip-preview|\s-f\b/, where);
      assert.match(command, /--non-interactive/, where);
      if (where === "drift.detect") continue;
      assert.match(command, /--refresh(?=\s)/, where);
      assert.match(command, new RegExp(`--policy-pack policies --policy-pack-config ${POLICY_CONFIG_FILE}`), where);
    }
    assert.ok(existsSync(`${PROJECT_ROOT}policies/PulumiPolicy.yaml`));
    // pulumi/actions adds --skip-preview to `up`, and comments on a pull request after success alone: it only installs.
    for (const { where, step } of steps.filter(({ step }) => isAction(step, "pulumi/actions")))
      assert.deepEqual(Object.keys(step.with), ["pulumi-version-file"], where);
  });

  it("have one check to require, which reports for forks and Dependabot too", () => {
    const result = jobOf("preview.result");
    assert.equal(result.if, expression("always()"));
    assert.equal(result.strategy, undefined);
    assert.deepEqual(
      result.needs,
      jobs
        .filter(({ name, where }) => name === "preview" && where !== "preview.result")
        .map(({ where }) => where.slice(8)),
    );
    // The others that a branch protection may name have no matrix, whose legs report nothing when the job is skipped.
    for (const where of ["check.test", "check.commits", "check.cluster"])
      assert.equal(jobOf(where).strategy, undefined);
  });

  it("use actions by digest, with the version beside it, one version of each", () => {
    const pins = new Map<string, string>();
    for (const { name, text } of [...workflows, ...actions]) {
      for (const [line] of text.matchAll(/^.*\buses:.*$/gm)) {
        if (line.includes("uses: ./.github/")) continue;
        const [, action, pin] = /uses: ([\w-]+\/[\w-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)$/.exec(line) ?? [];
        assert.ok(action && pin, `${name}: ${line.trim()}`);
        assert.equal(pins.get(action) ?? pin, pin, `two versions of ${action}`);
        pins.set(action, pin);
      }
    }
    assert.ok(pins.size >= 9);
  });

  it("write no expression into a shell or a script, where what it gives would be run", () => {
    for (const { where, step } of steps) {
      const script = isAction(step, "actions/github-script") ? String(step.with.script) : "";
      assert.doesNotMatch(`${step.run ?? ""}${script}`, /\$\{\{/, where);
    }
  });

  it("leave no token in a checkout", () => {
    const checkouts = steps.filter(({ step }) => isAction(step, "actions/checkout"));
    assert.ok(checkouts.length > 1);
    for (const { where, step } of checkouts) assert.equal(step.with["persist-credentials"], false, where);
  });

  it("run no stranger's code with rights or secrets", () => {
    for (const { name, workflow, text } of workflows) {
      assert.ok(!("pull_request_target" in workflow.on), name);
      if (!("workflow_run" in workflow.on)) continue;
      assert.ok(!text.includes("actions/checkout"), `${name} checks out`);
      assert.ok(!JSON.stringify(workflow.jobs).includes('"run":'), name);
    }
    for (const where of ["check.test", "check.commits", "check.cluster", "preview.offline", "preview.result"]) {
      assert.doesNotMatch(JSON.stringify(jobOf(where)), /secrets\.|id-token/, where);
    }
    const guard = "github.event.pull_request.head.repo.full_name == github.repository";
    assert.ok(jobOf("preview.engine").if?.includes(guard));
    // A run that Dependabot starts gets no secrets, and would fail.
    assert.ok(jobOf("preview.engine").if?.includes("&& github.actor != 'dependabot[bot]'"));
    // Nothing that a package runs when it is installed gets the right to publish.
    for (const where of ["release.publish", "release.npm"])
      assert.doesNotMatch(
        JSON.stringify(jobOf(where)),
        /npm (ci|install|test|run)|checkout.*npm publish|secrets\./,
        where,
      );
  });

  it("ask AWS by OIDC, without long-lived keys", () => {
    for (const { text } of workflows) assert.doesNotMatch(text, /aws-access-key-id|AWS_SECRET_ACCESS_KEY/i);
    const logins = steps.filter(({ step }) => isAction(step, "aws-actions/configure-aws-credentials"));
    assert.deepEqual(
      logins.map(({ where, step }) => [where, step.with["role-to-assume"]]),
      [
        ["deploy-stack.deploy", expression("vars.AWS_DEPLOY_ROLE")],
        ["drift.detect", expression("vars.AWS_PREVIEW_ROLE")],
        ["preview.engine", expression("vars.AWS_PREVIEW_ROLE")],
      ],
    );
    for (const where of ["deploy.stack", "drift.detect", "preview.engine"]) {
      const { if: condition = "" } = all.find((candidate) => candidate.where === where)?.job ?? {};
      assert.match(condition, /vars\.AWS_(PREVIEW|DEPLOY)_ROLE != ''/, where);
    }
  });

  it("come into the cluster by entries that the settings take, the read-only role with all that a refresh reads", async () => {
    const page = readFileSync(`${PROJECT_ROOT}docs/how-to/pull-requests.md`, "utf8");
    const example = parse(/```yaml\n([^`]*accessEntries[^`]*)```/.exec(page)?.[1] ?? "")["eks-dns-logging:cluster"];
    const { config } = await readStack("dev");
    const cluster = { ...JSON.parse(config["eks-dns-logging:cluster"] ?? ""), ...example };
    const settings = parseSettings({ ...config, "eks-dns-logging:cluster": JSON.stringify(cluster) });
    assert.ok(settings.cluster.kind === "eks");
    // The view policy without "Admin" shows neither roles nor their bindings, which the program makes.
    assert.deepEqual(
      settings.cluster.accessEntries.map(({ policy }) => policy),
      ["AmazonEKSAdminViewPolicy", "AmazonEKSClusterAdminPolicy"],
    );
  });

  it("find the comment again by the marker that lab diff writes", () => {
    assert.ok(workflows.find(({ name }) => name === "comment")?.text.includes(`const MARKER = "${MARKER}";`));
  });

  it("are kept new by Dependabot", () => {
    const { updates } = Dependabot.parse(readYaml(`${GITHUB_FOLDER}dependabot.yml`).value);
    assert.deepEqual(
      updates.map((update) => [update["package-ecosystem"], update.directories ?? update.directory]),
      [
        ["github-actions", ["/", "/.github/actions/*"]],
        ["npm", "/"],
      ],
    );
    // One lock file has all workspaces.
    const { packages } = Lock.parse(JSON.parse(readFileSync(`${PROJECT_ROOT}package-lock.json`, "utf8")));
    const manifests = globSync("*/package.json", { cwd: PROJECT_ROOT }).map((file) => dirname(file));
    assert.ok(manifests.includes("policies"));
    for (const workspace of manifests) assert.ok(workspace in packages, workspace);
  });

  it("pass actionlint", async function () {
    if (spawnSync("actionlint", ["-version"]).status !== 0)
      return leaveOut(
        this,
        "no actionlint on the PATH, which `go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12` puts there",
      );
    await promisify(execFile)(
      "actionlint",
      workflows.map(({ path }) => path),
    );
  });
});
