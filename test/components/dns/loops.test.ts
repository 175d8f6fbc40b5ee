import assert from "node:assert/strict";
import { dnsWarnings } from "../../../components/dns/issues.ts";
import { DnsSettings } from "../../../components/dns/settings.ts";
import { parseSettings } from "../../../components/settings.ts";

const EXISTING = { kind: "eks-existing", name: "prod", kubernetesVersion: "1.35" };
const upstream = (address: string, more: object = {}) => ({
  ...more,
  corefile: { options: { stubDomains: [{ domains: ["corp.example"], upstreams: [address] }] } },
});

/** What the settings are told of a cluster and its DNS; empty where they are right. */
function told(cluster: object, dns: object): string {
  const values = { cluster, dns, teams: [], logging: false };
  const config = Object.entries(values).map(([key, value]) => [`eks-dns-logging:${key}`, JSON.stringify(value)]);
  try {
    parseSettings({ "aws:region": "eu-central-1", ...Object.fromEntries(config) });
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe("an upstream that is the cluster's own DNS", () => {
  const loops: readonly (readonly [cluster: object, address: string])[] = [
    [{ ...EXISTING, serviceCidr: "192.168.64.0/20" }, "192.168.64.10"],
    [EXISTING, "10.100.0.10"],
    [EXISTING, "172.20.0.10"],
    [{ kind: "eks" }, "10.100.0.10"],
    [{ kind: "eks", vpc: { cidr: "10.100.0.0/16" } }, "172.20.0.10"],
  ];
  for (const [cluster, address] of loops) {
    it(`is an error: ${address} of ${JSON.stringify(cluster)}`, () => {
      assert.match(told(cluster, upstream(address)), /must be another server, since this is the Service kube-dns/);
    });
  }

  const others: readonly (readonly [cluster: object, address: string])[] = [
    [{ ...EXISTING, serviceCidr: "172.20.0.0/16" }, "10.100.0.10"],
    [{ kind: "eks", vpc: { cidr: "10.100.0.0/16" } }, "10.100.0.10"],
    [{ kind: "eks", vpc: { cidr: "172.20.16.0/20" } }, "172.20.0.10"],
    [{ kind: "existing" }, "10.100.0.10"],
    [{ kind: "existing" }, "10.96.0.10"],
  ];
  for (const [cluster, address] of others) {
    it(`is not an error: ${address} of ${JSON.stringify(cluster)}`, () => {
      assert.equal(told(cluster, upstream(address)), "");
    });
  }

  it("is an error if the settings name it, on every cluster", () => {
    const dns = upstream("10.96.0.10", { clusterDns: ["10.96.0.10"] });
    assert.match(told({ kind: "existing" }, dns), /this is the Service kube-dns/);
  });

  it("is a warning if it is only usual", () => {
    const warnings = dnsWarnings(DnsSettings.parse(upstream("10.96.0.10")), undefined, []);
    assert.match(warnings.join(), /forward corp.example 10.96.0.10: the Service kube-dns usually has this address/);
    assert.deepEqual(dnsWarnings(DnsSettings.parse(upstream("10.96.0.10")), "1.35"), []);
  });
});
