import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { nextCommand, recover, recoveryText } from "../../../lab/deploy/recovery.ts";
import { StateFolder } from "../../../lab/deploy/state.ts";
import { object, URN } from "./fake-pulumi.ts";
import { interruptedRun } from "./interrupted-run.ts";

describe("recover", () => {
  const scene = interruptedRun();
  const ROLE = "urn:pulumi:local::lab::eks-dns-logging:cluster:EksCluster$aws:iam/role:Role::node";
  const provider = { urn: `${URN}provider::k8s`, type: "pulumi:providers:kubernetes", custom: true, id: "1" };
  const pending = (resource: object) => ({
    type: "creating",
    resource: { ...resource, provider: `${provider.urn}::1` },
  });
  const state = (kubeconfig: unknown) => ({
    version: 3,
    deployment: {
      resources: [{ ...provider, inputs: { kubeconfig, context: "two" } }],
      pending_operations: [
        pending(object("Service", "curl-ts")),
        pending(object("Pod", "never-made")),
        pending({ urn: ROLE, type: "aws:iam/role:Role", inputs: {} }),
      ],
    },
  });
  const saved = async () => JSON.parse(await readFile(join(scene.folder.project, "state.json"), "utf8")).deployment;
  const write = (file: string, text: string) => writeFile(join(scene.folder.project, file), text);
  const backend = () => join(scene.root, "own");
  /** Recovers a stack that `up` has not deployed. */
  const own = () =>
    recover("local", { project: scene.folder.project, folder: new StateFolder("local", join(scene.root, "none")) });

  beforeEach(() => write("whoami.json", JSON.stringify({ user: "me", url: `file://${backend()}` })));

  it("adds what a killed run created to the state in the user's own backend, and names the rest", async () => {
    // An EKS stack's provider has the contents of a kubeconfig, as a secret.
    const text = JSON.stringify(await readFile(join(scene.root, "kubeconfig"), "utf8"));
    const files = [{ "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", plaintext: text }, ""];
    for (const kubeconfig of [...files, join(scene.root, "kubeconfig")]) {
      await write("state.json", JSON.stringify(state(kubeconfig)));
      assert.deepEqual(await own(), {
        adopted: [`${URN}Service::curl-ts`],
        missing: [`${URN}Pod::never-made`],
        unknown: [ROLE],
      });
      const { resources, pending_operations } = await saved();
      assert.deepEqual(
        resources.map(({ id }: { id: string }) => id),
        ["1", "ts-team/curl-ts"],
      );
      assert.equal(pending_operations, undefined);
    }
    const refresh = (await scene.asked()).find((line) => line.startsWith("refresh "));
    assert.ok(refresh?.includes(`--target ${URN}Service::curl-ts`), refresh);
    assert.equal(await own(), undefined);
  });

  it("releases the lock of a dead run, and waits for one that may be alive", async () => {
    await write("state.json", JSON.stringify(state("")));
    const locks = join(backend(), ".pulumi", "locks", "organization", "eks-dns-logging", "local");
    await mkdir(locks, { recursive: true });
    const lock = (pid: number, host: string) =>
      writeFile(join(locks, "1.json"), JSON.stringify({ pid, username: "me", hostname: host }));
    await lock(process.pid, hostname());
    await assert.rejects(own(), /^Failure: another run is using stack 'local'/);
    await lock(1, "elsewhere");
    await assert.rejects(own(), /\(process 1 on elsewhere\): wait until it ends$/);
    assert.deepEqual(
      (await scene.asked()).filter((line) => line.startsWith("cancel")),
      [],
    );
    await lock(2 ** 22 + 1, hostname());
    assert.ok(await own());
    assert.equal((await scene.asked()).filter((line) => line.startsWith("cancel")).length, 1);
  });

  it("repairs the state of `up` if that has deployed the stack, and names `up` to continue", async () => {
    assert.equal(await nextCommand("local", scene.folder), "pulumi up --refresh --stack local");
    await write("state.json", JSON.stringify({ version: 3, deployment: {} }));
    await scene.folder.remember({
      context: "two",
      unanswered: [object("Service", "curl-ts"), object("Pod", "never-made")],
    });
    assert.deepEqual(await recover("local", { project: join(scene.root, "elsewhere"), folder: scene.folder }), {
      adopted: [`${URN}Service::curl-ts`],
      missing: [`${URN}Pod::never-made`],
      unknown: [],
    });
    assert.deepEqual(
      (await saved()).resources.map(({ id }: { id: string }) => id),
      ["ts-team/curl-ts"],
    );
    assert.deepEqual(await scene.folder.memory(), { context: "two" });
    assert.equal(await recover("local", { folder: scene.folder }), undefined);
    const next = await nextCommand("local", scene.folder);
    assert.equal(
      recoveryText("local", undefined, next),
      "No operation is pending: continue with `npm run lab -- up --stack local`.\n",
    );
  });

  it("needs no CLI to learn that there is no such stack", async () => {
    const options = { project: scene.folder.project, folder: new StateFolder("nope", join(scene.root, "none")) };
    const message = "no stack 'acme/nope' (file Pulumi.nope.yaml); found: local";
    await assert.rejects(recover("acme/nope", options), { message });
    await assert.rejects(scene.asked(), { code: "ENOENT" });
  });

  it("says in one line why the stack cannot be opened", async () => {
    await write("state.json", JSON.stringify(state("")));
    await write("sealed", "error: incorrect passphrase\n");
    await assert.rejects(own(), {
      message: "stack 'local' cannot be opened: incorrect passphrase",
    });
  });

  it("reports the outcome for each resource, and what to do next", async () => {
    await write("state.json", JSON.stringify(state("")));
    const text = recoveryText("local", await own());
    assert.match(text, /^Created by the killed run, now in the state:\n {2}kubernetes:core\/v1:Service curl-ts\n/);
    assert.match(text, /Not created yet:\n {2}kubernetes:core\/v1:Pod never-made\n/);
    assert.match(text, /import it with `pulumi import TYPE NAME ID`\):\n {2}aws:iam\/role:Role node\n/);
    assert.match(text, /\nContinue with `pulumi up --refresh --stack local`\.\n$/);
    assert.equal(
      recoveryText("local", undefined),
      "No operation is pending: continue with `pulumi up --refresh --stack local`.\n",
    );
  });
});
