import { basename } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import { containerResources, containerSecurity } from "../kubernetes/container.ts";
import { type Collector, imageFor, type Probe, type Rendered } from "./collectors/collector.ts";
import type { Credentials, Destination } from "./destination-settings.ts";
import {
  CA_FILE,
  CREDENTIALS_FOLDER,
  NODE_VARIABLE,
  PASSWORD_FILE,
  PASSWORD_VARIABLE,
  USER_FILE,
  USER_VARIABLE,
} from "./pipeline.ts";
import type { LoggingSettings } from "./settings.ts";

/** Buffers and read positions of a collector on its node; they outlive its pods. */
function stateOnNode(id: string): string {
  return `/var/lib/eks-dns-logging/${id}`;
}

/** What a collector's pod depends on. */
export interface CollectorPodArgs {
  /** Collector that runs. */
  readonly collector: Collector;
  /** Arguments of its entry point, and variables beside the node's name. */
  readonly args: Rendered["args"];
  /** More environment variables. @default none */
  readonly environment?: Rendered["environment"] | undefined;
  /** Where the logs go. */
  readonly destination: Destination;
  /** @default those of the collector */
  readonly resources?: LoggingSettings["resources"];
  /** @default that of the collector */
  readonly image?: pulumi.Input<string> | undefined;
}

/**
 * The pod of a collector on a node. It runs as root, since the kubelet's log files are root's alone, with no capability at all:
 * as their owner it needs none. Logs are mounted read-only; only its own state is writable.
 */
export function collectorPodSpec({ collector, args, environment = {}, destination, image, ...own }: CollectorPodArgs) {
  const resources = { ...collector.resources, ...own.resources };
  const secrets = destinationSecrets(collector, destination);
  const file =
    destination.kind === "file" ? [{ name: "destination", mountPath: destination.path, host: destination.path }] : [];
  return {
    serviceAccountName: collector.id,
    automountServiceAccountToken: collector.apiRules.length > 0,
    enableServiceLinks: false,
    // Before the teams' pods and after nothing: a node under pressure keeps its collector.
    priorityClassName: "system-node-critical",
    tolerations: [{ operator: "Exists" }],
    nodeSelector: { "kubernetes.io/os": "linux" },
    // Longer than the collector's own grace, or it would be killed while it hands over.
    terminationGracePeriodSeconds: collector.graceSeconds + 10,
    securityContext: { seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        name: collector.id,
        image: image ?? imageFor(collector, destination),
        imagePullPolicy: "IfNotPresent",
        ...(collector.command === undefined ? {} : { command: [...collector.command] }),
        args: [...args],
        env: [
          { name: NODE_VARIABLE, valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
          ...Object.entries(environment).map(([name, value]) => ({ name, value })),
          ...secrets.env,
        ],
        ports: Object.entries(collector.ports).map(([name, containerPort]) => ({
          name,
          containerPort,
          protocol: "TCP",
        })),
        ...probes(collector),
        resources: containerResources(resources),
        securityContext: containerSecurity({ root: true }),
        volumeMounts: [
          { name: "config", mountPath: collector.configFolder, readOnly: true },
          { name: "state", mountPath: collector.stateFolder },
          { name: "tmp", mountPath: "/tmp" },
          { name: "pods", mountPath: "/var/log/pods", readOnly: true },
          { name: "containers", mountPath: "/var/log/containers", readOnly: true },
          ...file.map(({ name, mountPath }) => ({ name, mountPath })),
          ...secrets.volumeMounts,
        ],
      },
    ],
    volumes: [
      { name: "config", configMap: { name: collector.id } },
      { name: "state", hostPath: { path: stateOnNode(collector.id), type: "DirectoryOrCreate" } },
      { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
      { name: "pods", hostPath: { path: "/var/log/pods", type: "Directory" } },
      { name: "containers", hostPath: { path: "/var/log/containers", type: "Directory" } },
      ...file.map(({ name, host }) => ({ name, hostPath: { path: host, type: "DirectoryOrCreate" } })),
      ...secrets.volumes,
    ],
  };
}

/** The probes that a collector has, as a container names them. */
export function probes({ liveness, readiness }: Pick<Collector, "liveness" | "readiness">) {
  const how = (probe: Probe) => ({
    ...("command" in probe
      ? { exec: { command: [...probe.command] } }
      : { httpGet: { path: probe.path, port: probe.port } }),
    ...(probe.timeoutSeconds === undefined ? {} : { timeoutSeconds: probe.timeoutSeconds }),
  });
  return {
    ...(liveness === undefined
      ? {}
      : {
          livenessProbe: {
            ...how(liveness),
            initialDelaySeconds: 10,
            periodSeconds: Math.max(15, liveness.timeoutSeconds ?? 1),
            failureThreshold: 4,
          },
        }),
    ...(readiness === undefined
      ? {}
      : { readinessProbe: { ...how(readiness), periodSeconds: 5, failureThreshold: 3 } }),
  };
}

/**
 * What brings a destination's user, password and authority from their Secrets to a collector's container: as it reads them best, in
 * variables or in files, and never in a ConfigMap.
 * @param volumePrefix Begins the names of the volumes. Default: nothing.
 * @see https://kubernetes.io/docs/concepts/configuration/secret/#use-cases
 */
export function destinationSecrets(
  { readsCredentials }: Pick<Collector, "readsCredentials">,
  destination: Destination,
  volumePrefix = "",
) {
  const credentials = "credentials" in destination ? destination.credentials : undefined;
  const inFiles = readsCredentials === "files" ? credentials : undefined;
  const caSecret = caSecretOf(destination);
  const [credentialsVolume, caVolume] = [`${volumePrefix}credentials`, `${volumePrefix}ca`];
  return {
    env: credentials === undefined || inFiles !== undefined ? [] : credentialVariables(credentials),
    volumeMounts: [
      ...(inFiles === undefined ? [] : [{ name: credentialsVolume, mountPath: CREDENTIALS_FOLDER, readOnly: true }]),
      ...(caSecret === undefined ? [] : [{ name: caVolume, mountPath: CA_FILE, subPath: "ca.crt", readOnly: true }]),
    ],
    volumes: [
      ...(inFiles === undefined ? [] : [{ name: credentialsVolume, secret: credentialFiles(inFiles) }]),
      ...(caSecret === undefined
        ? []
        : [{ name: caVolume, secret: { secretName: caSecret, items: [{ key: "ca.crt", path: "ca.crt" }] } }]),
    ],
  };
}

/** Name of the Secret with the authority that a destination's certificate is checked by; undefined for the public ones. */
function caSecretOf(destination: Destination): string | undefined {
  switch (destination.kind) {
    case "opensearch":
    case "elasticsearch":
      return destination.tls === false ? undefined : destination.tls?.caSecretName;
    case "http":
    case "loki":
      return destination.caSecretName;
    default:
      return undefined;
  }
}

function credentialVariables({ secretName, usernameKey, passwordKey }: Credentials) {
  const variable = (name: string, key: string) => ({
    name,
    valueFrom: { secretKeyRef: { name: secretName, key } },
  });
  return [variable(USER_VARIABLE, usernameKey), variable(PASSWORD_VARIABLE, passwordKey)];
}

function credentialFiles({ secretName, usernameKey, passwordKey }: Credentials) {
  const items = [
    { key: usernameKey, path: basename(USER_FILE) },
    { key: passwordKey, path: basename(PASSWORD_FILE) },
  ];
  return { secretName, items };
}
