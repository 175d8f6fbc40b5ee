import { EVENT_READER_NAME, LOGGING_NAMESPACE } from "../../logging/pipeline.ts";
import type { Alert, Condition, WatchedStack } from "../alert.ts";
import { perSecond, rising, steady } from "./expressions.ts";

const OWN = `namespace="${LOGGING_NAMESPACE}"`;
const POD = `${OWN},instance="10.0.2.1:2020"`;
const INPUT = `fluentbit_input_records_total{${POD},name="kubernetes_events.0"}`;

/** A series that only the event reader has, not other Fluent Bits; it exists from the start, with 0. */
export const EVENT_INPUT = `fluentbit_input_records_total{${OWN},name=~"kubernetes_events.*"}`;

const LOGS = `\`kubectl -n ${LOGGING_NAMESPACE} logs ${EVENT_READER_NAME}-0 -c fluent-bit --tail=50\``;

const onReader =
  (condition: Condition) =>
  ({ eventReader }: WatchedStack): Condition | undefined =>
    eventReader === undefined ? undefined : condition;

/** Failures of the pod that reads Kubernetes events. The collector's alerts include its drops, failed sends and a filling buffer. */
export const EVENT_READER_ALERTS: readonly Alert[] = [
  {
    name: "EventReaderDown",
    group: "collector",
    severity: "warning",
    summary: "No event reader answers: Kubernetes events are not collected.",
    cause: "Its pod is not scheduled, crashes or was evicted, or a network policy blocks Prometheus.",
    steps: [
      `\`kubectl -n ${LOGGING_NAMESPACE} describe pod ${EVENT_READER_NAME}-0\``,
      LOGS,
      "Repair it within an hour: the API server forgets older events.",
    ],
    condition: onReader({
      expr: `absent(${EVENT_INPUT})`,
      for: "5m",
      fires: { [INPUT]: "1x5 _x30" },
      quiet: { [INPUT]: "1x17 _x30" },
    }),
  },
  {
    name: "EventsUnreadable",
    group: "collector",
    severity: "warning",
    summary: "The event reader {{ $labels.instance }} logs errors and reads no events.",
    cause: "It cannot reach the API server, or its ClusterRoleBinding or token is gone.",
    steps: [LOGS, `\`kubectl get clusterrolebinding eks-dns-logging-${EVENT_READER_NAME} -o yaml\``],
    explainedBy: ["SendFailing", "LinesDropped"],
    condition: onReader({
      // It logs an error every 1.5 seconds.
      expr: `${perSecond(`fluentbit_logger_logs_total{${OWN},message_type="error"}`, "instance")} > 0.25 and on (instance) sum by (instance) (increase(${EVENT_INPUT}[5m])) == 0`,
      for: "3m",
      fires: { [`fluentbit_logger_logs_total{${POD},message_type="error"}`]: rising(40), [INPUT]: steady(7) },
      quiet: { [`fluentbit_logger_logs_total{${POD},message_type="error"}`]: rising(40), [INPUT]: rising(1) },
    }),
  },
];
