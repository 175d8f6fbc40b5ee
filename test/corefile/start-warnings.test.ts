import assert from "node:assert/strict";
import { startOf } from "../../corefile/setups/starts.ts";
import { inBlock } from "../../tools/coredns/verdicts.ts";

/** Lines with which CoreDNS starts, and what it does not do with them, or what cannot be known. */
const LINES: readonly (readonly [line: string, warning: string])[] = [
  ["acl {|allow type * A|}", 'acl: type * is for all of them, and CoreDNS ignores "A" after it'],
  ["acl {|block net * 10.0.0.0/8 type A|}", 'acl: net * is for all of them, and CoreDNS ignores "10.0.0.0/8" after it'],
  ["cache 30 a..b", 'cache: "a..b" is not a zone, and CoreDNS drops it'],
  [
    "cache {|disable success corp..example|}",
    "cache: disable: corp..example is not a zone, so nothing is kept out of the cache for it",
  ],
  [
    "etcd skydns.local {|endpoint http://10.0.0.1:2379|credentials a b|}",
    "etcd: with credentials CoreDNS does not start before etcd answers",
  ],
  [
    "forward 10.0.0.0/9 10.0.0.2",
    "forward: 10.0.0.0/9 is several reverse zones, and CoreDNS uses only 0.10.in-addr.arpa.",
  ],
  ["forward . /etc/hosts 10.0.0.2", "forward: /etc/hosts has no name servers, so CoreDNS leaves it out"],
  [
    "forward . https3://10.0.0.2 {|tls_servername a.example|}",
    "forward: https3://10.0.0.2: forward does not speak https3, though CoreDNS starts",
  ],
  [
    "forward . dns.example 10.0.0.2",
    "forward: CoreDNS looks up dns.example only when it starts: without an address it does not start, and it does not see later changes",
  ],
  ["kubernetes cluster.local {|tls /c /k /a|}", "kubernetes: tls has no effect without endpoint"],
  [
    "nomad service.nomad {|address http://10.0.0.1:4646|}",
    "nomad: asks a Nomad agent, which a cluster on EKS does not have",
  ],
  ["on startup echo", "on: its command is not checked, and the add-on's image has no shell"],
  [
    "prometheus :99999",
    'prometheus: its line takes an address with its port, such as :8080 (found ":99999"): CoreDNS starts, and does not listen there',
  ],
  ["tls {|acme dns.example|}", "tls: CoreDNS orders its certificate by ACME, which is not checked"],
];

const start = (line: string, isAddon: boolean) => startOf(inBlock(line), { coredns: [1, 15, 0], isAddon });

describe("a warning about a line", () => {
  for (const [line, warning] of LINES)
    it(`of ${line}`, () => {
      assert.deepEqual(start(line, true), { errors: [], warnings: [`.:1053: ${warning}`] });
    });

  it("tells what a pod of another CoreDNS must have, which the add-on's pods do not", () => {
    for (const [line, warnings, error] of [
      [
        "bind eth1",
        ["bind: CoreDNS does not start unless its pod has the network interface eth1"],
        'bind: takes addresses and network interfaces of the pod, lo and eth0 (found "eth1")',
      ],
      [
        "dynupdate example.org {|database /d|file /z|allow k a.example A|}",
        [
          "dynupdate: its database is not checked",
          "dynupdate: CoreDNS does not start unless its pod has the zone file /z",
        ],
        "dynupdate: the add-on's pods have no zone file /z, and CoreDNS does not start without it",
      ],
      [
        "route53 example.org:Z1",
        ["route53: its credentials are not checked: CoreDNS does not start if it cannot read the zone from Route 53"],
        "route53: the add-on's pods have no credentials for Route 53, and CoreDNS does not start without them",
      ],
      [
        "tls /c /k {|keylog /l|}",
        [
          "tls: keylog writes the keys of every connection to a file, and CoreDNS does not start if it cannot write that file",
          "tls: CoreDNS does not start unless its pod has the certificate /c",
          "tls: CoreDNS does not start unless its pod has the key /k",
        ],
        "tls: the add-on's pods have no certificate /c, and CoreDNS does not start without it",
      ],
    ] as const) {
      assert.deepEqual(start(line, false), { errors: [], warnings: warnings.map((each) => `.:1053: ${each}`) }, line);
      assert.deepEqual(start(line, true).errors, [`.:1053: ${error}`], line);
    }
    // Two plugins listen late: CoreDNS starts, where the pods have no such address.
    for (const [plugin, address] of [
      ["prometheus", "10.9.9.9:9153"],
      ["ready", "10.9.9.9:8181"],
    ]) {
      const [, port] = String(address).split(":");
      const problem = `takes an address that the add-on's pods have, such as :${port} (found "${address}")`;
      assert.deepEqual(start(`${plugin} ${address}`, true), {
        errors: [],
        warnings: [`.:1053: ${plugin}: its line ${problem}: CoreDNS starts, and does not listen there`],
      });
      assert.deepEqual(start(`${plugin} ${address}`, false), { errors: [], warnings: [] });
    }
  });
});
