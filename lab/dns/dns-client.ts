import {
  candidateNames,
  isIgnoredByMusl,
  type Libc,
  parseResolvConf,
  queriesOf,
  type ResolverConfig,
  type Saving,
  savings,
} from "../../components/dns/resolver.ts";
import { teamNamespace } from "../../components/kubernetes/labels.ts";
import type { Settings } from "../../components/settings.ts";
import { curlPodName } from "../../components/team/curl-pod-spec.ts";
import { hasCurlPod } from "../../components/team/settings.ts";
import { Failure } from "../command-line.ts";
import { type Cluster, failAt, ifExists, isNotFound, type PodFacts } from "../kubernetes/cluster.ts";

/** A pod that sends queries, and the configuration of its resolver. */
export interface DnsClient {
  readonly pod: PodFacts;
  readonly container: string;
  readonly resolver: ResolverConfig & { readonly attempts: number };
  readonly libc: Libc;
  /** False if no C library was found in the image, so glibc is assumed. */
  readonly libcSeen: boolean;
  /** Whether the C library ignores the search list, because its line is too long for musl. */
  readonly searchIgnored: boolean;
  /** Text of `/etc/hosts`. */
  readonly hosts: string;
  readonly hasCurl: boolean;
  /** curl's built-in resolver, which bypasses the C library; such as `c-ares/1.34.5`. */
  readonly curlResolver: string | undefined;
}

/** Exit code if nothing could be queried. */
const NOT_TRIED = 2;
/** Container of the lab's pods that people work in. */
const USUAL_CONTAINER = "curl";
/** Advice if the stack has no such pod. */
const OTHER_POD = "choose a running pod with --from NAMESPACE/POD";

/** `namespace/pod`. @throws {Failure} for anything else. */
export function parseFrom(text: string): { readonly namespace: string; readonly name: string } {
  const [namespace = "", name = "", ...more] = text.split("/");
  if (namespace !== "" && name !== "" && more.length === 0) return { namespace, name };
  throw new Failure(`--from must be NAMESPACE/POD, such as ts-team/curl-ts (found '${text}')`, NOT_TRIED);
}

/** Whether a pod, as `namespace/pod`, is a curl pod of the stack; deploying the stack creates no other. */
export function isCurlPod(from: string, { curlPods, teams }: Pick<Settings, "curlPods" | "teams">): boolean {
  return (
    curlPods && teams.filter(hasCurlPod).some(({ name }) => from === `${teamNamespace(name)}/${curlPodName(name)}`)
  );
}

interface DnsClientOptions {
  /** Container that sends the queries. Default `curl`, else the first one. */
  readonly container?: string | undefined;
  /** Command that creates the pod. Default: none, because the pod is not one of the stack's curl pods. */
  readonly up?: string | undefined;
}

/**
 * Finds the pod and reads its resolver's configuration.
 * @throws {Failure} in one line if the pod, the namespace, a permission or a program in the image is missing.
 */
export async function dnsClientAt(
  cluster: Cluster,
  from: string,
  { container, up }: DnsClientOptions = {},
): Promise<DnsClient> {
  const { namespace, name } = parseFrom(from);
  const find = async () => {
    const pod = await ifExists(cluster.pod(namespace, name));
    if (pod === undefined) throw await missing(cluster, namespace, name, up);
    const chosen = containerOf(pod, container, up);
    return { pod, container: chosen, ...(await look(cluster, pod, chosen)) };
  };
  return find().catch(failAt(from));
}

/** Tells a missing pod from a missing namespace: the API server says "pod not found" for both. */
async function missing(cluster: Cluster, namespace: string, name: string, up: string | undefined): Promise<Failure> {
  const pods = await cluster.pods(namespace, "").catch(() => []);
  if (pods.length > 0) {
    const running = pods.map((pod) => pod.name).sort();
    const more = running.length > 5 ? ` and ${running.length - 5} more` : "";
    const shown = `${running.slice(0, 5).join(", ")}${more}`;
    return new Failure(`no pod '${name}' in namespace ${namespace}; found: ${shown}`, NOT_TRIED);
  }
  // Kubernetes keeps this ConfigMap in every namespace.
  const empty = await cluster.configMap(namespace, "kube-root-ca.crt").then(
    () => true,
    (error: unknown) => !isNotFound(error),
  );
  const what = empty ? `no pod '${name}' in namespace ${namespace}` : `no namespace '${namespace}'`;
  const advice = up === undefined ? OTHER_POD : `deploy the lab with ${up}`;
  return new Failure(`${what} in context ${cluster.context}: ${advice}`, NOT_TRIED);
}

