import assert from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import type { IndexArgs, OpenSearchArgs } from "../../../../../components/logging/destinations/destination-args.ts";
import { IndexFormat, indexName } from "../../../../../components/logging/indexing/index-format.ts";
import { everyIndexTemplate, indexTemplate } from "../../../../../components/logging/indexing/index-template.ts";
import { LogCollection } from "../../../../../components/logging/log-collection.ts";
import { record } from "../../../../../lab/plan/plan.ts";
import { existingClusterHandle } from "../../../../support/cluster-handle.ts";
import { find } from "../../../../support/find.ts";
import { anyFormat, anyTime } from "../../arbitraries.ts";

async function collect(own: Partial<OpenSearchArgs>, index: IndexArgs = { prefix: "pods" }) {
  const destination: OpenSearchArgs = { kind: "opensearch", inCluster: true, ...own };
  const { resources } = await record({ stack: "test", config: {}, preview: false }, async () => {
    new LogCollection("logs", { cluster: existingClusterHandle(), destination, index, teams: [{ name: "ts" }] });
  });
  const one = (type: string, name: string) => find(resources, `kubernetes:${type}`, name);
  return { one, node: JSON.parse(JSON.stringify(one("apps/v1:StatefulSet", "logs-opensearch-node").inputs.spec)) };
}

describe("the in-cluster OpenSearch", () => {
  it("is one node, ready once the index template exists", async () => {
    const { node } = await collect({});
    assert.equal(node.replicas, 1);
    const [, template] = node.template.spec.containers;
    assert.deepEqual(template.readinessProbe.exec, { command: ["test", "-e", "/run/template/written"] });
    assert.match(
      template.command.at(-1),
      /^until curl .*\/_index_template\/eks-dns-logging'; do sleep 2; done\ntouch \/run\/template\/written\n/,
    );
    // Else a shell that is process 1 ignores SIGTERM, and the pod ends only when its grace period does.
    assert.match(template.command.at(-1), /\ntrap 'exit 0' TERM\nwhile true; do sleep 3600 & wait \$!; done$/);
  });

  it("may take five minutes to start, and is restarted after two without a listening port", async () => {
    const [{ startupProbe, livenessProbe }] = (await collect({})).node.template.spec.containers;
    assert.deepEqual(livenessProbe.tcpSocket, { port: 9200 });
    assert.deepEqual(
      [startupProbe, livenessProbe].map(({ periodSeconds, failureThreshold }) => periodSeconds * failureThreshold),
      [300, 120],
    );
  });

  it("is created before the collector starts to send", async () => {
    const { one } = await collect({});
    const collector = one("apps/v1:DaemonSet", "logs-fluent-bit-daemonset");
    assert.ok(collector.dependencies.includes(one("apps/v1:StatefulSet", "logs-opensearch-node").urn));
  });

  it("keeps its data on a volume if configured, beyond the StatefulSet's lifetime", async () => {
    const { node } = await collect({ storage: "5Gi" });
    assert.deepEqual(node.volumeClaimTemplates[0].spec.resources, { requests: { storage: "5Gi" } });
    assert.deepEqual(node.persistentVolumeClaimRetentionPolicy, { whenDeleted: "Retain", whenScaled: "Retain" });
    const without = await collect({});
    assert.equal(without.node.volumeClaimTemplates, undefined);
    assert.deepEqual(without.node.template.spec.volumes.at(-1), { name: "data", emptyDir: {} });
  });

  it("runs without root and capabilities", async () => {
    const { node, one } = await collect({});
    const dashboards = JSON.parse(JSON.stringify(one("apps/v1:Deployment", "logs-opensearch-dashboards").inputs.spec));
    for (const spec of [node.template.spec, dashboards.template.spec]) {
      assert.equal(spec.securityContext.runAsUser, 1000);
      assert.equal(spec.automountServiceAccountToken, false);
      for (const { securityContext } of spec.containers) {
        assert.equal(securityContext.allowPrivilegeEscalation, false);
        assert.deepEqual(securityContext.capabilities, { drop: ["ALL"] });
      }
    }
  });

  it("runs no other program in its container", async () => {
    const [{ env }] = (await collect({})).node.template.spec.containers;
    for (const name of ["DISABLE_SECURITY_PLUGIN", "DISABLE_PERFORMANCE_ANALYZER_AGENT_CLI"])
      assert.deepEqual(
        env.filter((each: { name: string }) => each.name === name),
        [{ name, value: "true" }],
      );
  });

  it("keeps running, with logs that would be lost with its pod, when the index format changes", async () => {
    const [before, after] = [await collect({}), await collect({}, { prefix: "logs", separator: "_", splitBy: "team" })];
    assert.deepEqual(before.node, after.node);
    const template = ({ one }: typeof before) => one("core/v1:ConfigMap", "logs-opensearch-template").inputs.data;
    assert.deepEqual(template(before), template(after));
  });
});

