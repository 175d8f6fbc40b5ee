import { isIP } from "node:net";

type Json = unknown;

/** A pod, or an address outside of the cluster, as NetworkPolicies see it. */
export interface Peer {
  /** Undefined for an address outside of the cluster. */
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Labels of its namespace. Default: its name alone, which the API server sets. */
  readonly namespaceLabels?: Readonly<Record<string, string>>;
  readonly address: string;
  /** Ports that its containers name, with their protocol: `http` of TCP as `TCP http`. Default: none. */
  readonly ports?: Readonly<Record<string, number>>;
}

/** One connection; without a port a ping. */
export interface Connection {
  readonly from: Peer;
  readonly to: Peer;
  readonly port?: { readonly protocol: string; readonly port: number };
}

/** A NetworkPolicy as the API server takes it. */
export interface Policy {
  readonly namespace: string;
  readonly spec: Json;
}

/**
 * Whether a connection gets through, by the API reference alone: nothing of the program that writes the policies is used. Both sides must let
 * it through, and a side that no policy of that way selects lets everything through.
 * @see https://kubernetes.io/docs/concepts/services-networking/network-policies/#behavior-of-to-and-from-selectors
 */
export function connects(connection: Connection, policies: readonly Policy[]): boolean {
  return (
    lets("Egress", connection.from, connection.to, connection, policies) &&
    lets("Ingress", connection.to, connection.from, connection, policies)
  );
}

function lets(
  way: "Egress" | "Ingress",
  own: Peer,
  other: Peer,
  connection: Connection,
  policies: readonly Policy[],
): boolean {
  if (own.namespace === undefined) return true;
  const of = policies.filter(
    ({ namespace, spec }) =>
      namespace === own.namespace && selects(at(spec, "podSelector"), own.labels) && typesOf(spec).includes(way),
  );
  if (of.length === 0) return true;
  const [rules, peers] = way === "Egress" ? ["egress", "to"] : ["ingress", "from"];
  return of.some(({ namespace, spec }) =>
    listAt(spec, rules).some(
      (rule) =>
        (listAt(rule, peers).length === 0 || listAt(rule, peers).some((peer) => isPeer(peer, other, namespace))) &&
        (listAt(rule, "ports").length === 0 || listAt(rule, "ports").some((port) => isPort(port, connection))),
    ),
  );
}

function typesOf(spec: Json): Json[] {
  const types = listAt(spec, "policyTypes");
  if (types.length > 0) return types;
  return at(spec, "egress") === undefined ? ["Ingress"] : ["Ingress", "Egress"];
}

function isPeer(peer: Json, other: Peer, own: string): boolean {
  const block = at(peer, "ipBlock");
  if (block !== undefined) {
    const isIn = (cidr: Json) => contains(String(cidr), other.address);
    return isIn(at(block, "cidr")) && !listAt(block, "except").some(isIn);
  }
  if (other.namespace === undefined) return false;
  const namespaces = at(peer, "namespaceSelector");
  const labels = { ...other.namespaceLabels, "kubernetes.io/metadata.name": other.namespace };
  const inNamespace = namespaces === undefined ? other.namespace === own : selects(namespaces, labels);
  const pods = at(peer, "podSelector");
  return inNamespace && (pods === undefined || selects(pods, other.labels));
}

/** A ping is let through by a rule without ports alone. A port may be named, as the pod that is connected to names it. */
function isPort(port: Json, { port: asked, to }: Connection): boolean {
  if (asked === undefined || (at(port, "protocol") ?? "TCP") !== asked.protocol) return false;
  const first = at(port, "port");
  if (first === undefined) return true;
  if (typeof first === "string") return to.ports?.[`${asked.protocol} ${first}`] === asked.port;
  return Number(first) <= asked.port && asked.port <= Number(at(port, "endPort") ?? first);
}

/** Whether all labels and all expressions of a selector fit. @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/ */
function selects(selector: Json, labels: Readonly<Record<string, string>> = {}): boolean {
  return (
    Object.entries(Object(at(selector, "matchLabels"))).every(([key, value]) => labels[key] === value) &&
    listAt(selector, "matchExpressions").every((expression) => fits(expression, labels))
  );
}

/** A label that is not there is in no list, so that `NotIn` fits it. */
function fits(expression: Json, labels: Readonly<Record<string, string>>): boolean {
  const value = labels[String(at(expression, "key"))];
  const values = listAt(expression, "values");
  switch (at(expression, "operator")) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      throw new Error(`no operator of a label selector: ${JSON.stringify(expression)}`);
  }
}

function contains(cidr: string, address: string): boolean {
  const [base = "", length = ""] = cidr.split("/");
  if (isIP(base) !== isIP(address)) return false;
  return bits(address).startsWith(bits(base).slice(0, Number(length)));
}

function bits(address: string): string {
  if (isIP(address) === 4)
    return address
      .split(".")
      .map((part) => Number(part).toString(2).padStart(8, "0"))
      .join("");
  const [head = "", tail] = address.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const [first, last] = [groups(head), groups(tail ?? "")];
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => "0");
  return [...first, ...zeros, ...last].map((part) => Number.parseInt(part, 16).toString(2).padStart(16, "0")).join("");
}

function at(value: Json, key: string): Json {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

function listAt(value: Json, key: string): Json[] {
  const found = at(value, key);
  return Array.isArray(found) ? found : [];
}
