import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { formatSchemas, updateSchemas, usedVersions } from "../../../lab/dns/addon-schemas.ts";
import type { Aws } from "../../../lab/process.ts";

const SCHEMA = { type: "object", properties: { corefile: { type: "string" } }, additionalProperties: false };
const VERSION = "v1.99.0-eksbuild.1";
const NOW = new Date("2027-03-04");

describe("lab dns schema", () => {
  let folder: string;
  let file: URL;
  let calls: string[];
  const aws: Aws = async (args) => {
    calls.push(args.join(" "));
    return JSON.stringify({ addonName: "coredns", configurationSchema: JSON.stringify(SCHEMA) });
  };

  beforeEach(async () => {
    calls = [];
    folder = await mkdtemp(join(tmpdir(), "schema-"));
    file = pathToFileURL(join(folder, "fetched.json"));
    await writeFile(file, "{}\n");
  });

  afterEach(() => rm(folder, { recursive: true }));

  const failing = (error: Error) => () =>
    updateSchemas({ file, versions: [VERSION], aws: () => Promise.reject(error) });

  it("stores the answers of EKS with source and month, and writes nothing if nothing changed", async () => {
    const options = { file, versions: [VERSION], region: "eu-west-1", aws };
    assert.deepEqual(await updateSchemas({ ...options, now: NOW }), [VERSION]);
    assert.deepEqual(calls, [
      `eks describe-addon-configuration --addon-name coredns --addon-version ${VERSION} --output json --region eu-west-1`,
    ]);
    const text = await readFile(file, "utf8");
    const source = `aws eks describe-addon-configuration --addon-name coredns --addon-version ${VERSION}`;
    assert.deepEqual(JSON.parse(text), { [VERSION]: { seenIn: VERSION, source, lookedUp: "2027-03", schema: SCHEMA } });
    assert.deepEqual(await updateSchemas({ ...options, now: new Date("2028-01-01") }), []);
    assert.equal(await readFile(file, "utf8"), text);
  });

  it("asks for the versions that the program uses, the newest last", async () => {
    await updateSchemas({ file, aws, now: NOW });
    assert.deepEqual(
      calls.map((call) => call.split(" ")[5]),
      usedVersions(),
    );
    assert.deepEqual(Object.keys(JSON.parse(await readFile(file, "utf8"))).sort(), [...usedVersions()].sort());
    for (const version of usedVersions()) assert.ok(formatSchemas().includes(version));
  });

  it("says what it needs if the AWS CLI is missing or fails", async () => {
    await assert.rejects(failing(Object.assign(new Error("spawn aws ENOENT"), { code: "ENOENT" })), {
      name: "Failure",
      exitCode: 2,
      message: /^aws is not on the PATH: this needs the AWS CLI v2, credentials.*eks:DescribeAddonConfiguration$/,
    });
    const stderr = "\nAn error occurred (AccessDeniedException): User is not authorized\n";
    await assert.rejects(failing(Object.assign(new Error("exit 254"), { code: 254, stderr })), {
      name: "Failure",
      message: /: An error occurred \(AccessDeniedException\): User is not authorized; this needs/,
    });
  });

  it("rejects an invalid version, and an answer that is not a schema", async () => {
    await assert.rejects(updateSchemas({ file, versions: ["latest"], aws }), {
      name: "Failure",
      message: /found 'latest'/,
    });
    for (const output of [
      "",
      "{}",
      JSON.stringify({ configurationSchema: "" }),
      JSON.stringify({ configurationSchema: "7" }),
    ])
      await assert.rejects(updateSchemas({ file, versions: [VERSION], aws: async () => output }), { name: "Failure" });
    assert.equal(await readFile(file, "utf8"), "{}\n");
  });
});
