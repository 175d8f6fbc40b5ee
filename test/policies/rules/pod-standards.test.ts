import assert from "node:assert/strict";
import { verdictsOf } from "../../../policies/core/evaluate.ts";
import { ruleConfig } from "../../../policies/core/pack-config.ts";
import { UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import { RULES } from "../../../policies/pack.ts";
import { first, type Sample, stackOf } from "./samples.ts";
import { GOOD_POD } from "./workloads.ts";

const CONTEXT = "spec.containers.0.securityContext";
const set = (path: string, to: Value | undefined, sample: Sample = GOOD_POD) => first(sample, path, to);
const inUserNamespace = (sample: Sample) => set("spec.hostUsers", false, sample);

/** Pods that one standard takes and the other does not, by what is in them. */
const ONLY_BASELINE = {
  "no seccomp profile": ["pods-seccomp", set("spec.securityContext.seccompProfile", undefined)],
  "capabilities that are kept": ["pods-drop-capabilities", set(`${CONTEXT}.capabilities`, undefined)],
  "a capability that runtimes grant": ["pods-drop-capabilities", set(`${CONTEXT}.capabilities.add`, ["CHOWN"])],
  "all of /proc in a user namespace": [
    "pods-kernel-defaults",
    inUserNamespace(set(`${CONTEXT}.procMount`, "Unmasked")),
  ],
} as const;
const NEITHER = {
  "no seccomp": ["pods-seccomp", set("spec.securityContext.seccompProfile.type", "Unconfined")],
  "a capability that no runtime grants": ["pods-drop-capabilities", set(`${CONTEXT}.capabilities.add`, ["NET_RAW"])],
  "all of /proc": ["pods-kernel-defaults", set(`${CONTEXT}.procMount`, "Unmasked")],
  "no AppArmor in a user namespace": [
    "pods-kernel-defaults",
    inUserNamespace(set("spec.securityContext.appArmorProfile", { type: "Unconfined" })),
  ],
} as const;

function outcomes(id: string, sample: Sample, config: Readonly<Record<string, unknown>> = {}): string[] {
  const rule = RULES.find((one) => one.id === id) ?? assert.fail(id);
  return verdictsOf(rule, stackOf(sample), ruleConfig(rule, { [id]: config }).settings).map(({ outcome }) => outcome);
}

describe("the rules on pods, by standard", () => {
  for (const [what, [id, sample]] of Object.entries(ONLY_BASELINE))
    it(`accepts ${what} only for baseline`, () => {
      assert.deepEqual(outcomes(id, sample), ["violated"]);
      assert.deepEqual(outcomes(id, sample, { standard: "baseline" }), []);
    });
  for (const [what, [id, sample]] of Object.entries(NEITHER))
    it(`rejects ${what} for both`, () => {
      for (const standard of ["baseline", "restricted"])
        assert.deepEqual(outcomes(id, sample, { standard }), ["violated"]);
    });
  it("accepts root in a user namespace, and is undecided if that is unknown", () => {
    const root = set("spec.securityContext.runAsNonRoot", undefined, set(`${CONTEXT}.runAsUser`, 0));
    assert.deepEqual(outcomes("pods-non-root", root), ["violated", "violated"]);
    assert.deepEqual(outcomes("pods-non-root", inUserNamespace(root)), []);
    assert.deepEqual(outcomes("pods-non-root", set("spec.hostUsers", true, root)), ["violated", "violated"]);
    assert.deepEqual(outcomes("pods-non-root", set("spec.hostUsers", UNKNOWN, root)), ["undecided"]);
    assert.deepEqual(outcomes("pods-non-root", set("spec.hostUsers", UNKNOWN)), []);
  });
});
