import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { addonConfiguration } from "./addon-configuration.ts";
import { corefileText } from "./corefile-rendering.ts";
import { dnsProfile } from "./profile.ts";
import type { AdoptSettings, DnsSettings } from "./settings.ts";

/** What is applied to a Deployment that is there: only the fields that the settings name. */
interface DeploymentFields {
  readonly replicas?: number;
  readonly template?: { readonly metadata?: object; readonly spec?: object };
}

/**
 * The fields of the Deployment that the settings manage; empty where they name none. Everything else stays as it is.
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
function adoptedDeployment(settings: DnsSettings, { container }: AdoptSettings): DeploymentFields {
  const { affinity, nodeSelector, tolerations, topologySpreadConstraints, resources, podLabels, podAnnotations } =
    addonConfiguration(settings);
  const { replicas } = dnsProfile(settings);
  const metadata = defined({ labels: podLabels, annotations: podAnnotations });
  const spec = defined({
    affinity,
    nodeSelector,
    tolerations,
    topologySpreadConstraints,
    containers: resources === undefined ? undefined : [{ name: container, resources }],
  });
  const template = { ...(isEmpty(metadata) ? {} : { metadata }), ...(isEmpty(spec) ? {} : { spec }) };
  return { ...(replicas === undefined ? {} : { replicas }), ...(isEmpty(template) ? {} : { template }) };
}

function defined(values: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}

/**
 * Manages the Corefile, and what the settings name of the Deployment, of a CoreDNS that this stack did not install. Server-side apply adds a
 * field manager and replaces nothing. By default a destroy leaves the last state: released, a field that nobody else manages would be removed,
 * and CoreDNS with it.
 */
export function adoptCoreDns(
  name: string,
  settings: DnsSettings,
  adopt: AdoptSettings,
  options: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  const { namespace, configMap, deployment, force } = adopt;
  const annotations = force ? { annotations: { "pulumi.com/patchForce": "true" } } : {};
  const kept = { ...options, retainOnDelete: settings.preserve ?? true };
  const corefile = new k8s.core.v1.ConfigMapPatch(
    `${name}-corefile`,
    { metadata: { name: configMap, namespace, ...annotations }, data: { Corefile: corefileText(settings) } },
    kept,
  );
  const spec = adoptedDeployment(settings, adopt);
  if (deployment === undefined || isEmpty(spec)) return [corefile];
  const metadata = { name: deployment, namespace, ...annotations };
  return [corefile, new k8s.apps.v1.DeploymentPatch(`${name}-deployment`, { metadata, spec }, kept)];
}
