import assert from "node:assert/strict";
import { LoggingSettings } from "../../../../../components/logging/settings.ts";
import { checkLogging } from "../../../../../components/logging/validation.ts";
import { formatIssue } from "../../../../../components/schema/errors.ts";

const NAMES = ["alpha", "beta", "gamma", "delta"];

/** Errors of four log groups with names of this length, with a place for each team. */
function errorsOf(collector: string, length: number): string[] {
  const destinations = Object.fromEntries(
    NAMES.map((name) => [name, { kind: "cloudwatch", logGroup: `/${name}/`.padEnd(length, "x") }]),
  );
  const settings = LoggingSettings.parse({
    collector,
    destinations,
    routes: [{ to: NAMES }],
    index: { splitBy: "team" },
    buffer: { size: "4Gi" },
  });
  const cluster = { name: "prod", region: "eu-central-1" };
  return checkLogging(settings, "eks", cluster, [{ name: "ts" }])
    .filter(({ severity }) => severity !== "warning")
    .map(formatIssue);
}

describe("The permissions of a collector's role", () => {
  it("fit into its inline policy, or the names of log groups must be shorter", () => {
    assert.deepEqual(errorsOf("vector", 300), []);
    assert.deepEqual(errorsOf("vector", 500), [
      "destinations: must have shorter names of log groups, since the permissions to write there take 14152 characters, and the inline policies of an IAM role 10240",
    ]);
  });

  it("are fewer for collectors that need no further actions", () => {
    assert.deepEqual(errorsOf("fluent-bit", 500), []);
  });
});
