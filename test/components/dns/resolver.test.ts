import assert from "node:assert/strict";
import fc from "fast-check";
import { candidateNames, parseResolvConf, queriesOf, savings } from "../../../components/dns/resolver.ts";

const SEARCH = ["ts-team.svc.cluster.local", "svc.cluster.local", "cluster.local"];
const config = (ndots: number) => ({ search: SEARCH, ndots });
const FULL = "curl-sa.sa-team.svc.cluster.local";
const exists = (name: string) => name === `${FULL}.`;

describe("a pod's resolver", () => {
  it("is parsed from resolv.conf, where the last search and ndots win", () => {
    const text =
      "domain x.example\nnameserver 10.96.0.10 # kube-dns\n; note\nsearch a.example b.example\nnameserver fd00::a\noptions timeout:2 ndots:5\noptions ndots:99";
    assert.deepEqual(parseResolvConf(text), {
      nameservers: ["10.96.0.10", "fd00::a"],
      search: ["a.example", "b.example"],
      ndots: 15,
    });
    assert.deepEqual(parseResolvConf(""), { nameservers: [], search: [], ndots: 1 });
  });

  it("has no search list if the line is too long for musl, and at most three servers", () => {
    const line = (bytes: number) => `search ${"a".repeat(bytes - "search b.example ".length)} b.example`;
    const search = (text: string, libc: "glibc" | "musl") =>
      parseResolvConf(`${text}\nnameserver 10.96.0.10\n`, libc).search;
    assert.equal(search(line(254), "musl").length, 2);
    assert.deepEqual(search(line(255), "musl"), []);
    assert.equal(search(line(255), "glibc").length, 2);
    // An earlier line holds, since the long one is not read at all.
    assert.deepEqual(search(`search c.example\n${line(300)}`, "musl"), ["c.example"]);
    const servers = [1, 2, 3, 4].map((last) => `nameserver 10.0.0.${last}\n`).join("");
    assert.deepEqual(parseResolvConf(servers).nameservers, ["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
  });

  it("walks the search list first for names with too few dots", () => {
    assert.deepEqual(candidateNames("curl-sa.sa-team", config(5)), [
      "curl-sa.sa-team.ts-team.svc.cluster.local.",
      "curl-sa.sa-team.svc.cluster.local.",
      "curl-sa.sa-team.cluster.local.",
      "curl-sa.sa-team.",
    ]);
  });

  it("tries names with enough dots as is first, and with musl nothing else", () => {
    assert.equal(candidateNames(FULL, config(4))[0], `${FULL}.`);
    assert.equal(candidateNames(FULL, config(4)).length, 4);
    assert.deepEqual(candidateNames(FULL, config(4), "musl"), [`${FULL}.`]);
    assert.deepEqual(candidateNames(`${FULL}.`, config(5)), [`${FULL}.`]);
    assert.deepEqual(candidateNames("a", { search: ["."], ndots: 5 }), ["a."]);
  });

  const costs: readonly (readonly [name: string, ndots: number, queries: number])[] = [
    [FULL, 5, 8],
    [FULL, 3, 2],
    [`${FULL}.`, 5, 2],
    ["curl-sa.sa-team", 5, 4],
    ["curl-sa.sa-team", 3, 4],
    ["curl-sa.sa-team.svc", 3, 6],
    ["curl-sa.sa-team.svc", 2, 8],
  ];
  for (const [name, ndots, queries] of costs) {
    it(`sends ${queries} queries for ${name} with ndots ${ndots}`, () => {
      assert.equal(queriesOf(name, config(ndots), exists).length, queries);
    });
  }

  it("stops at the name that exists, or tries all", () => {
    const label = fc.stringMatching(/^[a-z]{1,3}$/);
    const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join("."));
    fc.assert(
      fc.property(
        name,
        fc.array(name, { maxLength: 4 }),
        fc.nat(15),
        fc.constantFrom("glibc", "musl"),
        (asked, search, ndots, libc) => {
          const all = candidateNames(asked, { search, ndots }, libc);
          assert.ok(
            all.includes(`${asked}.`) && all.every((one) => one.endsWith(".")) && new Set(all).size === all.length,
          );
          for (const [index, target] of all.entries()) {
            const queries = queriesOf(asked, { search, ndots }, (one) => one === target, libc);
            assert.equal(queries.length, 2 * (index + 1));
            assert.equal(queries.at(-1)?.name, target);
          }
          assert.equal(queriesOf(asked, { search, ndots }, () => false, libc).length, 2 * all.length);
        },
      ),
    );
  });

  it("has savings, best first, if there are any", () => {
    assert.deepEqual(savings(FULL, config(5), exists), [
      { change: `the name ${FULL}. with its trailing dot`, queries: 2 },
      { change: "ndots 3 in dnsConfig", queries: 2 },
    ]);
    assert.deepEqual(savings("curl-sa.sa-team", config(3), exists), [
      { change: `the name ${FULL}. with its trailing dot`, queries: 2 },
    ]);
    assert.deepEqual(savings(FULL, config(3), exists), []);
    assert.deepEqual(savings("nonesuch", config(5), exists), []);
  });
});
