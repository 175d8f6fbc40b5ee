import { dirname } from "node:path";
import { TEMPLATE_NAME } from "./template.ts";

const OPENSEARCH_IMAGE = "docker.io/opensearchproject/opensearch:3.8.0";
const DASHBOARDS_IMAGE = "docker.io/opensearchproject/opensearch-dashboards:3.8.0";
/** Writes the index template; any image with curl and a shell will do. */
const CURL_IMAGE = "docker.io/curlimages/curl:8.17.0";
export const OPENSEARCH_PORT = 9200;
export const DASHBOARDS_PORT = 5601;
/** File that says that the template stands. */
const TEMPLATE_WRITTEN = "/run/template/written";
/** User and group of both images. */
const OPENSEARCH_USER = 1000;

const HARDENED = { allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: { drop: ["ALL"] } };
const POD_SECURITY = {
  runAsUser: OPENSEARCH_USER,
  runAsGroup: OPENSEARCH_USER,
  fsGroup: OPENSEARCH_USER,
  seccompProfile: { type: "RuntimeDefault" },
};

/**
 * A single OpenSearch node without its security plugin: reachable inside the cluster only, for looking at the result.
 *
 * The container beside it writes the index template each time the pod starts, and the pod is ready once the template
 * stands: so no line can make an index with other types before.
 * @see https://docs.opensearch.org/latest/install-and-configure/install-opensearch/docker/
 */
export function opensearchPodSpec(config: { readonly configMap: string; readonly storage: boolean }) {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: POD_SECURITY,
    // A node writes its translog to disk as it is asked to stop.
    terminationGracePeriodSeconds: 60,
    containers: [
      {
        name: "opensearch",
        image: OPENSEARCH_IMAGE,
        imagePullPolicy: "IfNotPresent",
        env: Object.entries({
          "discovery.type": "single-node",
          // Without it the node's kernel would need another vm.max_map_count.
          "node.store.allow_mmap": "false",
          DISABLE_INSTALL_DEMO_CONFIG: "true",
          // Another Java program in the container, which ends the node where it cannot write.
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
        // Not by asking the node for the template: on a volume it has that of the last pod.
        readinessProbe: { exec: { command: ["test", "-e", TEMPLATE_WRITTEN] }, periodSeconds: 2 },
        resources: { requests: { cpu: "5m", memory: "16Mi" }, limits: { memory: "64Mi" } },
        securityContext: { ...HARDENED, readOnlyRootFilesystem: true, runAsUser: 100, runAsGroup: 101 },
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

/** Tries until the node takes it, and then waits for the pod's end. */
function writeTemplate(): string {
  const url = `http://127.0.0.1:${OPENSEARCH_PORT}/_index_template/${TEMPLATE_NAME}`;
  return [
    `until curl -sS --fail-with-body -X PUT -H 'Content-Type: application/json' --data-binary @/etc/template/template.json '${url}'; do sleep 2; done`,
    `touch ${TEMPLATE_WRITTEN}`,
    "trap 'exit 0' TERM",
    "while true; do sleep 3600 & wait $!; done",
  ].join("\n");
}

/** OpenSearch Dashboards, on the node beside it. @see https://docs.opensearch.org/latest/install-and-configure/install-dashboards/docker/ */
export function dashboardsPodSpec(opensearchUrl: string) {
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
