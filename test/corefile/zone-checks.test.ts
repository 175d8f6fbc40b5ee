import assert from "node:assert/strict";
import { block, check, DEFAULT } from "./default-corefile.ts";

const VIEW = "view vpn {\nexpr incidr(client_ip(), '10.9.0.0/24')\n}";
const OTHER = "errors\ncache\nloop\nforward . 10.0.0.9";

describe("a server block with a view", () => {
  it("is before the block that takes all other queries", () => {
    assert.deepEqual(check(block(".:53", VIEW, OTHER) + block(".:53", DEFAULT)), { errors: [], warnings: [] });
  });

  it("is never asked behind a block without one", () => {
    assert.deepEqual(check(block(".:53", DEFAULT) + block(".:53", VIEW, OTHER)), {
      errors: [],
      warnings: [
        ".:53: no query reaches the block with the view: that for .:53 above it has none and takes them all; put the one with the view first",
      ],
    });
  });

  it("may be the only one with kubernetes", () => {
    const { errors, warnings } = check(block(".:53", VIEW, DEFAULT) + block(".:53", OTHER));
    assert.deepEqual(errors, []);
    assert.match(String(warnings), /outside the views nobody answers cluster\.local/);
  });

  it("may be the only one", () => {
    assert.deepEqual(check(block(".:53", VIEW, DEFAULT)), {
      errors: [],
      warnings: ["every block for .:53 has a view: what no view takes is refused"],
    });
  });
});

describe("a zone with capital letters", () => {
  it("is never asked", () => {
    assert.deepEqual(check(block(".:53", DEFAULT) + block("Corp.Example:53", OTHER)), {
      errors: [],
      warnings: [
        "Corp.Example:53: no query reaches Corp.Example:53: CoreDNS compares names in lower case; write corp.example:53",
      ],
    });
  });

  it("leaves the cluster's names to another block", () => {
    const { errors } = check(block("Cluster.Local:53", DEFAULT) + block(".:53", OTHER));
    assert.match(String(errors), /^\.:53: nobody answers cluster\.local/);
  });

  it("is none in a network", () => {
    assert.deepEqual(check(block(".:53", DEFAULT) + block("FD00::/8:53", OTHER)), { errors: [], warnings: [] });
  });
});

describe("bind", () => {
  it("is an error where no pod reaches the block for all names", () => {
    for (const hosts of ["127.0.0.1", "::1", "lo", "lo 127.0.0.2"])
      assert.deepEqual(check(block(".:53", `bind ${hosts}`, DEFAULT)).errors, [
        `.:53: bind ${hosts}: no other pod reaches this block, since this is the loopback of CoreDNS's own pod; leave bind out`,
      ]);
  });

  it("may name the pod's addresses too, or those of another block", () => {
    for (const hosts of ["eth0", "0.0.0.0", "127.0.0.1 eth0"])
      assert.deepEqual(check(block(".:53", `bind ${hosts}`, DEFAULT)), { errors: [], warnings: [] });
    const inner = block(".:53", "bind 127.0.0.1", "errors\nforward . 10.0.0.9");
    assert.deepEqual(check(block(".:53", "bind eth0", DEFAULT) + inner).errors, []);
    const stage = DEFAULT.replace("/etc/resolv.conf", "127.0.0.1:5300");
    assert.deepEqual(check(block(".:53", stage) + block(".:5300", "bind 127.0.0.1", OTHER)).warnings, []);
  });

  it("is a warning where no pod reaches another block", () => {
    const { errors, warnings } = check(block(".:53", DEFAULT) + block("corp.example", "bind lo", OTHER));
    assert.deepEqual(errors, []);
    assert.match(String(warnings), /corp\.example: bind lo: no other pod reaches this block/);
  });
});

describe("a name of a TLS upstream behind %", () => {
  const named = DEFAULT.replace("/etc/resolv.conf", "tls://1.1.1.1%cloudflare-dns.com");

  it("is an error before 1.13, and none from there", () => {
    assert.deepEqual(check(block(".:53", named), [1, 12, 4]).errors, [
      ".:53: forward . tls://1.1.1.1%cloudflare-dns.com: CoreDNS takes a name after % from 1.13.0, and 1.12.4 asks nobody there; use tls_servername",
    ]);
    for (const version of [
      [1, 13, 2],
      [1, 14, 3],
    ] as const)
      assert.deepEqual(check(block(".:53", named), version), { errors: [], warnings: [] });
  });

  it("is a warning beside another upstream", () => {
    const { errors, warnings } = check(block(".:53", named.replace(".com", ".com 9.9.9.9")), [1, 12, 4]);
    assert.deepEqual(errors, []);
    assert.match(String(warnings), /CoreDNS takes a name after % from 1\.13\.0/);
  });
});
