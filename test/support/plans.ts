import { planStack } from "../../lab/plan/plan.ts";
import type { Recording } from "../../lab/plan/recording.ts";
import type { Stack } from "../../lab/stack-file.ts";

const plans = new Map<string, Promise<Recording>>();

/** The plan of a stack, recorded once for all tests of a process, which only read it. */
export function planOnce(stack: Stack): Promise<Recording> {
  const entries = Object.entries(stack.config).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const key = JSON.stringify([stack.name, entries]);
  const plan = plans.get(key) ?? planStack(stack);
  plans.set(key, plan);
  return plan;
}
