import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { PROJECT_ROOT } from "../../lab/command-line.ts";
import { policyReport } from "../../lab/plan/policy-report.ts";
import type { Recording } from "../../lab/plan/recording.ts";
import { readStack, readStackFile } from "../../lab/stack-file.ts";
import { OWN_POLICIES } from "../../policies/core/pack-config.ts";
import { planOnce } from "../support/plans.ts";
import { ON_ITS_DAY } from "./as-of.ts";
import { type Given, runPack, UNKNOWN_TEXT } from "./engine-run.ts";

/**
 * What Pulumi's engine 3.270 showed the pack in the first preview of each stack in November 2026, by `tools/record-preview.ts`: with the
 * component of @pulumi/eks 4.3.0 and @pulumi/kubernetes 4.34.2, and an AWS provider that knows no output before a deployment.
 */
const STACKS = {
  dev: () => readStack("dev"),
  local: () => readStack("local"),
  "eks-existing": () => readStackFile("existing", join(PROJECT_ROOT, "examples/existing-eks/Pulumi.prod.yaml")),
};

const RECORDED = z.object({
  urn: z.string(),
  type: z.string(),
  name: z.string(),
  props: z.record(z.string(), z.unknown()),
  provider: z.record(z.string(), z.unknown()),
  dependsOn: z.array(z.string()),
  propertyDependencies: z.record(z.string(), z.array(z.string())),
  secrets: z.array(z.string()),
});

/** A resource as the engine showed it. No provider has told anything of it at the end of the preview. */
async function recorded(stack: string) {
  const text = await readFile(new URL(`recorded/${stack}.jsonl`, import.meta.url), "utf8");
  const resources = text
    .trim()
    .split("\n")
    .map((line) => ({ ...RECORDED.parse(JSON.parse(line)), outputs: {} }));
  return resources.filter(({ type }) => type !== "pulumi:pulumi:Stack");
}

/** Changes the cluster that @pulumi/eks makes. */
function withCluster(resources: readonly Given[], change: (cluster: Given) => Partial<Given>): Given[] {
  return resources.map((one) => (one.type === "aws:eks/cluster:Cluster" ? { ...one, ...change(one) } : one));
}

const judged = (given: readonly Given[]) => runPack(given, ON_ITS_DAY);

describe("the first preview of this repository's stacks, by the policy pack", () => {
  for (const [stack, read] of Object.entries(STACKS))
    describe(stack, () => {
      let plan: Recording;
      let given: Given[];
      before(async () => {
        plan = await planOnce(await read());
        given = await recorded(stack);
      });

      it("violates no rule, leaves none undecided and has a plan's exemptions", async () => {
        const said = await judged(given);
        assert.deepEqual(
          said.filter(([policy]) => policy !== OWN_POLICIES.exemptions),
          [],
        );
        const exempt = policyReport(plan, ON_ITS_DAY).findings.map(({ rule, message }) => `${rule}: ${message}`);
        assert.deepEqual(said.map(([, message]) => message).sort(), exempt.sort());
      });

      it("is recorded with every type of resource that a plan has", () => {
        const shown = new Set(given.map(({ type }) => type));
        const missing = plan.resources.map(({ type }) => type).filter((type) => !shown.has(type));
        assert.deepEqual(missing, [], "record the preview again by tools/record-preview.ts");
      });

      it("has a plan's URNs", () => {
        const urns = new Map(given.map(({ type, name, urn }) => [`${type}::${name}`, urn]));
        const both = plan.resources.filter(({ type, name }) => urns.has(`${type}::${name}`));
        assert.ok(both.length > 15, String(both.length));
        for (const { type, name, urn } of both) assert.equal(urn, urns.get(`${type}::${name}`));
      });
    });

  it("shows the cluster of @pulumi/eks with a completely unknown encryption", async () => {
    const cluster = (await recorded("dev")).find(({ type }) => type === "aws:eks/cluster:Cluster");
    assert.equal(cluster?.props.encryptionConfig, UNKNOWN_TEXT);
    assert.deepEqual(Object.keys(cluster.propertyDependencies).sort(), ["encryptionConfig", "roleArn", "vpcConfig"]);
  });

  it("leaves that encryption undecided if it depends on no key", async () => {
    const said = await judged(withCluster(await recorded("dev"), () => ({ propertyDependencies: {}, dependsOn: [] })));
    const open = said.filter(([policy]) => policy === OWN_POLICIES.undecided).map(([, message]) => message);
    assert.equal(open.length, 1, open.join("\n"));
    assert.match(open[0] ?? "", /^cluster-secrets-encrypted: Cluster\/cluster-eksCluster: encryptionConfig/);
  });

  it("has the same issue in the engine as in a plan", async () => {
    const open = { endpointPublicAccess: true, publicAccessCidrs: ["0.0.0.0/0"] };
    const said = await judged(
      withCluster(await recorded("dev"), ({ props }) => ({ props: { ...props, vpcConfig: open } })),
    );
    assert.ok(said.some(([policy]) => policy === "cluster-endpoint-restricted"));
  });
});
