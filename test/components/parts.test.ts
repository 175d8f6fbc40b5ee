import assert from "node:assert/strict";
import { formatIssue } from "../../components/schema/errors.ts";
import { parseSettings } from "../../components/settings.ts";
import { comparePlans } from "../../lab/diff/comparison.ts";
import { PlanDocument } from "../../lab/diff/document.ts";
import type { Recording } from "../../lab/plan/recording.ts";
import { asJson } from "../../lab/plan/recording.ts";
import { allChecks, checkInputOf } from "../../lab/verify/catalog.ts";
import { COMBINATIONS, type Config, KINDS, onlyParts, PART_NAMES, type Part } from "../support/parts.ts";
import { planOnce } from "../support/plans.ts";

/** Which resources and rows of `verify` are a part's own. */
const OWN = {
  dns: { resources: /:CoreDns$|^coredns-/, rows: /^(restarts:)?coredns$/ },
  logging: { resources: /^logs/, rows: /^(collector|(restarts|state|backlog):fluent-bit)\b/ },
  teams: { resources: /^(ts|sa)($|-(?!curl))/, rows: /:(ts|sa)\b/ },
  curlPods: { resources: /^(ts|sa)-curl/, rows: /:(ts|sa)\b/ },
} as const;

const configOf = (kind: keyof typeof KINDS, present: readonly Part[]) => onlyParts(KINDS[kind], present);

const planned = (stack: string, recording: Recording) =>
  PlanDocument.parse(JSON.parse(JSON.stringify(asJson(stack, recording))));

for (const kind of ["eks", "eks-existing", "existing"] as const) {
  describe(`the parts of a stack on kind ${kind}`, function () {
    this.timeout(20_000);
    let full: PlanDocument;
    let rows: readonly string[];
    before(async () => {
      const config = configOf(kind, PART_NAMES);
      full = planned("parts", await planOnce({ name: "parts", config }));
      rows = allChecks(checkInputOf("parts", parseSettings(config), 60)).map(({ id }) => id);
    });

    for (const present of COMBINATIONS) {
      const absent = PART_NAMES.filter((part) => !present.includes(part));
      const left = (name: string) => absent.some((part) => OWN[part].resources.test(name));
      it(`plans ${present.join(", ")}`, async () => {
        const config = configOf(kind, present);
        const partial = planned("parts", await planOnce({ name: "parts", config }));
        const { changes } = comparePlans(full, partial);
        // A curl pod goes with its team.
        const gone = full.resources.filter(
          ({ name }) => left(name) || (!present.includes("teams") && /^(ts|sa)-/.test(name)),
        );
        const dnsGone = absent.includes("dns") ? full.resources.filter(({ name }) => name === "coredns") : [];
        const expected = new Set([...gone, ...dnsGone].filter(({ custom }) => custom).map(({ urn }) => urn));
        const custom = new Set(full.resources.filter((one) => one.custom).map(({ urn }) => urn));
        const deleted = changes.filter((change) => change.kind === "deleted" && custom.has(change.urn));
        assert.deepEqual(new Set(deleted.map(({ urn }) => urn)), expected);
        const others = changes.filter((change) => change.kind !== "deleted");
        assert.deepEqual(
          others.map(({ kind, name }) => `${kind} ${name}`),
          [],
        );
      });

      it(`verifies ${present.join(", ")} by the rows of these parts`, () => {
        const checks = allChecks(checkInputOf("parts", parseSettings(configOf(kind, present)), 60)).map(({ id }) => id);
        const expected = rows.filter((row) => !absent.some((part) => OWN[part].rows.test(row)));
        // Without pods that try things, what keeps the namespaces, and the collector's own pods, are looked at.
        const hasPods = present.includes("teams") && present.includes("curlPods");
        const guarded = !hasPods && present.includes("teams") ? ["namespace:ts-team", "namespace:sa-team"] : [];
        const collector = !hasPods && present.includes("logging") ? ["collector"] : [];
        const [dns, others] = [true, false].map((own) => expected.filter((row) => OWN.dns.rows.test(row) === own));
        assert.deepEqual(checks, [...(dns ?? []), ...guarded, ...collector, ...(others ?? [])]);
        assert.equal(checks.length === 0, present.join() === "curlPods");
      });
    }
  });
}