function containerOf(pod: PodFacts, wanted: string | undefined, up: string | undefined): string {
  const place = `pod ${pod.namespace}/${pod.name}`;
  if (pod.phase === "Succeeded" && up !== undefined)
    throw new Failure(`${place} has expired, as curl pods do after an hour: replace it with ${up}`, NOT_TRIED);
  if (pod.phase !== "Running")
    throw new Failure(
      `${place} is ${pod.phase}${pod.reason === "" ? "" : ` (${pod.reason})`}, not Running${up === undefined ? `: ${OTHER_POD}` : ""}`,
      NOT_TRIED,
    );
  const usual = pod.containers.includes(USUAL_CONTAINER) ? USUAL_CONTAINER : pod.containers[0];
  const chosen = wanted ?? usual ?? "";
  if (pod.containers.includes(chosen)) return chosen;
  throw new Failure(`${place} has no container '${chosen}'; found: ${pod.containers.join(", ")}`, NOT_TRIED);
}

const MARK = "--- lab dns ---";
const TOOLS = ["nc", "base64"] as const;

/** Reads everything in one exec, whose start costs more than all the reading. */
const LOOK = [
  "cat /etc/resolv.conf",
  "cat /etc/hosts",
  "ls -d /lib/ld-musl-* 2>/dev/null",
  "ls -d /lib/ld-linux* /lib64/ld-linux* 2>/dev/null",
  `for tool in ${TOOLS.join(" ")}; do command -v $tool >/dev/null || echo $tool; done`,
  "command -v curl >/dev/null && curl -q --version",
].join(`; echo; echo '${MARK}'; `);

async function look(cluster: Cluster, pod: PodFacts, container: string): Promise<Omit<DnsClient, "pod" | "container">> {
  const place = `container ${container} of ${pod.namespace}/${pod.name}`;
  const result = await cluster.exec(pod, container, ["sh", "-c", LOOK]).catch((error: unknown) => {
    const text = error instanceof Error ? error.message : "";
    if (/"sh": executable file not found|no such file or directory/.test(text))
      throw new Failure(
        `${place} has no sh, which the queries need: choose another container with --container`,
        NOT_TRIED,
      );
    throw error;
  });
  const [resolvConf = "", hosts = "", musl = "", glibc = "", lacking = "", curl = ""] = result.stdout
    .split(MARK)
    .map((part) => part.trim());
  if (lacking !== "")
    throw new Failure(`${place} has no ${lacking.split(/\s+/).join(" and no ")}, which the queries need`, NOT_TRIED);
  const libc = musl === "" ? "glibc" : "musl";
  const resolver = parseResolvConf(resolvConf, libc);
  if (resolver.nameservers.length === 0)
    throw new Failure(`${place} has no name server in its /etc/resolv.conf`, NOT_TRIED);
  return {
    resolver: { ...resolver, attempts: attemptsOf(resolvConf) },
    searchIgnored:
      libc === "musl" &&
      resolvConf.split("\n").some((line) => /^\s*(search|domain)\b/.test(line) && isIgnoredByMusl(line)),
    hosts,
    libc,
    libcSeen: musl !== "" || glibc !== "",
    hasCurl: curl !== "",
    curlResolver: /\bc-ares\/\S+/.exec(curl)?.[0],
  };
}

/**
 * Result of a query. `no address`: the name exists, but has no address of that type. `failed` is SERVFAIL, `refused` any other error code,
 * `silent` no answer.
 */
export type Outcome = "address" | "no address" | "no name" | "failed" | "refused" | "silent";

/** Results of the two queries for a name, which a resolver sends in parallel. */
export interface Pair {
  readonly A: Outcome;
  readonly AAAA: Outcome;
}

/** How often a resolver retries without an answer. */
export interface RetryLimits {
  /** `options attempts` of resolv.conf; both C libraries default to 2. */
  readonly attempts: number;
  /** Number of name servers in resolv.conf. */
  readonly servers: number;
}

const DEFAULT_ATTEMPTS = 2;

/**
 * Yields the names that a resolver queries, in order. The caller sends back the result of each; the walk ends when the resolver succeeds or
 * gives up.
 *
 * glibc continues after every answer without an address. If no server answers, it stops, unless the name itself was tried before the
 * search list. musl continues only after NXDOMAIN: a name without an address, or a failing server, ends its walk.
 * @see https://sourceware.org/git/?p=glibc.git;a=blob;f=resolv/res_query.c
 * @see https://git.musl-libc.org/cgit/musl/tree/src/network/lookup_name.c
 */
