import type * as pulumi from "@pulumi/pulumi";
import { containerResources, containerSecurity } from "../../kubernetes/container.ts";
import { daemonNodes, LINUX_NODES } from "../../kubernetes/daemon-nodes.ts";
import { type Collector, imageFor, type Probe, type Rendered } from "../collectors/collector.ts";
import { destinationSecrets } from "../destinations/destination-secrets.ts";
import type { Destination } from "../destinations/destination-settings.ts";
import { NODE_VARIABLE, withName } from "../pipeline.ts";
import type { LoggingSettings } from "../settings.ts";
import { JOURNAL_FOLDER } from "../sources/source.ts";

/** User of pods that read nothing from their node. */
const NOBODY = { runAsUser: 65_532, runAsGroup: 65_532 };

/** A destination, and its name if it is one of several. */
export interface NamedTarget {
  readonly name: string | undefined;
  readonly destination: Destination;
}

/** Inputs of a collector's pod. */
export interface CollectorPodArgs {
  /** Collector that runs. */
  readonly collector: Collector;
  /** Arguments of its entry point. */
  readonly args: Rendered["args"];
  /** Variables besides the node's name. @default none */
  readonly environment?: Rendered["environment"] | undefined;
  /** Destinations of the logs; with several, each has the container of its name. */
  readonly destinations: readonly NamedTarget[];
  /** Containers that each send to one of several destinations. @default none: the collector itself sends */
  readonly senders?: Rendered["senders"] | undefined;
  /** Whether it reads the node's journal. @default false */
  readonly journal?: boolean | undefined;
  /**
   * For a pod without root that uses nothing of its node: the name of its service account and configuration, and the limit of its buffer's
   * volume, as a quantity.
   * @default it reads the node's files
   */
  readonly standalone?: { readonly name: string; readonly stateLimit: string } | undefined;
  /** @default those of the collector */
  readonly resources?: LoggingSettings["resources"];
  /** @default that of the collector */
  readonly image?: pulumi.Input<string> | undefined;
}

/**
 * The pod of a collector on a node. It runs as root, since only root can read the kubelet's log files, but without capabilities: as their
 * owner it needs none. Logs are mounted read-only; only its own state is writable. An event reader runs as nobody.
 */
