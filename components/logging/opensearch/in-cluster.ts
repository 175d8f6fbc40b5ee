import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { filesHash } from "../../kubernetes/container.ts";
import { commonLabels } from "../../kubernetes/labels.ts";
import { LOGGING_NAMESPACE } from "../pipeline.ts";
import { DASHBOARDS_PORT, dashboardsPodSpec, OPENSEARCH_PORT, opensearchPodSpec } from "./pod-specs.ts";
import { everyIndexTemplate } from "./template.ts";

/** OpenSearch with its dashboards in the cluster itself. */
export interface InClusterOpenSearchArgs {
  /** Size of the data volume, such as `10Gi`; undefined for none, and then the data goes with the pod. */
  readonly storage: string | undefined;
  /** StorageClass of the volume; undefined for the cluster's default. */
  readonly storageClass: string | undefined;
  /** What must exist before its pod. */
  readonly dependsOn: readonly pulumi.Resource[];
}

const OPENSEARCH = "opensearch";
const DASHBOARDS = "opensearch-dashboards";

/** A single-node OpenSearch with its Dashboards and the index template, to look at the logs on a laptop. */
export class InClusterOpenSearch extends pulumi.ComponentResource {
  /** The node is ready, and has the template, once this is made. */
  readonly statefulSet: k8s.apps.v1.StatefulSet;

  constructor(name: string, args: InClusterOpenSearchArgs, options: pulumi.ComponentResourceOptions) {
    super("eks-dns-logging:logging:InClusterOpenSearch", name, {}, options);
    const own = { parent: this, dependsOn: [...args.dependsOn], deleteBeforeReplace: true };
    const template = JSON.stringify(everyIndexTemplate(), null, 2);
    const config = new k8s.core.v1.ConfigMap(
      `${name}-template`,
      { metadata: metadata(OPENSEARCH, "opensearch-template"), data: { "template.json": template } },
      own,
    );
    const service = this.#service(name, OPENSEARCH, OPENSEARCH_PORT, own);
    this.statefulSet = new k8s.apps.v1.StatefulSet(
      `${name}-node`,
      {
        metadata: metadata(OPENSEARCH),
        spec: {
          serviceName: OPENSEARCH,
          replicas: 1,
          selector: { matchLabels: selector(OPENSEARCH) },
          template: {
            // The template is written as the pod starts, so that another one needs another pod.
            metadata: {
              labels: commonLabels(OPENSEARCH),
              annotations: { "eks-dns-logging/config": filesHash({ template }) },
            },
            spec: opensearchPodSpec({ configMap: "opensearch-template", storage: args.storage !== undefined }),
          },
          ...(args.storage === undefined ? {} : { volumeClaimTemplates: [dataClaim(args.storage, args.storageClass)] }),
          // The volume outlives the set: a change that replaces it takes no logs away.
          persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
        },
      },
      { ...own, dependsOn: [config, service, ...args.dependsOn] },
    );
    this.#dashboards(name, own);
    this.registerOutputs({ service: service.metadata.name });
  }

  #dashboards(name: string, options: pulumi.CustomResourceOptions & { dependsOn: pulumi.Resource[] }): void {
    this.#service(`${name}-dashboards`, DASHBOARDS, DASHBOARDS_PORT, options);
    new k8s.apps.v1.Deployment(
      `${name}-dashboards`,
      {
        metadata: metadata(DASHBOARDS),
        spec: {
          replicas: 1,
          selector: { matchLabels: selector(DASHBOARDS) },
          template: {
            metadata: { labels: commonLabels(DASHBOARDS) },
            spec: dashboardsPodSpec(`http://${OPENSEARCH}:${OPENSEARCH_PORT}`),
          },
        },
      },
      { ...options, dependsOn: [...options.dependsOn, this.statefulSet] },
    );
  }

  #service(name: string, app: string, port: number, options: pulumi.CustomResourceOptions): k8s.core.v1.Service {
    return new k8s.core.v1.Service(
      `${name}-service`,
      {
        // Waiting for an endpoint would wait for a pod that is made after it.
        metadata: { ...metadata(app), annotations: { "pulumi.com/skipAwait": "true" } },
        spec: {
          type: "ClusterIP",
          selector: selector(app),
          ports: [{ name: "http", port, targetPort: port, protocol: "TCP" }],
        },
      },
      options,
    );
  }
}

function metadata(app: string, name: string = app) {
  return { name, namespace: LOGGING_NAMESPACE, labels: commonLabels(app) };
}

function selector(app: string): Record<string, string> {
  return { "app.kubernetes.io/name": app };
}

function dataClaim(storage: string, storageClassName: string | undefined) {
  return {
    metadata: { name: "data" },
    spec: {
      accessModes: ["ReadWriteOnce"],
      ...(storageClassName === undefined ? {} : { storageClassName }),
      resources: { requests: { storage } },
    },
  };
}
