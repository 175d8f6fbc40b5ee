import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { extend } from "../../../components/schema/extends.ts";

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

  it("lays a stack's groups over the file's, key by key, and replaces lists", () => {
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

  it("leaves settings without a file as they are", () => {
    assert.deepEqual(extend({ teams: [] }, {}, folder), { settings: { teams: [] }, issues: [] });
  });

  it("reads old names in both files, so that a stack's current name goes over the file's old one", () => {
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
});
