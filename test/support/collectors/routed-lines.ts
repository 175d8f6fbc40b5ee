import type { RoutedLine } from "../../../components/logging/routing/routes.ts";

/** Routes to the three destinations of {@link withOneAway}, by each kind of condition. */
export const ROUTES = [
  { to: ["http"], teams: ["ts"] },
  { to: ["http"], levels: ["error", "fatal"], streams: ["stderr"] },
  { to: ["loki"], labels: { "app.kubernetes.io/name": "shop" }, levels: ["warn"] },
  { to: ["loki"], labels: { tier: "db" } },
  { to: ["search"], namespaces: ["sa-team", "other"], streams: ["stdout"] },
];

/** Labels of all pods that write. */
export const ROUTED_LABELS = { tier: "web", "app.kubernetes.io/name": "shop" };

const LEVELS = ["info", "ERROR", "SEVERE", "Warning", "panic", "crit", "emerg", "errors", 50, null, undefined];

/** A line for each case that routes tell apart, with a marker that it is found by. */
export interface MarkedLine {
  readonly marker: string;
  readonly text: string;
  readonly known: RoutedLine;
}

export const ROUTED_LINES: readonly MarkedLine[] = ["ts-team", "sa-team", "other", "third"]
  .flatMap((namespace) =>
    ["stdout", "stderr"].flatMap((stream) =>
      LEVELS.flatMap((level) => ["level", "severity", "both"].map((key) => ({ namespace, stream, level, key }))),
    ),
  )
  .map(({ namespace, stream, level, key }, at) => {
    const marker = `marker-${at}`;
    const fields = key === "both" ? { level, severity: "error", marker } : { [key]: level, marker };
    const text = level === undefined ? `plain ERROR ${marker}` : JSON.stringify(fields);
    const known = { namespace, stream, labels: ROUTED_LABELS, ...(level === undefined ? {} : { fields }) };
    return { marker, text, known };
  });
