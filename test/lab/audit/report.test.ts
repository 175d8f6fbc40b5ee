import assert from "node:assert/strict";
import {
  type AuditReport,
  audit,
  auditJson,
  auditMarkdown,
  auditTable,
  sarifOf,
  subjectOf,
} from "../../../lab/audit/audit.ts";
import { kubernetesObject } from "../../../lab/audit/kubernetes-object.ts";
import project from "../../../package.json" with { type: "json" };
import { live, SOUND_POD } from "./fixtures.ts";

function reportOf(names: readonly string[], exempt: readonly string[] = []): AuditReport {
  const spec = { ...SOUND_POD, hostPID: true };
  const objects = names.flatMap(
    (name) => kubernetesObject(live("v1", "Pod", name, { spec }), { file: "pods/a b.yaml", line: 7 }) ?? [],
  );
  const config = {
    "pods-no-host-namespaces": { exempt: exempt.map((name) => ({ resource: `Pod/payments/${name}`, reason: "old" })) },
  };
  return { title: "manifests pods", notes: ["x | y"], ...audit(subjectOf(objects, { live: false }), config) };
}

describe("the report of an audit", () => {
  it("is a table with the place, the problem and each fix once", () => {
    const text = auditTable(reportOf(["a", "b"]));
    const lines = text.split("\n").filter((line) => line.includes("pods-no-host-namespaces"));
    assert.equal(lines.length, 3, text);
    assert.match(lines[0] ?? "", /mandatory.*Pod\/payments\/a \(pods\/a b\.yaml:7\) +spec\.hostPID is true/);
    assert.match(lines[2] ?? "", /remove hostNetwork, hostPID and hostIPC/);
    assert.match(text, /manifests pods: 2 mandatory, 0 advisory, 0 exempt in 2 objects \(\d+ rules\)\n$/);
  });

  it("names the fix of each object if the rule has one per kind", () => {
    const metadata = { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } };
    const template = { metadata: { labels: { "k8s-app": "kube-dns" } }, spec: SOUND_POD };
    const coredns = live("apps/v1", "Deployment", "coredns", { spec: { replicas: 1, template } }, metadata);
    const objects = kubernetesObject(coredns) ?? assert.fail("is an object");
    const text = auditTable({
      title: "manifests dns",
      notes: [],
      ...audit(subjectOf([objects], { live: false })),
    });
    assert.deepEqual(
      text.split("\n").filter((line) => /^coredns-replicas /.test(line)),
      ["coredns-replicas  set spec.replicas: 2, or more"],
    );
  });

  it("is one JSON document with counts", () => {
    const { summary, findings } = auditJson(reportOf(["a", "b"], ["b"]));
    assert.deepEqual(summary, { mandatory: 1, advisory: 0, exempt: 1 });
    assert.deepEqual(
      findings.map(({ resource, outcome }) => `${resource} ${outcome}`),
      ["Pod/payments/a violated", "Pod/payments/b exempt"],
    );
  });

  it("is SARIF with a rule, a place and a stable fingerprint for each result", () => {
    const [run] = sarifOf(reportOf(["a", "b"], ["b"])).runs;
    assert.ok(run);
    const [first, second] = run.results;
    assert.equal(run.results.length, 2);
    assert.ok(first && second);
    assert.equal(run.tool.driver.semanticVersion, project.version);
    assert.equal(run.tool.driver.rules[first.ruleIndex]?.id, "pods-no-host-namespaces");
    assert.equal(first.level, "error");
    const place = first.locations[0]?.physicalLocation;
    assert.deepEqual(place, { artifactLocation: { uri: "pods/a%20b.yaml" }, region: { startLine: 7 } });
    assert.deepEqual([first.suppressions, second.suppressions?.length], [undefined, 1]);
    const again = sarifOf(reportOf(["a"])).runs[0]?.results[0];
    assert.deepEqual(again?.partialFingerprints, first.partialFingerprints);
    assert.notDeepEqual(second.partialFingerprints, first.partialFingerprints);
  });

  it("is a comment that fits GitHub, however much was found", () => {
    const text = auditMarkdown(reportOf(["a"]));
    assert.match(text, /^<!-- eks-dns-logging: lab audit -->\n\n### Audit of manifests pods/);
    assert.match(text, /\| mandatory \| `pods-no-host-namespaces` \| `Pod\/payments\/a \(pods\/a b\.yaml:7\)` \|/);
    const long = auditMarkdown(reportOf(Array.from({ length: 2000 }, (_, index) => `pod-${index}`)));
    assert.ok(long.length < 65_536);
    const rows = long.split("\n").filter((line) => line.startsWith("| mandatory")).length;
    assert.match(long, new RegExp(`… and ${2000 - rows} more`));
  });
});
