import { z } from "zod";
import {
  type EgressRule,
  type IngressRule,
  type Peer,
  type PolicyPort,
  podsOfNamespace,
} from "../kubernetes/network-policy.ts";
import { relation } from "../schema/errors.ts";
import { integer, string } from "../schema/values.ts";

/** Name of a namespace. @see https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names */
export const NamespaceName = string(
  /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
  "the name of a namespace: up to 63 lower-case letters, digits and '-'",
);

const PORT = "must be a port from 1 to 65535, or an object with port and protocol";
const Port = z.union(
  [
    z.int(PORT).min(1, PORT).max(65_535, PORT),
    z.strictObject({
      port: integer(1, 65_535).describe("Port, or the first of a range."),
      endPort: integer(1, 65_535).optional().describe("Last port of a range. Default: port."),
      protocol: z.enum(["TCP", "UDP", "SCTP"]).default("TCP").describe("Default TCP."),
    }),
  ],
  PORT,
);

/** Who else may connect, or be connected to. */
export const AccessRule = z
  .strictObject({
    namespaces: z.array(NamespaceName).default([]).describe("Namespaces, such as that of an ingress controller."),
    cidrs: z
      .array(z.union([z.cidrv4(), z.cidrv6()], "must be a CIDR block, such as 203.0.113.0/24"))
      .default([])
      .describe("CIDR blocks."),
    ports: z.array(Port).default([]).describe("Ports, TCP unless a protocol is set. Default: all, and ping."),
  })
  .superRefine((rule, context) => {
    if (rule.namespaces.length === 0 && rule.cidrs.length === 0)
      relation(
        context,
        ["namespaces", "cidrs"],
        "namespaces or cidrs is required, or the rule would let everything through",
      );
  });
export type AccessRule = z.infer<typeof AccessRule>;

function peersOf({ namespaces, cidrs }: AccessRule): Peer[] {
  return [...namespaces.map((name) => podsOfNamespace(name)), ...cidrs.map((cidr) => ({ ipBlock: { cidr } }))];
}

function portsOf({ ports }: AccessRule): { ports?: PolicyPort[] } {
  if (ports.length === 0) return {};
  return {
    ports: ports.map((port) => (typeof port === "number" ? { protocol: "TCP" as const, port } : { ...port })),
  };
}

/** The ways in as a NetworkPolicy has them. */
export function ingressOf(rules: readonly AccessRule[]): IngressRule[] {
  return rules.map((rule) => ({ from: peersOf(rule), ...portsOf(rule) }));
}

/** The ways out as a NetworkPolicy has them. */
export function egressOf(rules: readonly AccessRule[]): EgressRule[] {
  return rules.map((rule) => ({ to: peersOf(rule), ...portsOf(rule) }));
}
