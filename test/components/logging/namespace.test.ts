import assert from "node:assert/strict";
import { formatIssue, SettingsError } from "../../../components/schema/errors.ts";
import { parseSettings } from "../../../components/settings.ts";
import { planOnce } from "../../support/plans.ts";
import { configOf, type Kind } from "../monitoring/stacks.ts";

const OTHER = "observability";
const MONITORING = { kind: "prometheus-operator" };

async function planned(kind: Kind, sections: Readonly<Record<string, unknown>>) {
  const { resources } = await planOnce({ name: "namespaced", config: configOf(kind, sections) });
  return resources.map(({ type, name, inputs }) => ({ type, name, text: JSON.stringify(inputs) }));
}

/** What is in the namespace, or leads to something in it. */
const NAMESPACED = [
  "logs-fluent-bit-account",
  "logs-fluent-bit-binding",
  "logs-fluent-bit-config",
  "logs-fluent-bit-daemonset",
  "logs-fluent-bit-events-account",
  "logs-fluent-bit-events-binding",
  "logs-fluent-bit-events-config",
  "logs-fluent-bit-events-statefulset",
  "logs-opensearch-dashboards",
  "logs-opensearch-dashboards-service",
  "logs-opensearch-node",
  "logs-opensearch-service",
  "logs-opensearch-template",
  "monitoring-canary-daemonset",
  "monitoring-canary-network",
  "monitoring-dashboard",
  "monitoring-fluent-bit",
  "monitoring-fluent-bit-events",
  "monitoring-fluent-bit-events-scrapers",
  "monitoring-fluent-bit-scrapers",
  "monitoring-rules",
];

/** Texts that place something in a namespace, or select one. */
const placedIn = (namespace: string) =>
  new RegExp(
    [
      `\\\\?"namespace\\\\?":\\\\?"${namespace}\\\\?"`,
      `metadata\\.name":"${namespace}"`,
      `\\.${namespace}\\.svc`,
      `/pods/${namespace}_`,
      `namespace=\\\\+"${namespace}\\\\+"`,
      `"Namespace":"${namespace}"`,
      `matchNames":\\["${namespace}"`,
    ].join("|"),
  );

describe("logging.namespace", () => {
  it("is the namespace of everything around the collectors", async () => {
    const logging = {
      namespace: OTHER,
      sources: ["pods", "events"],
      destination: { kind: "opensearch", inCluster: true },
    };
    const resources = await planned("existing", { logging, monitoring: MONITORING });
    const inDefault = resources.filter(({ text }) => placedIn("logging").test(text));
    assert.deepEqual(
      inDefault.map(({ name }) => name),
      [],
    );
    const inOther = resources.filter(({ text }) => placedIn(OTHER).test(text)).map(({ name }) => name);
    assert.deepEqual(inOther.toSorted(), NAMESPACED);
    const namespace = resources.find(({ name }) => name === "logs-namespace") ?? assert.fail();
    assert.match(namespace.text, /"name":"observability"/);
  });

  it("is where the collector gets its AWS identity, and which alarms watch", async () => {
    const logging = { namespace: OTHER, destination: { kind: "cloudwatch" } };
    const resources = await planned("eks", { logging, monitoring: { kind: "cloudwatch" } });
    const identity = resources.find(({ type }) => type === "aws:eks/podIdentityAssociation:PodIdentityAssociation");
    assert.match(identity?.text ?? "", /"namespace":"observability"/);
    assert.deepEqual(
      resources.filter(({ text }) => placedIn("logging").test(text)).map(({ name }) => name),
      [],
    );
    const alarm = resources.find(({ name }) => name.endsWith("CollectorMissingOnNode")) ?? assert.fail();
    assert.match(alarm.text, /"Namespace":"observability","PodName":"fluent-bit"/);
  });

  it("must be one that the stack can create for the collectors alone", () => {
    const told = (sections: Readonly<Record<string, unknown>>) => {
      try {
        return parseSettings(configOf("existing", sections)).warnings.map(formatIssue);
      } catch (error) {
        assert.ok(error instanceof SettingsError, String(error));
        return error.issues.map(formatIssue);
      }
    };
    for (const [namespace, wanted] of [
      ["kube-logs", /^logging\.namespace: must not be default, nor start with kube-, which Kubernetes reserves/],
      ["default", /^logging\.namespace: must not be default, nor start with kube-/],
      ["Logs", /^logging\.namespace: must be the name of a namespace/],
      ["ts-team", /^logging\.namespace: must not be the namespace of team ts \(found "ts-team"\)$/],
    ] as const)
      assert.match(told({ logging: { namespace } }).join("\n"), wanted, namespace);
    const team = { name: "ops", namespaces: [{ name: OTHER }] };
    assert.deepEqual(told({ logging: { namespace: OTHER }, teams: [team], curlPods: false }), [
      'teams[0].namespaces[0].name: must be another namespace, since the log collector runs in this one (found "observability")',
    ]);
    assert.deepEqual(told({ logging: { namespace: "canary" }, monitoring: MONITORING }), [
      "monitoring.canary.enabled: must be false while logging.namespace is canary (found true)",
    ]);
    assert.deepEqual(told({ logging: { namespace: OTHER, namespaces: { include: [OTHER] } } }), [
      'logging.namespaces.include[0]: must not be the collector\'s own namespace, which is never read (found "observability")',
    ]);
  });
});
