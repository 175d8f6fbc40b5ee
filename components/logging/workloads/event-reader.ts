import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { filesHash } from "../../kubernetes/container.ts";
import { commonLabels } from "../../kubernetes/labels.ts";
import { EVENT_READER_NAME, LOGGING_NAMESPACE } from "../pipeline.ts";
import { collectorPodSpec } from "./collector-pod.ts";
import { type CollectorDaemonSetArgs, clusterRights } from "./daemon-set.ts";

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
    const { files } = args;
    const app = EVENT_READER_NAME;
    const metadata = { name: app, namespace: LOGGING_NAMESPACE, labels: commonLabels(app) };
    const own = { parent: this, dependsOn: [...args.dependsOn], deleteBeforeReplace: true };
    const account = new k8s.core.v1.ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      own,
    );
    const rules = [{ apiGroups: [""], resources: ["events"], verbs: ["get", "list", "watch"] }];
    const { binding } = clusterRights(name, app, rules, own);
    const config = new k8s.core.v1.ConfigMap(`${name}-config`, { metadata, data: files }, own);
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
          template: {
            metadata: {
              labels: commonLabels(app),
              annotations: { "eks-dns-logging/config": files.apply(filesHash) },
            },
            spec: collectorPodSpec({ ...args, apart: { name: app, stateLimit: args.stateLimit } }),
          },
        },
      },
      { ...own, dependsOn: [...args.dependsOn, account, config, binding] },
    );
    this.registerOutputs({ name: this.statefulSet.metadata.name });
  }
}
