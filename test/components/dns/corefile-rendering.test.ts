import assert from "node:assert/strict";
import { corefileOf, corefileText } from "../../../components/dns/corefile-rendering.ts";
import { DnsSettings } from "../../../components/dns/settings.ts";
import { type Plugin, writePlugin } from "../../../corefile/model.ts";
import { renderBlocks } from "../../../corefile/syntax/syntax.ts";

const text = (corefile: unknown) => corefileText(DnsSettings.parse({ corefile }));

/** One plugin's line of the block for all names, with its options. */
function lineOf(corefile: unknown, name: Plugin["plugin"]): string {
  const [root] = corefileOf(DnsSettings.parse({ corefile })).servers;
  const found = root?.plugins.find(({ plugin }) => plugin === name);
  if (found === undefined) return "";
  const lines = renderBlocks({ blocks: [{ zones: ["."], directives: [writePlugin(found)] }], imports: [] }).split("\n");
  return lines
    .slice(1, -2)
    .map((line) => line.trim())
    .join(" ");
}

describe("the Corefile of the settings", () => {
  it("with the tuned profile caches more answers, serves stale ones, and limits waiting queries", () => {
    const tuned = { profile: "tuned" };
    assert.equal(
      lineOf(tuned, "cache"),
      "cache 30 { success 19968 prefetch 10 1m 10% serve_stale 1h immediate servfail 0s disable success cluster.local disable denial cluster.local }",
    );
    assert.equal(lineOf(tuned, "forward"), "forward . /etc/resolv.conf { prefer_udp max_concurrent 2048 }");
    assert.equal(lineOf(tuned, "health"), "health { lameduck 20s }");
    assert.equal(lineOf(tuned, "autopath"), "");
  });

  it("lets options override the profile one by one", () => {
    const options = {
      lameduck: "10s",
      forward: { maxConcurrent: 500, policy: "sequential" },
      upstreams: ["10.0.0.2", "10.0.0.3"],
      cache: { ttl: 60, success: { ttl: 120 }, serveStale: { duration: "10m", refresh: "verify" } },
    };
    const tuned = { profile: "tuned", options };
    assert.equal(
      lineOf(tuned, "cache"),
      "cache 60 { success 19968 120 prefetch 10 1m 10% serve_stale 10m verify servfail 0s disable success cluster.local disable denial cluster.local }",
    );
    assert.equal(
      lineOf(tuned, "forward"),
      "forward . 10.0.0.2 10.0.0.3 { prefer_udp policy sequential max_concurrent 500 }",
    );
    assert.equal(lineOf(tuned, "health"), "health { lameduck 10s }");
    assert.equal(
      lineOf({ options }, "cache"),
      "cache 60 { success 9984 120 serve_stale 10m verify disable success cluster.local disable denial cluster.local }",
    );
  });

  it("keeps no failure beside stale answers, which it would hide", () => {
    const of = (cache: object) => lineOf({ options: { cache } }, "cache");
    assert.match(of({ serveStale: {} }), /serve_stale 1h immediate servfail 0s/);
    assert.match(of({ serveStale: {}, servfail: "9s" }), /servfail 9s/);
    assert.doesNotMatch(of({ serveStale: { refresh: "verify" } }), /servfail/);
  });

  it("watches all pods with autopath, which requires it", () => {
    assert.match(lineOf({ options: { autopath: true } }, "kubernetes"), /pods verified/);
    assert.equal(lineOf({ options: { autopath: true } }, "autopath"), "autopath @kubernetes");
    assert.match(lineOf({ options: { pods: "disabled", ttl: 60 } }, "kubernetes"), /pods disabled .* ttl 60 \}$/);
  });

  it("forwards stub domains in the block for all names, longest domain first", () => {
    const stubDomains = [
      { domains: ["corp.example", "b.example"], upstreams: ["10.0.0.2"], forward: { policy: "sequential" } },
      { domains: ["eu.corp.example."], upstreams: ["10.0.0.3"] },
    ];
    const { servers } = corefileOf(DnsSettings.parse({ corefile: { profile: "tuned", options: { stubDomains } } }));
    const forwards = servers.flatMap(({ plugins }) => plugins.filter(({ plugin }) => plugin === "forward"));
    assert.deepEqual(
      forwards.map((plugin) => writePlugin(plugin)).map(({ args, block }) => [...args, ...(block ?? [])]),
      [
        ["eu.corp.example.", "10.0.0.3", { name: "prefer_udp", args: [] }],
        ["corp.example", "10.0.0.2", { name: "prefer_udp", args: [] }, { name: "policy", args: ["sequential"] }],
        ["b.example", "10.0.0.2", { name: "prefer_udp", args: [] }, { name: "policy", args: ["sequential"] }],
        [".", "/etc/resolv.conf", { name: "prefer_udp", args: [] }, { name: "max_concurrent", args: ["2048"] }],
      ],
    );
    assert.equal(servers.length, 1);
  });

  it("puts fixed names before the cluster's, and passes all others on", () => {
    const hosts = { entries: [{ address: "10.0.0.3", names: ["a.example", "b.example"] }], ttl: 60 };
    assert.equal(lineOf({ options: { hosts } }, "hosts"), "hosts { 10.0.0.3 a.example b.example ttl 60 fallthrough }");
  });

  it("restores the queried name in a rewritten answer", () => {
    const rule = { from: "a.example", to: "b.example" };
    assert.equal(lineOf({ options: { rewrite: [rule] } }, "rewrite"), "rewrite stop name exact a.example b.example");
    assert.equal(
      lineOf({ options: { rewrite: [{ ...rule, match: "suffix", continue: true }] } }, "rewrite"),
      "rewrite continue name suffix a.example b.example answer auto",
    );
  });

  it("logs the configured classes, and nothing by default", () => {
    assert.equal(lineOf({ options: { log: {} } }, "log"), "log { class denial error }");
    assert.equal(lineOf({}, "log"), "");
  });

  it("is a complete text unchanged", () => {
    assert.equal(text({ text: "# mine\n.:53 {\n}\n" }), "# mine\n.:53 {\n}\n");
  });
});
