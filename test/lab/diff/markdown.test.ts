import assert from "node:assert/strict";
import fc from "fast-check";
import { comparePlans } from "../../../lab/diff/comparison.ts";
import type { Diff, StackDiff } from "../../../lab/diff/diff.ts";
import { formatDiff, MARKER, markdownOf } from "../../../lab/diff/diff-report.ts";
import type { PlanDocument, PolicyFinding } from "../../../lab/diff/document.ts";
import { fieldLines } from "../../../lab/diff/fields.ts";
import { code, fenced, MAX_COMMENT, plainText } from "../../../lab/output/markup.ts";
import { namespace, plan, resource } from "./resources.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";

function diffOf(base: PlanDocument, head: PlanDocument, ...more: readonly StackDiff[]): Diff {
  return {
    base: { revision: "main", commit: COMMIT },
    head: { revision: ".", commit: null },
    stacks: [{ stack: "test", comparison: comparePlans(base, head), notes: [] }, ...more],
    notes: [],
  };
}

describe("the comment", () => {
  it("warns in bold of a namespace that would be replaced, first of all", () => {
    const text = markdownOf(diffOf(plan(namespace("ts-team")), plan(namespace("tx-team"))));
    assert.deepEqual(text.split("\n").slice(0, 6), [
      MARKER,
      "",
      "### Changes from main \\(0123456\\) to the working tree".replaceAll(/\\([()])/g, "$1"),
      "",
      "> [!CAUTION]",
      "> - **namespace ts-team would be replaced by tx-team: everything in it is deleted: pods, secrets, volume claims, and objects created by hand** (stack test)",
    ]);
    assert.match(text, /- \*\*`ts-team → tx-team`\*\* `kubernetes:core\/v1:Namespace`/);
    assert.match(text, /^ {2}- metadata\.name: "ts-team" {2}# forces replacement$/m);
  });

  it("says so if nothing changes", () => {
    const text = markdownOf(diffOf(plan(namespace("ts-team")), plan(namespace("ts-team"))));
    assert.match(text, /#### Stack test: no change \(1 resources\)/);
    assert.doesNotMatch(text, /CAUTION|<details>/);
  });

  it("shows why head has no plan", () => {
    const text = markdownOf(diffOf(plan(), plan(), { stack: "dev", problem: "Invalid configuration\n  teams: ```" }));
    assert.match(text, /#### Stack dev: cannot be planned/);
    assert.match(text, /````text\nInvalid configuration\n {2}teams: ```\n````/);
  });

  it("fits GitHub's limit, whatever changes, and leaves no element open", () => {
    const word = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.constantFrom("```", "</details>", "@someone", "| a |", "\n\n# x"),
    );
    const size = fc.integer({ min: 0, max: 150 });
    fc.assert(
      fc.property(word, word, size, fc.constantFrom(1, 50, 400), (name, value, count, length) => {
        const many = (text: string) =>
          plan(
            ...Array.from({ length: count }, (_, index) =>
              resource("aws:ec2/vpc:Vpc", `${name}${index}`, { cidrBlock: text, tags: { [value]: text } }),
            ),
          );
        const text = markdownOf(diffOf(many("one"), many(`${value}\n`.repeat(length))));
        assert.ok(text.length <= MAX_COMMENT, `${text.length} characters`);
        assert.ok(text.startsWith(MARKER));
        assert.equal(text.match(/^<details>/gm)?.length, text.match(/^<\/details>/gm)?.length);
        assert.ok(text.endsWith("\n"));
      }),
      { numRuns: 20 },
    );
  });

  it("counts what it omits of very many resources", () => {
    const many = plan(...Array.from({ length: 3000 }, (_, index) => resource("aws:ec2/vpc:Vpc", `vpc-${index}`)));
    const text = markdownOf(diffOf(many, plan()));
    assert.ok(text.length <= MAX_COMMENT, `${text.length} characters`);
    assert.match(text, /> - … and 2800 more\n/);
    assert.match(text, /#### Stack test: 3000 deleted/);
    assert.match(text, /<summary>3000 deleted<\/summary>\n\n- \*\*`vpc-0`/);
    assert.match(text, /\n- … and 2800 more\n/);
  });

  it("lists policy findings, new ones apart from old ones", () => {
    const finding = (rule: string, more: Partial<PolicyFinding> = {}): PolicyFinding => ({
      rule,
      level: "mandatory",
      outcome: "violated",
      urn: "u",
      message: `${rule} says no`,
      ...more,
    });
    const base = {
      ...plan(),
      policies: { findings: [finding("old"), finding("gone"), finding("let", { outcome: "exempt" })], issues: [] },
    };
    const head = {
      ...plan(),
      policies: {
        issues: ["exemption of x from y has no effect"],
        findings: [
          finding("old"),
          finding("new", { outcome: "undecided" }),
          finding("soft", { level: "advisory" }),
          finding("allowed", { outcome: "exempt" }),
          finding("let", { outcome: "exempt" }),
        ],
      },
    };
    const text = markdownOf(diffOf(base, head));
    assert.match(text, /\*\*3 mandatory policy findings: this check fails\.\*\*/);
    assert.match(text, /New with this change:\n\n- new \(mandatory, undecided\): new says no\n- soft \(advisory\)/);
    assert.match(text, /- exemption of x from y has no effect/);
    assert.match(text, /<summary>Already in base: 1<\/summary>\n\n- old/);
    assert.match(text, /Fixed: 1<\/summary>\n\n- gone/);
    assert.match(text, /Exempt: 2<\/summary>\n\n- allowed/);
    const lines = formatDiff(diffOf(base, head));
    assert.match(lines, /policies: 2 new, 1 as before, 1 fixed, 2 exempt.*; 3 mandatory: failed/);
    assert.deepEqual(lines.match(/exempt {3}\w+/g), ["exempt   allowed"]);
    assert.match(lines, /issue {2}exemption of x from y has no effect/);
    assert.match(markdownOf(diffOf(base, plan())), /Policies: not run at this revision/);
  });
});

describe("text in Markdown", () => {
  it("has no markup, no HTML and mentions nobody", () => {
    assert.equal(plainText("**a** <b> [c](d) @me\n# e"), "\\*\\*a\\*\\* \\<b\\> \\[c\\](d) @<!-- -->me \\# e");
  });

  it("is one code span or one block, with any number of backticks", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("`", "a", "\n") }), (text) => {
        const [ticks = ""] = /^`+/.exec(code(text)) ?? [];
        assert.ok(code(text).endsWith(ticks) && !code(text).slice(ticks.length, -ticks.length).includes(ticks));
        const [fence = ""] = /^`{3,}/.exec(fenced("", text)) ?? [];
        assert.ok(!text.includes(fence));
      }),
    );
  });
});

