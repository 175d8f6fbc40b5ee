import assert from "node:assert/strict";
import * as k8s from "@pulumi/kubernetes";
import { parse } from "yaml";
import { outputs } from "../../../../components/logging/collectors/fluent-bit/outputs.ts";
import { COLLECTORS } from "../../../../components/logging/collectors/index.ts";
import { IndexFormat } from "../../../../components/logging/indexing/index-format.ts";
import { LogCollection } from "../../../../components/logging/log-collection.ts";
import type { LogCollectionArgs } from "../../../../components/logging/log-collection-args.ts";
import { logPipeline } from "../../../../components/logging/pipeline.ts";
import { placeName, placeOfNamespace, teamPlaces } from "../../../../components/logging/routing/routes.ts";
import { LoggingSettings } from "../../../../components/logging/settings.ts";
import { checkLogging } from "../../../../components/logging/validation.ts";
import { formatIssue } from "../../../../components/schema/errors.ts";
import { record } from "../../../../lab/plan/plan.ts";
import type { Recording } from "../../../../lab/plan/recording.ts";
import { existingClusterHandle } from "../../../support/cluster-handle.ts";
import { find, ofType } from "../../../support/find.ts";

const TEAMS = [{ name: "ts" }, { name: "sa", namespaces: [{ name: "sa-one" }, { name: "sa-two" }] }];
const SPLIT = { index: { splitBy: "team" as const } };
const GROUPS = { kind: "cloudwatch" as const };
const ARCHIVE = { kind: "s3" as const, bucket: "acme-logs", prefix: "pods" };

function configOf(collector: "fluent-bit" | "vector" | "opentelemetry", settings: object) {
  const parsed = LoggingSettings.parse({ collector, ...SPLIT, ...settings });
  const context = { cluster: "dev", region: "eu-central-1", teams: TEAMS };
  const [[, text] = ["", ""]] = Object.entries(COLLECTORS[collector]?.render(logPipeline(parsed, context)).files ?? {});
  return parse(text);
}

/** Two parts of the journal, which OpenTelemetry's exporter for S3 writes below their own prefixes. */
const JOURNAL = { collector: "opentelemetry" as const, sources: ["pods", "kubelet", "auth"] };

const issues = (settings: object) =>
  checkLogging(LoggingSettings.parse({ ...SPLIT, ...settings }), "eks", undefined, TEAMS).map(formatIssue);

