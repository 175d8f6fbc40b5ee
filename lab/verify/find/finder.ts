import type { PodFacts } from "../../kubernetes/cluster.ts";
import type { Lab } from "../lab.ts";

export interface Wanted {
  readonly marker: string;
  /** The pod that wrote it. */
  readonly pod: PodFacts;
  /** How far to look back. */
  readonly seconds: number;
}

/** Where a marker was found, such as the index or the log stream. */
export interface Found {
  readonly where: string;
  /** Set where it should not be just there, such as in an index with another name: what was expected. */
  readonly unexpected?: string;
}

/** Looks for a line where a collector sends logs. One for each kind of destination. */
export interface MarkerFinder {
  /** The destination, for the table. */
  readonly place: string;
  /** Whether the marker goes to a file of the application, which a sidecar reads, and not to stdout. Default false. */
  readonly inFile?: boolean;
  /** Set where the destination cannot be read from here: why. */
  readonly unable?: string;
  /**
   * Checks what must stand before it is worth waiting.
   * @throws {Obstacle} where it does not.
   */
  prepare?(lab: Lab, pod: PodFacts): Promise<void>;
  /** Undefined as long as the marker is not there. */
  find(lab: Lab, wanted: Wanted): Promise<Found | undefined>;
  /** One line on why it did not come. */
  whyMissing(lab: Lab, pod: PodFacts): Promise<string>;
}

/** A destination that cannot be read. */
export function unableFinder(place: string, unable: string): MarkerFinder {
  return { place, unable, find: async () => undefined, whyMissing: async () => unable };
}
