import assert from "node:assert/strict";
import { podDns } from "../../../components/dns/resolver.ts";
import { DnsSettings } from "../../../components/dns/settings.ts";
import { parseSettings } from "../../../components/settings.ts";
import { readStack } from "../../../lab/stack-file.ts";
import { checkInputOf } from "../../../lab/verify/catalog.ts";
import { find } from "../../support/find.ts";
import { planOnce } from "../../support/plans.ts";

const CLUSTER_DNS = ["172.20.0.10"];

describe("the DNS configuration of a pod", () => {
  it("is the node's cache in kubelet mode, which kubelets do not name by default", () => {
    const corefile = { options: { clusterDomain: "k8s.corp" } };
    assert.deepEqual(podDns(DnsSettings.parse({ nodeLocalCache: { mode: "kubelet" }, corefile })), {
      nameservers: ["169.254.20.10"],
      clusterDomain: "k8s.corp",
    });
  });

  it("is the kubelet's in iptables mode and without the cache", () => {
    assert.equal(podDns(DnsSettings.parse({ nodeLocalCache: {}, clusterDns: CLUSTER_DNS })), undefined);
    assert.equal(podDns(DnsSettings.parse({})), undefined);
  });

  it("applies to a stack's pods, their egress, and what verify expects", async () => {
    const local = await readStack("local");
    const plan = async (dns: unknown) => {
      const stack = { ...local, config: { ...local.config, "eks-dns-logging:dns": JSON.stringify(dns) } };
      const { resources } = await planOnce(stack);
      const spec = (type: string, name: string) =>
        JSON.stringify(find(resources, `kubernetes:${type}`, name).inputs.spec);
      return {
        pod: spec("core/v1:Pod", "sa-curl-pod"),
        policy: spec("networking.k8s.io/v1:NetworkPolicy", "sa-allow-dns"),
        nameserver: checkInputOf("local", parseSettings(stack.config), 1).nameserver,
      };
    };
    const kubelet = await plan({ nodeLocalCache: { mode: "kubelet" } });
    assert.match(kubelet.pod, /"nameservers":\["169\.254\.20\.10"\].*"dnsPolicy":"None"/);
    assert.match(kubelet.policy, /"169\.254\.20\.10\/32"/);
    assert.equal(kubelet.nameserver, "169.254.20.10");
    const iptables = await plan({ nodeLocalCache: {}, clusterDns: CLUSTER_DNS });
    assert.doesNotMatch(iptables.pod, /dnsPolicy|nameservers/);
    assert.match(iptables.policy, /"169\.254\.20\.10\/32".*"172\.20\.0\.10\/32"/);
    assert.equal(iptables.nameserver, undefined);
  });
});
