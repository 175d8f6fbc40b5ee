import type { SettingsIssue } from "../../schema/errors.ts";
import type { CollectorId } from "../settings.ts";
import type { Destination } from "./destination-settings.ts";
import { isService, targetOf } from "./egress.ts";

const LOOPBACK = /^(localhost|127(\.\d+){3}|::1)$/;

/** Whether a host is in the cluster: a name without a dot is a Service in the collector's namespace. */
function isNear(host: string): boolean {
  return isService(host) || !/[.:]/.test(host);
}

/**
 * A warning if no line arrives, or if anyone on the path can read lines or impersonate the destination. For Fluent Bit the policy
 * `collectors-tls` reports the latter, from its configuration. Paths are below the destination.
 */
export function transportIssues(destination: Destination, collector: CollectorId): SettingsIssue[] {
  const host = targetOf(destination)?.host;
  if (host !== undefined && LOOPBACK.test(host)) {
    const key = "url" in destination ? "url" : "host";
    const message = "leads to the collector's own pod";
    return [{ path: [key], message, value: "url" in destination ? destination.url : host, severity: "warning" }];
  }
  if (collector === "fluent-bit" || host === undefined || isNear(host)) return [];
  const clear = `without TLS, so anyone on the path to ${host} can read the lines`;
  const blind = `without verification, so anyone on the path can impersonate ${host}`;
  const warning = (path: readonly string[], message: string, value: unknown): SettingsIssue[] => [
    { path: [...path], message: `sends ${message}`, value, severity: "warning" },
  ];
  switch (destination.kind) {
    case "opensearch":
    case "elasticsearch":
      if (destination.tls === false) return warning(["tls"], clear, false);
      return destination.tls?.verify === false ? warning(["tls", "verify"], blind, false) : [];
    case "http":
    case "loki":
    case "otlp":
    case "splunk":
      if (destination.url.startsWith("http:")) return warning(["url"], clear, destination.url);
      return destination.verify ? [] : warning(["verify"], blind, false);
    default:
      return [];
  }
}
