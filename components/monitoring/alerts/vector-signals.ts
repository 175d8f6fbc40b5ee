import type { CollectorMetrics } from "./alert.ts";
import {
  grew,
  hoursLeft,
  NO_DISK,
  NO_ROTATIONS,
  nothingRead,
  OWN_COLLECTOR as OWN,
  COLLECTOR_POD as POD,
  promql,
  rising,
  steady,
  unmoved,
  unsent,
} from "./expressions.ts";

/** A series that each pod has while it answers. */
const VECTOR = `vector_build_info{${OWN}}`;

/** All destinations of Vector, even of several and of the journal, except its metrics exporter. */
const VECTOR_SINK = `${OWN},component_kind="sink",component_type!="prometheus_exporter"`;
/** Vector's sources. A line that arrives before its pod's or node's labels counts as an error, but is kept. */
const VECTOR_SOURCE = `${OWN},component_kind="source",error_code!="annotation_failed"`;
const VECTOR_SINKS = {
  archive: 'component_kind="sink",component_type="aws_s3",component_id="destination-archive"',
  search: 'component_kind="sink",component_type="elasticsearch",component_id="destination-search"',
  loki: 'component_kind="sink",component_type="loki",component_id="destination-loki"',
};
const VECTOR_METRICS_SINK = 'component_kind="sink",component_type="prometheus_exporter",component_id="metrics"';

const MIB = 2 ** 20;
/** Capacity of a Vector disk buffer in bytes: whole files of 128 MiB, except one that stays free. */
const ROOM = `floor((vector_buffer_max_size_bytes{${VECTOR_SINK},buffer_type="disk"} - 1) / ${128 * MIB}) * ${128 * MIB}`;
/**
 * A buffer without room for a batch of lines drops it, and Vector keeps reading: no metric counts these drops. If it stops reading
 * instead, its read rate is zero after two minutes.
 * @see https://github.com/vectordotdev/vector/issues/26325
 */
const DROPS_UNCOUNTED = promql`
  max by (instance, component_id) (
    vector_buffer_size_bytes{${VECTOR_SINK},buffer_type="disk"} + ${4 * MIB} > ${ROOM}
  )
  and on (instance) sum by (instance) (
    rate(vector_component_received_events_total{${OWN},component_kind="source",component_type!="internal_metrics"}[2m])
  ) > 0
  ${unmoved(`vector_buffer_received_events_total{${VECTOR_SINK}}`, "instance, component_id", VECTOR, "3m")}`;

/** Vector's metrics. @see https://vector.dev/docs/reference/configuration/sources/internal_metrics/ */
export const VECTOR_METRICS: CollectorMetrics = {
  path: "/metrics",
  alive: VECTOR,
  signals: {
    dropped: {
      expr: `${grew(
        `vector_component_discarded_events_total{${OWN},intentional="false"}`,
        "5m",
        "instance, component_id",
        VECTOR,
      )} or ${DROPS_UNCOUNTED}`,
      for: "0m",
      series: {
        [`vector_component_discarded_events_total{${POD},component_id="destination",intentional="false"}`]: {
          fires: "0x17 9x30",
        },
        [`vector_component_discarded_events_total{${POD},component_id="records",intentional="true"}`]: {
          quiet: "0x17 9x30",
        },
      },
    },
    failing: {
      expr: unsent({
        matchers: VECTOR_SINK,
        by: "component_id",
        s3: ["component_type", "aws_s3"],
        waiting: (sinks) => `vector_buffer_events{${sinks}}`,
        sent: (sinks) => `vector_component_sent_events_total{${sinks}}`,
        alive: VECTOR,
      }),
      for: "2m",
      series: {
        [`vector_build_info{${POD}}`]: { fires: steady(1), quiet: steady(1) },
        [`vector_buffer_events{${POD},${VECTOR_SINKS.search}}`]: { fires: steady(5), quiet: rising(10) },
        [`vector_buffer_events{${POD},${VECTOR_SINKS.archive}}`]: { fires: steady(5) },
        [`vector_buffer_events{${POD},${VECTOR_SINKS.loki}}`]: { fires: steady(5) },
        [`vector_component_sent_events_total{${POD},${VECTOR_SINKS.search}}`]: {
          fires: steady(5000),
          quiet: rising(90),
        },
        [`vector_component_sent_events_total{${POD},${VECTOR_SINKS.archive}}`]: { fires: rising(100) },
        [`vector_component_sent_events_total{${POD},${VECTOR_SINKS.loki}}`]: { fires: rising(100) },
        [`vector_buffer_events{${POD},${VECTOR_METRICS_SINK}}`]: { quiet: steady(5) },
      },
    },
    filling: {
      expr: hoursLeft(`(1 - vector_buffer_size_bytes{${VECTOR_SINK},buffer_type="disk"} / (${ROOM}))`).replaceAll(
        "[15m]",
        "[15m:1m]",
      ),
      for: "5m",
      series: {
        [`vector_buffer_size_bytes{${POD},${VECTOR_SINKS.archive},buffer_type="disk"}`]: {
          fires: rising(0.01 * 896 * MIB),
          quiet: rising(0.003 * 896 * MIB),
        },
        [`vector_buffer_max_size_bytes{${POD},${VECTOR_SINKS.archive},buffer_type="disk"}`]: {
          fires: steady(1024 * MIB),
          quiet: steady(1024 * MIB),
        },
      },
    },
    unreadable: {
      expr: grew(`vector_component_errors_total{${VECTOR_SOURCE}}`, "10m", "instance, component_id", VECTOR),
      for: "0m",
      series: {
        [`vector_component_errors_total{${POD},component_kind="source",component_id="logs"}`]: { fires: "0x15 1x30" },
        [`vector_component_errors_total{${POD},${VECTOR_SINKS.archive}}`]: { quiet: "0x15 1x30" },
        [`vector_component_errors_total{${POD},component_kind="source",component_id="logs",error_code="annotation_failed"}`]:
          { quiet: "0x15 1x30" },
      },
    },
    silent: {
      expr: nothingRead(`vector_component_received_events_total{${OWN},component_id="logs"}`, VECTOR),
      for: "5m",
      series: {
        [`vector_build_info{${POD}}`]: { fires: steady(1) },
        [`vector_component_received_events_total{${POD},component_id="logs"}`]: {
          fires: steady(400),
          quiet: rising(1, 400),
        },
      },
    },
    refused: {
      expr: grew(`vector_component_errors_total{${VECTOR_SINK}}`, "5m", "instance, component_id", VECTOR),
      for: "1m",
      series: {
        [`vector_component_errors_total{${POD},${VECTOR_SINKS.archive}}`]: { fires: rising(1), quiet: steady(4) },
      },
    },
    rotating: NO_ROTATIONS,
    stuck: NO_DISK,
  },
};
