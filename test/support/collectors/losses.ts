import { Receiver, type ReceiverMode } from "./receiver.ts";
import { type LocalCollector, Sandbox } from "./sandbox.ts";
import type { Stats } from "./tally.ts";
import { type WriterOptions, type Written, writeLogs } from "./writer.ts";

/** Number of the file whose line a trial waits for before it writes. */
export const FIRST_FILE = 900;

/** What happens while a writer writes and a collector collects. */
export interface Trial {
  /** Settings below `logging`, or what makes them of the receiver's port; the destination is the receiver, as OpenSearch, unless it is named. */
  readonly settings?: object | ((port: number) => object);
  readonly write: Omit<WriterOptions, "folder">;
  /**
   * Whether nothing is written before a first line of another file has come: on a busy machine a collector may start so late that a
   * file has been rotated away twice. Default: a second after the start.
   */
  readonly onceItReads?: true;
  /** Default: nothing. */
  readonly meanwhile?: (trial: Running) => Promise<void>;
  /** How long nothing may come before it counts as lost, in seconds. Default 8. */
  readonly quietSeconds?: number;
}

interface Running {
  readonly receiver: Receiver;
  readonly sandbox: Sandbox;
  /** Of the collector's process; another one after a restart. */
  pid(): number | undefined;
  set(mode: ReceiverMode): void;
  /** Writes more, beside the trial's own writer; what it writes is counted with the rest. */
  write(options: Omit<WriterOptions, "folder">): Promise<Written>;
  /** Stops the collector by a signal, as Kubernetes does, which kills it after its grace, and starts it again after some seconds. */
  restart(signal: "SIGTERM" | "SIGKILL", pauseSeconds?: number): Promise<void>;
}

export interface Outcome {
  readonly written: number;
  /** Lines that never came, without those that the receiver refuses for good. */
  readonly lost: number;
  /** How often the writers' files were rotated, all together. */
  readonly rotations: number;
  readonly stats: Stats;
}

/** What differs from the usual trial of a suite. */
export type TrialChanges = Omit<Trial, "write"> & { readonly write?: Partial<Trial["write"]> };

/** A suite's usual trial with a test's changes: settings and what is written one by one, all else as a whole. */
export function changed(usual: Trial, { write, settings, ...others }: TrialChanges): Trial {
  return {
    ...usual,
    ...others,
    settings: (port) => ({ ...settingsAt(usual.settings, port), ...settingsAt(settings, port) }),
    write: { ...usual.write, ...write },
  };
}

/** Settings of a trial whose receiver has this port. */
export function settingsAt(settings: Trial["settings"], port: number): object | undefined {
  return typeof settings === "function" ? settings(port) : settings;
}

/** Destinations with the bulk protocol; a collector may have another output for each. */
export const SEARCH_ENGINES = ["opensearch", "elasticsearch"] as const;

/** Settings of a trial whose receiver is that search engine. */
export const searchEngine = (kind: (typeof SEARCH_ENGINES)[number]) => (port: number) => ({
  destination: { kind, host: "127.0.0.1", port, tls: false },
});

export const seconds = (count: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, count * 1000));

/** Runs a collector against a writer and a receiver, counts, and says what it counted. */
export async function tryOut(local: LocalCollector, trial: Trial): Promise<Outcome> {
  const receiver = await Receiver.start({ labels: { "app.kubernetes.io/name": "curl" } });
  const destination = { kind: "opensearch", host: "127.0.0.1", port: receiver.port, tls: false };
  const sandbox = new Sandbox(local, { destination, ...settingsAt(trial.settings, receiver.port) }, receiver.port);
  let collector = sandbox.start();
  try {
    await seconds(1);
    const writers: Promise<Written>[] = [];
    const write = (options: Omit<WriterOptions, "folder">) => {
      const writing = writeLogs({ folder: sandbox.pods, ...options });
      writers.push(writing);
      return writing;
    };
    if (trial.onceItReads) {
      await write({ files: 1, firstFile: FIRST_FILE, bytesPerSecond: 3000, seconds: 1 });
      await receiver.settled(1, 60);
    }
    write(trial.write);
    await trial.meanwhile?.({
      receiver,
      sandbox,
      pid: () => collector.pid,
      set: (mode) => receiver.set(mode),
      write,
      restart: async (signal, pauseSeconds = 0) => {
        await collector.stop(signal, local.collector.graceSeconds + 10);
        await seconds(pauseSeconds);
        collector = sandbox.start();
      },
    });
    const all = await Promise.all(writers);
    const written = all.reduce((sum, { lines }) => sum + lines, 0);
    const wanted = all.reduce((sum, { poisoned }) => sum - poisoned, written);
    const stats = await receiver.settled(wanted, trial.quietSeconds);
    const rotations = all.reduce((sum, found) => sum + found.rotations, 0);
    const outcome = { written, lost: wanted - stats.unique, rotations, stats };
    process.stdout.write(`        ${inWords(outcome)}\n`);
    return outcome;
  } finally {
    await collector.stop("SIGKILL");
    await receiver.stop();
    sandbox.remove();
  }
}

function inWords({ written, lost, rotations, stats: { repeated, doubled, requests } }: Outcome): string {
  return `${written} written, ${lost} lost, ${repeated} repeated by id, ${doubled} doubled, ${requests} requests, ${rotations} rotations`;
}
