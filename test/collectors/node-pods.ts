import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { KubernetesObject, V1Pod } from "@kubernetes/client-node";
import { CurlPodSettings } from "../../components/team/settings.ts";
import { TestCluster, until } from "../cluster/cluster.ts";

/** Namespace of the pods that write. */
export const NAMESPACE = "collector-node-test";
const LOGS = "/var/log/pods";

/** Lines of the container's first run: 23 MB over a minute, which the kubelet rotates at 10 MiB when it next looks. */
const FIRST = 66_000;
/** Lines of its second run, and those of them that the runtime divides in parts: 50 kB. */
const SECOND = 2000;
const LONG = 20;
/** Lines by the number of their marker. */
export const LINES: Readonly<Record<number, number>> = { 0: FIRST, 1: SECOND, 2: LONG };

/** Writes the lines that the receiver knows by their marker, fails once, and goes on when it is started again. */
const SCRIPT = `
pad=$(printf '%0330d' 0)
long=$(printf '%050000d' 0)
if [ ! -e /state/ran ]; then
  touch /state/ran
  i=0
  while [ $i -lt ${FIRST} ]; do
    echo "f0 s$i $pad"
    i=$((i + 1))
    if [ $((i % 1200)) -eq 0 ]; then sleep 1; fi
  done
  exit 1
fi
i=0
while [ $i -lt ${SECOND} ]; do echo "f1 s$i $pad" >&2; i=$((i + 1)); done
i=0
while [ $i -lt ${LONG} ]; do echo "f2 s$i $long"; i=$((i + 1)); done
sleep 1
`;

/** Pods that write on the node that this machine is. */
export class NodePods {
  readonly #cluster: TestCluster;
  readonly #rotated = new Set<string>();
  readonly #namespace: KubernetesObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };

  private constructor(cluster: TestCluster) {
    this.#cluster = cluster;
  }

  /** @returns in words why there are none: no cluster, or one whose node is another machine. */
  static async find(): Promise<NodePods | string> {
    if (process.env.KUBECONFIG === undefined) return "no cluster, KUBECONFIG is not set";
    if (!existsSync(LOGS)) return `this machine is no node, it has no ${LOGS}`;
    const pods = new NodePods(new TestCluster());
    await pods.#cluster.apply(pods.#namespace);
    return pods;
  }

  /** @returns the name of the pod, once this machine has its file. */
  async start(name: string): Promise<string> {
    const pod = podOf(`writer-${name}`);
    await this.#cluster.remove(pod);
    await this.#cluster.apply(pod);
    await until(`${LOGS} has a file of ${name}`, async () => this.#files(`writer-${name}`).length > 0);
    return `writer-${name}`;
  }

  async hasEnded(name: string): Promise<boolean> {
    if (this.#files(name).some((file) => /^0\.log\.\d{8}-\d{6}/.test(file))) this.#rotated.add(name);
    return (await this.#cluster.pod(NAMESPACE, name)).status?.phase === "Succeeded";
  }

  /** Whether the kubelet was seen to put a file of the pod aside; it deletes them soon after the container has started again. */
  wasRotated(name: string): boolean {
    return this.#rotated.has(name);
  }

  async remove(): Promise<void> {
    await this.#cluster.remove(this.#namespace);
  }

  #files(name: string): string[] {
    const folder = readdirSync(LOGS).find((found) => found.startsWith(`${NAMESPACE}_${name}_`));
    const container = folder === undefined ? undefined : join(LOGS, folder, "writer");
    return container === undefined || !existsSync(container) ? [] : readdirSync(container);
  }
}

function podOf(name: string): V1Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: NAMESPACE },
    spec: {
      restartPolicy: "OnFailure",
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: "writer",
          image: CurlPodSettings.parse({}).image,
          command: ["sh", "-c", SCRIPT],
          volumeMounts: [{ name: "state", mountPath: "/state" }],
        },
      ],
      volumes: [{ name: "state", emptyDir: {} }],
    },
  };
}
