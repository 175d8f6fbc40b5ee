import { isIP } from "node:net";
import type { Libc, Saving } from "../../components/dns/resolver.ts";
import { Failure } from "../command-line.ts";
import { type Cluster, ClusterError } from "../kubernetes/cluster.ts";
import { type CoreDnsPlace, statedPlace } from "../kubernetes/core-dns-place.ts";
import { columns } from "../output/table.ts";
import { ms, plural } from "../output/text.ts";
import { type OwnZones, ownZones } from "../verify/cluster-domain.ts";
import type { DnsClient } from "./dns-client.ts";
import {
  type Asked,
  answeredBy,
  ask,
  type CurlLookup,
  curlLookup,
  isName,
  outcomeOf,
  type QueryType,
} from "./queries.ts";
import { cheaper, hostsAddresses, messagesFor, type Pair, succeeds, walk } from "./walk.ts";

/** A query as a row of the table. */
export interface QueryRow {
  readonly name: string;
  readonly type: QueryType;
  /** `NOERROR`, `NODATA` (the name exists, but has no such address), `NXDOMAIN`, …, or `no answer`. */
  readonly code: string;
  readonly addresses: readonly string[];
  /** Seconds that the answer may be cached. */
  readonly ttl: number | undefined;
  readonly milliseconds: number | undefined;
  readonly answeredBy: string;
}

export interface Explanation {
  readonly name: string;
  /** As `namespace/pod`. */
  readonly from: string;
  readonly libc: Libc;
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly ndots: number;
  readonly rows: readonly QueryRow[];
  /** Addresses from the pod's /etc/hosts, or the name itself if it is an address; then no query is sent. */
  readonly withoutAsking: readonly string[];
  /** Messages that the resolver sends, including retries when a server fails. */
  readonly queries: number;
  /** Sum over all names of the slower of A and AAAA, which are queried in parallel. */
  readonly milliseconds: number;
  readonly found: boolean;
  /** Result of the pod's curl; undefined without curl. */
  readonly curl: CurlLookup | undefined;
  readonly cheaper: readonly Saving[];
  readonly notes: readonly string[];
}

export interface ExplainOptions {
  /** Overrides ndots of the pod's resolv.conf. */
  readonly ndots?: number | undefined;
  /** Overrides the search list of the pod's resolv.conf. */
  readonly search?: readonly string[] | undefined;
  /** The ConfigMap that shows which plugin answers. Default: kube-system/coredns. */
  readonly coreDns?: Pick<CoreDnsPlace, "namespace" | "configMap">;
}

/** Looks a name up as the pod's resolver does, one candidate of the search list after the other. */
export async function explain(
  cluster: Cluster,
  client: DnsClient,
  name: string,
  options: ExplainOptions = {},
): Promise<Explanation> {
  const { libc, resolver, pod, hosts } = client;
  const config = { ...resolver, ndots: options.ndots ?? resolver.ndots, search: options.search ?? resolver.search };
  const base = { name, from: `${pod.namespace}/${pod.name}`, libc, ...shown(config) };
  const withoutAsking = isIP(name) > 0 ? [name] : hostsAddresses(hosts, name);
  if (withoutAsking.length === 0 && !isName(name))
    throw new Failure(
      `'${name}' is not a valid name: use labels of letters, digits, '-' and '_' separated by dots, such as curl-sa.sa-team`,
      2,
    );
  const { coreDns = statedPlace(undefined) } = options;
  const zones = withoutAsking.length > 0 ? undefined : await corefileZones(cluster, coreDns);
  const asked = withoutAsking.length > 0 ? [] : await askAll(cluster, client, name, config);
  const last = asked.at(-1);
  const found = withoutAsking.length > 0 || (last !== undefined && succeeds(pairOf(last), libc));
  const reached = last?.[0]?.name ?? name;
  const simulated = config.ndots !== resolver.ndots || config.search !== resolver.search;
  const limits = { attempts: resolver.attempts, servers: resolver.nameservers.length };
  return {
    ...base,
    rows: asked.flat().map((query) => rowOf(query, zones)),
    withoutAsking,
    queries: asked.reduce((sum, pair) => sum + messagesFor(pairOf(pair), libc, limits), 0),
    milliseconds: asked.reduce((sum, pair) => sum + Math.max(...pair.map((query) => query.milliseconds ?? 0)), 0),
    found,
    curl: client.hasCurl && !simulated ? await curlLookup(cluster, client, name) : undefined,
    cheaper: found && withoutAsking.length === 0 ? cheaper(name, reached, config, libc) : [],
    notes: [
      ...notesOn(client, asked, simulated),
      ...(zones === undefined && asked.length > 0
        ? [`the ConfigMap ${coreDns.namespace}/${coreDns.configMap} does not show which plugin answers which zone`]
        : []),
    ],
  };
}

function shown(config: Pick<Explanation, "nameservers" | "search" | "ndots">) {
  return { nameservers: config.nameservers, search: config.search, ndots: config.ndots };
}

async function askAll(
  cluster: Cluster,
  client: DnsClient,
  name: string,
  config: Pick<Explanation, "search" | "ndots">,
): Promise<Asked[][]> {
  const steps = walk(name, config, client.libc);
  const asked: Asked[][] = [];
  for (let step = steps.next(); !step.done; ) {
    const pair = await ask(cluster, client, step.value).catch((error: unknown) => {
      if (error instanceof ClusterError)
        throw new Failure(`${client.pod.namespace}/${client.pod.name}: ${error.message}`, 2);
      throw error;
    });
    asked.push(pair);
    step = steps.next(pairOf(pair));
  }
  return asked;
}

