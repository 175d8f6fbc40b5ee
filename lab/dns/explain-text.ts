import { columns, ms, plural } from "../output/table.ts";
import type { Explanation } from "./explain.ts";

/** The explanation for a person: a row a query, then what it comes to and what would cost less. */
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
  const again = queries > rows.length ? ` (${queries - rows.length} retried)` : "";
  const result = found ? "found" : "not found";
  const own = curl === undefined ? "" : `; curl's own lookup took ${ms(curl.milliseconds)} ms`;
  return `${result} after ${plural(queries, "query")}${again} for ${plural(asked, "name")}, ${ms(milliseconds)} ms in a row${own}`;
}

function savingLines({ cheaper, rows, found }: Explanation): string[] {
  if (rows.length === 0 || !found) return [];
  if (cheaper.length === 0) return ["no form needs fewer queries"];
  return cheaper.map(({ change, queries }) => `cheaper: ${change}: ${plural(queries, "query")}`);
}
