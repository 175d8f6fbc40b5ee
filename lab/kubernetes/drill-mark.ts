import { isObject } from "../../components/schema/values.ts";
import type { Cluster } from "./cluster.ts";

/** Where a drill keeps what it has changed. A Secret, since the objects that it restores may be Secrets. */
export const DRILL_STATE = { namespace: "kube-system", name: "eks-dns-logging-drill" } as const;
/** Key of the state in it. */
export const DRILL_STATE_KEY = "state";

/** What a command has to say before it reads or changes a cluster on which a drill is on; undefined where none is. */
export async function drillNotice(cluster: Pick<Cluster, "secret">): Promise<string | undefined> {
  // Without the right to read it nothing can be said; the command itself may do without.
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
