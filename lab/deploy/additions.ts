import type { KubeConfig } from "@kubernetes/client-node";
import { isObject, parsedJson } from "../../components/schema/values.ts";
import type { Settings } from "../../components/settings.ts";
import { asClusterError, listPath, requestApi } from "../kubernetes/api-requests.ts";
import { managersOf } from "../kubernetes/object-store.ts";
import { type Deployment, FIELD_MANAGER, type Header, type Resource, stateObjects } from "./state.ts";

/** An object to which another tool added fields that a refresh does not see. */
export interface Addition {
  readonly urn: string;
  /** Such as `NetworkPolicy ts-team/allow-dns`. */
  readonly object: string;
  /** Such as `spec.egress[1]`. */
  readonly paths: readonly string[];
}

/** The kinds that grant or deny access: the plural in their API path, and the fields that do. */
const ACCESS: Readonly<Record<string, { readonly plural: string; readonly fields: readonly string[] }>> = {
  NetworkPolicy: { plural: "networkpolicies", fields: ["spec"] },
  Role: { plural: "roles", fields: ["rules"] },
  ClusterRole: { plural: "clusterroles", fields: ["rules"] },
  RoleBinding: { plural: "rolebindings", fields: ["subjects"] },
  ClusterRoleBinding: { plural: "clusterrolebindings", fields: ["subjects"] },
};

/** Fields in those that the API server sets if they are missing. */
const DEFAULTED: readonly string[] = ["protocol", "apiGroup", "policyTypes"];
const TIMEOUT_SECONDS = 10;

/**
 * Finds what other tools added to NetworkPolicies, roles and bindings of a stack, such as a rule. Pulumi's refresh only compares the fields
 * and the list items that the stack sets, so an update would leave it there.
 * @throws {ClusterError} if the API server does not answer; what the user may not read is left out.
 * @see https://github.com/pulumi/pulumi-kubernetes/issues/3262
 */
export async function accessAdditions(config: KubeConfig, deployment: Deployment): Promise<Addition[]> {
  const inputs = new Map((deployment.resources ?? []).map((resource) => [resource.urn, resource.inputs]));
  const found = await Promise.all(
    stateObjects(deployment).map(async ({ urn, header }): Promise<Addition[]> => {
      const paths = addedPaths(header, inputs.get(urn), await liveObject(config, header));
      return paths.length === 0 ? [] : [{ urn, object: textOf(header), paths }];
    }),
  );
  return found.flat();
}

/** An object of a kind in {@link ACCESS}, as the API server sends it; undefined if it cannot be read. */
async function liveObject(config: KubeConfig, { apiVersion, kind, metadata }: Header): Promise<unknown> {
  const access = ACCESS[kind ?? ""];
  if (apiVersion === undefined || access === undefined) return undefined;
  return readObject(config, { apiVersion, plural: access.plural, ...metadata });
}

interface Named {
  readonly apiVersion: string;
  readonly plural: string;
  readonly namespace?: string;
  readonly name: string;
}

/** An object, as the API server sends it; undefined if it cannot be read. */
async function readObject(config: KubeConfig, { name, ...kind }: Named): Promise<unknown> {
  try {
    const { status, body } = await requestApi(config, { path: `${listPath(kind)}/${name}`, seconds: TIMEOUT_SECONDS });
    return status === 200 ? parsedJson(body) : undefined;
  } catch (error) {
    throw asClusterError(error, `get ${kind.plural} ${name}`);
  }
}

function addedPaths({ kind }: Header, inputs: Resource["inputs"], live: unknown): string[] {
  const fields = ACCESS[kind ?? ""]?.fields ?? [];
  if (inputs === undefined || !isObject(live)) return [];
  return fields.flatMap((field) => [...additions(live[field], inputs[field], field)]);
}

/** Paths of what only the live value has. Other differences are seen by a refresh. */
export function* additions(live: unknown, own: unknown, path: string): Generator<string> {
  if (Array.isArray(live) && Array.isArray(own)) {
    for (const [index, value] of live.entries()) {
      const item = `${path}[${index}]`;
      if (index < own.length) yield* additions(value, own[index], item);
      else yield item;
    }
  } else if (isObject(live) && isObject(own)) {
    for (const [key, value] of Object.entries(live)) {
      const field = `${path}.${key}`;
      if (key in own) yield* additions(value, own[key], field);
      else if (!DEFAULTED.includes(key)) yield field;
    }
  }
}

function textOf({ kind, metadata: { namespace, name } }: Header): string {
  return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}

/** Pulumi's field managers: one per patch or updated object of a stack, and one for all objects that were only created. */
const STACK_MANAGER = /^pulumi-kubernetes(-|$)/;

/**
 * Finds the other stacks that manage the Corefile which this one adopts with `dns.adopt.force`: server-side apply reports no conflict then,
 * and each stack replaces the other's Corefile with every update. While both have applied the same Corefile, none takes anything, and an
 * earlier deployment of this stack looks the same: after `down`, its field manager stays with the Corefile.
 * @returns a sentence; undefined if there is no other stack.
 * @throws {ClusterError} if the API server does not answer.
 */
export async function sharedCorefile(
  config: KubeConfig,
  deployment: Deployment,
  { dns }: Pick<Settings, "dns">,
): Promise<string | undefined> {
  const { manage, force, namespace, configMap: name } = dns?.adopt ?? {};
  if (!manage || !force || namespace === undefined || name === undefined) return undefined;
  const live = await readObject(config, { apiVersion: "v1", plural: "configmaps", namespace, name });
  const own = (deployment.resources ?? []).map(({ outputs }) => outputs?.[FIELD_MANAGER]);
  const stacks = managersOf(live, ["data", "Corefile"]).filter((manager) => STACK_MANAGER.test(manager));
  if (stacks.length === 0 || stacks.some((manager) => own.includes(manager))) return undefined;
  return `dns.adopt.force: takes the Corefile in ConfigMap ${namespace}/${name} from another Pulumi stack (field manager ${stacks.join(", ")}), which takes it back with its next update: unless it is destroyed, set dns.adopt.manage: false in one of the two`;
}
