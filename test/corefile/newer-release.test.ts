import assert from "node:assert/strict";
import { AdoptSettings } from "../../components/dns/settings.ts";
import { ADDON_VERSIONS, parseAddonVersion } from "../../corefile/addon/index.ts";
import { checkCorefile } from "../../corefile/checks/checker.ts";
import { isBefore, RELEASES, releaseChanges, releaseFor, type Version, versionOf } from "../../corefile/releases.ts";
import { withLines } from "./default-corefile.ts";

const NEWER = [1, 15, 9] as const;
const notice = "CoreDNS 1.15.9: is checked as 1.15.0, the newest whose plugins are known here";

describe("a CoreDNS that is newer than all known releases", () => {
  const taken: readonly (readonly [line: string, warning: string])[] = [
    ["forward corp.example dns..example", "an upstream is an IP address"],
    ["forward corp.example grpc://9.9.9.9", "forward: does not speak grpc"],
    ["forward corp.example 9.9.9.9 {\nlater 128\n}", "has no option later"],
    ["bufsize 8192", "bufsize: "],
  ];
  for (const [line, warning] of taken)
    it(`may accept ${JSON.stringify(line)}`, () => {
      const { errors, warnings } = checkCorefile(withLines(line), { coredns: NEWER });
      assert.deepEqual(errors, []);
      assert.equal(warnings.length, 2, String(warnings));
      assert.ok(warnings[0]?.includes(warning), warnings[0]);
      assert.equal(warnings[1], notice);
      for (const known of [[1, 14, 3], [1, 15, 0], undefined] as const)
        assert.equal(checkCorefile(withLines(line), { coredns: known }).errors.length, 1, String(known));
    });

  it("accepts more than the known releases", () => {
    const lines = "rewrite cname exact old.example new.example";
    const text = withLines(lines).replace("cache 30", "cache 7200");
    assert.deepEqual(checkCorefile(text, { coredns: NEWER }), { errors: [], warnings: [notice] });
    assert.equal(checkCorefile(text, { coredns: [1, 14, 3] }).warnings.length, 2);
  });

  it("has no files, addresses and credentials beyond those of its pods", () => {
    for (const line of [
      "tls /etc/tls/a.crt /etc/tls/a.key",
      "route53 corp.example:Z1",
      "bind 10.0.0.9",
      "dnssec {\nkey aws_secretsmanager Kexample.org.+013+45330\n}",
    ])
      assert.equal(checkCorefile(withLines(line), { coredns: NEWER }).errors.length, 1, line);
    assert.match(String(checkCorefile(".:53 {", { coredns: NEWER }).errors), /ends before a closing brace/);
  });
});

