import assert from "node:assert/strict";
import { parseSettings } from "../../../components/settings.ts";
import { deletedNamespaces, missingNamespaces } from "../../../lab/deploy/stack-namespaces.ts";
import { readDeployment } from "../../../lab/deploy/state.ts";
import { ClusterError } from "../../../lab/kubernetes/cluster.ts";
import { planStack } from "../../../lab/plan/plan.ts";
import { notFound } from "../verify/fake-cluster.ts";

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

  it("are none where the settings stay, and none of a stack that stands nowhere", async () => {
    assert.deepEqual(await deleted(FULL, FULL), []);
    assert.deepEqual(deletedNamespaces(readDeployment(undefined), parseSettings(FULL)), []);
  });

  it("are those of a team, of one of its namespaces and of a part that is taken out", async () => {
    assert.deepEqual(await deleted(FULL, { ...FULL, [key("teams")]: '[{"name":"ts"}]' }), ["pay-api", "pay-jobs"]);
    const fewer = '[{"name":"ts"},{"name":"pay","namespaces":[{"name":"pay-api"}]}]';
    assert.deepEqual(await deleted(FULL, { ...FULL, [key("teams")]: fewer }), ["pay-jobs"]);
    assert.deepEqual(await deleted(FULL, { ...FULL, [key("logging")]: "false" }), ["logging"]);
    assert.deepEqual(await deleted(FULL, { ...FULL, [key("monitoring")]: '{"kind":"none"}' }), ["canary"]);
  });

  it("are those that are only taken over from now on, but not those that already were", async () => {
    const adopted = { ...FULL, [key("teams")]: '[{"name":"ts","namespaces":[{"name":"ts-team","adopt":true}]}]' };
    assert.deepEqual(await deleted({ ...FULL, [key("teams")]: '[{"name":"ts"}]' }, adopted), ["ts-team"]);
    assert.deepEqual(await deleted(adopted, { ...FULL, [key("teams")]: "[]" }), []);
  });
});

describe("the namespaces that must be there before lab up", () => {
  const missing = (config: Config, there: readonly string[]) =>
    missingNamespaces(
      {
        namespaceLabels: async (name) => {
          if (name === "secret") throw new ClusterError("forbidden", "may not get it");
          if (!there.includes(name)) throw notFound(`namespaces "${name}"`);
          return {};
        },
      },
      parseSettings(config),
    );
  const adopted = '[{"name":"pay","namespaces":[{"name":"payments","adopt":true},{"name":"pay-new"}]}]';

  it("are that of Prometheus and those that are adopted, all told together", async () => {
    const config = { ...FULL, [key("teams")]: adopted };
    assert.deepEqual(await missing(config, []), [
      'teams[0].namespaces[0].name: must be a namespace that exists (found "payments")',
      'monitoring.prometheus.namespace: must be a namespace that exists (found "monitoring")',
    ]);
    assert.deepEqual(await missing(config, ["payments", "monitoring"]), []);
  });

  it("are none that the stack creates, needs not, or may not ask for", async () => {
    const prometheusIn = (namespace: string) => JSON.stringify({ kind: "annotations", prometheus: { namespace } });
    assert.deepEqual(await missing({ ...FULL, [key("monitoring")]: prometheusIn("logging") }, []), []);
    assert.deepEqual(await missing({ ...FULL, [key("monitoring")]: prometheusIn("secret") }, []), []);
    assert.deepEqual(await missing({ ...FULL, [key("monitoring")]: '{"kind":"none"}' }, []), []);
  });
});
