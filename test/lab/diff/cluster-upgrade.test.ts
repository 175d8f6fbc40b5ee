import assert from "node:assert/strict";
import { comparePlans } from "../../../lab/diff/comparison.ts";
import { type Diff, fails } from "../../../lab/diff/diff.ts";
import { formatDiff, markdownOf } from "../../../lab/diff/diff-report.ts";
import type { PlanDocument } from "../../../lab/diff/document.ts";
import { plan, resource } from "./resources.ts";

/** A cluster with its add-ons and node group, as the stack dev has them. */
function cluster(version: string, { coredns = "v1.13.2-eksbuild.31", name = "dev", type = "eks:index:Cluster" } = {}) {
  return plan(
    resource(type, "cluster", { name, version }),
    resource("aws:eks/addon:Addon", "coredns-addon", {
      clusterName: name,
      addonName: "coredns",
      addonVersion: coredns,
    }),
    resource("aws:eks/nodeGroup:NodeGroup", "cluster-nodes-default", { clusterName: name, version }),
  );
}

function diffOf(base: PlanDocument, head: PlanDocument): Diff {
  return {
    base: { revision: "main", commit: "0123456789abcdef0123456789abcdef01234567" },
    head: { revision: ".", commit: null },
    stacks: [{ stack: "test", comparison: comparePlans(base, head), notes: [] }],
    notes: [],
  };
}

describe("a diff that changes a cluster's Kubernetes version", () => {
  it("says in bold that it is an upgrade, and what happens to each part", () => {
    const diff = diffOf(cluster("1.35"), cluster("1.36", { coredns: "v1.14.3-eksbuild.23" }));
    const text = markdownOf(diff);
    assert.match(text, /^\*\*Kubernetes 1\.35 → 1\.36 of dev is an upgrade\*\*$/m);
    assert.match(text, /^- control plane: in place; .*npm run lab -- upgrade --stack test --from 1\.35 --to 1\.36$/m);
    assert.match(text, /^- add-on coredns: in place, v1\.13\.2-eksbuild\.31 → v1\.14\.3-eksbuild\.23$/m);
    assert.match(text, /^- node group cluster-nodes-default: each node is drained and replaced, 1\.35 → 1\.36$/m);
    assert.doesNotMatch(text, /CAUTION/);
    assert.match(formatDiff(diff), /Kubernetes 1\.35 → 1\.36 of dev is an upgrade/);
    assert.equal(fails(diff), false);
  });

  it("says before all else when EKS rolls back", () => {
    const diff = diffOf(cluster("1.35"), cluster("1.34"));
    const text = markdownOf(diff);
    assert.match(text, /> - \*\*cluster dev would go back from Kubernetes 1\.35 to 1\.34: EKS does so within 7 days/);
    assert.match(text, /^\*\*Kubernetes 1\.35 → 1\.34 of dev is a rollback\*\*$/m);
    assert.match(text, /^- control plane: in place, after the node groups/m);
    assert.match(formatDiff(diff), /WARNING {2}stack test: cluster dev would go back/);
    assert.equal(fails(diff), false);
  });

  for (const [from, to, advice] of [
    ["1.34", "1.36", /one minor version at a time: upgrade to 1\.35 first/],
    ["1.36", "1.34", /one minor version only: create a new cluster/],
  ] as const)
    it(`fails where EKS refuses: ${from} → ${to}`, () => {
      const diff = diffOf(cluster(from), cluster(to, { coredns: "v1.14.3-eksbuild.23" }));
      const text = markdownOf(diff);
      assert.match(text, new RegExp(`> - \\*\\*cluster dev: EKS refuses ${from} → ${to}`));
      assert.match(text, new RegExp(`^\\*\\*EKS refuses ${from} → ${to}`, "m"));
      assert.match(text, advice);
      assert.equal(fails(diff), true);
      assert.deepEqual(
        diff.stacks.flatMap((stack) => ("problem" in stack ? [] : stack.comparison.upgrades[0]?.effects)),
        [],
      );
    });

  it("is none if the cluster is replaced, its version stays, or either is not stated", () => {
    const unstated = plan(resource("eks:index:Cluster", "cluster", { name: "dev" }));
    for (const [base, head] of [
      [cluster("1.34"), cluster("1.36", { name: "other" })],
      [cluster("1.35"), cluster("1.35", { coredns: "v1.13.2-eksbuild.40" })],
      [unstated, cluster("1.36")],
    ] as const) {
      const diff = diffOf(base, head);
      assert.equal(fails(diff), false);
      assert.doesNotMatch(markdownOf(diff), /refuses|an upgrade|a rollback/);
    }
  });

  it("reads a cluster of the provider aws too", () => {
    const type = "aws:eks/cluster:Cluster";
    assert.match(markdownOf(diffOf(cluster("1.35", { type }), cluster("1.36", { type }))), /is an upgrade\*\*/);
  });
});
