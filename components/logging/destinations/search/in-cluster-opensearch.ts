import { dirname } from "node:path";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { CURL_USER, containerSecurity, filesHash } from "../../../kubernetes/container.ts";
import { commonLabels } from "../../../kubernetes/labels.ts";
import { everyIndexTemplate, TEMPLATE_NAME } from "../../indexing/index-template.ts";

const OPENSEARCH_IMAGE = "docker.io/opensearchproject/opensearch:3.8.0";
const DASHBOARDS_IMAGE = "docker.io/opensearchproject/opensearch-dashboards:3.8.0";
/** Writes the index template; any image with curl and a shell works. */
const CURL_IMAGE = "docker.io/curlimages/curl:8.17.0";
const OPENSEARCH_PORT = 9200;
const DASHBOARDS_PORT = 5601;
/** Marks that the template is written. */
const TEMPLATE_WRITTEN = "/run/template/written";
/** User and group of both images. */
const OPENSEARCH_USER = 1000;

const HARDENED = containerSecurity({ writableRoot: true });
const POD_SECURITY = {
  runAsUser: OPENSEARCH_USER,
  runAsGroup: OPENSEARCH_USER,
  fsGroup: OPENSEARCH_USER,
  seccompProfile: { type: "RuntimeDefault" },
};

/** OpenSearch with Dashboards in the cluster. */
export interface InClusterOpenSearchArgs {
  /** Namespace of the collectors. */
  readonly namespace: string;
  /** Size of the data volume, such as `10Gi`; undefined for none: the data is then deleted with the pod. */
  readonly storage: string | undefined;
  /** StorageClass of the volume; undefined for the cluster's default. */
  readonly storageClass: string | undefined;
  /** Resources that must exist before its pod. */
  readonly dependsOn: readonly pulumi.Resource[];
}

const OPENSEARCH = "opensearch";
const DASHBOARDS = "opensearch-dashboards";

/** A single-node OpenSearch with Dashboards and the index template, to view logs on a laptop. */
export class InClusterOpenSearch extends pulumi.ComponentResource {
  /** Once created, the node is ready and has the template. */
  readonly statefulSet: k8s.apps.v1.StatefulSet;

  constructor(name: string, args: InClusterOpenSearchArgs, options: pulumi.ComponentResourceOptions) {
    super("eks-dns-logging:logging:InClusterOpenSearch", name, {}, options);
    const childOptions = { parent: this, dependsOn: [...args.dependsOn], deleteBeforeReplace: true };
    const template = JSON.stringify(everyIndexTemplate(), null, 2);
    const metadata = metadataIn(args.namespace);
    const config = new k8s.core.v1.ConfigMap(
      `${name}-template`,
      { metadata: metadata(OPENSEARCH, "opensearch-template"), data: { "template.json": template } },
      childOptions,
    );
    const service = this.#service(name, metadata(OPENSEARCH), OPENSEARCH_PORT, childOptions);
    this.statefulSet = new k8s.apps.v1.StatefulSet(
      `${name}-node`,
      {
        metadata: metadata(OPENSEARCH),
        spec: {
          serviceName: OPENSEARCH,
          replicas: 1,
          selector: { matchLabels: selector(OPENSEARCH) },
          template: {
            // The template is written at pod start, so a changed one requires a new pod.
            metadata: {
              labels: commonLabels(OPENSEARCH),
              annotations: { "eks-dns-logging/config": filesHash({ template }) },
            },
            spec: opensearchPodSpec({ configMap: "opensearch-template", storage: args.storage !== undefined }),
          },
          volumeClaimTemplates: args.storage === undefined ? undefined : [dataClaim(args.storage, args.storageClass)],
          // The volume outlives the set: replacing the set deletes no logs.
          persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
        },
      },
      { ...childOptions, dependsOn: [config, service, ...args.dependsOn] },
    );
    this.#dashboards(name, metadata(DASHBOARDS), childOptions);
    this.registerOutputs({ service: service.metadata.name });
  }

  #dashboards(
    name: string,
    metadata: Metadata,
    options: pulumi.CustomResourceOptions & { dependsOn: pulumi.Resource[] },
  ): void {
    this.#service(`${name}-dashboards`, metadata, DASHBOARDS_PORT, options);
    new k8s.apps.v1.Deployment(
      `${name}-dashboards`,
      {
        metadata,
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

  #service(name: string, metadata: Metadata, port: number, options: pulumi.CustomResourceOptions): k8s.core.v1.Service {
    return new k8s.core.v1.Service(
      `${name}-service`,
      {
        // Waiting for endpoints would wait for a pod that is created later.
        metadata: { ...metadata, annotations: { "pulumi.com/skipAwait": "true" } },
        spec: {
          type: "ClusterIP",
          selector: selector(metadata.name),
          ports: [{ name: "http", port, targetPort: port, protocol: "TCP" }],
        },
      },
      options,
    );
  }
}

type Metadata = ReturnType<ReturnType<typeof metadataIn>>;

/** Metadata of an app's object in a namespace. */
function metadataIn(namespace: string) {
  return (app: string, name: string = app) => ({ name, namespace, labels: commonLabels(app) });
}

function selector(app: string): Record<string, string> {
  return { "app.kubernetes.io/name": app };
}

function dataClaim(storage: string, storageClassName: string | undefined) {
  return {
    metadata: { name: "data" },
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName,
      resources: { requests: { storage } },
    },
  };
}

