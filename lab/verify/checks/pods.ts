import { teamNamespace } from "../../../components/kubernetes/labels.ts";
import { LOGGING_NAMESPACE } from "../../../components/logging/settings.ts";
import { curlPodName, RESPONDER_PORT } from "../../../components/team/curl-pod-spec.ts";
import type { PodFacts } from "../../kubernetes/cluster.ts";
import { plural } from "../../output/text.ts";
import type { Lab } from "../lab.ts";
import { type Check, fail, type Outcome, pass, skip, warn } from "../result.ts";
import type { Pair } from "./team-access.ts";

/** The team's pod is running and ready, and has an address on a node. */
export function podCheck(team: string): Check {
  return {
    id: `pods:${team}`,
    group: "pods",
    what: "pod runs and is ready",
    from: curlPodName(team),
    to: "",
    run: (lab) => pod(lab, team),
  };
}

async function pod(lab: Lab, team: string): Promise<Outcome> {
  const curlPod = await lab.runningPod(team);
  const { phase, ip, node, ready } = curlPod;
  const detail = `${phase}, ${ip} on ${node}`;
  const facts = { phase, ip, node, ready, containers: curlPod.containers };
  if (ready) return pass(detail, facts);
  const command = `kubectl -n ${curlPod.namespace} describe pod ${curlPod.name}`;
  return fail(
    `${detail}, not ready`,
    `a container is not ready${curlPod.reason && ` (${curlPod.reason})`}: \`${command}\``,
    facts,
  );
}

/** The DaemonSet's pods run on every scheduled node, for stacks in which no pod writes a line to look for. */
export function collectorPodsCheck(collector: string, namespace = LOGGING_NAMESPACE): Check {
  return {
    id: "collector",
    group: "collector",
    what: "every collector pod is ready",
    from: collector,
    to: namespace,
    run: (lab) => collectorPods(lab, collector),
  };
}

async function collectorPods(lab: Lab, collector: string): Promise<Outcome> {
  const pods = await lab.loggingPods(collector);
  const ready = pods.filter((found) => found.ready).length;
  const detail = `${ready} of ${pods.length} pods ready`;
  const facts = { pods: pods.map(({ name, node }) => `${name} on ${node}`), ready };
  const unready = pods.find((found) => !found.ready);
  if (pods.length === 0)
    return fail(`no pod of ${collector} in ${lab.loggingNamespace}`, `\`${lab.up}\` creates the DaemonSet`, facts);
  if (unready === undefined) return pass(detail, facts);
  const { name, namespace, reason } = unready;
  return fail(
    detail,
    `${name} is not ready${reason && ` (${reason})`}: \`kubectl -n ${namespace} describe pod ${name}\``,
    facts,
  );
}

/** The team's Service selects the team's pod. */
export function serviceCheck(team: string): Check {
  return {
    id: `service:${team}`,
    group: "service",
    what: "Service routes to the pod",
    from: curlPodName(team),
    to: `${curlPodName(team)}.${teamNamespace(team)}`,
    run: (lab) => service(lab, team),
  };
}

async function service(lab: Lab, team: string): Promise<Outcome> {
  const name = curlPodName(team);
  const namespace = teamNamespace(team);
  const [{ clusterIP, ports }, endpoints] = await Promise.all([
    lab.service(team),
    lab.cluster.endpoints(namespace, name),
  ]);
  const detail = `${clusterIP}:${ports.join(",")} → ${endpoints.length === 0 ? "no endpoint" : endpoints.join(", ")}`;
  const facts = { clusterIP, ports: ports.map(String), endpoints };
  if (!ports.includes(RESPONDER_PORT))
    return fail(
      detail,
      `the Service has no port ${RESPONDER_PORT}: it was changed by hand; run \`pulumi up --refresh\``,
      facts,
    );
  const { ip } = await lab.runningPod(team);
  if (endpoints.includes(ip)) return pass(detail, facts);
  const why = endpoints.length === 0 ? "the pod is not ready or lacks the label" : "another pod carries the label";
  return fail(
    detail,
    `the Service selects app=${name}, and ${why}: \`kubectl -n ${namespace} get pods --show-labels\``,
    facts,
  );
}

