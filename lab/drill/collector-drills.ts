import { CURL_USER, containerSecurity } from "../../components/kubernetes/container.ts";
import { teamNamespace } from "../../components/kubernetes/labels.ts";
import { type KubernetesJson, withField } from "../kubernetes/object-store.ts";
import {
  changePods,
  collectorPods,
  configuration,
  type Drill,
  type Fault,
  FLUENT_BIT,
  LOGS,
  loggingNamespace,
  onCollector,
  type Scene,
  teamObject,
  withElement,
  workload,
} from "./drill.ts";

const logsOfCollector = (scene: Scene) => onCollector(scene, "logs daemonset/fluent-bit --tail=20");

/** Changes the DaemonSet of the collector. */
function daemonSet(scene: Scene, change: (object: KubernetesJson) => KubernetesJson | undefined): Fault {
  return { kind: "change", ref: workload("daemonsets", loggingNamespace(scene), FLUENT_BIT), change };
}

/** What drills that change the DaemonSet share. Kubernetes keeps its old revisions. */
const PODS = {
  ...LOGS,
  history: (scene: Scene) => ({ apiVersion: "apps/v1", plural: "controllerrevisions", ...collectorPods(scene) }),
} as const;

const BUFFER = "/var/lib/fluent-bit/buffer";

/** Mounts a one-page disk over the buffer's folder. The folder's content stays on the node. */
function fullDisk(object: KubernetesJson): KubernetesJson | undefined {
  const mount = { name: "buffer", mountPath: BUFFER };
  const volume = { name: "buffer", emptyDir: { medium: "Memory", sizeLimit: "4Ki" } };
  return changePods(
    object,
    (container) => withElement(container, "volumeMounts", mount),
    (pods) => withElement(pods, "volumes", volume),
  );
}

/** A CPU limit that reads less than the writer writes. */
const SLOW = "20m";
const WRITER = "batch-report";
/** Lines of 300 bytes that the writer writes per second: 2.1 MB/s, which rotates its file every ten seconds. */
const LINES = 7_000;

function writer({ settings: { curlPod }, to }: Scene): Fault {
  const ref = teamObject("pods", to, WRITER);
  const line = `report ${"row ".repeat(73)}`;
  const container = {
    name: WRITER,
    image: curlPod.image,
    command: ["sh", "-c", `while :; do yes '${line}' | head -n ${LINES}; sleep 1; done`],
    resources: { requests: { cpu: "50m", memory: "16Mi" }, limits: { memory: "64Mi" } },
    securityContext: containerSecurity({ user: CURL_USER }),
  };
  const spec = {
    automountServiceAccountToken: false,
    containers: [container],
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    terminationGracePeriodSeconds: 1,
  };
  const metadata = { name: WRITER, namespace: ref.namespace, labels: { app: WRITER } };
  return { kind: "create", ref, object: { apiVersion: "v1", kind: "Pod", metadata, spec } };
}

/** Faults in the collector's node resources: disk, memory and CPU. */
export const COLLECTOR_DRILLS: readonly Drill[] = [
  {
    ...LOGS,
    name: "lines-again",
    level: 2,
    minutes: 10,
    symptom: () => 'Everybody: "Whenever a pod of the collector is replaced, all lines of its node arrive again."',
    shownBy: logsOfCollector,
    hints: (scene) => [
      "The collector starts at the beginning of each file: it does not know that it has already read it.",
      `It records in a file how far it has read. \`${onCollector(scene, "get configmap fluent-bit -o yaml")}\` names it: db.`,
      `\`${onCollector(scene, "describe daemonset fluent-bit")}\`: which volume is that path on, and does it outlive the pod?`,
    ],
    rows: () => [`state:${FLUENT_BIT}`],
    faults: (scene) => [
      configuration(scene, (text) => text.replaceAll(/^(\s+db:) \/var\/lib\/fluent-bit\//gm, "$1 /tmp/")),
    ],
    warning:
      "This drill resends the lines that are still on the node; a destination that does not recognize them keeps them twice.",
    cause: () => "The positions are in /tmp/positions.db, on a volume that goes with the pod.",
    repair: () => "Write db: /var/lib/fluent-bit/positions.db under inputs, and delete the pods of fluent-bit.",
    alert: "CanaryDuplicate",
  },
  {
    ...PODS,
    name: "lines-vanish",
    level: 3,
    minutes: 15,
    symptom: () =>
      'Everybody: "Most of our lines do not arrive. The destination is healthy, and the disks of the nodes have room."',
    shownBy: logsOfCollector,
    hints: (scene) => [
      "The collector reads the lines, and its log says what it cannot do with them.",
      "It writes each line to its buffer before it sends it. `storage.path` in ConfigMap fluent-bit is the folder.",
      `\`${onCollector(scene, "describe daemonset fluent-bit")}\`: which volume is mounted at that folder, and how large is it?`,
    ],
    rows: ({ from }) => [`collector:${from}`, `state:${FLUENT_BIT}`],
    faults: (scene) => [daemonSet(scene, fullDisk)],
    warning: "Lines that pods write during this drill are lost.",
    cause: () =>
      `A volume of 4 KiB is mounted at ${BUFFER}: one small chunk fits, and the lines beside it are lost with "No space left on device".`,
    repair: () => "Remove the volume buffer and its mount from the DaemonSet.",
    alert: "CollectorErrors",
  },
  {
    ...PODS,
    name: "lines-lag",
    level: 2,
    minutes: 15,
    symptom: ({ to }) => `Team ${to}: "Lines of ${WRITER} are minutes late, and later each time that we look."`,
    shownBy: ({ to }) => `kubectl -n ${teamNamespace(to)} logs ${WRITER} --tail=1 --timestamps`,
    hints: (scene) => [
      "The destination is healthy, and so is the collector. Which of them is slower than the pods?",
      `Compare how fast the pod writes with what the collector may use: \`${onCollector(scene, "describe daemonset fluent-bit")}\`.`,
      "A CPU limit throttles a program, also on an idle node.",
    ],
    rows: () => [`backlog:${FLUENT_BIT}`],
    faults: (scene) => [daemonSet(scene, slow), writer(scene)],
    warning: "A pod writes 2 MB/s during this drill; what the collector has not read takes up disk space.",
    cause: ({ to }) =>
      `The pod ${WRITER} in ${teamNamespace(to)} writes 2 MB/s, and the collector has a CPU limit of ${SLOW}: the kubelet rotates its file faster than it is read.`,
    repair: ({ to }) =>
      `Remove limits.cpu from the DaemonSet, or \`kubectl -n ${teamNamespace(to)} delete pod ${WRITER}\`.`,
    alert: "FilesRotateFast",
  },
];

function slow(object: KubernetesJson): KubernetesJson | undefined {
  return changePods(object, (container) => {
    const requests = withField(container, ["resources", "requests", "cpu"], SLOW);
    return withField(requests, ["resources", "limits", "cpu"], SLOW);
  });
}
