import { CURL_CONTAINER } from "../../components/team/names.ts";
import { type Cluster, ClusterError, type ExecResult, type PodFacts } from "../kubernetes/cluster.ts";
import { type CurlResult, curlCommand, parseCurl } from "./curl.ts";
import type { Lab } from "./lab.ts";

/** Seconds for lookup and connection together. A resolver asks each server twice, 5 s each, so it may take longer. */
const CONNECT_SECONDS = 6;
/** Stands on a line before the exit code of each run, on both streams: no answer of the lab has it. */
const MARK = "--- lab verify curl ---";

/**
 * Runs curl in a team's pod. curl is the one program that the pod surely has, and it looks names up as every program there
 * does; busybox's nslookup leaves the search list out for a name with a dot, so `curl-sa.sa-team` fails there and nowhere else.
 */
export function curlFrom(lab: Lab, pod: PodFacts, url: string, seconds = CONNECT_SECONDS): Promise<CurlResult> {
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
