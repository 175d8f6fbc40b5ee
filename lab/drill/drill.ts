import { teamNamespace } from "../../components/kubernetes/labels.ts";
import type { Settings } from "../../components/settings.ts";
import { curlPodName } from "../../components/team/curl-pod-spec.ts";
import type { CoreDnsPlace } from "../kubernetes/core-dns-place.ts";
import type { KubernetesJson, ObjectRef } from "../kubernetes/object-store.ts";
import type { Check } from "../verify/result.ts";

/** One write that breaks something on a cluster. */
export type Fault =
  | {
      readonly kind: "change";
      readonly ref: ObjectRef;
      /** Returns the faulty object; undefined if the object cannot be made faulty. */
      readonly change: (object: KubernetesJson) => KubernetesJson | undefined;
    }
  | { readonly kind: "create"; readonly ref: ObjectRef; readonly object: KubernetesJson }
  | { readonly kind: "delete"; readonly ref: ObjectRef };

/** The setting of a drill: two teams, the first of which may connect to the second. */
export interface Scene {
  readonly settings: Settings;
  readonly from: string;
  readonly to: string;
  readonly coreDns: CoreDnsPlace;
}

/** A fault for a learner to find. */
export interface Drill {
  /** Names the symptom, never the cause. */
  readonly name: string;
  /** 1: one object to look at; 2: several; 3: the symptom misleads. */
  readonly level: 1 | 2 | 3;
  /** Expected duration for a learner. */
  readonly minutes: number;
  /** Part of the stack that it concerns. */
  readonly part: "dns" | "teams" | "logs";
  /** What a user would report. */
  readonly symptom: (scene: Scene) => string;
  /** A command that shows the symptom. */
  readonly shownBy: (scene: Scene) => string;
  readonly hints: (scene: Scene) => readonly [string, string, string];
  /** Rows of `lab verify` that fail with the fault, in the syntax of `--only`. */
  readonly rows: (scene: Scene) => readonly string[];
  /** Checks that verify does not have. @default none */
  readonly checks?: (scene: Scene) => readonly Check[];
  /** Why a stack cannot run the drill; undefined if it can. @default always possible */
  readonly unfit?: (scene: Scene) => string | undefined;
  readonly faults: (scene: Scene) => readonly Fault[];
  /** Pods that must restart before the fault or its repair takes effect. @default none */
  readonly restarts?: (scene: Scene) => { readonly namespace: string; readonly selector: string };
  /** Where a controller keeps old revisions of the object, which are restored too. @default nowhere */
  readonly history?: (scene: Scene) => History;
  /** An effect of the drill that cannot be undone, shown before the first write. @default nothing */
  readonly warning?: string;
  /** What was changed, and how it causes the symptom. */
  readonly cause: (scene: Scene) => string;
  /** How to repair it by hand. */
  readonly repair: (scene: Scene) => string;
  /** Alert that would report it; undefined if there is none. */
  readonly alert?: string;
}

/** Old revisions that a controller keeps of an object, such as the ReplicaSets of a Deployment. */
export interface History extends Omit<ObjectRef, "name"> {
  /** Their label, as `key=value`. */
  readonly selector: string;
}

/** A command to run in the team's curl pod. */
export function inPod(team: string, command: string): string {
  return `kubectl -n ${teamNamespace(team)} exec ${curlPodName(team)} -- ${command}`;
}
