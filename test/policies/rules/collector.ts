import { type Group, UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import { named, type Sample, type SampleResource } from "./samples.ts";
import { CONTAINER } from "./workloads.ts";

/** A configuration in the YAML format that every rule takes. */
export const FLUENT_BIT = `service:
  grace: 5
  storage.path: /state/buffer
pipeline:
  inputs:
    - name: tail
      path: /var/log/containers/*.log
      exclude_path: /var/log/containers/*_logging_*.log
      db: /state/positions.db
      storage.type: filesystem
  outputs:
    - name: opensearch
      host: search.example.com
      tls: on
      tls.verify: on
      logstash_prefix: pods
      retry_limit: no_limits
      storage.total_limit_size: 2G
`;

/** The same in the classic format. */
const CLASSIC = `[SERVICE]
    Grace         5
    storage.path  /state/buffer
@INCLUDE other.conf

[INPUT]
    Name          tail
    Path          /var/log/containers/*.log
    Exclude_Path  /var/log/containers/fluent-bit-*.log
    DB            /state/positions.db
    storage.type  filesystem

[OUTPUT]
    # To the cluster.
    Name                      opensearch
    Host                      search.example.com
    tls                       On
    tls.verify                On
    Retry_Limit               False
    storage.total_limit_size  2G
`;

export const CONFIG: SampleResource = {
  type: "kubernetes:core/v1:ConfigMap",
  name: "config",
  props: { metadata: { name: "fluent-bit", namespace: "logging" }, data: { "fluent-bit.yaml": FLUENT_BIT } },
};

const POD: Group = {
  containers: [
    {
      ...CONTAINER,
      image: "cr.fluentbit.io/fluent/fluent-bit:5.1.1",
      volumeMounts: [
        { name: "config", mountPath: "/conf", readOnly: true },
        { name: "state", mountPath: "/state" },
        { name: "logs", mountPath: "/var/log/", readOnly: true },
      ],
    },
  ],
  terminationGracePeriodSeconds: 15,
  volumes: [
    { name: "config", configMap: { name: "fluent-bit" } },
    { name: "state", hostPath: { path: "/var/lib/fluent-bit" } },
    { name: "logs", hostPath: { path: "/var/log" } },
  ],
};

export const DAEMON_SET: SampleResource = {
  type: "kubernetes:apps/v1:DaemonSet",
  name: "collector",
  props: { metadata: { name: "fluent-bit", namespace: "logging" }, spec: { template: { spec: POD } } },
};

/** A collector that every rule takes. */
export const COLLECTOR: Sample = [DAEMON_SET, CONFIG];

/** The collector with another configuration file. */
export const file = (text: Value): Sample => [
  DAEMON_SET,
  { ...CONFIG, props: { ...CONFIG.props, data: { "fluent-bit.yaml": text } } },
];
/** The collector with a line of its configuration written otherwise. */
export function line(before: string, after: string): Sample {
  if (!FLUENT_BIT.includes(before)) throw new Error(`no ${before} in the configuration`);
  return file(FLUENT_BIT.replace(before, after));
}
/** The same of the classic format. */
export const classic = (before: string, after: string): Sample => file(CLASSIC.replace(before, after));
/** The collector with another field of its pod. */
export const spec = (path: string, to: Value | undefined) =>
  named(COLLECTOR, "collector", `spec.template.spec.${path}`, to);

/** How messages on the file begin, and on the DaemonSet. */
export const F = 'ConfigMap/logging/fluent-bit: data["fluent-bit.yaml"]: ';
export const D = "DaemonSet/logging/fluent-bit: spec.template.spec.";
/** What is right in both formats. */
export const BOTH: Record<string, Sample> = {
  "the YAML format": COLLECTOR,
  "the classic format": file(CLASSIC),
  "no collector": [],
};
/** What no rule on the file can decide. */
export const UNKNOWN_FILE = {
  "an unknown file": [file(UNKNOWN), 'ConfigMap/logging/fluent-bit: data["fluent-bit.yaml"] is known only'] as const,
  "an unknown ConfigMap": [
    named(COLLECTOR, "config", "data", UNKNOWN),
    "ConfigMap/logging/fluent-bit: data is known only",
  ] as const,
};

/** Both files of a configuration that includes one from the other, as the CloudWatch chart has it. */
export function split(main: string, input: string): Sample {
  const data = { "fluent-bit.conf": main, "application-log.conf": input };
  return [DAEMON_SET, { ...CONFIG, props: { ...CONFIG.props, data } }];
}
/** The files of {@link CLASSIC}. */
export const SPLIT = {
  main: CLASSIC.slice(0, CLASSIC.indexOf("[INPUT]")),
  input: CLASSIC.slice(CLASSIC.indexOf("[INPUT]")),
};

/** Fluent Bit beside an application, with its state in the pod, and a line of its configuration written otherwise. */
export function sidecar(before = "", after = "", container: Group = {}): Sample {
  const text = FLUENT_BIT.replace("/var/log/containers/*.log", "/var/log/app/*.log").replace(
    / {6}exclude_path.*\n/,
    "",
  );
  const pod: Group = {
    initContainers: [
      {
        ...CONTAINER,
        image: "cr.fluentbit.io/fluent/fluent-bit:5.1.1",
        restartPolicy: "Always",
        volumeMounts: [{ name: "state", mountPath: "/state" }],
        ...container,
      },
    ],
    containers: [CONTAINER],
    volumes: [
      { name: "config", configMap: { name: "fluent-bit" } },
      { name: "state", emptyDir: {} },
    ],
  };
  return [
    {
      type: "kubernetes:apps/v1:Deployment",
      name: "app",
      props: { metadata: { name: "app", namespace: "logging" }, spec: { template: { spec: pod } } },
    },
    { ...CONFIG, props: { ...CONFIG.props, data: { "fluent-bit.yaml": text.replace(before, after) } } },
  ];
}

/** A variable as a configuration writes it. */
export const variable = (name: string) => `\${${name}}`;
