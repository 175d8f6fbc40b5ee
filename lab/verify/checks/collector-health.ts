import { setTimeout as sleep } from "node:timers/promises";
import { COLLECTORS } from "../../../components/logging/collectors/index.ts";
import type { CollectorId } from "../../../components/logging/settings.ts";
import { FLUENT_BIT_METRICS, HARMLESS_ERRORS } from "../../../components/monitoring/alerts/fluent-bit-signals.ts";
import { isForbidden, type PodFacts } from "../../kubernetes/cluster.ts";
import { plural } from "../../output/text.ts";
import type { Lab } from "../lab.ts";
import { type Check, fail, type Outcome, pass, skip } from "../result.ts";

/**
 * The collector's state is on its node's disk: its position in each file, and unsent data. Reads the live pods and configuration, because a
 * lost position only shows when a pod is replaced.
 */
export function stateCheck(collector: CollectorId): Check {
  return {
    id: `state:${collector}`,
    group: "state",
    what: "positions and buffer outlive the pod",
    from: collector,
    to: "nodes",
    run: (lab) => state(lab, collector),
  };
}

async function state(lab: Lab, collector: CollectorId): Promise<Outcome> {
  const [pods, files] = await Promise.all([
    lab.loggingPods(collector),
    lab.cluster.configMap(lab.loggingNamespace, collector),
  ]);
  if (pods.length === 0) return skip(`no pod of ${collector} in ${lab.loggingNamespace}`);
  const paths = [...new Set([COLLECTORS[collector].stateFolder, ...pathsIn(files)])];
  const facts = { pods: pods.length, paths };
  for (const pod of pods) {
    const lost = paths.find((path) => !isOnNode(pod, path));
    if (lost !== undefined)
      return fail(
        `${lost} of ${pod.name} is not on the node`,
        `it is gone with the pod, and may be small: compare ConfigMap ${collector} and the volumes of its DaemonSet in ${lab.loggingNamespace} with \`npm run plan\``,
        { ...facts, lost, pod: pod.name },
      );
  }
  return pass(`${paths.join(", ")} of ${plural(pods.length, "pod")}`, facts);
}

/** The paths where Fluent Bit keeps both; other collectors keep them in their folder. */
function pathsIn(files: Readonly<Record<string, string>>): string[] {
  const text = Object.values(files).join("\n");
  return [...text.matchAll(/^\s*(?:db|storage\.path): (\/\S+)$/gm)].flatMap(([, path]) => path ?? []);
}

/** Whether the innermost mount of a path is a folder of the node. */
function isOnNode({ mounts }: PodFacts, path: string): boolean {
  const around = mounts.filter((mount) => path === mount.path || path.startsWith(`${mount.path}/`));
  return around.toSorted((one, other) => other.path.length - one.path.length)[0]?.onNode ?? false;
}

const COLLECTOR = "fluent-bit";
/** Seconds between two readings of a counter. */
const READING_SECONDS = 2;
/** Seconds in which files rotate a few times: the kubelet rotates them at most every ten seconds. */
const ROTATION_SECONDS = 25;
/** Bytes per second below which no file can rotate faster than it is read, as in the alert FilesRotateFast. */
const BUSY = 300_000;
/** Additional open files after a few rotations. One may be a pod that rotated for the first time. */
const MAX_NEW_FILES = 1;
/** Minimum free space of a buffer, in percent. */
const MIN_FREE = 10;
/** Errors per second, as in the alert CollectorErrors. */
const MAX_ERRORS = 1;

/** The collector keeps up, by its own metrics: it reads as fast as pods write, its buffer has room, and it logs few errors. */
export function backlogCheck(seconds: { readonly look: number; readonly rotations: number } = WAITS): Check {
  return {
    id: `backlog:${COLLECTOR}`,
    group: "backlog",
    what: "reads and sends as fast as pods write",
    from: COLLECTOR,
    to: "its metrics",
    run: (lab) => backlog(lab, seconds),
  };
}

const WAITS = { look: READING_SECONDS, rotations: ROTATION_SECONDS };

