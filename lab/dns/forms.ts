import { Failure } from "../command-line.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import { ms, plural } from "../output/text.ts";
import type { DnsClient } from "./dns-client.ts";
import { type Explanation, explain } from "./explanation.ts";

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
  const at = (own: string) =>
    search.map((domain, index) => (index === 0 && domain.endsWith(`.${zone}`) ? `${own}.${zone}` : domain));
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
      const options = { ndots, search: at(asked) };
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
