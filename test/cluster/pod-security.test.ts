import assert from "node:assert/strict";
import fc from "fast-check";
import pLimit from "p-limit";
import { type Evaluation, evaluate } from "../../policies/core/evaluate.ts";
import type { PackConfig } from "../../policies/core/pack-config.ts";
import { type Group, Resource } from "../../policies/core/resource.ts";
import { Stack } from "../../policies/core/stack.ts";
import { RULES } from "../../policies/pack.ts";
import { ApiServer } from "./api-server.ts";
import { TestCluster } from "./cluster.ts";
import { anyEphemeralContainer, anyPod, COMPLIANT, type GeneratedPod } from "./pod-arbitraries.ts";

/** The rules that stand for each standard. */
const BASELINE = [
  "pods-not-privileged",
  "pods-no-host-process",
  "pods-no-host-probes",
  "pods-no-host-namespaces",
  "pods-no-host-ports",
  "pods-no-host-path",
  "pods-drop-capabilities",
  "pods-seccomp",
  "pods-kernel-defaults",
];
const STANDARDS = {
  baseline: BASELINE,
  restricted: [...BASELINE, "pods-no-escalation", "pods-non-root", "pods-volume-types"],
} as const;
type Standard = keyof typeof STANDARDS;

/** The rule that stands for each of Pod Security's reasons; see ForbiddenReason in k8s.io/pod-security-admission/policy. */
const RULE_OF_REASON: Readonly<Record<string, string>> = {
  "allowPrivilegeEscalation != false": "pods-no-escalation",
  "forbidden AppArmor profile": "pods-kernel-defaults",
  "forbidden AppArmor profiles": "pods-kernel-defaults",
  "forbidden sysctls": "pods-kernel-defaults",
  "host namespaces": "pods-no-host-namespaces",
  hostPort: "pods-no-host-ports",
  hostProcess: "pods-no-host-process",
  "hostPath volumes": "pods-no-host-path",
  "non-default capabilities": "pods-drop-capabilities",
  privileged: "pods-not-privileged",
  "probe or lifecycle host": "pods-no-host-probes",
  procMount: "pods-kernel-defaults",
  "restricted volume types": "pods-volume-types",
  "runAsNonRoot != true": "pods-non-root",
  "runAsUser=0": "pods-non-root",
  seLinuxOptions: "pods-kernel-defaults",
  seccompProfile: "pods-seccomp",
  "unrestricted capabilities": "pods-drop-capabilities",
};
const NAMESPACES = { baseline: "pod-security-baseline-test", restricted: "pod-security-restricted-test" } as const;
/** Pods to judge, and at least how many of them the API server must take as well-formed, so that there is a judgement to compare. */
const PODS = 3200;
const EPHEMERAL = 400;
const MIN_COMPARED = 2000;
const SEED = Number(process.env.SEED ?? 1);

describe("the pack's pod rules, against Pod Security in the API server", function () {
  this.timeout(240_000);
  const tests = new TestCluster();
  const server = new ApiServer();
  const namespaces = Object.entries(NAMESPACES).map(([standard, name]) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { "pod-security.kubernetes.io/enforce": standard } },
  }));
  const remove = () => Promise.all(namespaces.map((namespace) => tests.remove(namespace)));
  before(async () => {
    await remove();
    for (const namespace of namespaces) await tests.apply(namespace);
    // Each namespace gets its account a moment later, and takes no pods before.
    for (const { metadata } of namespaces) await server.untilAccount(metadata.name);
  });
  after(async () => {
    server.close();
    await remove();
  });

  it(`agree on "baseline" and "restricted", and on the reasons, for at least ${MIN_COMPARED} generated pods`, async () => {
    const pods = fc.sample(anyPod, { numRuns: PODS, seed: SEED });
    const answers = await compare(pods, (namespace, pod) =>
      server.request("POST", `/api/v1/namespaces/${namespace}/pods?${DRY_RUN}`, podObject("generated", pod)),
    );
    assert.ok(answers.length >= 2 * MIN_COMPARED, `${answers.length / 2} pods were well-formed`);
    // Each rule decided some of them, else nothing was compared.
    const reasons = new Set(answers.flatMap(({ body }) => reasonsIn(body)));
    assert.deepEqual([...reasons].sort(), [...new Set(merged(STANDARDS.restricted)), "pods-no-host-ports"].sort());
  });

  it("agree on containers that are added to a running pod", async () => {
    for (const namespace of Object.values(NAMESPACES))
      for (const [name, pod] of Object.entries(COMPLIANT)) {
        const created = await server.request("POST", `/api/v1/namespaces/${namespace}/pods`, podObject(name, pod));
        assert.equal(created.status, 201, created.body);
      }
    const debugged = fc.record({ name: fc.constantFrom(...Object.keys(COMPLIANT)), debug: anyEphemeralContainer });
    const pods = fc.sample(debugged, { numRuns: EPHEMERAL, seed: SEED }).map(({ name, debug }) => {
      const { annotations, spec } = COMPLIANT[name] ?? assert.fail(name);
      return { name, annotations, spec: { ...spec, ephemeralContainers: [debug] } };
    });
    const answers = await compare(pods, (namespace, { name, spec }) =>
      server.request("PATCH", `/api/v1/namespaces/${namespace}/pods/${name}/ephemeralcontainers?${DRY_RUN}`, {
        spec: { ephemeralContainers: spec.ephemeralContainers ?? [] },
      }),
    );
    assert.ok(answers.length >= EPHEMERAL / 2, `${answers.length / 2} containers were well-formed`);
  });
});

