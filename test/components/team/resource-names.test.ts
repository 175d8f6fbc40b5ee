import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { SettingsError } from "../../../components/schema/errors.ts";
import { isObject } from "../../../components/schema/values.ts";
import { parseSettings } from "../../../components/settings.ts";
import { nameIssues, prefixesOf, teamOfPrefix } from "../../../components/team/resource-names.ts";
import { TeamsSettings } from "../../../components/team/settings.ts";
import { keepingMoved, type MovedNamespace, Team } from "../../../components/team/team.ts";
import { record } from "../../../lab/plan/plan.ts";
import { existingClusterHandle } from "../../support/cluster-handle.ts";

const role = (name: string, account = "123456789012") => `arn:aws:iam::${account}:role/${name}`;
const policy = (name: string, account = "123456789012") => `arn:aws:iam::${account}:policy/${name}`;

/** What is said of teams, a line each. */
function saidOf(teams: readonly object[], cluster: object = {}): string[] {
  const config = {
    "aws:region": "eu-central-1",
    "eks-dns-logging:cluster": JSON.stringify({ kind: "eks", ...cluster }),
    "eks-dns-logging:teams": JSON.stringify(teams),
  };
  try {
    parseSettings(config);
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    const lines = error.message.split("\n").slice(1);
    return lines.map((line) => line.trim());
  }
  return [];
}

describe("the names of a team's resources", () => {
  const refused = (path: string, name: string, other: string, value: string) =>
    `${path}: must be different, since ${other} already gives a resource the name ${name} (found "${value}")`;

  it("must be unique among namespaces", () => {
    const api = { name: "shop", namespaces: [{ name: "api" }] };
    const one = ["teams[0].namespaces[0].name", "teams[1].name", "shop-api-namespace"] as const;
    assert.deepEqual(saidOf([api, { name: "shop-api" }]), [refused(one[1], one[2], one[0], "shop-api")]);
    const adopted = { name: "shop", namespaces: [{ name: "api", adopt: true }] };
    assert.deepEqual(saidOf([adopted, { name: "shop-api" }]), [refused(one[1], one[2], one[0], "shop-api")]);
    assert.deepEqual(
      saidOf([
        { name: "shop", namespaces: [{ name: "api-prod" }] },
        { name: "shop-api", namespaces: [{ name: "prod" }] },
      ]),
      [refused("teams[1].namespaces[0].name", "shop-api-prod-namespace", one[0], "prod")],
    );
    assert.deepEqual(saidOf([api, { name: "shop-web" }, { name: "shop-ap", namespaces: [{ name: "i" }] }]), []);
  });

  it("must be unique among service accounts, policies and roles", () => {
    const identity = { policyArns: [policy("a/orders"), policy("b/orders")] };
    assert.deepEqual(saidOf([{ name: "pay", podIdentity: identity }]), [
      refused(
        "teams[0].podIdentity.policyArns[1]",
        "pay-pods-orders",
        "teams[0].podIdentity.policyArns[0]",
        policy("b/orders"),
      ),
    ]);
    const account = { serviceAccount: "x-workload", policyArns: [policy("orders")] };
    assert.deepEqual(saidOf([{ name: "pay", podIdentity: account }, { name: "pay-x" }]), [
      refused("teams[1].name", "pay-x-workload", "teams[0].podIdentity.serviceAccount", "pay-x"),
    ]);
    assert.deepEqual(saidOf([{ name: "a", memberRoles: [role("x/y"), role("x-y"), role("x-y", "210987654321")] }]), [
      refused("teams[0].memberRoles[1]", "a-x-y", "teams[0].memberRoles[0]", role("x-y")),
      refused("teams[0].memberRoles[2]", "a-x-y", "teams[0].memberRoles[0]", role("x-y", "210987654321")),
    ]);
    assert.deepEqual(
      saidOf([
        { name: "a", memberRoles: [role("b-c")] },
        { name: "a-b", memberRoles: [role("c")] },
      ]),
      [refused("teams[1].memberRoles[0]", "a-b-c", "teams[0].memberRoles[0]", role("c"))],
    );
    assert.deepEqual(saidOf([{ name: "a", memberRoles: [role("x"), role("x")] }]), [
      `teams[0].memberRoles[1]: must be unique (found "${role("x")}")`,
    ]);
  });

  it("are rejected exactly if the plan has two of one URN", async () => {
    const name = fc.constantFrom("a", "b", "a-b", "b-a", "a-pods-b", "workload");
    const anyTeam = fc.record({
      name: name.filter((one) => one !== "workload"),
      namespaces: fc.option(
        fc.uniqueArray(fc.record({ name, adopt: fc.boolean() }), {
          minLength: 1,
          maxLength: 2,
          selector: (one) => one.name,
        }),
        { nil: undefined },
      ),
      memberRoles: fc.uniqueArray(
        fc.constantFrom("b", "b/a", "b-a", "a").map((one) => role(one)),
        { maxLength: 2 },
      ),
      podIdentity: fc.option(
        fc.record({
          serviceAccount: fc.constantFrom("workload", "b-workload", "b"),
          policyArns: fc.array(
            fc.constantFrom("a", "x/a", "b-pods-a").map((one) => policy(one)),
            { minLength: 1, maxLength: 2 },
          ),
        }),
        { nil: undefined },
      ),
    });
    const anyTeams = fc.uniqueArray(anyTeam, { minLength: 1, maxLength: 3, selector: (team) => team.name });
    const outcomes = new Set<boolean>();
    await fc.assert(
      fc.asyncProperty(anyTeams, async (given) => {
        const { success, data } = TeamsSettings.safeParse(given);
        fc.pre(success);
        const teams = data ?? [];
        const host = { clusterName: "prod", region: "eu-central-1", partition: "aws", tags: {} };
        const shared = await record({ stack: "test", config: {} }, async () => {
          const cluster = existingClusterHandle({ podIdentity: host, access: host });
          for (const team of teams) new Team(team.name, { ...team, cluster, curlPod: false });
        }).then(
          () => false,
          (error: Error) => /two resources have the URN/.test(error.message),
        );
        outcomes.add(shared);
        assert.equal(nameIssues(teams).length > 0, shared);
      }),
      { numRuns: 60 },
    );
    assert.equal(outcomes.size, 2);
  });
});