/**
 * A single OpenSearch node without the security plugin: only reachable inside the cluster, for evaluation.
 *
 * A second container writes the index template at each pod start, and the pod is only ready afterwards: so no line can create an index
 * with other types before.
 * @see https://docs.opensearch.org/latest/install-and-configure/install-opensearch/docker/
 */
function opensearchPodSpec(config: { readonly configMap: string; readonly storage: boolean }) {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: POD_SECURITY,
    // A node writes its translog to disk on shutdown.
    terminationGracePeriodSeconds: 60,
    containers: [
      {
        name: "opensearch",
        image: OPENSEARCH_IMAGE,
        imagePullPolicy: "IfNotPresent",
        env: Object.entries({
          "discovery.type": "single-node",
          // Else the node's kernel would need a higher vm.max_map_count.
          "node.store.allow_mmap": "false",
          DISABLE_INSTALL_DEMO_CONFIG: "true",
          // A second Java program, which stops the node if it cannot write.
          DISABLE_PERFORMANCE_ANALYZER_AGENT_CLI: "true",
          DISABLE_SECURITY_PLUGIN: "true",
          OPENSEARCH_JAVA_OPTS: "-Xms512m -Xmx512m",
        }).map(([name, value]) => ({ name, value })),
        ports: [{ name: "http", containerPort: OPENSEARCH_PORT, protocol: "TCP" }],
        startupProbe: { httpGet: { path: "/", port: OPENSEARCH_PORT }, periodSeconds: 5, failureThreshold: 60 },
        readinessProbe: { httpGet: { path: "/", port: OPENSEARCH_PORT }, periodSeconds: 5 },
        livenessProbe: { tcpSocket: { port: OPENSEARCH_PORT }, periodSeconds: 20, failureThreshold: 6 },
        resources: { requests: { cpu: "250m", memory: "1Gi" }, limits: { memory: "1536Mi" } },
        securityContext: HARDENED,
        volumeMounts: [{ name: "data", mountPath: "/usr/share/opensearch/data" }],
      },
      {
        name: "template",
        image: CURL_IMAGE,
        imagePullPolicy: "IfNotPresent",
        command: ["sh", "-c", writeTemplate()],
        // Not a query of the node for the template: a volume has that of the previous pod.
        readinessProbe: { exec: { command: ["test", "-e", TEMPLATE_WRITTEN] }, periodSeconds: 2 },
        resources: { requests: { cpu: "5m", memory: "16Mi" }, limits: { memory: "64Mi" } },
        securityContext: containerSecurity({ user: CURL_USER }),
        volumeMounts: [
          { name: "template", mountPath: "/etc/template", readOnly: true },
          { name: "written", mountPath: dirname(TEMPLATE_WRITTEN) },
        ],
      },
    ],
    volumes: [
      { name: "template", configMap: { name: config.configMap } },
      { name: "written", emptyDir: { sizeLimit: "1Mi" } },
      ...(config.storage ? [] : [{ name: "data", emptyDir: {} }]),
    ],
  };
}

/** Retries until the node accepts it, and then waits for the pod's end. */
function writeTemplate(): string {
  const url = `http://127.0.0.1:${OPENSEARCH_PORT}/_index_template/${TEMPLATE_NAME}`;
  return [
    `until curl -sS --fail-with-body -X PUT -H 'Content-Type: application/json' --data-binary @/etc/template/template.json '${url}'; do sleep 2; done`,
    `touch ${TEMPLATE_WRITTEN}`,
    "trap 'exit 0' TERM",
    "while true; do sleep 3600 & wait $!; done",
  ].join("\n");
}

/** OpenSearch Dashboards for the node. @see https://docs.opensearch.org/latest/install-and-configure/install-dashboards/docker/ */
function dashboardsPodSpec(opensearchUrl: string) {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: POD_SECURITY,
    containers: [
      {
        name: "dashboards",
        image: DASHBOARDS_IMAGE,
        imagePullPolicy: "IfNotPresent",
        env: [
          { name: "OPENSEARCH_HOSTS", value: JSON.stringify([opensearchUrl]) },
          { name: "DISABLE_SECURITY_DASHBOARDS_PLUGIN", value: "true" },
        ],
        ports: [{ name: "http", containerPort: DASHBOARDS_PORT, protocol: "TCP" }],
        readinessProbe: {
          httpGet: { path: "/api/status", port: DASHBOARDS_PORT },
          periodSeconds: 10,
          failureThreshold: 30,
        },
        resources: { requests: { cpu: "100m", memory: "512Mi" }, limits: { memory: "1Gi" } },
        securityContext: HARDENED,
      },
    ],
  };
}
