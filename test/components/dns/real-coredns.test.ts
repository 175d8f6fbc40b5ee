import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { corefileOf } from "../../../components/dns/corefile-rendering.ts";
import { cacheOptions, nodeLocalCorefile } from "../../../components/dns/node-local-rendering.ts";
import { DnsSettings, NodeLocalCacheSettings } from "../../../components/dns/settings.ts";
import { rankOf, releaseFor } from "../../../corefile/releases.ts";
import { REFUSED_LINES } from "../../corefile/refused-lines.ts";
import { dnsSettings } from "./arbitraries.ts";
import { COREDNS, complaint, describeReal, since, taken, VERSION, withoutCluster } from "./real-coredns.ts";

const settings = (corefile: unknown) => DnsSettings.parse({ corefile });

describeReal("the real CoreDNS", () => {
  for (const profile of ["eks-default", "tuned"]) {
    it(`takes the profile ${profile}`, async () => {
      assert.equal(await complaint(withoutCluster(corefileOf(settings({ profile })))), undefined);
    });
  }

  it("accepts autopath with the tuned profile", async () => {
    const corefile = corefileOf(settings({ profile: "tuned", options: { autopath: true, multisocket: 2 } }));
    assert.equal(await complaint(withoutCluster(corefile)), undefined);
  });

  it("accepts Corefiles rendered from any options", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(dnsSettings, { minLength: 8, maxLength: 8 }), async (list) => {
        // Many in one process: CoreDNS sets up all blocks before it looks at their zones.
        const together = list.map((one) => withoutCluster(corefileOf(one))).join("");
        assert.equal(await complaint(together), undefined);
      }),
      { numRuns: 8 },
    );
  });

  it("accepts NodeLocal DNSCache's Corefile with its placeholders filled in", async () => {
    for (const mode of ["iptables", "kubelet"]) {
      const dns = DnsSettings.parse({ clusterDns: ["10.100.0.10"] });
      const text = nodeLocalCorefile(cacheOptions(dns, NodeLocalCacheSettings.parse({ mode })))
        .replaceAll("__PILLAR__CLUSTER__DNS__", "10.100.7.7")
        .replaceAll("__PILLAR__UPSTREAM__SERVERS__", "/etc/resolv.conf");
      assert.equal(await complaint(text), undefined);
    }
  });

  it("rejects every line that the model rejects", async () => {
    const lines = REFUSED_LINES.map(([line]) => line).filter((line) => line !== "multisocket 2000" || since(1, 13, 0));
    assert.deepEqual(await taken(lines), []);
  });

  it("panics before 1.13 in a block with trace that listens nowhere", async () => {
    const said = await complaint(".:53 {\nbind lo {\nexcept lo\n}\ntrace\n}\n");
    assert.equal(said?.includes("panic: runtime error: index out of range") ?? false, !since(1, 13, 0));
  });

  it("rejects upstreams that are not addresses, and accepts the others", async () => {
    const wrong = ["dns.corp", "grpc://1.1.1.1", "10.0", "10.0.0.256", "unix:///s", "/no/such/file"];
    if (!since(1, 14, 5)) wrong.push("https://1.1.1.1");
    if (!since(1, 15, 0)) wrong.push("quic://1.1.1.1");
    assert.deepEqual(await taken(wrong.map((upstream) => `forward . ${upstream}`)), []);
    const right = [
      "10.0.0.2",
      "10.0.0.2:5353",
      "fd00::2",
      "[fd00::2]:53",
      "tls://9.9.9.9%dns.quad9.net",
      "fe80::1%eth0",
    ];
    assert.equal(
      await complaint(`.:53 {\nforward . ${right.join(" ")} dns://10.0.0.3 tls://[fd00::3]:853\n}\n`),
      undefined,
    );
  });

  it("has no plugin with a position unknown to the model", () => {
    const { stdout } = spawnSync(COREDNS ?? "coredns", ["-plugins"], { encoding: "utf8" });
    const plugins = stdout.split("\n").filter((name) => /^[a-z0-9_]+$/.test(name));
    assert.ok(plugins.length > 40, stdout);
    assert.deepEqual(
      plugins.filter((name) => rankOf(name, releaseFor(VERSION)) === undefined),
      [],
    );
  });
});
