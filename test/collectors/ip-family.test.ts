import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IP_FAMILIES, type IpFamily } from "../../components/kubernetes/ip-family.ts";
import type { Collector } from "../../components/logging/collectors/collector.ts";
import { canaryFiles } from "../../components/monitoring/canary.ts";
import { responderConfig } from "../../components/team/curl-pod-spec.ts";
import { seconds } from "../support/collectors/losses.ts";
import { findProgram, Running, whyMissing } from "../support/collectors/program.ts";
import { type LocalCollector, Sandbox } from "../support/collectors/sandbox.ts";
import { leaveOut } from "../support/leave-out.ts";
import { localFilebeat } from "./filebeat/local.ts";
import { localFluentBit } from "./fluent-bit/local.ts";
import { localFluentd } from "./fluentd/local.ts";
import { ELASTICSEARCH, localOpenTelemetry } from "./opentelemetry/local.ts";
import { LOKI, localPromtail } from "./promtail/local.ts";
import { localVector } from "./vector/local.ts";

const OPENSEARCH = { kind: "opensearch", host: "127.0.0.1", port: 9, tls: false };
const CANDIDATES = [
  { name: "fluent-bit", start: localFluentBit, destination: OPENSEARCH },
  { name: "fluentd", start: () => localFluentd(), destination: OPENSEARCH },
  { name: "filebeat", start: localFilebeat, destination: ELASTICSEARCH },
  { name: "promtail", start: localPromtail, destination: LOKI },
  { name: "otelcol", start: () => localOpenTelemetry(), destination: ELASTICSEARCH },
  { name: "vector", start: () => localVector(), destination: OPENSEARCH },
];

/** What a sandbox changes so that no port is open, which is tried here. */
const OWN_PORTS = /^.*(?:0\.0\.0\.0|::|http_server|http_port|name: splunk|enabled: true).*$/gm;

/** Keeps the lines about ports as they are. */
function withPorts(local: LocalCollector): LocalCollector {
  return {
    ...local,
    adapt: (text, place) => {
      const kept: string[] = [];
      const hidden = text.replaceAll(OWN_PORTS, (line) => `#port ${kept.push(line) - 1}#`);
      return local.adapt(hidden, place).replaceAll(/#port (\d+)#/g, (_, at) => kept[Number(at)] ?? "");
    },
  };
}

/** Where the kubelet and Prometheus ask it. */
function askedAt({ liveness, readiness, ports }: Collector): [port: number, path: string][] {
  const probes = [liveness, readiness].flatMap((probe): [number, string][] =>
    probe !== undefined && "path" in probe ? [[probe.port, probe.path]] : [],
  );
  return [...probes, ...Object.values(ports).map((port): [number, string] => [port, "/"])];
}

/** Whether somebody answers by HTTP within so many seconds, whatever is said. */
async function answers(url: string, limit = 20): Promise<boolean> {
  for (let second = 0; second < limit; second++) {
    const said = await fetch(url, { signal: AbortSignal.timeout(5000) }).then(
      () => true,
      // gRPC closes the connection, which nobody does who does not listen.
      (error: unknown) => error instanceof Error && !/ECONNREFUSED/.test(String(error.cause)),
    );
    if (said) return true;
    await seconds(1);
  }
  return false;
}

describe("a collector on a cluster", () => {
  for (const { name, start, destination } of CANDIDATES)
    for (const [ipFamily, host] of [
      ["ipv4", "127.0.0.1"],
      ["ipv6", "[::1]"],
    ] as const)
      it(`of ${ipFamily} is reachable at its pod's address: ${name}`, async function () {
        const local = await start();
        if (local === undefined) return leaveOut(this, whyMissing(name));
        const sandbox = new Sandbox(withPorts(local), { destination }, 9, undefined, ipFamily);
        const running = sandbox.start();
        try {
          for (const [port, path] of askedAt(local.collector))
            assert.ok(await answers(`http://${host}:${port}${path}`), `nobody listens on ${host}:${port}`);
        } finally {
          await running.stop("SIGKILL");
          if ("stop" in local && typeof local.stop === "function") local.stop();
          sandbox.remove();
        }
      });
});

/** Stands in the place of the pods' own ports. */
const NGINX_PORT = 18_079;
const NGINX = [
  { name: "curl pod", config: responderConfig },
  { name: "canary", config: (_: undefined, ipFamily: IpFamily) => canaryFiles(ipFamily)["nginx.conf"] ?? "" },
];

describe("a pod's nginx on a cluster", () => {
  for (const { name, config } of NGINX)
    for (const ipFamily of IP_FAMILIES)
      it(`of ${ipFamily} is reachable at its pod's address: ${name}`, async function () {
        const program = findProgram("nginx");
        if (program === undefined) return leaveOut(this, whyMissing("nginx"));
        const folder = mkdtempSync(join(tmpdir(), "nginx-"));
        const file = join(folder, "nginx.conf");
        const log = join(folder, "log");
        const text = config(undefined, ipFamily)
          .replace(/(listen (?:\[::\]:)?)\d+/, `$1${NGINX_PORT}`)
          // Both are a socket here, which nobody can open.
          .replaceAll(/\/dev\/std(?:err|out)/g, log);
        writeFileSync(file, text);
        const args = ["-e", log, "-c", file, "-g", "daemon off;"];
        const running = new Running(program, args, `${log}.out`);
        try {
          assert.ok(await answers(`http://127.0.0.1:${NGINX_PORT}/`));
          assert.equal(await answers(`http://[::1]:${NGINX_PORT}/`, 1), ipFamily === "ipv6");
        } finally {
          await running.stop();
          rmSync(folder, { recursive: true });
        }
      });
});
