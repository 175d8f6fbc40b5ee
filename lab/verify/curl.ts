import { CURL_CONTAINER } from "../../components/team/curl-pod-spec.ts";
import { type Cluster, ClusterError, type ExecResult, type PodFacts } from "../kubernetes/cluster.ts";

/**
 * What curl's exit code says.
 * @see https://curl.se/libcurl/c/libcurl-errors.html
 */
export type CurlEnd = "answered" | "not resolved" | "refused" | "timed out" | "failed";

export interface CurlResult {
  readonly end: CurlEnd;
  /** Addresses that the name led to, in the order tried. */
  readonly addresses: readonly string[];
  /** Whether a TCP connection came about. */
  readonly connected: boolean;
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  readonly body: string;
  /** From the start to the address. */
  readonly lookupMs: number;
  /** From the start to the last byte. */
  readonly totalMs: number;
  /** What curl said, where it failed. */
  readonly message: string;
}

/** Stands after the body, a line each. */
const WRITE_OUT = ["", "%{http_code}", "%{time_namelookup}", "%{time_connect}", "%{time_total}", "%{remote_ip}"].join(
  "\\n",
);
const WRITTEN_LINES = 5;

export function curlCommand(url: string, seconds: number): string[] {
  const limits = ["--connect-timeout", String(seconds), "--max-time", String(seconds + 3)];
  // -q: no ~/.curlrc; -v: the only place where the address stands when nothing answers there.
  return ["curl", "-q", "-sSv", "--noproxy", "*", "--globoff", ...limits, "-w", WRITE_OUT, url];
}

export function parseCurl(exitCode: number, stdout: string, stderr: string): CurlResult {
  const lines = stdout.split("\n");
  const [status = "0", lookup = "0", connect = "0", total = "0", remote = ""] = lines.slice(-WRITTEN_LINES);
  const tried = [...stderr.matchAll(/^\*\s+Trying \[?([0-9a-f.:]+?)\]?:\d+\.\.\./gim)].flatMap(
    (match) => match[1] ?? [],
  );
  const message = /^curl: \(\d+\) (.*)$/m.exec(stderr)?.[1]?.trim() ?? "";
  return {
    end: endOf(exitCode, message),
    addresses: [...new Set(tried.length > 0 ? tried : remote === "" ? [] : [remote])],
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

/** curl counts in seconds with six decimals. */
function milliseconds(seconds: string): number {
  return Math.round((Number(seconds) || 0) * 1_000_000) / 1000;
}

/** A host for a URL: IPv6 addresses stand in brackets. */
export function urlHost(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

/** Seconds for lookup and connection together. A resolver asks each server twice, 5 s each, so it may take longer. */
const CONNECT_SECONDS = 6;
/** Stands on a line before the exit code of each run, on both streams: no answer of the lab has it. */
const MARK = "--- lab verify curl ---";

/**
 * Runs curl in a team's pod. curl is the one program that the pod surely has, and it looks names up as every program there
 * does; busybox's nslookup leaves the search list out for a name with a dot, so `curl-sa.sa-team` fails there and nowhere else.
 */
export function curlFrom(
  lab: { readonly curls: CurlSessions },
  pod: PodFacts,
  url: string,
  seconds = CONNECT_SECONDS,
): Promise<CurlResult> {
  return lab.curls.curl(pod, url, seconds);
}

/** What is asked of one pod in the same turn. */
interface Session {
  readonly urls: string[];
  readonly results: Promise<readonly CurlResult[]>;
}

/**
 * Sessions in pods, one for all URLs that are asked of a pod in the same turn, and one run of curl for each URL: a session costs the
 * cluster as much as a dozen runs.
 */
export class CurlSessions {
  readonly #cluster: Cluster;
  readonly #open = new Map<string, Session>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async curl(pod: PodFacts, url: string, seconds: number): Promise<CurlResult> {
    const { urls, results } = this.#session(pod, seconds);
    if (!urls.includes(url)) urls.push(url);
    const place = urls.indexOf(url);
    const result = (await results)[place];
    if (result === undefined) throw new Error(`no result of curl for ${url}`);
    return result;
  }

  #session(pod: PodFacts, seconds: number): Session {
    const key = `${pod.namespace}/${pod.name} ${seconds}`;
    const urls: string[] = [];
    const results = () => {
      this.#open.delete(key);
      return curlEach(this.#cluster, pod, urls, seconds);
    };
    const session = this.#open.get(key) ?? { urls, results: new Promise<void>(setImmediate).then(results) };
    this.#open.set(key, session);
    return session;
  }
}

/** Runs curl once for each URL, one after the other: in one session where the image has a shell. */
async function curlEach(
  cluster: Cluster,
  pod: PodFacts,
  urls: readonly string[],
  seconds: number,
): Promise<CurlResult[]> {
  const run = (command: readonly string[], count = 1) =>
    cluster.exec(pod, CURL_CONTAINER, command, count * (seconds + 3) + 10);
  const all = urls.length < 2 ? undefined : await run(curlScript(urls, seconds), urls.length).catch(unlessNoShell);
  if (all !== undefined) return resultsOf(urls, all);
  const results: CurlResult[] = [];
  for (const url of urls) {
    const { exitCode, stdout, stderr } = await run(curlCommand(url, seconds));
    results.push(parseCurl(exitCode, stdout, stderr));
  }
  return results;
}

function unlessNoShell(error: unknown): undefined {
  if (
    !(error instanceof ClusterError && /"sh": executable file not found|no such file or directory/.test(error.message))
  )
    throw error;
}

function resultsOf(urls: readonly string[], { stdout, stderr }: ExecResult): CurlResult[] {
  const [bodies, messages] = [stdout, stderr].map((text) => text.split(`\n${MARK}`));
  return urls.map((_, index) => {
    // The exit code of a run stands at the end of its mark, before what the next one prints.
    const exitCode = Number(/^ (\d+)\n/.exec(bodies?.[index + 1] ?? "")?.[1] ?? Number.NaN);
    const [body = "", message = ""] = [bodies, messages].map((texts) => texts?.[index]?.replace(/^ \d+\n/, ""));
    return parseCurl(exitCode, body, message);
  });
}

/** The command of {@link curlCommand} for each URL, by a shell. */
export function curlScript(urls: readonly string[], seconds: number): string[] {
  const command = curlCommand("", seconds).slice(0, -1).map(quoted).join(" ");
  const tell = `printf '\\n${MARK} %s\\n' $code`;
  return ["sh", "-c", `for url; do ${command} "$url"; code=$?; ${tell}; ${tell} >&2; done`, "sh", ...urls];
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
