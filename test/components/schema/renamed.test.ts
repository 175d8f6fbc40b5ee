import assert from "node:assert/strict";
import { formatIssue } from "../../../components/schema/errors.ts";
import { renamed } from "../../../components/schema/extends.ts";

const RENAMES = { logging: { carrier: "mode" } };

describe("renamed", () => {
  it("reads an old name as the current one, with a warning that names it", () => {
    const { settings, issues } = renamed({ logging: { carrier: "sidecar", labels: {} }, teams: [] }, RENAMES);
    assert.deepEqual(settings, { logging: { mode: "sidecar", labels: {} }, teams: [] });
    assert.deepEqual(issues.map(formatIssue), ["logging.carrier: is deprecated, use logging.mode"]);
    assert.deepEqual(
      issues.map(({ severity }) => severity),
      ["warning"],
    );
  });

  it("rejects both names together", () => {
    const { settings, issues } = renamed({ logging: { carrier: "sidecar", mode: "daemonset" } }, RENAMES);
    assert.deepEqual(settings, { logging: { mode: "daemonset" } });
    assert.deepEqual(issues.map(formatIssue), ["logging: carrier is the old name of mode: set only one"]);
    assert.deepEqual(
      issues.map(({ severity }) => severity),
      [undefined],
    );
  });

  it("leaves settings without an old name unchanged, and values that are not objects", () => {
    for (const given of [
      { logging: { mode: "sidecar" } },
      { logging: { constructor: "sidecar" } },
      { logging: null },
      { logging: "x" },
      {},
    ]) {
      assert.deepEqual(renamed(given, RENAMES), { settings: given, issues: [] });
    }
  });
});