describe("fieldLines", () => {
  const text = (before: string, after: string, most = 30) =>
    fieldLines({ path: "data", before, after, replaces: false }, most).map(({ sign, text: line }) => `${sign} ${line}`);

  it("shows short values on a line each", () => {
    assert.deepEqual(text("5", "1"), ['- data: "5"', '+ data: "1"']);
  });

  it("shows what differs in a file, not the file", () => {
    const file = (flush: number) => `a\nb\nc\nflush: ${flush}\nd\ne\nf\n`;
    assert.deepEqual(text(file(5), file(1)), [
      "  data:",
      "      …",
      "      c",
      "-     flush: 5",
      "+     flush: 1",
      "      d",
      "      …",
    ]);
  });

  it("shows a new object by its lines", () => {
    const lines = fieldLines({ path: "metadata.annotations", after: { a: "1", b: [] }, replaces: false }, 5);
    assert.deepEqual(
      lines.map(({ sign, text: line }) => `${sign} ${line}`),
      ["  metadata.annotations:", '+     a: "1"', "+     b: []"],
    );
  });

  it("counts what is too long to show", () => {
    const many = (word: string) => Array.from({ length: 100 }, (_, index) => `${word}${index}`).join("\n");
    assert.equal(text(many("a"), many("b"), 10).at(-1), "      … and 190 more lines");
  });

  it("cuts a long line, and escapes control characters", () => {
    const [line = ""] = fieldLines({ path: "x", after: `\u001b[2J${"y".repeat(1000)}`, replaces: false }, 5).map(
      ({ text: shown }) => shown,
    );
    assert.ok(line.length < 200 && line.includes("… (") && !line.includes("\u001b"));
  });
});
