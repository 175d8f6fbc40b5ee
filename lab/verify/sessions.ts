import pLimit from "p-limit";
import { CURL_CONTAINER } from "../../components/team/curl-pod-spec.ts";
import { type Cluster, ClusterError, type ExecResult, type PodFacts } from "../kubernetes/cluster.ts";

/** Commands of a session that run in parallel in its pod. */
const WORKERS = 6;
/** Commands per session: they are part of the request's URL, which proxies may limit to 8 kB. */
const MAX_COMMANDS = 40;
/** Seconds that a session may need to start and end. */
const OVERHEAD_SECONDS = 10;
/** Precedes each part of a command's output; no output of the lab contains it. */
const MARK = "--- lab verify";

/** A command that waits for a session. */
interface Waiting {
  readonly command: readonly string[];
  readonly seconds: number;
  readonly result: PromiseWithResolvers<ExecResult>;
}

/**
 * Runs commands in pods. Commands for a pod that arrive before its next session starts share that session, and identical commands run once:
 * a session costs the cluster as much as a dozen commands.
 */
export class PodSessions {
  readonly #cluster: Cluster;
  readonly #limit: ReturnType<typeof pLimit>;
  readonly #waiting = new Map<string, Map<string, Waiting>>();

  /** @param parallel Number of parallel sessions. */
  constructor(cluster: Cluster, parallel: number) {
    this.#cluster = cluster;
    this.#limit = pLimit(parallel);
  }

  /**
   * Runs a command, a program with at least one argument, in a team's pod.
   * @param seconds Timeout of the command.
   * @throws {ClusterError} if the session cannot be started, or times out.
   */
  run(pod: PodFacts, command: readonly string[], seconds: number): Promise<ExecResult> {
    const place = `${pod.namespace}/${pod.name}`;
    const waiting = this.#waiting.get(place) ?? this.#open(pod, place);
    const key = JSON.stringify(command);
    const waitingCommand = waiting.get(key) ?? { command, seconds, result: Promise.withResolvers<ExecResult>() };
    waiting.set(key, waitingCommand);
    if (waiting.size === MAX_COMMANDS) this.#waiting.delete(place);
    return waitingCommand.result.promise;
  }

