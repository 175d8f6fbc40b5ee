import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { opentelemetry } from "../../../components/logging/collectors/opentelemetry/index.ts";
import { findProgram } from "../../support/collectors/program.ts";
import type { LocalCollector } from "../../support/collectors/sandbox.ts";
import { kubeconfig, startClusterApi } from "../cluster-api.ts";

/** Where the settings say that destinations are; the sandbox puts the receiver in their place. */
export const ELASTICSEARCH = { kind: "elasticsearch", host: "elasticsearch.test", tls: false };
export const LOKI = { kind: "loki", url: "http://loki.test:3100" };

export interface LocalOpenTelemetry extends LocalCollector {
  stop(): void;
}

/** OpenTelemetry Collector of this machine; undefined where there is none. @param labels Those of all pods. */
export async function localOpenTelemetry(
  labels?: Readonly<Record<string, string>>,
): Promise<LocalOpenTelemetry | undefined> {
  const program = findProgram("otelcol");
  if (program === undefined) return undefined;
  const api = await startClusterApi(labels);
  return {
    collector: opentelemetry,
    program,
    adapt: (text, { receiverPort, token }) => {
      const sandbox = dirname(token);
      process.env.KUBECONFIG = join(sandbox, "kubeconfig");
      writeFileSync(process.env.KUBECONFIG, kubeconfig(api.url(sandbox)));
      return text
        .replaceAll("/var/log/app", join(sandbox, "app"))
        .replace("auth_type: serviceAccount", "auth_type: kubeConfig")
        .replace("http://elasticsearch.test:9200", `http://127.0.0.1:${receiverPort}`)
        .replace("endpoint: http://loki.test:3100", `endpoint: http://127.0.0.1:${receiverPort}`)
        .replaceAll(/^( +)(endpoint: http:\/\/127\.0\.0\.1:\d+\/otlp)$/gm, "$1encoding: json\n$1$2")
        .replace("host: 0.0.0.0\n                port: 8888", "host: 127.0.0.1\n                port: 0")
        .replaceAll(/0\.0\.0\.0:(4317|4318|13133)/g, "127.0.0.1:0")
        .replace("awscloudwatchlogs:\n", `awscloudwatchlogs:\n    endpoint: http://127.0.0.1:${receiverPort}\n`)
        .replace(
          "s3uploader:\n",
          `s3uploader:\n      endpoint: http://127.0.0.1:${receiverPort}\n      s3_force_path_style: true\n      disable_ssl: true\n`,
        )
        .replace(/flush_timeout: 5m/, "flush_timeout: 2s");
    },
    stop: () => api.stop(),
  };
}
