import type { WatchedStack } from "../../../components/monitoring/alert.ts";

/** A stack that has everything that an alert is about. */
export const WHOLE: WatchedStack = {
  coredns: { managed: true, replicas: 3, memoryLimit: 170 * 2 ** 20, upstreams: ["10.0.0.2:53", "[fd00::2]:53"] },
  nodeLocalCache: true,
  collector: "fluent-bit",
  senderPorts: [],
  inClusterOpenSearch: true,
  namespaces: ["sa-team", "ts-team"],
  canary: { readsLines: true },
  kubeStateMetrics: true,
};

/** A stack of which nothing is watched. */
export const NOTHING: WatchedStack = {
  coredns: undefined,
  nodeLocalCache: false,
  collector: undefined,
  senderPorts: [],
  inClusterOpenSearch: false,
  namespaces: [],
  canary: undefined,
  kubeStateMetrics: false,
};
