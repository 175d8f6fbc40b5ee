import { CURL_CONTAINER, curlPodName } from "../../../components/team/names.ts";
import { type Check, fail, type Outcome, pass } from "../check.ts";
import type { Lab } from "../lab.ts";
import { parsePing, pingCommand } from "../ping.ts";
import type { Pair } from "./names.ts";

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
  if (result.received > 0)
    return fail(detail, "packets are lost on the way: look at the nodes and their network", facts);
  return fail(
    detail,
    "no answer: a NetworkPolicy whose rule has ports drops ping, a team is not the other's peer, or a security group between the nodes drops ICMP",
    facts,
  );
}

function cannotPing(said: string): Outcome {
  const detail = said.split("\n")[0] ?? "ping said nothing";
  if (/permission|not permitted|are you root/i.test(said))
    return fail(detail, "the pod may not ping: its sysctl net.ipv4.ping_group_range must include the pod's group");
  return fail(detail, "ping did not run as expected in the image of container curl");
}
