import assert from "node:assert/strict";
import { decode } from "dns-packet";
import fc from "fast-check";
import {
  type BenchOptions,
  type BenchResult,
  bench,
  benchPage,
  formatBench,
  LIMITS,
  loadOf,
} from "../../../lab/dns/bench.ts";
import { BUCKETS, NUMBER, percentile, readSamples, scriptArguments, summarize } from "../../../lab/dns/bench-script.ts";
import { dnsClientAt } from "../../../lab/dns/dns-client.ts";
import { type Execute, fakeCluster, ran, runningPod } from "../verify/fake-cluster.ts";
import { bytesOf, dnsPod, type FakePod } from "./fake-pod.ts";

const OPTIONS: BenchOptions = { perSecond: 50, seconds: 1, outside: "example.com" };
const POD: FakePod = {
  resolvConf: "search ts-team.svc.cluster.local svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:3\n",
  names: { "kubernetes.default.svc.cluster.local.": ["10.96.0.1"] },
  failing: ["example.com."],
};

/** What the script prints where each query takes as long as told, and the last of a connection gets no answer. */
function printed([, connections, count, gap]: readonly string[], took = 0.003, code = 0): string {
  const lines: string[] = [];
  for (let connection = 0; connection < Number(connections); connection += 1) {
    for (let index = 0; index < Number(count); index += 1) {
      const sent = 1_700_000_000 + index * Number(gap);
      lines.push(`sent ${connection} ${index} ${sent.toFixed(6)}`);
      if (index === Number(count) - 1) continue;
      const id = `${32 + Math.floor(index / 64)} ${32 + (index % 64)}`;
      lines.push(`came ${connection} ${(sent + took).toFixed(6)} 254 60 ${id} 133 ${code === 0 ? 254 : code}`);
    }
  }
  return lines.join("\n");
}

function benchPod(changes: { gap?: number; silent?: true } = {}): Execute {
  const { execute } = dnsPod(POD);
  return (command, pod) => {
    if (command[3] !== "bench") return execute(command, pod);
    const args = command.slice(4);
    if (changes.silent) return ran("");
    const own = args[0] === "-";
    return ran(
      printed(
        own && changes.gap !== undefined ? args.with(3, String(changes.gap)) : args,
        own ? 0.0001 : 0.003,
        own ? 0 : 3,
      ),
    );
  };
}

async function benched(execute: Execute, options: Partial<BenchOptions> = {}): Promise<BenchResult> {
  const cluster = fakeCluster({ pod: async () => runningPod("ts") }, execute);
  return bench(cluster, await dnsClientAt(cluster, "ts-team/curl-ts"), { ...OPTIONS, ...options });
}

