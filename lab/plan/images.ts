import type { Planned, PlannedResource } from "./planned.ts";

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
