import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { Failure } from "../../lab/command-line.ts";
import { readStack, stackNames } from "../../lab/stack-file.ts";

describe("readStack", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "stacks-"));
    await writeFile(
      join(folder, "Pulumi.good.yaml"),
      "config:\n  aws:region: eu-central-1\n  eks-dns-logging:teams: [{name: ts}]\n  eks-dns-logging:token: {secure: abc}\n",
    );
    await writeFile(join(folder, "Pulumi.broken.yaml"), "config: [1,\n");
    await writeFile(
      join(folder, "Pulumi.anchors.yaml"),
      "config:\n  teams: [&ts {name: ts, peers: [sa]}, {<<: *ts, name: qa}, {name: sa, labels: &l {a: b}}, {name: x, labels: *l}]\n",
    );
    await writeFile(join(folder, "Pulumi.alias.yaml"), "config: {teams: *none}\n");
    await writeFile(join(folder, "Pulumi.list.yaml"), "- 1\n");
    await writeFile(join(folder, "Pulumi.typo.yaml"), "confg: {teams: [{name: ts}]}\n");
    await writeFile(join(folder, "Pulumi.bent.yaml"), "config:\n  teams:\n   - {name: a}\n    - {name: b}\n");
    await writeFile(join(folder, "Pulumi.bare.yaml"), "eks-dns-logging:teams: [{name: ts}]\n");
    await writeFile(join(folder, "Pulumi.twice.yaml"), "config: {teams: [], eks-dns-logging:teams: [{name: ts}]}\n");
    await writeFile(join(folder, "Pulumi.two.yaml"), "config: {}\n---\nconfig: {}\n");
    await writeFile(join(folder, "Pulumi.plain.yaml"), "config: {teams: [{name: ts}], aws:region: eu-central-1}\n");
  });
  after(() => rm(folder, { recursive: true }));

  it("gives the configuration as the engine passes it", async () => {
    assert.deepEqual(await readStack("good", folder), {
      name: "good",
      config: {
        "aws:region": "eu-central-1",
        "eks-dns-logging:teams": '[{"name":"ts"}]',
        "eks-dns-logging:token": "(encrypted)",
      },
    });
  });

  it("keeps numbers that JSON cannot write as YAML writes them, so that errors show them", async () => {
    const file = join(folder, "Pulumi.numbers.yaml");
    await writeFile(file, "config: {curlPod: {lifetime: .inf, ndots: .nan, a: -.inf}}\n");
    const { config } = await readStack("numbers", folder);
    await rm(file);
    assert.equal(config["eks-dns-logging:curlPod"], '{"lifetime":".inf","ndots":".nan","a":"-.inf"}');
  });

  it("follows anchors, aliases and merge keys, as the engine does", async () => {
    const { config } = await readStack("anchors", folder);
    assert.deepEqual(JSON.parse(config["eks-dns-logging:teams"] ?? ""), [
      { name: "ts", peers: ["sa"] },
      { name: "qa", peers: ["sa"] },
      { name: "sa", labels: { a: "b" } },
      { name: "x", labels: { a: "b" } },
    ]);
  });

  it("takes a key without a namespace for the project's own, as the engine does", async () => {
    const { config } = await readStack("plain", folder);
    assert.deepEqual(config, { "eks-dns-logging:teams": '[{"name":"ts"}]', "aws:region": "eu-central-1" });
  });

  it("takes from Pulumi.yaml what the stack's file does not set, as the engine does", async () => {
    const project = join(folder, "Pulumi.yaml");
    const declared =
      "  curlPods: {type: boolean, default: false}\n  dns: {default: {replicas: 3}}\n  monitoring: {type: object}\n";
    await writeFile(
      project,
      `name: eks-dns-logging\nconfig:\n  aws:region: us-east-1\n  aws:profile: {value: ops}\n${declared}`,
    );
    try {
      assert.deepEqual((await readStack("plain", folder)).config, {
        "aws:region": "eu-central-1",
        "aws:profile": "ops",
        "eks-dns-logging:curlPods": "false",
        "eks-dns-logging:dns": '{"replicas":3}',
        "eks-dns-logging:teams": '[{"name":"ts"}]',
      });
    } finally {
      await rm(project);
    }
  });

  it("lists the existing stacks if the named one is missing", async () => {
    await assert.rejects(
      readStack("prod", folder),
      new Failure(
        "no stack 'prod' (file Pulumi.prod.yaml); found: alias, anchors, bare, bent, broken, good, list, plain, twice, two, typo",
        2,
      ),
    );
    assert.deepEqual(await stackNames(folder), [
      "alias",
      "anchors",
      "bare",
      "bent",
      "broken",
      "good",
      "list",
      "plain",
      "twice",
      "two",
      "typo",
    ]);
  });

  it("rejects in one line a merge of something else than an object, and prints no warning of the YAML parser", async () => {
    const file = join(folder, "Pulumi.merge.yaml");
    await writeFile(file, "config: {teams: [{<<: ts, name: qa}]}\n");
    const merge = /^Failure: Pulumi.merge.yaml is not valid YAML: Merge sources must be maps or map aliases$/;
    await assert.rejects(readStack("merge", folder), merge);
    await writeFile(file, "config: {? [a] : b}\n");
    const warnings: Error[] = [];
    const keep = (warning: Error) => warnings.push(warning);
    process.on("warning", keep);
    assert.deepEqual((await readStack("merge", folder)).config, { "eks-dns-logging:[ a ]": "b" });
    // Node.js emits warnings in the next turn.
    await setImmediate();
    process.off("warning", keep);
    await rm(file);
    assert.deepEqual(warnings, []);
  });

  it("rejects in one line a file that is not a stack file", async () => {
    await assert.rejects(readStack("broken", folder), /Pulumi.broken.yaml is not valid YAML: .+/);
    await assert.rejects(readStack("alias", folder), /^Failure: Pulumi.alias.yaml is not valid YAML: .*: none$/);
    await assert.rejects(readStack("two", folder), /Pulumi.two.yaml contains more than one YAML document$/);
    await assert.rejects(readStack("bent", folder), /is not valid YAML: .* at line \d+, column \d+$/);
    await assert.rejects(readStack("typo", folder), /^Failure: Pulumi.typo.yaml has no key 'config', but confg$/);
    await assert.rejects(readStack("bare", folder), /has no key 'config': put eks-dns-logging:teams below it$/);
    await assert.rejects(readStack("twice", folder), /'config' has both teams and eks-dns-logging:teams$/);
    await assert.rejects(readStack("list", folder), /Pulumi.list.yaml is not a stack configuration/);
  });
});
