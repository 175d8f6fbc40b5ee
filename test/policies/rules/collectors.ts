import { UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import {
  BOTH,
  COLLECTOR,
  CONFIG,
  classic,
  D,
  DAEMON_SET,
  F,
  file,
  line,
  sidecar,
  spec,
  UNKNOWN_FILE,
} from "./collector.ts";
import { first, named, type Sample } from "./samples.ts";

/** A DaemonSet that reads no logs of others; its image's name only ends like a collector's. */
const ownFolder = (path: string) =>
  first(
    first([DAEMON_SET], "spec.template.spec.volumes", [{ name: "x", hostPath: { path } }]),
    "spec.template.spec.containers.0.image",
    "ghcr.io/example/hotel:1",
  )[0]?.props ?? {};

/** The collector's DaemonSet, which is the first, with another image. */
const running = (sample: Sample, image: string) => first(sample, "spec.template.spec.containers.0.image", image);

const configMap = (data: Value): Sample => [
  { type: CONFIG.type, name: "app", props: { metadata: { name: "app", namespace: "ts-team" }, data } },
];

export const COLLECTORS_CASES: CasesByRule = {
  "collectors-host-paths": {
    good: {
      "logs read-only, state writable": COLLECTOR,
      "the node's programs": spec("volumes.2.hostPath.path", "/usr"),
      "logs of a Windows node": spec("volumes.2.hostPath.path", "C:\\var\\log"),
      "a path with a slash at its end": spec("volumes.2.hostPath.path", "/var/log/"),
      "a DaemonSet with an unknown image and no mounts": first(
        first([DAEMON_SET], "spec.template.spec.volumes", []),
        "spec.template.spec.containers.0.image",
        UNKNOWN,
      ),
      ...Object.fromEntries(
        ["/var/log/aws-routed-eni", "/var/log/fluent-apps", "/var/lib/docker/volumes"].map((path) => [
          `a DaemonSet with ${path}, a folder of its own`,
          [{ ...DAEMON_SET, props: ownFolder(path) }],
        ]),
      ),
      ...Object.fromEntries(
        [
          "otel/ebpf-instrument:1.2",
          "ghcr.io/open-telemetry/opentelemetry-ebpf-instrumentation:1.2",
          "ghcr.io/open-telemetry/opentelemetry-operator/target-allocator:1.2",
          "gcr.io/alloydb-connectors/alloydb-auth-proxy:1.2",
          "docker.io/vectorized/redpanda:1.2",
        ].map((image) => [
          `a DaemonSet of ${image}, which collects no logs`,
          running(
            first([DAEMON_SET], "spec.template.spec.volumes", [{ name: "x", hostPath: { path: "/sys" } }]),
            image,
          ),
        ]),
      ),
      "a DaemonSet that collects nothing": [
        first(
          first([DAEMON_SET], "spec.template.spec.volumes", [{ name: "x", hostPath: { path: "/opt/cni" } }]),
          "spec.template.spec.containers.0.image",
          "registry.k8s.io/cni:1",
        )[0] ?? DAEMON_SET,
      ],
    },
    bad: {
      ...Object.fromEntries(
        [
          "otel/opentelemetry-collector-contrib:1.2",
          "aws-otel-collector:1.2",
          "timberio/vector:1.2",
          "grafana/alloy:1",
        ].map((image) => [
          `another path of ${image}`,
          [
            running(
              first([DAEMON_SET], "spec.template.spec.volumes", [{ name: "x", hostPath: { path: "/etc" } }]),
              image,
            ),
            `${D}volumes[0].hostPath.path is "/etc", which a collector does not need`,
          ] as const,
        ]),
      ),
      "another path": [
        spec("volumes.2.hostPath.path", "/etc"),
        `${D}volumes[2].hostPath.path is "/etc", which a collector does not need. Fix: mount what it only reads with readOnly: true, and list other folders`,
      ],
      "the whole node": [spec("volumes.2.hostPath.path", "/"), `${D}volumes[2].hostPath.path is "/"`],
      "the whole node in OpenKruise's DaemonSet": [
        spec("volumes.2.hostPath.path", "/").map((one) =>
          one.type === DAEMON_SET.type ? { ...one, type: "kubernetes:apps.kruise.io/v1alpha1:DaemonSet" } : one,
        ),
        `${D}volumes[2].hostPath.path is "/"`,
      ],
      "programs that can be written": [
        first(
          spec("volumes.2.hostPath.path", "/usr"),
          "spec.template.spec.containers.0.volumeMounts.2.readOnly",
          undefined,
        ),
        `${D}containers[0].volumeMounts[2].readOnly is not set, so the collector may write to /usr`,
      ],
      "a path that begins like an allowed one": [
        spec("volumes.2.hostPath.path", "/var/logs"),
        `${D}volumes[2].hostPath.path is "/var/logs"`,
      ],
      "a path that leads out of an allowed one": [
        spec("volumes.2.hostPath.path", "/var/log/../../etc"),
        `${D}volumes[2].hostPath.path is "/var/log/../../etc", which`,
      ],
      "logs that an init container can write": [
        spec("initContainers", [{ name: "init", volumeMounts: [{ name: "logs", mountPath: "/var/log" }] }]),
        `${D}initContainers[0].volumeMounts[0].readOnly is not set, so the collector may write to /var/log`,
      ],
      "logs that can be written": [
        spec("containers.0.volumeMounts.2.readOnly", undefined),
        `${D}containers[0].volumeMounts[2].readOnly is not set, so the collector may write to /var/log`,
      ],
    },
    unknown: {
      "unknown volumes": [spec("volumes", UNKNOWN), `${D}volumes is known only`],
      "a DaemonSet of an unknown image that mounts a path of its node": [
        first(
          first([DAEMON_SET], "spec.template.spec.volumes", [{ name: "state", hostPath: { path: "/opt/cni" } }]),
          "spec.template.spec.containers.0.image",
          UNKNOWN,
        ),
        `${D}containers[0].image is known only`,
      ],
      "an unknown path": [spec("volumes.1.hostPath.path", UNKNOWN), `${D}volumes[1].hostPath.path is known only`],
      "an unknown mount": [
        spec("containers.0.volumeMounts.2.readOnly", UNKNOWN),
        `${D}containers[0].volumeMounts[2].readOnly is known only`,
      ],
    },
  },
  "collectors-no-credentials": {
    good: {
      ...BOTH,
      "references and switches": configMap({
        "app.conf": [
          `http_passwd \${PASSWORD}`,
          "password: $(PASSWORD)",
          "token_file: /run/token",
          "kube_token_ttl 600",
          "server_tokens off;",
          "# password: old",
          "secret: {{ vault }}",
          "login_token $TOKEN",
          "password: ~",
          "token:",
          "  - header",
          "url: http://$" + "{USER}:$" + "{PASSWORD}@search",
          "header Authorization Bearer $" + "{TOKEN}",
        ].join("\n"),
      }),
      "a name": configMap({ secretName: "app" }),
    },
    bad: {
      "a password": [
        line("tls: on", "tls: on\n      http_passwd: hunter2"),
        `${F}line 15 (value not shown), a literal http_passwd in a ConfigMap. Fix: move it to a Secret`,
      ],
      "a password in the classic format": [
        classic("tls.verify ", "HTTP_Passwd  hunter2\n    tls.verify "),
        `${F}line 18 (value not shown), a literal HTTP_Passwd`,
      ],
      "a key as a whole value": [
        configMap({ API_KEY: "abc" }),
        "ConfigMap/ts-team/app: data.API_KEY: line 1 (value not shown), a literal API_KEY",
      ],
      "a password of only digits": [
        configMap({ "a.ini": "a\npassword = 123456\n" }),
        'ConfigMap/ts-team/app: data["a.ini"]: line 2',
      ],
      "a password that begins like a switch": [
        configMap({ "a.yaml": "a: b\npassword: on-the-run\nother_password: $ecret\n" }),
        'ConfigMap/ts-team/app: data["a.yaml"]: line 2 (value not shown), a literal password',
        'ConfigMap/ts-team/app: data["a.yaml"]: line 3 (value not shown), a literal other_password',
      ],
      "a password in JSON on one line": [
        configMap({ "a.json": '{"user":"me","password":"hunter2"}' }),
        'ConfigMap/ts-team/app: data["a.json"]: line 1 (value not shown), a literal password',
      ],
      "a token in a header": [
        line("tls: on", "tls: on\n      header: Authorization Bearer hunter2"),
        `${F}line 15 (value not shown), a literal Authorization`,
      ],
      "a shared key": [
        configMap({ "a.conf": "[OUTPUT]\n  Shared_Key hunter2\n" }),
        'ConfigMap/ts-team/app: data["a.conf"]: line 2',
      ],
      "a password without a user in a URL": [
        configMap({ CACHE: "redis://:hunter2@cache.shop.svc" }),
        "ConfigMap/ts-team/app: data.CACHE: line 1 (value not shown), a password in a URL",
      ],
      "a password in binary data": [
        [
          {
            ...CONFIG,
            props: {
              metadata: { name: "app", namespace: "ts-team" },
              binaryData: { "a.ini": Buffer.from("[x]\npassword=hunter2\n").toString("base64") },
            },
          },
        ],
        'ConfigMap/ts-team/app: binaryData["a.ini"]: line 2 (value not shown), a literal password',
      ],
      "a password that a patch sets": [
        [{ ...(configMap({ PASSWORD: "hunter2" })[0] ?? CONFIG), type: "kubernetes:core/v1:ConfigMapPatch" }],
        "ConfigMapPatch/ts-team/app: data.PASSWORD: line 1 (value not shown)",
      ],
      "an AWS key": [
        configMap({ "a.ini": "[default]\nid = AKIAIOSFODNN7EXAMPLE\n" }),
        'ConfigMap/ts-team/app: data["a.ini"]: line 2 (value not shown), an AWS access key',
      ],
      "a private key": [
        configMap({ "key.pem": "-----BEGIN RSA PRIVATE KEY-----\nabc\n" }),
        'ConfigMap/ts-team/app: data["key.pem"]: line 1 (value not shown), a private key',
      ],
      "a password in a URL": [
        configMap({ "a.yaml": "url: https://me:hunter2@example.com\n" }),
        'ConfigMap/ts-team/app: data["a.yaml"]: line 1 (value not shown), a password in a URL',
      ],
      "a token in JSON": [
        configMap({ "a.json": '{\n  "auth_token": "abc"\n}\n' }),
        'ConfigMap/ts-team/app: data["a.json"]: line 2 (value not shown), a literal auth_token',
      ],
    },
    unknown: UNKNOWN_FILE,
  },
  "collectors-configuration-read": {
    good: { ...BOTH, "Fluent Bit beside an application": sidecar() },
    bad: {
      "no ConfigMap": [
        [DAEMON_SET],
        "DaemonSet/logging/fluent-bit: no ConfigMap of this stack holds a Fluent Bit configuration for it. Fix: put",
      ],
      "another program that reads the node's logs": [
        running([DAEMON_SET], "registry.k8s.io/node-problem-detector/node-problem-detector:v0.8.20"),
        "DaemonSet/logging/fluent-bit: no ConfigMap of this stack says where it sends, so only its pod",
      ],
      "a collector known only by its image": [
        named(first([DAEMON_SET], "spec.template.spec.volumes", []), "collector", "metadata.name", "agent"),
        "DaemonSet/logging/agent: no ConfigMap of this stack holds a Fluent Bit configuration",
      ],
      "a Fluent Bit sidecar whose ConfigMap is missing": [
        named(sidecar(), "config", "metadata.name", "other"),
        "Deployment/logging/app: no ConfigMap of this stack holds a Fluent Bit configuration for it",
      ],
      "invalid YAML": [file("pipeline: [inputs"), "DaemonSet/logging/fluent-bit: no ConfigMap of this stack"],
      "a ConfigMap of another namespace": [
        named(COLLECTOR, "config", "metadata.namespace", "other"),
        "DaemonSet/logging/fluent-bit: no ConfigMap of this stack",
      ],
      "another collector": [file("sources:\n  logs:\n    type: file\n"), "DaemonSet/logging/fluent-bit: no ConfigMap"],
      ...Object.fromEntries(
        Object.entries({
          vector: ["timberio/vector:0.50.0-alpine", "sinks:\n  out:\n    type: loki\n    endpoint: https://loki\n"],
          otel: [
            "ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-contrib:0.140.0",
            "receivers: { file_log: {} }\nexporters:\n  otlp: { endpoint: https://otel:4317 }\n",
          ],
          fluentd: ["fluent/fluentd:v1.19-1", "<match **>\n  @type forward\n</match>\n"],
          filebeat: ["docker.elastic.co/beats/filebeat:9.2.0", "output.elasticsearch:\n  hosts: [https://search]\n"],
          "a collector of an image that is not known": [
            "example.com/logs:1",
            "<match **>\n  @type forward\n</match>\n",
          ],
        }).flatMap(([name, [image = "", text = ""]]) => [
          [
            `${name} with its configuration`,
            [
              running(file(text), image),
              "DaemonSet/logging/fluent-bit: its configuration is not Fluent Bit's, so only TLS and credentials are checked in it. Fix: put",
            ],
          ],
        ]),
      ),
      ...Object.fromEntries(
        Object.entries({
          "no configuration": first([DAEMON_SET], "spec.template.spec.volumes", []),
          "one that says nothing of sinks": file("sources:\n  logs:\n    type: file\n"),
        }).map(([name, sample]) => [
          `Vector with ${name}`,
          [
            running(sample, "timberio/vector:0.50.0-alpine"),
            "DaemonSet/logging/fluent-bit: no ConfigMap of this stack says where it sends, so only its pod is checked",
          ],
        ]),
      ),
      "another collector that has a service": [
        file("receivers: { file_log: {} }\nservice:\n  extensions: []\n"),
        "DaemonSet/logging/fluent-bit: no ConfigMap",
      ],
    },
    unknown: UNKNOWN_FILE,
  },
};
