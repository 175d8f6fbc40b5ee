import { fluentBit } from "../../components/logging/collectors/fluent-bit.ts";
import { findProgram } from "../support/collectors/program.ts";
import type { LocalCollector } from "../support/collectors/sandbox.ts";

/** Fluent Bit of this machine; undefined where there is none. */
export function localFluentBit(): LocalCollector | undefined {
  const program = findProgram("fluent-bit");
  if (program === undefined) return undefined;
  return {
    collector: fluentBit,
    program,
    adapt: (text, { receiverPort, token }) =>
      text
        .replace("http_port: 2020", "http_port: 0")
        .replace("http_server: on", "http_server: off")
        .replace(
          "name: kubernetes\n",
          `name: kubernetes\n      kube_url: http://127.0.0.1:${receiverPort}\n      kube_token_file: ${token}\n`,
        )
        .replace(
          /name: (cloudwatch_logs|s3)\n/,
          (found) => `${found}      endpoint: http://127.0.0.1:${receiverPort}\n      tls: off\n`,
        ),
  };
}
