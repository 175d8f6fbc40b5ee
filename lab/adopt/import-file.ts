import type { Planned, PlannedResource } from "../plan/plan.ts";
import { type AdoptionRow, at, type LiveObjects, managersOf, objectName, textAt } from "./live-objects.ts";

/** One entry of the file that `pulumi import --file` reads. @see https://www.pulumi.com/docs/iac/guides/migration/import/#bulk-import-operations */
interface ImportEntry {
  readonly type: string;
  readonly name: string;
  readonly id?: string;
  /** Pulumi name, where `name`, which must be unique in the file, is another. */
  readonly logicalName?: string;
  readonly parent?: string;
  readonly provider?: string;
  readonly component?: true;
  readonly inputs?: PlannedResource["inputs"];
}

export interface ImportFile {
  readonly resources: readonly ImportEntry[];
}

/** What a plan finds on the cluster. */
export interface ImportPlan {
  readonly file: ImportFile;
  readonly rows: readonly AdoptionRow[];
}

const OWN_LABEL = ["metadata", "labels", "app.kubernetes.io/part-of"] as const;
const PROVIDER = "pulumi:providers:kubernetes";

/**
 * The objects of a plan that are on the cluster already: this program's own are imported, and another's stand in the way. Patches are not
 * imported, since they only add a field manager.
 * @param existing Ids of planned AWS resources that exist, by type token.
 */
export function importPlan(
  resources: readonly PlannedResource[],
  live: LiveObjects,
  existing: ReadonlyMap<string, string> = new Map(),
): ImportPlan {
  const rows: AdoptionRow[] = [];
  const imported = new Map<string, string>();
  const unread = new Set<string>();
  const isUnknown = (urn: string) => resources.some((one) => one.urn === urn && one.unknowns.length > 0);
  for (const resource of resources.filter(({ custom }) => custom)) {
    const awsId = existing.get(resource.type);
    if (awsId !== undefined) {
      imported.set(resource.urn, awsId);
      rows.push({ action: "import", subject: awsId, reason: "exists already" });
    }
    if (!resource.type.startsWith("kubernetes:")) continue;
    const { kind, namespace, name } = identity(resource);
    const object = live.find(kind, namespace, name);
    if (object === undefined && live.unread.has(kind)) unread.add(kind);
    if (object === undefined) continue;
    if (resource.type.endsWith("Patch")) rows.push(...differences(resource, live));
    else if (textAt(object.content, ...OWN_LABEL) === "eks-dns-logging" && isUnknown(providerOf(resource)))
      rows.push({
        action: "check",
        subject: objectName(object),
        reason: "was made by this program: import it after the first `pulumi up`, which creates its provider",
      });
    else if (textAt(object.content, ...OWN_LABEL) === "eks-dns-logging") {
      imported.set(resource.urn, namespace === undefined ? name : `${namespace}/${name}`);
      rows.push({ action: "import", subject: objectName(object), reason: "was made by this program" });
    } else
      rows.push({
        action: "conflict",
        subject: objectName(object),
        reason: "has the name of an object that this program creates: rename or remove it first",
      });
  }
  for (const kind of unread)
    rows.push({ action: "check", subject: kind, reason: "not listed, since the user may not: one may exist already" });
  return { file: { resources: entries(resources, imported) }, rows };
}

function identity({ inputs }: PlannedResource): { kind: string; namespace: string | undefined; name: string } {
  return {
    kind: textAt(inputs, "kind") ?? "",
    namespace: textAt(inputs, "metadata", "namespace"),
    name: textAt(inputs, "metadata", "name") ?? "",
  };
}

/** Values of a patch that differ from those of the object: a conflict where another tool manages the field. */
function differences(resource: PlannedResource, live: LiveObjects): AdoptionRow[] {
  const { kind, namespace, name } = identity(resource);
  const object = live.find(kind, namespace, name);
  if (object === undefined) return [];
  return leaves(resource.inputs).flatMap(([path, value]): AdoptionRow[] => {
    const found = at(object.content, ...path);
    if (found === undefined || found === value) return [];
    const managers = managersOf(object, path);
    const by = managers.length === 0 ? "" : ` and managed by ${managers.join(", ")}`;
    return [
      {
        action: "conflict",
        subject: `${objectName(object)} ${path.join(".")}`,
        reason: `is ${JSON.stringify(found)}${by}, this program sets ${JSON.stringify(value)}`,
      },
    ];
  });
}

/** The scalars of a patch with their paths; lists, which have keys of their own, are left out. */
function leaves(value: PlannedResource["inputs"]): [path: string[], value: Planned][] {
  return Object.entries(value).flatMap(([key, inner]): [string[], Planned][] => {
    if (Array.isArray(inner)) return [];
    if (typeof inner !== "object" || inner === null) return [[[key], inner]];
    return leaves(Object.fromEntries(Object.entries(inner))).map(([path, leaf]) => [[key, ...path], leaf]);
  });
}

/** The imported resources after the components and providers that they need. */
function entries(resources: readonly PlannedResource[], imported: ReadonlyMap<string, string>): ImportEntry[] {
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const needed = new Set<string>();
  const need = (urn: string): void => {
    const resource = byUrn.get(urn);
    if (resource === undefined || needed.has(urn)) return;
    need(resource.parent);
    need(providerOf(resource));
    needed.add(urn);
  };
  for (const urn of imported.keys()) need(urn);
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const urn of needed) {
    const { name = "", type = "" } = byUrn.get(urn) ?? {};
    const unique = taken.has(name) ? `${name}-${type.split(":").at(-1)?.toLowerCase()}` : name;
    taken.add(unique);
    names.set(urn, unique);
  }
  return [...needed].flatMap((urn) => {
    const resource = byUrn.get(urn);
    if (resource === undefined) return [];
    const { type, name, custom, inputs } = resource;
    const unique = names.get(urn) ?? name;
    const [parent, provider] = [names.get(resource.parent), names.get(providerOf(resource))];
    return [
      {
        type,
        name: unique,
        ...(unique === name ? {} : { logicalName: name }),
        ...(imported.has(urn) ? { id: imported.get(urn) ?? "" } : {}),
        ...(custom ? {} : { component: true as const }),
        ...(type === PROVIDER ? { inputs } : {}),
        ...(parent === undefined ? {} : { parent }),
        ...(provider === undefined ? {} : { provider }),
      },
    ];
  });
}

/** The provider's URN without its id. */
function providerOf({ provider }: PlannedResource): string {
  return provider.slice(0, Math.max(0, provider.lastIndexOf("::")));
}
