import { LOGGING_NAMESPACE } from "../../logging/pipeline.ts";
import type { CollectorId } from "../../logging/settings.ts";
import type { Condition } from "../alert.ts";
import { falling, hoursLeft, perSecond, rising, steady, unmoved } from "./expressions.ts";

/** What is asked of each collector's metrics. */
export const SIGNALS = [
  "dropped",
  "failing",
  "filling",
  "unreadable",
  "silent",
  "refused",
  "rotating",
  "stuck",
] as const;
export type Signal = (typeof SIGNALS)[number];

/** Where a collector's metrics are, and what they say: a condition, or in words why they cannot. */
export interface CollectorMetrics {
  /** Path of its metrics at its port `metrics`; undefined where it has none that Prometheus reads. */
  readonly path: string | undefined;
  /** A series that each of its pods has as long as it answers. */
  readonly alive: string | undefined;
  readonly signals: Readonly<Record<Signal, Condition | string>>;
}

/** Pods of this stack, and not those of another collector of the same kind. */
const OWN = `namespace="${LOGGING_NAMESPACE}"`;
const POD = `${OWN},instance="10.0.1.1:2020"`;

const NO_METRICS: Readonly<Record<Signal, string>> = {
  dropped: "has no metrics that Prometheus reads; the canary sees a lost line",
  failing: "has no metrics that Prometheus reads; the canary sees that lines come late",
  filling: "has no metrics that Prometheus reads",
  unreadable: "has no metrics that Prometheus reads",
  silent: "has no metrics that Prometheus reads; the canary sees it",
  refused: "has no metrics that Prometheus reads; the canary sees a lost line",
  rotating: "has no metrics that Prometheus reads",
  stuck: "has no metrics that Prometheus reads; the canary sees a lost line",
};

const NO_ROTATIONS = "does not count rotations";
const NO_DISK = "does not count errors of its buffer's disk; the canary sees a lost line";

/**
 * The metrics of each collector, as the program itself names them.
 * @see https://docs.fluentbit.io/manual/administration/monitoring
 * @see https://vector.dev/docs/reference/configuration/sources/internal_metrics/
 * @see https://opentelemetry.io/docs/collector/internal-telemetry/
 * @see https://github.com/fluent/fluent-plugin-prometheus
 */