describe("Places of teams", () => {
  it("are those of the stack's teams, and one for the rest", () => {
    const places = teamPlaces({ ...GROUPS, existing: false }, IndexFormat.parse(SPLIT.index), TEAMS);
    assert.deepEqual(
      ["ts-team", "sa-two", "sa-team", "kube-system"].map((name) => placeOfNamespace(places, name)?.team),
      ["ts", "sa", undefined, undefined],
    );
    assert.deepEqual([placeName("/a/b", "ts"), placeName("/a/b", undefined)], ["/a/b/ts", "/a/b"]);
  });

  it("have outputs of Fluent Bit, selected by tag, that share the buffer", () => {
    const made = (destination: object) =>
      configOf("fluent-bit", { destination, buffer: { size: "3Gi" } }).pipeline.outputs;
    assert.deepEqual(
      made(GROUPS).map((each: Record<string, unknown>) => [
        each.log_group_name,
        each.match_regex,
        each["storage.total_limit_size"],
      ]),
      [
        ["/eks-dns-logging/dev/pods/sa", "^kube\\.(sa-one|sa-two)_", 2 ** 30],
        ["/eks-dns-logging/dev/pods/ts", "^kube\\.(ts-team)_", 2 ** 30],
        ["/eks-dns-logging/dev/pods", "^kube\\.(?!(sa-one|sa-two|ts-team)_)", 2 ** 30],
      ],
    );
    assert.deepEqual(
      made(ARCHIVE).map((each: Record<string, unknown>) => [each.s3_key_format, each.store_dir]),
      [
        ["/pods/sa/%Y/%m/%d/%H/$UUID.gz", "/var/lib/fluent-bit/s3/sa"],
        ["/pods/ts/%Y/%m/%d/%H/$UUID.gz", "/var/lib/fluent-bit/s3/ts"],
        ["/pods/%Y/%m/%d/%H/$UUID.gz", "/var/lib/fluent-bit/s3/-"],
      ],
    );
  });

  it("have a folder each beside those of another bucket in Fluent Bit", () => {
    const settings = LoggingSettings.parse({
      collector: "fluent-bit",
      destinations: { near: { ...ARCHIVE, ...SPLIT }, far: { ...ARCHIVE, ...SPLIT, bucket: "acme-far" } },
    });
    const pipeline = logPipeline(settings, { cluster: "dev", region: "eu-central-1", teams: TEAMS });
    const folders = pipeline.branches.map((branch) => outputs(branch).map(({ store_dir }) => store_dir));
    assert.deepEqual(
      folders,
      ["far", "near"].map((name) => ["sa", "ts", "-"].map((team) => `/var/lib/fluent-bit/s3-${name}/${team}`)),
    );
  });

  it("are metadata of the record with Vector", () => {
    const { transforms, sinks } = configOf("vector", { destination: ARCHIVE });
    assert.equal(sinks.destination.key_prefix, "pods{{ %place }}/%Y/%m/%d/%H/");
    // Vector starts with no template that begins with a field, as with an empty prefix, unless an option allows it.
    assert.equal(sinks.destination.dangerously_allow_unconfined_template_resolution, true);
    assert.match(transforms.records.source, /^places = \{"sa-one":"\/sa","sa-two":"\/sa","ts-team":"\/ts"\}$/m);
    assert.equal(
      configOf("vector", { destination: GROUPS }).sinks.destination.group_name,
      "/eks-dns-logging/dev/pods{{ %place }}",
    );
    const { sinks: several } = configOf("vector", { destinations: { archive: ARCHIVE, groups: GROUPS } });
    assert.deepEqual(several["destination-archive"].inputs, ["record-archive"]);
  });

  it("have pipelines of the OpenTelemetry Collector", () => {
    const { exporters, service, processors } = configOf("opentelemetry", { destinations: { archive: ARCHIVE } });
    assert.deepEqual(
      Object.entries<{ s3uploader: { s3_prefix: string } }>(exporters).map(([name, { s3uploader }]) => [
        name,
        s3uploader.s3_prefix,
      ]),
      [
        ["awss3/archive.sa", "pods/sa"],
        ["awss3/archive.ts", "pods/ts"],
        ["awss3/archive", "pods"],
      ],
    );
    assert.deepEqual(Object.keys(service.pipelines), ["logs", "logs/archive.sa", "logs/archive.ts", "logs/archive"]);
    assert.deepEqual(processors["filter/archive.ts"].log_conditions, [
      'not (resource.attributes["k8s.namespace.name"] == "ts-team")',
    ]);
    assert.match(processors["filter/archive"].log_conditions[0], /^not \(not \(\(resource\.attributes/);
    const { exporters: groups, receivers } = configOf("opentelemetry", { destination: GROUPS });
    assert.deepEqual(
      Object.values<{ log_group_name: string }>(groups).map(({ log_group_name }) => log_group_name),
      ["/eks-dns-logging/dev/pods/sa", "/eks-dns-logging/dev/pods/ts", "/eks-dns-logging/dev/pods"],
    );
    assert.equal(receivers.file_log.retry_on_failure.enabled, true);
  });

  for (const [settings, wanted] of [
    [{ destination: { ...GROUPS, teams: { ts: { retentionDays: 90 } } } }, undefined],
    [
      { destination: { ...GROUPS, teams: { qa: { retentionDays: 90 } } } },
      'destination.teams.qa: must be the name of a team, one of ts, sa (found "qa")',
    ],
    [
      { destination: { ...GROUPS, teams: { ts: {} } }, index: { splitBy: "none" } },
      'destination.teams: requires index.splitBy team (found ["ts"])',
    ],
    [
      { destination: { ...ARCHIVE, teams: { ts: { retentionDays: 365 } } } },
      "destination.teams.ts.retentionDays: must be at most 90, since S3 deletes an object by the shorter of two rules (found 365)",
    ],
    [
      { collector: "fluentd", destination: { ...GROUPS, teams: { ts: { retentionDays: 90 } } } },
      'destination.teams: must not be set with Fluentd, which sends the lines of all teams to one place (found ["ts"])',
    ],
    [
      {
        destinations: { all: { kind: "stdout" }, groups: { ...GROUPS, teams: { ts: {}, sa: {} } } },
        routes: [{ to: ["all"] }, { to: ["groups"], teams: ["ts"] }],
      },
      'destinations.groups.teams.sa: must be the name of a team with a route to this destination (found "sa")',
    ],
    [
      { destination: { ...GROUPS, logGroup: "/own", existing: true } },
      "destination.existing: must be false with index.splitBy team (found true)",
    ],
    [{ destination: { ...GROUPS, logGroup: `/${"g".repeat(508)}` } }, undefined],
    [
      { destination: { ...GROUPS, logGroup: `/${"g".repeat(509)}` } },
      `destination.logGroup: must have at most 509 characters, since CloudWatch Logs allows 512 with the team's name after it (found "/${"g".repeat(75)}…)`,
    ],
    [
      { destination: GROUPS, buffer: { size: "128Mi" } },
      'buffer.size: must be at least 192Mi, 64Mi for each team and for the rest (found "128Mi")',
    ],
    [
      { ...JOURNAL, destination: ARCHIVE, buffer: { size: "256Mi" } },
      `buffer.size: must be at least 320Mi, 64Mi for each team and source of the node's journal and for the rest (found "256Mi")`,
    ],
    [
      { ...JOURNAL, destination: ARCHIVE, index: {}, buffer: { size: "191Mi" } },
      `buffer.size: must be at least 192Mi, 64Mi for each source of the node's journal and for the rest (found "191Mi")`,
    ],
    [{ ...JOURNAL, destination: GROUPS, index: {}, buffer: { size: "64Mi" } }, undefined],
  ] as const)
    it(`${wanted === undefined ? "accept" : "refuse"} ${JSON.stringify(settings)}`, () =>
      assert.deepEqual(issues(settings), wanted === undefined ? [] : [wanted]));
});

describe("LogCollection split by team", () => {
  let recording: Recording;
  const collect = (args: Omit<LogCollectionArgs, "cluster">): Promise<Recording> =>
    record(
      {
        stack: "test",
        config: {},
        preview: false,
        call: (_token, inputs) => ({ ...inputs, accountId: "111122223333" }),
      },
      async () => {
        const agent = new k8s.core.v1.ConfigMap("agent", {});
        const podIdentity = {
          clusterName: "dev",
          region: "eu-central-1",
          partition: "aws",
          tags: { stage: "dev" },
          agent,
        };
        new LogCollection("logs", {
          teams: TEAMS,
          ...args,
          cluster: existingClusterHandle({ name: "dev", podIdentity }),
        });
      },
    );
  const key = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd";
  before(async () => {
    recording = await collect({
      ...SPLIT,
      destinations: {
        groups: { ...GROUPS, teams: { ts: { retentionDays: 90, class: "INFREQUENT_ACCESS", kmsKeyArn: key } } },
        archive: { ...ARCHIVE, teams: { sa: { retentionDays: 7 } } },
      },
    });
  });

  it("creates a log group for each team, with the team's options", () => {
    const groups = ofType(recording.resources, "aws:cloudwatch/logGroup:LogGroup").map(({ name, inputs }) => [
      name,
      inputs.name,
      inputs.retentionInDays,
      inputs.logGroupClass,
      inputs.kmsKeyId === key,
    ]);
    assert.deepEqual(groups.sort(), [
      ["logs-group-groups", "/eks-dns-logging/dev/pods-groups", 30, undefined, false],
      ["logs-group-groups.sa", "/eks-dns-logging/dev/pods-groups/sa", 30, undefined, false],
      ["logs-group-groups.ts", "/eks-dns-logging/dev/pods-groups/ts", 90, "INFREQUENT_ACCESS", true],
    ]);
    const { rules } = find(
      recording.resources,
      "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
      "logs-bucket-archive",
    ).inputs;
    assert.deepEqual(JSON.parse(JSON.stringify(rules))[1], {
      id: "retention-pods/sa",
      status: "Enabled",
      filter: { prefix: "pods/sa/" },
      expiration: { days: 7 },
    });
  });

  it("lets the collector write to the teams' groups too", () => {
    const { policy } = find(recording.resources, "aws:iam/rolePolicy:RolePolicy", "logs-identity").inputs;
    const group = "arn:aws:logs:eu-central-1:111122223333:log-group:/eks-dns-logging/dev/pods-groups";
    assert.deepEqual(JSON.parse(String(policy)).Statement[1].Resource, [`${group}:*`, `${group}/*:*`]);
  });

  it("starts the collector when each log group and bucket exists, since it does not create them", () => {
    const collector = find(recording.resources, "kubernetes:apps/v1:DaemonSet", "logs-fluent-bit-daemonset");
    const places = ["aws:cloudwatch/logGroup:LogGroup", "aws:s3/bucket:Bucket"].flatMap((type) =>
      ofType(recording.resources, type),
    );
    assert.equal(places.length, 4);
    assert.deepEqual(
      places.filter(({ urn }) => !collector.dependencies.includes(urn)).map(({ name }) => name),
      [],
    );
  });

  it("has a policy for each team to read only its own", () => {
    const policies = ofType(recording.resources, "aws:iam/policy:Policy");
    assert.deepEqual(policies.map(({ name }) => name).sort(), ["logs-readers.sa", "logs-readers.ts"]);
    const { policy, tags } = find(recording.resources, "aws:iam/policy:Policy", "logs-readers.ts").inputs;
    assert.deepEqual(tags, { stage: "dev" });
    const [groups, queries, objects, list] = JSON.parse(String(policy)).Statement;
    const group = "arn:aws:logs:eu-central-1:111122223333:log-group:/eks-dns-logging/dev/pods-groups/ts";
    assert.deepEqual(groups.Resource, [group, `${group}:*`]);
    assert.deepEqual(groups.Action, [
      "logs:DescribeLogStreams",
      "logs:FilterLogEvents",
      "logs:GetLogEvents",
      "logs:GetLogGroupFields",
      "logs:StartLiveTail",
      "logs:StartQuery",
    ]);
    assert.deepEqual(queries.Action, ["logs:GetQueryResults", "logs:StopLiveTail", "logs:StopQuery"]);
    assert.deepEqual(objects.Resource, ["arn:aws:s3:::acme-logs/pods/ts/*"]);
    assert.deepEqual([objects.Action, list.Action], [["s3:GetObject"], ["s3:ListBucket"]]);
    assert.deepEqual(list.Resource, ["arn:aws:s3:::acme-logs"]);
    assert.deepEqual(list.Condition, { StringLike: { "s3:prefix": ["pods/ts/*"] } });
    assert.doesNotMatch(String(policy), /sa/);
  });

  it("lets a team read objects encrypted with the existing bucket's key", async () => {
    const { resources } = await collect({ ...SPLIT, destination: { ...ARCHIVE, existing: true, kmsKeyArn: key } });
    const { policy } = find(resources, "aws:iam/policy:Policy", "logs-readers.ts").inputs;
    assert.deepEqual(JSON.parse(String(policy)).Statement[2], {
      Action: ["kms:Decrypt"],
      Effect: "Allow",
      Resource: [key],
    });
  });
});
