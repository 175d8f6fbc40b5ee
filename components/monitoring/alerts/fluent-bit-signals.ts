import type { CollectorMetrics } from "./alert.ts";
import {
  falling,
  grew,
  hoursLeft,
  nothingRead,
  OWN_COLLECTOR as OWN,
  COLLECTOR_POD as POD,
  perSecond,
  promql,
  rising,
  steady,
  unmoved,
} from "./expressions.ts";

/** A series that each pod has while it answers. */
const FLUENT_BIT = `fluentbit_build_info{${OWN}}`;

/** A series that only the event reader has, not other Fluent Bits; it exists from the start, with 0. */
export const EVENT_INPUT = `fluentbit_input_records_total{${OWN},name=~"kubernetes_events.*"}`;

/** Fluent Bit's open files. */
const OPENED = `fluentbit_input_files_opened_total{${OWN}}`;
const OPEN_FILES = `(${OPENED} - (fluentbit_input_files_closed_total{${OWN}} or 0 * ${OPENED}))`;

const ERRORS = `fluentbit_logger_logs_total{${OWN},message_type="error"}`;
/** Errors per record read that a collector may have just because it is behind. */
export const HARMLESS_ERRORS = 0.02;
/** Errors and records over two minutes, since a quiet node has one line per minute. */
const LATELY = perSecond(ERRORS, "instance", 2);
const READ = perSecond(`fluentbit_input_records_total{${OWN},name=~"tail.*"}`, "instance", 2);
/**
 * It reads faster than it sends, and more chunks wait than it may keep in memory: it then logs "cannot mmap/read chunk" for some new
 * ones, up to one per container and second, and loses nothing. With a full disk, no chunks wait, or each line is an error.
 */
const BEHIND = promql`
  max_over_time(fluentbit_storage_fs_chunks_down{${OWN}}[2m]) > 0
  and on (instance) ${LATELY}
    < ${HARMLESS_ERRORS} * ${perSecond(`fluentbit_input_records_total{${OWN}}`, "instance", 2)}`;

/** A hanging destination shows in requests that wait for its answer: the first only counts as a retry after `net.io_timeout`. */
const UNANSWERED = promql`
  (
    sum by (instance, name) (increase(fluentbit_output_retries_total{${OWN}}[5m])) > 0
    or sum by (instance, name) (fluentbit_output_upstream_busy_connections{${OWN}}) > 0
  )`;

/** Fluent Bit's metrics. @see https://docs.fluentbit.io/manual/administration/monitoring */
export const FLUENT_BIT_METRICS: CollectorMetrics = {
  path: "/api/v2/metrics/prometheus",
  alive: FLUENT_BIT,
  signals: {
    dropped: {
      expr: promql`
        sum by (instance, name) (
          increase(fluentbit_output_dropped_records_total{${OWN}}[5m])
          + increase(fluentbit_output_retries_failed_total{${OWN}}[5m])
        ) > 0`,
      for: "0m",
      series: {
        [`fluentbit_output_dropped_records_total{${POD},name="http.0"}`]: { fires: "0x17 9x30", quiet: steady(9) },
        [`fluentbit_output_retries_failed_total{${POD},name="http.0"}`]: { fires: steady(0), quiet: steady(0) },
      },
    },
    failing: {
      expr: `${UNANSWERED} ${unmoved(`fluentbit_output_proc_records_total{${OWN}}`, "instance, name", FLUENT_BIT)}`,
      for: "2m",
      series: {
        [`fluentbit_build_info{${POD}}`]: { fires: steady(1) },
        [`fluentbit_output_retries_total{${POD},name="http.0"}`]: { fires: rising(1), quiet: rising(1) },
        [`fluentbit_output_proc_records_total{${POD},name="http.0"}`]: { fires: steady(5000), quiet: rising(100) },
      },
    },
    filling: {
      expr: hoursLeft(`fluentbit_output_chunk_available_capacity_percent{${OWN}}`),
      for: "5m",
      series: {
        [`fluentbit_output_chunk_available_capacity_percent{${POD},name="http.0"}`]: {
          fires: falling(1),
          quiet: falling(0.3),
        },
      },
    },
    unreadable: {
      expr: ["skipped", "truncated"]
        .map((how) => grew(`fluentbit_input_long_line_${how}_total{${OWN}}`, "10m", "instance", FLUENT_BIT))
        .join(" or "),
      for: "0m",
      series: {
        [`fluentbit_input_long_line_skipped_total{${POD},name="tail.0"}`]: { fires: "0x15 1x30", quiet: steady(1) },
        [`fluentbit_input_long_line_truncated_total{${POD},name="tail.0"}`]: { quiet: steady(0) },
      },
    },
    silent: {
      expr: nothingRead(`fluentbit_input_records_total{${OWN},name=~"tail.*"}`, FLUENT_BIT),
      for: "5m",
      series: {
        [`fluentbit_build_info{${POD}}`]: { fires: steady(1) },
        [`fluentbit_input_records_total{${POD},name="tail.0"}`]: { fires: steady(400), quiet: rising(1, 400) },
      },
    },
    refused: {
      expr: `sum by (instance, name) (increase(fluentbit_output_errors_total{${OWN}}[5m])) > 0`,
      for: "1m",
      series: { [`fluentbit_output_errors_total{${POD},name="opensearch.0"}`]: { fires: rising(1), quiet: steady(4) } },
    },
    rotating: {
      // The kubelet checks a file every 10 s: at most six more per minute and pod. Files are closed once read.
      expr: promql`
        sum by (instance) (${OPEN_FILES} - ${OPEN_FILES.replaceAll("}", "} offset 1m")}) > 2
        and on (instance) sum by (instance) (
          rate(fluentbit_input_bytes_total{${OWN},name=~"tail.*"}[2m])
        ) > 300000`,
      for: "3m",
      series: {
        [`fluentbit_input_files_opened_total{${POD},name="tail.0"}`]: { fires: rising(6, 20), quiet: rising(6, 20) },
        [`fluentbit_input_files_closed_total{${POD},name="tail.0"}`]: { fires: "_x15 1x30", quiet: rising(4) },
        [`fluentbit_input_bytes_total{${POD},name="tail.0"}`]: { fires: rising(60_000_000), quiet: rising(60_000_000) },
      },
    },
    // With a full disk it logs three errors per chunk that it cannot write, few on a quiet node, and counts no lost lines.
    stuck: {
      expr: promql`
        ${perSecond(ERRORS, "instance")} > 1
          unless on (instance) (${BEHIND})
        or ${LATELY} > 0.02
          and ${LATELY} > ${READ}`,
      for: "1m",
      series: {
        [`fluentbit_logger_logs_total{${POD},message_type="error"}`]: { fires: rising(3), quiet: rising(54) },
        [`fluentbit_input_records_total{${POD},name="tail.0"}`]: { fires: steady(400), quiet: rising(55, 400) },
      },
    },
  },
};
