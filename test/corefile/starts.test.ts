import assert from "node:assert/strict";
import type { Version } from "../../corefile/releases.ts";
import { startOf } from "../../corefile/setups/starts.ts";

const ROOT = ".:53 {\n    errors\n    cache 30\n}\n";
const at = (line: number) =>
  `the brace on line ${line} opens no options, since it is on a line of its own; move it to the end of the previous line`;

describe("a plugin with a capital letter", () => {
  it("is none", () => {
    assert.deepEqual(startOf(".:53 {\n    Cache 30\n}\n", { coredns: [1, 14, 3] }).errors, [
      ".:53: Cache: CoreDNS 1.14.3 has no such plugin, and does not start; write cache",
    ]);
  });
});

describe("a brace in the wrong place", () => {
  it("is named where CoreDNS counts it as a word of an option", () => {
    const of = (line: string) => startOf(`.:53 {\n${line}\n}\n`).errors;
    assert.deepEqual(of("health { lameduck 5s }"), [
      ".:53: health: the closing brace on line 2 needs a line of its own",
    ]);
    assert.deepEqual(of("kubernetes cluster.local {\npods insecure }"), [
      ".:53: kubernetes: the closing brace on line 3 needs a line of its own",
    ]);
    assert.deepEqual(of("template ANY AAAA { rcode NOERROR }"), []);
    assert.deepEqual(of("template ANY AAAA { rcode NONE }").length, 1);
    assert.ok(!of("template ANY AAAA { rcode NONE }").join().includes("brace"));
  });

  it("opens no options on a line of its own: CoreDNS starts without them or reads them as more lines", () => {
    assert.deepEqual(
      startOf(".:53 {\n    log\n    {\n        class error\n    }\n    acl {\n        allow\n    }\n}\n"),
      {
        errors: [],
        warnings: [`.:53: log: ${at(3)}`],
      },
    );
    assert.deepEqual(startOf(".:53 {\n    acl example.org\n    {\n        block\n    }\n}\n").warnings, [
      `.:53: acl: ${at(3)}`,
    ]);
    assert.deepEqual(startOf(".:53 {\n    errors\n    cache 30\n    {\n        success 1024\n    }\n}\n"), {
      errors: [`.:53: cache: ${at(4)}`],
      warnings: [],
    });
  });

  it("is a word of the line before it, and CoreDNS hangs before 1.13 if lines follow", () => {
    const text = ".:53 {\nhosts { 10.0.0.1 a.example }\nhosts /etc/hosts example.org\n}\n";
    const message =
      ".:53: hosts: a line took the closing brace of its options for a word, and CoreDNS hangs; put the brace on a line of its own";
    assert.deepEqual(startOf(text, { coredns: [1, 12, 4] }).errors, [message]);
    assert.deepEqual(startOf(".:53 {\nhosts { 10.0.0.1 a.example }\n}\n", { coredns: [1, 12, 4] }).errors, []);
  });

  it("may be on a line of its own after a zone", () => {
    assert.deepEqual(startOf(".:53\n{\n    errors\n}\n"), { errors: [], warnings: [] });
  });

  it("ends a server block before its last lines, which become zones", () => {
    const early =
      ".:53 {\n    errors {\n        stacktrace\n        }\n    }\n    forward . 10.0.0.2\n    cache 30\n}\n";
    const message =
      "line 6: the line of forward is outside the server blocks, so CoreDNS reads it as a zone; remove a brace above";
    assert.deepEqual(startOf(early), {
      errors: [message, "forward . 10.0.0.2: zone .:53: already has a block, so CoreDNS does not start"],
      warnings: [],
    });
    assert.deepEqual(startOf(`.:53 {\n    errors\n    }\n    log\n    cache 30\n}\n`).warnings, [
      message.replace("line 6", "line 4").replace("forward", "log"),
    ]);
  });

  it("is a zone after the last server block", () => {
    const message =
      "line 5: a closing brace is outside the server blocks, so CoreDNS reads it as a zone; remove a brace above";
    assert.deepEqual(startOf(`${ROOT}}\n`), { errors: [], warnings: [message] });
    assert.equal(startOf(`${ROOT}}\ncorp.example {\n    errors\n}\n`).errors[0], message);
  });

  it("does not affect a zone named like a plugin", () => {
    assert.deepEqual(startOf(`${ROOT}local:53 {\n    errors\n}\nlog {\n    errors\n}\n`), { errors: [], warnings: [] });
    assert.deepEqual(startOf("local\nerrors\n"), { errors: [], warnings: [] });
  });
});

describe("a block that listens nowhere", () => {
  const block = (plugin: string, bind: string) => `corp.example:53 {\n    bind ${bind}\n    ${plugin}\n}\n`;
  const errors = (plugin: string, bind: string, coredns: Version) => startOf(block(plugin, bind), { coredns }).errors;

  it("keeps CoreDNS before 1.13 from starting with loop or trace", () => {
    for (const plugin of ["loop", "trace"])
      for (const bind of ["lo {\nexcept 127.0.0.1 ::1\n}", "127.0.0.1 {\nexcept lo\n}"]) {
        assert.deepEqual(errors(plugin, bind, [1, 12, 4]), [
          `corp.example:53: ${plugin}: needs an address that except leaves to this block, or CoreDNS does not start`,
        ]);
        assert.deepEqual(errors(plugin, bind, [1, 13, 0]), []);
      }
    assert.deepEqual(errors("log", "lo {\nexcept lo\n}", [1, 12, 4]), []);
    assert.deepEqual(errors("loop", "lo {\nexcept ::1\n}", [1, 12, 4]), []);
  });

  it("may have the zone of another block", () => {
    const silent = block("log", "lo {\nexcept lo\n}");
    assert.deepEqual(startOf(silent + silent).errors, []);
    const twice = block("log", "lo {\nexcept ::1\n}");
    assert.deepEqual(startOf(twice + twice).errors, [
      "corp.example:53: zone corp.example.:53: already has a block, so CoreDNS does not start",
    ]);
  });
});
