import assert from "node:assert/strict";
import { runLab } from "../../support/run-lab.ts";

describe("lab upgrade, as a command", () => {
  it("plans the stack dev from the version before, and ends with 0", async () => {
    const { exitCode, stdout, stderr } = await runLab(["upgrade", "--from", "1.35", "--to", "1.36", "--json"]);
    assert.equal(exitCode, 0, stderr);
    const plan: { from: string; to: string; blockers: unknown[]; coredns: { to: string; isChecked: boolean } } =
      JSON.parse(stdout);
    assert.deepEqual([plan.from, plan.to, plan.blockers], ["1.35", "1.36", []]);
    assert.deepEqual([plan.coredns.to, plan.coredns.isChecked], ["v1.14.3-eksbuild.23", true]);
  });

  for (const [args, message] of [
    [
      "--from 1.34 --to 1.36",
      /^EKS refuses 1\.34 → 1\.36, since it upgrades one minor version at a time: upgrade to 1\.35 first$/,
    ],
    [
      "--to 1.35",
      /^1\.36 → 1\.35 is a rollback, which EKS only does within 7 days .* at the end of `npm run lab -- upgrade --from 1\.35 --to 1\.36`$/,
    ],
    ["--to 1.34", /^EKS refuses 1\.36 → 1\.34, since it rolls back one minor version only: create a new cluster$/],
    ["--to 1.36", /^the cluster is at 1\.36 already/],
    [
      "--from 1.32",
      /^a stack takes Kubernetes 1\.34 to 1\.36, .*: upgrade to 1\.33 outside the stack, with aws eks update-cluster-version --name eks-dns-logging-dev --kubernetes-version 1\.33$/,
    ],
    ["--from 1.98 --to 1.99", /^Kubernetes 1\.99 is not among the versions known on /],
    ["--from 1.35 --to newest", /^"newest" is not a Kubernetes version/],
    ["--stack local", /^stack 'local' is not on EKS/],
  ] as const)
    it(`refuses in one sentence: ${args}`, async () => {
      const { exitCode, stdout, stderr } = await runLab(["upgrade", ...args.split(" ")]);
      assert.equal(exitCode, 2);
      assert.equal(stdout, "");
      assert.match(stderr.trim(), message);
    });
});
