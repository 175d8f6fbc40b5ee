import assert from "node:assert/strict";
import { policyText } from "../../../../../components/aws/policy-statements.ts";
import { COLLECTORS } from "../../../../../components/logging/collectors/index.ts";
import { destinationStatements } from "../../../../../components/logging/destinations/aws/destination-statements.ts";
import { targetsOf } from "../../../../../components/logging/routing/routes.ts";
import { LoggingSettings } from "../../../../../components/logging/settings.ts";
import { checkLogging } from "../../../../../components/logging/validation.ts";
import { formatIssue } from "../../../../../components/schema/errors.ts";
import { find } from "../../../../support/find.ts";
import { collect } from "../../recorded-collection.ts";

const NAMES = ["alpha", "beta", "gamma", "delta"];
const KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/** Log groups with names of this length. */
function groups(length: number, names: readonly string[] = NAMES) {
  return Object.fromEntries(
    names.map((name) => [name, { kind: "cloudwatch", logGroup: `/${name}/`.padEnd(length, "x") }]),
  );
}

/** Errors in settings, with a place for each team. */
function errors(given: object): string[] {
  const settings = LoggingSettings.parse({ index: { splitBy: "team" }, buffer: { size: "4Gi" }, ...given });
  const cluster = { name: "prod", region: "eu-central-1" };
  return checkLogging(settings, "eks", cluster, [{ name: "ts" }])
    .filter(({ severity }) => severity !== "warning")
    .map(formatIssue);
}

const tooLong = (length: number) => [
  `destinations: must be fewer, or have shorter names, since the permissions to send to all of them take ${length} characters, and the inline policies of an IAM role 10240`,
];

/** The permissions of the collector's role as rendered in a deployment, and as counted. */
async function policies(settings: Parameters<typeof collect>[0]) {
  const { resources } = await collect(settings, "on AWS");
  const known = LoggingSettings.parse(settings);
  const collector = COLLECTORS[known.collector];
  assert.ok(collector !== undefined);
  const parts = { partition: "aws", region: "eu-central-1", account: "111122223333", cluster: "dev" };
  const counted = targetsOf(known, [{ name: "ts" }]).flatMap((one) => destinationStatements(one, collector, parts));
  return [find(resources, "aws:iam/rolePolicy:RolePolicy", "logs-identity").inputs.policy, policyText(counted)];
}

describe("The permissions of a collector's role", () => {
  it("fit into its inline policy, or the names of log groups must be shorter", () => {
    const of = (length: number) =>
      errors({ collector: "vector", destinations: groups(length), routes: [{ to: NAMES }] });
    assert.deepEqual(of(300), []);
    assert.deepEqual(of(500), tooLong(14152));
  });

  it("are fewer for collectors that need no further actions", () => {
    assert.deepEqual(errors({ collector: "fluent-bit", destinations: groups(500), routes: [{ to: NAMES }] }), []);
  });

  it("are counted with those of buckets and their keys, for each role by itself", () => {
    const bucket = { kind: "s3", bucket: "b".repeat(63), existing: true, kmsKeyArn: KEY, prefix: "p".repeat(400) };
    const [first = "", ...others] = NAMES;
    const of = (length: number, sources: readonly string[]) =>
      errors({
        collector: "vector",
        sources: ["pods", "events"],
        destinations: { ...groups(length, others), [first]: bucket },
        routes: [{ to: others }, { to: [first], sources }],
      });
    // Three log groups with names of this length take less than the limit by themselves.
    assert.deepEqual(of(440, ["pods"]), tooLong(10283));
    assert.deepEqual(of(430, ["pods"]), []);
    assert.deepEqual(of(440, ["events"]), []);
  });

  it("are counted as they are rendered", async () => {
    const splitBy = { index: { splitBy: "team" } } as const;
    const [rendered, counted] = await policies({
      ...splitBy,
      collector: "vector",
      destinations: {
        groups: { kind: "cloudwatch" },
        "old-one": { kind: "s3", bucket: "logs", existing: true, kmsKeyArn: KEY },
      },
    });
    assert.equal(rendered, counted);
    assert.match(String(rendered), /"Sid":"EncryptObjectsOldOne"/);
    const [byFluentd, ofFluentd] = await policies({
      collector: "fluentd",
      destination: { kind: "cloudwatch", logGroup: "own", existing: true },
    });
    assert.equal(byFluentd, ofFluentd);
    assert.match(String(byFluentd), /log-group:own:.*DescribeLogGroups/);
    const arn = "arn:aws:kafka:eu-central-1:111122223333:cluster/logs/12345678-1234-1234-1234-123456789012-1";
    const [byFluentBit, ofFluentBit] = await policies({
      destinations: {
        stream: { kind: "firehose", stream: "logs" },
        topic: {
          kind: "kafka",
          brokers: ["b-1.logs.abc123.c2.kafka.eu-central-1.amazonaws.com:9098"],
          topic: "lines",
          mskArn: arn,
        },
      },
    });
    assert.equal(byFluentBit, ofFluentBit);
    assert.match(String(byFluentBit), /deliverystream\/logs.*topic\/logs\/.*lines/);
  });
});
