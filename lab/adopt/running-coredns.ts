import { isDeepStrictEqual } from "node:util";
import { ifReadable, parseCorefile } from "eks-dns-logging-corefile";
import type { z } from "zod";
import { corefileText } from "../../components/dns/corefile-rendering.ts";
import { DnsSettings } from "../../components/dns/settings.ts";
import { USUAL_CORE_DNS_PODS } from "../../components/kubernetes/labels.ts";
import { isObject } from "../../components/schema/values.ts";
import {
  groupAt,
  type KubernetesObject,
  listAt,
  objectName,
  textAt,
  textsAt,
  valueAt,
} from "../audit/kubernetes-object.ts";
import { Failure } from "../command-line.ts";
import { managersOf } from "../kubernetes/object-store.ts";
import { type AddonMisfit, addonMisfits } from "./aws-cluster.ts";
import { type AdoptionRow, type LiveObjects, rewrittenRows, row, scalerOf } from "./import-file.ts";

/** The running CoreDNS as settings under `dns`. */
export interface RunningCoreDns {
  readonly settings: z.input<typeof DnsSettings>;
  /** What the EKS add-on would overwrite. */
  readonly misfits: readonly AddonMisfit[];
  readonly rows: readonly AdoptionRow[];
}

/** How the stack manages CoreDNS: it already is an EKS add-on, becomes one if the add-on keeps all its fields, or is patched in place. */
export type Takeover = "is-addon" | "to-addon" | "patch";

/** Namespace and name of CoreDNS's Deployment. */
export interface DeploymentPlace {
  readonly namespace: string;
  readonly name: string;
}

type Settings = Record<string, unknown>;

/**
 * Reads a running CoreDNS.
 * @throws {Failure} if there is none.
 */
export function readCoreDns(live: LiveObjects, place: DeploymentPlace, takeover: Takeover): RunningCoreDns {
  const deployment = live.find("Deployment", place.namespace, place.name);
  if (deployment === undefined) {
    const candidates = live.ofKind("Deployment").filter((deployment) => /coredns/.test(imageOf(deployment)));
    const choice = candidates.map(({ namespace, name }) => `${namespace}/${name}`).join(" or ");
    throw new Failure(
      `no Deployment ${place.namespace}/${place.name}: ${choice === "" ? "leave dns out of --parts" : `set --coredns to ${choice}`}`,
      2,
    );
  }
  const source = corefileSource(deployment);
  const configMap = live.find("ConfigMap", place.namespace, source.configMap);
  const text = textAt(configMap?.content, "data", source.key);
  if (configMap === undefined || text === undefined || source.key !== "Corefile")
    throw new Failure(
      `${objectName(deployment)}: its Corefile is not the key Corefile of a ConfigMap (${source.configMap}, ${source.key})`,
      2,
    );
  const misfits = takeover === "to-addon" ? addonMisfits(deployment, configMap) : [];
  const asAddon = takeover !== "patch" && misfits.length === 0;
  const { settings, rows } = new DeploymentReader(live, deployment, asAddon);
  const { version, build } = versionOf(imageOf(deployment));
  const adopted = {
    ...placeOf(place, source.configMap, deployment),
    ...(version === undefined ? {} : { version }),
    ...gracePeriodOf(deployment),
  };
  const corefile = corefileSettings(text, asAddon);
  const clusterDns = addressesOf(live, deployment);
  return {
    settings: {
      ...(asAddon ? { ...(build === undefined ? {} : { addonVersion: build }) } : { adopt: adopted }),
      ...settings,
      ...(clusterDns.length === 0 ? {} : { clusterDns }),
      ...corefile,
    },
    misfits,
    rows: [
      row(
        "adopt",
        `${objectName(configMap)} data.Corefile`,
        `${"text" in (corefile.corefile ?? {}) ? "kept as text, every plugin as it is" : "is that of a profile"}${changeNote(
          managersOf(configMap.content, ["data", "Corefile"]),
          asAddon,
        )}`,
      ),
      ...rows,
      ...(asAddon ? [] : rewrittenRows([configMap, deployment])),
    ],
  };
}

/**
 * The settings that locate CoreDNS without managing it, so that the teams' network policies allow queries to it. False if its pods have the
 * usual labels in kube-system, which the policies assume, or if there is none.
 */
