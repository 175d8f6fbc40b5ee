import assert from "node:assert/strict";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { LogCollection } from "../../../../components/logging/log-collection.ts";
import type { LogCollectionArgs } from "../../../../components/logging/log-collection-args.ts";
import { parseSettings } from "../../../../components/settings.ts";
import type { PodFacts } from "../../../../lab/kubernetes/cluster.ts";
import { record } from "../../../../lab/plan/plan.ts";
import { formatRoutes } from "../../../../lab/plan/plan-text.ts";
import type { Recording } from "../../../../lab/plan/recording.ts";
import { findersFor } from "../../../../lab/verify/find/marker-finders.ts";
import { existingClusterHandle } from "../../../support/cluster-handle.ts";
import { find, ofType } from "../../../support/find.ts";

const DESTINATIONS: LogCollectionArgs["destinations"] = {
  archive: { kind: "s3", prefix: "pods" },
  audit: { kind: "cloudwatch", retentionDays: 90 },
  search: {
    kind: "opensearch",
    host: pulumi.output("search.example.com"),
    credentials: { secretName: "search-writer" },
    tls: { caSecretName: "search-ca" },
  },
  local: { kind: "file" },
};

async function collect(args: Omit<LogCollectionArgs, "cluster">): Promise<Recording> {
  const call = (_token: string, inputs: object) => ({ ...inputs, accountId: "111122223333" });
  return record({ stack: "test", config: {}, preview: false, call }, async () => {
    const agent = new k8s.core.v1.ConfigMap("agent", {});
    const podIdentity = { clusterName: "dev", region: "eu-central-1", partition: "aws", tags: {}, agent };
    const cluster = existingClusterHandle({ name: "dev", ready: [agent], podIdentity });
    new LogCollection("logs", { teams: [{ name: "ts" }], ...args, cluster });
  });
}

describe("LogCollection with several destinations", () => {
  let recording: Recording;
  before(async () => {
    recording = await collect({
      destinations: DESTINATIONS,
      routes: [{ to: ["archive", "audit", "local"] }, { to: ["search"], teams: ["ts"] }],
    });
  });
  const spec = () =>
    JSON.parse(
      JSON.stringify(
        find(recording.resources, "kubernetes:apps/v1:DaemonSet", "logs-fluent-bit-daemonset").inputs.spec,
      ),
    ).template.spec;

  it("names each destination's resources after it", () => {
    assert.equal(
      find(recording.resources, "aws:s3/bucket:Bucket", "logs-bucket-archive").inputs.bucket,
      "dev-logs-eu-central-1-archive",
    );
    const group = find(recording.resources, "aws:cloudwatch/logGroup:LogGroup", "logs-group-audit").inputs;
    assert.deepEqual([group.name, group.retentionInDays], ["/eks-dns-logging/dev/pods-audit", 90]);
  });

  it("keeps the log group or bucket of the former only destination", async () => {
    const one = await collect({ destination: { kind: "s3", prefix: "pods" } });
    const several = await collect({ destinations: { ...DESTINATIONS, archive: { kind: "s3", wasDestination: true } } });
    const before = one.resources.filter(({ type }) => type.startsWith("aws:"));
    const urns = new Set(several.resources.map(({ type, name, inputs }) => `${type} ${name} ${String(inputs.bucket)}`));
    assert.ok(before.length > 3);
    for (const { type, name, inputs } of before)
      assert.ok(urns.has(`${type} ${name} ${String(inputs.bucket)}`), `${type} ${name}`);
    const bucket = find(several.resources, "aws:s3/bucket:Bucket", "logs-bucket");
    assert.equal(bucket.inputs.bucket, "dev-logs-eu-central-1");
    const { data } = find(several.resources, "kubernetes:core/v1:ConfigMap", "logs-fluent-bit-config").inputs;
    assert.match(JSON.stringify(data), /bucket: dev-logs-eu-central-1\\n/);
  });

  it("gives the collector one role, which may write to each of them and nothing else", () => {
    assert.equal(ofType(recording.resources, "aws:iam/role:Role").length, 1);
    const { policy } = find(recording.resources, "aws:iam/rolePolicy:RolePolicy", "logs-identity").inputs;
    assert.deepEqual(JSON.parse(String(policy)).Statement, [
      {
        Sid: "WriteObjectsArchive",
        Effect: "Allow",
        Action: ["s3:PutObject"],
        Resource: ["arn:aws:s3:::dev-logs-eu-central-1-archive/pods/*"],
      },
      {
        Sid: "WriteLinesAudit",
        Effect: "Allow",
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: ["arn:aws:logs:eu-central-1:111122223333:log-group:/eks-dns-logging/dev/pods-audit:*"],
      },
    ]);
  });

  it("runs a container for each, with only its destination's secrets and folders", () => {
    const { containers, volumes } = spec();
    const byName = new Map<string, Record<string, { name: string; mountPath?: string }[]>>(
      containers.map((container: { name: string }) => [container.name, container]),
    );
    assert.deepEqual(
      [...byName.keys()],
      ["fluent-bit", "fluent-bit-archive", "fluent-bit-audit", "fluent-bit-local", "fluent-bit-search"],
    );
    const has = (name: string, key: string) => byName.get(name)?.[key]?.map((each) => each.name) ?? [];
    for (const name of byName.keys()) {
      assert.equal(has(name, "env").includes("LOG_PASSWORD"), name === "fluent-bit-search", name);
      assert.equal(has(name, "volumeMounts").includes("search-ca"), name === "fluent-bit-search", name);
      assert.equal(has(name, "volumeMounts").includes("destination-local"), name === "fluent-bit-local", name);
      assert.equal(has(name, "volumeMounts").includes("pods"), name === "fluent-bit", name);
    }
    const names = volumes.map((volume: { name: string }) => volume.name);
    assert.equal(new Set(names).size, names.length);
    const mounted = [...byName.keys()].flatMap((name) => has(name, "volumeMounts"));
    assert.deepEqual(
      mounted.filter((name) => !names.includes(name)),
      [],
    );
  });

  it("waits for an address known only during deployment, and describes where lines go", () => {
    const { data } = find(recording.resources, "kubernetes:core/v1:ConfigMap", "logs-fluent-bit-config").inputs;
    assert.match(JSON.stringify(data), /search\.example\.com/);
    assert.doesNotMatch(JSON.stringify(data), /known-after-deployment/);
  });
});

