import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as k8s from "@pulumi/kubernetes";
import { parse } from "yaml";
import { LoggingSettings } from "../../../components/logging/settings.ts";
import { indexTemplateFiles, manifestFiles, manifestsOf, writePlanFiles } from "../../../lab/plan/manifests.ts";
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
    await writePlanFiles(folder, manifestFiles(manifestsOf(resources)));
    assert.deepEqual((await readdir(folder)).sort(), [
      ".plan-files",
      "001-namespace-ts-team.yaml",
      "002-configmap-ts-team-c.yaml",
    ]);
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
    const gone = ["009-pod-gone.yaml", join("by-hand", "index-template.json")];
    await writePlanFiles(
      folder,
      gone.map((path) => ({ path, text: "" })),
    );
    await writeFile(join(folder, "kustomization.yaml"), "");
    await writeFile(join(folder, "by-hand", "index-template-mine.json"), "");
    await rm(join(folder, "009-pod-gone.yaml"));
    const { resources } = await record({ stack: "local", config: {} }, program);
    await writePlanFiles(folder, manifestFiles(manifestsOf(resources)));
    assert.deepEqual(await readdir(join(folder, "by-hand")), ["index-template-mine.json"]);
    assert.deepEqual((await readdir(folder)).sort(), [
      ".plan-files",
      "001-namespace-ts-team.yaml",
      "002-configmap-ts-team-c.yaml",
      "by-hand",
      "kustomization.yaml",
    ]);
  });

  it("replace no foreign file, and are not written beside one that would be applied with them", async () => {
    const files = [
      { path: "001-namespace-a.yaml", text: "a" },
      { path: join("by-hand", "b.yaml"), text: "b" },
    ];
    await mkdir(join(folder, "by-hand"));
    for (const path of ["2024-01-01-notes.yaml", "001-namespace-a.yaml", join("by-hand", "b.yaml")]) {
      await writeFile(join(folder, path), "mine");
      await assert.rejects(writePlanFiles(folder, files), new RegExp(`holds files that no plan wrote \\(${path}\\)`));
      assert.equal(await readFile(join(folder, path), "utf8"), "mine");
      await rm(join(folder, path));
    }
    await writePlanFiles(folder, files);
    await writePlanFiles(folder, files);
  });

  it("include the index template for the user's own search engine only", async () => {
    const write = (destination: object) =>
      writePlanFiles(folder, indexTemplateFiles(LoggingSettings.parse({ destination, index: { prefix: "pods" } })));
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
