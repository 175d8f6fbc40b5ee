import type { Alert, Condition, WatchedStack } from "../alert.ts";
import { COLLECTOR_ALERTS, EVENT_READER_ALERTS } from "./collector-alerts.ts";
import { COREDNS_ALERTS } from "./coredns-alerts.ts";
import { PLATFORM_ALERTS } from "./platform-alerts.ts";
import { UPSTREAM_ALERTS } from "./upstream-alerts.ts";

/** The alert table, from which rules, tests, dashboards, CloudWatch alarms and runbooks are generated. */
export const ALERTS: readonly Alert[] = [
  ...COREDNS_ALERTS,
  ...UPSTREAM_ALERTS,
  ...COLLECTOR_ALERTS,
  ...EVENT_READER_ALERTS,
  ...PLATFORM_ALERTS,
];

/** An alert and its condition on a stack. */
export interface ActiveAlert {
  readonly alert: Alert;
  readonly condition: Condition;
}

/** The alerts whose subject a stack has. */
export function alertsOf(stack: WatchedStack): ActiveAlert[] {
  return ALERTS.flatMap((alert) => {
    const condition = alert.condition(stack);
    return condition === undefined ? [] : [{ alert, condition }];
  });
}
