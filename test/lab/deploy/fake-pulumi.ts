export const URN = "urn:pulumi:local::lab::kubernetes:core/v1:";

/** A resource of a state, of a namespaced kind. */
export function object(kind: string, name: string) {
  const inputs = { apiVersion: "v1", kind, metadata: { name, namespace: "ts-team" } };
  return { urn: `${URN}${kind}::${name}`, type: `kubernetes:core/v1:${kind}`, custom: true, inputs };
}

/** A state with an ended pod, and a Service that a cut-off run had made. */
export const STATE = {
  version: 3,
  deployment: {
    resources: [{ ...object("Pod", "curl-ts"), id: "ts-team/curl-ts" }],
    pending_operations: [{ type: "creating", resource: object("Service", "curl-ts") }],
  },
};

/** Answers as the CLI does, and writes down what it was asked; its version is asked for in whatever folder one is. */
export const PULUMI = `#!/bin/sh
[ "$1" = version ] || echo "$*" >> log
case "$1 $2" in
  version*) echo v3.260.0 ;;
  "plugin ls") cat plugins.json 2>/dev/null || echo '[]' ;;
  "plugin install") [ ! -e offline ] || { echo 'error: no such host' >&2; exit 1; } ;;
  "stack init"|"stack select") [ ! -e sealed ] || { cat sealed >&2; exit 1; } ;;
  "stack export") cat state.json ;;
  whoami*) cat whoami.json ;;
  "stack import") while [ "$1" != --file ]; do shift; done; cp "$2" state.json ;;
  "stack rm") case "$*" in *--force*) ;; *) echo "error: 'local' still has resources; removal rejected" >&2; exit 1 ;; esac ;;
  "stack output") echo '{}' ;;
  "stack history") echo '[{"kind":"update","startTime":"2026-01-01T00:00:00.000Z","message":"","environment":{},"config":{},"result":"succeeded"}]' ;;
  up*|destroy*) [ "$PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION" = true ] && echo "fetching of itself: off" >> log
    [ ! -e after.json ] || mv after.json state.json
    [ ! -e broken ] || { cat broken >&2; exit 1; } ;;
esac
`;