export function* walk(
  name: string,
  config: Pick<ResolverConfig, "search" | "ndots">,
  libc: Libc,
): Generator<string, void, Pair> {
  const names = candidateNames(name, config, libc);
  for (const [index, candidate] of names.entries()) {
    const pair = yield candidate;
    const ownNameFirst = index === 0 && candidate === `${name}.`;
    if (libc === "musl" ? endsMusl(pair) : endsGlibc(pair) && !(ownNameFirst && !has(pair, "address"))) return;
  }
}

function endsGlibc({ A, AAAA }: Pair): boolean {
  const dead = (outcome: Outcome) => outcome === "silent" || outcome === "refused";
  return A === "address" || AAAA === "address" || (dead(A) && dead(AAAA));
}

/** The A answer is checked first. */
function endsMusl({ A, AAAA }: Pair): boolean {
  for (const outcome of [A, AAAA]) {
    if (outcome === "no name") return false;
    if (outcome === "failed" || outcome === "refused" || outcome === "silent") return true;
  }
  return true;
}

/** Whether the program gets an address. In musl, one failing answer of the two spoils the other. */
export function succeeds({ A, AAAA }: Pair, libc: Libc): boolean {
  const found = A === "address" || AAAA === "address";
  const spoilt = [A, AAAA].some((outcome) => !["address", "no address"].includes(outcome));
  return found && (libc === "glibc" || !spoilt);
}

function has({ A, AAAA }: Pair, outcome: Outcome): boolean {
  return A === outcome || AAAA === outcome;
}

/**
 * Messages that a resolver sends for one name: two, and more if a server fails or is silent. glibc queries the servers in turn, `attempts`
 * times. musl queries all at once, retries SERVFAIL up to four times per attempt, and waits for its timeout.
 * @see https://git.musl-libc.org/cgit/musl/tree/src/network/res_msend.c
 */
export function messagesFor(pair: Pair, libc: Libc, { attempts, servers }: RetryLimits): number {
  const outcomes = [pair.A, pair.AAAA];
  const bad = outcomes.filter((outcome) => ["failed", "refused", "silent"].includes(outcome));
  if (libc === "glibc") return bad.length === outcomes.length ? outcomes.length * attempts * servers : outcomes.length;
  const again = bad.includes("failed") ? SERVFAIL_RETRIES : 0;
  return (outcomes.length - bad.length) * servers + attempts * (bad.length * servers + (bad.length > 0 ? again : 0));
}

const SERVFAIL_RETRIES = 4;

/** `options attempts:N` of a resolv.conf, at most 5 as in glibc. */
export function attemptsOf(resolvConf: string): number {
  const stated = [...resolvConf.matchAll(/^\s*options\b[^\n#;]*?\battempts:(\d+)/gm)].at(-1)?.[1];
  return stated === undefined ? DEFAULT_ATTEMPTS : Math.min(5, Math.max(1, Number(stated)));
}

/** Addresses of a name in `/etc/hosts`, which need no query. */
export function hostsAddresses(hosts: string, name: string): string[] {
  return hosts.split("\n").flatMap((line) => {
    const [address, ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    const listed = names.some((alias) => alias.toLowerCase() === name.toLowerCase());
    return listed && address !== undefined ? [address] : [];
  });
}

/**
 * Ways to reach the same name with fewer queries, fewest first: its full name with a trailing dot, a lower ndots, or a shorter form that
 * the search list completes. Assumes that the names tried before this one do not exist.
 */
export function cheaper(
  name: string,
  reached: string,
  config: Pick<ResolverConfig, "search" | "ndots">,
  libc: Libc,
): Saving[] {
  const exists = (candidate: string) => candidate === reached;
  const cost = (form: string) => queriesOf(form, config, exists, libc);
  const now = cost(name).length;
  const forms = config.search
    .filter((domain) => domain !== "." && reached.endsWith(`.${domain}.`))
    .map((domain) => reached.slice(0, -domain.length - 2))
    .filter((form) => form !== name)
    .map((form) => ({ form, queries: cost(form) }))
    .filter(({ queries }) => queries.at(-1)?.name === reached && queries.length < now)
    .map(({ form, queries }) => ({ change: `the form ${form}`, queries: queries.length }));
  return [...savings(name, config, exists, libc), ...forms].sort((a, b) => a.queries - b.queries);
}
