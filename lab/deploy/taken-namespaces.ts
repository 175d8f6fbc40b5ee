import { ApiException, CoreV1Api, type KubeConfig, type V1Namespace } from "@kubernetes/client-node";
import { commonLabels } from "../../components/kubernetes/labels.ts";
import type { Settings } from "../../components/settings.ts";
import { asClusterError } from "../kubernetes/api-request.ts";
import { adoptedNamespaces, createdNamespaces, type NamedNamespace } from "./stack-namespaces.ts";
import { type Deployment, stateObjects } from "./state.ts";

/**
 * Checks the namespaces that an update creates or adopts: one with another owner, or one being deleted, would stop it halfway.
 * @returns a sentence per problem.
 */
export async function takenNamespaces(
  config: KubeConfig,
  deployment: Deployment,
  settings: Settings,
): Promise<string[]> {
  const made = stateObjects(deployment).filter(({ header }) => header.kind === "Namespace");
  const own = new Set(made.map(({ header }) => header.metadata.name));
  const created = createdNamespaces(settings);
  const wrong: string[] = [];
  for (const named of [...created, ...adoptedNamespaces(settings)]) {
    const found = await readNamespace(config, named.name);
    if (found === undefined) continue;
    const { setting, name } = named;
    if (found.metadata?.deletionTimestamp !== undefined)
      wrong.push(
        `${setting}: must lead to a namespace that is not being deleted (found "${name}"): wait until it is gone`,
      );
    else if (created.includes(named) && !own.has(name))
      wrong.push(
        `${setting}: must lead to a namespace that does not exist yet (found "${name}"): ${wayOut(named, found)}`,
      );
  }
  return wrong;
}

const PART_OF = "app.kubernetes.io/part-of";

function wayOut({ name, setting }: NamedNamespace, { metadata }: V1Namespace): string {
  if (metadata?.labels?.[PART_OF] === commonLabels(name)[PART_OF])
    return "another stack of this project has created it, or this one with a state that is gone: remove it there, or delete it";
  return setting.startsWith("teams[")
    ? `write { name: ${name}, adopt: true } under namespaces to take it over, or delete it`
    : "delete it, or leave this part out";
}

/** Reads a namespace; undefined if it does not exist, or without permission. */
export async function readNamespace(config: KubeConfig, name: string): Promise<V1Namespace | undefined> {
  try {
    return await config.makeApiClient(CoreV1Api).readNamespace({ name });
  } catch (error) {
    if (error instanceof ApiException && (error.code === 404 || error.code === 403)) return undefined;
    throw asClusterError(error, `get namespace ${name}`);
  }
}
