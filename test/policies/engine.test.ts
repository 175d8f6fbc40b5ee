import assert from "node:assert/strict";
import { OWN_POLICIES } from "../../policies/core/pack-config.ts";
import { policiesOf } from "../../policies/engine/policies.ts";
import { RULES } from "../../policies/pack.ts";
import { type Given, runPack, type Said, UNKNOWN_TEXT, urnOf } from "./engine-run.ts";

const namespace = (enforce: string): Given => ({
  type: "kubernetes:core/v1:Namespace",
  name: "logs-namespace",
  props: {
    metadata: {
      name: "logging",
      labels: Object.fromEntries(
        ["enforce", "audit", "warn"].map((way) => [`pod-security.kubernetes.io/${way}`, enforce]),
      ),
    },
  },
});
const CONTROL_PLANE: Given = {
  type: "aws:eks/cluster:Cluster",
  name: "main",
  props: {
    version: "1.35",
    upgradePolicy: { supportType: "STANDARD" },
    accessConfig: { authenticationMode: "API" },
    enabledClusterLogTypes: ["audit", "authenticator"],
    encryptionConfig: { provider: { keyArn: UNKNOWN_TEXT }, resources: ["secrets"] },
    vpcConfig: { endpointPublicAccess: true, publicAccessCidrs: ["0.0.0.0/0"], subnetIds: [UNKNOWN_TEXT] },
    tags: { project: "shop", environment: "dev" },
  },
};