describe("parts that do not go together", () => {
  it("refuses a sidecar where there is no curl pod", () => {
    const nobody: readonly Config[] = [{ "eks-dns-logging:curlPods": "false" }, { "eks-dns-logging:teams": "[]" }];
    for (const none of nobody)
      assert.throws(
        () => parseSettings({ ...KINDS.existing, "eks-dns-logging:logging": '{"mode":"sidecar"}', ...none }),
        /logging\.mode: must be daemonset without curl pods, since sidecars only run in those \(found "sidecar"\)/,
      );
  });

  it("refuses a team's namespace that the collector or Kubernetes itself has", () => {
    const withNamespace =
      (name: string, more: Config = {}) =>
      () =>
        parseSettings({
          ...KINDS.existing,
          "eks-dns-logging:teams": JSON.stringify([{ name: "pay", namespaces: [{ name, adopt: true }] }]),
          ...more,
        });
    const path = "teams\\[0\\]\\.namespaces\\[0\\]\\.name";
    assert.throws(
      withNamespace("logging"),
      new RegExp(`${path}: must be another namespace, since the log collector runs in this one \\(found "logging"\\)`),
    );
    assert.doesNotThrow(withNamespace("logging", { "eks-dns-logging:logging": "false" }));
    for (const name of ["kube-system", "kube-node-lease"])
      assert.throws(withNamespace(name), new RegExp(`${path}: must not start with kube-, .* \\(found "${name}"\\)`));
    assert.doesNotThrow(withNamespace("kubeflow"));
  });

  it("warns of settings of the curl pod that nobody has", () => {
    const settings = parseSettings({
      ...KINDS.existing,
      "eks-dns-logging:curlPods": "false",
      "eks-dns-logging:curlPod": '{"ndots":4}',
    });
    assert.deepEqual(
      settings.warnings.map(({ path }) => path.join(".")),
      ["curlPod"],
    );
  });

  it("warns that a new cluster without CoreDNS resolves no names", () => {
    const warnings = (cluster: object) =>
      parseSettings({
        "aws:region": "eu-central-1",
        "eks-dns-logging:cluster": JSON.stringify(cluster),
        "eks-dns-logging:dns": "false",
      }).warnings.map(formatIssue);
    assert.deepEqual(warnings({ kind: "eks" }), [
      "dns: false leaves a new cluster without CoreDNS: pods resolve no names until it is installed",
    ]);
    assert.deepEqual(warnings({ kind: "eks-existing", name: "prod" }), []);
  });

  it("checks dns as far as it can where only AWS knows the cluster's version", () => {
    const parse = (cluster: Config, dns: unknown) =>
      parseSettings({
        "aws:region": "eu-central-1",
        "eks-dns-logging:cluster": JSON.stringify({ kind: "eks-existing", name: "prod", ...cluster }),
        "eks-dns-logging:dns": JSON.stringify(dns),
        "eks-dns-logging:logging": "false",
      });
    for (const dns of [{}, { addonVersion: "v1.13.2-eksbuild.31" }, false, { adopt: {} }])
      assert.deepEqual(parse({}, dns).warnings, [], JSON.stringify(dns));
    const refused: readonly [unknown, RegExp][] = [
      [{ timeouts: { create: "5m" } }, /dns\.timeouts\.create: must be at least 20m/],
      [{ corefile: { options: { clusterDomain: "corp.local" } } }, /clusterDomain: must be cluster\.local/],
      [{ addonVersion: "v1.11.1-eksbuild.8", autoscaling: {} }, /dns\.autoscaling: must not be set, since v1\.11\.1/],
    ];
    for (const [dns, message] of refused) {
      assert.throws(() => parse({}, dns), message);
      assert.throws(() => parse({ kubernetesVersion: "1.35" }, dns), message);
    }
    // No add-on is installed there.
    assert.doesNotThrow(() => parse({ compute: "auto" }, { timeouts: { create: "5m" } }));
  });
});
