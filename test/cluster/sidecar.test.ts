import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubernetesObject } from "@kubernetes/client-node";
import { stringify } from "yaml";
import { runLab } from "../support/run-lab.ts";
import { readManifests, TestCluster, until } from "./cluster.ts";

describe("a sidecar on a real cluster", () => {
  const cluster = new TestCluster();
  let folder: string;
  let stack: readonly string[];
  let objects: KubernetesObject[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sidecar-"));
    const file = join(folder, "Pulumi.sidecar.yaml");
    const config = {
      "eks-dns-logging:cluster": { kind: "existing" },
      "eks-dns-logging:teams": [{ name: "ts" }],
      "eks-dns-logging:logging": { collector: "tail", mode: "sidecar" },
    };
    await writeFile(file, stringify({ config }));
    stack = ["--stack", "sidecar", "--config-file", file];
    const plan = await runLab(["plan", ...stack, "--manifests", join(folder, "manifests")]);
    assert.equal(plan.exitCode, 0, plan.stderr);
    objects = await readManifests(join(folder, "manifests"));
    for (const object of objects) await cluster.apply(object);
  });

  after(async () => {
    for (const object of objects.toReversed()) await cluster.remove(object);
    await rm(folder, { recursive: true });
  });

  it("runs beside the curl pod, under Pod Security restricted", async () => {
    await until("pod curl-ts is ready", () => cluster.podIsReady("ts-team", "curl-ts"));
    const { spec } = await cluster.pod("ts-team", "curl-ts");
    assert.deepEqual(
      spec?.initContainers?.map(({ name }) => name),
      ["tail", "responder"],
    );
  });

  it("sends on what is written to the file, and verify proves it", async () => {
    const run = await runLab(["verify", ...stack, "--only", "collector", "--json"]);
    assert.equal(run.exitCode, 0, run.stdout + run.stderr);
    const { rows } = JSON.parse(run.stdout);
    assert.equal(rows.length, 1);
    assert.match(rows[0].detail, /^marker found in log of curl-ts, container tail after \d+ ms$/);
  });

  it("also reads what the responder logs to its own file", async () => {
    const curl = await runLab(["verify", ...stack, "--only", "curl:ts:ts:ns"]);
    assert.equal(curl.exitCode, 0, curl.stdout + curl.stderr);
    await until("the request is in the log of tail", async () => {
      const log = await cluster.core.readNamespacedPodLog({ namespace: "ts-team", name: "curl-ts", container: "tail" });
      return /"GET \/ HTTP\/1\.1" 200/.test(log);
    });
  });
});
