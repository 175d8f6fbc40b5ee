import { LOGGING_NAMESPACE } from "../../components/logging/pipeline.ts";
import type { ObjectRef } from "../kubernetes/object-store.ts";
import { changeText, type Fault, type Scene } from "./drill.ts";

export const FLUENT_BIT = "fluent-bit";
const CONFIGURATION = "fluent-bit.yaml";

/** A core API object in the collector's namespace. */
export function logging(plural: string, name: string): ObjectRef {
  return { apiVersion: "v1", plural, namespace: LOGGING_NAMESPACE, name };
}

/** Changes Fluent Bit's configuration. @param change Returns undefined if the text has nothing to change. */
export function configuration(change: (text: string) => string | undefined): Fault {
  const ref = logging("configmaps", FLUENT_BIT);
  return { kind: "change", ref, change: (object) => changeText(object, CONFIGURATION, change) };
}

/** The collector's pods on the nodes. */
export const COLLECTOR_PODS = { namespace: LOGGING_NAMESPACE, selector: `app.kubernetes.io/name=${FLUENT_BIT}` };

/** What all drills about the DaemonSet collector share. */
export const LOGS = {
  part: "logs",
  restarts: () => COLLECTOR_PODS,
  unfit: ({ settings: { logging: settings } }: Scene) => {
    if (settings === undefined) return "the stack collects no logs";
    if (settings.collector !== FLUENT_BIT || settings.mode !== "daemonset")
      return "it changes Fluent Bit's configuration on the nodes, and the stack runs another collector";
    if (settings.destinations !== undefined) return "the stack has several destinations";
    return undefined;
  },
} as const;