export function unmanagedCoreDns(live: LiveObjects, place: DeploymentPlace): z.input<typeof DnsSettings> | false {
  const deployment = live.find("Deployment", place.namespace, place.name) ?? onlyClusterDns(live);
  if (deployment?.namespace === undefined) return false;
  const actual = { namespace: deployment.namespace, name: deployment.name };
  const stated = placeOf(actual, corefileSource(deployment).configMap, deployment);
  if (stated.namespace === undefined && stated.selector === undefined) return false;
  const clusterDns = addressesOf(live, deployment);
  const [port] = servicesOf(live, deployment)
    .flatMap(({ content }) => listAt(content, "spec", "ports"))
    .flatMap((entry) =>
      isObject(entry) && entry.port === 53 && typeof entry.targetPort === "number" ? entry.targetPort : [],
    );
  return {
    adopt: { ...stated, manage: false, ...(port === undefined || port === 53 ? {} : { port }) },
    ...(clusterDns.length === 0 ? {} : { clusterDns }),
  };
}

/** The only Deployment labelled as the cluster's DNS; undefined if there are several. */
function onlyClusterDns(live: LiveObjects): KubernetesObject | undefined {
  const [only, ...others] = live
    .ofKind("Deployment")
    .filter(
      (candidate) => /coredns/.test(imageOf(candidate)) && DNS_APPS.includes(podLabelsOf(candidate)["k8s-app"] ?? ""),
    );
  return others.length === 0 ? only : undefined;
}

/** Values of the label `k8s-app` for the cluster's DNS: the usual one, and that of CoreDNS's Helm chart. */
const DNS_APPS: readonly string[] = ["kube-dns", "coredns"];

/** The settings of dns.adopt that say where CoreDNS is, without those that have the default. */
function placeOf({ namespace, name }: DeploymentPlace, configMap: string, deployment: KubernetesObject) {
  const container = containerOf(deployment);
  const selector = selectorOf(deployment);
  const isUsual = Object.keys(selector).length === 0 || isDeepStrictEqual(selector, USUAL_CORE_DNS_PODS.labels);
  return {
    ...(namespace === USUAL_CORE_DNS_PODS.namespace ? {} : { namespace }),
    ...(configMap === "coredns" ? {} : { configMap }),
    deployment: name,
    ...(container === "coredns" ? {} : { container }),
    ...(isUsual ? {} : { selector }),
  };
}

function gracePeriodOf(deployment: KubernetesObject) {
  const seconds = valueAt(deployment.content, "spec", "template", "spec", "terminationGracePeriodSeconds");
  return seconds === 30 || typeof seconds !== "number" ? {} : { terminationGracePeriodSeconds: seconds };
}

/**
 * A profile if it renders the same Corefile, else the text. For the add-on the layout may differ, because the add-on rewrites its ConfigMap
 * anyway. A patch must render identical text, since any difference would change a ConfigMap that another tool manages.
 */
function corefileSettings(text: string, asAddon: boolean): Pick<z.input<typeof DnsSettings>, "corefile"> {
  const renders = (corefile: z.input<typeof DnsSettings>["corefile"]) => {
    const rendered = corefileText(DnsSettings.parse({ corefile }));
    return rendered === text || (asAddon && !text.includes("#") && sameModel(rendered, text));
  };
  if (renders({})) return {};
  return { corefile: renders({ profile: "tuned" }) ? { profile: "tuned" } : { text } };
}

function sameModel(one: string, other: string): boolean {
  return ifReadable(() => isDeepStrictEqual(parseCorefile(one), parseCorefile(other))) ?? false;
}

function containerIndex(deployment: KubernetesObject): number {
  const containers = listAt(deployment.content, "spec", "template", "spec", "containers");
  const index = containers.findIndex((container) =>
    /coredns/.test(`${textAt(container, "name")} ${textAt(container, "image")}`),
  );
  return Math.max(0, index);
}

function containerOf(deployment: KubernetesObject): string {
  const index = containerIndex(deployment);
  return textAt(deployment.content, "spec", "template", "spec", "containers", index, "name") ?? "coredns";
}

function imageOf(deployment: KubernetesObject): string {
  const index = containerIndex(deployment);
  return textAt(deployment.content, "spec", "template", "spec", "containers", index, "image") ?? "";
}

/** Version and build of an image's tag. Only EKS's builds count: others have suffixes too, as in `1.14.3-1` or `v1.14.3-build20260310`. */
function versionOf(image: string): { readonly version: string | undefined; readonly build: string | undefined } {
  const [, version, suffix = ""] = /:v?(\d+\.\d+\.\d+)(-[\w.-]+)?(?:@|$)/.exec(image) ?? [];
  return { version, build: /^-eksbuild\.\d+$/.test(suffix) ? `v${version}${suffix}` : undefined };
}

