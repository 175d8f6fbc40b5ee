import assert from "node:assert/strict";
import { parseSettings } from "../../../components/settings.ts";
import { deletedNamespaces, movedNamespaces } from "../../../lab/deploy/stack-namespaces.ts";
import { readDeployment } from "../../../lab/deploy/state.ts";
import { planStack } from "../../../lab/plan/plan.ts";

type Config = Readonly<Record<string, string>>;
const key = (section: string) => `eks-dns-logging:${section}`;
const BASE: Config = { [key("cluster")]: '{"kind":"existing"}' };
const FULL: Config = {
  ...BASE,
  [key("teams")]: '[{"name":"ts"},{"name":"pay","namespaces":[{"name":"pay-api"},{"name":"pay-jobs"}]}]',
  [key("monitoring")]: '{"kind":"annotations"}',
};

describe("the namespaces that lab up deletes", () => {
  /** What goes where a stack was deployed with one configuration, and is brought up to date with another. */
  async function deleted(before: Config, after: Config): Promise<string[]> {
    const { resources } = await planStack({ name: "local", config: before });
    const state = readDeployment({ resources: resources.map(({ urn, type, inputs }) => ({ urn, type, inputs })) });
    return deletedNamespaces(state, parseSettings(after)).sort();
  }

  it("are none if the settings stay the same, or if the stack is not deployed", async () => {
    assert.deepEqual(await deleted(FULL, FULL), []);
    assert.deepEqual(deletedNamespaces(readDeployment(undefined), parseSettings(FULL)), []);
  });

  it("are those of a removed team, of one removed namespace, and of a removed part", async () => {
    assert.deepEqual(await deleted(FULL, { ...FULL, [key("teams")]: '[{"name":"ts"}]' }), ["pay-api", "pay-jobs"]);
    const fewer = '[{"name":"ts"},{"name":"pay","namespaces":[{"name":"pay-api"}]}]';
    assert.deepEqual(await deleted(FULL, { ...FULL, [key("teams")]: fewer }), ["pay-jobs"]);
    assert.deepEqual(await deleted(FULL, { ...FULL, [key("logging")]: "false" }), ["logging"]);
    assert.deepEqual(await deleted(FULL, { ...FULL, [key("monitoring")]: '{"kind":"none"}' }), ["canary"]);
  });

  it("include namespaces that become adopted now, but not those that already were", async () => {
    const adopted = { ...FULL, [key("teams")]: '[{"name":"ts","namespaces":[{"name":"ts-team","adopt":true}]}]' };
    assert.deepEqual(await deleted({ ...FULL, [key("teams")]: '[{"name":"ts"}]' }, adopted), ["ts-team"]);
    assert.deepEqual(await deleted(adopted, { ...FULL, [key("teams")]: "[]" }), []);
  });
});

describe("the namespaces that lab up would create a second time", () => {
  async function moved(before: string, after: string | Config): Promise<string[]> {
    const { resources } = await planStack({ name: "local", config: { ...BASE, [key("teams")]: before } });
    const state = readDeployment({ resources: resources.map(({ urn, type, inputs }) => ({ urn, type, inputs })) });
    const changed = typeof after === "string" ? { [key("teams")]: after } : after;
    return movedNamespaces(state, parseSettings({ ...BASE, ...changed }));
  }
  const because = (name: string, team: string) =>
    `must not be a namespace that this stack created for team ${team}, since Pulumi would create it a second time: write { name: ${name}, wasTeam: ${team} } under namespaces to keep what is in it`;

  it("are those that move to another team, or that a team names differently", async () => {
    const before = '[{"name":"ts"},{"name":"pay","namespaces":[{"name":"api"},{"name":"sa-team"}]}]';
    const after =
      '[{"name":"ts","namespaces":[{"name":"ts-team"},{"name":"new"}]},{"name":"qa","namespaces":[{"name":"api"}]},{"name":"sa"}]';
    assert.deepEqual(await moved(before, after), [
      `teams[0].namespaces[0].name: ${because("ts-team", "ts")} (found "ts-team")`,
      `teams[1].namespaces[0].name: ${because("api", "pay")} (found "api")`,
      `teams[2].name: ${because("sa-team", "pay")} (found "sa")`,
    ]);
    const kept =
      '[{"name":"ts","namespaces":[{"name":"ts-team","wasTeam":"ts"}]},{"name":"qa","namespaces":[{"name":"api","wasTeam":"pay"}]}]';
    assert.deepEqual(await moved(before, kept), []);
    // Once it has moved, too.
    assert.deepEqual(await moved(kept, kept), []);
    const wrong = '[{"name":"qa","namespaces":[{"name":"api","wasTeam":"ts"}]}]';
    assert.deepEqual(await moved(before, wrong), [
      `teams[0].namespaces[0].name: ${because("api", "pay")} (found "api")`,
    ]);
  });

  it("are none, but conflict, if they were adopted for another team", async () => {
    const adopted = (team: string, more = {}) =>
      JSON.stringify([{ name: team, namespaces: [{ name: "old", adopt: true, ...more }] }]);
    assert.deepEqual(await moved(adopted("pay"), adopted("qa")), [
      'teams[0].namespaces[0].name: must not be a namespace that this stack adopted for team pay, since its labels conflict with those of that team: write { name: old, adopt: true, wasTeam: pay } under namespaces to keep what is in it (found "old")',
    ]);
    assert.deepEqual(await moved(adopted("pay"), adopted("qa", { wasTeam: "pay" })), []);
    assert.deepEqual(await moved(adopted("pay"), adopted("pay")), []);
    assert.deepEqual(await moved(adopted("pay"), adopted("pay", { adopt: false })), [
      "teams[0].namespaces[0].adopt: must stay true for a namespace that this stack adopted, since Pulumi cannot create what exists (found false)",
    ]);
  });

  it("are those of a removed part, which belong to no team", async () => {
    const after = { [key("teams")]: '[{"name":"qa","namespaces":[{"name":"logging"}]}]', [key("logging")]: "false" };
    assert.deepEqual(await moved("[]", after), [
      'teams[0].namespaces[0].name: must not be a namespace that this stack created by another setting, since Pulumi would create it a second time: to move it, run the command once without it, which deletes it with everything in it (found "logging")',
    ]);
  });

  it("are those that it would adopt and then delete", async () => {
    assert.deepEqual(await moved('[{"name":"ts"}]', '[{"name":"ts","namespaces":[{"name":"ts-team","adopt":true}]}]'), [
      'teams[0].namespaces[0].adopt: must not be set for a namespace that this stack created, since that deletes it with everything in it (found "ts-team")',
    ]);
  });

  it("are none if the teams stay, are removed, or adopt a namespace that is not the stack's", async () => {
    const teams = '[{"name":"ts"},{"name":"pay","namespaces":[{"name":"api"},{"name":"old","adopt":true}]}]';
    assert.deepEqual(await moved(teams, teams), []);
    assert.deepEqual(await moved(teams, "[]"), []);
    assert.deepEqual(await moved(teams, '[{"name":"qa","namespaces":[{"name":"theirs","adopt":true}]}]'), []);
  });
});
