import assert from "node:assert/strict";
import { fluentBit } from "../../../components/logging/collectors/fluent-bit/index.ts";
import { changed, type Outcome, type Trial, type TrialChanges, tryOut } from "../../support/collectors/losses.ts";
import { findProgram, whyMissing } from "../../support/collectors/program.ts";
import type { LocalCollector } from "../../support/collectors/sandbox.ts";
import { leaveOut } from "../../support/leave-out.ts";
import { hasOpenssl, startTlsProxy } from "../tls-receiver.ts";

/** MB/s of all containers together; docs/measurements/log-delivery.md has the figures at 40. */
export const RATE = Number(process.env.LOG_RATE ?? 10);

/** The input that answers the liveness probe, whose port two programs cannot share. */
const ALIVE_INPUT = / {4}- name: splunk\n(?: {6}.*\n)+/;

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
        .replace(ALIVE_INPUT, "")
        .replace("http_server: on", "http_server: off")
        .replaceAll(
          "name: kubernetes\n",
          `name: kubernetes\n      kube_url: http://127.0.0.1:${receiverPort}\n      kube_token_file: ${token}\n`,
        )
        .replace("name: s3\n", (found) => `${found}      endpoint: http://127.0.0.1:${receiverPort}\n      tls: off\n`)
        .replace(
          "name: cloudwatch_logs\n",
          // It always speaks TLS.
          (found) => `${found}      endpoint: 127.0.0.1\n      port: ${receiverPort}\n      tls.verify: off\n`,
        ),
  };
}

/** The same, but an S3 object is closed after six seconds instead of five minutes. */
export async function localFluentBitWithShortUploads(): Promise<LocalCollector | undefined> {
  const local = localFluentBit();
  return local && { ...local, adapt: (text, place) => withShortUploads(local.adapt(text, place)) };
}

/** Why {@link localFluentBitToAws} gives nothing. */
export function whyNoFluentBitToAws(): string {
  return hasOpenssl() ? whyMissing("fluent-bit") : "no openssl";
}

/**
 * The same, sending to AWS by TLS, as it does there. Without it the S3 output of 5.1.1, which waits for an answer outside of its event
 * loop, reads a closed connection for ever.
 */
export async function localFluentBitToAws(): Promise<(LocalCollector & { stop(): void }) | undefined> {
  const local = await localFluentBitWithShortUploads();
  if (local === undefined || !hasOpenssl()) return undefined;
  const proxy = await startTlsProxy();
  return {
    ...local,
    adapt: (text, place) => {
      proxy.passTo(place.receiverPort);
      const [plain, byTls] = [place.receiverPort, proxy.port];
      return local
        .adapt(text, place)
        .replace(
          `endpoint: http://127.0.0.1:${plain}\n      tls: off`,
          `endpoint: https://127.0.0.1:${byTls}\n      tls.verify: off`,
        )
        .replace(`endpoint: 127.0.0.1\n      port: ${plain}`, `endpoint: 127.0.0.1\n      port: ${byTls}`);
    },
    stop: () => proxy.stop(),
  };
}

export function withShortUploads(configuration: string): string {
  return configuration.replace("upload_timeout: 5m", "upload_timeout: 6s");
}

/** Leaves a suite out, with a line that says why, where there is no Fluent Bit. */
export function skipWithoutFluentBit(this: Mocha.Context): void {
  if (localFluentBit() !== undefined) return;
  leaveOut(this, whyMissing("fluent-bit"));
}

const USUAL: Trial = { write: { files: 10, bytesPerSecond: RATE * 1e6, seconds: 10 } };

export type FluentBitTrial = TrialChanges & {
  /** Changes of the rendered configuration that make time pass faster, and nothing else. */
  readonly hasten?: (configuration: string) => string;
};

/** Tries Fluent Bit out, and writes what came of it. */
export async function run({ hasten, ...changes }: FluentBitTrial): Promise<Outcome> {
  const local = localFluentBit();
  assert.ok(local);
  const hastened: LocalCollector =
    hasten === undefined ? local : { ...local, adapt: (text, place) => hasten(local.adapt(text, place)) };
  return tryOut(hastened, changed(USUAL, changes));
}
