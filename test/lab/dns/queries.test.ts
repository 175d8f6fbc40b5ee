import assert from "node:assert/strict";
import { decode, encode } from "dns-packet";
import fc from "fast-check";
import {
  type Answer,
  answeredBy,
  decodeAnswer,
  encodeQuery,
  isName,
  outcomeOf,
  queryId,
  readReply,
  shellBytes,
} from "../../../lab/dns/queries.ts";
import { ownZones } from "../../../lab/verify/lab.ts";
import { bytesOf } from "./fake-pod.ts";

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
const names = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join("."));
const ids = fc.integer({ min: 1, max: 0xffff });

describe("a DNS message", () => {
  it("goes through the shell byte by byte", () => {
    fc.assert(
      fc.property(names, fc.constantFrom("A" as const, "AAAA" as const), ids, fc.boolean(), (name, type, id, dot) => {
        const bytes = bytesOf(shellBytes(encodeQuery(dot ? `${name}.` : name, type, id)));
        assert.equal(bytes.readUInt16BE(0), bytes.length - 2);
        const query = decode(bytes.subarray(2));
        assert.equal(query.id, id);
        assert.deepEqual(
          query.questions?.map((question) => [question.name, question.type]),
          [[name, type]],
        );
      }),
    );
  });

  it("is read however many length bytes the shell has consumed", () => {
    const data = "10.96.0.1";
    fc.assert(
      fc.property(names, ids, fc.constantFrom(0, 1, 2), (name, id, rest) => {
        const bytes = encode({
          type: "response",
          id,
          flags: (1 << 10) | (1 << 7),
          questions: [{ type: "A", name }],
          answers: [
            { type: "CNAME", name, ttl: 30, data: "other" },
            { type: "A", name: "other", ttl: 4, data },
          ],
        });
        // Two bytes of length that are no id by chance.
        const length = Buffer.from([0, bytes.length]).subarray(2 - rest);
        fc.pre(rest === 0 || !isIdEarly(Buffer.concat([length, bytes]), rest, id));
        const expected = {
          code: "NOERROR",
          authoritative: true,
          recursion: true,
          addresses: [data],
          ttl: 4,
          zone: undefined,
        };
        assert.deepEqual(decodeAnswer(Buffer.concat([length, bytes]), id), expected);
      }),
    );
    assert.equal(decodeAnswer(Buffer.alloc(40), 7), undefined);
    assert.equal(decodeAnswer(Buffer.alloc(0), 0), undefined);
  });

  it("has an id that cannot be confused with the length bytes before an answer", () => {
    for (let drawn = 0; drawn < 2000; drawn += 1) {
      const id = queryId();
      const high = id >> 8;
      const bytes = encode({ type: "response", id, questions: [{ type: "A", name: "a.example" }] });
      for (const length of [[high], [id & 0xff], [0, high], [0, id & 0xff], [0x7f, high]])
        assert.equal(decodeAnswer(Buffer.concat([Buffer.from(length), bytes]), id)?.code, "NOERROR", id.toString(16));
    }
  });

  it("is timed by the pod's clock, and silent without an answer", () => {
    const bytes = encode({ type: "response", id: 7, flags: 3, questions: [{ type: "A", name: "a" }] });
    const output = `sent 0 100.000100\nsent 1 100.0\ncame 1 106.0 \ncame 0 100.001100 ${bytes.toString("base64")}\n`;
    const reply = readReply(output, 0, 7);
    assert.equal(reply.answer?.code, "NXDOMAIN");
    assert.equal(reply.milliseconds?.toFixed(3), "1.000");
    assert.deepEqual(readReply(output, 1, 8), { answer: undefined, milliseconds: undefined });
    assert.deepEqual(readReply("", 0, 7), { answer: undefined, milliseconds: undefined });
    const clockless = `sent 0 \ncame 0  ${bytes.toString("base64")}\n`;
    assert.equal(readReply(clockless, 0, 7).answer?.code, "NXDOMAIN");
    assert.equal(readReply(clockless, 0, 7).milliseconds, undefined);
  });

  it("has one of six outcomes", () => {
    assert.equal(outcomeOf(undefined), "silent");
    assert.equal(outcomeOf(answer({ addresses: ["10.0.0.1"] })), "address");
    assert.equal(outcomeOf(answer({})), "no address");
    assert.equal(outcomeOf(answer({ code: "NXDOMAIN" })), "no name");
    assert.equal(outcomeOf(answer({ code: "SERVFAIL" })), "failed");
    assert.equal(outcomeOf(answer({ code: "REFUSED" })), "refused");
  });

  it("asks for names only", () => {
    for (const name of ["a", "a.b.", "curl-sa.sa-team", "_http._tcp.a", "A1"]) assert.ok(isName(name), name);
    for (const name of [
      "",
      ".",
      "a..b",
      "-a",
      "a-",
      "a b",
      "http://a",
      "a%b",
      "a'b",
      "ä",
      "a".repeat(64),
      `${"a.".repeat(127)}abc`,
    ])
      assert.ok(!isName(name), name);
  });
});

