import { teamNamespace } from "../../components/kubernetes/labels.ts";
import { LOGGING_NAMESPACE } from "../../components/logging/pipeline.ts";
import { CANARY_NAMESPACE } from "../../components/monitoring/scrape-targets.ts";
import type { Settings } from "../../components/settings.ts";
import { type Deployment, madeObjects } from "./state.ts";

/** Namespaces that the stack has made. A patch of one that exists is another type. */
const NAMESPACE = /\bkubernetes:core\/v1:Namespace::/;

/**
 * Namespaces of a stack's state that an update with these settings deletes, with all that is in them.
 * @returns their names, in the order of the state.
 */
export function deletedNamespaces(deployment: Deployment, settings: Settings): string[] {
  const kept = new Set(settings.teams.flatMap(ownNamespaces));
  if (settings.logging !== undefined) kept.add(LOGGING_NAMESPACE);
  if (settings.monitoring.kind !== "none" && settings.monitoring.canary.enabled) kept.add(CANARY_NAMESPACE);
  return madeObjects(deployment)
    .filter(({ urn }) => NAMESPACE.test(urn))
    .map(({ header }) => header.metadata.name)
    .filter((name) => !kept.has(name));
}

/** What is made for a team, without the namespaces that are there and only taken over. */
function ownNamespaces({ name, namespaces }: Settings["teams"][number]): string[] {
  return namespaces?.flatMap((one) => (one.adopt ? [] : [one.name])) ?? [teamNamespace(name)];
}
