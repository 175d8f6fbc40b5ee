import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { KubeConfig } from "@kubernetes/client-node";
import { parseSettings } from "../../../components/settings.ts";
import { stuckNamespaces } from "../../../lab/deploy/deployment.ts";
import {
  deletedNamespaces,
  missingKinds,
  missingNamespaces,
  movedNamespaces,
  takenNamespaces,
} from "../../../lab/deploy/preconditions.ts";
import { readDeployment } from "../../../lab/deploy/state.ts";
import { ClusterError } from "../../../lab/kubernetes/cluster.ts";
import { listen } from "../../support/listen.ts";
import { planOnce } from "../../support/plans.ts";
import { localSettings } from "../drill/fake-lab.ts";
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
    const { resources } = await planOnce({ name: "local", config: before });
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
    const { resources } = await planOnce({ name: "local", config: { ...BASE, [key("teams")]: before } });
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

  it("are that of Prometheus and all adopted ones, reported together", async () => {
    const config = { ...FULL, [key("teams")]: adopted };
    assert.deepEqual(await missing(config, []), [
      'teams[0].namespaces[0].name: must be a namespace that exists (found "payments")',
      'monitoring.prometheus.namespace: must be a namespace that exists (found "monitoring")',
    ]);
    assert.deepEqual(await missing(config, ["payments", "monitoring"]), []);
  });

  it("are that of a CoreDNS that is patched, or gets a Service for its metrics", async () => {
    const of = (adopt: object, kind: string) =>
      missing({ ...FULL, [key("dns")]: JSON.stringify({ adopt }), [key("monitoring")]: JSON.stringify({ kind }) }, [
        "kube-system",
        "monitoring",
      ]);
    const wrong = ['dns.adopt.namespace: must be a namespace that exists (found "dns")'];
    assert.deepEqual(await of({ namespace: "dns" }, "none"), wrong);
    assert.deepEqual(await of({ namespace: "dns", manage: false }, "annotations"), wrong);
    assert.deepEqual(await of({ namespace: "dns", manage: false }, "prometheus-operator"), []);
    assert.deepEqual(await of({}, "annotations"), []);
  });

  it("are none that the stack creates, needs not, or may not ask for", async () => {
    const prometheusIn = (namespace: string) => JSON.stringify({ kind: "annotations", prometheus: { namespace } });
    assert.deepEqual(await missing({ ...FULL, [key("monitoring")]: prometheusIn("logging") }, []), []);
    assert.deepEqual(await missing({ ...FULL, [key("monitoring")]: prometheusIn("secret") }, []), []);
    assert.deepEqual(await missing({ ...FULL, [key("monitoring")]: '{"kind":"none"}' }, []), []);
  });
});

describe("the kinds that must be there before lab up", () => {
  const missing = (kind: string, there: () => Promise<string[]>) =>
    missingKinds(
      { kinds: there },
      parseSettings({
        "eks-dns-logging:cluster": '{"kind":"existing"}',
        "eks-dns-logging:monitoring": JSON.stringify({ kind }),
      }),
    );
  const fails = (kind: "not-found" | "forbidden") => async () => {
    throw new ClusterError(kind, "no");
  };

  it("are those of Prometheus Operator, each named if it is missing", async () => {
    assert.deepEqual(await missing("prometheus-operator", async () => ["PodMonitor", "PrometheusRule"]), []);
    assert.deepEqual(await missing("prometheus-operator", async () => ["PodMonitor", "ServiceMonitor"]), [
      'monitoring.kind: must be annotations or none until the cluster has PrometheusRule (monitoring.coreos.com/v1), which Prometheus Operator\'s CustomResourceDefinitions add (found "prometheus-operator")',
    ]);
    assert.match(
      (await missing("prometheus-operator", fails("not-found"))).join(),
      /has PodMonitor and PrometheusRule /,
    );
  });

  it("are none if no objects use them, or the user may not list them", async () => {
    assert.deepEqual(await missing("annotations", fails("not-found")), []);
    assert.deepEqual(await missing("none", fails("not-found")), []);
    assert.deepEqual(await missing("prometheus-operator", fails("forbidden")), []);
  });
});

