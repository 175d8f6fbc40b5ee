import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatIssue } from "../../../components/schema/errors.ts";
import { extend, withFiles } from "../../../components/schema/extends.ts";

describe("extend", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "environments-"));
    mkdirSync(join(folder, "environments"));
    writeFileSync(
      join(folder, "environments", "prod.yaml"),
      "cluster: {kind: eks, version: '1.35', tags: {environment: prod}}\nteams: [&ts {name: ts}, {<<: *ts, name: sa}]\n",
    );
    writeFileSync(join(folder, "environments", "chain.yaml"), "extends: environments/prod.yaml\n");
  });
  after(() => rmSync(folder, { recursive: true }));

  it("merges a stack's objects over the file's, key by key, and replaces lists", () => {
    const own = { extends: "environments/prod.yaml", cluster: { tags: { region: "north" } }, teams: [{ name: "qa" }] };
    assert.deepEqual(extend(own, {}, folder), {
      settings: {
        cluster: { kind: "eks", version: "1.35", tags: { environment: "prod", region: "north" } },
        teams: [{ name: "qa" }],
      },
      issues: [],
    });
  });

  it("follows merge keys in the file", () => {
    const { settings } = extend({ extends: "environments/prod.yaml" }, {}, folder);
    assert.deepEqual(settings.teams, [{ name: "ts" }, { name: "sa" }]);
  });

  it("leaves settings without `extends` unchanged", () => {
    assert.deepEqual(extend({ teams: [] }, {}, folder), { settings: { teams: [] }, issues: [] });
  });

  it("is named as the source of an issue's value, unless the stack sets it, or neither does", () => {
    const file = "environments/prod.yaml";
    const own = { extends: file, cluster: { kind: "eks", tags: { environment: "" } } };
    const { settings } = extend(own, {}, folder);
    const issues = [
      { path: ["cluster", "version"], message: "must be one of 1.36", value: "1.35" },
      { path: ["teams", 1, "name"], message: "is unknown" },
      { path: ["cluster", "tags", "environment"], message: "must not be empty", value: "" },
      { path: ["cluster", "region"], message: "must be set" },
      { path: ["teams", 5], message: "must be set" },
    ];
    assert.deepEqual(withFiles(issues, own, settings).map(formatIssue), [
      'cluster.version: must be one of 1.36 (found "1.35" in environments/prod.yaml)',
      "teams[1].name: is unknown (in environments/prod.yaml)",
      'cluster.tags.environment: must not be empty (found "")',
      "cluster.region: must be set",
      "teams[5]: must be set",
    ]);
    assert.deepEqual(withFiles(issues, { cluster: own.cluster }, settings), issues);
  });

  it("reads old names in both files: a stack's current name overrides the file's old one", () => {
    writeFileSync(join(folder, "environments", "old.yaml"), "logging: {carrier: daemonset, labels: {a: b}}\n");
    const own = { extends: "environments/old.yaml", logging: { mode: "sidecar" } };
    const { settings, issues } = extend(own, { logging: { carrier: "mode" } }, folder);
    assert.deepEqual(settings, { logging: { mode: "sidecar", labels: { a: "b" } } });
    assert.deepEqual(
      issues.map(({ severity }) => severity),
      ["warning"],
    );
  });

  for (const file of ["environments/none.yaml", "../elsewhere.yaml", "/etc/hosts", "environments/chain.yaml", 7]) {
    it(`refuses ${file}`, () => {
      const { issues } = extend({ extends: file }, {}, folder);
      assert.deepEqual(
        issues.map(({ path, value }) => ({ path, value })),
        [{ path: ["extends"], value: file }],
      );
    });
  }

  const PROBLEMS: Readonly<Record<string, readonly [content: string, problem: RegExp]>> = {
    "itself.yaml": ["extends: itself.yaml\n", /^must be a file without 'extends', but extends itself$/],
    "chain.yaml": [
      "extends: environments/prod.yaml\n",
      /without 'extends', since only a stack's file extends another$/,
    ],
    "broken.yaml": ["teams: [1,\n", /^must be valid YAML: .+ at line \d+, column \d+$/],
    "twice.yaml": ["teams: []\nteams: []\n", /^must be valid YAML: Map keys must be unique at line 2, column 1$/],
    "merge.yaml": ["teams: [{<<: ts, name: qa}]\n", /^must be valid YAML: Merge sources must be maps or map aliases$/],
    "alias.yaml": ["teams: *none\n", /^must be valid YAML: .*none/],
    "circle.yaml": ["teams: &all [{peers: *all}]\n", /an alias is inside its own anchor$/],
    "several.yaml": ["teams: []\n---\nteams: []\n", /^must hold one YAML document, but holds several$/],
    "empty.yaml": ["# nothing yet\n", /at its top level, but is empty$/],
    "list.yaml": ["- teams\n", /at its top level, but holds a list$/],
    "text.yaml": ["teams\n", /at its top level, but holds a single value$/],
    "Pulumi.qa.yaml": ["config: {teams: []}\n", /at its top level, not below 'config' as in a stack's file$/],
    "named.yaml": ["eks-dns-logging:teams: []\n", /: write 'teams' instead of 'eks-dns-logging:teams'$/],
    "secret.yaml": [
      "logging: {destination: {password: {secure: 'v1:abc:def'}}}\n",
      /^must hold no encrypted values, .*: move logging\.destination\.password there$/,
    ],
    folder: ["", /^must be a YAML file, but is a folder: name a file/],
    "none.yaml": ["", /^must be a file that exists, relative to the project's folder$/],
    "list.yaml/below": ["", /^must be a file that exists/],
    "../elsewhere.yaml": ["", /^must be a file within the project's folder/],
    "/etc/hosts": ["", /^must be a path relative to the project's folder/],
  };
  for (const [file, [content, problem]] of Object.entries(PROBLEMS)) {
    it(`says what is wrong with ${file}`, () => {
      mkdirSync(join(folder, "folder"), { recursive: true });
      if (content !== "") writeFileSync(join(folder, file), content);
      if (file.startsWith("list.yaml/")) writeFileSync(join(folder, "list.yaml"), "- teams\n");
      const { issues } = extend({ extends: file }, {}, folder);
      assert.equal(issues.length, 1);
      assert.match(issues[0]?.message ?? "", problem);
    });
  }

  it("accepts a label named secure, and a file whose name starts with two dots", () => {
    writeFileSync(join(folder, "..base.yaml"), "teams: [{name: ts, labels: {secure: 'yes'}}]\n");
    const { settings, issues } = extend({ extends: "..base.yaml" }, {}, folder);
    assert.deepEqual(issues, []);
    assert.deepEqual(settings.teams, [{ name: "ts", labels: { secure: "yes" } }]);
  });

  for (const file of [7, "", null, ["a.yaml"], {}])
    it(`wants a path, not ${JSON.stringify(file)}`, () => {
      const { issues } = extend({ extends: file }, {}, folder);
      assert.match(issues[0]?.message ?? "", /^must be the path of a YAML file of this project, such as /);
    });
});
