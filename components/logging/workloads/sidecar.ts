import type * as pulumi from "@pulumi/pulumi";
import {
  type ApplicationPod,
  configurationVariable,
  containerResources,
  containerSecurity,
  filesHash,
  type SidecarParts,
} from "../../kubernetes/container.ts";
import type { EgressRule } from "../../kubernetes/network-policy.ts";
import type { SettingsIssue } from "../../schema/errors.ts";
import { amount } from "../../schema/values.ts";
import { type Collector, imageFor, type Rendered } from "../collectors/collector.ts";
import { destinationSecrets } from "../destinations/destination-secrets.ts";
import { awsIdentitySetting } from "../destinations/destination-settings.ts";
import { destinationEgress, isAtService, needsCidrs } from "../destinations/transport.ts";
import { APPLICATION_LOGS, type DestinationContext, logPipeline, NODE_VARIABLE } from "../pipeline.ts";
import { onlyDestination } from "../routing/routes.ts";
import type { LoggingSettings } from "../settings.ts";
import { probes } from "./collector-pod.ts";

/** User and group of a sidecar: nobody, as "restricted" requires, whatever its image's default. */
const NOBODY = { runAsUser: 65_534, runAsGroup: 65_534 };
/** Unread lines are lost with the pod, and count against its node's disk. */
const MAX_APPLICATION_LOGS = "128Mi";

/** Prefix of its volumes' names, beside those of the application. */
const VOLUME_PREFIX = "collector-";

/** A collector beside an application that reads its files from a shared volume. */
export interface Sidecar {
  readonly collector: Collector;
  /** Egress rules that its destination needs. */
  readonly egress: readonly EgressRule[];
  parts(
    pod: ApplicationPod,
    configMap: string,
  ): SidecarParts<ReturnType<typeof containerOf>, ReturnType<typeof volumesOf>[number]>;
}

/**
 * The sidecar for settings with mode `sidecar`.
 * @param image Default: that of the settings, or else the collector's.
 */
export function sidecarOf(
  collector: Collector,
  settings: LoggingSettings,
  context: DestinationContext,
  image: pulumi.Input<string> = settings.image ?? imageFor(collector, onlyDestination(settings)),
): Sidecar {
  return {
    collector,
    egress: destinationEgress(onlyDestination(settings), settings.sidecar, settings.namespace),
    parts: (pod, configMap) => {
      const rendered = collector.render(logPipeline(settings, context, { kind: "application", pod }));
      return {
        files: rendered.files,
        container: containerOf(collector, rendered, settings, image),
        applicationMount: { name: "app-logs", mountPath: APPLICATION_LOGS },
        volumes: volumesOf(collector, settings, configMap),
        graceSeconds: collector.graceSeconds + 5,
      };
    },
  };
}

/** Limits of sidecars with any collector: a sidecar is part of a team's pod, without rights on its node or in AWS. */
export function sidecarIssues(settings: LoggingSettings): SettingsIssue[] {
  if (settings.mode !== "sidecar") return unusedSettings(settings);
  const { namespaces, labels, metadata, sidecar } = settings;
  const { destinationCidrs, destinationPort } = sidecar;
  const destination = onlyDestination(settings);
  const issues: SettingsIssue[] = [];
  const add = (path: string[], message: string, value: unknown) => issues.push({ path, message, value });
  const identity = awsIdentitySetting(destination);
  if (identity !== undefined) {
    const message = "must not need an AWS identity with mode sidecar, since a team's pod has none";
    add(["destination", identity.key], message, identity.value);
  }
  if (destination.kind === "file")
    add(
      ["destination", "kind"],
      "must not be file with mode sidecar, since a team's pod cannot write to its node",
      destination.kind,
    );
  if (needsCidrs(destination) && destinationCidrs.length === 0) {
    const message = "must contain the addresses of the destination, since a network policy cannot use host names";
    add(["sidecar", "destinationCidrs"], message, destinationCidrs);
  }
  if (!needsCidrs(destination) && destinationCidrs.length > 0)
    add(["sidecar", "destinationCidrs"], "must be empty, since the destination's address is known", destinationCidrs);
  if (destinationPort !== undefined && !isAtService(destination))
    add(
      ["sidecar", "destinationPort"],
      "must not be set unless the destination is a Service of the cluster, whose pods may listen on another port",
      destinationPort,
    );
  const own = "must be empty with mode sidecar, which reads only its own pod";
  for (const key of ["include", "exclude"] as const)
    if (namespaces[key].length > 0) add(["namespaces", key], own, namespaces[key]);
  if (Object.keys(labels).length > 0) add(["labels"], own, labels);
  if (metadata.annotations)
    add(["metadata", "annotations"], "must be false with mode sidecar, which does not use the Kubernetes API", true);
  return issues;
}

/** Reports sidecar settings of a stack without sidecars. */
function unusedSettings({ sidecar }: LoggingSettings): SettingsIssue[] {
  const { destinationCidrs, destinationPort } = sidecar;
  const given = {
    ...(destinationCidrs.length === 0 ? {} : { destinationCidrs }),
    ...(destinationPort === undefined ? {} : { destinationPort }),
  };
  return Object.entries(given).map(([key, value]) => ({
    path: ["sidecar", key],
    message: "must not be set with mode daemonset, which no network policy restricts",
    value,
  }));
}

/**
 * The container. It has no readiness probe: a pod with late logs still serves requests.
 * @see https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
 */
function containerOf(collector: Collector, rendered: Rendered, settings: LoggingSettings, image: pulumi.Input<string>) {
  const resources = { ...collector.resources, ...settings.resources };
  const secrets = destinationSecrets(collector, onlyDestination(settings), VOLUME_PREFIX);
  return {
    name: collector.id,
    image,
    imagePullPolicy: "IfNotPresent",
    restartPolicy: "Always",
    command: collector.command && [...collector.command],
    args: [...rendered.args],
    env: [
      { name: NODE_VARIABLE, valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
      configurationVariable(filesHash(rendered.files)),
      ...Object.entries(rendered.environment ?? {}).map(([name, value]) => ({ name, value })),
      ...secrets.env,
    ],
    ...probes({ liveness: collector.liveness }),
    resources: containerResources(resources),
    securityContext: containerSecurity({ user: NOBODY }),
    volumeMounts: [
      { name: `${VOLUME_PREFIX}config`, mountPath: collector.configFolder, readOnly: true },
      { name: `${VOLUME_PREFIX}state`, mountPath: collector.stateFolder },
      { name: `${VOLUME_PREFIX}tmp`, mountPath: "/tmp" },
      { name: "app-logs", mountPath: APPLICATION_LOGS, readOnly: true },
      ...secrets.volumeMounts,
    ],
  };
}

/** Room for the buffer, its overshoot when full, and the read positions: a volume over its limit evicts the pod. */
function stateLimit(buffer: string): string {
  return `${Math.ceil((amount(buffer) * 1.5) / 2 ** 20)}Mi`;
}

function volumesOf(collector: Collector, settings: LoggingSettings, configMap: string) {
  return [
    { name: "app-logs", emptyDir: { sizeLimit: MAX_APPLICATION_LOGS } },
    { name: `${VOLUME_PREFIX}config`, configMap: { name: configMap } },
    { name: `${VOLUME_PREFIX}state`, emptyDir: { sizeLimit: stateLimit(settings.buffer.size) } },
    { name: `${VOLUME_PREFIX}tmp`, emptyDir: { sizeLimit: "64Mi" } },
    ...destinationSecrets(collector, onlyDestination(settings), VOLUME_PREFIX).volumes,
  ];
}