function pairOf(asked: readonly Asked[]): Pair {
  const outcomeFor = (type: QueryType) => outcomeOf(asked.find((query) => query.type === type)?.answer);
  return { A: outcomeFor("A"), AAAA: outcomeFor("AAAA") };
}

/**
 * Zones of the Corefile; undefined if the ConfigMap cannot be read or another DNS server is used, which only makes the explanation shorter.
 */
async function corefileZones(
  cluster: Cluster,
  { namespace, configMap }: Pick<CoreDnsPlace, "namespace" | "configMap">,
): Promise<OwnZones | undefined> {
  const data = await cluster.configMap(namespace, configMap).catch(() => undefined);
  return data?.Corefile === undefined ? undefined : ownZones(data.Corefile);
}

function rowOf({ name, type, answer, milliseconds }: Asked, zones: OwnZones | undefined): QueryRow {
  return {
    name,
    type,
    code: codeOf(answer),
    addresses: answer?.addresses ?? [],
    ttl: answer?.ttl,
    milliseconds,
    answeredBy: answeredBy(name, answer, zones),
  };
}

function codeOf(answer: Asked["answer"]): string {
  if (answer === undefined) return "no answer";
  return answer.code === "NOERROR" && answer.addresses.length === 0 ? "NODATA" : answer.code;
}

function notesOn(client: DnsClient, asked: readonly Asked[][], simulated: boolean): string[] {
  const { libc, libcSeen, resolver, curlResolver, searchIgnored, pod } = client;
  const outcomes = asked.flat().map(({ answer }) => outcomeOf(answer));
  const failing = outcomes.includes("failed");
  return [
    ...(simulated ? [`the pod has ndots ${resolver.ndots}: the names follow --ndots, the answers are real`] : []),
    ...(libcSeen ? [] : ["no C library found in the image: glibc's order is assumed"]),
    ...(usesNodeResolver(pod) ? [nodeResolverNote(pod)] : []),
    ...(searchIgnored
      ? [
          "musl ignores the search list, whose line in resolv.conf has more than 254 bytes: use full names, or a shorter list",
        ]
      : []),
    ...(curlResolver === undefined ? [] : [`curl resolves names with ${curlResolver}, other programs with ${libc}`]),
    ...(outcomes.length > 0 && outcomes.every((outcome) => outcome === "silent")
      ? [`${resolver.nameservers[0]} did not answer over TCP: is port 53 open for TCP as well as UDP?`]
      : []),
    ...(failing ? [`${libc} retries a failing server: these queries are counted but not shown`] : []),
  ];
}

/**
 * Whether the kubelet gives a pod the node's resolv.conf: with `Default`, and with `ClusterFirst` on the node's network.
 * @see https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-dns-policy
 */
function usesNodeResolver({ hostNetwork, dnsPolicy }: DnsClient["pod"]): boolean {
  return dnsPolicy === "Default" || (hostNetwork && dnsPolicy === "ClusterFirst");
}

function nodeResolverNote({ hostNetwork, dnsPolicy }: DnsClient["pod"]): string {
  const wanted = hostNetwork ? "ClusterFirstWithHostNet" : "ClusterFirst";
  const why = hostNetwork ? "hostNetwork and dnsPolicy" : "dnsPolicy";
  return `the pod has the node's resolver (${why} ${dnsPolicy}), which does not know the cluster's names: set dnsPolicy ${wanted}`;
}

/** The explanation for a terminal: one row per query, the result, and cheaper ways to the same name. */
export function formatExplanation(explanation: Explanation): string {
  const { name, from, libc, ndots, nameservers, search, rows } = explanation;
  const lines = [
    `${name} from ${from}: ${libc}, ndots ${ndots}, server ${nameservers.join(", ")}`,
    `search ${search.join(" ")}`,
    "",
    ...body(explanation),
  ];
  if (rows.length > 0) lines.push("", totals(explanation));
  lines.push(...savingLines(explanation), ...explanation.notes.map((note) => `note: ${note}`));
  return `${lines.join("\n")}\n`;
}

function body({ name, rows, withoutAsking }: Explanation): string[] {
  if (withoutAsking.length > 0) {
    const where = withoutAsking.includes(name) ? "it is an address" : "it is in the pod's /etc/hosts";
    return [`no query: ${where}, as ${withoutAsking.join(", ")}`];
  }
  const cells = rows.map((row, index) => [
    String(index + 1),
    row.name,
    row.type,
    row.code,
    row.addresses.join(" ") || "-",
    row.ttl === undefined ? "-" : String(row.ttl),
    ms(row.milliseconds),
    row.answeredBy,
  ]);
  return columns(["#", "name tried", "type", "answer", "address", "ttl", "ms", "answered by"], cells, [0, 5, 6]);
}

function totals({ rows, queries, milliseconds, found, curl }: Explanation): string {
  const asked = rows.length / 2;
  const retried = queries > rows.length ? ` (${queries - rows.length} retried)` : "";
  const result = found ? "found" : "not found";
  const byCurl = curl === undefined ? "" : `; curl's own lookup took ${ms(curl.milliseconds)} ms`;
  return `${result} after ${plural(queries, "query")}${retried} for ${plural(asked, "name")}, ${ms(milliseconds)} ms in a row${byCurl}`;
}

function savingLines({ cheaper, rows, found }: Explanation): string[] {
  if (rows.length === 0 || !found) return [];
  if (cheaper.length === 0) return ["no form needs fewer queries"];
  return cheaper.map(({ change, queries }) => `cheaper: ${change}: ${plural(queries, "query")}`);
}
