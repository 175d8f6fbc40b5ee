import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { caFile } from "../../../components/logging/destinations/destination-secrets.ts";
import { DESTINATIONS, render } from "../../components/logging/collectors/fluentd/rendered.ts";
import { PROCESSING } from "../../support/collectors/processing-cases.ts";
import { findProgram, whyMissing } from "../../support/collectors/program.ts";
import { leaveOut } from "../../support/leave-out.ts";

const PROGRAM = findProgram("fluentd");

/** What Fluentd itself says of a configuration, which it reads with all its plugins and does not run. */
function dryRun(settings: object, source: "application" | undefined, change = (text: string) => text) {
  const folder = mkdtempSync(join(tmpdir(), "fluentd-dry-run-"));
  try {
    mkdirSync(join(folder, "state"));
    const authority = join(folder, "ca.crt");
    writeFileSync(authority, "");
    const move = (text: string) =>
      text
        .replaceAll("/fluentd/config", folder)
        .replaceAll("/var/lib/fluentd", join(folder, "state"))
        .replaceAll("/var/log/collected", join(folder, "collected"))
        .replaceAll(caFile(), authority)
        // It warns of parameters that no plugin knows, and of what goes without saying.
        .replace("@type s3\n", "@type s3\n    s3_endpoint http://127.0.0.1:9\n");
    const { files, args } = render(settings, source);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), change(move(text)));
    const env = { ...process.env, NODE_NAME: "node", LOG_USER: "user", LOG_PASSWORD: "password" };
    // Without its supervisor it would run.
    const dry = [...args.filter((arg) => arg !== "--no-supervisor").map(move), "--dry-run"];
    const { status, stdout, stderr } = spawnSync(PROGRAM ?? "", dry, { encoding: "utf8", env, timeout: 120_000 });
    return { status, unused: `${stdout}${stderr}`.split("\n").filter((line) => line.includes("is not used")), stdout };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("Fluentd reads", () => {
  before(function () {
    if (PROGRAM !== undefined) return;
    leaveOut(this, whyMissing("fluentd"));
  });

  for (const source of [undefined, "application"] as const) {
    for (const destination of DESTINATIONS) {
      it(`every option of its configuration: ${source ?? "node"}, ${JSON.stringify(destination)}`, () => {
        const { status, unused, stdout } = dryRun({ destination, index: { splitBy: "app" } }, source);
        assert.equal(status, 0, stdout);
        assert.deepEqual(unused, []);
      });
    }
  }

  it("every option of its processing", () => {
    const processing = { ...PROCESSING, limit: [{ linesPerSecond: 5 }] };
    const { status, unused, stdout } = dryRun({ processing }, undefined);
    assert.equal(status, 0, stdout);
    assert.deepEqual(unused, []);
  });

  it("an unknown option, and reports it", () => {
    const { unused } = dryRun({}, undefined, (text) => text.replace("max_line_size", "max_lime_size"));
    assert.equal(unused.length, 1);
  });
});
