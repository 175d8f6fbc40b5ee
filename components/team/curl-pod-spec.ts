import type * as pulumi from "@pulumi/pulumi";
import { CLUSTER_DOMAIN } from "eks-dns-logging-corefile";
import type { PodDns } from "../dns/resolver.ts";
import {
  CURL_USER,
  configurationVariable,
  containerResources,
  containerSecurity,
  filesHash,
  NGINX_USER,
  type SidecarParts,
} from "../kubernetes/container.ts";
import { LINUX_NODES } from "../kubernetes/daemon-nodes.ts";
import { type IpFamily, nginxListen } from "../kubernetes/ip-family.ts";
import { teamNamespace } from "../kubernetes/labels.ts";
import { CURL_POD, type CurlPodSettings } from "./settings.ts";

// Names that users type in the lab: `kubectl -n ts-team exec curl-ts -- curl curl-sa.sa-team`. They are derived from the team's
// name alone, without a generated suffix.

/** Container of the curl pod for users; the default of `kubectl exec` and `logs`. */
export const CURL_CONTAINER = "curl";
/** HTTP server beside it. */
const RESPONDER_CONTAINER = "responder";
/** Port of the responder and its Service; `curl http://NAME` uses it. */
export const RESPONDER_PORT = 80;

/** Name of a team's curl pod, its Service and its label `app`: `ts` gives `curl-ts`. */
export function curlPodName(team: string): string {
  return `curl-${team}`;
}

/** Full DNS name of a team's Service: `ts` gives `curl-ts.ts-team.svc.cluster.local`. */
export function curlServiceName(team: string, clusterDomain = CLUSTER_DOMAIN): string {
  return `${curlPodName(team)}.${teamNamespace(team)}.svc.${clusterDomain}`;
}

/** Names of a team's Service in other namespaces: `curl-ts.ts-team` and the full one. */
export function curlServiceNames(team: string, clusterDomain?: string): string[] {
  return [`${curlPodName(team)}.${teamNamespace(team)}`, curlServiceName(team, clusterDomain)];
}

/** The curl pod's settings; images may be outputs, such as from a mirror. */
type PodSettings = Pick<CurlPodSettings, "lifetime" | "ndots"> & {
  readonly image: pulumi.Input<string>;
  readonly responderImage: pulumi.Input<string>;
};

const RESOURCES = containerResources(CURL_POD);

/**
 * The responder's nginx.conf: each response says which pod answers whom, and each request is logged to stdout. Health checks are not
 * logged, so that the log only has users' requests. nginx writes to /tmp alone.
 * @param logFolder Folder for a copy of the access log, for a sidecar. Default: none.
 * @param ipFamily The cluster's. Default: ipv4.
 */
export function responderConfig(logFolder?: string, ipFamily?: IpFamily): string {
  return `# Answers every request with the pod's name, and logs it to stdout.
worker_processes 1;
pid /tmp/nginx.pid;
error_log /dev/stderr warn;
events { worker_connections 256; }
http {
  client_body_temp_path /tmp/client_temp;
  proxy_temp_path /tmp/proxy_temp;
  fastcgi_temp_path /tmp/fastcgi_temp;
  uwsgi_temp_path /tmp/uwsgi_temp;
  scgi_temp_path /tmp/scgi_temp;
  access_log /dev/stdout combined;
${logFolder === undefined ? "" : `  access_log ${logFolder}/access.log combined;\n`}  default_type text/plain;
  server_tokens off;
  server {
    listen ${nginxListen(ipFamily, RESPONDER_PORT)};
    location = /healthz { access_log off; return 204; }
    location / { return 200 "$hostname answers $remote_addr from $server_addr\\n"; }
  }
}
`;
}

/**
 * The lab's pod: a shell with curl and ping that completes after its lifetime, and a responder.
 *
 * - The responder is a native sidecar (an init container that keeps running), so it serves from the start and lets the pod
 *   complete.
 * - It listens on port 80, since a pod's own hostname resolves to its own address, not to the Service: `curl http://curl-ts` in
 *   curl-ts needs port 80 of the pod itself. The first sysctl lets a user bind it without a capability.
 * - The second sysctl lets all groups ping without NET_RAW. Both are "safe", so "restricted" allows them.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
 * @see https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/#safe-and-unsafe-sysctls
 */
