import { providerUrn } from "../../policies/core/stack.ts";
import { proportionalTargets } from "../../policies/readers/workload.ts";
import { isOwn, type KubernetesObject, listAt, objectName, textAt, valueAt } from "../audit/kubernetes-object.ts";
import { managersOf } from "../kubernetes/object-store.ts";
import { plural } from "../output/text.ts";
import type { Planned, PlannedResource } from "../plan/recording.ts";

/** One entry of the file that `pulumi import --file` reads. @see https://www.pulumi.com/docs/iac/guides/migration/import/#bulk-import-operations */
interface ImportEntry {
  readonly type: string;
  readonly name: string;
  readonly id?: string;
  /** Pulumi name, if it differs from `name`, which must be unique in the file. */
  readonly logicalName?: string;
  readonly parent?: string;
  readonly provider?: string;
  readonly component?: true;
}

export interface ImportFile {
  /** URNs of resources that must already be in the state, by the name that entries refer to. */
  readonly nameTable?: Readonly<Record<string, string>>;
  readonly resources: readonly ImportEntry[];
}

/** How a plan's objects relate to those on the cluster. */
export interface ImportPlan {
  readonly file: ImportFile;
  /** URNs for `pulumi up --target` before the import: the provider and its parents. */
  readonly targets: readonly string[];
  readonly rows: readonly AdoptionRow[];
}

const PROVIDER = "pulumi:providers:kubernetes";

/**
 * Matches a plan with the objects that already exist: this program's own are imported, anyone else's are conflicts. Patches are not
 * imported, because they only add a field manager.
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
  const applied: string[] = [];
  for (const resource of resources.filter(({ custom }) => custom)) {
    const awsId = existing.get(resource.type);
    if (awsId !== undefined) {
      imported.set(resource.urn, awsId);
      rows.push(row("import", awsId, "exists already"));
    }
    if (!resource.type.startsWith("kubernetes:")) continue;
    const { kind, namespace, name } = identity(resource);
    const object = live.find(kind, namespace, name);
    if (object === undefined && live.unread.has(kind)) unread.add(kind);
    if (object === undefined) continue;
    if (resource.type.endsWith("Patch")) rows.push(...differences(resource, live));
    else if (isOwn(object)) {
      imported.set(resource.urn, namespace === undefined ? name : `${namespace}/${name}`);
      rows.push(row("import", object, "was created by this program"));
      if (isApplied(object)) applied.push(objectName(object));
    } else
      rows.push(
        row("conflict", object, "has the name of an object that this program creates: rename or remove it first"),
      );
  }
  if (applied.length > 0) rows.push(appliedRow(applied));
  for (const kind of unread)
    rows.push(row("check", kind, "could not be listed, because the user may not list it: one may already exist"));
  return { ...fileOf(resources, imported), rows };
}

/**
 * Whether kubectl manages fields of an object. The import then reads none of them into the state, so the next update treats every field as
 * new: the preview conflicts with kubectl, and immutable fields force a replacement.
 */
function isApplied(object: KubernetesObject): boolean {
  return listAt(object.content, "metadata", "managedFields").some(
    (entry) => textAt(entry, "manager")?.startsWith("kubectl") && textAt(entry, "subresource") === undefined,
  );
}

