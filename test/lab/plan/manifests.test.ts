import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as k8s from "@pulumi/kubernetes";
import { parse } from "yaml";
import { LoggingSettings } from "../../../components/logging/settings.ts";
import { manifestsOf, writeIndexTemplate, writeManifests } from "../../../lab/plan/manifests.ts";
import { record } from "../../../lab/plan/plan.ts";

describe("manifests", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "manifests-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const program = async () => {
    const namespace = new k8s.core.v1.Namespace("ns", { metadata: { name: "ts-team" } });
    new k8s.core.v1.ConfigMap(
      "config",
      { metadata: { name: "c", namespace: "ts-team" }, data: { file: "a: 1\nb: 2\n" } },
      { dependsOn: namespace },
    );
  };

  it("come in an order in which they can be applied, each a whole object", async () => {
    const { resources } = await record({ stack: "local", config: {} }, program);
    const count = await writeManifests(folder, manifestsOf(resources));
    assert.equal(count, 2);
    assert.deepEqual((await readdir(folder)).sort(), ["001-namespace-ts-team.yaml", "002-configmap-ts-team-c.yaml"]);
    const text = await readFile(join(folder, "002-configmap-ts-team-c.yaml"), "utf8");
    assert.deepEqual(parse(text), {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "c", namespace: "ts-team" },
      data: { file: "a: 1\nb: 2\n" },
    });
    assert.match(text, /^apiVersion: v1\nkind: ConfigMap\nmetadata:/);
  });

  it("replace those of an earlier plan and leave other files alone", async () => {
    await writeFile(join(folder, "009-pod-gone.yaml"), "");
    await writeFile(join(folder, "kustomization.yaml"), "");
    const { resources } = await record({ stack: "local", config: {} }, program);
    await writeManifests(folder, manifestsOf(resources));
    assert.deepEqual((await readdir(folder)).sort(), [
      "001-namespace-ts-team.yaml",
      "002-configmap-ts-team-c.yaml",
      "kustomization.yaml",
    ]);
  });

  it("bring the index template for a search engine that one has, and for no other", async () => {
    const write = (destination: object) =>
      writeIndexTemplate(folder, LoggingSettings.parse({ destination, index: { prefix: "pods" } }));
    await write({ kind: "opensearch", host: "search.example.com" });
    const text = await readFile(join(folder, "by-hand", "index-template.json"), "utf8");
    assert.deepEqual(JSON.parse(text).index_patterns, ["pods-*"]);
    for (const destination of [{ kind: "stdout" }, { kind: "opensearch", inCluster: true }]) {
      await write(destination);
      assert.deepEqual(await readdir(join(folder, "by-hand")), []);
    }
    await write({ kind: "elasticsearch", host: "search.example.com" });
    assert.deepEqual(await readdir(join(folder, "by-hand")), ["index-template.json"]);
  });
});
