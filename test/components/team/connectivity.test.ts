import assert from "node:assert/strict";
import { planStack } from "../../../lab/plan/plan.ts";
import { allowedPairs, deniedPairs } from "../../../lab/verify/checks/team-access.ts";
import { ofType } from "../../support/find.ts";
import { connections, PEERS, POLICIES, STACKS } from "./connection-cases.ts";
import { type Connection, connects, type Peer, type Policy } from "./connectivity.ts";
import recorded from "./recorded-connections.json" with { type: "json" };

type Json = Readonly<Record<string, unknown>>;

async function policiesOf(teams: readonly Json[], more: Readonly<Record<string, string>> = {}): Promise<Policy[]> {
  const config = {
    "aws:region": "eu-central-1",
    "eks-dns-logging:cluster": '{"kind":"eks-existing","name":"prod","kubernetesVersion":"1.35"}',
    "eks-dns-logging:logging": "false",
    "eks-dns-logging:teams": JSON.stringify(teams),
    ...more,
  };
  return planned(config);
}

async function planned(config: Readonly<Record<string, string>>): Promise<Policy[]> {
  const { resources } = await planStack({ name: "prod", config });
  return ofType(resources, "kubernetes:networking.k8s.io/v1:NetworkPolicy").map(({ inputs }) => {
    const { namespace }: { namespace?: string } = Object(inputs.metadata);
    return { namespace: namespace ?? "", spec: inputs.spec };
  });
}

const pod = (namespace: string, labels: Readonly<Record<string, string>> = {}): Peer => ({
  namespace,
  labels,
  address: "10.0.0.9",
});
const DNS = pod("kube-system", { "k8s-app": "kube-dns" });
const outside = (address: string): Peer => ({ address });
const tcp = (port: number) => ({ protocol: "TCP", port });
const udp = (port: number) => ({ protocol: "UDP", port });

/** Each connection with whether it gets through, as a table. */
function judge(
  policies: readonly Policy[],
  rows: readonly (readonly [string, Peer, Peer, Connection["port"], boolean])[],
) {
  const judged = rows.map(([what, from, to, port]) => [what, connects({ from, to, ...(port && { port }) }, policies)]);
  assert.deepEqual(
    judged,
    rows.map(([what, , , , expected]) => [what, expected]),
  );
}

