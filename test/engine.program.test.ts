import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type EngineEvent, LocalWorkspace, PulumiCommand } from "@pulumi/pulumi/automation/index.js";
import { PROJECT_ROOT } from "../lab/command-line.ts";
import { leaveOut } from "./support/leave-out.ts";

/** A Pulumi CLI such as `/opt/pulumi/bin/pulumi`, with the Node language host and the Kubernetes provider beside it. */
const COMMAND = process.env.PULUMI_COMMAND;

/** Pulumi writes a new stack's encryption into it. */
const STACK_FILE = join(PROJECT_ROOT, "Pulumi.local.yaml");

describe("the stack local in Pulumi's engine", function () {
  this.timeout(300_000);
  let state: string | undefined;
  let stackFile: string | undefined;
  before(async function () {
    if (COMMAND === undefined) leaveOut(this, "PULUMI_COMMAND names no Pulumi CLI");
    else if (spawnSync(COMMAND, ["version"]).error !== undefined) leaveOut(this, `${COMMAND} does not start`);
    else if (process.env.KUBECONFIG === undefined) leaveOut(this, "KUBECONFIG names no cluster");
    state = await mkdtemp(join(tmpdir(), "engine-"));
    stackFile = await readFile(STACK_FILE, "utf8");
  });
  after(async () => {
    if (stackFile !== undefined) await writeFile(STACK_FILE, stackFile);
    if (state !== undefined) await rm(state, { recursive: true, force: true });
  });

  it("has a first preview that breaks no mandatory rule and leaves none undecided", async () => {
    assert.ok(COMMAND !== undefined);
    const stack = await LocalWorkspace.createOrSelectStack(
      { stackName: "local", workDir: PROJECT_ROOT },
      {
        pulumiCommand: await PulumiCommand.get({ root: dirname(dirname(COMMAND)), skipVersionCheck: true }),
        envVars: {
          PULUMI_BACKEND_URL: `file://${state}`,
          PULUMI_CONFIG_PASSPHRASE: "test",
          PATH: `${dirname(COMMAND)}:${process.env.PATH ?? ""}`,
        },
      },
    );
    const events: EngineEvent[] = [];
    await stack.preview({
      policyPacks: ["policies"],
      policyPackConfigs: ["policy-config.json"],
      onEvent: (event) => events.push(event),
    });
    const violated = events.flatMap(({ policyEvent }) => policyEvent ?? []);
    assert.deepEqual(
      violated.filter(({ enforcementLevel }) => enforcementLevel === "mandatory").map(({ message }) => message),
      [],
    );
    assert.ok(violated.some(({ policyName }) => policyName === "exemptions"));
    const created = events.filter(({ resourcePreEvent }) => resourcePreEvent?.metadata.op === "create");
    assert.ok(created.length >= 30, String(created.length));
  });
});
