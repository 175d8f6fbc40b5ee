import assert from "node:assert/strict";
import { z } from "zod";
import { seconds } from "../../../components/dns/corefile/duration.ts";
import { DnsSettings } from "../../../components/dns/settings.ts";

/** `path: message` of each issue that the schema finds. */
function issues(settings: unknown): string[] {
  const { error } = DnsSettings.safeParse(settings);
  return (error?.issues ?? []).map((issue) => `${issue.path.join(".")}: ${issue.message}`);
}

describe("DnsSettings", () => {
  it("needs nothing: two pods with the EKS default Corefile", () => {
    assert.deepEqual(DnsSettings.parse({}), {
      corefile: {},
      conflicts: { onCreate: "OVERWRITE", onUpdate: "OVERWRITE" },
      timeouts: { create: "25m", update: "25m", delete: "25m" },
    });
  });

  const wrong: readonly (readonly [settings: unknown, issue: RegExp])[] = [
    [{ replicas: 3, autoscaling: {} }, /^replicas: either replicas or autoscaling$/],
    [{ autoscaling: { minReplicas: 5, maxReplicas: 4 } }, /^autoscaling\.maxReplicas: at least minReplicas, 5$/],
    [{ autoscaling: { minReplicas: 1 } }, /^autoscaling\.minReplicas: .* from 2 to 1000$/],
    [{ autoscaling: { maxReplicas: 1001 } }, /^autoscaling\.maxReplicas: .* from 2 to 1000$/],
    [{ addonVersion: "1.13.2" }, /^addonVersion: a version of the add-on, such as v1\.13\.2-eksbuild\.31$/],
    [{ resources: { limits: { memory: 170 } } }, /^resources\.limits\.memory: a Kubernetes quantity in quotes/],
    [{ resources: { limits: { memory: "170 MB" } } }, /^resources\.limits\.memory: a Kubernetes quantity in quotes/],
    [
      { podDisruptionBudget: { maxUnavailable: 1, minAvailable: 1 } },
      /minAvailable: either maxUnavailable or minAvailable/,
    ],
    [{ podDisruptionBudget: { maxUnavailable: "120%" } }, /maxUnavailable: a whole number, or a share/],
    [{ nodeSelector: { zone: 1 } }, /^nodeSelector\.zone: text in quotes$/],
    [{ conflicts: { onCreate: "PRESERVE" } }, /onCreate: NONE or OVERWRITE; EKS takes PRESERVE on an update only/],
    [{ replicas: null }, /^replicas: /],
    [{ replica: 2 }, /^: Unrecognized key: "replica"/],
    [{ timeouts: { create: 25 } }, /^timeouts\.create: a duration in quotes/],
    [{ timeouts: { create: "soon" } }, /^timeouts\.create: a duration in quotes/],
    [{ corefile: { text: ".:53 {\n}\n", profile: "tuned" } }, /^corefile\.profile: either profile or text/],
    [{ corefile: { text: ".:53 {\n}\n", options: {} } }, /^corefile\.options: either options or text/],
    [{ corefile: { text: ".:53 {\n}\n", upstreamLoad: {} } }, /^corefile\.upstreamLoad: either upstreamLoad or text/],
    [{ tolerations: [{ key: "a", operator: "Exists", value: "b" }] }, /^tolerations\.0\.value: nothing with operator/],
    [{ tolerations: [{ effect: "NoSchedule" }] }, /^tolerations\.0\.key: a key, or operator Exists for every key$/],
    [
      { tolerations: [{ key: "a", tolerationSeconds: 5 }] },
      /^tolerations\.0\.tolerationSeconds: nothing without effect/,
    ],
    [{ corefile: { profile: "fast" } }, /^corefile\.profile: /],
    [
      { corefile: { options: { hosts: { entries: [{ address: "10.0.0", names: ["a"] }] } } } },
      /address: an IP address/,
    ],
    [
      { corefile: { options: { stubDomains: [{ domains: ["a b"], upstreams: ["10.0.0.2"] }] } } },
      /domains\.0: a domain, such as/,
    ],
    [
      { corefile: { options: { hosts: { entries: [{ address: "10.0.0.1", names: ["*.a.example"] }] } } } },
      /names\.0: a domain, such as/,
    ],
    [{ corefile: { options: { cache: { success: { capacity: 100 } } } } }, /capacity: .* from 1024 to 1000000$/],
    [{ corefile: { options: { rewrite: [{ from: "a b", to: "c" }] } } }, /rewrite\.0\.from: text without spaces/],
    [{ nodeLocalCache: { image: "node-cache:latest" } }, /image: an image with a fixed tag or digest/],
    [{ clusterSize: { nodes: 0, pods: 1, services: 1 } }, /^clusterSize\.nodes: /],
  ];
  for (const [settings, issue] of wrong) {
    it(`rejects ${JSON.stringify(settings)} with one issue`, () => {
      const found = issues(settings);
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", issue);
    });
  }

  it("can be shown to editors as a JSON schema, each setting with words", () => {
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