// Decided by an evaluator, without a cluster; test/cluster/network.test.ts tries connections where a network enforces policies.
describe("the NetworkPolicies of teams, evaluated", () => {
  it("allow and deny what lab verify expects", async () => {
    const teams = [
      { name: "ts", peers: ["sa"] },
      { name: "sa", peers: ["ts"] },
      { name: "qa", peers: ["ts"] },
      { name: "ops", peers: [] },
    ];
    const policies = await policiesOf(teams);
    const gets = (from: string, to: string, port?: Connection["port"]) =>
      connects({ from: pod(`${from}-team`), to: pod(`${to}-team`), ...(port && { port }) }, policies);
    const [allowed, denied] = [allowedPairs(teams), deniedPairs(teams)];
    assert.deepEqual([allowed.length, denied.length], [7, 4]);
    for (const { from, to } of allowed)
      for (const port of [tcp(80), udp(9999), undefined]) assert.ok(gets(from, to, port), `${from} to ${to}`);
    for (const { from, to } of denied)
      for (const port of [tcp(80), udp(53), undefined]) assert.ok(!gets(from, to, port), `${from} to ${to}`);
  });

  it("allow DNS to CoreDNS and to named addresses, over UDP and TCP", async () => {
    const a = pod("a-team");
    const policies = await policiesOf([{ name: "a" }], { "eks-dns-logging:dns": '{"clusterDns":["172.20.0.10"]}' });
    judge(policies, [
      ["CoreDNS by UDP", a, DNS, udp(53), true],
      ["CoreDNS by TCP", a, DNS, tcp(53), true],
      ["another port of CoreDNS", a, DNS, tcp(9153), false],
      ["another pod of kube-system", a, pod("kube-system"), udp(53), false],
      ["a pod that calls itself so elsewhere", a, { ...DNS, namespace: "web" }, udp(53), false],
      ["another resolver", a, outside("8.8.8.8"), udp(53), false],
    ]);
  });

  it("allow DNS to a CoreDNS adopted in another namespace", async () => {
    const policies = await policiesOf([{ name: "a" }], { "eks-dns-logging:dns": '{"adopt":{"namespace":"dns"}}' });
    const a = pod("a-team");
    judge(policies, [
      ["CoreDNS there", a, pod("dns", { "k8s-app": "coredns" }), udp(53), true],
      ["another port there", a, pod("dns"), tcp(8080), false],
      ["CoreDNS of kube-system", a, DNS, udp(53), true],
    ]);
  });

  it("allow queries to the nodes' address on Auto Mode, which has no CoreDNS pods", async () => {
    const cluster = { kind: "eks-existing", name: "prod", compute: "auto", serviceCidr: "172.20.0.0/16" };
    const policies = await policiesOf([{ name: "a" }], { "eks-dns-logging:cluster": JSON.stringify(cluster) });
    const a = pod("a-team");
    judge(policies, [
      ["the node's DNS by UDP", a, outside("172.20.0.10"), udp(53), true],
      ["the node's DNS by TCP", a, outside("172.20.0.10"), tcp(53), true],
      ["its neighbor", a, outside("172.20.0.11"), udp(53), false],
    ]);
  });

  it("allow what ingress and egress name, by namespace, block and port", async () => {
    const policies = await policiesOf([
      {
        name: "web",
        ingress: [
          { namespaces: ["ingress-nginx"], ports: [8080] },
          { namespaces: ["monitoring"], ports: [{ port: 9100, endPort: 9110 }] },
          { cidrs: ["2001:db8::/32"] },
        ],
        egress: [
          { cidrs: ["203.0.113.0/24"], ports: [443, { port: 53, protocol: "UDP" }] },
          { namespaces: ["databases"] },
        ],
      },
    ]);
    const web = pod("web-team");
    judge(policies, [
      ["the ingress controller", pod("ingress-nginx"), web, tcp(8080), true],
      ["its other ports", pod("ingress-nginx"), web, tcp(8081), false],
      ["a ping of a rule with ports", pod("ingress-nginx"), web, undefined, false],
      ["the first port of a range", pod("monitoring"), web, tcp(9100), true],
      ["the last one", pod("monitoring"), web, tcp(9110), true],
      ["the one after it", pod("monitoring"), web, tcp(9111), false],
      ["a stranger", pod("other"), web, tcp(8080), false],
      ["an address by IPv6", outside("2001:db8::5"), web, tcp(22), true],
      ["an address of another block", outside("2001:db9::5"), web, tcp(22), false],
      ["an API outside", web, outside("203.0.113.9"), tcp(443), true],
      ["by UDP", web, outside("203.0.113.9"), udp(53), true],
      ["another port of it", web, outside("203.0.113.9"), tcp(80), false],
      ["the address after the block", web, outside("203.0.114.0"), tcp(443), false],
      ["a namespace without ports, by ping", web, pod("databases"), undefined, true],
      ["what nobody named", web, pod("other"), tcp(443), false],
    ]);
  });

  it("allow pods with an identity to reach the Pod Identity agent", async () => {
    const podIdentity = { policyArns: ["arn:aws:iam::123456789012:policy/orders"] };
    const policies = await policiesOf([{ name: "a", podIdentity }, { name: "b" }]);
    judge(policies, [
      ["with an identity", pod("a-team"), outside("169.254.170.23"), tcp(80), true],
      ["by IPv6", pod("a-team"), outside("fd00:ec2::23"), tcp(80), true],
      ["the metadata of the node", pod("a-team"), outside("169.254.169.254"), tcp(80), false],
      ["without one", pod("b-team"), outside("169.254.170.23"), tcp(80), false],
    ]);
  });
});

/** A bit for each of {@link connections}, four a digit, as another evaluator decided it. */
function decided(what: string): boolean[] {
  const verdicts: Readonly<Record<string, string>> = recorded.verdicts;
  const bits = [...(verdicts[what] ?? "")].flatMap((digit) => [
    ...Number.parseInt(digit, 16).toString(2).padStart(4, "0"),
  ]);
  return bits.map((bit) => bit === "1");
}

/** Connections that this evaluator decides otherwise than the recorded one. */
function differences(what: string, policies: readonly Policy[]): string[] {
  const nameOf = (peer: Peer) => Object.entries(PEERS).find(([, other]) => other === peer)?.[0];
  const verdicts = decided(what);
  const all = connections();
  assert.equal(verdicts.length, all.length, what);
  return all.flatMap((connection, index) => {
    const { from, to, port } = connection;
    if (connects(connection, policies) === verdicts[index]) return [];
    return [`${nameOf(from)} to ${nameOf(to)} by ${port?.protocol} ${port?.port}: recorded ${verdicts[index]}`];
  });
}

describe(`the evaluator, against ${recorded.evaluator}`, () => {
  for (const [what, sections] of Object.entries(STACKS)) {
    it(`decides the same of a stack: ${what}`, async () => {
      const config = Object.entries({ logging: false, ...sections }).map(([key, value]) => [
        `eks-dns-logging:${key}`,
        JSON.stringify(value),
      ]);
      const policies = await planned({ "aws:region": "eu-central-1", ...Object.fromEntries(config) });
      assert.ok(policies.length >= 3);
      assert.deepEqual(differences(what, policies), []);
    });
  }

  for (const [what, policies] of Object.entries(POLICIES)) {
    it(`decides the same of ${what}`, () => assert.deepEqual(differences(what, policies), []));
  }

  it("has every kind of verdict in every case, and no other cases", () => {
    const cases = [...Object.keys(STACKS), ...Object.keys(POLICIES)];
    assert.deepEqual(Object.keys(recorded.verdicts), cases);
    for (const what of cases) assert.equal(new Set(decided(what)).size, 2, what);
  });
});