/** The statistics of ping. */
export interface PingResult {
  readonly sent: number;
  readonly received: number;
  /** Lost packets, in percent. */
  readonly loss: number;
  /** Round trip in milliseconds; undefined without answers. */
  readonly roundTrip: { readonly min: number; readonly average: number; readonly max: number } | undefined;
}

const PING_COUNT = 5;

/** Timeout of five pings, each of which may wait for its answer. */
const PING_SECONDS = 13;

/** Sends five pings in about a second, with options that iputils and busybox share. */
export function pingCommand(address: string): string[] {
  return ["ping", "-c", String(PING_COUNT), "-i", "0.2", "-W", "2", address];
}

/** Parses ping's summary; undefined if there is none, such as without permission to ping. */
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
  const { stdout, stderr } = await lab.sessions.run(source, pingCommand(target.ip), PING_SECONDS);
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
  const detail = said.split("\n")[0] || "ping printed nothing";
  if (/permission|not permitted|are you root/i.test(said))
    return fail(detail, "the pod may not ping: the sysctl net.ipv4.ping_group_range must include its group");
  return fail(detail, "ping did not run as expected in the image of container curl");
}

/** Older restarts are ignored. */
const RECENT_SECONDS = 600;
const OUT_OF_MEMORY = "OOMKilled";

/** Pods whose containers should not restart. */
export interface Steady {
  /** Name in the check's id, such as `coredns`. */
  readonly name: string;
  readonly namespace: string;
  /** Label of its pods, as `key=value`. */
  readonly selector: string;
  /** How to raise its memory limit. */
  readonly moreMemory: string;
}

/** No container was killed for its memory or restarted recently: one that works between two restarts passes all other rows. */
export function restartsCheck(steady: Steady): Check {
  return {
    id: `restarts:${steady.name}`,
    group: "restarts",
    what: "no container was restarted",
    from: steady.name,
    to: "",
    run: (lab) => restarts(lab, steady),
  };
}

async function restarts(lab: Lab, { name, namespace, selector, moreMemory }: Steady): Promise<Outcome> {
  const pods = await lab.cluster.pods(namespace, selector);
  if (pods.length === 0) return skip(`no pod of ${name} in ${namespace}`);
  const total = pods.reduce((sum, pod) => sum + pod.restarts, 0);
  const facts = { pods: pods.length, restarts: total };
  const [last] = pods.flatMap(endOf).toSorted((one, other) => one.seconds - other.seconds);
  if (last === undefined) return pass(`${plural(pods.length, "pod")}, not restarted`, facts);
  const { pod, seconds, reason, exitCode } = last;
  const detail = `${pod.name} restarted ${times(pod.restarts)}, last ${ago(seconds)} (${reason || "no reason"}, exit code ${exitCode})`;
  const endFacts = { ...facts, reason, exitCode, secondsAgo: seconds };
  if (seconds > RECENT_SECONDS) return pass(detail, endFacts);
  if (reason === OUT_OF_MEMORY)
    return fail(detail, `it needs more memory than its limit, and was killed: raise ${moreMemory}`, endFacts);
  const previous = `\`kubectl -n ${namespace} logs ${pod.name} --previous\``;
  if (!pod.ready) return fail(detail, `it ends soon after it starts: ${previous} shows its last lines`, endFacts);
  return warn(detail, `it runs again: ${previous} shows why it ended`, endFacts);
}

function endOf(pod: PodFacts) {
  if (pod.ended === undefined) return [];
  const seconds = Math.max(0, Math.round((Date.now() - pod.ended.at.getTime()) / 1000));
  return [{ pod, seconds, ...pod.ended }];
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

function ago(seconds: number): string {
  return seconds < 120 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`;
}
