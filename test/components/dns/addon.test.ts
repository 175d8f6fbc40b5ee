import assert from "node:assert/strict";
import fc from "fast-check";
import { addonConfiguration, settingPath, sortedJson } from "../../../components/dns/addon.ts";
import { DnsSettings } from "../../../components/dns/settings.ts";
import { FETCHED_FILE, rejections, schemaFor, withFetched } from "../../../corefile/addon/schemas.ts";
import { ADDON_VERSIONS, isAtLeast, parseAddonVersion } from "../../../corefile/addon/upgrade-rules.ts";
import { dnsSettings } from "./arbitraries.ts";

function configuration(settings: unknown) {
  const { corefile, ...others } = addonConfiguration(DnsSettings.parse(settings));
  assert.equal(typeof corefile, "string");
  return others;
}

describe("the add-on's configuration", () => {
  it("has the Corefile and the settings, and leaves the rest to the add-on", () => {
    assert.deepEqual(configuration({}), { replicaCount: 2 });
    assert.deepEqual(
      configuration({
        autoscaling: { minReplicas: 2, maxReplicas: 10 },
        resources: { requests: { cpu: "200m" }, limits: { memory: "256Mi" } },
        podDisruptionBudget: { minAvailable: "50%" },
        topologySpread: [{}],
        affinity: { podAntiAffinity: {} },
        nodeSelector: { "kubernetes.io/arch": "arm64" },
        tolerations: [],
        podLabels: { a: "b" },
        podAnnotations: { c: "d" },
        topologyMode: "Auto",
        computeType: "Fargate",
      }),
      {
        affinity: { podAntiAffinity: {} },
        annotationTopologyMode: "Auto",
        autoScaling: { enabled: true, minReplicas: 2, maxReplicas: 10 },
        computeType: "Fargate",
        nodeSelector: { "kubernetes.io/arch": "arm64" },
        podAnnotations: { c: "d" },
        podDisruptionBudget: { enabled: true, minAvailable: "50%" },
        podLabels: { a: "b" },
        resources: { limits: { memory: "256Mi" }, requests: { cpu: "200m" } },
        tolerations: [],
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: "topology.kubernetes.io/zone",
            whenUnsatisfiable: "ScheduleAnyway",
            labelSelector: { matchLabels: { "k8s-app": "kube-dns" } },
          },
        ],
      },
    );
  });

  it("sets no number of pods if the add-on scales automatically", () => {
    assert.deepEqual(configuration({ autoscaling: {} }), { autoScaling: { enabled: true, minReplicas: 2 } });
  });

  it("matches the schema of every default version, whatever the settings", () => {
    fc.assert(
      fc.property(dnsSettings, fc.constantFrom(...Object.values(ADDON_VERSIONS)), (settings, version) => {
        assert.deepEqual(rejections(addonConfiguration(settings), version), []);
      }),
    );
  });

  it("has no null or missing value, and the same JSON for any key order", () => {
    fc.assert(
      fc.property(dnsSettings, (settings) => {
        const values = addonConfiguration(settings);
        const json = sortedJson(values);
        assert.deepEqual(JSON.parse(json), values);
        assert.equal(sortedJson(Object.fromEntries(Object.entries(values).reverse())), json);
        assert.ok(!json.includes(":null"));
      }),
    );
    assert.equal(sortedJson({ b: [{ d: 1, c: 2 }], a: null }), '{"a":null,"b":[{"c":2,"d":1}]}');
  });
});

