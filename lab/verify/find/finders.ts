import type { Settings } from "../../../components/settings.ts";
import { type MarkerFinder, unableFinder } from "./finder.ts";
import { stdoutFinder } from "./stdout.ts";

/** What looks for a marker where this stack's collector sends logs. */
export function finderFor(logging: Settings["logging"], _region: string | undefined): MarkerFinder {
  const { collector, destination } = logging;
  if (destination.kind === "stdout") return stdoutFinder(collector);
  return unableFinder(destination.kind, `there is no way yet to read ${destination.kind} back`);
}
