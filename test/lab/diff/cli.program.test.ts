import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../../lab/command-line.ts";
import { comparePlans } from "../../../lab/diff/comparison.ts";
import type { Diff } from "../../../lab/diff/diff.ts";
import { formatDiff, markdownOf } from "../../../lab/diff/diff-report.ts";
import { PlanDocument } from "../../../lab/diff/document.ts";
import { runLab } from "../../support/run-lab.ts";

/** As on a terminal that has colors. */
function inColor(text: () => string): string {
  const before = process.env.FORCE_COLOR;
  process.env.FORCE_COLOR = "1";
  try {
    return text();
  } finally {
    if (before === undefined) delete process.env.FORCE_COLOR;
    else process.env.FORCE_COLOR = before;
  }
}

describe("lab diff, of this project", () => {
  let folder: string;
  let files = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "stack-"));
  });
  after(() => rm(folder, { recursive: true }));

  /** The plan of a stack whose file is changed by some replacements. */
  async function checkInputOf(
    stack: string,
    ...changes: readonly (readonly [string, string])[]
  ): Promise<PlanDocument> {
    const text = await readFile(join(PROJECT_ROOT, `Pulumi.${stack}.yaml`), "utf8");
    const changed = changes.reduce((all, [from, to]) => {
      assert.ok(all.includes(from), `Pulumi.${stack}.yaml has no '${from}'`);
      return all.replaceAll(from, to);
    }, text);
    files++;
    const file = join(folder, `${stack}-${files}.yaml`);
    await writeFile(file, changed);
    const { stdout, stderr } = await runLab(["plan", "--stack", stack, "--config-file", file, "--json"]);
    assert.ok(stdout.startsWith("{"), stderr);
    return PlanDocument.parse(JSON.parse(stdout));
  }

  function diffOf(base: PlanDocument, head: PlanDocument): Diff {
    const side = { revision: "main", commit: null };
    const stack = { stack: base.stack, comparison: comparePlans(base, head), notes: [] };
    return { base: side, head: side, stacks: [stack], notes: [] };
  }

  it("shows a renamed team as a replacement of its namespace, in bold", async () => {
    const [base, head] = await Promise.all([
      checkInputOf("local"),
      checkInputOf("local", ["name: ts,", "name: tx,"], ["peers: [ts]", "peers: [tx]"]),
    ]);
    const diff = diffOf(base, head);
    const markdown = markdownOf(diff);
    assert.match(markdown, /^> - \*\*namespace ts-team would be replaced by tx-team: everything in it is deleted/m);
    assert.match(markdown, /^- \*\*`ts-team → tx-team`\*\* `kubernetes:core\/v1:Namespace`$/m);
    const inBold = "\u001b[1m\u001b[31mWARNING  stack local: namespace ts-team would be replaced by tx-team";
    assert.ok(inColor(() => formatDiff(diff)).includes(inBold));
    const kinds = Object.groupBy(comparePlans(base, head).changes, ({ kind }) => kind);
    assert.equal(kinds.added, undefined);
    assert.equal(kinds.deleted, undefined);
    assert.deepEqual(
      kinds.changed?.map(({ outside }) => outside),
      ["sa-team/allow-peers"],
    );
  });

  it("shows another cluster name as the loss of everything in the cluster", async () => {
    const [base, head] = await Promise.all([
      checkInputOf("dev"),
      checkInputOf("dev", ["name: eks-dns-logging-dev", "name: eks-dns-logging-new"]),
    ]);
    const { changes } = comparePlans(base, head);
    const warned = changes.flatMap(({ warning }) => warning ?? []);
    for (const what of ["cluster eks-dns-logging-dev", "namespace ts-team", "namespace logging", "provider"]) {
      assert.ok(
        warned.some((warning) => warning.startsWith(`${what} `) && warning.includes("would be replaced")),
        what,
      );
    }
    const kept = changes.filter(({ kind }) => kind === "changed").map(({ type }) => type);
    assert.ok(!kept.some((type) => type.startsWith("kubernetes:")), `${kept}`);
  });

  it("changes the add-on in place for another number of CoreDNS pods", async () => {
    const [base, head] = await Promise.all([checkInputOf("dev"), checkInputOf("dev", ["replicas: 2", "replicas: 3"])]);
    const { changes } = comparePlans(base, head);
    const addon = changes.find(({ name }) => name === "coredns-addon");
    assert.deepEqual(
      [addon?.kind, addon?.fields],
      ["changed", [{ path: "configurationValues.replicaCount", before: 2, after: 3, replaces: false }]],
    );
    assert.ok(changes.every(({ kind }) => kind === "changed"));
  });

  it("rejects an invalid command line with exit code 2", async () => {
    for (const args of [["diff"], ["diff", "HEAD", "HEAD", "HEAD"], ["diff", "HEAD", "--json", "--markdown"]]) {
      const { exitCode, stderr } = await runLab(args);
      assert.equal(exitCode, 2, args.join(" "));
      assert.match(stderr, /^error: /);
    }
  });
});
