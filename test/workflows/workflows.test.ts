import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { parse } from "yaml";
import { z } from "zod";
import { parseSettings } from "../../components/settings.ts";
import { MARKER } from "../../lab/diff/markdown.ts";
import { POLICY_CONFIG_FILE } from "../../lab/policies/report.ts";
import { PROJECT_ROOT } from "../../lab/project.ts";
import { readStack } from "../../lab/stack.ts";
import { leaveOut } from "../support/leave-out.ts";
import { GITHUB_FOLDER, type Job, readWorkflows, type Step } from "./workflows.ts";

const PackageJson = z.object({ dependencies: z.record(z.string(), z.string()) });
const Dependabot = z.object({ updates: z.array(z.object({ "package-ecosystem": z.string() })) });

const workflows = readWorkflows();
const jobs = workflows.flatMap(({ name, workflow }) =>
  Object.entries(workflow.jobs).map(([id, job]) => ({ name, workflow, job, where: `${name}.${id}` })),
);
const steps = jobs.flatMap(({ where, job }) => job.steps.map((step) => ({ where, step })));

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
      ["check", "comment", "deploy", "drift", "preview"].map((name) => [name, name]),
    );
  });

  it("may do no more than they need", () => {
    assert.deepEqual(Object.fromEntries(jobs.map(({ where, job }) => [where, job.permissions])), {
      "check.test": { contents: "read" },
      "check.cluster": { contents: "read" },
      "preview.offline": { contents: "read" },
      "preview.engine": { contents: "read", "id-token": "write", "pull-requests": "write" },
      "comment.comment": { actions: "read", "pull-requests": "write" },
      "deploy.deploy": { contents: "read", "id-token": "write" },
      "drift.detect": { contents: "read", "id-token": "write" },
      "drift.report": { issues: "write" },
    });
  });

  it("end by themselves, and run one at a time where they would meet", () => {
    for (const { where, workflow, job } of jobs) {
      assert.ok(job["timeout-minutes"] <= 90, where);
      assert.ok(job.concurrency ?? workflow.concurrency, `${where} has no concurrency`);
    }
    for (const where of ["deploy.deploy", "drift.detect", "preview.engine"]) {
      assert.match(jobOf(where).concurrency?.group ?? "", /\$\{\{ matrix\.stack \}\}/, where);
    }
    // A group keeps one waiting run, and a newer one of another kind would take its place.
    const groups = jobs.flatMap(({ job }) => job.concurrency?.group.split("-")[0] ?? []);
    assert.equal(groups.filter((group) => group === "deploy").length, 1);
    assert.deepEqual(jobOf("deploy.deploy").concurrency, {
      group: `deploy-${expression("matrix.stack")}`,
      "cancel-in-progress": false,
    });
  });

  it("use actions by digest, with the version beside it, one version of each", () => {
    const pins = new Map<string, string>();
    for (const { name, text } of workflows) {
      for (const [line] of text.matchAll(/^.*\buses:.*$/gm)) {
        const [, action, pin] = /uses: ([\w-]+\/[\w-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)$/.exec(line) ?? [];
        assert.ok(action && pin, `${name}: ${line.trim()}`);
        assert.equal(pins.get(action) ?? pin, pin, `two versions of ${action}`);
        pins.set(action, pin);
      }
    }
    assert.ok(pins.size >= 8);
  });

  it("write no expression into a shell or a script, where what it gives would be run", () => {
    for (const { where, step } of steps) {
      const script = isAction(step, "actions/github-script") ? String(step.with.script) : "";
      assert.doesNotMatch(`${step.run ?? ""}${script}`, /\$\{\{/, where);
    }
  });

  it("leave no token in a checkout", () => {
    for (const { where, step } of steps.filter(({ step }) => isAction(step, "actions/checkout"))) {
      assert.equal(step.with["persist-credentials"], false, where);
    }
  });

  it("run no stranger's code with rights or secrets", () => {
    for (const { name, workflow, text } of workflows) {
      assert.ok(!("pull_request_target" in workflow.on), name);
      if (!("workflow_run" in workflow.on)) continue;
      assert.ok(!text.includes("actions/checkout"), `${name} checks out`);
      assert.ok(!Object.values(workflow.jobs).some((job) => job.steps.some((step) => step.run !== undefined)), name);
    }
    for (const where of ["check.test", "check.cluster", "preview.offline"]) {
      assert.doesNotMatch(JSON.stringify(jobOf(where)), /secrets\.|id-token/, where);
    }
    const guard = "github.event.pull_request.head.repo.full_name == github.repository";
    assert.ok(jobOf("preview.engine").if?.includes(guard));
  });

  it("ask AWS by OIDC, without long-lived keys", () => {
    for (const { text } of workflows) assert.doesNotMatch(text, /aws-access-key-id|AWS_SECRET_ACCESS_KEY/i);
    const logins = steps.filter(({ step }) => isAction(step, "aws-actions/configure-aws-credentials"));
    assert.deepEqual(
      logins.map(({ where, step }) => [where, step.with["role-to-assume"]]),
      [
        ["deploy.deploy", expression("vars.AWS_DEPLOY_ROLE")],
        ["drift.detect", expression("vars.AWS_PREVIEW_ROLE")],
        ["preview.engine", expression("vars.AWS_PREVIEW_ROLE")],
      ],
    );
    for (const { where } of logins) assert.match(jobOf(where).if ?? "", /vars\.AWS_(PREVIEW|DEPLOY)_ROLE != ''/, where);
  });

  it("run the Pulumi of package.json, with the policies, and gate a deployment by its environment", () => {
    const { dependencies } = PackageJson.parse(JSON.parse(readFileSync(`${PROJECT_ROOT}package.json`, "utf8")));
    const pulumi = steps.filter(({ step }) => isAction(step, "pulumi/actions"));
    assert.equal(pulumi.length, 3);
    for (const { where, step } of pulumi) {
      assert.equal(step.with["pulumi-version"], dependencies["@pulumi/pulumi"], where);
      if (step.with.command === undefined) continue;
      assert.equal(step.with.policyPacks, "policies", where);
      assert.equal(step.with.policyPackConfigs, POLICY_CONFIG_FILE, where);
    }
    assert.ok(existsSync(`${PROJECT_ROOT}policies/PulumiPolicy.yaml`));
    assert.equal(jobOf("deploy.deploy").environment, expression("matrix.stack"));
  });

  it("come into the cluster by entries that the settings take, the read-only role with all that a refresh reads", async () => {
    const page = readFileSync(`${PROJECT_ROOT}docs/pull-requests.md`, "utf8");
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
    const { updates } = Dependabot.parse(parse(readFileSync(`${GITHUB_FOLDER}dependabot.yml`, "utf8")));
    assert.deepEqual(
      updates.map((update) => update["package-ecosystem"]),
      ["github-actions"],
    );
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