async function backlog(lab: Lab, waits: typeof WAITS): Promise<Outcome> {
  const pods = await lab.loggingPods(COLLECTOR);
  const ready = pods.filter((pod) => pod.ready);
  if (ready.length === 0) return skip(`no pod of ${COLLECTOR} is ready`);
  try {
    const outcomes = await Promise.all(ready.map((pod) => backlogOf(lab, pod, waits)));
    const bad = outcomes.find(({ status }) => status !== "pass");
    if (bad !== undefined) return bad;
    const free = Math.min(...outcomes.map(({ facts }) => Number(facts?.freePercent)));
    return pass(`${plural(ready.length, "pod")}, buffers are at least ${free} % free`, {
      pods: ready.length,
      freePercent: free,
    });
  } catch (error) {
    if (isForbidden(error)) return skip(`needs the right to create pods/portforward in ${lab.loggingNamespace}`);
    throw error;
  }
}

async function backlogOf(lab: Lab, pod: PodFacts, waits: typeof WAITS): Promise<Outcome> {
  const first = await metricsOf(lab, pod);
  await sleep(waits.look * 1000);
  const second = await metricsOf(lab, pod);
  const facts = { pod: pod.name, freePercent: Math.round(second.free), openFiles: second.open };
  if (second.free < MIN_FREE)
    return fail(
      `${pod.name}: ${facts.freePercent} % of its buffer is free`,
      "the destination accepts less than pods write, and lines will soon be dropped: repair it, or enlarge logging.buffer.size",
      facts,
    );
  const logs = `\`kubectl -n ${lab.loggingNamespace} logs ${pod.name} --tail=20\``;
  const errors = (second.errors - first.errors) / READING_SECONDS;
  const behind = second.waiting > 0 && errors < (HARMLESS_ERRORS * (second.records - first.records)) / READING_SECONDS;
  if (errors > MAX_ERRORS && !behind)
    return fail(`${pod.name}: ${errors} errors a second`, `${logs} shows what it cannot write or read`, facts);
  if ((second.bytes - first.bytes) / READING_SECONDS < BUSY) return pass("", facts);
  await sleep(waits.rotations * 1000);
  const third = await metricsOf(lab, pod);
  const more = third.open - second.open;
  if (more > MAX_NEW_FILES)
    return fail(
      `${pod.name}: ${more} more files to read after ${ROTATION_SECONDS} s`,
      `a pod on ${pod.node} writes faster than the collector reads: let it write less, leave it out, or raise logging.resources`,
      { ...facts, moreFiles: more },
    );
  return pass("", facts);
}

interface Metrics {
  /** Free space of the fullest buffer, in percent; 100 if it is unlimited. */
  readonly free: number;
  /** Number of logged errors. */
  readonly errors: number;
  /** Number of records read. */
  readonly records: number;
  /** Chunks that wait on disk, because the limit for memory is reached. */
  readonly waiting: number;
  /** Bytes read from files. */
  readonly bytes: number;
  /** Number of open files. */
  readonly open: number;
}

/** Sums the metrics of all its containers: with several destinations, each has its own container. */
async function metricsOf(lab: Lab, { namespace, name, metricsPorts }: PodFacts): Promise<Metrics> {
  const texts = metricsPorts.map((port) =>
    lab.cluster.podGet({ namespace, pod: name, port }, FLUENT_BIT_METRICS.path ?? "/metrics"),
  );
  const samples = [...(await Promise.all(texts)).join("\n").matchAll(/^(\w+)(?:\{(.*)\})? (\S+)/gm)];
  const valuesOf = (metric: string, label = "") =>
    samples
      .filter(([, other, labels = ""]) => other === metric && labels.includes(label))
      .map(([, , , value]) => Number(value));
  const sum = (metric: string, label: string) => valuesOf(metric, label).reduce((total, value) => total + value, 0);
  const files = (what: string) => sum(`fluentbit_input_files_${what}_total`, 'name="tail');
  return {
    free: Math.min(100, ...valuesOf("fluentbit_output_chunk_available_capacity_percent")),
    errors: sum("fluentbit_logger_logs_total", 'message_type="error"'),
    records: sum("fluentbit_input_records_total", ""),
    waiting: sum("fluentbit_storage_fs_chunks_down", ""),
    bytes: sum("fluentbit_input_bytes_total", 'name="tail'),
    open: files("opened") - files("closed"),
  };
}