  #open(pod: PodFacts, place: string): Map<string, Waiting> {
    const waiting = new Map<string, Waiting>();
    this.#waiting.set(place, waiting);
    // Waits for the rows that start in this turn, and for a free session.
    const session = async () => {
      if (this.#waiting.get(place) === waiting) this.#waiting.delete(place);
      const all = [...waiting.values()];
      try {
        const results = await runEach(this.#cluster, pod, all);
        for (const [index, result] of results.entries()) all[index]?.result.resolve(result);
      } catch (error) {
        for (const { result } of all) result.reject(error);
      }
    };
    setImmediate(() => void this.#limit(session));
    return waiting;
  }
}

/** Runs the commands in one session if the image has a shell, else one after the other. */
async function runEach(cluster: Cluster, pod: PodFacts, all: readonly Waiting[]): Promise<ExecResult[]> {
  const exec = (command: readonly string[], seconds: number) =>
    cluster.exec(pod, CURL_CONTAINER, command, seconds + OVERHEAD_SECONDS);
  if (all.length > 1) {
    const commands = all.map(({ command }) => command);
    // The timeout covers the case that no two commands run in parallel.
    const seconds = all.reduce((sum, command) => sum + command.seconds, 0);
    const session = await exec(sessionScript(commands), seconds).catch(unlessNoShell);
    if (session !== undefined) return resultsOf(commands, session);
  }
  const results: ExecResult[] = [];
  for (const { command, seconds } of all) results.push(await exec(command, seconds));
  return results;
}

function unlessNoShell(error: unknown): undefined {
  if (
    !(error instanceof ClusterError && /"sh": executable file not found|no such file or directory/.test(error.message))
  )
    throw error;
}

/**
 * A shell script that runs commands, some in parallel, and prints the exit code, stderr and stdout of each. The output of parallel commands
 * is kept in files until all have ended, so that it does not mix; without a writable folder, the commands run one after the other.
 */
export function sessionScript(commands: readonly (readonly string[])[]): string[] {
  const beginnings = [...new Set(commands.map(beginningOf))];
  const lines = commands.map(
    (command, index) => `j ${index} b${beginnings.indexOf(beginningOf(command))} ${quoted(command.at(-1) ?? "")}`,
  );
  const workers = Array.from({ length: Math.min(WORKERS, lines.length) }, (_, worker) =>
    lines.filter((_, index) => index % WORKERS === worker),
  );
  const names = workers.map((_, worker) => `w${worker}`);
  return [
    "sh",
    "-c",
    [
      ...beginnings.map((beginning, index) => `b${index}() { ${beginning} "$1"; }`),
      `m='${MARK}'`,
      // Runs the program's file, as a session without a shell would: the shell may have a builtin of the same name, such as busybox's ping.
      'at() { IFS=:; for d in $PATH; do if [ -x "$d/$1" ]; then echo "$d/$1"; return; fi; done; echo "$1"; }',
      // The x preserves trailing line feeds, which command substitution would strip.
      `j() { r=$({ o=$("$2" "$3" 2>&3; c=$?; printf x; exit $c); printf '\\n%s %s\\n%s' "$m" $? "$o"; } 3>&1 </dev/null); printf '%s\\n%s\\n%s end\\n' "$m" "$1 $r" "$m"; }`,
      ...workers.map((commands, worker) => `w${worker}() { ${commands.join("; ")}; }`),
      "d=$(mktemp -d 2>/dev/null)",
      `if [ -d "$d" ]; then ${names.map((name) => `${name} >"$d/${name}" & `).join("")}wait; cat "$d"/*; rm -r "$d"; else ${names.join("; ")}; fi`,
    ].join("\n"),
  ];
}

function resultsOf(commands: readonly (readonly string[])[], { stdout, stderr }: ExecResult): ExecResult[] {
  const results = new Map<number, ExecResult>();
  for (const block of stdout.split(`\n${MARK} end\n`)) {
    const [, index, errors = "", code, output = ""] = RESULT.exec(block) ?? [];
    results.set(Number(index), { exitCode: Number(code), stdout: output, stderr: errors });
  }
  return commands.map((command, index) => {
    const result = results.get(index);
    if (result !== undefined) return result;
    throw new ClusterError("other", `no result of '${command.join(" ")}' in the session: ${stderr.trim()}`);
  });
}

/** The script's output for a command. */
const RESULT = new RegExp(`^${MARK}\\n(\\d+) (.*)\\n${MARK} (\\d+)\\n(.*)x$`, "s");

/** All words of a command except the last. */
function beginningOf([program = "", ...args]: readonly string[]): string {
  return [`"$(at ${quoted(program)})"`, ...args.slice(0, -1).map(quoted)].join(" ");
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * How a request ended, by curl's exit code.
 * @see https://curl.se/libcurl/c/libcurl-errors.html
 */
export type CurlEnd = "answered" | "not resolved" | "refused" | "timed out" | "failed";

export interface CurlResult {
  readonly end: CurlEnd;
  /** Addresses of the name, in the order tried. */
  readonly addresses: readonly string[];
  /** Whether a TCP connection was established. */
  readonly connected: boolean;
  /** HTTP status; 0 without an answer. */
  readonly status: number;
  readonly body: string;
  /** Time until the name was resolved. */
  readonly lookupMs: number;
  /** Time until the last byte. */
  readonly totalMs: number;
  /** curl's error message, if it failed. */
  readonly message: string;
}

/** Printed after the body, one value per line. */
const WRITE_OUT = ["", "%{http_code}", "%{time_namelookup}", "%{time_connect}", "%{time_total}", "%{remote_ip}"].join(
  "\\n",
);
const WRITTEN_LINES = 5;

export function curlCommand(url: string, seconds: number): string[] {
  const limits = ["--connect-timeout", String(seconds), "--max-time", String(seconds + 3)];
  // -q ignores ~/.curlrc; only -v shows the address if nothing answers there.
  return ["curl", "-q", "-sSv", "--noproxy", "*", "--globoff", ...limits, "-w", WRITE_OUT, url];
}

export function parseCurl(exitCode: number, stdout: string, stderr: string): CurlResult {
  const lines = stdout.split("\n");
  const [status = "0", lookup = "0", connect = "0", total = "0", remote = ""] = lines.slice(-WRITTEN_LINES);
  const tried = [...stderr.matchAll(/^\*\s+Trying \[?([0-9a-f.:]+?)\]?:\d+\.\.\./gim)].flatMap(
    (match) => match[1] ?? [],
  );
  const connectedTo = remote === "" ? [] : [remote];
  const message = /^curl: \(\d+\) (.*)$/m.exec(stderr)?.[1]?.trim() ?? "";
  return {
    end: endOf(exitCode, message),
    addresses: [...new Set(tried.length > 0 ? tried : connectedTo)],
    status: Number(status) || 0,
    body: lines.slice(0, -WRITTEN_LINES).join("\n").trim(),
    connected: Number(connect) > 0,
    lookupMs: milliseconds(lookup),
    totalMs: milliseconds(total),
    message,
  };
}

function endOf(exitCode: number, message: string): CurlEnd {
  if (exitCode === 0) return "answered";
  if (exitCode === 6 || /resolv/i.test(message)) return "not resolved";
  if (exitCode === 7) return /timed? ?out/i.test(message) ? "timed out" : "refused";
  return exitCode === 28 ? "timed out" : "failed";
}

/** curl prints seconds with six decimals. */
function milliseconds(seconds: string): number {
  return Math.round((Number(seconds) || 0) * 1_000_000) / 1000;
}

/** Timeout of lookup and connection together. A resolver queries each server twice, 5 s each, so it may need longer. */
const CONNECT_SECONDS = 6;

/**
 * Runs curl in a team's pod. curl is the only program that the pod certainly has, and it resolves names as all programs there do; busybox's
 * nslookup ignores the search list for a name with a dot, so only there `curl-sa.sa-team` would fail.
 */
export async function curlFrom(
  lab: { readonly sessions: PodSessions },
  pod: PodFacts,
  url: string,
  seconds = CONNECT_SECONDS,
): Promise<CurlResult> {
  const { exitCode, stdout, stderr } = await lab.sessions.run(pod, curlCommand(url, seconds), seconds + 3);
  return parseCurl(exitCode, stdout, stderr);
}
