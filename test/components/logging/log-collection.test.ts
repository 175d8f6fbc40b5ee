import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { COLLECTORS } from "../../../components/logging/collectors/index.ts";
import { receiverEgress } from "../../../components/logging/destinations/egress.ts";
import { LogCollection } from "../../../components/logging/log-collection.ts";
import type { LogCollectionArgs, LokiArgs, OpenSearchArgs } from "../../../components/logging/log-collection-args.ts";
import { formatIssue, SettingsError } from "../../../components/schema/errors.ts";
import { type Recording, record } from "../../../lab/plan/plan.ts";
import { existingClusterHandle } from "../../support/cluster-handle.ts";
import { find, ofType } from "../../support/find.ts";
import { collect, podOf } from "./recorded-collection.ts";

describe("LogCollection", () => {
  let recording: Recording;
  before(async () => {
    recording = await collect({});
  });
  const one = (type: string, name: string) => find(recording.resources, `kubernetes:${type}`, name);
  const pod = (of = recording, collector = "fluent-bit") => podOf(of, collector);

  it("lets host paths into its own namespace alone, and still warns of what is not restricted", () => {
    const { metadata } = one("core/v1:Namespace", "logs-namespace").inputs;
    assert.ok(typeof metadata === "object" && metadata !== null && "labels" in metadata && "name" in metadata);
    assert.equal(metadata.name, "logging");
    const labels = JSON.stringify(metadata.labels);
    assert.match(labels, /"pod-security\.kubernetes\.io\/enforce":"privileged"/);
    assert.match(labels, /"pod-security\.kubernetes\.io\/warn":"restricted"/);
    assert.match(labels, /"pod-security\.kubernetes\.io\/audit":"restricted"/);
  });

  it("runs on every node, and stays there under pressure", () => {
    const spec = pod();
    assert.deepEqual(spec.tolerations, [{ operator: "Exists" }]);
    assert.equal(spec.priorityClassName, "system-node-critical");
    assert.deepEqual(spec.nodeSelector, { "kubernetes.io/os": "linux" });
  });

  it("has time to hand over what it holds: the pod's grace is longer than its own", () => {
    const { data } = one("core/v1:ConfigMap", "logs-fluent-bit-config").inputs;
    assert.ok(typeof data === "object" && data !== null && "fluent-bit.yaml" in data);
    const { service } = parse(String(data["fluent-bit.yaml"]));
    assert.ok(pod().terminationGracePeriodSeconds > service.grace);
    assert.equal(pod().terminationGracePeriodSeconds, 11);
  });

  it("is hardened: a read-only root, no capability, and host paths read-only but for its own state", () => {
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

  it("is started again after two minutes without an answer of the thread that reads, and not for a slow one", () => {
    const { livenessProbe } = pod().containers[0];
    const { httpGet, timeoutSeconds, periodSeconds, failureThreshold } = livenessProbe;
    assert.deepEqual(httpGet, { path: "/services/collector/health", port: 2021 });
    assert.deepEqual([timeoutSeconds, periodSeconds * failureThreshold], [30, 120]);
  });

  it("takes user, password and authority from Secrets that somebody else made", async () => {
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

  it("gives user and password in files to a collector that reads files, and in no variable", async () => {
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

  it("makes the folder of destination file on the node, and mounts that one writable", async () => {
    const spec = pod(await collect({ destination: { kind: "file", path: "/var/log/out" } }));
    assert.deepEqual(spec.volumes.at(-1), {
      name: "destination",
      hostPath: { path: "/var/log/out", type: "DirectoryOrCreate" },
    });
    assert.deepEqual(spec.containers[0].volumeMounts.at(-1), { name: "destination", mountPath: "/var/log/out" });
  });

  it("mounts the node's journal, read-only, where parts of it are collected, and else not", async () => {
    const spec = pod(await collect({ sources: ["pods", "kubelet"] }));
    const [mount] = spec.containers[0].volumeMounts.filter(({ name }: { name: string }) => name === "journal");
    assert.deepEqual(mount, { name: "journal", mountPath: "/var/log/journal", readOnly: true });
    assert.doesNotMatch(JSON.stringify(pod(await collect({}))), /journal/);
  });

  it("mounts the node's journalctl, read-only, beside a collector whose image has none", async () => {
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

  it("runs Vector from its image with journalctl where it reads the journal, and else from the smallest", async () => {
    const image = async (sources: readonly ("pods" | "kernel")[]) =>
      pod(await collect({ collector: "vector", sources }), "vector").containers[0].image;
    assert.match(await image(["pods"]), /^docker\.io\/timberio\/vector:[\d.]+-distroless-static$/);
    assert.match(await image(["pods", "kernel"]), /^docker\.io\/timberio\/vector:[\d.]+-debian$/);
  });

  it("reads events in one pod that may read nothing else, and has neither root nor files of its node", async () => {
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

  it("bounds the volume of the reader of events by the buffers of their destinations", async () => {
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

  it("reads events with an image of its own, or that of the same program", async () => {
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

  it("renders for each part the destinations that it sends to", async () => {
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

  it("gives what applications send to a name on their own node, and the teams a way there and nowhere else", async () => {
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
    assert.deepEqual(receiverEgress(COLLECTORS.opentelemetry), [
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

  describe("with an address that only the deployment knows", () => {
    const settings = { destination: { kind: "opensearch", host: "search.example.com", port: 443 } } as const;
    /** The component with the host as an output of another resource. */
    const collectFrom = (host: string, preview: boolean, args: Partial<LogCollectionArgs> = {}) =>
      record({ stack: "test", config: {}, preview, outputs: () => ({ host }) }, async () => {
        const domain = new Domain("domain", { host: undefined });
        const destination = { ...settings.destination, host: domain.host };
        const logs = new LogCollection("logs", { ...args, destination, cluster: existingClusterHandle() });
        return { destination: logs.destination };
      });
    const inputsOf = ({ resources }: Recording) =>
      [
        find(resources, "kubernetes:core/v1:ConfigMap", "logs-fluent-bit-config"),
        find(resources, "kubernetes:apps/v1:DaemonSet", "logs-fluent-bit-daemonset"),
      ].map(({ inputs }) => inputs);

    it("renders what it renders for the same address as a string", async () => {
      // The other cluster has another name.
      const metadata = { cluster: false };
      const found = await collectFrom("search.example.com", false, { metadata });
      assert.deepEqual(inputsOf(found), inputsOf(await collect({ ...settings, metadata })));
      assert.equal(found.outputs.destination, "opensearch at https://search.example.com:443");
    });

    it("leaves the configuration and its hash unknown in a preview, and the rest of the pod known", async () => {
      const found = await collectFrom("search.example.com", true);
      const [config, daemonSet] = inputsOf(found);
      assert.doesNotMatch(JSON.stringify(config), /known-after-deployment/);
      assert.match(JSON.stringify(daemonSet), /"image":"cr.fluentbit.io/);
    });

    it("fails for an address that cannot work", async () => {
      await assert.rejects(
        collectFrom("search-x.eu-central-1.es.amazonaws.com", false),
        /logs\.destination\.sigv4: must be set for a domain of Amazon OpenSearch Service/,
      );
    });

    it("is not for sidecars, whose network policies need it", async () => {
      await assert.rejects(
        collectFrom("search.example.com", false, { mode: "sidecar" }),
        /logs\.destination\.host: must be a string, not an output, with mode sidecar/,
      );
    });
  });

  it("takes an image that only the deployment knows", async () => {
    const image = pulumi.output(Promise.resolve("registry.example.com/fluent-bit:5.1.1"));
    assert.equal(pod(await collect({ image })).containers[0].image, "registry.example.com/fluent-bit:5.1.1");
  });

  it("reports all that is wrong with its arguments, by its own name", async () => {
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

/** A resource whose address a provider gives. */
class Domain extends pulumi.CustomResource {
  declare readonly host: pulumi.Output<string>;

  constructor(name: string, props: pulumi.Inputs) {
    super("test:index:Domain", name, props);
  }
}
