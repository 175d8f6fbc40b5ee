import { setTimeout as wait } from "node:timers/promises";
import { CLUSTER_DOMAIN, clusterZones, ifReadable, parseCorefile } from "eks-dns-logging-corefile";
import { parseResolvConf } from "../../components/dns/resolver.ts";
import { teamNamespace } from "../../components/kubernetes/labels.ts";
import { LOGGING_NAMESPACE } from "../../components/logging/settings.ts";
import type { Settings } from "../../components/settings.ts";
import { curlPodName } from "../../components/team/curl-pod-spec.ts";
import { type Cluster, isNotFound, type PodFacts, SESSIONS, type ServiceFacts } from "../kubernetes/cluster.ts";
import { type CoreDnsPlace, howToFindCoreDns, statedPlace } from "../kubernetes/core-dns-place.ts";
import { PodSessions } from "./sessions.ts";

/** Why a check cannot start, with the likely cause. */
export class UnmetPrecondition extends Error {
  readonly likelyCause: string;

  constructor(message: string, likelyCause: string) {
    super(message);
    this.name = "UnmetPrecondition";
    this.likelyCause = likelyCause;
  }
}

export interface LabOptions {
  /** The command that creates what is missing. Default: that of the stack local. */
  readonly up?: string | undefined;
  /** Location of CoreDNS. Default: that of EKS, kubeadm, kind and k3s. */
  readonly coreDns?: CoreDnsPlace | undefined;
  /** Whether the stack installs CoreDNS. Default: yes. */
  readonly installsCoreDns?: boolean | undefined;
  /** Namespace of the collectors. Default: logging. */
  readonly loggingNamespace?: string | undefined;
  /** Number of parallel sessions in pods. Default: {@link SESSIONS}. */
  readonly parallel?: number;
  /** Waits before a retry. Default: a real timer. */
  readonly pause?: (seconds: number) => Promise<unknown>;
}

const waitSeconds = (seconds: number) => wait(seconds * 1000);

/** A cluster with the lab's objects. Pods and Services are read once per run. */
export class Lab {
  readonly cluster: Cluster;
  /** The command that creates what is missing, and replaces ended pods. */
  readonly up: string;
  readonly coreDns: CoreDnsPlace;
  /** Namespace of the collectors. */
  readonly loggingNamespace: string;
  readonly #installsCoreDns: boolean;
  readonly sessions: PodSessions;
  /** Waits before a retry. */
  readonly pause: (seconds: number) => Promise<unknown>;
  readonly #pods = new Map<string, Promise<PodFacts>>();
  readonly #services = new Map<string, Promise<ServiceFacts>>();
  #dnsPods: Promise<PodFacts[]> | undefined;

  constructor(
    cluster: Cluster,
    {
      up = "npm run lab -- up",
      coreDns = statedPlace(undefined),
      installsCoreDns = true,
      loggingNamespace = LOGGING_NAMESPACE,
      parallel = SESSIONS,
      pause = waitSeconds,
    }: LabOptions = {},
  ) {
    this.cluster = cluster;
    this.up = up;
    this.coreDns = coreDns;
    this.#installsCoreDns = installsCoreDns;
    this.loggingNamespace = loggingNamespace;
    this.sessions = new PodSessions(cluster, parallel);
    this.pause = pause;
  }

