import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export const TOPIC = "pods";

/**
 * A broker, and what came to its topic. KFAKE_BINARY is one of franz-go's package `kfake`, which prints the key and the value of each
 * message of a topic: a line each. Its arguments are the port, the topic and, for TLS and SASL, mechanism, user, password, and the files of
 * a certificate and its key.
 * @param secured Mechanism, user, password, certificate and key. Default: no TLS and no users.
 * @see https://pkg.go.dev/github.com/twmb/franz-go/pkg/kfake
 */
export function startBroker(program: string, port: number, secured: readonly string[] = []) {
  const fake = spawn(program, [String(port), TOPIC, ...secured], { stdio: ["ignore", "pipe", "ignore"] });
  const lines: string[] = [];
  createInterface({ input: fake.stdout }).on("line", (line) => lines.push(line));
  return {
    /** The values of the messages. */
    messages: () => lines.slice(1).map((line) => line.slice(line.indexOf("\t") + 1)),
    stop: () => fake.kill(),
  };
}
