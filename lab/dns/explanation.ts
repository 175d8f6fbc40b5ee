import { isIP } from "node:net";
import type { Libc, Saving } from "../../components/dns/resolver.ts";
import { Failure } from "../command-line.ts";
import { type Cluster, failAt } from "../kubernetes/cluster.ts";
import { type CoreDnsPlace, statedPlace } from "../kubernetes/core-dns-place.ts";
import { columns, ms, plural } from "../output/text.ts";
import { type OwnZones, ownZones } from "../verify/lab.ts";
import { cheaper, type DnsClient, hostsAddresses, messagesFor, type Pair, succeeds, walk } from "./dns-client.ts";
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
    const pair = await ask(cluster, client, step.value).catch(failAt(`${client.pod.namespace}/${client.pod.name}`));
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

/** Values of ndots to compare: the Kubernetes default, the lab's, and one that is too low. */
export const COMPARED_NDOTS = [5, 3, 2] as const;

/** A form of a Service's name, and its cost. */
export interface FormCost {
  readonly form: string;
  /** Where the form is used; the short form only works in the Service's own namespace. */
  readonly asked: string;
  readonly ndots: number;
  readonly queries: number;
  /** Retries among the queries, after a server failed. */
  readonly again: number;
  readonly milliseconds: number;
  readonly found: boolean;
}

/** `service.namespace`. @throws {Failure} for anything else. */
export function parseService(text: string): { readonly service: string; readonly namespace: string } {
  const [service = "", namespace = "", ...more] = text.split(".");
  if (service !== "" && namespace !== "" && more.length === 0) return { service, namespace };
  throw new Failure(`'${text}' must be SERVICE.NAMESPACE, such as curl-sa.sa-team`, 2);
}

/**
 * Queries each form of a Service's name, with each ndots, from one pod.
 * @param runs Rounds; the number of queries is the highest of all rounds, the time their median.
 */
export async function nameForms(cluster: Cluster, client: DnsClient, text: string, runs = 1): Promise<FormCost[]> {
  const { service, namespace } = parseService(text);
  const { search } = client.resolver;
  const zone = search.find((domain) => domain.startsWith("svc."));
  if (zone === undefined)
    throw new Failure(
      `the pod's search list has no svc.<cluster domain>, so names of Services have no short forms: ${search.join(" ")}`,
      2,
    );
  const searchIn = (asking: string) =>
    search.map((domain, index) => (index === 0 && domain.endsWith(`.${zone}`) ? `${asking}.${zone}` : domain));
  const { namespace: here } = client.pod;
  const whole = `${service}.${namespace}.${zone}.`;
  const forms = [
    { form: service, asked: namespace },
    { form: `${service}.${namespace}`, asked: here },
    { form: `${service}.${namespace}.svc`, asked: here },
    { form: `${service}.${namespace}.${zone}`, asked: here },
    { form: whole, asked: here },
  ];
  const asking = { ...client, hosts: "", hasCurl: false };
  // A form that does not exist is also queried upstream, where each query may time out.
  if (!(await explain(cluster, asking, whole, { ndots: 1, search })).found)
    throw new Failure(
      `'${text}' must be a Service with an address, and ${whole} has none: \`npm run lab -- dns explain ${whole}\` shows why`,
      2,
    );
  const costs: FormCost[] = [];
  // Sequential, because parallel queries would disturb each other's times.
  for (const { form, asked } of forms) {
    for (const ndots of COMPARED_NDOTS) {
      const options = { ndots, search: searchIn(asked) };
      const rounds: Explanation[] = [];
      for (let run = 0; run < runs; run += 1) rounds.push(await explain(cluster, asking, form, options));
      costs.push({ form, asked, ndots, ...costOf(rounds) });
    }
  }
  return costs;
}

function costOf(rounds: readonly Explanation[]) {
  const times = rounds.map(({ milliseconds }) => milliseconds).sort((one, other) => one - other);
  const queries = Math.max(...rounds.map((round) => round.queries));
  return {
    queries,
    again: Math.max(...rounds.map((round) => round.queries - round.rows.length)),
    milliseconds: times[Math.floor(times.length / 2)] ?? 0,
    found: rounds.every(({ found }) => found),
  };
}

/** The table as Markdown, for docs/explanation/name-cost.md. */
export function formatForms(costs: readonly FormCost[]): string {
  const forms = [...new Set(costs.map(({ form }) => form))];
  const lines = forms.map((form) => {
    const ofForm = costs.filter((cost) => cost.form === form);
    const cells = COMPARED_NDOTS.map((ndots) => cellOf(ofForm.find((cost) => cost.ndots === ndots)));
    return `| \`${form}\` | ${ofForm[0]?.asked ?? ""} | ${cells.join(" | ")} |`;
  });
  const head = ["| name | asked in | ndots 5 | ndots 3 | ndots 2 |", "|---|---|---|---|---|"];
  return `${[...head, ...lines].join("\n")}\n`;
}

function cellOf(cost: FormCost | undefined): string {
  if (cost === undefined) return "";
  const again = cost.again > 0 ? ` (${plural(cost.again, "retry")})` : "";
  return `${cost.found ? "" : "not found, "}${cost.queries} queries${again}, ${ms(cost.milliseconds)} ms`;
}
