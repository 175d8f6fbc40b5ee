import type { KubernetesObject } from "@kubernetes/client-node";
import { containerSecurity } from "../../components/kubernetes/container.ts";
import { object } from "./dns-pods.ts";
import { CURL_IMAGE } from "./enforcement.ts";

const SERVER_IMAGE = "docker.io/nginxinc/nginx-unprivileged:1.29.8-alpine";

/** A pod that stands for another: with its labels, it listens on ports and asks others. */
export interface StandIn {
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly ports: readonly number[];
}

/** The objects of a stand-in, which Pod Security "restricted" admits. Its Service has its name, and leads port 80 to its first port. */
export function standInObjects({ namespace, name, labels, ports }: StandIn): KubernetesObject[] {
  const metadata = { name, namespace, labels: { app: name, ...labels } };
  const tmp = { name: "tmp", mountPath: "/tmp" };
  const resources = { requests: { cpu: "5m", memory: "16Mi" }, limits: { memory: "64Mi" } };
  const spec = {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        name: "curl",
        image: CURL_IMAGE,
        command: ["sleep", "3600"],
        securityContext: containerSecurity({ user: { runAsUser: 100, runAsGroup: 101 } }),
        resources,
      },
      {
        name: "server",
        image: SERVER_IMAGE,
        command: ["nginx", "-e", "/dev/stderr", "-c", "/etc/server/nginx.conf", "-g", "daemon off;"],
        readinessProbe: { tcpSocket: { port: ports[0] }, periodSeconds: 1 },
        securityContext: containerSecurity({ user: { runAsUser: 101, runAsGroup: 101 } }),
        resources,
        volumeMounts: [tmp, { name: "server", mountPath: "/etc/server" }],
      },
    ],
    volumes: [
      { name: "tmp", emptyDir: {} },
      { name: "server", configMap: { name } },
    ],
  };
  return [
    Object.assign(object("v1", "ConfigMap", name), { metadata, data: { "nginx.conf": serverConfiguration(ports) } }),
    Object.assign(object("v1", "Pod", name), { metadata, spec }),
    Object.assign(object("v1", "Service", name), {
      metadata,
      spec: { selector: { app: name }, ports: [{ port: 80, targetPort: ports[0] }] },
    }),
  ];
}

function serverConfiguration(ports: readonly number[]): string {
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((one) => `${one}_temp_path /tmp/${one};`);
  const listen = ports.map((port) => `listen ${port};`);
  return `pid /tmp/nginx.pid;
events {}
http {
  ${temp.join(" ")} access_log off;
  server { ${listen.join(" ")} location / { return 200; } }
}
`;
}
