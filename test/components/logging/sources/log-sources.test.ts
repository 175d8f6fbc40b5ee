import assert from "node:assert/strict";
import { COLLECTORS } from "../../../../components/logging/collectors/index.ts";
import type { LokiArgs } from "../../../../components/logging/destinations/destination-args.ts";
import type { LogCollectionArgs } from "../../../../components/logging/log-collection-args.ts";
import { LoggingSettings } from "../../../../components/logging/settings.ts";
import { checkLogging } from "../../../../components/logging/validation.ts";
import { formatIssue } from "../../../../components/schema/errors.ts";
import { isObject } from "../../../../components/schema/values.ts";
import type { Recording } from "../../../../lab/plan/recording.ts";
import { find } from "../../../support/find.ts";
import { collect, podOf } from "../recorded-collection.ts";

describe("Fields of a stack", () => {
  it("must not have a name that a source's records already have", () => {
    const found = (sources: readonly string[], name: string) =>
      checkLogging(LoggingSettings.parse({ sources, processing: { fields: { [name]: "x" } } }), "eks")
        .filter(({ severity }) => severity !== "warning")
        .map(formatIssue);
    for (const [source, name] of [
      ["kubelet", "node"],
      ["auth", "unit"],
      ["kernel", "priority"],
      ["events", "type"],
      ["events", "reason"],
      ["events", "metadata"],
    ] as const) {
      const message = `must have another name with the source ${source}, whose records already have a field ${name}`;
      assert.deepEqual(found(["pods", source], name), [`processing.fields.${name}: ${message}`]);
      assert.deepEqual(found(["pods"], name), []);
    }
    assert.deepEqual(found(["pods", "kubelet", "events"], "site"), []);
    assert.deepEqual(found(["pods", "events"], "unit"), []);
  });
});

