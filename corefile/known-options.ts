import { isAddress } from "./address.ts";
import type { CheckContext, Findings } from "./check.ts";
import { type Plugin, pluginName, type Server, writePlugin } from "./model.ts";
import { isBefore } from "./version.ts";

/** The version whose options these are. */
const SEEN_IN = [1, 14, 3] as const;

/**
 * The options that a plugin takes in its braces. A line of another name keeps CoreDNS from starting, so that a slip such as
 * `lameduk` or an option of years ago such as `upstream` is worth finding before it is deployed.
 * @see https://github.com/coredns/coredns/tree/v1.14.3/plugin
 */
export const KNOWN_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  bind: ["except"],
  cache: ["success", "denial", "prefetch", "serve_stale", "servfail", "disable", "keepttl"],
  errors: ["stacktrace", "consolidate"],
  forward: [
    ...[
      "except",
      "force_tcp",
      "prefer_udp",
      "expire",
      "max_age",
      "max_idle_conns",
      "max_fails",
      "max_connect_attempts",
    ],
    ...["tls", "tls_servername", "policy", "health_check", "max_concurrent", "next", "failover"],
    "failfast_all_unhealthy_upstreams",
  ],
  health: ["lameduck"],
  kubernetes: [
    ...["endpoint", "tls", "kubeconfig", "apiserver_qps", "apiserver_burst", "apiserver_max_inflight", "namespaces"],
    ...["labels", "namespace_labels", "pods", "endpoint_pod_names", "ttl", "noendpoints", "fallthrough", "ignore"],
    ...["multicluster", "startup_timeout"],
  ],
  loadbalance: ["reload", "prefer"],
  log: ["class"],
  prometheus: ["tls", "runtime_metrics"],
};

/** Options that CoreDNS does not know, or takes for something else. */
export function checkKnownOptions(server: Server, plugin: Plugin, context: CheckContext, findings: Findings): void {
  const name = pluginName(plugin);
  if (plugin.plugin === "hosts") checkHostsLines(server, plugin.more ?? [], findings);
  const known = KNOWN_OPTIONS[name];
  if (known === undefined || (plugin.plugin === "other" && plugin.problem !== undefined)) return;
  for (const option of writePlugin(plugin).block ?? []) {
    if (known.includes(option.name)) continue;
    if (context.coredns !== undefined && isBefore(SEEN_IN, context.coredns)) {
      findings.warn(
        server,
        `${name}: ${option.name} was no option in CoreDNS ${SEEN_IN.join(".")}; one that this version lacks keeps it from starting`,
      );
    } else {
      findings.error(
        server,
        `${name}: CoreDNS does not start with the option ${option.name}; it takes ${known.join(", ")}`,
      );
    }
  }
}

/** What is no option of `hosts` is a line of a hosts file to CoreDNS, and one without an address says nothing. */
function checkHostsLines(server: Server, lines: readonly { readonly name: string }[], findings: Findings): void {
  for (const { name } of lines) {
    if (isAddress(name)) continue;
    findings.warn(server, `hosts: ${name} is neither an option nor an address, so that CoreDNS ignores its line`);
  }
}
