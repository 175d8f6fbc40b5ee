import assert from "node:assert/strict";
import fc from "fast-check";
import { verdictsOf } from "../../../policies/core/evaluate.ts";
import { ruleConfig } from "../../../policies/core/pack-config.ts";
import { type Group, UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import { messageOf } from "../../../policies/core/rule.ts";
import type { Stack } from "../../../policies/core/stack.ts";
import { RULES } from "../../../policies/pack.ts";
import { CASES } from "./all.ts";
import { type Sample, stackOf } from "./samples.ts";

const SAMPLES: readonly Sample[] = Object.values(CASES).flatMap(({ good, bad }) => [
  ...Object.values(good),
  ...Object.values(bad).map(([sample]) => sample),
]);

/** What a program may write into any field, by issue. */
const ANYTHING: readonly Value[] = [
  null,
  "",
  "x",
  "{",
  "[]",
  "null",
  0,
  -1,
  1.5,
  true,
  [],
  [null],
  [[]],
  {},
  { a: {} },
  UNKNOWN,
];

/** The image of a container, and all that it is in. */
const placesOfImage = (list: string) =>
  `.spec.template.spec.${list}.0.image`
    .split(".")
    .flatMap((_, index, keys) => (index === 0 ? [] : [keys.slice(0, index + 1).join(".")]));
/** Where an issue may pass: it is the affair of whoever wrote the value that is not known. */
const SILENT = [
  // Beside an application, a container of an unknown image is the application's, and no collector.
  ...[
    "collectors-configuration-read: a Fluent Bit sidecar whose ConfigMap is missing",
    "collectors-retries: one retry in a sidecar",
    "collectors-grace: longer than that of an application's pod",
  ].flatMap((what) => placesOfImage("initContainers").map((place) => `${what}: app: ${place}`)),
  // The same holds for what reads events in a pod of its own.
  ...["collectors-events-once", "collectors-events-rights"].flatMap((id) =>
    Object.keys(CASES[id]?.bad ?? {})
      .filter((what) => !["the collector on each node", "OpenKruise's DaemonSet"].includes(what))
      .flatMap((what) => placesOfImage("containers").map((place) => `${id}: ${what}: reader: ${place}`)),
  ),
  // An environment's unknown values are mostly addresses and names: of those whose name is no secret's, none is called open.
  ...["a password in a URL", "an access key under any name"].map(
    (what) => `pods-no-literal-secrets: ${what}: curl: .spec.containers.0.env.0.value`,
  ),
];

const counts = new WeakMap<object, number>();

/** How many places a value has, itself the first. Counted once: the samples are not changed. */
function placesIn(value: Value): number {
  if (typeof value !== "object" || value === null) return 1;
  const count = counts.get(value) ?? Object.values(value).reduce<number>((sum, inner) => sum + placesIn(inner), 1);
  counts.set(value, count);
  return count;
}

/** The value with another in one of its places. */
function replacedAt(value: Value, place: number, by: Value): Value {
  if (place === 0) return by;
  if (typeof value !== "object" || value === null) return value;
  let before = 1;
  const entries = Object.entries(value).map(([key, inner]): [string, Value] => {
    const from = before;
    before += placesIn(inner);
    return [key, place >= from && place < before ? replacedAt(inner, place - from, by) : inner];
  });
  return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}

/** Keys to a place, for a person. */
function pathOf(value: Value, place: number): string {
  if (place === 0 || typeof value !== "object" || value === null) return "";
  let before = 1;
  for (const [key, inner] of Object.entries(value)) {
    if (place < before + placesIn(inner)) return `.${key}${pathOf(inner, place - before)}`;
    before += placesIn(inner);
  }
  return "";
}

/** Whether it is told that a collector's configuration is not to be found: the other rules judge only what is. */
function isLeftUnread(stack: Stack): boolean {
  const rule = RULES.find(({ id }) => id === "collectors-configuration-read");
  assert.ok(rule !== undefined);
  return verdictsOf(rule, stack, ruleConfig(rule, {}).settings).length > 0;
}

function isGroup(value: Value): value is Group {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

describe("the rules, with any input", () => {
  it("report issues or not, and never throw", function () {
    this.timeout(120_000);
    const rules = RULES.map((rule) => ({ rule, settings: ruleConfig(rule, {}).settings }));
    fc.assert(
      fc.property(
        fc.constantFrom(...SAMPLES),
        fc.nat(),
        fc.nat(),
        fc.constantFrom(...ANYTHING),
        (sample, one, at, by) => {
          const changed = sample.map((resource, index) => {
            if (index !== one % sample.length) return resource;
            const props = replacedAt(resource.props, at % placesIn(resource.props), by);
            return { ...resource, props: isGroup(props) ? props : {} };
          });
          const stack = stackOf(changed);
          for (const { rule, settings } of rules)
            for (const verdict of verdictsOf(rule, stack, settings))
              assert.doesNotMatch(messageOf(verdict), /undefined|\[object|Symbol\(/, rule.id);
        },
      ),
      { numRuns: 1500 },
    );
  });

  it("miss no issue because one value in the stack is unknown", function () {
    this.timeout(120_000);
    const silent: string[] = [];
    for (const [id, { bad, config = {} }] of Object.entries(CASES)) {
      const rule = RULES.find((one) => one.id === id);
      assert.ok(rule !== undefined);
      const { settings } = ruleConfig(rule, { [id]: config });
      for (const [what, [sample]] of Object.entries(bad))
        for (const [index, { name, props }] of sample.entries())
          for (let place = 1; place < placesIn(props); place++) {
            const hidden = replacedAt(props, place, UNKNOWN);
            const changed = sample.map((one, at) =>
              at === index && isGroup(hidden) ? { ...one, props: hidden } : one,
            );
            const stack = stackOf(changed);
            if (verdictsOf(rule, stack, settings).length === 0 && !isLeftUnread(stack))
              silent.push(`${id}: ${what}: ${name}: ${pathOf(props, place)}`);
          }
    }
    assert.deepEqual(silent, SILENT);
  });
});
