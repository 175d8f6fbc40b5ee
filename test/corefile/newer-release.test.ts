import assert from "node:assert/strict";
import { checkCorefile } from "../../corefile/checks/checker.ts";
import { withLines } from "./default-corefile.ts";

const NEWER = [1, 14, 9] as const;
const notice = "CoreDNS 1.14.9 is checked as 1.14.3, the newest whose plugins are known here";

describe("a CoreDNS that is newer than all that are known", () => {
  const taken: readonly (readonly [line: string, warning: string])[] = [
    ["forward corp.example dns.example", "an upstream is an IP address"],
    ["forward corp.example https://9.9.9.9 {\ntls_servername dns.example\n}", "forward: does not speak https"],
    ["timeouts {\nmaxtcpqueries 128\n}", "has no option maxtcpqueries"],
    ["bufsize 8192", "bufsize: "],
  ];
  for (const [line, warning] of taken)
    it(`may take ${JSON.stringify(line)}`, () => {
      const { errors, warnings } = checkCorefile(withLines(line), { coredns: NEWER });
      assert.deepEqual(errors, []);
      assert.equal(warnings.length, 2, String(warnings));
      assert.ok(warnings[0]?.includes(warning), warnings[0]);
      assert.equal(warnings[1], notice);
      assert.equal(checkCorefile(withLines(line), { coredns: [1, 14, 3] }).errors.length, 1);
    });

  it("does more than those that are known", () => {
    const lines = "rewrite cname exact old.example new.example";
    const text = withLines(lines).replace("cache 30", "cache 7200");
    assert.deepEqual(checkCorefile(text, { coredns: NEWER }), { errors: [], warnings: [notice] });
    assert.equal(checkCorefile(text, { coredns: [1, 14, 3] }).warnings.length, 2);
  });

  it("has no more files, addresses and credentials than its pods", () => {
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
