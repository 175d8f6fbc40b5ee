import assert from "node:assert/strict";
import { type Planned, planStack, type Recording, UNKNOWN } from "../../lab/plan/plan.ts";
import { policyReport } from "../../lab/plan/policy-report.ts";
import { readStack } from "../../lab/stack-file.ts";
import { OWN_POLICIES } from "../../policies/core/pack-config.ts";
import { ON_ITS_DAY } from "./as-of.ts";
import { type Given, runPack, UNKNOWN_TEXT } from "./engine-run.ts";

const COMPONENT = "eks:index:Cluster";

/** JSON as the engine sends it. */
function sent(value: Planned | undefined): unknown {
  if (value === UNKNOWN) return UNKNOWN_TEXT;
  if (Array.isArray(value)) return value.map(sent);
  return typeof value === "object" && value !== null ? sentGroup(value) : value;
}

function sentGroup(group: object): object {
  return Object.fromEntries(Object.entries(group).map(([key, value]) => [key, sent(value)]));
}

/** The cluster that @pulumi/eks makes of its component's inputs. See createCluster in its nodejs/eks/cluster/cluster.ts. */
function madeOf(inputs: Readonly<Record<string, Planned>>): object {
  const { endpointPublicAccess, endpointPrivateAccess, publicAccessCidrs, authenticationMode } = inputs;
  return {
    vpcConfig: {
      endpointPrivateAccess,
      endpointPublicAccess,
      publicAccessCidrs,
      securityGroupIds: [UNKNOWN],
      subnetIds: UNKNOWN,
    },
    version: inputs.version,
    enabledClusterLogTypes: inputs.enabledClusterLogTypes,
    tags: inputs.tags,
    encryptionConfig:
      inputs.encryptionConfigKeyArn === UNKNOWN
        ? UNKNOWN
        : { provider: { keyArn: inputs.encryptionConfigKeyArn }, resources: ["secrets"] },
    accessConfig: { authenticationMode, bootstrapClusterCreatorAdminPermissions: true },
    upgradePolicy: inputs.upgradePolicy,
    deletionProtection: inputs.deletionProtection,
  };
}

/** What the engine shows of a planned stack: of a remote component nothing, and then what that makes. */
function asGiven({ resources }: Recording): Given[] {
  const inputs = new Map(resources.map((one) => [one.urn, one.inputs]));
  return resources.flatMap((one): Given[] => {
    const provider = sentGroup(inputs.get(one.provider.slice(0, Math.max(0, one.provider.lastIndexOf("::")))) ?? {});
    const given = { urn: one.urn, type: one.type, name: one.name, provider, dependsOn: one.dependencies, outputs: {} };
    if (one.type !== COMPONENT) return [{ ...given, props: sentGroup(one.inputs) }];
    const child = { type: "aws:eks/cluster:Cluster", urn: `${one.urn}$aws:eks/cluster:Cluster::${one.name}` };
    return [
      { ...given, props: {} },
      { ...given, ...child, props: sentGroup(madeOf(one.inputs)) },
    ];
  });
}

describe("the stacks of this repository, by the policy pack in the engine", () => {
  for (const stack of ["dev", "local"])
    it(`break no rule, leave none open and are exempt as in a plan: ${stack}`, async () => {
      const plan = await planStack(await readStack(stack));
      const said = await runPack(asGiven(plan), ON_ITS_DAY);
      assert.deepEqual(
        said.filter(([policy]) => policy !== OWN_POLICIES.exemptions),
        [],
      );
      const exempt = policyReport(plan, ON_ITS_DAY).findings.map(({ rule, message }) => `${rule}: ${message}`);
      assert.deepEqual(said.map(([, message]) => message).sort(), exempt.sort());
    });

  it("show an issue to the engine as to a plan", async () => {
    const plan = await planStack(await readStack("dev"));
    const resources = plan.resources.map((one) =>
      one.type === COMPONENT ? { ...one, inputs: { ...one.inputs, publicAccessCidrs: ["0.0.0.0/0"] } } : one,
    );
    const violated = (await runPack(asGiven({ ...plan, resources }))).map(([policy]) => policy);
    assert.ok(violated.includes("cluster-endpoint-restricted"));
  });
});
