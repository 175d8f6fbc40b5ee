import { proportionalTargets } from "../../policies/readers/workload.ts";
import { at, type KubernetesObject, listAt, textAt } from "../audit/kubernetes-object.ts";

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

/** `Deployment/kube-system/coredns`, or `Namespace/payments`. */
export function objectName({ kind, namespace, name }: Pick<KubernetesObject, "kind" | "namespace" | "name">): string {
  return [kind, namespace, name].filter((part) => part !== undefined).join("/");
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

/** Whether this program created an object, under any state. */
export function isOwn({ content }: KubernetesObject): boolean {
  return textAt(content, "metadata", "labels", "app.kubernetes.io/part-of") === "eks-dns-logging";
}

/**
 * Names of the managers of a field, from the object's managedFields: `kubectl`, `helm`.
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
export function managersOf(object: KubernetesObject, path: readonly string[]): string[] {
  const managers = listAt(object.content, "metadata", "managedFields").flatMap((entry) => {
    const manager = textAt(entry, "manager");
    const owned = at(entry, "fieldsV1", ...path.map((key) => `f:${key}`));
    return manager !== undefined && owned !== undefined ? [manager] : [];
  });
  return [...new Set(managers)];
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
    return tool === undefined ? [] : [{ action: "check", subject: objectName(object), reason: tool.reason }];
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
