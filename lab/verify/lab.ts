import { setTimeout as wait } from "node:timers/promises";
import { teamNamespace } from "../../components/kubernetes/labels.ts";
import { curlPodName } from "../../components/team/curl-pod-spec.ts";
import { type Cluster, ClusterError, type PodFacts, SESSIONS, type ServiceFacts } from "../kubernetes/cluster.ts";
import { type CoreDnsPlace, howToFindCoreDns, statedPlace } from "../kubernetes/core-dns-place.ts";
import { PodSessions } from "./sessions.ts";

/** What stops a check before it can begin, with the likely cause. */
export class UnmetPrecondition extends Error {
  readonly likelyCause: string;

  constructor(message: string, likelyCause: string) {
    super(message);
    this.name = "UnmetPrecondition";
    this.likelyCause = likelyCause;
  }
}

export interface LabOptions {
  /** The command that makes what is missing. Default: that of the stack local. */
  readonly up?: string | undefined;
  /** Where CoreDNS is. Default: where it is on EKS, and with kubeadm, kind and k3s. */
  readonly coreDns?: CoreDnsPlace | undefined;
  /** Whether the stack installs CoreDNS. Default: yes. */
  readonly installsCoreDns?: boolean | undefined;
  /** Sessions in pods at the same time. Default: {@link SESSIONS}. */
  readonly parallel?: number;
  /** Lets seconds pass before something is tried again. Default: waits. */
  readonly pause?: (seconds: number) => Promise<unknown>;
}

const waitSeconds = (seconds: number) => wait(seconds * 1000);

/** A cluster with the lab's objects on it. Pods and Services are asked for once a run. */
export class Lab {
  readonly cluster: Cluster;
  /** The command that makes what is missing, and replaces pods that have ended. */
  readonly up: string;
  readonly coreDns: CoreDnsPlace;
  readonly #installsCoreDns: boolean;
  readonly sessions: PodSessions;
  /** Lets seconds pass before something is tried again. */
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
      parallel = SESSIONS,
      pause = waitSeconds,
    }: LabOptions = {},
  ) {
    this.cluster = cluster;
    this.up = up;
    this.coreDns = coreDns;
    this.#installsCoreDns = installsCoreDns;
    this.sessions = new PodSessions(cluster, parallel);
    this.pause = pause;
  }

  /** A team's curl pod, whatever state it is in. */
  pod(team: string): Promise<PodFacts> {
    const namespace = teamNamespace(team);
    return once(this.#pods, team, () => this.cluster.pod(namespace, curlPodName(team)));
  }

  /**
   * A team's curl pod that can be worked in.
   * @throws {UnmetPrecondition} where it is missing, has ended or does not run yet.
   */
  async runningPod(team: string): Promise<PodFacts> {
    const pod = await this.pod(team).catch((error) => {
      throw error instanceof ClusterError && error.kind === "not-found" ? missingPod(team, this.up) : error;
    });
    const unmet = whyNotRunning(pod, this.up);
    if (unmet !== undefined) throw unmet;
    return pod;
  }

  service(team: string): Promise<ServiceFacts> {
    return once(this.#services, team, () => this.cluster.service(teamNamespace(team), curlPodName(team)));
  }

  /** CoreDNS's pods, without those that a rollout takes away: they may answer a moment longer. */
  dnsPods(): Promise<PodFacts[]> {
    this.#dnsPods ??= this.dnsPodsNow();
    return this.#dnsPods;
  }

  /** As {@link dnsPods}, asked for again. */
  async dnsPodsNow(): Promise<PodFacts[]> {
    const pods = await this.cluster.pods(this.coreDns.namespace, this.coreDns.selector);
    return pods.filter(({ deleting }) => !deleting);
  }

  dnsService(): Promise<ServiceFacts> {
    const { namespace, service } = this.coreDns;
    return once(this.#services, " dns", () => this.#ofCoreDns(this.cluster.service(namespace, service)));
  }

  async corefile(): Promise<string> {
    const { namespace, configMap } = this.coreDns;
    return (await this.#ofCoreDns(this.cluster.configMap(namespace, configMap))).Corefile ?? "";
  }

  /** @throws {UnmetPrecondition} where it is missing, and no update of the stack creates it. */
  #ofCoreDns<T>(asked: Promise<T>): Promise<T> {
    return asked.catch((error) => {
      if (this.#installsCoreDns || !(error instanceof ClusterError) || error.kind !== "not-found") throw error;
      throw new UnmetPrecondition(error.message, howToFindCoreDns(this.coreDns));
    });
  }
}

function once<T>(cache: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const known = cache.get(key) ?? ask();
  cache.set(key, known);
  return known;
}

function missingPod(team: string, up: string): UnmetPrecondition {
  const name = curlPodName(team);
  return new UnmetPrecondition(
    `no pod ${name} in ${teamNamespace(team)}`,
    `the pod ${name} does not exist: \`${up}\` creates it`,
  );
}

/** Why a pod cannot be worked in; undefined where it can. */
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
