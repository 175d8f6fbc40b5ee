import assert from "node:assert/strict";
import { checkDns, dnsWarnings } from "../../../components/dns/issues.ts";
import { DnsSettings } from "../../../components/dns/settings.ts";
import { domainOf } from "../../../corefile/zones.ts";

const corefile = (kubernetes: string, zone = ".:53") =>
  `${zone} {\n errors\n health\n ready\n ${kubernetes} {\n fallthrough in-addr.arpa\n }\n forward . 10.0.0.2\n cache 30\n loop\n reload\n}\n`;

describe("the domain of a cluster outside EKS", () => {
  it("is the first zone of kubernetes that is not a reverse zone", () => {
    const cases: readonly (readonly [text: string, domain: string | undefined])[] = [
      [corefile("kubernetes cluster.local in-addr.arpa ip6.arpa"), undefined],
      [corefile("kubernetes in-addr.arpa Cluster2.Local. cluster3.local"), "cluster2.local"],
      [corefile("kubernetes corp.example Cluster.Local."), undefined],
      [corefile("kubernetes", "dns://lab.example:53"), "lab.example"],
      [corefile("kubernetes"), undefined],
      [corefile("kubernetes {$DOMAIN} in-addr.arpa"), undefined],
      [corefile("errors"), undefined],
      [".:53 {", undefined],
    ];
    for (const [text, domain] of cases) assert.equal(domainOf(text), domain, text);
  });

  it("must be served by an adopted CoreDNS there, and is cluster.local on EKS", () => {
    const issues = (text: string, kubernetesVersion: string | undefined) => {
      const settings = DnsSettings.parse({ adopt: { version: "1.13.2" }, corefile: { text } });
      const found = checkDns(settings, kubernetesVersion).map(({ message }) => message);
      return [...found, ...dnsWarnings(settings, kubernetesVersion)];
    };
    const other = corefile("kubernetes cluster2.local in-addr.arpa");
    assert.deepEqual(issues(other, undefined), []);
    assert.match(
      String(issues(other, "1.35")),
      /zone cluster\.local: nothing answers it, the domain of every pod on EKS/,
    );
    const stub = `${other}web.cluster2.local:53 {\n forward . 10.0.0.9\n}\n`;
    assert.match(String(issues(stub, undefined)), /zone web\.cluster2\.local: Services below it are not answered/);
  });
});
