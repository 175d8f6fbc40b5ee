import { readFileSync } from "node:fs";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { CLUSTER_DOMAIN } from "eks-dns-logging-corefile";
import { dnsAccess } from "../dns/endpoints.ts";
import { clusterDomainOf } from "../dns/resolver.ts";
import { CURL_USER, containerResources, containerSecurity, filesHash, NGINX_USER } from "../kubernetes/container.ts";
import { daemonNodes } from "../kubernetes/daemon-nodes.ts";
import { type IpFamily, nginxListen } from "../kubernetes/ip-family.ts";
import { commonLabels, podSecurityLabels } from "../kubernetes/labels.ts";
import { type EgressRule, type Peer, podsOfNamespace } from "../kubernetes/network-policy.ts";
import { destinationEgress } from "../logging/destinations/transport.ts";
import { type DnsContext, dnsRule } from "../team/network-policies.ts";
import { CANARY_NAMESPACE, CANARY_PORT } from "./scrape-targets.ts";
import type { MonitoringSettings } from "./settings.ts";
import { type CanaryDestination, canaryDestination, type Watched } from "./watched-stack.ts";

const SCRIPT = readFileSync(new URL("./canary.sh", import.meta.url), "utf8");
const STATE = "/run/canary";
const SELECTOR = { "app.kubernetes.io/name": "canary" };

/**
 * The canary on each node, in its own namespace with Pod Security "restricted".
 * @param dnsAddresses DNS addresses besides the CoreDNS pods.
 * @param ipFamily The cluster's. Default: ipv4.
 */
export function makeCanary(
  name: string,
  { settings, parts, stack }: Watched,
  dnsAddresses: readonly string[],
  ipFamily: IpFamily | undefined,
  options: pulumi.CustomResourceOptions,
): void {
  const destination = canaryDestination(parts);
  // CloudWatch's agent does not scrape the canary.
  const scraper = settings.kind === "cloudwatch" ? undefined : settings.prometheus.namespace;
  const domain = clusterDomainOf(parts.dns) ?? CLUSTER_DOMAIN;
  const metadata = { name: "canary", namespace: CANARY_NAMESPACE, labels: commonLabels("canary") };
  const namespace = new k8s.core.v1.Namespace(
    `${name}-canary-namespace`,
    { metadata: { name: CANARY_NAMESPACE, labels: { ...commonLabels("canary"), ...podSecurityLabels() } } },
    options,
  );
  const inNamespace = { ...options, dependsOn: [namespace] };
  const policy = new k8s.networking.v1.NetworkPolicy(
    `${name}-canary-network`,
    {
      metadata,
      spec: canaryPolicy(scraper, destination, { dnsAddresses, ...dnsAccess(parts.dns) }, stack.loggingNamespace),
    },
    inNamespace,
  );
  const data = canaryFiles(ipFamily);
  const files = new k8s.core.v1.ConfigMap(`${name}-canary-files`, { metadata, data: { ...data } }, inNamespace);
  new k8s.apps.v1.DaemonSet(
    `${name}-canary-daemonset`,
    { metadata, spec: canarySpec(settings.canary, destination, domain, data) },
    { ...inNamespace, dependsOn: [namespace, policy, files] },
  );
}

/** Serves the file that the script writes. nginx writes to /tmp alone. */
const server = (ipFamily: IpFamily | undefined) => `worker_processes 1;
pid /tmp/nginx.pid;
error_log /dev/stderr warn;
events { worker_connections 64; }
http {
  client_body_temp_path /tmp/client_temp;
  proxy_temp_path /tmp/proxy_temp;
  fastcgi_temp_path /tmp/fastcgi_temp;
  uwsgi_temp_path /tmp/uwsgi_temp;
  scgi_temp_path /tmp/scgi_temp;
  access_log off;
  server_tokens off;
  default_type "text/plain; version=0.0.4";
  server {
    listen ${nginxListen(ipFamily, CANARY_PORT)};
    root ${STATE};
    location = /metrics { }
    location / { return 404; }
  }
}
`;

/** Files of the canary's ConfigMap. */
export function canaryFiles(ipFamily: IpFamily | undefined): Readonly<Record<string, string>> {
  return { "canary.sh": SCRIPT, "nginx.conf": server(ipFamily) };
}