describe("who answered", () => {
  const own = ownZones(".:53 {\n  kubernetes cluster.local in-addr.arpa {\n    pods insecure\n  }\n  cache 30\n}\n");
  const NAME = "a.b.svc.cluster.local.";

  it("is derived from the zone, the TTL, and the bits that the cache sets", () => {
    assert.deepEqual(own, { zones: ["cluster.local", "in-addr.arpa"], ttl: 5 });
    assert.equal(answeredBy(NAME, answer({ ttl: 5, authoritative: true }), own), "kubernetes");
    assert.equal(answeredBy(NAME, answer({ ttl: 3, authoritative: true }), own), "cache, 3 s left");
    assert.equal(answeredBy("x.example.", answer({ ttl: 60, recursion: true }), own), "upstream");
    assert.equal(
      answeredBy("x.example.", answer({ ttl: 60, recursion: true, authoritative: true }), own),
      "cache, 60 s left",
    );
    assert.equal(answeredBy("x.example.", answer({ code: "SERVFAIL" }), own), "upstream, failed");
    assert.equal(answeredBy("x.example.", answer({ code: "SERVFAIL", authoritative: true }), own), "cached failure");
    assert.equal(answeredBy("x.example.", answer({ authoritative: true }), own), "CoreDNS itself");
    assert.equal(answeredBy("notcluster.local.", answer({ recursion: true }), own), "upstream");
    assert.equal(answeredBy(NAME, undefined, own), "nobody");
  });

  it("is derived from the block's zones if kubernetes names none, and from those of all its blocks", () => {
    const parted = ownZones(
      "in-addr.arpa:53 {\n kubernetes\n}\nCluster.Local.:53 dns://k.test:53 {\n kubernetes\n}\n.:53 {\n forward . 10.0.0.2\n}\n",
    );
    assert.deepEqual(parted, { zones: ["in-addr.arpa", "cluster.local", "k.test"], ttl: 5 });
    assert.equal(answeredBy(NAME, answer({ ttl: 5, authoritative: true }), parted), "kubernetes");
    assert.equal(answeredBy("x.example.", answer({ authoritative: true }), parted), "CoreDNS itself");
    const root = ownZones(".:53 {\n kubernetes\n}\n");
    assert.deepEqual(root, { zones: ["."], ttl: 5 });
    assert.equal(answeredBy(NAME, answer({ ttl: 5, authoritative: true }), root), "kubernetes");
  });

  it("is less specific if the Corefile is unknown", () => {
    assert.equal(ownZones("{"), undefined);
    assert.equal(ownZones(".:53 {\n forward . 1.1.1.1\n}"), undefined);
    assert.equal(ownZones("k.test:53 {\n kubernetes {\n ttl 30\n }\n}")?.ttl, 30);
    assert.equal(answeredBy(NAME, answer({ authoritative: true }), undefined), "a server of that zone, or a cache");
    assert.equal(answeredBy(NAME, answer({}), undefined), "a resolver");
  });
});

function answer(changes: Partial<Answer>): Answer {
  return {
    code: "NOERROR",
    authoritative: false,
    recursion: false,
    addresses: [],
    ttl: undefined,
    zone: undefined,
    ...changes,
  };
}

function isIdEarly(bytes: Buffer, rest: number, id: number): boolean {
  return Array.from({ length: rest }, (_, offset) => bytes.readUInt16BE(offset)).includes(id);
}