export function curlPodSpec<C = never, V = never>(
  team: string,
  settings: PodSettings,
  names: { serviceAccount: pulumi.Input<string>; configMap: string; ipFamily?: IpFamily | undefined },
  sidecar?: SidecarParts<C, V>,
  dns?: PodDns,
) {
  const tmp = { name: "tmp", mountPath: "/tmp" };
  const logs = sidecar === undefined ? [] : [sidecar.applicationMount];
  const configuration = filesHash({
    "nginx.conf": responderConfig(sidecar?.applicationMount.mountPath, names.ipFamily),
  });
  return {
    restartPolicy: "Never",
    serviceAccountName: names.serviceAccount,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    hostname: curlPodName(team),
    // The shell ends at once; the rest is for nginx and a sidecar.
    terminationGracePeriodSeconds: sidecar?.graceSeconds ?? 5,
    securityContext: {
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
      sysctls: [
        { name: "net.ipv4.ip_unprivileged_port_start", value: "0" },
        { name: "net.ipv4.ping_group_range", value: "0 2147483647" },
      ],
    },
    ...resolver(team, settings.ndots, dns),
    nodeSelector: LINUX_NODES,
    affinity: apartFromOtherCurlPods(),
    initContainers: [
      // First, so that it reads every line and stops last.
      ...(sidecar === undefined ? [] : [sidecar.container]),
      {
        name: RESPONDER_CONTAINER,
        image: settings.responderImage,
        imagePullPolicy: "IfNotPresent",
        restartPolicy: "Always",
        command: ["nginx", "-e", "/dev/stderr", "-c", "/etc/responder/nginx.conf", "-g", "daemon off;"],
        env: [configurationVariable(configuration)],
        ports: [{ name: "http", containerPort: RESPONDER_PORT, protocol: "TCP" }],
        startupProbe: { httpGet: { path: "/healthz", port: "http" }, periodSeconds: 1, failureThreshold: 30 },
        readinessProbe: { httpGet: { path: "/healthz", port: "http" }, periodSeconds: 5 },
        securityContext: containerSecurity({ user: NGINX_USER }),
        resources: RESOURCES,
        volumeMounts: [tmp, ...logs, { name: "responder", mountPath: "/etc/responder", readOnly: true }],
      },
    ],
    containers: [
      {
        name: CURL_CONTAINER,
        image: settings.image,
        imagePullPolicy: "IfNotPresent",
        command: ["sh", "-c", sleeping(settings.lifetime)],
        securityContext: containerSecurity({ user: CURL_USER }),
        resources: RESOURCES,
        volumeMounts: [tmp, ...logs],
      },
    ],
    volumes: [
      { name: "tmp", emptyDir: { sizeLimit: "16Mi" } },
      { name: "responder", configMap: { name: names.configMap } },
      ...(sidecar === undefined ? [] : sidecar.volumes),
    ],
  };
}

/**
 * A shell script that completes after the lifetime, and ends at once with exit code 143 if the pod is deleted. `sleep` alone would be the
 * container's PID 1, which ignores SIGTERM, and delay each deletion by the whole grace period.
 */
function sleeping(lifetime: PodSettings["lifetime"]): string {
  return `trap : TERM; sleep ${lifetime} & wait $!`;
}

/**
 * The pod's resolv.conf. Custom servers require policy None, since ClusterFirst would put them after kube-dns; the search list is
 * then the same as ClusterFirst's.
 * @see https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-dns-config
 */
function resolver(team: string, ndots: number, dns: PodDns | undefined) {
  const options = [{ name: "ndots", value: String(ndots) }];
  if (dns === undefined) return { dnsConfig: { options } };
  const services = `svc.${dns.clusterDomain}`;
  const searches = [`${teamNamespace(team)}.${services}`, services, dns.clusterDomain];
  return { dnsPolicy: "None", dnsConfig: { nameservers: [...dns.nameservers], searches, options } };
}

/** Prefers a different node than other teams' curl pods, so that the lab's pings cross the network if possible. */
function apartFromOtherCurlPods() {
  return {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 100,
          podAffinityTerm: {
            topologyKey: "kubernetes.io/hostname",
            namespaceSelector: {},
            labelSelector: { matchLabels: { "app.kubernetes.io/name": "curl" } },
          },
        },
      ],
    },
  };
}