export const COLLECTOR_METRICS: Readonly<Record<CollectorId, CollectorMetrics>> = {
  "fluent-bit": {
    path: "/api/v2/metrics/prometheus",
    alive: `fluentbit_build_info{${OWN}}`,
    signals: {
      dropped: {
        expr: `sum by (instance, name) (increase(fluentbit_output_dropped_records_total{${OWN}}[5m]) + increase(fluentbit_output_retries_failed_total{${OWN}}[5m])) > 0`,
        for: "0m",
        fires: {
          [`fluentbit_output_dropped_records_total{${POD},name="http.0"}`]: "0x17 9x30",
          [`fluentbit_output_retries_failed_total{${POD},name="http.0"}`]: steady(0),
        },
        quiet: {
          [`fluentbit_output_dropped_records_total{${POD},name="http.0"}`]: steady(9),
          [`fluentbit_output_retries_failed_total{${POD},name="http.0"}`]: steady(0),
        },
      },
      failing: {
        expr: `sum by (instance, name) (increase(fluentbit_output_retries_total{${OWN}}[5m])) > 0 ${unmoved(`fluentbit_output_proc_records_total{${OWN}}`, "instance, name")}`,
        for: "2m",
        fires: {
          [`fluentbit_output_retries_total{${POD},name="http.0"}`]: rising(1),
          [`fluentbit_output_proc_records_total{${POD},name="http.0"}`]: steady(5000),
        },
        quiet: {
          [`fluentbit_output_retries_total{${POD},name="http.0"}`]: rising(1),
          [`fluentbit_output_proc_records_total{${POD},name="http.0"}`]: rising(100),
        },
      },
      filling: {
        expr: hoursLeft(`fluentbit_output_chunk_available_capacity_percent{${OWN}}`),
        for: "5m",
        fires: { [`fluentbit_output_chunk_available_capacity_percent{${POD},name="http.0"}`]: falling(1) },
        quiet: { [`fluentbit_output_chunk_available_capacity_percent{${POD},name="http.0"}`]: falling(0.3) },
      },
      unreadable: {
        expr: `sum by (instance) (increase(fluentbit_input_long_line_skipped_total{${OWN}}[10m]) + increase(fluentbit_input_long_line_truncated_total{${OWN}}[10m])) > 0`,
        for: "0m",
        fires: {
          [`fluentbit_input_long_line_skipped_total{${POD},name="tail.0"}`]: "0x15 1x30",
          [`fluentbit_input_long_line_truncated_total{${POD},name="tail.0"}`]: steady(0),
        },
        quiet: {
          [`fluentbit_input_long_line_skipped_total{${POD},name="tail.0"}`]: steady(1),
          [`fluentbit_input_long_line_truncated_total{${POD},name="tail.0"}`]: steady(0),
        },
      },
      silent: {
        expr: `sum by (instance) (increase(fluentbit_input_records_total{${OWN},name=~"tail.*"}[10m])) == 0`,
        for: "5m",
        fires: { [`fluentbit_input_records_total{${POD},name="tail.0"}`]: steady(400) },
        quiet: { [`fluentbit_input_records_total{${POD},name="tail.0"}`]: rising(1, 400) },
      },
      refused: {
        expr: `sum by (instance, name) (increase(fluentbit_output_errors_total{${OWN}}[5m])) > 0`,
        for: "1m",
        fires: { [`fluentbit_output_errors_total{${POD},name="opensearch.0"}`]: rising(1) },
        quiet: { [`fluentbit_output_errors_total{${POD},name="opensearch.0"}`]: steady(4) },
      },
      rotating: {
        expr: `${perSecond(`fluentbit_input_files_rotated_total{${OWN}}`, "instance")} > 1`,
        for: "1m",
        fires: { [`fluentbit_input_files_rotated_total{${POD},name="tail.0"}`]: rising(66) },
        quiet: { [`fluentbit_input_files_rotated_total{${POD},name="tail.0"}`]: rising(57) },
      },
      // With a full disk it logs an error for each chunk that it cannot write, and counts no lost line.
      stuck: {
        expr: `${perSecond(`fluentbit_logger_logs_total{${OWN},message_type="error"}`, "instance")} > 1`,
        for: "1m",
        fires: { [`fluentbit_logger_logs_total{${POD},message_type="error"}`]: rising(66) },
        quiet: { [`fluentbit_logger_logs_total{${POD},message_type="error"}`]: rising(54) },
      },
    },
  },
  vector: {
    path: "/metrics",
    alive: `vector_build_info{${OWN}}`,
    signals: {
      dropped: {
        expr: `sum by (instance, component_id) (increase(vector_component_discarded_events_total{${OWN},intentional="false"}[5m])) > 0`,
        for: "0m",
        fires: {
          [`vector_component_discarded_events_total{${POD},component_id="destination",intentional="false"}`]:
            "0x17 9x30",
        },
        quiet: {
          [`vector_component_discarded_events_total{${POD},component_id="records",intentional="true"}`]: "0x17 9x30",
        },
      },
      failing: {
        expr: `sum by (instance) (increase(vector_component_received_events_total{${OWN},component_id="destination"}[2m])) > 0 ${unmoved(`vector_component_sent_events_total{${OWN},component_id="destination"}`, "instance")}`,
        for: "2m",
        fires: {
          [`vector_component_received_events_total{${POD},component_id="destination"}`]: rising(100),
          [`vector_component_sent_events_total{${POD},component_id="destination"}`]: steady(5000),
        },
        quiet: {
          [`vector_component_received_events_total{${POD},component_id="destination"}`]: rising(100),
          [`vector_component_sent_events_total{${POD},component_id="destination"}`]: rising(90),
        },
      },
      filling: {
        expr: hoursLeft(
          `(1 - vector_buffer_size_bytes{${OWN},component_id="destination"} / vector_buffer_max_size_bytes{${OWN},component_id="destination"})`,
        ).replaceAll("[15m]", "[15m:1m]"),
        for: "5m",
        fires: {
          [`vector_buffer_size_bytes{${POD},component_id="destination"}`]: rising(10),
          [`vector_buffer_max_size_bytes{${POD},component_id="destination"}`]: steady(1000),
        },
        quiet: {
          [`vector_buffer_size_bytes{${POD},component_id="destination"}`]: rising(3),
          [`vector_buffer_max_size_bytes{${POD},component_id="destination"}`]: steady(1000),
        },
      },
      unreadable: {
        expr: `sum by (instance) (increase(vector_component_errors_total{${OWN},component_id="logs"}[10m])) > 0`,
        for: "0m",
        fires: { [`vector_component_errors_total{${POD},component_id="logs"}`]: "0x15 1x30" },
        quiet: { [`vector_component_errors_total{${POD},component_id="destination"}`]: "0x15 1x30" },
      },
      silent: {
        expr: `sum by (instance) (increase(vector_component_received_events_total{${OWN},component_id="logs"}[10m])) == 0`,
        for: "5m",
        fires: { [`vector_component_received_events_total{${POD},component_id="logs"}`]: steady(400) },
        quiet: { [`vector_component_received_events_total{${POD},component_id="logs"}`]: rising(1, 400) },
      },
      refused: {
        expr: `sum by (instance) (increase(vector_component_errors_total{${OWN},component_id="destination"}[5m])) > 0`,
        for: "1m",
        fires: { [`vector_component_errors_total{${POD},component_id="destination"}`]: rising(1) },
        quiet: { [`vector_component_errors_total{${POD},component_id="destination"}`]: steady(4) },
      },
      rotating: NO_ROTATIONS,
      stuck: NO_DISK,
    },
  },
  opentelemetry: {
    path: "/metrics",
    alive: `{${OWN},__name__=~"otelcol_process_uptime(_seconds)?(_total)?"}`,
    signals: {
      dropped: {
        expr: `sum by (instance) (increase({${OWN},__name__=~"otelcol_exporter_(send|enqueue)_failed_log_records(_total)?"}[5m])) > 0`,
        for: "0m",
        fires: { [`otelcol_exporter_send_failed_log_records_total{${POD}}`]: "0x17 9x30" },
        quiet: { [`otelcol_exporter_send_failed_log_records_total{${POD}}`]: steady(9) },
      },
      failing: {
        expr: `sum by (instance) (increase({${OWN},__name__=~"otelcol_receiver_accepted_log_records(_total)?"}[2m])) > 0 ${unmoved(`{${OWN},__name__=~"otelcol_exporter_sent_log_records(_total)?"}`, "instance")}`,
        for: "2m",
        fires: {
          [`otelcol_receiver_accepted_log_records_total{${POD}}`]: rising(100),
          [`otelcol_exporter_sent_log_records_total{${POD}}`]: steady(5000),
        },
        quiet: {
          [`otelcol_receiver_accepted_log_records_total{${POD}}`]: rising(100),
          [`otelcol_exporter_sent_log_records_total{${POD}}`]: rising(90),
        },
      },
      filling: {
        expr: hoursLeft(
          `(1 - otelcol_exporter_queue_size{${OWN}} / otelcol_exporter_queue_capacity{${OWN}})`,
        ).replaceAll("[15m]", "[15m:1m]"),
        for: "5m",
        fires: {
          [`otelcol_exporter_queue_size{${POD}}`]: rising(10),
          [`otelcol_exporter_queue_capacity{${POD}}`]: steady(1000),
        },
        quiet: {
          [`otelcol_exporter_queue_size{${POD}}`]: rising(3),
          [`otelcol_exporter_queue_capacity{${POD}}`]: steady(1000),
        },
      },
      // Its unit is "1", which the exporter of this configuration writes as _ratio.
      unreadable: {
        expr: `sum by (instance) ({${OWN},__name__=~"otelcol_fileconsumer_open_files(_ratio)?"}) == 0`,
        for: "5m",
        fires: { [`otelcol_fileconsumer_open_files_ratio{${POD}}`]: steady(0) },
        quiet: { [`otelcol_fileconsumer_open_files_ratio{${POD}}`]: steady(1) },
      },
      silent: {
        expr: `sum by (instance) (increase({${OWN},__name__=~"otelcol_receiver_accepted_log_records(_total)?"}[10m])) == 0`,
        for: "5m",
        fires: { [`otelcol_receiver_accepted_log_records_total{${POD}}`]: steady(400) },
        quiet: { [`otelcol_receiver_accepted_log_records_total{${POD}}`]: rising(1, 400) },
      },
      refused: {
        expr: `sum by (instance, outcome) (increase({${OWN},__name__=~"otelcol_elasticsearch_docs_processed(_total)?",outcome!~"success|retried"}[5m])) > 0`,
        for: "0m",
        fires: { [`otelcol_elasticsearch_docs_processed_total{${POD},outcome="failed_client"}`]: rising(1) },
        quiet: { [`otelcol_elasticsearch_docs_processed_total{${POD},outcome="success"}`]: rising(1) },
      },
      rotating: NO_ROTATIONS,
      stuck: NO_DISK,
    },
  },
  fluentd: {
    path: "/metrics",
    alive: `fluentd_output_status_emit_count{${OWN}}`,
    signals: {
      dropped: {
        expr: `min by (instance, plugin_id) (fluentd_output_status_buffer_available_space_ratio{${OWN}}) == 0`,
        for: "1m",
        fires: { [`fluentd_output_status_buffer_available_space_ratio{${POD},plugin_id="d"}`]: steady(0) },
        quiet: { [`fluentd_output_status_buffer_available_space_ratio{${POD},plugin_id="d"}`]: steady(0.1) },
      },
      failing: {
        expr: `max by (instance, plugin_id) (fluentd_output_status_retry_count{${OWN}}) > 0 and sum by (instance, plugin_id) (increase(fluentd_output_status_num_errors{${OWN}}[5m])) > 0`,
        for: "2m",
        fires: {
          [`fluentd_output_status_retry_count{${POD},plugin_id="d"}`]: rising(1),
          [`fluentd_output_status_num_errors{${POD},plugin_id="d"}`]: rising(1),
        },
        quiet: {
          [`fluentd_output_status_retry_count{${POD},plugin_id="d"}`]: steady(5),
          [`fluentd_output_status_num_errors{${POD},plugin_id="d"}`]: steady(5),
        },
      },
      filling: {
        expr: hoursLeft(`fluentd_output_status_buffer_available_space_ratio{${OWN}}`),
        for: "5m",
        fires: { [`fluentd_output_status_buffer_available_space_ratio{${POD},plugin_id="d"}`]: falling(1) },
        quiet: { [`fluentd_output_status_buffer_available_space_ratio{${POD},plugin_id="d"}`]: falling(0.3) },
      },
      unreadable: "has no metric of its files, since its input is this project's own plugin",
      silent: {
        expr: `sum by (instance) (increase(fluentd_output_status_emit_records{${OWN}}[10m])) == 0`,
        for: "5m",
        fires: { [`fluentd_output_status_emit_records{${POD},plugin_id="d"}`]: steady(400) },
        quiet: { [`fluentd_output_status_emit_records{${POD},plugin_id="d"}`]: rising(1, 400) },
      },
      refused: {
        expr: `sum by (instance, plugin_id) (increase(fluentd_output_status_rollback_count{${OWN}}[5m])) > 0`,
        for: "1m",
        fires: { [`fluentd_output_status_rollback_count{${POD},plugin_id="d"}`]: rising(1) },
        quiet: { [`fluentd_output_status_rollback_count{${POD},plugin_id="d"}`]: steady(4) },
      },
      rotating: NO_ROTATIONS,
      stuck: NO_DISK,
    },
  },
  promtail: {
    path: "/metrics",
    alive: `promtail_build_info{${OWN}}`,
    signals: {
      dropped: {
        expr: `sum by (instance, reason) (increase(promtail_dropped_entries_total{${OWN}}[5m])) > 0`,
        for: "0m",
        fires: { [`promtail_dropped_entries_total{${POD},reason="ingester_error"}`]: "0x17 9x30" },
        quiet: { [`promtail_dropped_entries_total{${POD},reason="ingester_error"}`]: steady(9) },
      },
      failing: {
        expr: `sum by (instance) (increase(promtail_batch_retries_total{${OWN}}[5m])) > 0 ${unmoved(`promtail_sent_entries_total{${OWN}}`, "instance")}`,
        for: "2m",
        fires: {
          [`promtail_batch_retries_total{${POD}}`]: rising(1),
          [`promtail_sent_entries_total{${POD}}`]: steady(5000),
        },
        quiet: {
          [`promtail_batch_retries_total{${POD}}`]: rising(1),
          [`promtail_sent_entries_total{${POD}}`]: rising(100),
        },
      },
      filling: "has no buffer: unsent lines stay in the kubelet's files",
      unreadable: {
        expr: `sum by (instance) (promtail_files_active_total{${OWN}}) == 0`,
        for: "5m",
        fires: { [`promtail_files_active_total{${POD}}`]: steady(0) },
        quiet: { [`promtail_files_active_total{${POD}}`]: steady(1) },
      },
      silent: {
        expr: `sum by (instance) (increase(promtail_read_lines_total{${OWN}}[10m])) == 0`,
        for: "5m",
        fires: { [`promtail_read_lines_total{${POD},path="/var/log/pods/a"}`]: steady(400) },
        quiet: { [`promtail_read_lines_total{${POD},path="/var/log/pods/a"}`]: rising(1, 400) },
      },
      refused: {
        expr: `sum by (instance, status_code) (increase(promtail_request_duration_seconds_count{${OWN},status_code=~"4.."}[5m])) > 0`,
        for: "1m",
        fires: { [`promtail_request_duration_seconds_count{${POD},status_code="400"}`]: rising(1) },
        quiet: { [`promtail_request_duration_seconds_count{${POD},status_code="204"}`]: rising(1) },
      },
      rotating: NO_ROTATIONS,
      stuck: NO_DISK,
    },
  },
  filebeat: { path: undefined, alive: undefined, signals: NO_METRICS },
  logagent: { path: undefined, alive: undefined, signals: NO_METRICS },
  tail: { path: undefined, alive: undefined, signals: NO_METRICS },
};
