import assert from "node:assert/strict";
import type { WatchedStack } from "../../../components/monitoring/alerts/alert.ts";
import { parseSettings } from "../../../components/settings.ts";
import { KINDS } from "../../support/parts.ts";
import { planOnce } from "../../support/plans.ts";

/** A stack that has everything that an alert is about. */
export const WHOLE: WatchedStack = {
  coredns: {
    managed: true,
    namespace: "kube-system",
    labels: { "k8s-app": "kube-dns" },
    deployment: "coredns",
    container: "coredns",
    configMap: "coredns",
    replicas: 3,
    memoryLimit: 170 * 2 ** 20,
    upstreams: ["10.0.0.2:53", "[fd00::2]:53"],
    ports: [53],
  },
  nodeLocalCache: true,
  loggingNamespace: "logging",
  collector: "fluent-bit",
  senderPorts: [],
  eventReader: { ports: [2020] },
  inClusterOpenSearch: true,
  namespaces: ["sa-team", "ts-team"],
  canary: { readsLines: true },
  kubeStateMetrics: true,
};

/** A stack of which nothing is watched. */
export const NOTHING: WatchedStack = {
  coredns: undefined,
  nodeLocalCache: false,
  loggingNamespace: "logging",
  collector: undefined,
  senderPorts: [],
  eventReader: undefined,
  inClusterOpenSearch: false,
  namespaces: [],
  canary: undefined,
  kubeStateMetrics: false,
};

export type Kind = keyof typeof KINDS;

export const OWN_SEARCH = { destination: { kind: "opensearch", inCluster: true } };

export function configOf(kind: Kind, sections: Readonly<Record<string, unknown>>): Record<string, string> {
  const own = Object.entries(sections).map(([key, value]) => [`eks-dns-logging:${key}`, JSON.stringify(value)]);
  return { ...KINDS[kind], ...Object.fromEntries(own) };
}

export async function plan(kind: Kind, sections: Readonly<Record<string, unknown>>) {
  const { resources } = await planOnce({ name: "watched", config: configOf(kind, sections) });
  const own = resources.filter(({ name }) => name.startsWith("monitoring"));
  const read = (name: string) => {
    const found = own.find((one) => one.name === name);
    assert.ok(found, `${name} is not among ${own.map((one) => one.name).join(", ")}`);
    return JSON.parse(JSON.stringify(found.inputs));
  };
  return { resources, names: own.map(({ name }) => name).sort(), read };
}

export const warnings = (kind: Kind, sections: Readonly<Record<string, unknown>>) =>
  parseSettings(configOf(kind, sections)).warnings.map(({ path, message }) => `${path.join(".")}: ${message}`);
