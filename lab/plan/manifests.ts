import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CONFIG_MAP_HEADER, corefileConfigMap } from "../../components/dns/corefile-rendering.ts";
import type { DnsSettings } from "../../components/dns/settings.ts";
import { indexTemplate } from "../../components/logging/indexing/index-template.ts";
import { withName } from "../../components/logging/pipeline.ts";
import { targetsOf } from "../../components/logging/routing/routes.ts";
import type { LoggingSettings } from "../../components/logging/settings.ts";
import { portableYaml } from "../stack-file.ts";
import type { Planned, PlannedResource } from "./plan.ts";

/** One Kubernetes object of a plan. */
export interface Manifest {
  /** File name, which sorts into an order in which the objects can be applied. */
  readonly file: string;
  readonly object: { readonly [key: string]: Planned };
}

/**
 * The Kubernetes objects of a plan, each after all that it depends on. A component's dependency holds for what is in it.
 * @throws where the resources depend on each other in a circle, which Pulumi itself would not accept.
 */
export function manifestsOf(resources: readonly PlannedResource[]): Manifest[] {
  const objects = resources.filter(isKubernetesObject);
  const width = Math.max(3, String(objects.length).length);
  // The engine starts a resource when its dependencies stand, and the program registers in that order.
  return objects.map((resource, index) => {
    const metadata = group(resource.inputs.metadata);
    const parts = [resource.inputs.kind, metadata.namespace, metadata.name].filter((part) => typeof part === "string");
    return {
      file: `${String(index + 1).padStart(width, "0")}-${parts.join("-").toLowerCase()}.yaml`,
      object: ordered(resource.inputs),
    };
  });
}

function isKubernetesObject(resource: PlannedResource): boolean {
  return resource.type.startsWith("kubernetes:") && typeof resource.inputs.kind === "string";
}

/** The keys in the order in which people write them. */
function ordered(inputs: PlannedResource["inputs"]): Manifest["object"] {
  const { apiVersion, kind, metadata, ...rest } = inputs;
  return Object.fromEntries(
    Object.entries({ apiVersion, kind, metadata, ...rest }).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value]],
    ),
  );
}

function group(value: Planned | undefined): { readonly [key: string]: Planned } {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}

/** Text of a manifest's file. */
function manifestText(manifest: Manifest): string {
  return portableYaml(JSON.parse(JSON.stringify(manifest.object)));
}

/** Folder below the manifests for what `kubectl apply -f FOLDER` must not take. */
const BY_HAND = "by-hand";

/** Writes the Corefile's ConfigMap where no `kubectl apply` takes it by accident: CoreDNS there is somebody else's. */
export async function writeCorefile(folder: string, settings: DnsSettings): Promise<void> {
  await mkdir(join(folder, BY_HAND), { recursive: true });
  const text = `${CONFIG_MAP_HEADER}${portableYaml(corefileConfigMap(settings))}`;
  await writeFile(join(folder, BY_HAND, "configmap-kube-system-coredns.yaml"), text);
}

/** Writes the index templates for search engines outside the cluster, to be installed by hand. */
export async function writeIndexTemplate(folder: string, logging: LoggingSettings): Promise<void> {
  const byHand = join(folder, BY_HAND);
  const old = (await readdir(byHand).catch(() => [])).filter((name) =>
    /^index-template(-[a-z0-9-]+)?\.json$/.test(name),
  );
  for (const name of old) await rm(join(byHand, name), { force: true });
  for (const { name, destination, index } of targetsOf(logging)) {
    if (destination.kind !== "elasticsearch" && (destination.kind !== "opensearch" || destination.inCluster)) continue;
    await mkdir(byHand, { recursive: true });
    const text = `${JSON.stringify(indexTemplate(index, destination.kind), null, 2)}\n`;
    await writeFile(join(byHand, `${withName("index-template", name)}.json`), text);
  }
}

const OWN_FILES = /^\d{3,}-.*\.yaml$/;

/**
 * Writes one file an object, and removes those of an earlier plan; other files stay. `kubectl apply -f FOLDER` takes them in order.
 * @returns how many were written.
 */
export async function writeManifests(folder: string, manifests: readonly Manifest[]): Promise<number> {
  await mkdir(folder, { recursive: true });
  const old = (await readdir(folder)).filter((file) => OWN_FILES.test(file));
  await Promise.all(old.map((file) => rm(join(folder, file))));
  await Promise.all(manifests.map((manifest) => writeFile(join(folder, manifest.file), manifestText(manifest))));
  return manifests.length;
}

/** An image that a plan's pods need. */
export interface PodImage {
  /** Container that runs it, such as `curl`. */
  readonly container: string;
  readonly image: string;
}

/** The images of all pods and pod templates of a plan, each once, sorted by container. */
export function imagesOf(resources: readonly PlannedResource[]): PodImage[] {
  const found = new Map<string, PodImage>();
  for (const container of resources.flatMap((resource) => containersIn(resource.inputs.spec ?? null))) {
    found.set(`${container.container} ${container.image}`, container);
  }
  return [...found.values()].sort((a, b) => a.container.localeCompare(b.container) || a.image.localeCompare(b.image));
}

/** Containers stand in a pod's spec, or as deep as a controller's template puts it. */
function containersIn(spec: Planned): PodImage[] {
  if (typeof spec !== "object" || spec === null) return [];
  if (Array.isArray(spec)) return spec.flatMap(containersIn);
  const { name, image } = Object.fromEntries(Object.entries(spec));
  if (typeof name === "string" && typeof image === "string") return [{ container: name, image }];
  return Object.values(spec).flatMap(containersIn);
}