describe("lab dns bench", () => {
  it("measures each kind of name, and leaves out one whose upstream fails", async () => {
    const { rows, own } = await benched(benchPod());
    assert.deepEqual(
      rows.map(({ kind, name }) => [kind, name]),
      [
        ["internal", "kubernetes.default.svc.cluster.local"],
        ["outside", "example.com"],
        ["unknown", "########.ts-team.svc.cluster.local"],
      ],
    );
    assert.deepEqual([rows[0]?.summary?.asked, rows[0]?.summary?.answered], [50, 48]);
    assert.deepEqual(rows[0]?.summary?.codes, { NXDOMAIN: 48 });
    assert.equal(rows[0]?.summary?.p50?.toFixed(1), "3.0");
    assert.equal(own.p50?.toFixed(1), "0.1");
    assert.deepEqual(
      [rows[1]?.summary, rows[1]?.skipped],
      [undefined, "the server returned SERVFAIL after 2.00 ms: its upstream does not answer"],
    );
  });

  it("stops before the first query if the shell has no clock, or cannot wait", async () => {
    await assert.rejects(benched(benchPod({ silent: true })), { name: "Failure", message: /no microsecond clock/ });
    await assert.rejects(benched(benchPod({ gap: 0.0001 })), { name: "Failure", message: /rate cannot be limited$/ });
    await assert.rejects(benched(benchPod(), { outside: "a b" }), {
      name: "Failure",
      message: /^--outside must be a DNS name \(found 'a b'\)$/,
    });
  });

  it("never exceeds the requested rate", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: LIMITS.perSecond }),
        fc.integer({ min: 1, max: LIMITS.seconds }),
        (rate, seconds) => {
          const { connections, count, gap } = loadOf("a", rate, seconds);
          assert.ok(connections <= 8 && Math.abs(connections / gap - rate) < 1e-9);
          assert.ok(connections * count < rate * seconds + connections);
        },
      ),
    );
  });

  it("splits a query around its id and its number, and nothing else", () => {
    for (const name of ["a.b", `${NUMBER}.ns.svc.cluster.local`]) {
      const load = { name, connections: 1, count: 1, gap: 0.04 };
      const [server, , , , before = "", after = "", first = "", rest = ""] = scriptArguments(
        "10.0.0.10",
        load,
        12_345_678,
      );
      const whole = Buffer.concat([
        bytesOf(before),
        Buffer.from([33, 34]),
        bytesOf(after),
        Buffer.from(first),
        bytesOf(rest),
      ]);
      assert.equal(server, "10.0.0.10");
      assert.equal(whole.readUInt16BE(0), whole.length - 2);
      const query = decode(whole.subarray(2));
      assert.equal(query.id, 33 * 256 + 34);
      assert.equal(query.questions?.[0]?.name, name.replace(NUMBER, "12345678"));
    }
  });

  it("prints a table and bars, and a self-contained page", async () => {
    const result = await benched(benchPod());
    const text = formatBench(result);
    assert.match(text, /^cluster name +50 +48 +\d+ +3\.00 +3\.00 +3\.00 +3\.00 +NXDOMAIN 48$/m);
    assert.match(text, /^not measured: outside name, example\.com: the server returned SERVFAIL/m);
    assert.match(text, /^ +to 4 ms +48 █{40}$/m);
    assert.match(text, /the shell's own pipes take 0\.10 ms/);
    const page = benchPage({ ...result, context: "<lab>" });
    assert.match(page, /<h1>DNS of &lt;lab&gt;<\/h1>/);
    assert.equal(page.match(/<svg /g)?.length, 2);
    assert.doesNotMatch(page, /https?:|<script/);
  });
});

describe("the samples of a benchmark", () => {
  it("match answers to queries by connection and id, in any order", () => {
    const output = "sent 0 65 10.5\ncame 1 10.6 254 80 33 33 133 254\nsent 1 65 10.5\nnoise\nsent 0 66 10.6\n";
    assert.deepEqual(
      readSamples(output).map(({ milliseconds, code }) => [milliseconds?.toFixed(1), code]),
      [
        [undefined, ""],
        ["100.0", "NOERROR"],
        [undefined, ""],
      ],
    );
  });

  it("have percentiles that are among them, in order, and a histogram that counts each once", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1000, noNaN: true }), { minLength: 1 }), (times) => {
        const summary = summarize(times.map((milliseconds, index) => ({ sent: index, milliseconds, code: "NOERROR" })));
        const { p50 = -1, p90 = -1, p99 = -1, max = -1 } = summary;
        assert.ok(p50 <= p90 && p90 <= p99 && p99 <= max && times.includes(p50) && times.includes(p99));
        assert.ok(times.filter((time) => time <= p50).length * 2 >= times.length);
        assert.equal(
          summary.histogram.reduce((sum, count) => sum + count, 0),
          times.length,
        );
        assert.equal(summary.histogram.length, BUCKETS.length);
      }),
    );
    assert.equal(percentile([], 50), undefined);
    assert.equal(percentile([1, 2, 3, 4], 50), 2);
    assert.equal(summarize([]).perSecond, 0);
  });
});