/** A cluster with namespaces, each with its metadata; one may not ask for `secret`. */
describe("namespaces that an update needs", () => {
  const there: Record<string, object> = {
    "ts-team": {},
    "sa-team": { labels: { "app.kubernetes.io/part-of": "eks-dns-logging" } },
    logging: { labels: { team: "platform" } },
    ending: { deletionTimestamp: "2026-11-30T12:00:00Z" },
    open: {},
    stuck: { deletionTimestamp: "2026-11-30T12:00:00Z" },
  };
  const conditions = [
    { type: "NamespaceDeletionContentFailure", status: "False", message: "All content successfully deleted" },
    { type: "NamespaceContentRemaining", status: "True", message: "configmaps. has 1 resource instances" },
    { type: "NamespaceFinalizersRemaining", status: "True", message: "example.com/stuck in 1 resource instances" },
  ];
  let server: Server;
  const config = new KubeConfig();

  before(async () => {
    server = createServer(({ url = "" }, response) => {
      const name = url.split("/").at(-1) ?? "";
      const metadata = there[name];
      const status = name === "secret" ? 403 : metadata === undefined ? 404 : 200;
      response.writeHead(status, { "content-type": "application/json" });
      response.end(
        JSON.stringify(
          status === 200
            ? { kind: "Namespace", metadata: { ...metadata, name }, status: name === "stuck" ? { conditions } : {} }
            : { code: status },
        ),
      );
    });
    const url = `http://127.0.0.1:${await listen(server)}`;
    config.loadFromClusterAndUser({ name: "c", server: url, skipTLSVerify: true }, { name: "u" });
  });
  after(() => server.close());

  const taken = (settings: Parameters<typeof localSettings>[0], deployment: object = {}) =>
    takenNamespaces(config, readDeployment(deployment), localSettings(settings));

  it("must not exist where it creates them, and the way out depends on who made them", async () => {
    assert.deepEqual(await taken({ teams: [{ name: "ts" }, { name: "sa" }] }), [
      'teams[0].name: must use a namespace that does not exist yet (found "ts-team"): write { name: ts-team, adopt: true } under namespaces to take it over, or delete it',
      'teams[1].name: must use a namespace that does not exist yet (found "sa-team"): another stack of this project created it, or this stack did and its state is lost: remove it there, or delete it',
      'logging.namespace: must use a namespace that does not exist yet (found "logging"): set another name',
    ]);
  });

  it("must not be ending, whether it creates or adopts them", async () => {
    const namespaces = [{ name: "ending" }, { name: "open", adopt: true }, { name: "secret" }];
    const teams = [
      { name: "qa", namespaces },
      { name: "qb", namespaces: [{ name: "new" }] },
    ];
    assert.deepEqual(await taken({ teams, logging: false }), [
      'teams[0].namespaces[0].name: must use a namespace that is not being deleted (found "ending"): wait until it is gone',
    ]);
  });

  it("may exist where the stack has created them", async () => {
    const inputs = { apiVersion: "v1", kind: "Namespace", metadata: { name: "ts-team" } };
    const resource = { urn: "urn:pulumi:local::p::kubernetes:core/v1:Namespace::ts-namespace", inputs };
    const deployment = { resources: [{ ...resource, type: "kubernetes:core/v1:Namespace", id: "ts-team" }] };
    assert.deepEqual(await taken({ teams: [{ name: "ts" }], logging: false }, deployment), []);
  });

  it("are named with what keeps them, where they do not end", async () => {
    const made = ["open", "stuck", "ending", "gone"].map((name) => ({
      urn: `urn:pulumi:local::p::kubernetes:core/v1:Namespace::${name}`,
      header: { apiVersion: "v1", kind: "Namespace", metadata: { name } },
    }));
    assert.deepEqual(await stuckNamespaces(config, made), [
      "Namespace stuck is still being deleted: configmaps. has 1 resource instances; example.com/stuck in 1 resource instances",
      "Namespace ending is still being deleted: the cluster does not say what keeps it",
    ]);
  });
});
