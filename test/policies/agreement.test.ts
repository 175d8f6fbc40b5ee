import assert from "node:assert/strict";
import fc from "fast-check";
import { addonConfiguration } from "../../components/dns/addon/configuration.ts";
import { rejections } from "../../components/dns/addon/schemas.ts";
import { ADDON_VERSIONS } from "../../components/dns/addon/versions.ts";
import { seconds } from "../../components/dns/corefile/duration.ts";
import { corefileText } from "../../components/dns/corefile/from-settings.ts";
import { parseBlocks } from "../../components/dns/corefile/syntax.ts";
import { seconds as packSeconds, parseCorefile } from "../../policies/coredns/corefile.ts";
import { rejectionsOf } from "../../policies/coredns/json-schema.ts";
import { schemaOf } from "../../policies/coredns/schema.ts";
import { indexIssue } from "../../policies/rules/collectors-sending.ts";
import { dnsSettings } from "../components/dns/arbitraries.ts";
import { anyFormat } from "../components/logging/arbitraries.ts";

const VERSIONS = [
  ...Object.values(ADDON_VERSIONS),
  "v1.8.7-eksbuild.2",
  "v1.9.3-eksbuild.4",
  "v1.9.3-eksbuild.5",
  "v1.9.3-eksbuild.15",
  "v1.10.1-eksbuild.10",
  "v1.10.1-eksbuild.11",
  "v1.11.1-eksbuild.8",
  "v1.11.1-eksbuild.9",
  "v1.11.3-eksbuild.1",
  "v2.0.0-eksbuild.1",
];

/** Configurations that are nearly right. */
const configuration = fc.record(
  {
    autoScaling: fc.record(
      {
        enabled: fc.constantFrom(true, "true"),
        minReplicas: fc.integer({ min: 0, max: 3 }),
        maxReplicas: fc.constantFrom(1000, 1001, "9", 2.5),
      },
      { requiredKeys: [] },
    ),
    affinity: fc.constantFrom(null, {}, []),
    corefile: fc.constantFrom(".:53 {\n}\n", 1),
    nodeSelector: fc.dictionary(fc.constantFrom("a", "b"), fc.constantFrom("x", true)),
    podDisruptionBudget: fc.record({ maxUnavailable: fc.constantFrom(1, "25%", "half", 0.5) }, { requiredKeys: [] }),
    replicaCount: fc.constantFrom(2, "2", null, 1.5),
    resources: fc.record(
      {
        limits: fc.constantFrom({ memory: "170Mi" }, { memory: 170 }, {}),
        requests: fc.constantFrom({}, { gpu: "1" }, []),
      },
      { requiredKeys: [] },
    ),
    tolerations: fc.constantFrom([], [{}], ["x"], {}),
    replicas: fc.constant(2),
  },
  { requiredKeys: [] },
);

/** The pack imports nothing from the components, so what both know must be held together. */
describe("the pack and the components agree", () => {
  it("on the plugins of every Corefile that the components render", () => {
    fc.assert(
      fc.property(dnsSettings, (settings) => {
        const text = corefileText(settings);
        assert.deepEqual(
          parseCorefile(text)?.map(({ addresses, plugins }) => [
            addresses,
            plugins.map(({ name, args }) => [name, args]),
          ]),
          parseBlocks(text).map(({ zones, directives }) => [zones, directives.map(({ name, args }) => [name, args])]),
        );
      }),
      { numRuns: 200 },
    );
  });

  it("on durations", () => {
    for (const written of ["5s", "0s", "1m30s", "500ms", "1h", "1.5s"])
      assert.equal(packSeconds(written), seconds(written), written);
    assert.equal(packSeconds("soon"), undefined);
  });

  it("that the add-on takes every configuration that the components make", () => {
    fc.assert(
      fc.property(dnsSettings, fc.constantFrom(...Object.values(ADDON_VERSIONS)), (settings, version) => {
        assert.deepEqual(rejectionsOf(addonConfiguration(settings), schemaOf(version) ?? {}), []);
      }),
      { numRuns: 100 },
    );
  });

  it("on which nearly right configurations each version refuses, and where", () => {
    fc.assert(
      fc.property(configuration, fc.constantFrom(...VERSIONS), (value, version) => {
        const schema = schemaOf(version);
        assert.ok(schema !== undefined);
        const mine = new Set(rejectionsOf(value, schema).map(({ path }) => path.split(/[.[]/)[0]));
        const theirs = new Set(rejections(value, version).map(({ path }) => path[0]));
        assert.deepEqual([...mine].sort(), [...theirs].sort());
      }),
      { numRuns: 1000 },
    );
  });

  it("on index names: none that the settings take is refused", () => {
    fc.assert(
      fc.property(anyFormat, ({ prefix, separator }) => {
        assert.equal(indexIssue(prefix), undefined);
        assert.equal(indexIssue(`${prefix}${separator}%Y.%m.%d`), undefined);
      }),
    );
  });
});