describe("everyIndexTemplate", () => {
  const { index_patterns: patterns, priority } = z
    .looseObject({ index_patterns: z.array(z.string()), priority: z.number() })
    .parse(everyIndexTemplate());
  const covers = (name: string) => patterns.some((pattern) => name.startsWith(pattern.slice(0, -1)));

  it("covers the indices of every format", () => {
    const value = fc.string({ unit: "grapheme", maxLength: 80 });
    fc.assert(
      fc.property(anyFormat, anyTime, value, (format, time, text) => {
        assert.ok(covers(indexName(format, time, { team: text, namespace: text, app: text })));
      }),
    );
    assert.ok(patterns.every((pattern) => /^[a-z0-9]\*$/.test(pattern)));
  });

  it("has the lowest priority of all templates", () => {
    assert.equal(priority, 0);
  });

  it("excludes the indices of Dashboards", () => {
    assert.ok(!covers(".opensearch_dashboards_1"));
  });

  it("has a keyword for each key that Fluent Bit adds, and for all names", () => {
    const text = JSON.stringify(everyIndexTemplate());
    for (const key of ["index_split", "line_id", "team", "stream"])
      assert.ok(text.includes(`"${key}":{"type":"keyword"}`), key);
  });
});

describe("indexTemplate", () => {
  it("has a keyword for each field that names the cluster, except for the in-cluster node's template", () => {
    for (const key of ["k8s_cluster_name", "cloud_region", "cloud_account_id"]) {
      const found = JSON.stringify(indexTemplate(IndexFormat.parse({}), "elasticsearch"));
      assert.ok(found.includes(`"${key}":{"type":"keyword"}`), key);
      assert.ok(!JSON.stringify(everyIndexTemplate()).includes(key), key);
    }
  });

  it("leaves shards and replicas to the cluster", () => {
    assert.doesNotMatch(JSON.stringify(indexTemplate(IndexFormat.parse({}), "opensearch")), /number_of/);
  });

  it("covers its format's indices, keeps nanoseconds and flattens arbitrary keys", () => {
    const template = indexTemplate(IndexFormat.parse({ prefix: "pods", separator: "_" }), "opensearch");
    const text = JSON.parse(JSON.stringify(template));
    assert.deepEqual(text.index_patterns, ["pods_*"]);
    const { properties } = text.template.mappings;
    assert.deepEqual(properties["@timestamp"], { type: "date_nanos" });
    assert.deepEqual(properties.kubernetes.properties.labels, { type: "flat_object" });
    assert.deepEqual(properties.kubernetes.properties.namespace_name, { type: "keyword" });
  });

  it("coexists with those of other prefixes, and with Elasticsearch's own for logs-*-*, by its priority", () => {
    const Priority = z.looseObject({ priority: z.number() });
    const priority = (format: object) =>
      Priority.parse(indexTemplate(IndexFormat.parse(format), "elasticsearch")).priority;
    assert.ok(priority({ prefix: "pods-dev" }) > priority({ prefix: "pods" }));
    assert.ok(priority({ prefix: "p".repeat(63) }) < 100);
    assert.ok(priority({ prefix: "p" }) > 0);
  });

  it("uses Elasticsearch's flattened type, with which long or deep values do not reject documents", () => {
    assert.match(
      JSON.stringify(indexTemplate(IndexFormat.parse({}), "elasticsearch")),
      /"fields":\{"type":"flattened","ignore_above":8191,"depth_limit":1000\}/,
    );
  });
});