describe("A stack with several destinations", () => {
  const settings = parseSettings({
    "eks-dns-logging:cluster": '{"kind":"existing"}',
    "eks-dns-logging:logging": JSON.stringify({
      destinations: {
        errors: { kind: "stdout" },
        search: { kind: "opensearch", host: "10.0.0.9", tls: false, index: { prefix: "app", splitBy: "team" } },
      },
      routes: [
        { to: ["search"], teams: ["ts"] },
        { to: ["errors"], levels: ["error"], streams: ["stderr"] },
      ],
    }),
  });

  it("lists in the plan which lines go where, under today's index names", () => {
    assert.deepEqual(formatRoutes(settings, new Date("2026-11-28T10:00:00Z")).split("\n").slice(1), [
      "    errors : stdout of the collector, in namespace logging",
      "      gets  : stream stderr, level error",
      "    search : opensearch at http://10.0.0.9:9200",
      "      gets  : namespace ts-team",
      "      today : app-ts-2026.11.28",
      "",
      "",
    ]);
  });

  it("lists in the plan only lines that are collected", () => {
    const of = (logging: object) =>
      formatRoutes(
        parseSettings({
          "eks-dns-logging:cluster": '{"kind":"existing"}',
          "eks-dns-logging:logging": JSON.stringify({
            destinations: { all: { kind: "stdout" }, some: { kind: "loki", url: "https://l.example.com" } },
            ...logging,
          }),
        }),
        new Date("2026-11-28T10:00:00Z"),
      )
        .split("\n")
        .filter((line) => line.includes("gets  : "))
        .map((line) => line.trim().slice("gets  : ".length));
    const namespaces = { exclude: ["kube-system"] };
    const all = { to: ["all"] };
    const none = "no lines, because none that its routes select are collected";
    assert.deepEqual(of({ namespaces, routes: [all, { to: ["some"], namespaces: ["kube-system"] }] }), [
      "all lines",
      none,
    ]);
    assert.deepEqual(of({ namespaces, routes: [all, { to: ["some"], namespaces: ["kube-system", "shop"] }] }), [
      "all lines",
      "namespace shop",
    ]);
    assert.deepEqual(of({ labels: { app: "web" }, routes: [all, { to: ["some"], labels: { app: "api" } }] }), [
      "all lines",
      none,
    ]);
  });

  it("is verified in each destination, except for lines that no route sends there", () => {
    const pod: PodFacts = {
      ...{ namespace: "ts-team", name: "curl-ts", phase: "Running", ready: true, ip: "10.0.0.1", node: "node" },
      ...{
        reason: "",
        containers: ["curl"],
        labels: {},
        deleting: false,
        hostNetwork: false,
        dnsPolicy: "ClusterFirst",
      },
      ...{ mounts: [], metricsPorts: [], restarts: 0, ended: undefined },
    };
    assert.deepEqual(
      findersFor(settings).map(({ name, place, takes }) => [name, place, takes?.(pod)]),
      [
        ["errors", "fluent-bit-errors stdout", false],
        ["search", "opensearch app-*", true],
      ],
    );
  });
});