/** ConfigMap and key of the Corefile, found by CoreDNS's argument `-conf` and the volume mounted at that path. */
function corefileSource(deployment: KubernetesObject): { readonly configMap: string; readonly key: string } {
  const pod = valueAt(deployment.content, "spec", "template", "spec");
  const container = valueAt(pod, "containers", containerIndex(deployment));
  const args = listAt(container, "args").map(String);
  const index = args.findIndex((arg) => /^--?conf(=|$)/.test(arg));
  const conf = args[index]?.split("=")[1] ?? args[index + 1] ?? "/etc/coredns/Corefile";
  const [, folder = "", file = ""] = /^(.*)\/([^/]+)$/.exec(conf) ?? [];
  const mount = listAt(container, "volumeMounts").find(
    (candidate) =>
      textAt(candidate, "mountPath")?.replace(/\/$/, "") === folder || textAt(candidate, "mountPath") === conf,
  );
  const volume = listAt(pod, "volumes").find((candidate) => textAt(candidate, "name") === textAt(mount, "name"));
  const items = listAt(volume, "configMap", "items");
  const item = items.find((candidate) => textAt(candidate, "path") === file);
  return {
    configMap: textAt(volume, "configMap", "name") ?? "coredns",
    key: textAt(item, "key") ?? textAt(mount, "subPath") ?? file,
  };
}

function podLabelsOf(deployment: KubernetesObject): Record<string, string> {
  return textsAt(deployment.content, "spec", "template", "metadata", "labels");
}

/** The Services that select the pods. */
function servicesOf(live: LiveObjects, deployment: KubernetesObject): KubernetesObject[] {
  const labels = podLabelsOf(deployment);
  return live.ofKind("Service", deployment.namespace).filter(({ content }) => {
    const selector = Object.entries(textsAt(content, "spec", "selector"));
    return selector.length > 0 && selector.every(([key, value]) => labels[key] === value);
  });
}

/** Addresses of these Services. */
function addressesOf(live: LiveObjects, deployment: KubernetesObject): string[] {
  return servicesOf(live, deployment)
    .flatMap(({ content }) => listAt(content, "spec", "clusterIPs"))
    .flatMap((address) => (typeof address === "string" && address !== "None" ? [address] : []));
}

/** The label selector of a Deployment. */
function selectorOf(deployment: KubernetesObject): Record<string, string> {
  return textsAt(deployment.content, "spec", "selector", "matchLabels");
}

/**
 * Annotations that tools set and that are not configuration. A chart's checksum changes with each release; pinning it would block those
 * rollouts.
 * @see https://helm.sh/docs/howto/charts_tips_and_tricks/#automatically-roll-deployments
 */
const TOOL_ANNOTATIONS = /^(kubectl\.kubernetes\.io|deployment\.kubernetes\.io|eks\.amazonaws\.com|checksum)\//;
const TOOL_LABELS = /^(k8s-app|eks\.amazonaws\.com\/component|pod-template-hash)$/;
const CONSTRAINT = ["maxSkew", "topologyKey", "whenUnsatisfiable"];

/** What a patch needs to change a field of others: server-side apply accepts only their value. */
function changeNote(managers: readonly string[], asAddon: boolean): string {
  return asAddon || managers.length === 0 ? "" : "; a change needs dns.adopt.force";
}

/** Reads the parts of a Deployment that the settings can express. */
class DeploymentReader {
  readonly settings: Settings = {};
  readonly rows: AdoptionRow[] = [];
  readonly #deployment: KubernetesObject;
  readonly #asAddon: boolean;