function appliedRow(names: readonly string[]): AdoptionRow {
  const replaced = names.filter((name) => /^(?:DaemonSet|StatefulSet|Deployment|\w*RoleBinding)\//.test(name));
  const replacement = replaced.length === 0 ? "" : `, and replaces ${replaced.join(", ")}`;
  return row(
    "check",
    plural(names.length, "imported object"),
    `created with kubectl: a preview fails at its fields, \`pulumi up --skip-preview\` takes them over${replacement}`,
  );
}

function identity({ inputs }: PlannedResource): { kind: string; namespace: string | undefined; name: string } {
  return {
    kind: textAt(inputs, "kind") ?? "",
    namespace: textAt(inputs, "metadata", "namespace"),
    name: textAt(inputs, "metadata", "name") ?? "",
  };
}

/** Values in a patch that differ from the object's: conflicts if another tool manages the field. */
function differences(resource: PlannedResource, live: LiveObjects): AdoptionRow[] {
  const { kind, namespace, name } = identity(resource);
  const object = live.find(kind, namespace, name);
  if (object === undefined) return [];
  return leaves(resource.inputs).flatMap(([path, value]): AdoptionRow[] => {
    const current = valueAt(object.content, ...path);
    if (current === undefined || current === value) return [];
    const managers = managersOf(object.content, path);
    const by = managers.length === 0 ? "" : ` and managed by ${managers.join(", ")}`;
    return [
      row(
        "conflict",
        `${objectName(object)} ${path.join(".")}`,
        `is ${JSON.stringify(current)}${by}, this program sets ${JSON.stringify(value)}`,
      ),
    ];
  });
}

/** The scalars of a patch with their paths. Lists are skipped, since they have merge keys of their own. */
function leaves(value: PlannedResource["inputs"]): [path: string[], value: Planned][] {
  return Object.entries(value).flatMap(([key, inner]): [string[], Planned][] => {
    if (Array.isArray(inner)) return [];
    if (typeof inner !== "object" || inner === null) return [[[key], inner]];
    return leaves(Object.fromEntries(Object.entries(inner))).map(([path, leaf]) => [[key, ...path], leaf]);
  });
}

/**
 * Orders imported resources after their parent components. The provider is created before the import: if the file declared it, Pulumi would
 * create it before its own parent, which makes the state invalid (Pulumi 3.260).
 */
function fileOf(
  resources: readonly PlannedResource[],
  imported: ReadonlyMap<string, string>,
): Pick<ImportPlan, "file" | "targets"> {
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const above = (urn: string): string[] => {
    const parent = byUrn.get(urn)?.parent ?? "";
    return byUrn.has(parent) ? [...above(parent), parent] : [];
  };
  const needed = new Set([...imported.keys()].flatMap((urn) => [...above(urn), urn]));
  const providers = new Set(
    [...imported.keys()]
      .map((urn) => providerUrn(byUrn.get(urn)?.provider ?? ""))
      .filter((urn) => byUrn.get(urn)?.type === PROVIDER),
  );
  const targets = [...providers].flatMap((urn) => [...above(urn), urn]);
  const names = new Map<string, string>();
  for (const urn of [...targets, ...needed]) {
    const { name = "", type = "" } = byUrn.get(urn) ?? {};
    const isTaken = [...names].some(([other, taken]) => other !== urn && taken === name);
    names.set(urn, isTaken ? `${name}-${type.split(":").at(-1)?.toLowerCase()}` : name);
  }
  const entries = [...needed].flatMap((urn) => {
    const resource = byUrn.get(urn);
    if (resource === undefined || targets.includes(urn)) return [];
    const unique = names.get(urn) ?? resource.name;
    const [parent, provider] = [names.get(resource.parent), names.get(providerUrn(resource.provider))];
    const id = imported.get(urn);
    return [
      {
        type: resource.type,
        name: unique,
        ...(unique === resource.name ? {} : { logicalName: resource.name }),
        ...(id === undefined ? {} : { id }),
        ...(resource.custom ? {} : { component: true as const }),
        ...(parent === undefined ? {} : { parent }),
        ...(provider === undefined || !resource.custom ? {} : { provider }),
      },
    ];
  });
  const nameTable = Object.fromEntries(targets.map((urn) => [names.get(urn) ?? urn, engineUrn(urn)]));
  return {
    file: { ...(targets.length === 0 ? {} : { nameTable }), resources: entries },
    targets: targets.map(engineUrn),
  };
}

/** A plan's URN as the engine writes it, without the stack's type above the first component. */
function engineUrn(urn: string): string {
  return urn.replace("::pulumi:pulumi:Stack$", "::");
}

/** What happens to an existing object or field. */
export type AdoptionAction =
  /** Managed from now on, with its current value. */
  | "adopt"
  /** Written to the import file. */
  | "import"
  /** Not touched. */
  | "leave"
  /** Blocks `pulumi up`. */
  | "conflict"
  /** Unknown; needs a manual check. */
  | "check";

/** One line of the report. */
export interface AdoptionRow {
  readonly action: AdoptionAction;
  /** The object, with the field if the row is about one: `Deployment/kube-system/coredns spec.replicas`. */
  readonly subject: string;
  readonly reason: string;
}

/** A line about an object, or about a subject that is none. */
export function row(action: AdoptionAction, subject: string | KubernetesObject, reason: string): AdoptionRow {
  return { action, subject: typeof subject === "string" ? subject : objectName(subject), reason };
}

/** The objects of a cluster that could be listed. */
export class LiveObjects {
  readonly all: readonly KubernetesObject[];
  /** Kinds that the user may not list. */
  readonly unread: ReadonlySet<string>;

  constructor(all: readonly KubernetesObject[], unread: readonly string[] = []) {
    this.all = all;
    this.unread = new Set(unread);
  }

  find(kind: string, namespace: string | undefined, name: string): KubernetesObject | undefined {
    return this.all.find((object) => object.kind === kind && object.namespace === namespace && object.name === name);
  }

  ofKind(kind: string, namespace?: string): KubernetesObject[] {
    return this.all.filter(
      (object) => object.kind === kind && (namespace === undefined || object.namespace === namespace),
    );
  }

  in(namespace: string): KubernetesObject[] {
    return this.all.filter((object) => object.namespace === namespace);
  }
}

/** A tool that restores its own version of an object. */
interface Rewriter {
  /** The label or annotation of its objects. */
  readonly mark: { readonly kind: "labels" | "annotations"; readonly key: string; readonly value?: RegExp };
  /** What it does, and where to make a lasting change. */
  readonly reason: string;
}

/** K3s comes first: objects that it deploys through Helm have the marks of both. */
const REWRITERS: readonly Rewriter[] = [
  {
    // https://docs.k3s.io/installation/packaged-components
    mark: { kind: "annotations", key: "objectset.rio.cattle.io/owner-gvk", value: /^k3s\.cattle\.io\// },
    reason:
      "K3s restores its own version at each start: change it through the ConfigMap coredns-custom, or start K3s with --disable=coredns and install CoreDNS yourself",
  },
  {
    // https://github.com/kubernetes/kubernetes/blob/master/cluster/addons/addon-manager/README.md
    mark: { kind: "labels", key: "addonmanager.kubernetes.io/mode", value: /^Reconcile$/ },
    reason:
      "an addon manager may restore its own version within minutes (label addonmanager.kubernetes.io/mode): on AKS, change it through the ConfigMap coredns-custom",
  },
  {
    // https://kops.sigs.k8s.io/addons/
    mark: { kind: "labels", key: "addon.kops.k8s.io/name" },
    reason: "kOps restores its own version when it updates the add-on: set the same in its cluster spec under kubeDNS",
  },
  {
    // https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/
    mark: { kind: "annotations", key: "argocd.argoproj.io/tracking-id" },
    reason:
      "Argo CD restores its own version when it syncs: change it in the repository of the Application, or ignore it there",
  },
  {
    mark: { kind: "labels", key: "kustomize.toolkit.fluxcd.io/name" },
    reason: "Flux restores its own version within minutes: change it in the repository of the Kustomization",
  },
  {
    mark: { kind: "labels", key: "helm.toolkit.fluxcd.io/name" },
    reason: "Flux restores its own version at the next upgrade of the HelmRelease: set the same in its values",
  },
  {
    mark: { kind: "annotations", key: "meta.helm.sh/release-name" },
    reason: "Helm restores its own version at the next upgrade of the release: set the same in its values",
  },
];

/** One row per object whose changes another tool will undo. */
export function rewrittenRows(objects: readonly KubernetesObject[]): AdoptionRow[] {
  return objects.flatMap((object) => {
    const tool = REWRITERS.find(({ mark: { kind, key, value = /./ } }) =>
      value.test(textAt(object.content, "metadata", kind, key) ?? ""),
    );
    return tool === undefined ? [] : [row("check", object, tool.reason)];
  });
}

/** The autoscaler of a Deployment: a HorizontalPodAutoscaler, or the Deployment of a cluster-proportional-autoscaler. */
export function scalerOf(live: LiveObjects, deployment: KubernetesObject): KubernetesObject | undefined {
  const { namespace, name } = deployment;
  const byLoad = live
    .ofKind("HorizontalPodAutoscaler", namespace)
    .find(
      ({ content }) =>
        textAt(content, "spec", "scaleTargetRef", "kind") === "Deployment" &&
        textAt(content, "spec", "scaleTargetRef", "name") === name,
    );
  return byLoad ?? live.ofKind("Deployment").find((scaler) => isProportional(scaler, deployment));
}

function isProportional(scaler: KubernetesObject, deployment: KubernetesObject): boolean {
  return listAt(scaler.content, "spec", "template", "spec", "containers").some((container) => {
    const words = ["command", "args"].flatMap((key) => listAt(container, key).map(String));
    const targets = proportionalTargets(words, scaler.namespace);
    return targets.namespace === deployment.namespace && targets.has(deployment.name);
  });
}
