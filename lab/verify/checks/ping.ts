import { CURL_CONTAINER, curlPodName } from "../../../components/team/curl-pod-spec.ts";
import type { Lab } from "../lab.ts";
import { type Check, fail, type Outcome, pass } from "../outcome.ts";
import type { Pair } from "./dns-names.ts";

/** What ping counted. */
export interface PingResult {
  readonly sent: number;
  readonly received: number;
  /** Lost packets in percent. */
  readonly loss: number;
  /** Round trip in milliseconds; undefined where nothing came back. */
  readonly roundTrip: { readonly min: number; readonly average: number; readonly max: number } | undefined;
}

const PING_COUNT = 5;

/** Five pings in about a second. Both iputils and busybox know these options. */
export function pingCommand(address: string): string[] {
  return ["ping", "-c", String(PING_COUNT), "-i", "0.2", "-W", "2", address];
}

/** Reads the summary of ping; undefined where there is none, as when it may not ping at all. */
export function parsePing(stdout: string): PingResult | undefined {
  const counts = /(\d+) packets transmitted, (\d+) (?:packets )?received/.exec(stdout);
  if (counts === null) return undefined;
  const [sent, received] = [Number(counts[1]), Number(counts[2])];
  const times = /(?:rtt|round-trip) min\/avg\/max(?:\/mdev)? = ([\d.]+)\/([\d.]+)\/([\d.]+)/.exec(stdout);
  return {
    sent,
    received,
    loss: sent === 0 ? 0 : Math.round((1 - received / sent) * 100),
    roundTrip: times === null ? undefined : { min: Number(times[1]), average: Number(times[2]), max: Number(times[3]) },
  };
}

/** Pings another team's pod by its IP. */
export function pingCheck({ from, to }: Pair): Check {
  return {
    id: `ping:${from}:${to}`,
    group: "ping",
    what: "ping by pod IP",
    from: curlPodName(from),
    to: curlPodName(to),
    run: (lab) => ping(lab, from, to),
  };
}

async function ping(lab: Lab, from: string, to: string): Promise<Outcome> {
  const [source, target] = await Promise.all([lab.runningPod(from), lab.runningPod(to)]);
  const { stdout, stderr } = await lab.cluster.exec(source, CURL_CONTAINER, pingCommand(target.ip));
  const result = parsePing(stdout);
  if (result === undefined) return cannotPing(stderr.trim() || stdout.trim());
  const { loss, roundTrip } = result;
  const facts = {
    address: target.ip,
    sent: result.sent,
    received: result.received,
    lossPercent: loss,
    ...(roundTrip === undefined ? {} : { minMs: roundTrip.min, averageMs: roundTrip.average, maxMs: roundTrip.max }),
  };
  const times = roundTrip === undefined ? "" : `, ${roundTrip.min}/${roundTrip.average}/${roundTrip.max} ms`;
  const detail = `${target.ip}: ${loss} % loss${times}`;
  if (loss === 0) return pass(detail, facts);
  if (result.received > 0) return fail(detail, "packets are lost: check the nodes and their network", facts);
  return fail(
    detail,
    "no answer: a NetworkPolicy rule with ports denies ping, the teams are not peers, or a security group drops ICMP",
    facts,
  );
}

function cannotPing(said: string): Outcome {
  const detail = said.split("\n")[0] ?? "ping printed nothing";
  if (/permission|not permitted|are you root/i.test(said))
    return fail(detail, "the pod may not ping: the sysctl net.ipv4.ping_group_range must include its group");
  return fail(detail, "ping did not run as expected in the image of container curl");
}
