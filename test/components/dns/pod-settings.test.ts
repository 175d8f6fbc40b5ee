import assert from "node:assert/strict";
import { DnsSettings } from "../../../components/dns/settings.ts";
import { issuesIn } from "../../support/issues.ts";

const OPERATORS = "must be one of In, NotIn, Exists, DoesNotExist, Gt, Lt";

/** An affinity that requires a node of one term. */
function requires(term: unknown): unknown {
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } };
}

/** The issues of an affinity, without the path to the only term. */
function issuesOfTerm(term: unknown): string[] {
  const path = "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].";
  return issuesIn(DnsSettings, { affinity: requires(term) }).map((issue) => issue.replace(path, ""));
}

describe("the placement of CoreDNS's pods", () => {
  const wrongTerms: readonly (readonly [term: unknown, issue: string])[] = [
    [
      { matchExpressions: [{ key: "a", operator: "Equals", values: ["b"] }] },
      `matchExpressions[0].operator: ${OPERATORS}`,
    ],
    [
      { matchExpressions: [{ key: "a", operator: "In" }] },
      "matchExpressions[0].values: must have a value with operator In",
    ],
    [
      { matchExpressions: [{ key: "a", operator: "NotIn", values: [] }] },
      "matchExpressions[0].values: must have a value with operator NotIn",
    ],
    [
      { matchExpressions: [{ key: "a", operator: "Lt", values: ["1", "2"] }] },
      "matchExpressions[0].values: must be one quoted integer with operator Lt",
    ],
    [
      { matchExpressions: [{ key: "a", operator: "Exists", values: ["b"] }] },
      "matchExpressions[0].values: must be empty with operator Exists",
    ],
    [
      { matchExpressions: [{ key: "a", operator: "Gt", values: ["x"] }] },
      "matchExpressions[0].values: must be one quoted integer with operator Gt",
    ],
    [
      { matchExpressions: [{ key: "a b", operator: "Exists" }] },
      "matchExpressions[0].key: must be a label key, such as app or app.kubernetes.io/name",
    ],
    [
      { matchExpressions: [{ key: "a", operator: "In", values: [true] }] },
      "matchExpressions[0].values[0]: must be a quoted string",
    ],
    ...["In", "NotIn"].map((operator): readonly [unknown, string] => [
      { matchExpressions: [{ key: "a", operator, values: ["b", "core dns"] }] },
      "matchExpressions[0].values: must be label values: up to 63 letters, digits, '-', '_' and '.'",
    ]),
    [{ matchLabels: { a: "b" } }, "matchLabels: unknown key, must be one of matchExpressions, matchFields"],
    [
      { matchFields: [{ key: "metadata.name", operator: "In", values: ["a", "b"] }] },
      "matchFields[0].values: must be the name of one node",
    ],
  ];
  for (const [term, issue] of wrongTerms) {
    it(`is refused for a node with ${JSON.stringify(term)}`, () => assert.deepEqual(issuesOfTerm(term), [issue]));
  }

  const term = { labelSelector: { matchLabels: { "k8s-app": "kube-dns" } }, topologyKey: "kubernetes.io/hostname" };
  const preferred = "affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]";
  const wrong: readonly (readonly [settings: unknown, issue: string])[] = [
    [
      { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } } },
      "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: must have at least 1 item",
    ],
    [
      { affinity: { nodeAffinities: {} } },
      "affinity.nodeAffinities: unknown key, must be one of nodeAffinity, podAffinity, podAntiAffinity",
    ],
    [
      {
        affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ podAffinityTerm: term }] } },
      },
      `${preferred}.weight: must be an integer from 1 to 100, but is not set`,
    ],
    [
      {
        affinity: {
          podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 0, podAffinityTerm: term }] },
        },
      },
      `${preferred}.weight: must be an integer from 1 to 100`,
    ],
    [
      { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "" }] } } },
      "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: must be a label key, such as app or app.kubernetes.io/name",
    ],
    [
      { tolerations: [{ key: "my key", operator: "Exists" }] },
      "tolerations[0].key: must be a label key, such as dedicated",
    ],
    [
      { tolerations: [{ key: "dedicated", value: "core dns", effect: "NoSchedule" }] },
      "tolerations[0].value: must be a quoted string of up to 63 letters, digits, '-', '_' and '.'",
    ],
    [
      { topologySpread: [{ topologyKey: "zone of node" }] },
      "topologySpread[0].topologyKey: must be a label key, such as app or app.kubernetes.io/name",
    ],
    [
      { topologySpread: [{ maxSkew: 1 }, { maxSkew: 2 }] },
      "topologySpread[1]: must differ from the other constraints in topologyKey or whenUnsatisfiable, or Kubernetes refuses the pods",
    ],
    [
      { podLabels: { "k8s-app": "my-dns" } },
      "podLabels.k8s-app: must be kube-dns, by which the Deployment of CoreDNS selects its pods",
    ],
    [
      { podLabels: { "eks.amazonaws.com/component": "dns" } },
      'podLabels["eks.amazonaws.com/component"]: must be coredns, by which the Deployment of CoreDNS selects its pods',
    ],
    [
      { adopt: { deployment: "dns", selector: { app: "dns" } }, podLabels: { app: "other" } },
      "podLabels.app: must be dns, by which the Deployment of CoreDNS selects its pods",
    ],
  ];
  for (const [settings, issue] of wrong) {
    it(`is refused with ${JSON.stringify(settings)}`, () => assert.deepEqual(issuesIn(DnsSettings, settings), [issue]));
  }

  const right: readonly unknown[] = [
    { affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } } },
    { affinity: { nodeAffinity: null, podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } },
    { affinity: requires({ matchExpressions: [{ key: "a.example/cores", operator: "Gt", values: ["4"] }] }) },
    { affinity: requires({ matchFields: [{ key: "metadata.name", operator: "NotIn", values: ["a"] }] }) },
    {
      tolerations: [
        { key: "", operator: "Exists" },
        { key: "CriticalAddonsOnly", operator: "Exists" },
      ],
    },
    { topologySpread: [{}, { topologyKey: "kubernetes.io/hostname" }, { whenUnsatisfiable: "DoNotSchedule" }] },
    { podLabels: { "k8s-app": "kube-dns", tier: "dns" } },
    { adopt: { deployment: "dns", selector: { app: "dns" } }, podLabels: { "k8s-app": "other" } },
  ];
  for (const settings of right) {
    it(`is taken with ${JSON.stringify(settings)}`, () => assert.deepEqual(issuesIn(DnsSettings, settings), []));
  }
});
