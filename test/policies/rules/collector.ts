import type { Group } from "../../../policies/core/value.ts";
import type { Sample, SampleResource } from "./samples.ts";
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
export const CLASSIC = `[SERVICE]
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
