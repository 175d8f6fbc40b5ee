import { teamNamespace } from "../../components/kubernetes/labels.ts";
import { isObject } from "../../components/schema/values.ts";
import type { Settings } from "../../components/settings.ts";
import { curlPodName } from "../../components/team/curl-pod-spec.ts";
import type { CoreDnsPlace } from "../kubernetes/core-dns-place.ts";
import type { Check } from "../verify/result.ts";
import { fieldOf, type KubernetesJson, type ObjectRef, withField } from "./object-store.ts";

/** One write that makes a cluster faulty. */
export type Fault =
  | {
      readonly kind: "change";
      readonly ref: ObjectRef;
      /** The object with the fault; undefined where it has nothing that could be made faulty. */
      readonly change: (object: KubernetesJson) => KubernetesJson | undefined;
    }
  | { readonly kind: "create"; readonly ref: ObjectRef; readonly object: KubernetesJson }
  | { readonly kind: "delete"; readonly ref: ObjectRef };

/** Where a drill takes place: two teams, the first of which may connect to the second. */
export interface Scene {
  readonly settings: Settings;
  readonly from: string;
  readonly to: string;
  readonly coreDns: CoreDnsPlace;
}

/** A fault that a learner looks for. */
export interface Drill {
  /** Says what is seen, never why. */
  readonly name: string;
  /** 1: one object to look at; 2: several; 3: what is seen misleads. */
  readonly level: 1 | 2 | 3;
  /** Time that it takes a learner. */
  readonly minutes: number;
  /** Part of the stack that it is about. */
  readonly part: "dns" | "teams" | "logs";
  /** What a user would report. */
  readonly symptom: (scene: Scene) => string;
  /** A command that shows it. */
  readonly shownBy: (scene: Scene) => string;
  readonly hints: (scene: Scene) => readonly [string, string, string];
  /** Rows of `lab verify` that pass before and fail with the fault, as for `--only`. */
  readonly rows: (scene: Scene) => readonly string[];
  /** What verify has no row for. @default none */
  readonly checks?: (scene: Scene) => readonly Check[];
  /** Why the stack cannot show it; undefined where it can. @default always */
  readonly unfit?: (scene: Scene) => string | undefined;
  readonly faults: (scene: Scene) => readonly Fault[];
  /** Pods that must restart before the fault, or its end, shows. @default none */
  readonly restarts?: (scene: Scene) => { readonly namespace: string; readonly selector: string };
  /** Where a controller keeps what an object was before it was changed; that is put back too. @default nowhere */
  readonly history?: (scene: Scene) => History;
  /** What the drill does that cannot be undone, said before the first write. @default nothing */
  readonly warning?: string;
  /** What was done, and how it leads to the symptom. */
  readonly cause: (scene: Scene) => string;
  /** How it is repaired by hand. */
  readonly repair: (scene: Scene) => string;
  /** Alert that would have told it; undefined where none is about it. */
  readonly alert?: string;
}

/** Old versions that a controller keeps of an object, such as the ReplicaSets of a Deployment. */
export interface History extends Omit<ObjectRef, "name"> {
  /** Their label, as `key=value`. */
  readonly selector: string;
}

/** The ConfigMap with CoreDNS's Corefile. */
export function corefileOf({ namespace, configMap }: CoreDnsPlace): ObjectRef {
  return { apiVersion: "v1", plural: "configmaps", namespace, name: configMap };
}

/** An object of the core API in a team's namespace. */
export function teamObject(plural: string, team: string, name: string = curlPodName(team)): ObjectRef {
  return { apiVersion: "v1", plural, namespace: teamNamespace(team), name };
}

/** A team's NetworkPolicy. */
export function teamPolicy(team: string, name: string): ObjectRef {
  return { apiVersion: "networking.k8s.io/v1", plural: "networkpolicies", namespace: teamNamespace(team), name };
}

/** An object of a controller that runs pods. */
export function workload(plural: "deployments" | "daemonsets", namespace: string, name: string): ObjectRef {
  return { apiVersion: "apps/v1", plural, namespace, name };
}

/** A workload whose pods have their first container changed, and what is beside it. */
export function changePods(
  object: KubernetesJson,
  change: (container: KubernetesJson) => KubernetesJson,
  beside: (pods: KubernetesJson) => KubernetesJson = (pods) => pods,
): KubernetesJson | undefined {
  const path = ["spec", "template", "spec"];
  const pods = fieldOf(object, path);
  const containers = fieldOf(pods, ["containers"]);
  if (!isObject(pods) || !Array.isArray(containers)) return undefined;
  const [first, ...others]: readonly unknown[] = containers;
  if (!isObject(first)) return undefined;
  return withField(object, path, beside({ ...pods, containers: [change(first), ...others] }));
}

/** A list that may be missing, with one element more. */
export function withElement(object: KubernetesJson, key: string, element: KubernetesJson): KubernetesJson {
  const list: unknown = object[key];
  return { ...object, [key]: [...(Array.isArray(list) ? list : []), element] };
}

/** A command run in the team's curl pod. */
export function inPod(team: string, command: string): string {
  return `kubectl -n ${teamNamespace(team)} exec ${curlPodName(team)} -- ${command}`;
}

/** A ConfigMap with one of its texts changed; undefined where there was nothing to change. */
export function changeText(
  configMap: KubernetesJson,
  key: string,
  change: (text: string) => string | undefined,
): KubernetesJson | undefined {
  const text = fieldOf(configMap, ["data", key]);
  const changed = typeof text === "string" ? change(text) : undefined;
  return changed === undefined || changed === text ? undefined : withField(configMap, ["data", key], changed);
}
