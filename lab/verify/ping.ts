/** What ping counted. */
export interface PingResult {
  readonly sent: number;
  readonly received: number;
  /** Lost packets in percent. */
  readonly loss: number;
  /** Round trip in milliseconds; undefined where nothing came back. */
  readonly roundTrip: { readonly min: number; readonly average: number; readonly max: number } | undefined;
}

export const PING_COUNT = 5;

/** Five pings in about a second. Both iputils and busybox know these options. */
export function pingCommand(address: string): string[] {
  return ["ping", "-c", String(PING_COUNT), "-i", "0.2", "-W", "2", address];
}

/** Reads the summary of ping; undefined where there is none, as when it may not ping at all. */
export function parsePing(stdout: string): PingResult | undefined {
  const counts = /(\d+) packets transmitted, (\d+) (?:packets )?received/.exec(stdout);
  if (counts === null) return undefined;
  const [sent, received] = [Number(counts[1]), Number(counts[2])];
  const times = /(?:rtt|round-trip) min\/avg\/max(?:\/mdev)? = ([\d.]+)\/([\d.]+)\/([\d.]+)/.exec(stdout);
  return {
    sent,
    received,
    loss: sent === 0 ? 0 : Math.round((1 - received / sent) * 100),
    roundTrip: times === null ? undefined : { min: Number(times[1]), average: Number(times[2]), max: Number(times[3]) },
  };
}
