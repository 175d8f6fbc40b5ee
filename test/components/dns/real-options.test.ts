import assert from "node:assert/strict";
import { KNOWN_OPTIONS } from "../../../corefile/known-options.ts";
import { PATTERNS } from "../../corefile/go-patterns.ts";
import { complaints, describeReal } from "./real-coredns.ts";

/** A plugin's line that CoreDNS takes. */
const HEADS: Readonly<Record<string, string>> = { bind: "bind 127.0.0.1", forward: "forward . 10.0.0.2" };
/** Words that an option takes, where those of its name do not do. */
const WORDS: Readonly<Record<string, string>> = {
  "bind except": "127.0.0.9",
  "cache disable": "success",
  "errors consolidate": "5m .*",
  "forward failover": "SERVFAIL",
  "kubernetes multicluster": "",
  "kubernetes tls": "cert key ca",
  "log class": "all",
  "loadbalance prefer": "10.0.0.0/8",
};

describeReal("the options of the real CoreDNS", () => {
  it("are those that the model knows, and no others", async () => {
    const options = Object.entries(KNOWN_OPTIONS).flatMap(([plugin, names]) =>
      [...names, "bogus"].map((name) => ({ plugin, name })),
    );
    const said = await complaints(
      options.map(({ plugin, name }) => `${headOf(plugin, name)} {\n${name} ${wordsOf(plugin, name)}\n}`),
    );
    const refused = options.filter((_, index) => UNKNOWN.test(said[index] ?? ""));
    assert.deepEqual(
      refused.map(({ plugin, name }) => `${plugin} ${name}`),
      Object.keys(KNOWN_OPTIONS).map((plugin) => `${plugin} bogus`),
    );
  });
});

describeReal("regular expressions of the real CoreDNS", () => {
  it("are those that the model takes for such", async () => {
    const said = await complaints(PATTERNS.map(([pattern]) => `rewrite name regex ${pattern} b`));
    assert.deepEqual(
      PATTERNS.map(([pattern], index) => [pattern, said[index] === undefined]),
      PATTERNS,
    );
  });
});

/** The words that some plugins use for it are those for too few words too. */
const UNKNOWN = /unknown property|unknown option|invalid option|unknown field|wrong argument count/i;

function headOf(plugin: string, option: string): string {
  return option === "reload" ? "loadbalance weighted weights" : (HEADS[plugin] ?? plugin);
}

/** A number, a duration or a file's name is all that most options ask for, and a wrong one is no unknown option. */
function wordsOf(plugin: string, option: string): string {
  const none = [
    "keepttl",
    "force_tcp",
    "prefer_udp",
    "stacktrace",
    "failfast_all_unhealthy_upstreams",
    "runtime_metrics",
    "noendpoints",
    "endpoint_pod_names",
  ];
  return WORDS[`${plugin} ${option}`] ?? (none.includes(option) ? "" : "10");
}
