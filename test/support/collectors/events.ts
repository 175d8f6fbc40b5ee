import { seconds, type Trial } from "./losses.ts";
import type { ReceiverMode } from "./receiver.ts";

/** What happens while lines are written; all times are in seconds. */
type Event = NonNullable<Trial["meanwhile"]>;

/** The destination answers so for a while. */
export function answering(mode: ReceiverMode, { after, during }: { after: number; during: number }): Event {
  return async ({ set }) => {
    await seconds(after);
    set(mode);
    await seconds(during);
    set("take");
  };
}

/** The collector is stopped as Kubernetes does it, and started again. */
export function stopped({ after, pause }: { after: number; pause: number }): Event {
  return async ({ restart }) => {
    await seconds(after);
    await restart("SIGTERM", pause);
  };
}

/** The collector is killed and started again, once after each of these times. */
export function killed(...after: readonly number[]): Event {
  return async ({ restart }) => {
    for (const pause of after) {
      await seconds(pause);
      await restart("SIGKILL");
    }
  };
}

/** The collector ends while the destination is down, which is back once it runs again. */
export function restartedWhileAway(
  signal: "SIGTERM" | "SIGKILL",
  { after, away, pause }: { after: number; away: number; pause: number },
): Event {
  return async ({ set, restart }) => {
    await seconds(after);
    set("away");
    await seconds(away);
    await restart(signal, pause);
    set("take");
  };
}

/** Pods that start at once, each with a file of its own, beside those that are there. */
export function newPods(files: number, { bytesPerSecond, during }: { bytesPerSecond: number; during: number }): Event {
  return async ({ write }) => {
    await seconds(2);
    await write({ files, firstFile: 100, ownPods: true, bytesPerSecond, seconds: during });
  };
}
