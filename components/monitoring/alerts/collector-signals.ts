import type { CollectorId } from "../../logging/settings.ts";
import type { CollectorMetrics, Signal } from "./alert.ts";
import {
  falling,
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
import { FLUENT_BIT_METRICS } from "./fluent-bit-signals.ts";
import { VECTOR_METRICS } from "./vector-signals.ts";

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

// Series that each pod has while it answers.
const OPENTELEMETRY = `{${OWN},__name__=~"otelcol_process_uptime(_seconds)?(_total)?"}`;
const FLUENTD = `fluentd_output_status_emit_count{${OWN}}`;
const PROMTAIL = `promtail_build_info{${OWN}}`;
/** A counter of events every five minutes, such as writes of S3 objects. */
const EVERY_FIVE_MINUTES = "0 100x4 200x4 300x4 400x4 500x4";
/** Bytes of a buffer that fills up, and then drops chunks. */
const DROPPING = `0+100x14${" 1300 1400".repeat(8)}`;

/**
 * The metrics of each collector, by its own names.
 * @see https://opentelemetry.io/docs/collector/internal-telemetry/
 * @see https://github.com/fluent/fluent-plugin-prometheus
 */
export const COLLECTOR_METRICS: Readonly<Record<CollectorId, CollectorMetrics>> = {
  "fluent-bit": FLUENT_BIT_METRICS,
  vector: VECTOR_METRICS,
  opentelemetry: {
    path: "/metrics",
    alive: OPENTELEMETRY,
    signals: {
      dropped: {
        expr: ["send", "enqueue"]
          .map((step) => `{${OWN},__name__=~"otelcol_exporter_${step}_failed_log_records(_total)?"}`)
          .map((counter) => grew(counter, "5m", "instance", OPENTELEMETRY))
          .join(" or "),
        for: "0m",
        series: {
          [`otelcol_exporter_send_failed_log_records_total{${POD}}`]: { fires: "0x17 9x30", quiet: steady(9) },
        },
      },
      failing: {
        expr: unsent({
          matchers: OWN,
          by: "exporter",
          s3: ["exporter", "awss3(/.*)?"],
          waiting: (exporters) => `otelcol_exporter_queue_size{${exporters}}`,
          sent: (exporters) => `{${exporters},__name__=~"otelcol_exporter_sent_log_records(_total)?"}`,
          alive: OPENTELEMETRY,
        }),
        for: "2m",
        series: {
          [`otelcol_process_uptime_seconds_total{${POD}}`]: { fires: steady(1), quiet: steady(1) },
          [`otelcol_exporter_queue_size{${POD},exporter="elasticsearch/search"}`]: {
            fires: steady(500),
            quiet: rising(10),
          },
          [`otelcol_exporter_queue_size{${POD},exporter="otlp_http/loki"}`]: { fires: steady(500) },
          [`otelcol_exporter_sent_log_records_total{${POD},exporter="elasticsearch/search"}`]: {
            fires: steady(5000),
            quiet: rising(90),
          },
          [`otelcol_exporter_sent_log_records_total{${POD},exporter="otlp_http/loki"}`]: { fires: rising(100) },
        },
      },
      filling: {
        expr: hoursLeft(
          `(1 - otelcol_exporter_queue_size{${OWN}} / otelcol_exporter_queue_capacity{${OWN}})`,
        ).replaceAll("[15m]", "[15m:1m]"),
        for: "5m",
        series: {
          [`otelcol_exporter_queue_size{${POD}}`]: { fires: rising(10), quiet: rising(3) },
          [`otelcol_exporter_queue_capacity{${POD}}`]: { fires: steady(1000), quiet: steady(1000) },
        },
      },
      // Its unit is "1", which this configuration's exporter writes as _ratio.
      unreadable: {
        expr: `sum by (instance) ({${OWN},__name__=~"otelcol_fileconsumer_open_files(_ratio)?"}) == 0`,
        for: "5m",
        series: { [`otelcol_fileconsumer_open_files_ratio{${POD}}`]: { fires: steady(0), quiet: steady(1) } },
      },
      silent: {
        expr: nothingRead(`{${OWN},__name__=~"otelcol_receiver_accepted_log_records(_total)?"}`, OPENTELEMETRY),
        for: "5m",
        series: {
          [`otelcol_process_uptime_seconds_total{${POD}}`]: { fires: steady(1) },
          [`otelcol_receiver_accepted_log_records_total{${POD}}`]: { fires: steady(400), quiet: rising(1, 400) },
        },
      },
      refused: {
        expr: grew(
          `{${OWN},__name__=~"otelcol_elasticsearch_docs_processed(_total)?",outcome!~"success|retried"}`,
          "5m",
          "instance, outcome",
          OPENTELEMETRY,
        ),
        for: "0m",
        series: {
          [`otelcol_elasticsearch_docs_processed_total{${POD},outcome="failed_client"}`]: { fires: rising(1) },
          [`otelcol_elasticsearch_docs_processed_total{${POD},outcome="success"}`]: { quiet: rising(1) },
        },
      },
      rotating: NO_ROTATIONS,
      stuck: NO_DISK,
    },
  },
  fluentd: {
    path: "/metrics",
    alive: FLUENTD,
    signals: {
      dropped: {
        // A full buffer that drops never reports 0 % of space, but shrinks though no write succeeds.
        expr: promql`
          sum by (instance, plugin_id) (
            resets(fluentd_output_status_buffer_total_bytes{${OWN},type!="file"}[5m])
          ) > 0
          unless sum by (instance, plugin_id) (increase(fluentd_output_status_flush_time_count{${OWN}}[3m])) > 0`,
        for: "0m",
        series: {
          [`fluentd_output_status_buffer_total_bytes{${POD},plugin_id="d",type="http"}`]: {
            fires: DROPPING,
            quiet: DROPPING,
          },
          [`fluentd_output_status_flush_time_count{${POD},plugin_id="d",type="http"}`]: {
            fires: steady(700),
            quiet: rising(700),
          },
        },
      },
      failing: {
        // The total write time grows with each success. To a local disk a write may take less than a millisecond, which counts as 0.
        expr: unsent({
          matchers: `${OWN},type!="file"`,
          by: "plugin_id",
          s3: ["type", "s3"],
          waiting: (outputs) => `fluentd_output_status_buffer_total_bytes{${outputs}}`,
          sent: (outputs) => `fluentd_output_status_flush_time_count{${outputs}}`,
          alive: FLUENTD,
        }),
        for: "2m",
        series: {
          [`fluentd_output_status_emit_count{${POD},plugin_id="d",type="opensearch"}`]: {
            fires: rising(60),
            quiet: rising(60),
          },
          [`fluentd_output_status_buffer_total_bytes{${POD},plugin_id="d",type="opensearch"}`]: {
            fires: rising(9000),
            quiet: steady(9000),
          },
          [`fluentd_output_status_flush_time_count{${POD},plugin_id="d",type="opensearch"}`]: {
            fires: steady(700),
            quiet: rising(700),
          },
          [`fluentd_output_status_buffer_total_bytes{${POD},plugin_id="f",type="file"}`]: { quiet: steady(9000) },
          [`fluentd_output_status_flush_time_count{${POD},plugin_id="f",type="file"}`]: { quiet: steady(0) },
          [`fluentd_output_status_buffer_total_bytes{${POD},plugin_id="a",type="s3"}`]: { quiet: steady(9000) },
          [`fluentd_output_status_flush_time_count{${POD},plugin_id="a",type="s3"}`]: { quiet: EVERY_FIVE_MINUTES },
        },
      },
      filling: {
        expr: hoursLeft(`fluentd_output_status_buffer_available_space_ratio{${OWN}}`),
        for: "5m",
        series: {
          [`fluentd_output_status_buffer_available_space_ratio{${POD},plugin_id="d"}`]: {
            fires: falling(1),
            quiet: falling(0.3),
          },
        },
      },
      unreadable: "has no metric of its files, since its input is this project's own plugin",
      silent: {
        expr: nothingRead(`fluentd_output_status_emit_records{${OWN}}`, FLUENTD),
        for: "5m",
        series: {
          [`fluentd_output_status_emit_count{${POD},plugin_id="d"}`]: { fires: steady(1) },
          [`fluentd_output_status_emit_records{${POD},plugin_id="d"}`]: { fires: steady(400), quiet: rising(1, 400) },
        },
      },
      // A label @ERROR could count them, but Fluentd then counts lines without room in the buffer as sent.
      refused: "has no metric of refused documents; the canary sees a lost line",
      rotating: NO_ROTATIONS,
      stuck: NO_DISK,
    },
  },
  promtail: {
    path: "/metrics",
    alive: PROMTAIL,
    signals: {
      dropped: {
        expr: grew(`promtail_dropped_entries_total{${OWN}}`, "5m", "instance, reason", PROMTAIL),
        for: "0m",
        series: {
          [`promtail_dropped_entries_total{${POD},reason="ingester_error"}`]: { fires: "0x17 9x30", quiet: steady(9) },
        },
      },
      failing: {
        expr: promql`
          sum by (instance) (increase(promtail_batch_retries_total{${OWN}}[5m])) > 0
          ${unmoved(`promtail_sent_entries_total{${OWN}}`, "instance", PROMTAIL)}`,
        for: "2m",
        series: {
          [`promtail_build_info{${POD}}`]: { fires: steady(1) },
          [`promtail_batch_retries_total{${POD}}`]: { fires: rising(1), quiet: rising(1) },
          [`promtail_sent_entries_total{${POD}}`]: { fires: steady(5000), quiet: rising(100) },
        },
      },
      filling: "has no buffer: unsent lines stay in the kubelet's files",
      unreadable: {
        expr: `sum by (instance) (promtail_files_active_total{${OWN}}) == 0`,
        for: "5m",
        series: { [`promtail_files_active_total{${POD}}`]: { fires: steady(0), quiet: steady(1) } },
      },
      silent: {
        expr: nothingRead(`promtail_read_lines_total{${OWN}}`, PROMTAIL),
        for: "5m",
        series: {
          [`promtail_build_info{${POD}}`]: { fires: steady(1) },
          [`promtail_read_lines_total{${POD},path="/var/log/pods/a"}`]: { fires: steady(400), quiet: rising(1, 400) },
        },
      },
      refused: {
        expr: grew(
          `promtail_request_duration_seconds_count{${OWN},status_code=~"4.."}`,
          "5m",
          "instance, status_code",
          PROMTAIL,
        ),
        for: "1m",
        series: {
          [`promtail_request_duration_seconds_count{${POD},status_code="400"}`]: { fires: rising(1) },
          [`promtail_request_duration_seconds_count{${POD},status_code="204"}`]: { quiet: rising(1) },
        },
      },
      rotating: NO_ROTATIONS,
      stuck: NO_DISK,
    },
  },
  filebeat: { path: undefined, alive: undefined, signals: NO_METRICS },
  logagent: { path: undefined, alive: undefined, signals: NO_METRICS },
  tail: { path: undefined, alive: undefined, signals: NO_METRICS },
};
