import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { filesHash } from "../../kubernetes/container.ts";
import { commonLabels } from "../../kubernetes/labels.ts";
import type { ApiRule, Collector } from "../collectors/collector.ts";
import { EVENT_READER_NAME } from "../pipeline.ts";
import { type CollectorPodArgs, collectorPodSpec } from "./collector-pod.ts";

/** A collector on every node. */
export interface CollectorDaemonSetArgs extends CollectorPodArgs {
  /** Its namespace. */
  readonly namespace: string;
  /** Its configuration: file name to text. */
  readonly files: pulumi.Output<Readonly<Record<string, string>>>;
  /** Prerequisites of the collector: namespace, AWS identity, destination. */
  readonly dependsOn: readonly pulumi.Resource[];
}

/**
 * A collector on every node: service account, minimal role, configuration and DaemonSet, and a Service if it receives from
 * applications.
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/
 */
export class CollectorDaemonSet extends pulumi.ComponentResource {
  readonly daemonSet: k8s.apps.v1.DaemonSet;

  constructor(name: string, args: CollectorDaemonSetArgs, options: pulumi.ComponentResourceOptions) {
    super("eks-dns-logging:logging:CollectorDaemonSet", name, {}, options);
    const { collector, files, namespace } = args;
    const app = collector.id;
    const metadata = { name: app, namespace, labels: commonLabels(app) };
    const childOptions = { parent: this, dependsOn: [...args.dependsOn], deleteBeforeReplace: true };

    const account = new k8s.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      childOptions,
    );
    const rights =
      collector.apiRules.length === 0
        ? []
        : Object.values(clusterRights(name, metadata, collector.apiRules, childOptions));
    receiverService(name, collector, metadata, childOptions);
    const config = new k8s.core.v1.ConfigMap(`${name}-config`, { metadata, data: files }, childOptions);
    this.daemonSet = new k8s.apps.v1.DaemonSet(
      `${name}-daemonset`,
      {
        metadata,
        spec: {
          selector: { matchLabels: { "app.kubernetes.io/name": app } },
          // One node at a time: an invalid configuration stops at the first one.
          updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
          template: podTemplate(app, args),
        },
      },
      { ...childOptions, dependsOn: [...args.dependsOn, account, config, ...rights] },
    );
    this.registerOutputs({ name: this.daemonSet.metadata.name });
  }
}

/** An event reader. */
interface EventReaderArgs extends CollectorDaemonSetArgs {
  /** Limit of its buffer's volume, as a quantity. */
  readonly stateLimit: string;
}

/**
 * The single pod that reads events of the Kubernetes API. A StatefulSet never runs two pods of the same name, not even while a node is
 * unreachable, so that each event is read once. It may only read events. Its position and its buffer last as long as the pod; a new
 * one starts with all events that the API server has.
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
 */
export class EventReader extends pulumi.ComponentResource {
  readonly statefulSet: k8s.apps.v1.StatefulSet;

  constructor(name: string, args: EventReaderArgs, options: pulumi.ComponentResourceOptions) {
    super("eks-dns-logging:logging:EventReader", name, {}, options);
    const { files, namespace } = args;
    const app = EVENT_READER_NAME;
    const metadata = { name: app, namespace, labels: commonLabels(app) };
    const childOptions = { parent: this, dependsOn: [...args.dependsOn], deleteBeforeReplace: true };
    const account = new k8s.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      childOptions,
    );
    const rules = [{ apiGroups: [""], resources: ["events"], verbs: ["get", "list", "watch"] }];
    const { binding } = clusterRights(name, metadata, rules, childOptions);
    const config = new k8s.core.v1.ConfigMap(`${name}-config`, { metadata, data: files }, childOptions);
    this.statefulSet = new k8s.apps.v1.StatefulSet(
      `${name}-statefulset`,
      {
        metadata,
        spec: {
          replicas: 1,
          // It has no network identity.
          serviceName: "",
          // The default never replaces a pod that does not start, such as one whose Secret is missing, even once its settings are right.
          podManagementPolicy: "Parallel",
          selector: { matchLabels: { "app.kubernetes.io/name": app } },
          template: podTemplate(app, { ...args, standalone: { name: app, stateLimit: args.stateLimit } }),
        },
      },
      { ...childOptions, dependsOn: [...args.dependsOn, account, config, binding] },
    );
    this.registerOutputs({ name: this.statefulSet.metadata.name });
  }
}

/** A new configuration starts new pods; a mounted ConfigMap alone would change under the running ones. */
function podTemplate(app: string, args: CollectorDaemonSetArgs) {
  return {
    metadata: {
      labels: commonLabels(app),
      annotations: { "eks-dns-logging/config": args.files.apply(filesHash) },
    },
    spec: collectorPodSpec(args),
  };
}

/** Grants rights in the whole cluster to a service account. */
function clusterRights(
  name: string,
  account: { readonly name: string; readonly namespace: string },
  rules: readonly ApiRule[],
  options: pulumi.CustomResourceOptions,
) {
  // Cluster-wide names have the project's prefix, to avoid collisions.
  const metadata = { name: `eks-dns-logging-${account.name}`, labels: commonLabels(account.name) };
  const role = new k8s.rbac.v1.ClusterRole(`${name}-role`, { metadata, rules: [...rules] }, options);
  const binding = new k8s.rbac.v1.ClusterRoleBinding(
    `${name}-binding`,
    {
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: metadata.name },
      subjects: [{ kind: "ServiceAccount", name: account.name, namespace: account.namespace }],
    },
    { ...options, dependsOn: role },
  );
  return { role, binding };
}

/**
 * A Service through which applications reach the collector of their own node, so that it only receives from its node's pods, and nothing
 * crosses the network. While that collector is replaced, their exporters wait and retry.
 * @see https://kubernetes.io/docs/concepts/services-networking/service-traffic-policy/
 */
function receiverService(
  name: string,
  { id, receives = {} }: Collector,
  metadata: { readonly name: string; readonly namespace: string; readonly labels: Record<string, string> },
  options: pulumi.CustomResourceOptions,
): k8s.core.v1.Service | undefined {
  const ports = Object.entries(receives).map(([port, number]) => ({
    name: port,
    port: number,
    targetPort: port,
    protocol: "TCP",
  }));
  if (ports.length === 0) return undefined;
  return new k8s.core.v1.Service(
    `${name}-receiver`,
    {
      // Waiting for endpoints would wait for a DaemonSet that is created later.
      metadata: { ...metadata, annotations: { "pulumi.com/skipAwait": "true" } },
      spec: {
        type: "ClusterIP",
        internalTrafficPolicy: "Local",
        selector: { "app.kubernetes.io/name": id },
        ports,
      },
    },
    options,
  );
}