describe("the schema of an add-on version", () => {
  const chosen: readonly (readonly [version: string, seenIn: string])[] = [
    ["v1.8.7-eksbuild.10", "v1.8.7-eksbuild.2"],
    ["v1.9.3-eksbuild.4", "v1.8.7-eksbuild.2"],
    ["v1.9.3-eksbuild.14", "v1.11.1-eksbuild.8"],
    ["v1.9.3-eksbuild.15", "v1.10.1-eksbuild.11"],
    ["v1.10.1-eksbuild.10", "v1.11.1-eksbuild.8"],
    ["v1.10.1-eksbuild.11", "v1.10.1-eksbuild.11"],
    ["v1.11.1-eksbuild.8", "v1.11.1-eksbuild.8"],
    ["v1.11.1-eksbuild.9", "v1.10.1-eksbuild.11"],
    ["v1.11.3-eksbuild.1", "v1.10.1-eksbuild.11"],
    ["v1.12.2-eksbuild.4", "v1.10.1-eksbuild.11"],
    ["v1.12.3-eksbuild.1", "v1.12.3-eksbuild.1"],
    ["v1.13.2-eksbuild.31", "v1.12.3-eksbuild.1"],
    ["v2.0.0-eksbuild.1", "v1.12.3-eksbuild.1"],
  ];
  for (const [version, seenIn] of chosen) {
    it(`of ${version} is the one seen in ${seenIn}`, () => assert.equal(schemaFor(version)?.seenIn, seenIn));
  }

  it("has its source", () => {
    const schema = schemaFor("v1.13.2-eksbuild.31");
    assert.match(schema?.source ?? "", /^aws eks describe-addon-configuration/);
    assert.match(schema?.lookedUp ?? "", /^\d{4}-\d{2}$/);
  });

  const NEW = "v1.13.2-eksbuild.31";
  const UNKNOWN_KEY = "is not in the schema of v1.12.3-eksbuild.1, the nearest version whose schema is known";
  const rejected: readonly (readonly [configuration: unknown, path: string, message: string])[] = [
    [null, "", "must be an object"],
    [{ replicas: 2 }, "replicas", UNKNOWN_KEY],
    [{ replicaCount: "2" }, "replicaCount", "must be an integer"],
    [{ replicaCount: null }, "replicaCount", "must be an integer"],
    [{ resources: { limits: { memory: 170 } } }, "resources.limits.memory", "must be a string"],
    [{ resources: { limits: { disk: "1Gi" } } }, "resources.limits.disk", UNKNOWN_KEY],
    [{ autoScaling: {} }, "autoScaling.enabled", "is required"],
    [{ autoScaling: { enabled: true, minReplicas: 1 } }, "autoScaling.minReplicas", "must be at least 2"],
    [{ autoScaling: { enabled: true, maxReplicas: 1001 } }, "autoScaling.maxReplicas", "must be at most 1000"],
    [{ affinity: 1 }, "affinity", "must be an object or a null"],
    [{ annotationTopologyMode: "On" }, "annotationTopologyMode", "must be one of Disabled, Auto"],
    [{ tolerations: ["x"] }, "tolerations.0", "must be an object"],
    [
      { podDisruptionBudget: { maxUnavailable: "half" } },
      "podDisruptionBudget.maxUnavailable",
      "must have another form",
    ],
  ];
  for (const [values, path, message] of rejected) {
    it(`rejects ${JSON.stringify(values)}`, () => {
      assert.deepEqual(
        rejections(values, NEW).map((one) => [one.path.join("."), one.message]),
        [[path, message]],
      );
    });
  }

  it("is undecided on a key that only an older version's schema lacks", () => {
    const undecided = (version: string) =>
      rejections({ replicas: 2, replicaCount: "2" }, version).map(({ path, undecided }) => [path.join("."), undecided]);
    assert.deepEqual(undecided("v1.14.3-eksbuild.23"), [
      ["replicaCount", false],
      ["replicas", true],
    ]);
    assert.deepEqual(undecided("v1.12.3-eksbuild.1"), [
      ["replicaCount", false],
      ["replicas", false],
    ]);
    assert.deepEqual(rejections({ annotationTopologyMode: "Auto" }, "v1.12.4-eksbuild.29"), []);
  });

  it("is undefined for text that is not a version", () => {
    assert.equal(schemaFor("latest"), undefined);
    assert.throws(() => rejections({}, "latest"), /latest is not an add-on version/);
  });

  it("maps a key to its setting", () => {
    assert.deepEqual(settingPath(["replicaCount"]), ["replicas"]);
    assert.deepEqual(settingPath(["autoScaling", "minReplicas"]), ["autoscaling", "minReplicas"]);
    assert.deepEqual(settingPath(["tolerations", 0]), ["tolerations", 0]);
    assert.deepEqual(settingPath([]), []);
  });

  it("can be fetched for a version, with the references in EKS's answer", () => {
    const definitions = {
      Coredns: { type: "object", additionalProperties: false, properties: { corefile: { type: "string" } } },
    };
    const answer = JSON.stringify({
      $ref: "#/definitions/Coredns",
      $schema: "http://json-schema.org/draft-06/schema#",
      definitions,
    });
    const stored = withFetched("v1.14.6-eksbuild.4", answer, "2026-11");
    assert.deepEqual(stored["v1.14.6-eksbuild.4"], {
      seenIn: "v1.14.6-eksbuild.4",
      source: "aws eks describe-addon-configuration --addon-name coredns --addon-version v1.14.6-eksbuild.4",
      lookedUp: "2026-11",
      schema: JSON.parse(answer),
    });
    assert.ok(FETCHED_FILE.pathname.endsWith("/corefile/addon/schemas/fetched.json"));
    assert.throws(() => withFetched("newest", answer, "2026-11"), /newest is not an add-on version/);
    assert.throws(() => withFetched("v1.14.6-eksbuild.4", "[]", "2026-11"), /rejects an empty configuration/);
    assert.throws(() => withFetched("v1.14.6-eksbuild.4", '{"type":"string"}', "2026-11"), /rejects an empty/);
  });

  it("compares versions numerically", () => {
    const version = parseAddonVersion("v1.12.4-eksbuild.29");
    assert.deepEqual(version, { coredns: [1, 12, 4], build: 29 });
    assert.ok(
      version !== undefined &&
        isAtLeast(version, 1, 9, 9) &&
        isAtLeast(version, 1, 12, 4) &&
        !isAtLeast(version, 1, 13, 0),
    );
  });
});
