import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { isObject } from "../../../components/schema/values.ts";
import {
  keepingMoved,
  type MovedNamespace,
  prefixesOf,
  teamOfPrefix,
} from "../../../components/team/moved-namespaces.ts";
import { Team } from "../../../components/team/team.ts";
import { record } from "../../../lab/plan/plan.ts";
import { existingClusterHandle } from "../../support/cluster-handle.ts";

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
