import assert from "node:assert/strict";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../lab/command-line.ts";
import { planStack } from "../../lab/plan/plan.ts";
import { policyReport, stops } from "../../lab/plan/policy-report.ts";
import { readStackFile } from "../../lab/stack-file.ts";
import { find, ofType } from "../support/find.ts";

describe("examples/existing-eks", () => {
  it("plans CoreDNS and log collection on the cluster that is there, and no cluster", async () => {
    const stack = await readStackFile("prod", join(PROJECT_ROOT, "examples/existing-eks/Pulumi.prod.yaml"));
    const plan = await planStack(stack);
    assert.equal(stops(policyReport(plan)), false);
    const types = new Set(plan.resources.map(({ type }) => type.split(":").slice(0, 2).join(":")));
    assert.ok(!types.has("eks:index") && !types.has("aws:ec2/vpc"), [...types].join());
    const { inputs } = find(plan.resources, "aws:eks/addon:Addon", "coredns-addon");
    assert.deepEqual([inputs.clusterName, inputs.addonVersion, inputs.preserve], ["prod", "v1.14.3-eksbuild.23", true]);
    find(plan.resources, "aws:cloudwatch/logGroup:LogGroup", "logs-group");
    assert.deepEqual(ofType(plan.resources, "kubernetes:networking.k8s.io/v1:NetworkPolicy"), []);
  });
});
