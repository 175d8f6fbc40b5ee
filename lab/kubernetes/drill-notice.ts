import { isObject } from "../../components/schema/values.ts";
import type { Cluster } from "./cluster.ts";

/** Where a drill stores the originals of what it changes: in a Secret, because they may be Secrets. */
export const DRILL_STATE = { namespace: "kube-system", name: "eks-dns-logging-drill" } as const;
/** Key of the state in that Secret. */
export const DRILL_STATE_KEY = "state";

/** A notice for commands on a cluster with an active drill; undefined if there is none. */
export async function drillNotice(cluster: Pick<Cluster, "secret">): Promise<string | undefined> {
  // Without permission to read the Secret, no notice; the command itself may not need it.
  const data = await cluster.secret(DRILL_STATE.namespace, DRILL_STATE.name).catch(() => undefined);
  const text = data?.[DRILL_STATE_KEY];
  if (text === undefined) return undefined;
  const name = nameIn(text);
  return `A drill${name === undefined ? "" : ` (${name})`} is on: this cluster has a fault on purpose. \`npm run lab -- drill stop\` removes it.\n`;
}

function nameIn(text: string): string | undefined {
  try {
    const state: unknown = JSON.parse(text);
    return isObject(state) && typeof state.drill === "string" ? state.drill : undefined;
  } catch {
    return undefined;
  }
}
