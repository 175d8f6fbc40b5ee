import { codeName } from "../message.ts";

/** One query of a benchmark. */
export interface Sample {
  /** Seconds, by the pod's clock. */
  readonly sent: number;
  /** Undefined where no answer came. */
  readonly milliseconds: number | undefined;
  /** Such as `NOERROR`; empty where no answer came. */
  readonly code: string;
}

const SENT = /^sent (\d+) (\d+) ([\d.]+)$/gm;
/** Connection, time, two bytes of length, two of the id, two of flags. */
const CAME = /^came (\d+) ([\d.]+) \d+ \d+ (\d+) (\d+) \d+ (\d+)$/gm;
const IDS = 4096;
const ID_BASE = 32;
const ID_DIGITS = 64;
const CODE_BITS = 0xf;
/** Stand-ins for NUL and newline. */
const STAND_INS: ReadonlyMap<number, number> = new Map([
  [254, 0],
  [255, 10],
]);

/** Brings together what left and what came, by connection and id. */
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

/** What the samples of one kind of name come to. */
export interface Summary {
  readonly asked: number;
  readonly answered: number;
  readonly codes: Readonly<Record<string, number>>;
  /** Queries that left in a second, from the first to the last. */
  readonly perSecond: number;
  readonly p50: number | undefined;
  readonly p90: number | undefined;
  readonly p99: number | undefined;
  readonly max: number | undefined;
  /** Answers in each of {@link BUCKETS}. */
  readonly histogram: readonly number[];
}

/** Upper ends in milliseconds; the last bucket takes what is slower. */
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

/** The nearest rank: the smallest time that at least that share of all does not exceed. Times are sorted. */
export function percentile(times: readonly number[], percent: number): number | undefined {
  return times[Math.max(0, Math.ceil((percent / 100) * times.length) - 1)];
}
