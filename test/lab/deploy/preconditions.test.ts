import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { KubeConfig } from "@kubernetes/client-node";
import { parseSettings } from "../../../components/settings.ts";
import { endingNamespaces } from "../../../lab/deploy/deployment.ts";
import { missingKinds, missingNamespaces, takenNamespaces } from "../../../lab/deploy/preconditions.ts";
import { readDeployment } from "../../../lab/deploy/state.ts";
import { ClusterError } from "../../../lab/kubernetes/cluster.ts";
import { listen } from "../../support/listen.ts";
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
      'teams[0].name: must lead to a namespace that does not exist yet (found "ts-team"): write { name: ts-team, adopt: true } under namespaces to take it over, or delete it',
      'teams[1].name: must lead to a namespace that does not exist yet (found "sa-team"): another stack of this project has created it, or this one with a state that is gone: remove it there, or delete it',
      'logging: must lead to a namespace that does not exist yet (found "logging"): delete it, or leave this part out',
    ]);
  });

  it("must not be ending, whether it creates or adopts them", async () => {
    const namespaces = [{ name: "ending" }, { name: "open", adopt: true }, { name: "secret" }];
    const teams = [
      { name: "qa", namespaces },
      { name: "qb", namespaces: [{ name: "new" }] },
    ];
    assert.deepEqual(await taken({ teams, logging: false }), [
      'teams[0].namespaces[0].name: must lead to a namespace that is not being deleted (found "ending"): wait until it is gone',
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
    assert.deepEqual(await endingNamespaces(config, made), [
      "Namespace stuck is still being deleted: configmaps. has 1 resource instances; example.com/stuck in 1 resource instances",
      "Namespace ending is still being deleted: the cluster does not say what keeps it",
    ]);
  });
});