describe("the policy pack in the engine", () => {
  const rulesIn = (said: readonly Said[]) => [...new Set(said.map(([rule]) => rule))].sort();

  it("has a policy for each rule that works in the engine, and three of its own", () => {
    const policies = policiesOf(RULES, []);
    const inPlanOnly = RULES.filter((rule) => "planOnly" in rule && rule.planOnly).map(({ id }) => id);
    assert.deepEqual(
      policies.map(({ name }) => name),
      [
        OWN_POLICIES.secrets,
        ...RULES.map(({ id }) => id).filter((id) => !inPlanOnly.includes(id)),
        OWN_POLICIES.undecided,
        OWN_POLICIES.exemptions,
      ],
    );
    for (const { name, configSchema, description, enforcementLevel } of policies) {
      assert.ok(description.length > 10, name);
      assert.ok(["mandatory", "advisory", "remediate"].includes(enforcementLevel ?? ""), name);
      for (const schema of Object.values(configSchema?.properties ?? {})) assert.ok(schema.description, name);
    }
  });

  it("applies the stack's tags to its cluster", async () => {
    const tags = new Map([["Environment", "production"]]);
    const said = await runPack([CONTROL_PLANE], {}, "shop", tags);
    assert.deepEqual(
      said.filter(([rule]) => rule === "cluster-deletion-protection").map(([, message]) => message),
      [
        "Cluster/main: deletionProtection is not set, on a cluster that is tagged as production. Fix: set deletionProtection: true",
      ],
    );
  });

  it("finds an issue beside unknown values", async () => {
    const said = await runPack([CONTROL_PLANE]);
    assert.deepEqual(
      said.filter(([rule]) => rule === "cluster-endpoint-restricted").map(([, message, urn]) => [message, urn]),
      [
        [
          'Cluster/main: vpcConfig.publicAccessCidrs[0] is "0.0.0.0/0", which opens the endpoint to the world. Fix: set endpointPublicAccess: false, or list the addresses that need it in publicAccessCidrs',
          urnOf(CONTROL_PLANE.type, "main"),
        ],
      ],
    );
  });

  it("ignores the component of @pulumi/eks, which has no inputs in the engine", async () => {
    const said = await runPack([{ type: "eks:index:Cluster", name: "cluster", props: {} }]);
    assert.deepEqual(said, []);
  });

  it("lists a mandatory rule that is undecided", async () => {
    const { vpcConfig, ...others }: { vpcConfig?: object } = CONTROL_PLANE.props;
    const props = { ...others, vpcConfig: { ...vpcConfig, publicAccessCidrs: [UNKNOWN_TEXT] } };
    const said = await runPack([{ ...CONTROL_PLANE, props }]);
    const open = said.filter(([rule]) => rule === OWN_POLICIES.undecided).map(([, message]) => message);
    assert.ok(
      open.some((message) =>
        /^cluster-endpoint-restricted: Cluster\/main: vpcConfig\.publicAccessCidrs\[0\] is known only/.test(message),
      ),
      open.join("\n"),
    );
  });

  it("lists no undecided advisory rule, and accepts null", async () => {
    const props = { cidrBlock: UNKNOWN_TEXT, tags: UNKNOWN_TEXT, tagsAll: null };
    assert.deepEqual(await runPack([{ type: "aws:ec2/vpc:Vpc", name: "main", props }]), []);
  });

  it("rejects exemptions without resource and reason", () => {
    for (const { name, configSchema } of policiesOf(RULES, [])) {
      if (Object.values<string>(OWN_POLICIES).includes(name)) continue;
      const items = configSchema?.properties.exempt?.items;
      assert.ok(typeof items === "object" && !Array.isArray(items), name);
      assert.deepEqual(items.required, ["resource", "reason"], name);
    }
  });

  it("accepts options by their former names, which have no default", () => {
    const properties = Object.assign({}, ...policiesOf(RULES, []).map(({ configSchema }) => configSchema?.properties));
    for (const [former, name] of [
      ["leastRetries", "minRetries"],
      ["longestDays", "maxDays"],
      ["shortestPrefix", "minPrefixLength"],
    ] as const) {
      const { default: byDefault, ...schema } = properties[name];
      assert.equal(typeof byDefault, "number");
      assert.deepEqual(properties[former], { ...schema, description: `Deprecated name of ${name}` });
    }
  });

  it("reads a resource's inputs at the end of a preview if the provider has no outputs yet", async () => {
    const said = await runPack([
      { type: "kubernetes:core/v1:Namespace", name: "ts", props: { metadata: { name: "ts-team" } }, outputs: {} },
    ]);
    assert.ok(said.some(([rule, message]) => rule === "tenancy-quota" && message.includes("Namespace/ts-team")));
  });

  it("exempts only this project's collector, and lists that", async () => {
    const own = (component: string): Given => {
      const one = namespace("privileged");
      return { ...one, urn: urnOf(`eks-dns-logging:${component}$${one.type}`, one.name, "eks-dns-logging") };
    };
    const here = await runPack([own("logging:LogCollection")], {}, "eks-dns-logging");
    assert.deepEqual(rulesIn(here), [OWN_POLICIES.exemptions]);
    assert.match(here[0]?.[1] ?? "", /^tenancy-pod-security: Namespace\/logging: .* Allowed: the log collector reads/);
    // Of a team that is called "logs".
    assert.deepEqual(rulesIn(await runPack([own("team:Team")], {}, "eks-dns-logging")), ["tenancy-pod-security"]);
    const elsewhere = await runPack([namespace("privileged")]);
    assert.deepEqual(rulesIn(elsewhere), ["tenancy-pod-security"]);
  });

  it("reports an exemption whose rule had nothing to check", async () => {
    const exempt = [{ resource: "LogGroup/pods", reason: "a trial" }];
    const said = await runPack([namespace("restricted")], { "aws-log-retention": { exempt } });
    assert.deepEqual(
      said.map(([, message]) => message),
      ["exemption of LogGroup/pods from aws-log-retention has no effect; remove it"],
    );
  });

  it("reads exemptions and settings from its configuration, and reports those without effect", async () => {
    const exempt = [{ resource: "Namespace/logging", reason: "a trial" }];
    const allowed = await runPack([namespace("privileged")], { "tenancy-pod-security": { exempt } });
    assert.deepEqual(rulesIn(allowed), [OWN_POLICIES.exemptions]);
    assert.match(allowed[0]?.[1] ?? "", /Allowed: a trial$/);

    const idle = await runPack([namespace("restricted")], { "tenancy-pod-security": { exempt } });
    assert.deepEqual(
      idle.map(([rule, message]) => [rule, message]),
      [[OWN_POLICIES.exemptions, "exemption of Namespace/logging from tenancy-pod-security has no effect; remove it"]],
    );
  });

  it("shows no secret value", async () => {
    const addon = (secrets: readonly string[]): Given => ({
      type: "aws:eks/addon:Addon",
      name: "coredns",
      props: {
        addonName: "coredns",
        addonVersion: "v1.13.2-eksbuild.31",
        configurationValues: JSON.stringify({ replicaCount: 1, tolerations: "hunter2" }),
        resolveConflictsOnCreate: "OVERWRITE",
        resolveConflictsOnUpdate: "OVERWRITE",
      },
      secrets,
    });
    const open = (await runPack([addon([])])).map(([, message]) => message).join("\n");
    assert.match(open, /hunter2/);
    const hidden = await runPack([addon(["configurationValues"])]);
    assert.ok(hidden.some(([rule]) => rule === "coredns-replicas"));
    for (const [rule, message] of hidden) assert.doesNotMatch(message, /hunter2|replicaCount is/, rule);
  });

  it("shows no value where a level for all policies turns off the one that knows secrets, and says so", async () => {
    const said = await runPack([CONTROL_PLANE], {}, "shop", undefined, undefined, true);
    assert.deepEqual(
      said.filter(([rule]) => rule === "cluster-endpoint-restricted").map(([, message]) => message.split(". ")[0]),
      [
        "Cluster/main: vpcConfig.publicAccessCidrs[0] (secret, value not shown) does not comply: The public API endpoint is disabled or limited to known addresses",
      ],
    );
    assert.deepEqual(
      said.filter(([rule]) => rule === OWN_POLICIES.exemptions).map(([, message]) => message),
      [
        "secret-values: enforcementLevel must be remediate, even if `all` sets another level, or findings show no values",
      ],
    );
    assert.deepEqual(await runPack([namespace("restricted")], {}, "shop", undefined, undefined, true), []);
  });

  it("runs few policies after the first resource, whatever the number of rules", async () => {
    const namespaces = Array.from({ length: 50 }, (_, index) => ({ ...namespace("restricted"), name: `n${index}` }));
    let calls: readonly string[] = [];
    await runPack(namespaces, {}, "shop", undefined, (all) => {
      calls = all;
    });
    // Every rule once for its configuration, then one a resource, and three at the end: one for all rules on the stack, two lists.
    assert.ok(calls.length <= RULES.length + namespaces.length + 3, `${calls.length} calls`);
  });

  it("accepts a completely unknown encryption if it depends on a KMS key", async () => {
    const cluster = { ...CONTROL_PLANE, props: { ...CONTROL_PLANE.props, encryptionConfig: UNKNOWN_TEXT } };
    const key: Given = {
      type: "aws:kms/key:Key",
      name: "secrets",
      props: { enableKeyRotation: true, tags: UNKNOWN_TEXT },
    };
    const open = (said: readonly Said[]) =>
      said.filter(([, message]) => message.startsWith("cluster-secrets-encrypted")).map(([rule]) => rule);
    assert.deepEqual(open(await runPack([cluster])), [OWN_POLICIES.undecided]);
    const from = { ...cluster, dependsOn: ["secrets"], propertyDependencies: { encryptionConfig: ["secrets"] } };
    assert.deepEqual(open(await runPack([key, from])), []);
  });

  it("does not take a namespace for default if it depends on one with an unknown name", async () => {
    const given = (propertyDependencies: Given["propertyDependencies"]): Given[] => [
      { ...namespace("restricted"), props: { metadata: {} } },
      {
        type: "kubernetes:core/v1:ConfigMap",
        name: "c",
        props: { metadata: { namespace: "default" } },
        propertyDependencies,
      },
    ];
    const rule = "tenancy-no-default-namespace";
    assert.ok(!rulesIn(await runPack(given({ metadata: ["logs-namespace"] }))).includes(rule));
    assert.ok(rulesIn(await runPack(given({}))).includes(rule));
  });
});
