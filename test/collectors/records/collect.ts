import { appendFileSync, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { seconds } from "../../support/collectors/losses.ts";
import type { Received } from "../../support/collectors/protocols.ts";
import { Receiver } from "../../support/collectors/receiver.ts";
import { type LocalCollector, Sandbox } from "../../support/collectors/sandbox.ts";
import { kubeconfig, startClusterApi } from "../cluster-api.ts";
import type { RecordCase } from "./lines.ts";

/** Labels of every pod. */
export const ODD_LABELS = { "app.kubernetes.io/name": "Curl", "example.com/a.b-c": "", app: "x", team: "ts" };
const Json = z.looseObject({
  log: z.string(),
  kubernetes: z.looseObject({ namespace_name: z.string().optional(), pod_name: z.string().optional() }),
});
export type Found = z.infer<typeof Json> & { readonly received: Received };

/** Of a case: the container that writes its lines. */
export function containerOf({ name, namespace = "ts-team", pod = name, container = "curl" }: RecordCase) {
  return { namespace, pod, container };
}

/**
 * Runs a collector on the lines of all cases at once, each in a pod of its own, and rotates files when nothing comes any more.
 * @returns what came of each pod, by namespace and name
 */
export async function collectCases(
  local: LocalCollector,
  destination: (port: number) => object,
  cases: readonly RecordCase[],
): Promise<ReadonlyMap<string, readonly Found[]>> {
  const receiver = await Receiver.start({ keep: 5000, labels: ODD_LABELS });
  const api = await startClusterApi(ODD_LABELS);
  const index = local.collector.id === "promtail" ? {} : { splitBy: "team" };
  const settings = { destination: destination(receiver.port), index };
  const sandbox = new Sandbox(asking(local, api.url), settings, receiver.port);
  const files = cases.map((one, number) => writeCase(sandbox, one, number));
  const collector = sandbox.start();
  try {
    await quiet(receiver);
    for (const [at, { afterRotation }] of cases.entries()) {
      const file = files[at];
      if (file === undefined || afterRotation === undefined) continue;
      renameSync(file, `${file}.20260201-100000`);
      writeFileSync(file, afterRotation.map((line) => `${line}\n`).join(""));
    }
    await quiet(receiver);
    return byPod(await receiver.kept());
  } finally {
    await collector.stop("SIGKILL");
    await receiver.stop();
    api.stop();
    sandbox.remove();
  }
}

/** The collector, which asks another API server than its own tests have. */
function asking(local: LocalCollector, url: (sandbox: string) => string): LocalCollector {
  return {
    ...local,
    adapt: (text, place) => {
      const sandbox = dirname(place.token);
      const there = url(sandbox);
      const adapted = local.adapt(text, place);
      const config = join(sandbox, "kubeconfig");
      if (existsSync(config)) writeFileSync(config, kubeconfig(there));
      return adapted
        .replaceAll(/\bapi_url .*/g, `api_url ${there}/api`)
        .replaceAll(new RegExp(`http://127\\.0\\.0\\.1:\\d+/${there.split("/").pop()}`, "g"), there);
    },
  };
}

function writeCase(sandbox: Sandbox, one: RecordCase, number: number): string {
  const { namespace, pod, container } = containerOf(one);
  // Some collectors know a pod by its UID.
  const uid = `95c1ec06-0000-0000-0000-${String(number).padStart(12, "0")}`;
  const folder = join(sandbox.pods, `${namespace}_${pod}_${uid}`, container);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "0.log");
  for (const line of one.lines) appendFileSync(file, Buffer.concat([Buffer.from(line), Buffer.from("\n")]));
  return file;
}

/** Waits until something has come, and then nothing for a while. */
async function quiet(receiver: Receiver): Promise<void> {
  let [count, since] = [0, 0];
  for (let waited = 0; since < 8 && waited < 60; waited += 0.5) {
    await seconds(0.5);
    const { records } = await receiver.stats();
    since = records === count && records > 0 ? since + 0.5 : 0;
    count = records;
  }
}

function byPod(kept: readonly Received[]): Map<string, Found[]> {
  const found = new Map<string, Found[]>();
  for (const received of kept) {
    // Some put an index template before.
    if (received.place.startsWith("/")) continue;
    const record = Json.parse(JSON.parse(received.json));
    const key = `${record.kubernetes.namespace_name}/${record.kubernetes.pod_name}`;
    found.set(key, [...(found.get(key) ?? []), { ...record, received }]);
  }
  return found;
}
