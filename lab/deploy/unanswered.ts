import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { type Resource, readResource } from "./state.ts";

/** Message for a request whose answer never came, because the run was stopped or the connection broke: the object may exist. */
const NO_ANSWER = /\bwas not successfully created by the Kubernetes API server: Post "[^"]+": /;

/** Objects whose creation a run requested without getting an answer. Pulumi forgets them, and the next run would fail because they exist. */
export class UnansweredCreations {
  /** All failed resources, by URN. */
  readonly #failed = new Map<string, Resource>();
  /** URNs whose diagnostics report a missing answer. */
  readonly #unanswered = new Set<string>();

  /** Records an engine event. */
  readonly see = ({ resOpFailedEvent, diagnosticEvent }: EngineEvent): void => {
    const resource = readResource(resOpFailedEvent?.metadata.new);
    if (resource !== undefined) this.#failed.set(resource.urn, resource);
    if (diagnosticEvent?.urn !== undefined && NO_ANSWER.test(diagnosticEvent.message))
      this.#unanswered.add(diagnosticEvent.urn);
  };

  /** The unanswered resources, as a state records pending ones. */
  get resources(): Resource[] {
    return [...this.#failed.values()].filter(({ urn }) => this.#unanswered.has(urn));
  }
}
