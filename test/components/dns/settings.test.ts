import assert from "node:assert/strict";
import { z } from "zod";
import { DnsSettings } from "../../../components/dns/settings.ts";
import { seconds } from "../../../corefile/syntax/go-values.ts";

/** `path: message` of each issue that the schema finds. */
function issues(settings: unknown): string[] {
  const { error } = DnsSettings.safeParse(settings);
  return (error?.issues ?? []).map((issue) => `${issue.path.join(".")}: ${issue.message}`);
}

describe("DnsSettings", () => {
  it("defaults to two pods with the EKS default Corefile", () => {
    assert.deepEqual(DnsSettings.parse({}), {
      corefile: {},
      conflicts: { onCreate: "OVERWRITE", onUpdate: "OVERWRITE" },
      timeouts: { create: "25m", update: "25m", delete: "25m" },
    });
  });

  const wrong: readonly (readonly [settings: unknown, issue: RegExp])[] = [
    [{ replicas: 3, autoscaling: {} }, /^: replicas and autoscaling are mutually exclusive$/],
    [
      { autoscaling: { minReplicas: 5, maxReplicas: 4 } },
      /^autoscaling: minReplicas \(5\) must not exceed maxReplicas \(4\)$/,
    ],
    [{ autoscaling: { minReplicas: 1 } }, /^autoscaling\.minReplicas: .* from 2 to 1000$/],
    [{ autoscaling: { maxReplicas: 1001 } }, /^autoscaling\.maxReplicas: .* from 2 to 1000$/],
    [{ addonVersion: "1.13.2" }, /^addonVersion: must be a version of the add-on, such as v1\.13\.2-eksbuild\.31$/],
    [
      { resources: { limits: { memory: 170 } } },
      /^resources\.limits\.memory: must be a quoted quantity of bytes, such as '128Mi' or '2Gi'$/,
    ],
    [
      { resources: { limits: { memory: "170 MB" } } },
      /^resources\.limits\.memory: must be a quoted quantity of bytes, such as '128Mi' or '2Gi'$/,
    ],
    [
      { podDisruptionBudget: { maxUnavailable: 1, minAvailable: 1 } },
      /^podDisruptionBudget: maxUnavailable and minAvailable are mutually exclusive$/,
    ],
    [
      { podDisruptionBudget: { maxUnavailable: "120%" } },
      /^podDisruptionBudget\.maxUnavailable: must be an integer of at least 0, or a quoted/,
    ],
    [{ nodeSelector: { zone: 1 } }, /^nodeSelector\.zone: must be a quoted string of up to 63 letters/],
    [
      { conflicts: { onCreate: "PRESERVE" } },
      /^conflicts\.onCreate: must be NONE or OVERWRITE, since EKS accepts PRESERVE on an update/,
    ],
    [{ replicas: null }, /^replicas: /],
    [{ replica: 2 }, /^: Unrecognized key: "replica"/],
    [{ timeouts: { create: 25 } }, /^timeouts\.create: must be a quoted duration, such as '500ms', '30s' or '1h'$/],
    [{ timeouts: { create: "soon" } }, /^timeouts\.create: must be a quoted duration, such as '500ms', '30s' or '1h'$/],
    [{ corefile: { text: ".:53 {\n}\n", profile: "tuned" } }, /^corefile: profile and text are mutually exclusive$/],
    [{ corefile: { text: ".:53 {\n}\n", options: {} } }, /^corefile: options and text are mutually exclusive$/],
    [
      { corefile: { text: ".:53 {\n}\n", upstreamLoad: {} } },
      /^corefile: upstreamLoad and text are mutually exclusive$/,
    ],
    [
      { tolerations: [{ key: "a", operator: "Exists", value: "b" }] },
      /^tolerations\.0: value must not be set with operator Exists$/,
    ],
    [
      { tolerations: [{ effect: "NoSchedule" }] },
      /^tolerations\.0: key is required unless operator is Exists, which matches every key$/,
    ],
    [
      { tolerations: [{ key: "a", tolerationSeconds: 5 }] },
      /^tolerations\.0: tolerationSeconds requires effect NoExecute$/,
    ],
    [{ corefile: { profile: "fast" } }, /^corefile\.profile: /],
    [
      { corefile: { options: { hosts: { entries: [{ address: "10.0.0", names: ["a"] }] } } } },
      /^corefile\.options\.hosts\.entries\.0\.address: must be an IP address, such as '10\.0\.0\.2'$/,
    ],
    [
      { corefile: { options: { stubDomains: [{ domains: ["a b"], upstreams: ["10.0.0.2"] }] } } },
      /^corefile\.options\.stubDomains\.0\.domains\.0: must be a domain, such as 'corp\.example\.com'$/,
    ],
    [
      { corefile: { options: { hosts: { entries: [{ address: "10.0.0.1", names: ["*.a.example"] }] } } } },
      /^corefile\.options\.hosts\.entries\.0\.names\.0: must be a name without \*: for all names below a domain, use/,
    ],
    [{ corefile: { options: { cache: { success: { capacity: 100 } } } } }, /capacity: .* from 1024 to 1000000$/],
    [
      { corefile: { options: { rewrite: [{ from: "a b", to: "c" }] } } },
      /^corefile\.options\.rewrite\.0\.from: must be a string without spaces$/,
    ],
    [
      { nodeLocalCache: { image: "node-cache:latest" } },
      /^nodeLocalCache\.image: must be an image with a fixed tag or a digest, such as/,
    ],
    [{ podLabels: { "team name": "a" } }, /^podLabels\.team name: /],
    [{ podLabels: { team: "a b" } }, /^podLabels\.team: must be a quoted string of up to 63 letters, digits, '-'/],
    [{ nodeSelector: { "-a": "b" } }, /^nodeSelector\.-a: /],
    [{ podAnnotations: { "a b": "c" } }, /^podAnnotations\.a b: /],
    [{ podAnnotations: { a: 1 } }, /^podAnnotations\.a: must be a quoted string$/],
    [{ clusterSize: { nodes: 0, pods: 1, services: 1 } }, /^clusterSize\.nodes: /],
  ];
  for (const [settings, issue] of wrong) {
    it(`rejects ${JSON.stringify(settings)} with one issue`, () => {
      const found = issues(settings);
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", issue);
    });
  }

  it("accepts labels without a value, and annotations with any text", () => {
    assert.deepEqual(issues({ podLabels: { "a.example/b": "" }, podAnnotations: { "A.example/b": "a b\n" } }), []);
  });

  it("converts to a JSON schema for editors, with a description of each setting", () => {
    const schema = z.toJSONSchema(DnsSettings, { io: "input" });
    const silent = Object.entries(schema.properties ?? {}).filter(
      ([, property]) => typeof property === "object" && property.description === undefined,
    );
    assert.deepEqual(silent, []);
  });
});

describe("a duration", () => {
  const read: readonly (readonly [text: string, value: number | undefined])[] = [
    ["0", 0],
    ["500ms", 0.5],
    ["1h30m", 5400],
    ["1.5s", 1.5],
    ["+5s", 5],
    ["+", undefined],
    ["10", undefined],
    ["-1s", undefined],
    ["1 s", undefined],
    ["s", undefined],
    ["", undefined],
  ];
  for (const [text, value] of read) {
    it(`of ${JSON.stringify(text)} is ${value ?? "none"}`, () => assert.equal(seconds(text), value));
  }
});
