import assert from "node:assert/strict";
import { COLLECTORS } from "../../../../components/logging/collectors/index.ts";
import { LoggingSettings } from "../../../../components/logging/settings.ts";
import { checkLogging } from "../../../../components/logging/validation.ts";
import { sidecarOf } from "../../../../components/logging/workloads/sidecar.ts";
import { curlPodSpec, responderConfig } from "../../../../components/team/curl-pod-spec.ts";
import { CurlPodSettings } from "../../../../components/team/settings.ts";

const pod = { namespace: "ts-team", pod: "curl-ts", container: "curl", team: "ts", app: "curl" };
const names = { serviceAccount: "workload", configMap: "curl-ts-responder" };

function parts(settings: object) {
  const parsed = LoggingSettings.parse({ mode: "sidecar", ...settings });
  const collector = COLLECTORS[parsed.collector];
  assert.ok(collector);
  return sidecarOf(collector, parsed, { cluster: "c", region: undefined }).parts(pod, "curl-ts-collector");
}
const spec = (settings: object) => curlPodSpec("ts", CurlPodSettings.parse({}), names, parts(settings));
const search = {
  kind: "opensearch",
  host: "10.0.0.5",
  credentials: { secretName: "writer" },
  tls: { caSecretName: "ca" },
};

describe("a sidecar", () => {
  for (const [id, collector] of Object.entries(COLLECTORS).filter(([, { modes }]) => modes.includes("sidecar"))) {
    it(`meets Pod Security restricted and writes only to its own volumes: ${id}`, () => {
      const { container, volumes } = parts({
        collector: id,
        destination: collector.destinations.stdout === true ? { kind: "stdout" } : { ...search, kind: "elasticsearch" },
      });
      assert.deepEqual(container.securityContext, {
        runAsUser: 65_534,
        runAsGroup: 65_534,
        runAsNonRoot: true,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      const writable = container.volumeMounts.filter((mount) => !("readOnly" in mount)).map(({ name }) => name);
      assert.deepEqual(writable, ["collector-state", "collector-tmp"]);
      assert.equal(
        volumes.some((volume) => "hostPath" in volume),
        false,
      );
    });
  }

  it("starts before all other containers and stops after them, as a native sidecar", () => {
    const { initContainers } = spec({ collector: "tail" });
    assert.deepEqual(
      initContainers.map(({ name, restartPolicy }) => [name, restartPolicy]),
      [
        ["tail", "Always"],
        ["responder", "Always"],
      ],
    );
  });

  it("never makes the pod unready, and has time to flush", () => {
    const { initContainers, terminationGracePeriodSeconds } = spec({ collector: "fluent-bit" });
    assert.equal("readinessProbe" in (initContainers[0] ?? {}), false);
    assert.equal(terminationGracePeriodSeconds, 6);
  });

  it("shares the folder with the containers that write to it", () => {
    const pod = spec({ collector: "tail" });
    const mount = { name: "app-logs", mountPath: "/var/log/app" };
    assert.deepEqual(pod.containers[0]?.volumeMounts[1], mount);
    assert.deepEqual(pod.initContainers[1]?.volumeMounts[1], mount);
    assert.deepEqual(pod.initContainers[0]?.volumeMounts.at(-1), { ...mount, readOnly: true });
    assert.match(
      responderConfig("/var/log/app"),
      /access_log \/dev\/stdout combined;\n {2}access_log \/var\/log\/app\/access\.log combined;/,
    );
    assert.doesNotMatch(responderConfig(), /access\.log/);
  });

  it("reads the two files of the lab's pod, from their beginning and under the same name after a rotation", () => {
    const { container } = parts({ collector: "tail" });
    assert.deepEqual(container.args, ["-q", "-n", "+1", "-F", "/var/log/app/access.log", "/var/log/app/app.log"]);
  });

  it("reads user, password and CA certificate from the team's Secrets", () => {
    const { container, volumes, files } = parts({ destination: search });
    const from = (key: string) => ({ secretKeyRef: { name: "writer", key } });
    assert.deepEqual(container.env.slice(2), [
      { name: "LOG_USER", valueFrom: from("username") },
      { name: "LOG_PASSWORD", valueFrom: from("password") },
    ]);
    assert.deepEqual(volumes.at(-1), {
      name: "collector-ca",
      secret: { secretName: "ca", items: [{ key: "ca.crt", path: "ca.crt" }] },
    });
    assert.match(files["fluent-bit.yaml"] ?? "", /http_passwd: \$\{LOG_PASSWORD\}/);
  });

  it("gets user and password as files if it reads files", () => {
    const destination = {
      kind: "elasticsearch",
      host: "h",
      credentials: { secretName: "writer", usernameKey: "user" },
    };
    const { container, volumes } = parts({ collector: "opentelemetry", destination });
    assert.doesNotMatch(JSON.stringify(container.env), /LOG_|writer/);
    const mount = { name: "collector-credentials", mountPath: "/etc/log-destination/credentials", readOnly: true };
    assert.deepEqual(container.volumeMounts.at(-1), mount);
    const items = [
      { key: "user", path: "username" },
      { key: "password", path: "password" },
    ];
    assert.deepEqual(volumes.at(-1), { name: "collector-credentials", secret: { secretName: "writer", items } });
  });

  it("has a larger volume than its buffer, since a volume over its limit evicts the pod", () => {
    const state = parts({ buffer: { size: "1Gi" } }).volumes.find(({ name }) => name === "collector-state");
    assert.deepEqual(state, { name: "collector-state", emptyDir: { sizeLimit: "1536Mi" } });
  });

  it("replaces its pod when its configuration changes, which an annotation would not", () => {
    const variable = (settings: object) =>
      parts(settings).container.env.find(({ name }) => name === "CONFIGURATION_HASH") ?? {};
    assert.match(JSON.stringify(variable({})), /"value":"[0-9a-f]{16}"/);
    assert.deepEqual(variable({}), variable({}));
    assert.notDeepEqual(variable({}), variable({ parseJson: false }));
  });

  it("replaces the responder's pod too when that has another configuration", () => {
    interface Container {
      readonly name: string;
      readonly env?: readonly { readonly name: string }[];
    }
    const hashOf = (pod: { readonly initContainers: readonly Container[] }) =>
      pod.initContainers
        .find(({ name }) => name === "responder")
        ?.env?.find(({ name }) => name === "CONFIGURATION_HASH");
    assert.notDeepEqual(
      hashOf(spec({ collector: "tail" })),
      hashOf(curlPodSpec("ts", CurlPodSettings.parse({}), names)),
    );
  });
});

describe("Fluent Bit as a sidecar", () => {
  const files = (settings: object) =>
    parts({ collector: "fluent-bit", destination: { kind: "opensearch", inCluster: true }, ...settings }).files;

  it("knows its pod, and names the index without reading the record", () => {
    const configuration = files({ index: { splitBy: "app" } })["fluent-bit.yaml"] ?? "";
    assert.match(configuration, /logstash_prefix: logs-curl\n/);
    assert.doesNotMatch(configuration, /logstash_prefix_key/);
    assert.match(configuration, /tag: kube.ts-team_curl-ts_-_curl\n/);
    // It has no token, and so must not ask the API server.
    assert.equal(
      configuration.match(/name: kubernetes\n/g)?.length,
      configuration.match(/use_tag_for_meta: on\n/g)?.length,
    );
    assert.match(configuration, /- kubernetes:host \$\{NODE_NAME\}\n/);
    assert.match(configuration, /- team ts\n/);
  });

  it("builds its records without a script, which would lose nulls, empty lists and large numbers", () => {
    assert.deepEqual(Object.keys(files({})), ["fluent-bit.yaml"]);
    assert.doesNotMatch(files({})["fluent-bit.yaml"] ?? "", /name: lua/);
  });

  it("omits fields and labels if they are disabled", () => {
    assert.match(files({ parseJson: false })["fluent-bit.yaml"] ?? "", /merge_log: off\n/);
    assert.match(files({})["fluent-bit.yaml"] ?? "", /label:app_kubernetes_io\/name curl\n/);
    assert.doesNotMatch(files({ metadata: { labels: false } })["fluent-bit.yaml"] ?? "", /label/);
  });
});

const check = (settings: object, kind: "eks" | "existing" = "existing") =>
  checkLogging(LoggingSettings.parse({ mode: "sidecar", ...settings }), kind).map(
    ({ path, message }) => `${path.join(".")}: ${message}`,
  );
const outside = { kind: "elasticsearch", host: "search.example.com" };

describe("the settings of a sidecar", () => {
  it("are valid by default, and with the addresses of an external host name", () => {
    assert.deepEqual(check({}), []);
    assert.deepEqual(check({ collector: "tail" }), []);
    assert.deepEqual(check({ destination: outside, sidecar: { destinationCidrs: ["203.0.113.0/24"] } }), []);
  });

  it("require addresses only for an external host name", () => {
    assert.deepEqual(check({ destination: outside }), [
      "sidecar.destinationCidrs: must contain the addresses of the destination, since a network policy cannot use host names",
    ]);
    assert.deepEqual(check({ sidecar: { destinationCidrs: ["203.0.113.0/24"] } }), [
      "sidecar.destinationCidrs: must be empty, since the destination's address is known",
    ]);
    assert.deepEqual(check({ mode: "daemonset", sidecar: { destinationCidrs: ["203.0.113.0/24"] } }), [
      "sidecar.destinationCidrs: must not be set with mode daemonset, which no network policy restricts",
    ]);
  });

  it("accept a pod port only for a Service", () => {
    const sidecar = { destinationPort: 3100 };
    const loki = { kind: "loki", url: "http://loki.loki.svc:8080" };
    assert.deepEqual(check({ destination: loki, sidecar }), []);
    const refused =
      "sidecar.destinationPort: must not be set unless the destination is a Service of the cluster, whose pods may listen on another port";
    for (const destination of [undefined, { kind: "opensearch", inCluster: true }, { ...loki, url: "http://10.0.0.5" }])
      assert.deepEqual(check({ destination, sidecar }), [refused]);
    assert.deepEqual(check({ mode: "daemonset", destination: loki, sidecar }), [
      "sidecar.destinationPort: must not be set with mode daemonset, which no network policy restricts",
    ]);
  });

  it("reject what a team's pod has no permission for", () => {
    for (const kind of ["cloudwatch", "s3"])
      assert.deepEqual(check({ destination: { kind } }, "eks"), [
        "destination.kind: must not need an AWS identity with mode sidecar, since a team's pod has none",
      ]);
    assert.deepEqual(check({ destination: { kind: "file" } }), [
      "destination.kind: must not be file with mode sidecar, since a team's pod cannot write to its node",
    ]);
  });

  it("reject a selection of pods, with all issues together", () => {
    const settings = {
      namespaces: { include: ["ts-team"], exclude: ["sa-team"] },
      labels: { app: "web" },
      metadata: { annotations: true },
    };
    const own = "must be empty with mode sidecar, which reads only its own pod";
    assert.deepEqual(check(settings), [
      `namespaces.include: ${own}`,
      `namespaces.exclude: ${own}`,
      `labels: ${own}`,
      "metadata.annotations: must be false with mode sidecar, which does not use the Kubernetes API",
    ]);
  });

  it("reject tail on nodes, and destinations other than stdout", () => {
    assert.deepEqual(check({ collector: "tail", mode: "daemonset" }), ["mode: must be sidecar with tail"]);
    assert.deepEqual(check({ collector: "tail", destination: { kind: "opensearch", inCluster: true } }), [
      "destination.kind: must be stdout with tail: tail writes to its own stdout",
    ]);
  });
});