/** Field validation as strict as that of the server-side apply by which Pulumi deploys. */
const DRY_RUN = "dryRun=All&fieldValidation=Strict";

function podObject(name: string, { annotations, spec }: GeneratedPod): Group {
  // No scheduler of that name is there, so a pod that is created never starts.
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, annotations },
    spec: { ...spec, schedulerName: "none", automountServiceAccountToken: false },
  };
}

/** Compares the two judgements of each pod under each standard. Pods that the API server does not take at all have none. */
async function compare<T extends GeneratedPod>(
  pods: readonly T[],
  send: (namespace: string, pod: T) => Promise<{ readonly status: number; readonly body: string }>,
) {
  const limit = pLimit(8);
  const standards = ["baseline", "restricted"] as const;
  const answers = await Promise.all(
    pods.flatMap((pod) =>
      standards.map((standard) => limit(async () => ({ pod, standard, ...(await send(NAMESPACES[standard], pod)) }))),
    ),
  );
  const judged = answers.filter(({ status, body }) => {
    assert.ok([200, 201, 400, 403, 422, 500].includes(status), body);
    return status < 300 || (status === 403 && body.includes("violates PodSecurity"));
  });
  const disagreements = judged
    .map(({ pod, standard, body }) => ({ pod, standard, server: reasonsIn(body), pack: packOf(pod, standard) }))
    .filter(({ server, pack }) => server.join() !== pack.join());
  const refused = judged.filter(({ status }) => status === 403).length;
  process.stdout.write(
    `        ${judged.length} of ${answers.length} judged by both, ${refused} of them refused, ${disagreements.length} disagreements\n`,
  );
  assert.deepEqual(disagreements.slice(0, 5), []);
  return judged;
}

/** The rules that stand for what the API server names; none where it takes the pod. */
function reasonsIn(body: string): string[] {
  const [, reasons] = /violates PodSecurity [^:]*:[^:]*: (.*)/.exec(JSON.parse(body).message ?? "") ?? [];
  if (reasons === undefined) return [];
  const found = [...reasons.matchAll(/(?:^|\), )([^()]+?) \(/g)].map(
    ([, reason = ""]) => RULE_OF_REASON[reason] ?? reason,
  );
  return merged(found);
}

function packOf({ annotations, spec }: GeneratedPod, standard: Standard): string[] {
  const pod = new Resource({
    urn: "urn:pulumi:dev::test::kubernetes:core/v1:Pod::pod",
    type: "kubernetes:core/v1:Pod",
    name: "pod",
    props: { metadata: { name: "pod", annotations }, spec },
  });
  const rules = RULES.filter(({ id }) => STANDARDS[standard].includes(id));
  const withStandard = rules.filter(({ options }) => options?.some(({ name }) => name === "standard"));
  const config: PackConfig = Object.fromEntries(withStandard.map(({ id }) => [id, { standard }]));
  const { findings, issues }: Evaluation = evaluate(new Stack([pod]), { rules, config });
  assert.deepEqual(issues, []);
  return merged(findings.map(({ rule }) => rule));
}

/**
 * Where one of Pod Security's checks is two of the pack's, either counts for both. In the node's network the API server makes each port
 * a port of the node.
 */
function merged(rules: readonly string[]): string[] {
  const same: Readonly<Record<string, string>> = {
    "pods-no-host-process": "pods-not-privileged",
    "pods-no-host-path": "pods-volume-types",
  };
  const found = new Set(rules.map((rule) => same[rule] ?? rule));
  if (found.has("pods-no-host-namespaces")) found.delete("pods-no-host-ports");
  return [...found].sort();
}
