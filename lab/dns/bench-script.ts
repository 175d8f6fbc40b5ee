import { codeName, encodeQuery, shellBytes } from "./queries.ts";

/**
 * Sends queries at a fixed rate over several TCP connections from inside a pod, and prints when each was sent and answered, by the pod's
 * clock. Queries do not wait for earlier answers, so a slow answer does not hide the ones behind it.
 *
 * Arguments: $1 server, or `-` to measure the overhead of the pipes alone; $2 connections; $3 queries per connection; $4 seconds between
 * queries; $5 and $6 the query before and after its id; $7 first of the numbers in the name, or empty; $8 the rest of the query.
 *
 * A shell can store neither NUL nor newline, so `tr` replaces them with 254 and 255.
 */
export const BENCH_SCRIPT = `
server=$1 connections=$2 count=$3 gap=$4 before=$5 after=$6 first=$7 rest=$8
exec 3>&1
octal() { octal="\\\\$(($1 / 64))$(($1 / 8 % 8))$(($1 % 8))"; }
send() {
  sleep 0.2
  i=0
  while [ $i -lt $count ]; do
    octal $((32 + i / 64 % 64)); id=$octal
    octal $((32 + i % 64)); id=$id$octal
    query=$before$id$after\${first:+$((first + $1 * count + i))}$rest
    sent=$EPOCHREALTIME
    printf "$query"
    echo "sent $1 $i $sent" >&3
    i=$((i + 1))
    read -r -t $gap nothing <&4
  done
  read -r -t 2 nothing <&4
}
relay() { if [ "$server" = - ]; then cat; else nc -w 10 $server 53 2>/dev/null; fi; }
receive() {
  connection=$1
  while IFS= read -r -n 1 high; do
    came=$EPOCHREALTIME
    for part in low a b c d; do IFS= read -r -n 1 $part; done
    codes=$(printf '%d %d %d %d %d %d' "'$high" "'$low" "'$a" "'$b" "'$c" "'$d")
    echo "came $connection $came $codes" >&3
    set -- $codes
    IFS= read -r -n $(($1 % 254 * 256 + $2 % 254 - 4)) others
  done
}
sh -c 'echo $$; exec sleep 600' | {
  read -r pacer
  exec 4<&0
  n=0
  while [ $n -lt $connections ]; do
    { send $n | relay | tr '\\000\\012' '\\376\\377' | receive $n; } &
    n=$((n + 1))
  done
  wait
  kill $pacer
}
`;

/** The names to query: always the same, or a different one each time, whose first label is an eight-digit number. */
export interface Load {
  /** `########` is replaced by the number. */
  readonly name: string;
  readonly connections: number;
  /** Queries per connection. */
  readonly count: number;
  /** Seconds between two queries. */
  readonly gap: number;
}

export const NUMBER = "########";
const PLACEHOLDER = "00000000";
const ID_AT = 2;
const AFTER_ID = 4;
/** Offset of the first label's text: after the length, the 12-byte header and the label's length byte. */
const LABEL_AT = 15;

/** Arguments of {@link BENCH_SCRIPT}. `server` is `-` to measure the pipes alone; `first` is the first eight-digit number. */
export function scriptArguments(server: string, load: Load, first: number): string[] {
  const bytes = encodeQuery(load.name.replace(NUMBER, PLACEHOLDER), "A", 0);
  const numbered = load.name.startsWith(`${NUMBER}.`);
  const end = numbered ? LABEL_AT : bytes.length;
  const parts = [bytes.subarray(0, ID_AT), bytes.subarray(AFTER_ID, end)].map(shellBytes);
  const rest = numbered ? shellBytes(bytes.subarray(LABEL_AT + PLACEHOLDER.length)) : "";
  const numbers = [load.connections, load.count, load.gap.toFixed(4)].map(String);
  return [server, ...numbers, ...parts, numbered ? String(first) : "", rest];
}

/** A query of a benchmark. */
export interface Sample {
  /** Time of sending, in seconds by the pod's clock. */
  readonly sent: number;
  /** Undefined if no answer came. */
  readonly milliseconds: number | undefined;
  /** Such as `NOERROR`; empty if no answer came. */
  readonly code: string;
}

const SENT = /^sent (\d+) (\d+) ([\d.]+)$/gm;
/** Connection, time, two length bytes, two bytes of the id, two of the flags. */
const CAME = /^came (\d+) ([\d.]+) \d+ \d+ (\d+) (\d+) \d+ (\d+)$/gm;
const IDS = 4096;
const ID_BASE = 32;
const ID_DIGITS = 64;
const CODE_BITS = 0xf;
/** Replacement bytes for NUL and newline. */
const STAND_INS: ReadonlyMap<number, number> = new Map([
  [254, 0],
  [255, 10],
]);

/** Matches queries with answers, by connection and id. */
export function readSamples(output: string): Sample[] {
  const answers = new Map<string, { came: number; code: string }>();
  for (const [, connection = "", came, high, low, flags] of output.matchAll(CAME)) {
    const index = (Number(high) - ID_BASE) * ID_DIGITS + Number(low) - ID_BASE;
    const byte = STAND_INS.get(Number(flags)) ?? Number(flags);
    answers.set(`${connection} ${index}`, { came: Number(came), code: codeName(byte & CODE_BITS) });
  }
  return [...output.matchAll(SENT)].map(([, connection = "", index, sent]) => {
    const answer = answers.get(`${connection} ${Number(index) % IDS}`);
    const milliseconds = answer === undefined ? undefined : (answer.came - Number(sent)) * 1000;
    return { sent: Number(sent), milliseconds, code: answer?.code ?? "" };
  });
}

/** Statistics of the samples for one kind of name. */
export interface Summary {
  readonly asked: number;
  readonly answered: number;
  readonly codes: Readonly<Record<string, number>>;
  /** Queries sent per second, from the first to the last. */
  readonly perSecond: number;
  readonly p50: number | undefined;
  readonly p90: number | undefined;
  readonly p99: number | undefined;
  readonly max: number | undefined;
  /** Number of answers in each of {@link BUCKETS}. */
  readonly histogram: readonly number[];
}

/** Upper bounds in milliseconds; the last bucket takes all slower answers. */
export const BUCKETS = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, Number.POSITIVE_INFINITY] as const;

export function summarize(samples: readonly Sample[]): Summary {
  const times = samples
    .flatMap(({ milliseconds }) => (milliseconds === undefined ? [] : [milliseconds]))
    .sort((a, b) => a - b);
  const codes: Record<string, number> = {};
  for (const { code } of samples) if (code !== "") codes[code] = (codes[code] ?? 0) + 1;
  const sent = samples.map((sample) => sample.sent).sort((a, b) => a - b);
  const seconds = (sent.at(-1) ?? 0) - (sent[0] ?? 0);
  return {
    asked: samples.length,
    answered: times.length,
    codes,
    perSecond: seconds > 0 ? (samples.length - 1) / seconds : 0,
    p50: percentile(times, 50),
    p90: percentile(times, 90),
    p99: percentile(times, 99),
    max: times.at(-1),
    histogram: BUCKETS.map((end, index) => {
      const start = BUCKETS[index - 1] ?? Number.NEGATIVE_INFINITY;
      return times.filter((time) => time > start && time <= end).length;
    }),
  };
}

/** Percentile by the nearest-rank method: the smallest time that is not exceeded by that share of all. `times` must be sorted. */
export function percentile(times: readonly number[], percent: number): number | undefined {
  return times[Math.max(0, Math.ceil((percent / 100) * times.length) - 1)];
}