describe("a CoreDNS that is newer than those of the add-on", () => {
  const since: readonly (readonly [line: string, from: string])[] = [
    ["forward corp.example 9.9.9.9 {\nnext_on_nodata\n}", "1.14.4"],
    ["cache {\nserve_stale 1h verify 2s\n}", "1.14.4"],
    ["forward corp.example https://9.9.9.9 {\ntls_servername dns.example\n}", "1.14.5"],
    ["forward corp.example 9.9.9.9 {\nsource_address 127.0.0.1\n}", "1.14.6"],
    ["timeouts {\nmaxtcpqueries 128\n}", "1.14.7"],
    ["cache {\nserve_stale 1h immediate 30s 5s\n}", "1.14.7"],
    ["forward corp.example quic://9.9.9.9", "1.15.0"],
    ["siit", "1.15.0"],
  ];
  for (const [line, from] of since)
    it(`accepts ${JSON.stringify(line)} from ${from} on, and never without a version`, () => {
      const text = line.startsWith("cache") ? withLines("").replace("cache 30", line) : withLines(line);
      const taking = RELEASES.filter(
        ({ version }) => checkCorefile(text, { coredns: versionOf(version) }).errors.length === 0,
      ).map(({ version }) => version);
      const versions = RELEASES.map(({ version }) => version);
      assert.deepEqual(taking, versions.slice(versions.indexOf(from)));
      assert.equal(checkCorefile(text).errors.length, 1);
    });

  it("may resolve an upstream's name at its start", () => {
    const { errors, warnings } = checkCorefile(withLines("forward corp.example dns.example"), { coredns: [1, 14, 4] });
    assert.deepEqual(errors, []);
    assert.deepEqual(warnings, [
      ".:53: forward: CoreDNS looks up dns.example only when it starts: without an address it does not start, and it does not see later changes",
    ]);
  });

  const about = (lines: string, coredns: Version, word: string) =>
    checkCorefile(withLines(lines), { coredns }).warnings.filter((warning) => warning.includes(word)).length;

  it("accepts dynamic updates for the only zone of a block, or a zone of its line", () => {
    const of = (keys: string, zone: string, more = "max_records 1000") => {
      const options = ["file /etc/zone", "allow key. * A", more].join("\n    ");
      const text = `${withLines("")}${keys} {\n  dynupdate ${zone} {\n    ${options}\n  }\n}\n`;
      return checkCorefile(text, { coredns: [1, 15, 0], isAddon: false }).errors;
    };
    assert.deepEqual(of("a.example:53", ""), []);
    assert.deepEqual(of("a.example:53 b.example:53", "b.example"), []);
    assert.deepEqual(of("a.example:53 b.example:53", ""), [
      "a.example:53 b.example:53: dynupdate: takes a zone unless its block has exactly one",
    ]);
    for (const limit of ["max_records", "max_bytes", "max_update_records"])
      assert.match(
        String(of("a.example:53", "", `${limit} 0`)),
        new RegExp(`dynupdate: ${limit} takes an integer from 1`),
      );
  });

  it("supports wildcards in hosts from 1.14.5 on, as a whole first label", () => {
    for (const [name, known, newer] of [
      ["*.apps.example", 1, 0],
      ["a.*.example", 1, 1],
      ["*a.example", 1, 1],
    ] as const) {
      const lines = `hosts {\n10.0.0.1 ${name}\nfallthrough\n}`;
      assert.equal(about(lines, [1, 14, 4], "wildcards"), known, name);
      assert.equal(about(lines, [1, 14, 5], "wildcards"), newer, name);
    }
  });

  it("keeps answers for more than an hour from 1.14.4 on", () => {
    const text = withLines("").replace("cache 30", "cache 7200");
    const { warnings } = checkCorefile(text, { coredns: [1, 14, 3] });
    assert.equal(warnings.length, 1);
    assert.match(String(warnings), /^\.:53: cache 7200: no answer is kept for more than 3600 s/);
    assert.deepEqual(checkCorefile(text, { coredns: [1, 14, 4] }).warnings, []);
  });

  it("has variables in templates from 1.15.0 on, if a line sets them", () => {
    const text = (lines: readonly string[]) =>
      withLines(`template IN A x.example {\n${lines.join("\n")}\nfallthrough\n}`);
    const template = (...lines: readonly string[]) => checkCorefile(text(lines), { coredns: [1, 15, 0] });
    const withVariables = text(["var {$NAME} {$IP}", "var {$OTHER} {$IP}"]);
    assert.deepEqual(checkCorefile(withVariables, { coredns: [1, 15, 0], isAddon: false }).errors, []);
    const answer = 'answer "{{ .Name }} 60 IN A {{ .Var.ip }}"';
    const { errors, warnings } = template("var ip '10.0.0.1'", answer);
    assert.deepEqual(errors, []);
    assert.deepEqual(warnings, []);
    assert.deepEqual(template("var if {$IP}").errors, [
      '.:53: template: var takes a name that has no meaning yet (found "if")',
    ]);
    assert.deepEqual(template("expr name() == 1").errors, [
      ".:53: template: expr name() == 1: == does not take a text and a number",
    ]);
    assert.deepEqual(template("expr name()").warnings, [
      ".:53: template: expr name(): is not a condition, so it matches no query",
    ]);
    assert.match(String(template(answer).warnings), /answer has \.Var, which is not one of \.Zone/);
  });

  it("serves a zone with capital letters from 1.14.7 on", () => {
    const text = `${withLines("")}Corp.Example:53 {\n  errors\n  forward . 9.9.9.9\n}\n`;
    const of = (coredns: Version) => checkCorefile(text, { coredns }).warnings.filter((line) => line.includes("Corp"));
    assert.equal(of([1, 14, 6]).length, 1);
    assert.deepEqual(of([1, 14, 7]), []);
    const twice = `${text}corp.example:53 {\n  forward . 9.9.9.9\n}\n`;
    const overlaps = (coredns: Version) => checkCorefile(twice, { coredns }).errors.length;
    assert.deepEqual([overlaps([1, 14, 6]), overlaps([1, 14, 7])], [0, 1]);
  });

  it("runs rewrite before acl and the cache from 1.14.7 on", () => {
    const order = (first: string, second: string, coredns: Version) =>
      about(`${first}\n${second}`, coredns, "CoreDNS's order is fixed");
    const [acl, rewrite] = ["acl {\nblock net 10.0.0.0/8\n}", "rewrite name exact a.example b.example answer auto"];
    assert.equal(order(acl, rewrite, [1, 14, 3]), 1);
    assert.equal(order(rewrite, acl, [1, 15, 0]), 0);
    const { moved } = releaseChanges([1, 14, 6], [1, 14, 7]);
    assert.deepEqual(moved, [
      "autopath: after rewrite (was after dnssec)",
      "cache: after acl (was after tsig)",
      "tls: after dnssec (was after cancel)",
    ]);
  });
});

describe("a CoreDNS of unknown version", () => {
  const ofAddons = Object.values(ADDON_VERSIONS).flatMap((version): Version[] => {
    const coredns = parseAddonVersion(version)?.coredns;
    return coredns === undefined ? [] : [coredns];
  });
  const newest = ofAddons.toSorted((one, other) => (isBefore(one, other) ? 1 : -1))[0]?.join(".");

  it("is checked like the newest in an add-on, as dns.adopt.version says", () => {
    assert.equal(releaseFor(undefined).version, newest);
    assert.match(
      AdoptSettings.shape.version.description ?? "",
      new RegExp(`Default: ${newest}, the newest that an add-on`),
    );
  });
});
