import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { type Resource, readResource } from "./state.ts";

/** Said of a creation whose answer did not come, since the run was stopped or the connection broke: the object may be there or not. */
const NO_ANSWER = /\bwas not successfully created by the Kubernetes API server: Post "[^"]+": /;

/** Objects whose creation a run has asked for without an answer. Pulumi forgets them, and the next run finds that they exist. */
export class UnansweredCreations {
  /** As the engine tells of them, by URN: whatever the reason was. */
  readonly #failed = new Map<string, Resource>();
  /** URNs of those whose diagnostics tell of no answer. */
  readonly #unanswered = new Set<string>();

  /** Takes an event of the engine. */
  readonly see = ({ resOpFailedEvent, diagnosticEvent }: EngineEvent): void => {
    const resource = readResource(resOpFailedEvent?.metadata.new);
    if (resource !== undefined) this.#failed.set(resource.urn, resource);
    if (diagnosticEvent?.urn !== undefined && NO_ANSWER.test(diagnosticEvent.message))
      this.#unanswered.add(diagnosticEvent.urn);
  };

  /** As a state has them while they are being made. */
  get resources(): Resource[] {
    return [...this.#failed.values()].filter(({ urn }) => this.#unanswered.has(urn));
  }
}
