import type { Group, Row, Status } from "../result.ts";

/** Target of a connection that is not a team. */
export const COREDNS = "(coredns)";
export const LOGS = "(logs)";

/** The rows of one connection, drawn as one line. */
export interface Connection {
  /** A team. */
  readonly from: string;
  /** A team, {@link COREDNS} or {@link LOGS}. */
  readonly to: string;
  readonly label: string;
  readonly status: Status;
  readonly rows: readonly Row[];
}

const TITLES: Readonly<Partial<Record<Group, string>>> = {
  ping: "ping",
  dns: "DNS",
  curl: "curl",
  deny: "denied",
  logs: "logs",
  collector: "collected",
};

/** Groups rows into connections, by source, target and kind. */
export function connectionsOf(rows: readonly Row[]): Connection[] {
  const gathered = new Map<string, { from: string; to: string; title: string; rows: Row[] }>();
  for (const row of rows) {
    const title = TITLES[row.group];
    const [, from, subject] = row.id.split(":");
    if (title === undefined || from === undefined) continue;
    const to = target(row.group, subject);
    const key = `${row.group} ${from} ${to}`;
    const connection = gathered.get(key) ?? { from, to, title, rows: [] };
    connection.rows.push(row);
    gathered.set(key, connection);
  }
  return [...gathered.values()].map(({ from, to, title, rows: taken }) => ({
    from,
    to,
    label: title === TITLES.deny ? DENIED[worst(taken.map((row) => row.status))] : `${title} ${result(taken)}`,
    status: worst(taken.map((row) => row.status)),
    rows: taken,
  }));
}

function target(group: Group, subject: string | undefined): string {
  if (group === "dns" || subject === "coredns") return COREDNS;
  return group === "logs" || group === "collector" || subject === undefined ? LOGS : subject;
}

/** `4 of 5` for several rows; the round trip or delay for one. */
function result(rows: readonly Row[]): string {
  const passed = rows.filter((row) => row.status === "pass").length;
  const [first] = rows;
  if (first === undefined || rows.length > 1) return `${passed} of ${rows.length}`;
  if (first.status !== "pass") return SINGLE[first.status];
  const time = first.facts?.averageMs ?? first.facts?.delayMs;
  return time === undefined ? "passed" : `${time} ms`;
}

/** Labels of denied connections, which pass if nothing gets through. */
const DENIED: Readonly<Record<Status, string>> = {
  pass: "blocked",
  warn: "not blocked",
  fail: "not blocked",
  skip: "not checked",
};

const SINGLE: Readonly<Record<Status, string>> = {
  pass: "passed",
  warn: "warning",
  fail: "failed",
  skip: "not checked",
};

const SEVERITY: readonly Status[] = ["fail", "warn", "pass", "skip"];

/** The most severe result. */
export function worst(statuses: readonly Status[]): Status {
  return SEVERITY.find((status) => statuses.includes(status)) ?? "skip";
}
