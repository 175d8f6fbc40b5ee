import assert from "node:assert/strict";
import fc from "fast-check";
import { candidateNames } from "../../../components/dns/resolver.ts";
import {
  attemptsOf,
  hostsAddresses,
  messagesFor,
  type Outcome,
  type Pair,
  succeeds,
  walk,
} from "../../../lab/dns/dns-client.ts";

const OUTCOMES: readonly Outcome[] = ["address", "no address", "no name", "failed", "refused", "silent"];
const SEARCH = ["ts-team.svc.cluster.local", "svc.cluster.local", "cluster.local"];
const both = (outcome: Outcome): Pair => ({ A: outcome, AAAA: outcome });
const pairs = fc.record({ A: fc.constantFrom(...OUTCOMES), AAAA: fc.constantFrom(...OUTCOMES) });
const libcs = fc.constantFrom("glibc" as const, "musl" as const);
const label = fc.stringMatching(/^[a-z]{1,3}$/);
const names = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join("."));
const ONCE = { attempts: 2, servers: 1 };

/** The names asked, where each comes to what is told. */
function asked(name: string, ndots: number, libc: "glibc" | "musl", outcomeOf: (name: string) => Pair): string[] {
  const steps = walk(name, { search: SEARCH, ndots }, libc);
  const found: string[] = [];
  for (let step = steps.next(); !step.done; step = steps.next(outcomeOf(step.value))) found.push(step.value);
  return found;
}

describe("the walk of a resolver", () => {
  const NO = both("no name");

  it("yields a prefix of the candidates, and all of them if none exists", () => {
    fc.assert(
      fc.property(names, fc.nat(15), libcs, fc.array(pairs), (name, ndots, libc, outcomes) => {
        const all = candidateNames(name, { search: SEARCH, ndots }, libc);
        let next = 0;
        const some = asked(name, ndots, libc, () => outcomes[next++] ?? NO);
        assert.ok(some.length >= 1);
        assert.deepEqual(some, all.slice(0, some.length));
        assert.deepEqual(
          asked(name, ndots, libc, () => NO),
          all,
        );
      }),
    );
  });

  it("ends with the first name that has an address, whichever type it is", () => {
    fc.assert(
      fc.property(names, fc.nat(15), libcs, fc.boolean(), fc.nat(), (name, ndots, libc, v6, pick) => {
        const all = candidateNames(name, { search: SEARCH, ndots }, libc);
        const target = all[pick % all.length];
        const there: Pair = v6 ? { A: "no address", AAAA: "address" } : { A: "address", AAAA: "no address" };
        assert.equal(asked(name, ndots, libc, (one) => (one === target ? there : NO)).at(-1), target);
        assert.ok(succeeds(there, libc));
      }),
    );
  });

  it("goes on after a name without addresses in glibc, and not in musl", () => {
    assert.equal(asked("a", 5, "glibc", () => both("no address")).length, 4);
    assert.equal(asked("a", 5, "musl", () => both("no address")).length, 1);
  });

  it("goes on after SERVFAIL in glibc, and not in musl", () => {
    assert.equal(asked("a", 5, "glibc", () => both("failed")).length, 4);
    assert.equal(asked("a", 5, "musl", () => both("failed")).length, 1);
  });

  it("ends if no server answers, but glibc tries the search list after the name itself", () => {
    assert.equal(asked("a", 5, "glibc", () => both("silent")).length, 1);
    assert.equal(asked("a.b.c.d.e", 3, "glibc", () => both("silent")).length, 2);
    assert.equal(asked("a", 5, "musl", () => both("silent")).length, 1);
  });

  it("lets one failing answer spoil the other in musl only", () => {
    const half: Pair = { A: "address", AAAA: "failed" };
    assert.ok(succeeds(half, "glibc"));
    assert.ok(!succeeds(half, "musl"));
    assert.ok(!succeeds(both("no address"), "glibc"));
  });

  it("sends two messages for a name that a server answers, one to each server in musl", () => {
    fc.assert(
      fc.property(
        pairs,
        libcs,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 3 }),
        (pair, libc, attempts, servers) => {
          const answered = [pair.A, pair.AAAA].every((outcome) =>
            ["address", "no address", "no name"].includes(outcome),
          );
          const messages = messagesFor(pair, libc, { attempts, servers });
          if (answered) assert.equal(messages, libc === "musl" ? 2 * servers : 2);
          else assert.ok(messages >= 2 && messages <= attempts * (2 * servers + 4));
        },
      ),
    );
  });

  it("retries if the server fails: twice in glibc, up to twelve messages in musl", () => {
    assert.equal(messagesFor(both("failed"), "glibc", ONCE), 4);
    assert.equal(messagesFor(both("silent"), "glibc", { attempts: 2, servers: 3 }), 12);
    assert.equal(messagesFor({ A: "address", AAAA: "failed" }, "glibc", ONCE), 2);
    assert.equal(messagesFor(both("failed"), "musl", ONCE), 12);
    assert.equal(messagesFor(both("silent"), "musl", ONCE), 4);
  });

  it("reads the number of attempts from resolv.conf", () => {
    assert.equal(attemptsOf("options ndots:3\n"), 2);
    assert.equal(attemptsOf("options ndots:3 attempts:4\noptions attempts:1 timeout:1\n"), 1);
    assert.equal(attemptsOf("options attempts:9"), 5);
    assert.equal(attemptsOf("# options attempts:4"), 2);
  });

  it("finds a name in /etc/hosts, in any case and not in a comment", () => {
    const hosts = "127.0.0.1\tlocalhost\n10.0.0.1 curl-ts curl-ts.ts # other\nfd00::1 Curl-TS\n";
    assert.deepEqual(hostsAddresses(hosts, "curl-ts"), ["10.0.0.1", "fd00::1"]);
    assert.deepEqual(hostsAddresses(hosts, "curl-ts.ts"), ["10.0.0.1"]);
    assert.deepEqual(hostsAddresses(hosts, "other"), []);
    assert.deepEqual(hostsAddresses(hosts, "10.0.0.1"), []);
  });
});
