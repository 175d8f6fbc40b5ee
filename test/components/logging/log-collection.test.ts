import assert from "node:assert/strict";
import { parse } from "yaml";
import { COLLECTORS } from "../../../components/logging/collectors/index.ts";
import type { LokiArgs, OpenSearchArgs } from "../../../components/logging/destinations/destination-args.ts";
import { receiverEgress } from "../../../components/logging/destinations/transport.ts";
import { formatIssue, SettingsError } from "../../../components/schema/errors.ts";
import type { Recording } from "../../../lab/plan/recording.ts";
import { find, ofType } from "../../support/find.ts";
import { collect, podOf } from "./recorded-collection.ts";

describe("LogCollection", () => {
  let recording: Recording;
  before(async () => {
    recording = await collect({});
  });
  const one = (type: string, name: string) => find(recording.resources, `kubernetes:${type}`, name);
  const pod = (of = recording, collector = "fluent-bit") => podOf(of, collector);

  it("allows host paths only in its own namespace, and still warns of violations of restricted", () => {
    const { metadata } = one("core/v1:Namespace", "logs-namespace").inputs;
    assert.ok(typeof metadata === "object" && metadata !== null && "labels" in metadata && "name" in metadata);
    assert.equal(metadata.name, "logging");
    const labels = JSON.stringify(metadata.labels);
    assert.match(labels, /"pod-security\.kubernetes\.io\/enforce":"privileged"/);
    assert.match(labels, /"pod-security\.kubernetes\.io\/warn":"restricted"/);
    assert.match(labels, /"pod-security\.kubernetes\.io\/audit":"restricted"/);
  });

  it("reaches its own OpenSearch by its name in the cluster's domain", async () => {
    const { resources } = await collect({
      clusterDomain: "k8s.corp",
      destination: { kind: "opensearch", inCluster: true },
    });
    const { data } = find(resources, "kubernetes:core/v1:ConfigMap", "logs-fluent-bit-config").inputs;
    assert.match(JSON.stringify(data), / host: opensearch\.logging\.svc\.k8s\.corp\\n/);
  });

  it("runs on every node, even under pressure", () => {
    const spec = pod();
    assert.deepEqual(spec.tolerations, [{ operator: "Exists" }]);
    assert.equal(spec.priorityClassName, "system-node-critical");
    assert.deepEqual(spec.nodeSelector, { "kubernetes.io/os": "linux" });
  });

  it("has time to flush: the pod's grace period exceeds its own", () => {
    const { data } = one("core/v1:ConfigMap", "logs-fluent-bit-config").inputs;
    assert.ok(typeof data === "object" && data !== null && "fluent-bit.yaml" in data);
    const { service } = parse(String(data["fluent-bit.yaml"]));
    assert.ok(pod().terminationGracePeriodSeconds > service.grace);
    assert.equal(pod().terminationGracePeriodSeconds, 11);
  });

  it("is hardened: a read-only root, no capabilities, and read-only host paths except for its own state", () => {
    const spec = pod();
    assert.deepEqual(spec.containers[0].securityContext, {
      runAsUser: 0,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      privileged: false,
      capabilities: { drop: ["ALL"] },
    });
    assert.deepEqual(spec.securityContext, { seccompProfile: { type: "RuntimeDefault" } });
    const hostPaths: { name: string; hostPath?: { path: string } }[] = spec.volumes.filter(
      (volume: object) => "hostPath" in volume,
    );
    const writable = new Set(
      spec.containers[0].volumeMounts.flatMap((mount: { name: string; readOnly?: boolean }) =>
        mount.readOnly ? [] : [mount.name],
      ),
    );
    assert.deepEqual(
      hostPaths.map(({ name, hostPath }) => [hostPath?.path, writable.has(name) ? "rw" : "ro"]),
      [
        ["/var/lib/eks-dns-logging/fluent-bit", "rw"],
        ["/var/log/pods", "ro"],
        ["/var/log/containers", "ro"],
      ],
    );
  });

  it("may read pods and namespaces, and nothing else", () => {
    assert.deepEqual(one("rbac.authorization.k8s.io/v1:ClusterRole", "logs-fluent-bit-role").inputs.rules, [
      { apiGroups: [""], resources: ["namespaces", "pods"], verbs: ["get", "list", "watch"] },
    ]);
    assert.deepEqual(
      one("rbac.authorization.k8s.io/v1:ClusterRoleBinding", "logs-fluent-bit-binding").inputs.subjects,
      [{ kind: "ServiceAccount", name: "fluent-bit", namespace: "logging" }],
    );
  });

  it("starts new pods for a new configuration, and only then", async () => {
    const hashOf = async (settings: object) => {
      const { resources } = await collect(settings);
      const { spec } = find(resources, "kubernetes:apps/v1:DaemonSet", "logs-fluent-bit-daemonset").inputs;
      return JSON.parse(JSON.stringify(spec)).template.metadata.annotations["eks-dns-logging/config"];
    };
    assert.equal(await hashOf({}), await hashOf({ index: { prefix: "unused-by-stdout" } }));
    assert.notEqual(await hashOf({}), await hashOf({ multiline: [] }));
  });

  it("waits for the nodes and is destroyed before them", () => {
    const agent = find(recording.resources, "kubernetes:core/v1:ConfigMap", "agent");
    assert.deepEqual(one("core/v1:Namespace", "logs-namespace").dependencies, [agent.urn]);
  });

  it("is restarted after two minutes without an answer from the thread that reads, and not after a slow one", () => {
    const { livenessProbe } = pod().containers[0];
    const { httpGet, timeoutSeconds, periodSeconds, failureThreshold } = livenessProbe;
    assert.deepEqual(httpGet, { path: "/services/collector/health", port: 2021 });
    assert.deepEqual([timeoutSeconds, periodSeconds * failureThreshold], [30, 120]);
  });

  it("reads user, password and CA certificate from existing Secrets", async () => {
    const destination: OpenSearchArgs = {
      kind: "opensearch",
      host: "h",
      credentials: { secretName: "writer" },
      tls: { caSecretName: "ca" },
    };
    const spec = pod(await collect({ destination }));
    const variable = (name: string) => spec.containers[0].env.find((each: { name: string }) => each.name === name);
    assert.deepEqual(variable("LOG_PASSWORD").valueFrom, { secretKeyRef: { name: "writer", key: "password" } });
    assert.deepEqual(variable("LOG_USER").valueFrom, { secretKeyRef: { name: "writer", key: "username" } });
    assert.deepEqual(spec.volumes.at(-1), {
      name: "ca",
      secret: { secretName: "ca", items: [{ key: "ca.crt", path: "ca.crt" }] },
    });
  });

  it("passes user and password to a collector that reads files as files, and not as variables", async () => {
    const destination: LokiArgs = { kind: "loki", url: "https://loki:3100", credentials: { secretName: "writer" } };
    const spec = pod(await collect({ collector: "promtail", destination }), "promtail");
    assert.doesNotMatch(JSON.stringify(spec.containers[0].env), /LOG_|writer/);
    const mountPath = "/etc/log-destination/credentials";
    assert.deepEqual(spec.containers[0].volumeMounts.at(-1), { name: "credentials", mountPath, readOnly: true });
    const items = [
      { key: "username", path: "username" },
      { key: "password", path: "password" },
    ];
    assert.deepEqual(spec.volumes.at(-1), { name: "credentials", secret: { secretName: "writer", items } });
  });

  it("creates the folder of destination file on the node, and mounts only that one writable", async () => {
    const spec = pod(await collect({ destination: { kind: "file", path: "/var/log/out" } }));
    assert.deepEqual(spec.volumes.at(-1), {
      name: "destination",
      hostPath: { path: "/var/log/out", type: "DirectoryOrCreate" },
    });
    assert.deepEqual(spec.containers[0].volumeMounts.at(-1), { name: "destination", mountPath: "/var/log/out" });
  });

  it("offers applications a Service on their own node, and lets the teams reach only that", async () => {
    const { resources } = await collect({
      collector: "opentelemetry",
      destination: { kind: "loki", url: "http://loki.test:3100" },
    });
    const { spec } = find(resources, "kubernetes:core/v1:Service", "logs-opentelemetry-receiver").inputs;
    assert.deepEqual(JSON.parse(JSON.stringify(spec)), {
      type: "ClusterIP",
      internalTrafficPolicy: "Local",
      selector: { "app.kubernetes.io/name": "opentelemetry" },
      ports: [
        { name: "otlp-grpc", port: 4317, targetPort: "otlp-grpc", protocol: "TCP" },
        { name: "otlp-http", port: 4318, targetPort: "otlp-http", protocol: "TCP" },
      ],
    });
    assert.deepEqual(ofType(recording.resources, "kubernetes:core/v1:Service"), []);
    assert.ok(COLLECTORS.opentelemetry);
    assert.deepEqual(receiverEgress(COLLECTORS.opentelemetry, "logging"), [
      {
        to: [
          {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "logging" } },
            podSelector: { matchLabels: { "app.kubernetes.io/name": "opentelemetry" } },
          },
        ],
        ports: [
          { protocol: "TCP", port: 4317 },
          { protocol: "TCP", port: 4318 },
        ],
      },
    ]);
  });

  it("reports all errors in its arguments, under its own name", async () => {
    await assert.rejects(collect({ collector: "promtail", mode: "sidecar", buffer: { size: "1Gi" } }), (error) => {
      assert.ok(error instanceof SettingsError);
      assert.deepEqual(error.issues.map(formatIssue), [
        'logs.mode: must be daemonset with Promtail (found "sidecar")',
        'logs.destination.kind: must be loki with Promtail: Promtail sends to Loki only (found "stdout")',
      ]);
      return true;
    });
    await assert.rejects(
      collect({ destination: { kind: "s3" } }),
      /logs\.destination\.kind: must not need an AWS identity, since the cluster has no podIdentity/,
    );
    await assert.rejects(
      collect({ destination: { kind: "s3", bucket: "Logs" } }, "on AWS"),
      /logs\.destination\.bucket: must be 3 to 63 lowercase letters/,
    );
  });
});
