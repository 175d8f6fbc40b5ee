import { isObject } from "../../components/schema/values.ts";
import type { KubernetesObject } from "../audit/kubernetes-object.ts";
import { isMissingProgram, run } from "../process.ts";

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

/** The value at a path of a parsed document; undefined if absent. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce((inner: unknown, key) => {
    if (Array.isArray(inner)) return typeof key === "number" ? inner[key] : undefined;
    return isObject(inner) ? inner[key] : undefined;
  }, value);
}

export function textAt(value: unknown, ...path: readonly (string | number)[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === "string" ? found : undefined;
}

export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

export function groupAt(value: unknown, ...path: readonly (string | number)[]): Readonly<Record<string, unknown>> {
  const found = at(value, ...path);
  return isObject(found) ? found : {};
}

/** The string values of an object. */
export function textsAt(value: unknown, ...path: readonly (string | number)[]): Readonly<Record<string, string>> {
  const texts = Object.entries(groupAt(value, ...path)).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return Object.fromEntries(texts);
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
    return this.all.find((one) => one.kind === kind && one.namespace === namespace && one.name === name);
  }

  ofKind(kind: string, namespace?: string): KubernetesObject[] {
    return this.all.filter((one) => one.kind === kind && (namespace === undefined || one.namespace === namespace));
  }

  in(namespace: string): KubernetesObject[] {
    return this.all.filter((one) => one.namespace === namespace);
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

/** An EKS cluster as AWS describes it. */
export interface AwsCluster {
  readonly serviceCidr: string | undefined;
  readonly isAutoMode: boolean;
  /** Whether CoreDNS is an EKS add-on. */
  readonly hasCoreDnsAddon: boolean;
  /** Version of that add-on. The stack pins it, because another version would be an upgrade. */
  readonly coreDnsVersion?: string;
}

const TIMEOUT_SECONDS = 30;

/**
 * Describes a cluster with the AWS CLI, which `aws eks get-token` in the kubeconfig needs anyway.
 * @returns one sentence that says why nothing is known, if the CLI or credentials are missing.
 */
export async function describeCluster(name: string, region: string): Promise<AwsCluster | string> {
  const cluster = await ask(["describe-cluster", "--name", name], region);
  if (typeof cluster === "string") return cluster;
  const addon = await ask(["describe-addon", "--cluster-name", name, "--addon-name", "coredns"], region);
  if (typeof addon === "string" && !addon.includes("ResourceNotFoundException")) return addon;
  const { computeConfig } = isObject(cluster.cluster) ? cluster.cluster : {};
  const version = typeof addon === "string" ? undefined : textAt(addon, "addon", "addonVersion");
  return {
    serviceCidr: textAt(cluster, "cluster", "kubernetesNetworkConfig", "serviceIpv4Cidr"),
    isAutoMode: isObject(computeConfig) && computeConfig.enabled === true,
    hasCoreDnsAddon: typeof addon !== "string",
    ...(version === undefined ? {} : { coreDnsVersion: version }),
  };
}

/** The last line, which names the error, without its final period, so that it can be embedded in a sentence. */
function lastSentence(stderr: string): string {
  return (stderr.trim().split("\n").at(-1) ?? "").replace(/[.:]$/, "");
}

async function ask(args: readonly string[], region: string): Promise<Record<string, unknown> | string> {
  try {
    const { exitCode, stdout, stderr } = await run(
      "aws",
      ["eks", ...args, "--region", region, "--output", "json"],
      // Version 1 of the CLI has no such option.
      { timeoutSeconds: TIMEOUT_SECONDS, env: { AWS_PAGER: "" } },
    );
    if (exitCode !== 0) return `aws eks ${args[0]}: ${lastSentence(stderr)}`;
    const answer: unknown = JSON.parse(stdout);
    return isObject(answer) ? answer : `aws eks ${args[0]}: no JSON object`;
  } catch (error) {
    return isMissingProgram(error) ? "the AWS CLI is not installed" : `aws eks ${args[0]}: ${String(error)}`;
  }
}