  constructor(live: LiveObjects, deployment: KubernetesObject, asAddon: boolean) {
    this.#deployment = deployment;
    this.#asAddon = asAddon;
    const pod = valueAt(deployment.content, "spec", "template", "spec");
    const scaler = scalerOf(live, deployment);
    if (scaler !== undefined) this.#leave("spec.replicas", `${objectName(scaler)} sets it`);
    else this.#take("replicas", "spec.replicas", valueAt(deployment.content, "spec", "replicas"));
    this.#takeResources(pod);
    for (const key of ["affinity", "nodeSelector", "tolerations"])
      this.#take(key, `spec.template.spec.${key}`, valueAt(pod, key));
    const selector = selectorOf(deployment);
    this.#takeSpread(listAt(pod, "topologySpreadConstraints"), asAddon ? USUAL_CORE_DNS_PODS.labels : selector);
    const template = valueAt(deployment.content, "spec", "template", "metadata");
    const labels = Object.entries(textsAt(template, "labels")).filter(
      ([key]) => !(key in selector) && !TOOL_LABELS.test(key),
    );
    const annotations = Object.entries(textsAt(template, "annotations")).filter(([key]) => !TOOL_ANNOTATIONS.test(key));
    this.#take("podLabels", "spec.template.metadata.labels", Object.fromEntries(labels));
    this.#take("podAnnotations", "spec.template.metadata.annotations", Object.fromEntries(annotations));
    this.#disruptions(live, template, asAddon);
    for (const service of asAddon ? servicesOf(live, deployment) : []) this.#takeTopology(service);
  }

  #takeResources(pod: unknown): void {
    const path = `spec.template.spec.containers[${containerOf(this.#deployment)}].resources`;
    const resources = groupAt(pod, "containers", containerIndex(this.#deployment), "resources");
    const kept: Record<string, Record<string, string>> = {};
    for (const kind of ["requests", "limits"] as const)
      for (const [name, value] of Object.entries(textsAt(resources, kind)))
        if (name === "cpu" || name === "memory") kept[kind] = { ...kept[kind], [name]: value };
        else this.#leave(`${path}.${kind}.${name}`, "only cpu and memory are settings");
    this.#take("resources", path, kept);
  }

  /** Reads topology spread constraints. The settings always add the selector of CoreDNS's pods. */
  #takeSpread(constraints: readonly unknown[], selector: Readonly<Record<string, string>>): void {
    const fits = (constraint: unknown) =>
      isDeepStrictEqual(valueAt(constraint, "labelSelector"), { matchLabels: selector }) &&
      Object.keys(groupAt(constraint)).every((key) => key === "labelSelector" || CONSTRAINT.includes(key));
    const path = "spec.template.spec.topologySpreadConstraints";
    if (!constraints.every(fits)) {
      this.#leave(path, "has fields without a setting, such as another selector");
      return;
    }
    const plain = constraints.map((constraint) =>
      Object.fromEntries(CONSTRAINT.map((key) => [key, valueAt(constraint, key)])),
    );
    this.#take("topologySpread", path, plain);
  }

  #disruptions(live: LiveObjects, template: unknown, asAddon: boolean): void {
    const labels = textsAt(template, "labels");
    for (const budget of live.ofKind("PodDisruptionBudget", this.#deployment.namespace)) {
      const selector = Object.entries(textsAt(budget.content, "spec", "selector", "matchLabels"));
      if (selector.length === 0 || !selector.every(([key, value]) => labels[key] === value)) continue;
      const { maxUnavailable, minAvailable } = groupAt(budget.content, "spec");
      const value = { ...(maxUnavailable === undefined ? { minAvailable } : { maxUnavailable }) };
      if (asAddon) this.#take("podDisruptionBudget", "PodDisruptionBudget", value);
      else this.rows.push(row("leave", budget, "only the EKS add-on has a budget"));
    }
  }

  /** Reads the annotation that the add-on's annotationTopologyMode sets. */
  #takeTopology({ content }: KubernetesObject): void {
    const mode = textsAt(content, "metadata", "annotations")["service.kubernetes.io/topology-mode"];
    if (mode !== "Disabled") this.#take("topologyMode", "Service topology-mode", mode);
  }

  /** Takes a value if the settings accept it; an empty value counts as unset. */
  #take(key: string, path: string, value: unknown): void {
    if (value === undefined || value === null) return;
    if (typeof value === "object" && Object.keys(value).length === 0) return;
    const parsed = DnsSettings.safeParse({ [key]: value });
    if (!parsed.success) {
      this.#leave(path, parsed.error.issues[0]?.message ?? "is not a valid setting");
      return;
    }
    this.settings[key] = value;
    const managers = managersOf(this.#deployment.content, path.replace(/\.containers.*/, "").split("."));
    const setBy = managers.length === 0 ? "" : `, which ${managers.join(" and ")} set`;
    const by = `${setBy}${changeNote(managers, this.#asAddon)}`;
    this.rows.push(row("adopt", `${objectName(this.#deployment)} ${path}`, `dns.${key}, with the same value${by}`));
  }

  #leave(path: string, reason: string): void {
    this.rows.push(row("leave", `${objectName(this.#deployment)} ${path}`, reason));
  }
}