  /** A team's curl pod, in any state. */
  pod(team: string): Promise<PodFacts> {
    const namespace = teamNamespace(team);
    return once(this.#pods, team, () => this.cluster.pod(namespace, curlPodName(team)));
  }

  /**
   * A team's curl pod, ready to run commands.
   * @throws {UnmetPrecondition} if it is missing, has ended, or does not run yet.
   */
  async runningPod(team: string): Promise<PodFacts> {
    const pod = await this.pod(team).catch((error) => {
      throw isNotFound(error) ? missingPod(team, this.up) : error;
    });
    const unmet = whyNotRunning(pod, this.up);
    if (unmet !== undefined) throw unmet;
    return pod;
  }

  service(team: string): Promise<ServiceFacts> {
    return once(this.#services, team, () => this.cluster.service(teamNamespace(team), curlPodName(team)));
  }

  /** CoreDNS's pods, except those being terminated, which may answer a little longer. */
  dnsPods(): Promise<PodFacts[]> {
    this.#dnsPods ??= this.dnsPodsNow();
    return this.#dnsPods;
  }

  /** As {@link dnsPods}, without the cache. */
  async dnsPodsNow(): Promise<PodFacts[]> {
    const pods = await this.cluster.pods(this.coreDns.namespace, this.coreDns.selector);
    return pods.filter(({ deleting }) => !deleting);
  }

  /** Pods of a program that the stack runs beside the collectors. */
  loggingPods(name: string): Promise<PodFacts[]> {
    return this.cluster.pods(this.loggingNamespace, loggingSelector(name));
  }

  dnsService(): Promise<ServiceFacts> {
    const { namespace, service } = this.coreDns;
    return once(this.#services, " dns", () => this.#fromCoreDns(this.cluster.service(namespace, service)));
  }

  async corefile(): Promise<string> {
    const { namespace, configMap } = this.coreDns;
    return (await this.#fromCoreDns(this.cluster.configMap(namespace, configMap))).Corefile ?? "";
  }

  /** @throws {UnmetPrecondition} if an object of CoreDNS is missing that no update of the stack creates. */
  #fromCoreDns<T>(request: Promise<T>): Promise<T> {
    return request.catch((error) => {
      if (this.#installsCoreDns || !isNotFound(error)) throw error;
      throw new UnmetPrecondition(error.message, howToFindCoreDns(this.coreDns));
    });
  }
}

/** Label of these pods, as `key=value`. */
export function loggingSelector(name: string): string {
  return `app.kubernetes.io/name=${name}`;
}

function once<T>(cache: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const answer = cache.get(key) ?? ask();
  cache.set(key, answer);
  return answer;
}

function missingPod(team: string, up: string): UnmetPrecondition {
  const name = curlPodName(team);
  return new UnmetPrecondition(
    `no pod ${name} in ${teamNamespace(team)}`,
    `the pod ${name} does not exist: \`${up}\` creates it`,
  );
}

/** Why a pod cannot run commands; undefined if it can. */
export function whyNotRunning(pod: PodFacts, up: string): UnmetPrecondition | undefined {
  if (pod.deleting)
    return new UnmetPrecondition(`${pod.name} is being deleted`, `wait until it is deleted, then \`${up}\``);
  if (pod.phase === "Succeeded")
    return new UnmetPrecondition(
      `${pod.name} has ended (Completed)`,
      `the pod ${pod.name} completes after curlPod.lifetime seconds (default 3600): \`${up}\` replaces it`,
    );
  if (pod.phase === "Failed")
    return new UnmetPrecondition(
      `${pod.name} has failed${pod.reason === "" ? "" : ` (${pod.reason})`}`,
      `\`kubectl -n ${pod.namespace} describe pod ${pod.name}\` shows the reason; \`${up}\` replaces it`,
    );
  if (pod.phase !== "Running" || pod.ip === "")
    return new UnmetPrecondition(
      `${pod.name} is ${pod.phase}${pod.reason === "" ? "" : ` (${pod.reason})`}`,
      whyPending(pod),
    );
  return undefined;
}

function whyPending(pod: PodFacts): string {
  if (/ImagePull|ErrImage/.test(pod.reason))
    return "the node cannot pull the image: check curlPod.image, curlPod.responderImage and the node's access to the registry";
  if (/Unschedulable/.test(pod.reason)) return "no node fits or has capacity: check `kubectl describe node`";
  return `it is starting, or the node cannot run it: \`kubectl -n ${pod.namespace} describe pod ${pod.name}\``;
}

/** The cluster domain in a stack's settings; undefined if they do not state one. */
export function statedDomain({ dns }: Pick<Settings, "dns">): string | undefined {
  return dns?.corefile.options?.clusterDomain?.toLowerCase().replace(/\.$/, "");
}

/**
 * The cluster domain: what the stack states, else the kubelet's, read from the search list of a pod. The Corefile has it too, but may be
 * the faulty part. Pods are only read if it may differ from the default.
 * @see https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
 */
export async function clusterDomain(lab: Lab, teams: readonly string[], stated: string | undefined): Promise<string> {
  if (stated !== undefined) return stated;
  const corefile = await lab.corefile().catch(() => "");
  const served = (ownZones(corefile)?.zones ?? []).filter((zone) => !/(^|\.)arpa\.?$/.test(zone));
  if (served.every((zone) => zone.replace(/\.$/, "") === CLUSTER_DOMAIN)) return CLUSTER_DOMAIN;
  for (const team of teams) {
    const searched = await searchedDomain(lab, team).catch(() => undefined);
    if (searched !== undefined) return searched;
  }
  return CLUSTER_DOMAIN;
}

/** The cluster domain in the search list of a team's pod; undefined if it has none. */
async function searchedDomain(lab: Lab, team: string): Promise<string | undefined> {
  const { stdout } = await lab.sessions.run(await lab.runningPod(team), ["cat", "/etc/resolv.conf"], 5);
  const { search } = parseResolvConf(stdout);
  return search
    .find((domain) => domain.startsWith("svc."))
    ?.slice("svc.".length)
    .replace(/\.$/, "");
}

/** What a Corefile says about CoreDNS's own answers. */
export interface OwnZones {
  /** Zones of the kubernetes plugin. */
  readonly zones: readonly string[];
  /** TTL of its fresh answers, in seconds. */
  readonly ttl: number;
}

/** CoreDNS's default. @see https://coredns.io/plugins/kubernetes/ */
const DEFAULT_TTL = 5;

/** The zones of all lines of kubernetes; undefined if the text is not a Corefile, or lacks the plugin. */
export function ownZones(corefile: string): OwnZones | undefined {
  const lines = ifReadable(() => clusterZones(parseCorefile(corefile))) ?? [];
  // Separate lines for names and addresses usually have the same TTL; the line for names comes first.
  const [first] = lines;
  return first && { zones: lines.flatMap(({ zones }) => zones), ttl: first.ttl ?? DEFAULT_TTL };
}
