import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CONFIG_MAP_HEADER, corefileConfigMap } from "../../components/dns/corefile-rendering.ts";
import type { DnsSettings } from "../../components/dns/settings.ts";
import { indexTemplate } from "../../components/logging/indexing/index-template.ts";
import { withName } from "../../components/logging/pipeline.ts";
import { targetsOf } from "../../components/logging/routing/routes.ts";
import type { LoggingSettings } from "../../components/logging/settings.ts";
import { Failure, makeFolder } from "../command-line.ts";
import { portableYaml } from "../stack-file.ts";
import type { Planned, PlannedResource } from "./recording.ts";

/** One Kubernetes object of a plan. */
export interface Manifest {
  /** File name; the files sort into an order in which they can be applied. */
  readonly file: string;
  readonly object: { readonly [key: string]: Planned };
}

/**
 * The Kubernetes objects of a plan, each after its dependencies.
 */
export function manifestsOf(resources: readonly PlannedResource[]): Manifest[] {
  const objects = resources.filter(isKubernetesObject);
  const width = Math.max(3, String(objects.length).length);
  // A resource is registered after its dependencies, so that the order of registration can be applied.
  return objects.map((resource, index) => {
    const metadata = group(resource.inputs.metadata);
    const parts = [resource.inputs.kind, metadata.namespace, metadata.name].filter((part) => typeof part === "string");
    return {
      file: `${String(index + 1).padStart(width, "0")}-${parts.join("-").toLowerCase()}.yaml`,
      object: withOrderedKeys(resource.inputs),
    };
  });
}

function isKubernetesObject(resource: PlannedResource): boolean {
  return resource.type.startsWith("kubernetes:") && typeof resource.inputs.kind === "string";
}

/** Sorts the keys in the conventional order. */
function withOrderedKeys(inputs: PlannedResource["inputs"]): Manifest["object"] {
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

/** A file of a plan, by its path within the folder. */
export interface PlanFile {
  readonly path: string;
  readonly text: string;
}

/** Subfolder for files that `kubectl apply -f FOLDER` must not apply. */
const BY_HAND = "by-hand";

/** One file per object. */
export function manifestFiles(manifests: readonly Manifest[]): PlanFile[] {
  return manifests.map((manifest) => ({ path: manifest.file, text: manifestText(manifest) }));
}

/** The Corefile's ConfigMap, in a folder where `kubectl apply` does not pick it up by accident: that CoreDNS has another owner. */
export function corefileFile(settings: DnsSettings): PlanFile {
  const text = `${CONFIG_MAP_HEADER}${portableYaml(corefileConfigMap(settings))}`;
  return { path: join(BY_HAND, "configmap-kube-system-coredns.yaml"), text };
}

/** Index templates for search engines outside the cluster, to be installed by hand. */
export function indexTemplateFiles(logging: LoggingSettings): PlanFile[] {
  return targetsOf(logging).flatMap(({ name, destination, index }): PlanFile[] => {
    if (destination.kind !== "elasticsearch" && (destination.kind !== "opensearch" || destination.inCluster)) return [];
    const text = `${JSON.stringify(indexTemplate(index, destination.kind), null, 2)}\n`;
    return [{ path: join(BY_HAND, `${withName("index-template", name)}.json`), text }];
  });
}

/** Lists the plan's files, so that the next plan removes exactly these. */
const LIST = ".plan-files";
const NUMBERED = /^\d{3,}-.*\.yaml$/;

/**
 * Writes a plan's files in place of an earlier plan's; other files stay. `kubectl apply -f FOLDER` applies them in order.
 * @throws {Failure} if a file from elsewhere would be overwritten, or applied with those of the plan.
 */
export async function writePlanFiles(folder: string, files: readonly PlanFile[]): Promise<void> {
  await makeFolder(folder);
  const list = await readFile(join(folder, LIST), "utf8").catch(() => "");
  const earlier = new Set(list.split("\n").filter((path) => path !== ""));
  const wanted = new Set(files.map(({ path }) => path));
  const byHand = await readdir(join(folder, BY_HAND)).catch(() => []);
  const existing = [...(await readdir(folder)), ...byHand.map((name) => join(BY_HAND, name))];
  const foreign = existing.filter((path) => !earlier.has(path) && (wanted.has(path) || NUMBERED.test(path)));
  if (foreign.length > 0) {
    const names = foreign.sort().slice(0, 3).join(", ") + (foreign.length > 3 ? ", …" : "");
    throw new Failure(`'${folder}' holds files that no plan wrote (${names}): name another folder, or remove them`, 2);
  }
  for (const path of earlier) if (existing.includes(path)) await rm(join(folder, path));
  if (files.some(({ path }) => path.startsWith(BY_HAND))) await makeFolder(join(folder, BY_HAND));
  await writeFile(join(folder, LIST), `${[...wanted].join("\n")}\n`);
  await Promise.all(files.map(({ path, text }) => writeFile(join(folder, path), text)));
}

/** An image that a plan's pods use. */
export interface PodImage {
  /** Container that runs it, such as `curl`. */
  readonly container: string;
  readonly image: string;
}

/** The images of all pods and pod templates of a plan, without duplicates, sorted by container. */
export function imagesOf(resources: readonly PlannedResource[]): PodImage[] {
  const images = new Map<string, PodImage>();
  for (const container of resources.flatMap((resource) => containersIn(resource.inputs.spec ?? null))) {
    images.set(`${container.container} ${container.image}`, container);
  }
  return [...images.values()].sort((a, b) => a.container.localeCompare(b.container) || a.image.localeCompare(b.image));
}

/** One line per image; an empty text for none, because a shell would read an empty line as an image without a name. */
export function formatImages(images: readonly PodImage[]): string {
  return images.map(({ container, image }) => `${container} ${image}\n`).join("");
}

/** Finds containers in a pod's spec or, at any depth, in a controller's template. */
function containersIn(spec: Planned): PodImage[] {
  if (typeof spec !== "object" || spec === null) return [];
  if (Array.isArray(spec)) return spec.flatMap(containersIn);
  const { name, image } = Object.fromEntries(Object.entries(spec));
  if (typeof name === "string" && typeof image === "string") return [{ container: name, image }];
  return Object.values(spec).flatMap(containersIn);
}
