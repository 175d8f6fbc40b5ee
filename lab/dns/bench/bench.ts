import { randomInt } from "node:crypto";
import { Failure } from "../../command-line.ts";
import { type Cluster, ClusterError } from "../../kubernetes/cluster.ts";
import { ms } from "../../output/table.ts";
import { ask, isName } from "../ask.ts";
import type { DnsClient } from "../pod.ts";
import { BENCH_SCRIPT, type Load, NUMBER, readSamples, type Summary, scriptArguments, summarize } from "./script.ts";

/** More than this is not asked, whatever the flags say: it is a measurement, not a load test. */
export const LIMITS = { perSecond: 200, seconds: 60 } as const;
/** One connection sends no faster, so that an answer is there before the next query leaves. */
const PER_CONNECTION = 25;
/** Slower or failing names would only measure how long their upstream takes to fail. */
const TOO_SLOW_MS = 500;
const BASELINE_SECONDS = 2;

export interface BenchOptions {
  /** Queries a second for each kind of name. */
  readonly perSecond: number;
  readonly seconds: number;
  /** A name of the cluster. Default: the API server's Service. */
  readonly internal?: string | undefined;
  /** A name outside. */
  readonly outside: string;
}

/** One kind of name, and what it came to; `skipped` says why it was not measured. */
export interface BenchRow {
  readonly kind: "internal" | "outside" | "unknown";
  /** `########` stands for a number, another each time. */
  readonly name: string;
  readonly summary: Summary | undefined;
  readonly skipped: string | undefined;
}

export interface BenchResult {
  readonly from: string;
  readonly server: string;
  readonly context: string;
  readonly perSecond: number;
  readonly seconds: number;
  readonly rows: readonly BenchRow[];
  /** The same with pipes alone: what the method itself adds to each time. */
  readonly own: Summary;
}

/** Measures one kind of name after the other. `onStep` receives the current step. */
export async function bench(
  cluster: Cluster,
  client: DnsClient,
  options: BenchOptions,
  onStep: (what: string) => void = () => {},
): Promise<BenchResult> {
  const { pod, resolver } = client;
  const zone = resolver.search.find((domain) => domain.startsWith("svc."))?.replace(/\.$/, "") ?? "svc.cluster.local";
  const names = [
    { kind: "internal", name: options.internal ?? `kubernetes.default.${zone}` },
    { kind: "outside", name: options.outside },
    { kind: "unknown", name: `${NUMBER}.${pod.namespace}.${zone}` },
  ] as const;
  for (const { kind, name } of names.slice(0, 2))
    if (!isName(name)) throw new Failure(`--${kind} is '${name}', which is no name`, 2);
  const server = resolver.nameservers[0] ?? "";
  onStep("the measurement itself");
  const own = await measure(cluster, client, "-", loadOf(names[0].name, options.perSecond, BASELINE_SECONDS));
  checkMethod(own, options.perSecond, client);
  const rows: BenchRow[] = [];
  for (const { kind, name } of names) {
    onStep(`${kind} names`);
    const skipped = await whyNot(cluster, client, name);
    const load = loadOf(name, options.perSecond, options.seconds);
    const summary = skipped === undefined ? await measure(cluster, client, server, load) : undefined;
    rows.push({ kind, name, summary, skipped });
  }
  const { perSecond, seconds } = options;
  return { from: `${pod.namespace}/${pod.name}`, server, context: cluster.context, perSecond, seconds, rows, own };
}

/** What runs on pipes alone asks no server, so it is the place to see whether this shell can be trusted with one. */
function checkMethod(own: Summary, perSecond: number, { pod, container }: DnsClient): void {
  const at = `container ${container} of ${pod.namespace}/${pod.name}`;
  if (own.answered === 0)
    throw new Failure(`the shell in ${at} has no microsecond clock: bench needs the sh of BusyBox 1.33 or later`, 2);
  if (own.perSecond > 1.5 * perSecond)
    throw new Failure(`the shell in ${at} cannot sleep for less than a second, so the rate cannot be limited`, 2);
}

/** Spreads a rate over connections that are each slow enough. */
export function loadOf(name: string, perSecond: number, seconds: number): Load {
  const connections = Math.ceil(perSecond / PER_CONNECTION);
  return { name, connections, count: Math.ceil((perSecond * seconds) / connections), gap: connections / perSecond };
}

/** Asks once before asking often. */
async function whyNot(cluster: Cluster, client: DnsClient, name: string): Promise<string | undefined> {
  const [first] = await ask(cluster, client, name.replace(NUMBER, String(firstNumber())));
  const took = first?.milliseconds === undefined ? "" : ` after ${ms(first.milliseconds)} ms`;
  if (first?.answer === undefined) return "no answer: is TCP port 53 open?";
  const { code } = first.answer;
  if (code !== "NOERROR" && code !== "NXDOMAIN")
    return `the server returned ${code}${took}: its upstream does not answer`;
  if (first.milliseconds !== undefined && first.milliseconds > TOO_SLOW_MS)
    return `the first answer came${took}: too slow to measure`;
  return undefined;
}

async function measure(cluster: Cluster, { pod, container }: DnsClient, server: string, load: Load): Promise<Summary> {
  const command = ["sh", "-c", BENCH_SCRIPT, "bench", ...scriptArguments(server, load, firstNumber())];
  const seconds = load.count * load.gap * 1.5 + 20;
  const { stdout } = await cluster.exec(pod, container, command, seconds).catch((error: unknown) => {
    if (error instanceof ClusterError) throw new Failure(`${pod.namespace}/${pod.name}: ${error.message}`, 2);
    throw error;
  });
  return summarize(readSamples(stdout));
}

/** Eight digits, with room for all queries of a run; another start each time, so that no cache knows the names. */
function firstNumber(): number {
  return randomInt(10_000_000, 99_000_000);
}
