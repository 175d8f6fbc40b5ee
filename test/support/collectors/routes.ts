import { freePort } from "../free-port.ts";
import { Receiver, type ReceiverMode } from "./receiver.ts";
import { type LocalCollector, Sandbox } from "./sandbox.ts";
import type { Stats } from "./tally.ts";
import { type WriterOptions, writeLogs } from "./writer.ts";

/** Three places to send to, one for each way to send. */
export const NAMES = ["http", "loki", "search"] as const;
export type Name = (typeof NAMES)[number];

/** How the others fared while one destination was away, and what it had afterwards. */
export interface Apart {
  readonly written: number;
  readonly stats: Readonly<Record<Name, Stats>>;
  /** Seconds within which 99 % of all lines had arrived at each of the destinations that stood. */
  readonly lateSeconds: number;
  /** The same of the lines that arrived before the other was away. */
  readonly usualLateSeconds: number;
}

/** When a destination is away, in seconds, and what the collector sends to. */
export interface Outage {
  readonly after: number;
  readonly during: number;
  readonly settings?: object;
  /** The three destinations, by where their receivers are. @default one of JSON lines, one of Loki and one of OpenSearch */
  readonly at?: DestinationsAt;
}

type DestinationsAt = (receivers: Readonly<Record<Name, { readonly port: number }>>) => object;

/** Writes at a rate while one of three destinations is away for a while, and waits until all have everything. */
export async function withOneAway(
  local: LocalCollector,
  away: Name,
  mode: ReceiverMode,
  write: Omit<WriterOptions, "folder">,
  { after, during, settings = {}, at = destinationsAt }: Outage,
): Promise<Apart> {
  const receivers = await receiversOf();
  const sandbox = new Sandbox(
    { ...local, adapt: await ownPorts(local) },
    { destinations: at(receivers), ...settings },
    receivers.search.port,
  );
  const senders = sandbox.startSenders();
  const collector = sandbox.start();
  try {
    await pause(1);
    const writing = writeLogs({ folder: sandbox.pods, ...write });
    const standing = NAMES.filter((other) => other !== away);
    await pause(after);
    const usual = await Promise.all(standing.map((name) => receivers[name].stats()));
    receivers[away].set(mode);
    await pause(during);
    receivers[away].set("take");
    const { lines } = await writing;
    // After a long outage a chunk waits up to ten minutes for its next retry, and none need come meanwhile.
    const quietSeconds = during > 60 ? 660 : 60;
    const stats = {
      http: await receivers.http.settled(lines, quietSeconds),
      loki: await receivers.loki.settled(lines, quietSeconds),
      search: await receivers.search.settled(lines, quietSeconds),
    };
    return {
      written: lines,
      stats,
      lateSeconds: latest(standing.map((name) => stats[name])),
      usualLateSeconds: latest(usual),
    };
  } finally {
    for (const each of [collector, ...senders]) await each.stop("SIGKILL");
    for (const receiver of Object.values(receivers)) await receiver.stop();
    sandbox.remove();
  }
}

/** The most of those destinations whose records have a time; not a number where none has. */
function latest(stats: readonly Stats[]): number {
  const known = stats.map(({ lateSeconds }) => lateSeconds).filter((seconds) => !Number.isNaN(seconds));
  return known.length === 0 ? Number.NaN : Math.max(...known);
}

/** The ports at which senders listen to their reader. */
const FORWARD_PORT = /port: (2422[4-7])\b/g;

const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

async function receiversOf(
  labels: Readonly<Record<string, string>> = { "app.kubernetes.io/name": "curl" },
): Promise<Record<Name, Receiver>> {
  return {
    http: await Receiver.start({ labels }),
    loki: await Receiver.start({ labels }),
    search: await Receiver.start({ labels }),
  };
}

const destinationsAt: DestinationsAt = (receivers) => ({
  http: { kind: "http", url: `http://127.0.0.1:${receivers.http.port}/in` },
  loki: { kind: "loki", url: `http://127.0.0.1:${receivers.loki.port}` },
  search: { kind: "opensearch", host: "127.0.0.1", port: receivers.search.port, tls: false },
});

/** For a collector that posts no JSON lines, and reaches Elasticsearch alone: Loki twice. */
export const lokiTwiceAt: DestinationsAt = (receivers) => ({
  http: { kind: "loki", url: `http://127.0.0.1:${receivers.http.port}` },
  loki: { kind: "loki", url: `http://127.0.0.1:${receivers.loki.port}` },
  search: {
    kind: "elasticsearch",
    host: "127.0.0.1",
    port: receivers.search.port,
    tls: false,
    index: { prefix: "app" },
  },
});

/** Gives what listens within the pod free ports of this machine. */
async function ownPorts(local: LocalCollector): Promise<LocalCollector["adapt"]> {
  const ports = new Map<string, number>();
  for (const port of ["24224", "24225", "24226", "24227"]) ports.set(port, await freePort());
  return (text, place) =>
    local
      .adapt(text, place)
      .replaceAll(FORWARD_PORT, (whole, port: string) => whole.replace(port, String(ports.get(port))));
}

/** Sends lines through a collector with three destinations, and says which lines each has got. */
export async function routed(
  local: LocalCollector,
  routes: readonly object[],
  labels: Readonly<Record<string, string>>,
  lines: readonly { readonly namespace: string; readonly line: string }[],
  at: DestinationsAt = destinationsAt,
): Promise<Readonly<Record<Name, ReadonlySet<string>>>> {
  const receivers = await receiversOf(labels);
  const settings = { destinations: at(receivers), routes };
  const sandbox = new Sandbox({ ...local, adapt: await ownPorts(local) }, settings, receivers.search.port);
  for (const { namespace, line } of lines)
    sandbox.write({ namespace, pod: `pod-${namespace}`, container: "app" }, [line]);
  const senders = sandbox.startSenders();
  const collector = sandbox.start();
  try {
    const found = { http: new Set<string>(), loki: new Set<string>(), search: new Set<string>() };
    let [before, quiet] = [-1, 0];
    while (quiet < 8) {
      await pause(1);
      for (const name of NAMES)
        for (const { json } of await receivers[name].kept()) found[name].add(/marker-\d+/.exec(json)?.[0] ?? json);
      const count = NAMES.reduce((sum, name) => sum + found[name].size, 0);
      quiet = count === before ? quiet + 1 : 0;
      before = count;
    }
    return found;
  } finally {
    for (const each of [collector, ...senders]) await each.stop("SIGKILL");
    for (const receiver of Object.values(receivers)) await receiver.stop();
    sandbox.remove();
  }
}
