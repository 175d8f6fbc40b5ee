import { type LogPipeline, NODE_VARIABLE, OPT_OUT_ANNOTATION } from "../../pipeline.ts";
import type { Options } from "./outputs.ts";

/** Begins the resource attributes with what a pod is labelled and annotated with. */
export const LABEL = "label/";
export const ANNOTATION = "annotation/";
const OPT_OUT = "opt-out";

/** @see https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/processor/k8sattributesprocessor */
export function podAttributes({ metadata }: LogPipeline): Options {
  const from = (name: string) => ({ from: "resource_attribute", name });
  // Not by the pod's UID: the folder of a static pod has another.
  const byName = { sources: [from("k8s.pod.name"), from("k8s.namespace.name")] };
  return {
    auth_type: "serviceAccount",
    passthrough: false,
    filter: { node_from_env_var: NODE_VARIABLE },
    wait_for_metadata: true,
    wait_for_metadata_timeout: "30s",
    extract: {
      metadata: ["k8s.namespace.name", "k8s.pod.name"],
      labels: [{ tag_name: `${LABEL}$$1`, key_regex: "(.*)", from: "pod" }],
      annotations: [
        { tag_name: OPT_OUT, key: OPT_OUT_ANNOTATION, from: "pod" },
        ...(metadata.annotations ? [{ tag_name: `${ANNOTATION}$$1`, key_regex: "(.*)", from: "pod" }] : []),
      ],
    },
    // What an application sends itself is known by its address.
    pod_association: [byName, { sources: [{ from: "connection" }] }],
  };
}

/** Leaves pods out: the first condition that holds drops. */
export function podFilter({ namespaces, labels }: LogPipeline): Options {
  const namespace = resource("k8s.namespace.name");
  const unlike = namespaces.include.map((name) => `${namespace} != ${text(name)}`).join(" and ");
  return {
    error_mode: "ignore",
    log_conditions: [
      ...namespaces.exclude.map((name) => `${namespace} == ${text(name)}`),
      ...(unlike === "" ? [] : [unlike]),
      `${resource(OPT_OUT)} == "true"`,
      ...Object.entries(labels).map(([key, value]) => `${resource(LABEL + key)} != ${text(value)}`),
    ],
  };
}

/** The path of a resource attribute. @see https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/pkg/ottl */
export function resource(name: string): string {
  return `resource.attributes["${name}"]`;
}

/** A text in quotes. */
export function text(value: string): string {
  return JSON.stringify(value);
}
