import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { corefileText } from "../../../components/dns/corefile-rendering.ts";
import { CorefileOptions } from "../../../components/dns/corefile-settings.ts";
import { queriesOf } from "../../../components/dns/resolver.ts";
import { DnsSettings } from "../../../components/dns/settings.ts";
import { PROJECT_ROOT } from "../../../lab/command-line.ts";
import { COMPARED_NDOTS } from "../../../lab/dns/explanation.ts";
import { profileTable } from "../../../lab/plan/plan-text.ts";
import { readStack } from "../../../lab/stack-file.ts";
import { settingsReference } from "../../../tools/docs/settings.ts";
import { planOnce } from "../../support/plans.ts";

const ZONE = "svc.cluster.local";
const FULL = `curl-sa.sa-team.${ZONE}.`;

describe("the pages of DNS", () => {
  let page: string;
  before(async () => {
    const files = ["how-to/coredns.md", "explanation/name-cost.md", "how-to/fleet.md"];
    const texts = files.map((file) => readFile(join(PROJECT_ROOT, "docs", file), "utf8"));
    page = (await Promise.all(texts)).join("\n");
  });

  it("has the table of cluster sizes that the profile makes now: npm run lab -- dns profile --sizes", () => {
    assert.ok(page.includes(profileTable()));
  });

  it("says of each setting what it is good for", () => {
    const [, reference = ""] = settingsReference().split("## dns\n");
    const [section = ""] = reference.split("\n## ");
    const keys = Object.keys(DnsSettings.shape).filter((key) => key !== "corefile");
    for (const key of keys) assert.match(section, new RegExp(`^${key}:.* # \\S+ \\S+`, "m"), key);
    for (const key of Object.keys(CorefileOptions.shape))
      assert.match(section, new RegExp(`^ {4}${key}:.* # \\S+ \\S+`, "m"), key);
  });

  it("gives each name form the count that a resolver's own rules give", () => {
    const rows = [...page.matchAll(/^\| `(curl-sa[^`]*)` \| (\S+) \| (.+) \|$/gm)];
    assert.equal(rows.length, 5);
    for (const [, form = "", namespace = "", cells = ""] of rows) {
      const search = [`${namespace}.${ZONE}`, ZONE, "cluster.local"];
      const counts = cells.split(" | ").map((cell) => {
        const [, queries = "", again = "0"] = /^(\d+) queries(?: \((\d+) retr(?:y|ies)\))?,/.exec(cell) ?? [];
        return Number(queries) - Number(again);
      });
      const expected = COMPARED_NDOTS.map(
        (ndots) => queriesOf(form, { search, ndots }, (name) => name === FULL).length,
      );
      assert.deepEqual(counts, expected, form);
    }
  });

  it("tells the values of the tuned profile", () => {
    const text = corefileText(DnsSettings.parse({ corefile: { profile: "tuned" } }));
    for (const [line, told] of [
      ["success 19968", "19,968"],
      ["prefetch 10 1m 10%", "10 queries, 1m, 10 %"],
      ["serve_stale 1h immediate", "1h, immediate"],
      ["max_concurrent 2048", "2,048: rate × delay"],
      ["lameduck 20s", "| 20s |"],
    ] as const) {
      assert.ok(text.includes(line), text);
      assert.ok(page.includes(told), told);
    }
  });

  it("counts what a team costs as the plan does", async () => {
    const local = await readStack("local");
    const key = "eks-dns-logging:teams";
    const teams = [...parse(local.config[key] ?? ""), { name: "qa" }];
    const three = await planOnce({ name: "three", config: { ...local.config, [key]: JSON.stringify(teams) } });
    const added = three.resources.filter(({ name }) => /^qa/.test(name));
    const objects = added.filter(({ type }) => type.startsWith("kubernetes:"));
    assert.match(page, new RegExp(`^\\| Pulumi resources \\| ${added.length} \\|`, "m"));
    assert.match(page, new RegExp(`^\\| API objects \\| ${objects.length} \\|`, "m"));
  });
});
