import type { PodFacts } from "../kubernetes/cluster.ts";
import type { PodSessions } from "./sessions.ts";

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
