import { isIgnoredByMusl, type Libc, parseResolvConf, type ResolverConfig } from "../../components/dns/resolver.ts";
import { teamNamespace } from "../../components/kubernetes/labels.ts";
import type { Settings } from "../../components/settings.ts";
import { curlPodName } from "../../components/team/curl-pod-spec.ts";
import { hasCurlPod } from "../../components/team/settings.ts";
import { Failure } from "../command-line.ts";
import { type Cluster, ClusterError, type PodFacts } from "../kubernetes/cluster.ts";
import { attemptsOf } from "./walk.ts";

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
  try {
    const pod = await cluster.pod(namespace, name).catch(async (error: unknown) => {
      if (error instanceof ClusterError && error.kind === "not-found")
        throw await missing(cluster, namespace, name, up);
      throw error;
    });
    const chosen = containerOf(pod, container, up);
    return { pod, container: chosen, ...(await look(cluster, pod, chosen)) };
  } catch (error) {
    if (error instanceof ClusterError) throw new Failure(`${from}: ${error.message}`, NOT_TRIED);
    throw error;
  }
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
    (error: unknown) => !(error instanceof ClusterError && error.kind === "not-found"),
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
