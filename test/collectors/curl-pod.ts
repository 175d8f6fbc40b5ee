import { z } from "zod";
import { seconds, settingsAt, type Trial } from "../support/collectors/losses.ts";
import type { Running } from "../support/collectors/program.ts";
import type { Received } from "../support/collectors/protocols.ts";
import { Receiver } from "../support/collectors/receiver.ts";
import { type LocalCollector, Sandbox } from "../support/collectors/sandbox.ts";

/** The container whose lines the tests of records write. */
export const POD = { namespace: "ts-team", pod: "curl-ts", container: "curl" };
/** What a record says of it. */
export const KUBERNETES = {
  host: "node",
  namespace_name: "ts-team",
  pod_name: "curl-ts",
  container_name: "curl",
  labels: { team: "ts", "app_kubernetes_io/name": "curl" },
};

const Json = z.record(z.string(), z.unknown());

/** A line of a container runtime, at one of ten times. */
export const line = (at: number, text: string): string => `2026-02-01T10:00:00.12345678${at}Z ${text}`;
export const records = (kept: readonly Received[]) => kept.map(({ json }) => Json.parse(JSON.parse(json)));
export const sortedLogs = (kept: readonly Received[]): string[] =>
  records(kept)
    .map(({ log }) => String(log))
    .sort();

/** A collector that runs on a sandbox's files, and what it sends to. */
export interface Collecting {
  readonly sandbox: Sandbox;
  readonly receiver: Receiver;
  readonly running: Running;
}

/**
 * Runs a collector on lines that are there when it starts.
 * @param until Waits for what is to come, while it runs.
 * @returns what has come until then
 */
export async function collected(
  local: LocalCollector,
  settings: Trial["settings"],
  write: (sandbox: Sandbox) => void,
  until: (collecting: Collecting) => Promise<void>,
): Promise<readonly Received[]> {
  const receiver = await Receiver.start();
  const sandbox = new Sandbox(local, { ...settingsAt(settings, receiver.port) }, receiver.port);
  write(sandbox);
  const running = sandbox.start();
  try {
    await until({ sandbox, receiver, running });
    return await receiver.kept();
  } finally {
    await running.stop("SIGKILL");
    await receiver.stop();
    sandbox.remove();
  }
}

/** Waits until so many records have come, or a minute has passed, since a program may start slowly; then the collector is stopped. */
export async function stoppedAfter({ receiver, running }: Collecting, wanted: number): Promise<void> {
  for (let wait = 0; wait < 240 && (await receiver.kept()).length < wanted; wait += 1) await seconds(0.25);
  // Nothing may come after what is wanted.
  await seconds(1.5);
  await running.stop();
}
