import assert from "node:assert/strict";
import { parse } from "yaml";
import { COLLECTORS } from "../../../../../components/logging/collectors/index.ts";
import { Destination } from "../../../../../components/logging/destinations/destination-settings.ts";
import { logPipeline } from "../../../../../components/logging/pipeline.ts";
import { LoggingSettings } from "../../../../../components/logging/settings.ts";
import { checkLogging } from "../../../../../components/logging/validation.ts";
import { formatIssue } from "../../../../../components/schema/errors.ts";
import { find } from "../../../../support/find.ts";
import { issuesIn } from "../../../../support/issues.ts";
import { collect } from "../../recorded-collection.ts";

const TEAMS = [{ name: "ts" }];
const ARCHIVE = { kind: "s3" as const, bucket: "acme-logs" };
const BY_TEAM = { splitBy: "team" };

/** What S3 deletes after a while, and what the collector's role may write. */
async function bucketOf(prefix: string) {
  const { resources } = await collect({ destination: { ...ARCHIVE, prefix } }, "on AWS");
  const lifecycle = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration";
  const { rules } = JSON.parse(JSON.stringify(find(resources, lifecycle, "logs-bucket").inputs));
  const policy = JSON.parse(String(find(resources, "aws:iam/rolePolicy:RolePolicy", "logs-identity").inputs.policy));
  return {
    rules: rules.map((rule: { filter: { prefix: string } }) => rule.filter.prefix),
    resources: policy.Statement.flatMap((statement: { Resource: string[] }) => statement.Resource),
  };
}

describe("The prefix of a bucket", () => {
  const keysOf = (collector: "fluent-bit" | "vector" | "opentelemetry" | "fluentd", prefix: string, index = {}) => {
    const settings = LoggingSettings.parse({ collector, destination: { ...ARCHIVE, prefix }, index });
    const context = { cluster: "dev", region: "eu-central-1", teams: TEAMS };
    const [text = ""] = Object.values(COLLECTORS[collector]?.render(logPipeline(settings, context)).files ?? {});
    return text;
  };

  for (const [prefix, folder] of [
    ["logs/", "logs/"],
    ["/a//b/", "a/b/"],
    ["", ""],
    ["/", ""],
  ] as const)
    it(`gives keys without empty parts: ${JSON.stringify(prefix)}`, async () => {
      const day = "%Y/%m/%d/%H/";
      assert.equal(parse(keysOf("fluent-bit", prefix)).pipeline.outputs[0].s3_key_format, `/${folder}${day}$UUID.gz`);
      assert.equal(
        parse(keysOf("fluent-bit", prefix, BY_TEAM)).pipeline.outputs[0].s3_key_format,
        `/${folder}ts/${day}$UUID.gz`,
      );
      assert.equal(parse(keysOf("vector", prefix)).sinks.destination.key_prefix, `${folder}${day}`);
      assert.equal(
        parse(keysOf("opentelemetry", prefix)).exporters.awss3.s3uploader.s3_prefix,
        folder.replace(/\/$/, ""),
      );
      assert.match(keysOf("fluentd", prefix), new RegExp(`path '${folder}${day}'`));
      const { rules, resources } = await bucketOf(prefix);
      assert.deepEqual(rules, [folder]);
      assert.deepEqual(resources, [`arn:aws:s3:::acme-logs/${folder}*`]);
    });

  it("must be set if Vector writes each team's objects to its own prefix", () => {
    const settings = LoggingSettings.parse({
      collector: "vector",
      index: BY_TEAM,
      destination: { ...ARCHIVE, prefix: "/" },
    });
    assert.deepEqual(checkLogging(settings, "eks", undefined, TEAMS).map(formatIssue), [
      'destination.prefix: must not be empty with Vector and index.splitBy team, whose keys must begin with a fixed string (found "")',
    ]);
  });

  it("is rejected if S3 rejects its keys", () => {
    for (const prefix of ["..", "../x", "a/../../b", "./.."])
      assert.deepEqual(
        issuesIn(Destination, { ...ARCHIVE, prefix }),
        ["prefix: must have no more '..' than other parts before them, or S3 refuses its keys"],
        prefix,
      );
  });

  it("gets a warning if only some clients find its keys", () => {
    const told = (prefix: string) =>
      checkLogging(LoggingSettings.parse({ destination: { ...ARCHIVE, prefix } }), "eks").map(formatIssue);
    for (const prefix of [".", "./a", "a/./b", "a/../b"])
      assert.deepEqual(told(prefix), [
        `destination.prefix: has '.' or '..' between slashes, which S3 keeps in keys, so that its console and clients that treat keys as paths do not find them (found "${prefix}")`,
      ]);
    for (const prefix of ["", "a..b/.c", "a/b.c"]) assert.deepEqual(told(prefix), [], prefix);
  });
});
