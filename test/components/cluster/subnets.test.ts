import assert from "node:assert/strict";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { cutSubnets, MAX_ZONES, VPC_PREFIXES, vpcCidrIssue } from "../../../components/cluster/eks/network-settings.ts";

/** First and last address of a block, as numbers. */
function range(cidr: string): [number, number] {
  const number = (address: ipaddr.IPv4) => address.toByteArray().reduce((sum, byte) => sum * 256 + byte, 0);
  return [number(ipaddr.IPv4.networkAddressFromCIDR(cidr)), number(ipaddr.IPv4.broadcastAddressFromCIDR(cidr))];
}

const anyVpc = fc
  .record({
    prefix: fc.integer({ min: VPC_PREFIXES.shortest, max: VPC_PREFIXES.longest }),
    second: fc.nat(255),
    third: fc.nat(255),
  })
  .map(
    ({ prefix, second, third }) =>
      `${ipaddr.IPv4.networkAddressFromCIDR(`10.${second}.${third}.0/${prefix}`)}/${prefix}`,
  );

describe("cutSubnets", () => {
  it("cuts a /16 in /19 for nodes and pods and /22 for the public side", () => {
    assert.deepEqual(cutSubnets("10.0.0.0/16", 3), [
      { private: "10.0.0.0/19", public: "10.0.224.0/22" },
      { private: "10.0.32.0/19", public: "10.0.228.0/22" },
      { private: "10.0.64.0/19", public: "10.0.232.0/22" },
    ]);
  });

  it("gives blocks inside the VPC that do not overlap, none smaller than AWS allows", () => {
    fc.assert(
      fc.property(anyVpc, fc.integer({ min: 1, max: MAX_ZONES }), (vpc, zones) => {
        const blocks = cutSubnets(vpc, zones).flatMap((zone) => [zone.private, zone.public]);
        const [start, end] = range(vpc);
        const ranges = blocks.map(range).sort(([a], [b]) => a - b);
        for (const [index, [first, last]] of ranges.entries()) {
          assert.ok(first >= start && last <= end, `${blocks} in ${vpc}`);
          const next = ranges[index + 1];
          assert.ok(next === undefined || next[0] > last, `${blocks} overlap`);
          assert.ok(last - first + 1 >= 16);
        }
        assert.equal(
          blocks.every((block) => ipaddr.IPv4.networkAddressFromCIDR(block).toString() === block.split("/")[0]),
          true,
        );
      }),
    );
  });

  it("moves no subnet when a zone is added", () => {
    fc.assert(
      fc.property(anyVpc, fc.integer({ min: 1, max: MAX_ZONES - 1 }), (vpc, zones) => {
        assert.deepEqual(cutSubnets(vpc, zones + 1).slice(0, zones), cutSubnets(vpc, zones));
      }),
    );
  });
});

describe("vpcCidrIssue", () => {
  for (const [cidr, expected] of [
    ["10.0.0.0/16", undefined],
    ["172.20.0.0/20", undefined],
    ["10.0.0.0/8", /from \/16 to \/22/],
    ["10.0.0.0/24", /from \/16 to \/22/],
    ["8.8.0.0/16", /^must be a private IPv4 CIDR block from \/16 to \/22, such as 10\.0\.0\.0\/16$/],
    ["10.0.1.0/16", /^must start at its network address, 10\.0\.0\.0\/16$/],
    ["10.0.0.0", /^must be a private IPv4 CIDR block from \/16 to \/22, such as 10\.0\.0\.0\/16$/],
    ["fd00::/16", /^must be a private IPv4 CIDR block from \/16 to \/22, such as 10\.0\.0\.0\/16$/],
  ] as const) {
    it(`${expected === undefined ? "takes" : "refuses"} ${cidr}`, () => {
      const issue = vpcCidrIssue(cidr);
      if (expected === undefined) assert.equal(issue, undefined);
      else assert.match(issue ?? "", expected);
    });
  }
});