describe("the roles of members", () => {
  const end =
    "since EKS allows one access entry per principal: an entry in cluster.accessEntries can have the groups of several teams";

  it("have one access entry each, from a team or the cluster", () => {
    const teams = [
      { name: "ts", memberRoles: [role("dev")] },
      { name: "sa", memberRoles: [role("ops"), role("dev")] },
    ];
    const found = `(found "${role("dev")}")`;
    assert.deepEqual(saidOf(teams), [
      `teams[1].memberRoles[1]: must differ from teams[0].memberRoles[0], ${end} ${found}`,
    ]);
    const entry = (name: string) => ({ principalArn: role(name), groups: ["devs"] });
    const opened = { accessEntries: [entry("admin"), entry("dev")] };
    const message = `must differ from cluster.accessEntries[1].principalArn, ${end} ${found}`;
    const lines = [`teams[0].memberRoles[0]: ${message}`, `teams[1].memberRoles[1]: ${message}`];
    assert.deepEqual(saidOf(teams, opened), lines);
    assert.deepEqual(saidOf(teams, { ...opened, kind: "eks-existing", name: "prod" }), lines);
    assert.deepEqual(saidOf(teams.slice(0, 1), { accessEntries: [entry("ops")] }), []);
  });
});

type Aliases = pulumi.ResourceOptions["aliases"];