describe("LogCollection, with sources besides pods,", () => {
  const pod = (of: Recording, collector = "fluent-bit") => podOf(of, collector);

  it("mounts the node's journal, read-only, only if parts of it are collected", async () => {
    const spec = pod(await collect({ sources: ["pods", "kubelet"] }));
    const [mount] = spec.containers[0].volumeMounts.filter(({ name }: { name: string }) => name === "journal");
    assert.deepEqual(mount, { name: "journal", mountPath: "/var/log/journal", readOnly: true });
    assert.doesNotMatch(JSON.stringify(pod(await collect({}))), /journal/);
  });

  it("mounts the node's journalctl, read-only, for a collector whose image has none", async () => {
    const settings = {
      collector: "opentelemetry",
      destination: { kind: "elasticsearch", host: "search.example.com" },
      index: { prefix: "app" },
    } as const;
    const programs = (spec: ReturnType<typeof pod>) =>
      spec.containers[0].volumeMounts.filter(({ mountPath }: { mountPath: string }) => /^\/(usr|lib)/.test(mountPath));
    const spec = pod(await collect({ ...settings, sources: ["pods", "kernel"] }), "opentelemetry");
    assert.deepEqual(programs(spec), [
      { name: "node-usr", mountPath: "/usr", readOnly: true },
      { name: "node-lib", mountPath: "/lib", readOnly: true },
      { name: "node-lib64", mountPath: "/lib64", readOnly: true },
    ]);
    const volumes = spec.volumes.filter(({ name }: { name: string }) => name.startsWith("node-"));
    assert.deepEqual(
      volumes.map(({ hostPath }: { hostPath: object }) => hostPath),
      ["/usr", "/lib", "/lib64"].map((path) => ({ path, type: "Directory" })),
    );
    assert.deepEqual(spec.containers[0].securityContext.capabilities, { drop: ["ALL"] });
    assert.deepEqual(programs(pod(await collect(settings), "opentelemetry")), []);
  });

  it("runs Vector from its image with journalctl if it reads the journal, and else from the smallest", async () => {
    const image = async (sources: readonly ("pods" | "kernel")[]) =>
      pod(await collect({ collector: "vector", sources }), "vector").containers[0].image;
    assert.match(await image(["pods"]), /^docker\.io\/timberio\/vector:[\d.]+-distroless-static$/);
    assert.match(await image(["pods", "kernel"]), /^docker\.io\/timberio\/vector:[\d.]+-debian$/);
  });

  it("reads events in one pod that may read nothing else, without root or the node's files", async () => {
    const { resources } = await collect({ sources: ["pods", "events"] });
    const of = (type: string, name: string) =>
      JSON.parse(JSON.stringify(find(resources, `kubernetes:${type}`, name).inputs));
    const { spec } = of("apps/v1:StatefulSet", "logs-fluent-bit-events-statefulset");
    assert.equal(spec.replicas, 1);
    const pod = spec.template.spec;
    assert.equal(pod.serviceAccountName, "fluent-bit-events");
    assert.equal(of("core/v1:ServiceAccount", "logs-fluent-bit-events-account").automountServiceAccountToken, false);
    assert.equal(pod.automountServiceAccountToken, true);
    assert.doesNotMatch(JSON.stringify(pod), /hostPath|"runAsUser":0/);
    assert.equal(pod.containers[0].securityContext.runAsUser, 65_532);
    const { rules } = of("rbac.authorization.k8s.io/v1:ClusterRole", "logs-fluent-bit-events-role");
    assert.deepEqual(rules, [{ apiGroups: [""], resources: ["events"], verbs: ["get", "list", "watch"] }]);
    const config = (name: string) => of("core/v1:ConfigMap", name).data["fluent-bit.yaml"];
    assert.match(config("logs-fluent-bit-events-config"), /kubernetes_events/);
    assert.doesNotMatch(config("logs-fluent-bit-events-config"), /name: tail/);
    assert.doesNotMatch(config("logs-fluent-bit-config"), /events/);
  });

  it("replaces an event reader that does not start", async () => {
    const { resources } = await collect({ sources: ["pods", "events"] });
    const { inputs } = find(resources, "kubernetes:apps/v1:StatefulSet", "logs-fluent-bit-events-statefulset");
    assert.ok(isObject(inputs.spec));
    assert.equal(inputs.spec.podManagementPolicy, "Parallel");
  });

  it("bounds the event reader's volume by the buffers of its destinations", async () => {
    const limit = async (args: Partial<LogCollectionArgs>) => {
      const { resources } = await collect({ sources: ["pods", "events"], ...args });
      const { inputs } = find(resources, "kubernetes:apps/v1:StatefulSet", "logs-fluent-bit-events-statefulset");
      const { volumes } = JSON.parse(JSON.stringify(inputs)).spec.template.spec;
      return volumes.find(({ name }: { name: string }) => name === "state").emptyDir;
    };
    assert.deepEqual(await limit({}), { sizeLimit: "4352Mi" });
    assert.deepEqual(await limit({ buffer: { size: "64Mi" } }), { sizeLimit: "320Mi" });
    const [search, hook] = [
      { kind: "opensearch", host: "h", buffer: { size: "100Mi" } },
      { kind: "http", url: "http://a/", buffer: { size: "1Gi" } },
    ] as const;
    assert.deepEqual(await limit({ destinations: { search, hook } }), { sizeLimit: "2504Mi" });
    const routes = [{ to: ["search"] }, { to: ["hook"], sources: ["pods" as const] }];
    assert.deepEqual(await limit({ destinations: { search, hook }, routes }), { sizeLimit: "456Mi" });
  });

  it("reads events with Fluent Bit beside each collector, and the pods with that collector", async () => {
    const loki: LokiArgs = { kind: "loki", url: "https://loki:3100" };
    const http = { kind: "http", url: "https://a.test/" } as const;
    for (const [collector, destination] of [
      ["vector", http],
      ["opentelemetry", loki],
      ["fluentd", http],
      ["promtail", loki],
    ] as const) {
      const { resources } = await collect({
        sources: ["pods", "events"],
        collector,
        destination,
        image: "registry.test/own:1",
        resources: { memoryLimit: "1Gi" },
      });
      const specOf = (type: string, name: string) =>
        JSON.parse(JSON.stringify(find(resources, `kubernetes:apps/v1:${type}`, name).inputs)).spec.template.spec;
      const [reader] = specOf("StatefulSet", "logs-fluent-bit-events-statefulset").containers;
      assert.match(reader.image, /fluent\/fluent-bit:/);
      assert.equal(reader.resources.limits.memory, "512Mi");
      const [onNodes] = specOf("DaemonSet", `logs-${collector}-daemonset`).containers;
      assert.equal(onNodes.image, "registry.test/own:1");
      assert.equal(onNodes.resources.limits.memory, "1Gi");
      const dataOf = (name: string) =>
        JSON.stringify(find(resources, "kubernetes:core/v1:ConfigMap", `logs-${name}-config`).inputs.data);
      assert.match(dataOf("fluent-bit-events"), /kubernetes_events.*cluster-events|kubernetes_events.*match: events/);
      assert.doesNotMatch(dataOf("fluent-bit-events"), /name: tail/);
      assert.doesNotMatch(dataOf(collector), /kubernetes_events/);
    }
  });

  it("reads events with a separate image, or that of the same program", async () => {
    const imageOf = async (args: Partial<LogCollectionArgs>) => {
      const { resources } = await collect({ sources: ["pods", "events"], ...args });
      const { inputs } = find(resources, "kubernetes:apps/v1:StatefulSet", "logs-fluent-bit-events-statefulset");
      return JSON.parse(JSON.stringify(inputs)).spec.template.spec.containers[0].image;
    };
    const [image, other] = ["registry.test/fluent-bit:1", "registry.test/events:1"];
    assert.equal(await imageOf({ image }), image);
    assert.equal(await imageOf({ image, events: { image: other } }), other);
    const vector = { collector: "vector", image: "registry.test/vector:1" } as const;
    assert.equal(await imageOf({ ...vector, events: { image: other } }), other);
    assert.equal(await imageOf(vector), COLLECTORS["fluent-bit"]?.image);
  });

  it("renders for each part its own destinations", async () => {
    const { resources } = await collect({
      sources: ["pods", "events"],
      collector: "vector",
      destinations: {
        archive: { kind: "http", url: "https://archive.test/" },
        siem: { kind: "splunk", url: "https://siem.test:8088", token: { secretName: "hec" } },
      },
      routes: [{ to: ["archive"] }, { to: ["siem"], sources: ["events"] }],
    });
    const dataOf = (name: string) =>
      JSON.stringify(find(resources, "kubernetes:core/v1:ConfigMap", `logs-${name}-config`).inputs.data);
    assert.match(dataOf("vector"), /archive\.test/);
    assert.doesNotMatch(dataOf("vector"), /siem\.test/);
    assert.match(dataOf("fluent-bit-events"), /archive\.test/);
    assert.match(dataOf("fluent-bit-events"), /siem\.test/);
    const { inputs } = find(resources, "kubernetes:apps/v1:StatefulSet", "logs-fluent-bit-events-statefulset");
    const { containers } = JSON.parse(JSON.stringify(inputs)).spec.template.spec;
    assert.deepEqual(
      containers.map(({ name }: { name: string }) => name),
      ["fluent-bit", "fluent-bit-archive", "fluent-bit-siem"],
    );
    assert.match(JSON.stringify(containers[2].env), /"name":"hec"/);
    const daemonSet = find(resources, "kubernetes:apps/v1:DaemonSet", "logs-vector-daemonset");
    assert.doesNotMatch(JSON.stringify(daemonSet.inputs), /"hec"/);
  });
});
