import assert from "node:assert/strict";
import fc from "fast-check";
import { networkPolicies, type PolicyContext } from "../../../components/team/network-policies.ts";

const teams = [
  { name: "ts", peers: ["sa"] },
  { name: "sa", peers: ["ts"] },
  { name: "qa", peers: ["ts"] },
];

function policy(team: string, name: string, context: PolicyContext = { teams }) {
  const found = teams.find((each) => each.name === team);
  assert.ok(found);
  return networkPolicies(found, context).find((each) => each.name === name)?.spec;
}

const namespaces = (peers: readonly { namespaceSelector?: { matchLabels: Record<string, string> } }[] | undefined) =>
  peers?.map((peer) => peer.namespaceSelector?.matchLabels["kubernetes.io/metadata.name"]);

describe("networkPolicies", () => {
  it("denies all that no other policy allows", () => {
    assert.deepEqual(policy("ts", "default-deny"), { podSelector: {}, policyTypes: ["Ingress", "Egress"] });
  });

  it("allows DNS over UDP and TCP, only to CoreDNS", () => {
    assert.deepEqual(policy("ts", "allow-dns")?.egress, [
      {
        to: [
          {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
            podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
          },
        ],
        ports: [
          { protocol: "UDP", port: 53 },
          { protocol: "TCP", port: 53 },
        ],
      },
    ]);
  });

  it("allows DNS to a node's own cache if there is one", () => {
    const rule = policy("ts", "allow-dns", { teams, dnsAddresses: ["169.254.20.10"] })?.egress?.[0];
    assert.deepEqual(rule?.to[1], { ipBlock: { cidr: "169.254.20.10/32" } });
    const six = policy("ts", "allow-dns", { teams, dnsAddresses: ["fd00:20::a"] })?.egress?.[0];
    assert.deepEqual(six?.to[1], { ipBlock: { cidr: "fd00:20::a/128" } });
    const mapped = policy("ts", "allow-dns", { teams, dnsAddresses: ["::ffff:10.0.0.10", "::ffff:a00:b"] })
      ?.egress?.[0];
    assert.deepEqual(mapped?.to.slice(1), [
      { ipBlock: { cidr: "10.0.0.10/32" } },
      { ipBlock: { cidr: "10.0.0.11/32" } },
    ]);
  });

  it("allows DNS to another namespace's pods if CoreDNS runs there", () => {
    const to = (dnsNamespace: string) => policy("ts", "allow-dns", { teams, dnsNamespace })?.egress?.[0]?.to;
    assert.deepEqual(namespaces(to("dns")), ["kube-system", "dns"]);
    assert.equal(to("dns")?.[1]?.podSelector, undefined);
    assert.deepEqual(namespaces(to("kube-system")), ["kube-system"]);
  });

  it("allows DNS to a CoreDNS with other labels, by all of them", () => {
    const labels = (dnsLabels: Readonly<Record<string, string>>, dnsNamespace?: string) =>
      policy("ts", "allow-dns", { teams, dnsLabels, dnsNamespace })?.egress?.[0]?.to.map(
        ({ podSelector }) => podSelector?.matchLabels,
      );
    const usual = { "k8s-app": "kube-dns" };
    const helm = { "k8s-app": "coredns", "app.kubernetes.io/instance": "dns" };
    assert.deepEqual(labels(helm), [usual, helm]);
    assert.deepEqual(labels({ ...helm, ...usual }), [usual]);
    assert.deepEqual(labels(usual, "dns"), [usual, usual]);
    assert.deepEqual(labels(helm, "dns"), [usual, helm]);
  });

  it("allows DNS to the target port of CoreDNS's Service", () => {
    const ports = (dnsPorts?: readonly number[]) => policy("ts", "allow-dns", { teams, dnsPorts })?.egress?.[0]?.ports;
    assert.deepEqual(ports(), [
      { protocol: "UDP", port: 53 },
      { protocol: "TCP", port: 53 },
    ]);
    assert.deepEqual(
      ports([53, 5353])?.map(({ protocol, port }) => `${protocol} ${port}`),
      ["UDP 53", "TCP 53", "UDP 5353", "TCP 5353"],
    );
  });

  it("allows a team to reach its peers and itself, and teams that name it to reach it", () => {
    const ts = policy("ts", "allow-peers");
    assert.deepEqual(namespaces(ts?.egress?.[0]?.to), ["sa-team", "ts-team"]);
    assert.deepEqual(namespaces(ts?.ingress?.[0]?.from), ["qa-team", "sa-team", "ts-team"]);
    const qa = policy("qa", "allow-peers");
    assert.deepEqual(namespaces(qa?.egress?.[0]?.to), ["qa-team", "ts-team"]);
    assert.deepEqual(namespaces(qa?.ingress?.[0]?.from), ["qa-team"]);
  });

  it("names no ports between pods, since ports would stop ping", () => {
    const { egress, ingress } = policy("ts", "allow-peers") ?? {};
    assert.deepEqual(Object.keys(egress?.[0] ?? {}), ["to"]);
    assert.deepEqual(Object.keys(ingress?.[0] ?? {}), ["from"]);
  });

  it("allows egress to a log destination only if there is one", () => {
    assert.equal(policy("ts", "allow-log-destination"), undefined);
    const rule = { to: [{ ipBlock: { cidr: "192.0.2.1/32" } }], ports: [{ protocol: "TCP" as const, port: 9200 }] };
    assert.deepEqual(policy("ts", "allow-log-destination", { teams, egress: [rule] })?.egress, [rule]);
  });

  it("allows ingress exactly where the other side allows egress, for any teams", () => {
    const names = ["a", "b", "c", "d"];
    const anyTeams = fc.tuple(
      ...names.map((name) => fc.subarray(names.filter((other) => other !== name)).map((peers) => ({ name, peers }))),
    );
    fc.assert(
      fc.property(anyTeams, (all) => {
        const sides = new Map(
          all.map((team) => [
            team.name,
            networkPolicies(team, { teams: all }).find((each) => each.name === "allow-peers")?.spec,
          ]),
        );
        for (const from of names) {
          for (const to of names) {
            const out = namespaces(sides.get(from)?.egress?.[0]?.to)?.includes(`${to}-team`);
            const into = namespaces(sides.get(to)?.ingress?.[0]?.from)?.includes(`${from}-team`);
            assert.equal(out, into, `${from} to ${to}`);
          }
        }
      }),
    );
  });
});