/** The provider's own aliases are other API versions of a type, with the same name. */
function namesIn(aliases: Aliases): unknown[] {
  const list = Array.isArray(aliases) ? aliases : [];
  return list.flatMap((alias: unknown) => (isObject(alias) && alias.name !== undefined ? [alias.name] : []));
}

/** The names under which the engine also looks for a resource of a team. */
async function formerNames(team: string, namespaces: readonly MovedNamespace[], name: string): Promise<unknown[]> {
  let found: unknown[] = [];
  await record({ stack: "local", config: {} }, async () => {
    const resource = new pulumi.ComponentResource("test:index:Nothing", "nothing");
    const result = keepingMoved(team, namespaces)({ resource, type: "test", name, props: {}, opts: {} });
    found = namesIn(result?.opts.aliases);
  });
  return found;
}

describe("a namespace that moves to another team", () => {
  const PAYMENTS = { name: "payments", wasTeam: "pay" };

  it("keeps its resources by aliases to their former names", async () => {
    assert.deepEqual(await formerNames("shop", [PAYMENTS], "shop-payments-allow-dns"), ["pay-payments-allow-dns"]);
    assert.deepEqual(await formerNames("shop", [{ name: "payments" }], "shop-payments-allow-dns"), []);
    assert.deepEqual(await formerNames("shop", [PAYMENTS], "shop-paymentsx-allow-dns"), []);
  });

  it("may have been the default one, whose resources only have the team's name", async () => {
    const own = { name: "pay-team", wasTeam: "pay" };
    assert.deepEqual(await formerNames("shop", [own], "shop-pay-team-quota"), ["pay-pay-team-quota", "pay-quota"]);
    assert.deepEqual(await formerNames("pay", [own], "pay-pay-team-quota"), ["pay-pay-team-quota", "pay-quota"]);
  });

  it("is distinguished from one whose name starts with its own", async () => {
    const both = [PAYMENTS, { name: "payments-jobs" }];
    assert.deepEqual(await formerNames("shop", both, "shop-payments-jobs-namespace"), []);
    assert.deepEqual(await formerNames("shop", both, "shop-payments-namespace"), ["pay-payments-namespace"]);
  });

  it("has aliases only for its own policies, quota, limits, role and account", async () => {
    const former = new Map<string, unknown[]>();
    await record({ stack: "local", config: {} }, async () => {
      const transformation: pulumi.ResourceTransformation = ({ name, opts }) => {
        former.set(name, namesIn(opts.aliases));
        return undefined;
      };
      const args = { cluster: existingClusterHandle(), namespaces: [PAYMENTS, { name: "web" }] };
      new Team("shop", args, { transformations: [transformation] });
    });
    const [moved, others] = [[...former].filter(([, names]) => names.length > 0), former.get("shop-web-namespace")];
    assert.deepEqual(others, []);
    assert.deepEqual(
      moved.map(([name, names]) => [name, ...names]).sort(),
      ["allow-dns", "allow-peers", "default-deny", "limits", "member", "namespace", "quota", "workload"].map((rest) => [
        `shop-payments-${rest}`,
        `pay-payments-${rest}`,
      ]),
    );
  });

  it("is validated before it is looked up", async () => {
    const make = (given: object) =>
      record({ stack: "local", config: {} }, async () => {
        new Team("shop", { cluster: existingClusterHandle(), ...given });
      });
    await assert.rejects(make({ namespaces: "payments" }), /namespaces: must be/);
    await assert.rejects(
      make({ namespaces: [{ name: "payments", wasTeam: "Pay" }] }),
      /namespaces\[0\]\.wasTeam: must be/,
    );
  });

  it("has a team, derived from the names of its resources", () => {
    assert.deepEqual(prefixesOf("pay", "payments"), ["pay-payments"]);
    assert.equal(teamOfPrefix("pay-payments", "payments"), "pay");
    assert.equal(teamOfPrefix("pay", "pay-team"), "pay");
    assert.equal(teamOfPrefix("logs", "logging"), undefined);
  });
});