export function collectorPodSpec({
  collector,
  args,
  environment = {},
  destinations,
  senders = [],
  journal = false,
  standalone,
  image,
  ...own
}: CollectorPodArgs) {
  const name = standalone?.name ?? collector.id;
  const folders = nodeFolders(collector, journal, standalone === undefined);
  const parts = destinations.map((target) => ({ ...partsOf(collector, target), name: target.name }));
  // Senders get what their destinations need; the collector itself the rest.
  const collectorParts = parts.filter((part) => !senders.some((sender) => sender.name === part.name));
  const env = [
    { name: NODE_VARIABLE, valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
    ...Object.entries(environment).map(([variable, value]) => ({ name: variable, value })),
  ];
  const mounts = [
    { name: "config", mountPath: collector.configFolder, readOnly: true },
    { name: "state", mountPath: collector.stateFolder },
    { name: "tmp", mountPath: "/tmp" },
  ];
  const common = {
    image: image ?? defaultImage(collector, destinations, journal),
    imagePullPolicy: "IfNotPresent",
    command: collector.command && [...collector.command],
    resources: containerResources({ ...collector.resources, ...own.resources }),
    securityContext: containerSecurity(standalone === undefined ? { root: true } : { user: NOBODY }),
  };
  const collectorContainer = {
    ...common,
    name: collector.id,
    args: [...args],
    env: [...env, ...collectorParts.flatMap((part) => part.env)],
    ports: portsOf(collector.ports),
    ...probes(collector),
    volumeMounts: [
      ...mounts,
      ...folders.map((folder) => ({ name: folder.name, mountPath: folder.path, readOnly: true })),
      ...collectorParts.flatMap((part) => part.volumeMounts),
    ],
  };
  const senderContainers = senders.map((sender) => {
    const { env: variables, volumeMounts } = parts.find((part) => part.name === sender.name) ?? NO_PARTS;
    return {
      ...common,
      name: `${collector.id}-${sender.name}`,
      args: [...sender.args],
      env: [...env, ...variables],
      ports: portsOf(sender.ports),
      ...probes(sender),
      volumeMounts: [...mounts, ...volumeMounts],
    };
  });
  return {
    serviceAccountName: name,
    automountServiceAccountToken: standalone !== undefined || collector.apiRules.length > 0,
    enableServiceLinks: false,
    // Precedence over the teams' pods: a node under pressure keeps its collector.
    ...(standalone === undefined
      ? { priorityClassName: "system-node-critical", tolerations: [{ operator: "Exists" }], ...daemonNodes() }
      : { priorityClassName: "system-cluster-critical", nodeSelector: LINUX_NODES }),
    // Longer than the collector's grace period, or it would be killed while flushing.
    terminationGracePeriodSeconds: collector.graceSeconds + 10,
    securityContext: {
      seccompProfile: { type: "RuntimeDefault" },
      ...(standalone === undefined ? {} : { runAsNonRoot: true, fsGroup: NOBODY.runAsGroup }),
    },
    containers: [collectorContainer, ...senderContainers],
    volumes: [
      ...ownVolumes(name, standalone),
      ...folders.map((folder) => ({ name: folder.name, hostPath: { path: folder.path, type: "Directory" } })),
      ...parts.flatMap((part) => part.volumes),
    ],
  };
}

/** A collector's probes, for a container. */
export function probes({ liveness, readiness }: Pick<Collector, "liveness" | "readiness">) {
  const probeOf = ({ path, port, timeoutSeconds }: Probe) => ({ httpGet: { path, port }, timeoutSeconds });
  return {
    livenessProbe: liveness && {
      ...probeOf(liveness),
      initialDelaySeconds: 10,
      periodSeconds: Math.max(15, liveness.timeoutSeconds ?? 1),
      failureThreshold: 4,
    },
    ...(readiness && { readinessProbe: { ...probeOf(readiness), periodSeconds: 5, failureThreshold: 3 } }),
  };
}

/** The default image of the collector. */
function defaultImage(collector: Collector, destinations: readonly NamedTarget[], journal: boolean): string {
  const [only] = destinations;
  const image = only === undefined ? collector.image : imageFor(collector, only.destination);
  return (journal ? collector.journal?.image : undefined) ?? image;
}

/** Node folders that the collector reads: pod logs, the journal, and programs that read it. */
function nodeFolders({ journal: reader }: Collector, journal: boolean, pods: boolean) {
  return [
    ...(pods ? ["pods", "containers"] : []).map((name) => ({ name, path: `/var/log/${name}` })),
    ...(journal ? [{ name: "journal", path: JOURNAL_FOLDER }] : []),
    ...(journal ? (reader?.nodeFolders ?? []) : []).map((path) => ({ name: `node${path.replaceAll("/", "-")}`, path })),
  ];
}

/** Configuration, state and temporary files. */
function ownVolumes(name: string, standalone: CollectorPodArgs["standalone"]) {
  return [
    { name: "config", configMap: { name } },
    standalone === undefined
      ? { name: "state", hostPath: { path: stateOnNode(name), type: "DirectoryOrCreate" } }
      : { name: "state", emptyDir: { sizeLimit: standalone.stateLimit } },
    { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
  ];
}

/** Buffers and read positions of a collector on its node; they outlive its pods. */
function stateOnNode(id: string): string {
  return `/var/lib/eks-dns-logging/${id}`;
}

const NO_PARTS = { env: [], volumeMounts: [] };

/** What a destination adds to its sender's container, and to the pod. */
function partsOf(collector: Collector, { name, destination }: NamedTarget) {
  const secrets = destinationSecrets(collector, destination, name === undefined ? "" : `${name}-`, name);
  const folder = withName("destination", name);
  const file = destination.kind === "file" ? [{ name: folder, path: destination.path }] : [];
  return {
    env: secrets.env,
    volumeMounts: [...file.map(({ path }) => ({ name: folder, mountPath: path })), ...secrets.volumeMounts],
    volumes: [
      ...file.map(({ path }) => ({ name: folder, hostPath: { path, type: "DirectoryOrCreate" } })),
      ...secrets.volumes,
    ],
  };
}

function portsOf(ports: Collector["ports"]) {
  return Object.entries(ports).map(([name, containerPort]) => ({ name, containerPort, protocol: "TCP" }));
}