/** The script's variables. */
function variables(settings: MonitoringSettings["canary"], destination: CanaryDestination, domain: string) {
  const common = {
    INSIDE_NAME: `kubernetes.default.svc.${domain}.`,
    OUTSIDE_NAME: `${settings.outsideName}.`,
    LOSS_AFTER: String(settings.lossAfter),
    DESTINATION: destination.kind,
  };
  switch (destination.kind) {
    case "search":
      return {
        ...common,
        SEARCH_URL: destination.url,
        SEARCH_INDEX: destination.index,
        SEARCH_OWN: destination.own ? "1" : "0",
      };
    case "loki":
      return { ...common, LOKI_URL: destination.url, LOKI_TENANT: destination.tenant ?? "" };
    case "none":
      return common;
  }
}

/** Spec of the canary's DaemonSet, whose pods meet Pod Security "restricted". */
function canarySpec(
  settings: MonitoringSettings["canary"],
  destination: CanaryDestination,
  domain: string,
  files: Readonly<Record<string, string>>,
) {
  const state = { name: "state", mountPath: STATE };
  const config = { name: "config", mountPath: "/etc/canary", readOnly: true };
  return {
    selector: { matchLabels: SELECTOR },
    template: {
      metadata: {
        labels: commonLabels("canary"),
        annotations: { "eks-dns-logging/config": filesHash(files) },
      },
      spec: {
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: 10,
        ...daemonNodes(),
        tolerations: [{ operator: "Exists" }],
        securityContext: {
          runAsNonRoot: true,
          fsGroup: NGINX_USER.runAsGroup,
          seccompProfile: { type: "RuntimeDefault" },
        },
        containers: [
          {
            name: "canary",
            image: settings.image,
            imagePullPolicy: "IfNotPresent",
            command: ["sh", "/etc/canary/canary.sh"],
            env: [
              { name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
              ...Object.entries(variables(settings, destination, domain)).map(([name, value]) => ({ name, value })),
            ],
            resources: containerResources({ cpu: "5m", memory: "16Mi", memoryLimit: "64Mi" }),
            securityContext: containerSecurity({ user: CURL_USER }),
            volumeMounts: [state, config],
          },
          {
            name: "metrics",
            image: settings.serverImage,
            imagePullPolicy: "IfNotPresent",
            command: ["nginx", "-g", "daemon off;", "-c", "/etc/canary/nginx.conf"],
            ports: [{ name: "metrics", containerPort: CANARY_PORT, protocol: "TCP" }],
            // Ready once the script has run all its checks.
            readinessProbe: { httpGet: { path: "/metrics", port: CANARY_PORT }, periodSeconds: 10 },
            resources: containerResources({ cpu: "5m", memory: "16Mi", memoryLimit: "64Mi" }),
            securityContext: containerSecurity({ user: NGINX_USER }),
            volumeMounts: [{ ...state, readOnly: true }, config, { name: "tmp", mountPath: "/tmp" }],
          },
        ],
        volumes: [
          { name: "state", emptyDir: { sizeLimit: "16Mi" } },
          { name: "tmp", emptyDir: { sizeLimit: "16Mi" } },
          { name: "config", configMap: { name: "canary" } },
        ],
      },
    },
  };
}

const ANYWHERE: Peer[] = [{ ipBlock: { cidr: "0.0.0.0/0" } }, { ipBlock: { cidr: "::/0" } }];

/**
 * Allows the canary's pods to be scraped, to look up names, and to query the API server and the destination of its lines.
 * @param scraper Namespace of Prometheus; undefined if none scrapes.
 * @param dns DNS servers besides CoreDNS's pods in kube-system.
 * @param loggingNamespace Namespace of the collectors, and of this stack's OpenSearch.
 */
export function canaryPolicy(
  scraper: string | undefined,
  destination: CanaryDestination,
  dns: DnsContext,
  loggingNamespace: string,
) {
  // The API server's addresses are not known in advance.
  const api: EgressRule = {
    to: ANYWHERE,
    ports: [
      { protocol: "TCP", port: 443 },
      { protocol: "TCP", port: 6443 },
      // minikube's, and MicroK8s's
      { protocol: "TCP", port: 8443 },
      { protocol: "TCP", port: 16_443 },
    ],
  };
  const lines =
    destination.kind === "none"
      ? []
      : destinationEgress(destination.at, { destinationCidrs: ["0.0.0.0/0", "::/0"] }, loggingNamespace);
  return {
    podSelector: {},
    policyTypes: ["Ingress", "Egress"],
    ingress:
      scraper === undefined
        ? []
        : [{ from: [podsOfNamespace(scraper)], ports: [{ protocol: "TCP", port: CANARY_PORT }] }],
    egress: [dnsRule(dns), api, ...lines],
  };
}
