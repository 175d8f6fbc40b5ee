import assert from "node:assert/strict";
import { evaluate } from "../../../policies/core/evaluate.ts";
import { judges } from "../../../policies/core/rule.ts";
import { RULES } from "../../../policies/pack.ts";
import { parseImage, podSpecOf, WORKLOADS } from "../../../policies/readers/workload.ts";
import { stackOf } from "../rules/samples.ts";

const SPEC = { containers: [{ name: "app", securityContext: { privileged: true } }] };
const TEMPLATE = { template: { spec: SPEC } };
const KINDS: Record<string, object> = {
  "kubernetes:core/v1:Pod": { spec: SPEC },
  "kubernetes:core/v1:PodTemplate": TEMPLATE,
  "kubernetes:core/v1:ReplicationController": { spec: TEMPLATE },
  "kubernetes:apps/v1:Deployment": { spec: TEMPLATE },
  "kubernetes:apps/v1:DaemonSet": { spec: TEMPLATE },
  "kubernetes:apps/v1:StatefulSet": { spec: TEMPLATE },
  "kubernetes:apps/v1:ReplicaSet": { spec: TEMPLATE },
  "kubernetes:apps/v1beta2:Deployment": { spec: TEMPLATE },
  "kubernetes:batch/v1:Job": { spec: TEMPLATE },
  "kubernetes:batch/v1:CronJob": { spec: { jobTemplate: { spec: TEMPLATE } } },
  "kubernetes:argoproj.io/v1alpha1:Rollout": { spec: TEMPLATE },
  "kubernetes:apps.kruise.io/v1alpha1:CloneSet": { spec: TEMPLATE },
  "kubernetes:serving.knative.dev/v1:Service": { spec: TEMPLATE },
  "kubernetes:keda.sh/v1alpha1:ScaledJob": { spec: { jobTargetRef: TEMPLATE } },
};

describe("podSpecOf", () => {
  const privileged = RULES.filter(({ id }) => id === "pods-not-privileged");

  for (const [type, props] of Object.entries(KINDS)) {
    it(`finds the pod of ${type}`, () => {
      const stack = stackOf([{ type, name: "x", props: { ...props } }]);
      const [finding, ...more] = evaluate(stack, { rules: privileged }).findings;
      assert.match(finding?.message ?? "", /containers\[0\]\.securityContext\.privileged is true/);
      assert.deepEqual(more, []);
      assert.ok(privileged.every((rule) => judges(rule, type)));
    });
  }

  it("finds no pod in a custom kind with its template elsewhere", () => {
    const props = { spec: { workloadRef: { apiVersion: "apps/v1", kind: "Deployment", name: "x" } } };
    const stack = stackOf([{ type: "kubernetes:argoproj.io/v1alpha1:Rollout", name: "x", props }]);
    assert.deepEqual(evaluate(stack, { rules: RULES.filter(({ family }) => family === "pods") }).findings, []);
  });

  it("finds no pod in kinds that create none", () => {
    for (const type of [
      "kubernetes:core/v1:Service",
      "kubernetes:apps/v1:ControllerRevision",
      "kubernetes:apps/v1:DaemonSetPatch",
      "kubernetes:argoproj.io/v1alpha1:Application",
      "aws:ec2/vpc:Vpc",
    ]) {
      const [resource] = stackOf([{ type, name: "x", props: {} }]).resources;
      assert.ok(resource !== undefined && podSpecOf(resource) === undefined, type);
    }
    assert.ok(WORKLOADS.length > 0);
  });
});

describe("parseImage", () => {
  const cases: [string, string, string, string | undefined][] = [
    ["nginx", "docker.io", "library/nginx", undefined],
    ["nginx:1.29", "docker.io", "library/nginx", "1.29"],
    ["curlimages/curl:8", "docker.io", "curlimages/curl", "8"],
    ["localhost/app", "localhost", "app", undefined],
    ["registry.example:5000/a/b:1", "registry.example:5000", "a/b", "1"],
    ["docker.io/app@sha256:0", "docker.io", "library/app", undefined],
  ];
  for (const [reference, registry, repository, tag] of cases) {
    it(`parses ${reference}`, () => {
      const image = parseImage(reference);
      assert.deepEqual([image.registry, image.repository, image.tag], [registry, repository, tag]);
    });
  }
});
