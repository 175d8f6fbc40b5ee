import assert from "node:assert/strict";
import { CoreDns } from "../../../components/dns/core-dns.ts";
import { checkDns, dnsWarnings } from "../../../components/dns/issues.ts";
import { type DnsOptions, DnsSettings } from "../../../components/dns/settings.ts";
import { parseSettings } from "../../../components/settings.ts";
import { record } from "../../../lab/plan/plan.ts";
import { existingClusterHandle } from "../../support/cluster-handle.ts";
import { find } from "../../support/find.ts";

const COREFILE = ".:53 {\n  whoami\n}\n";

async function adopted(settings: DnsOptions, addons = false) {
  const handle = addons
    ? { addons: { clusterName: "prod", kubernetesVersion: "1.35", preserve: true, tags: {} } }
    : undefined;
  const { resources } = await record({ stack: "local", config: {} }, async () => {
    new CoreDns("coredns", { ...settings, cluster: existingClusterHandle(handle) });
  });
  return resources.filter(({ custom, type }) => custom && !type.startsWith("pulumi:providers:"));
}

describe("CoreDns with adopt", () => {
  it("patches only the Corefile, and keeps it on destroy", async () => {
    const resources = await adopted({ adopt: {}, corefile: { text: COREFILE } });
    assert.deepEqual(
      resources.map(({ type, inputs, retainOnDelete }) => ({ type, inputs, retainOnDelete })),
      [
        {
          type: "kubernetes:core/v1:ConfigMapPatch",
          inputs: {
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name: "coredns", namespace: "kube-system" },
            data: { Corefile: COREFILE },
          },
          retainOnDelete: true,
        },
      ],
    );
  });

  it("spreads the pods that its selector matches", async () => {
    const topologySpread = [{ topologyKey: "kubernetes.io/hostname" }];
    const selectors = async (selector?: Record<string, string>) => {
      const adopt = { deployment: "coredns", ...(selector === undefined ? {} : { selector }) };
      const resources = await adopted({ adopt, topologySpread, corefile: { text: COREFILE } });
      const { inputs } = find(resources, "kubernetes:apps/v1:DeploymentPatch", "coredns-deployment");
      return JSON.stringify(inputs).match(/"matchLabels":\{[^}]*\}/g);
    };
    assert.deepEqual(await selectors(), ['"matchLabels":{"k8s-app":"kube-dns"}']);
    assert.deepEqual(await selectors({ app: "dns", tier: "x" }), ['"matchLabels":{"app":"dns","tier":"x"}']);
    await assert.rejects(selectors({}), /adopt\.selector: must have at least one label/);
  });

  it("has node caches query its pods in kube-system, and warns that they query none elsewhere", async () => {
    const settings = { corefile: { text: COREFILE }, clusterDns: ["10.96.0.10"], nodeLocalCache: {} };
    const selector = { app: "dns" };
    const resources = await adopted({ ...settings, adopt: { selector } });
    const service = find(resources, "kubernetes:core/v1:Service", "coredns-local-upstream");
    assert.deepEqual(service.inputs.spec, {
      ports: [
        { name: "dns", port: 53, protocol: "UDP", targetPort: 53 },
        { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: 53 },
      ],
      selector,
    });
    const warnings = (namespace: string) =>
      checkDns(DnsSettings.parse({ ...settings, adopt: { namespace } }), undefined).map(({ message }) => message);
    assert.deepEqual(warnings("kube-system"), []);
    assert.deepEqual(warnings("dns"), [
      "queries the CoreDNS pods of kube-system, not those of dns.adopt.namespace dns",
    ]);
  });

  it("patches only configured Deployment fields, even on a cluster with add-ons", async () => {
    const adopt = { namespace: "dns", configMap: "corefile", deployment: "resolver", container: "dns", force: true };
    const resources = await adopted(
      {
        adopt,
        preserve: false,
        replicas: 3,
        resources: { limits: { memory: "256Mi" } },
        podLabels: { tier: "dns" },
        corefile: { text: COREFILE },
      },
      true,
    );
    assert.equal(resources.length, 2);
    const patch = find(resources, "kubernetes:apps/v1:DeploymentPatch", "coredns-deployment");
    assert.equal(patch.retainOnDelete, false);
    assert.deepEqual(patch.inputs, {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "resolver", namespace: "dns", annotations: { "pulumi.com/patchForce": "true" } },
      spec: {
        replicas: 3,
        template: {
          metadata: { labels: { tier: "dns" } },
          spec: { containers: [{ name: "dns", resources: { limits: { memory: "256Mi" } } }] },
        },
      },
    });
  });

  it("warns of a destroy that would delete the Corefile", () => {
    const warnings = (adopt: DnsOptions["adopt"], preserve?: boolean) =>
      checkDns(DnsSettings.parse({ adopt, preserve }), undefined).map(({ path, severity }) => `${path}: ${severity}`);
    assert.deepEqual(warnings({ force: true }, false), ["preserve: warning"]);
    for (const kept of [undefined, true]) assert.deepEqual(warnings({ force: true }, kept), []);
    assert.deepEqual(warnings({ manage: false }, false), []);
  });

  it("checks the Corefile against the pods' version and own files", async () => {
    const check = (adopt: DnsOptions["adopt"], text: string) => adopted({ adopt, corefile: { text } });
    const multisocket = ".:53 {\n  multisocket 2\n  whoami\n}\n";
    await assert.rejects(check({ version: "1.11.4" }, multisocket), /multisocket/);
    await check({ version: "1.14.3" }, multisocket);
    await check({ version: "1.14.3" }, ".:53 {\n  hosts /etc/coredns/NodeHosts\n  whoami\n}\n");
  });

  it("changes nothing with manage false, and warns of settings without effect", async () => {
    const settings = { adopt: { deployment: "coredns", manage: false }, replicas: 3, corefile: { text: COREFILE } };
    assert.deepEqual(await adopted(settings, true), []);
    const warnings = (dns: object) =>
      parseSettings({
        "eks-dns-logging:cluster": '{"kind":"existing"}',
        "eks-dns-logging:dns": JSON.stringify(dns),
      }).warnings.map(({ path, message }) => `${path.join(".")}: ${message}`);
    const none = "has no effect with dns.adopt.manage false, which leaves CoreDNS as it is";
    assert.deepEqual(warnings({ ...settings, adopt: { ...settings.adopt, version: "1.13.1" } }), [
      `dns.replicas: ${none}`,
      `dns.adopt.version: ${none}`,
      `dns.corefile: ${none}`,
    ]);
    const patched = { force: true, terminationGracePeriodSeconds: 3, version: "1.11.4" };
    assert.deepEqual(
      warnings({ adopt: { manage: false, ...patched } }),
      Object.keys(patched)
        .toSorted((one, other) => (other === "terminationGracePeriodSeconds" ? -1 : one.localeCompare(other)))
        .map((key) => `dns.adopt.${key}: ${none}`),
    );
    // No error and no warning tells of a Corefile that nobody reads.
    const broken = { adopt: { manage: false }, corefile: { text: ".:53 {\n" } };
    assert.deepEqual(warnings(broken), [`dns.corefile: ${none}`]);
    assert.deepEqual(dnsWarnings(DnsSettings.parse(broken), undefined), []);
    // A node cache sends to what the Corefile serves.
    const cache = { clusterDns: ["10.96.0.10"], nodeLocalCache: {} };
    assert.deepEqual(warnings({ ...settings, ...cache, replicas: undefined }), []);
    const used = { clusterDns: ["10.96.0.10"], corefile: { options: { clusterDomain: "corp.example" } } };
    assert.deepEqual(warnings({ ...used, adopt: { manage: false, selector: { "k8s-app": "coredns" } } }), []);
  });

  it("answers at the port that is stated, once its Corefile is that of the stack", () => {
    const issues = (adopt: object, text?: string) =>
      checkDns(DnsSettings.parse({ adopt, corefile: text === undefined ? {} : { text } }), undefined).map(
        ({ path, message, value }) => [path.join("."), message, value],
      );
    const refused = (ports: string, value: number) => [
      [
        "adopt.port",
        `must be a port at which the Corefile of this stack answers queries${ports} unless manage is false`,
        value,
      ],
    ];
    assert.deepEqual(issues({ port: 5353 }), refused(", 53,", 5353));
    assert.deepEqual(issues({ port: 53 }, COREFILE.replace(".:53", ".:5353")), refused(", 5353,", 53));
    const text = `${COREFILE}${COREFILE.replace(".:53", "dns://example.org:5353")}`;
    assert.deepEqual(issues({ port: 9999 }, text), refused(", 53 or 5353,", 9999));
    assert.deepEqual(issues({ port: 5353 }, text), []);
    assert.deepEqual(issues({ port: 5353 }, `import *.server\n${COREFILE}`), []);
    assert.deepEqual(issues({ port: 5353, manage: false }, COREFILE), []);
    assert.deepEqual(issues({ port: 5353 }, ".:53 {\n"), [
      ["corefile.text", "CoreDNS cannot run this Corefile: line 1: the text ends before a closing brace", undefined],
    ]);
  });

  it("is checked by the block for all names at the port to which its Service leads", () => {
    const warnings = (text: string) => dnsWarnings(DnsSettings.parse({ adopt: {}, corefile: { text } }), undefined);
    const whole =
      "  errors\n  health\n  ready\n  kubernetes cluster.local\n  forward . 10.0.0.2\n  cache 30\n  loop\n  reload\n";
    assert.deepEqual(warnings(`.:53 {\n${whole}}\n`), []);
    assert.deepEqual(warnings(`.:5353 {\n${whole}}\n`), []);
    assert.deepEqual(warnings(`.:5353 {\n${whole.replace("  loop\n", "")}}\n`), [
      ".:5353: loop: is missing, so a loop through the upstreams goes unnoticed until memory runs out",
    ]);
    assert.deepEqual(warnings(`.:5353 {\n${whole.replace("cluster.local", "corp.example")}}\n`), []);
    assert.deepEqual(warnings(`corp.example:5353 {\n${whole.replace(" cluster.local", "")}}\n`), [
      "zone .:5353: has no block, so names outside the other blocks are refused",
    ]);
  });

  it("has node caches query its pods at their port", async () => {
    const at = async (more: DnsOptions) => {
      const resources = await adopted({ nodeLocalCache: { mode: "kubelet" }, ...more });
      const { inputs } = find(resources, "kubernetes:core/v1:Service", "coredns-local-upstream");
      const { ports } = JSON.parse(JSON.stringify(inputs.spec));
      return ports.map(({ port, targetPort }: { port: number; targetPort: number }) => [port, targetPort]);
    };
    const corefile = { text: "example.org:5301 {\n  whoami\n}\n.:5353 {\n  forward . 10.0.0.2\n}\n" };
    assert.deepEqual(await at({ adopt: {} }), [
      [53, 53],
      [53, 53],
    ]);
    assert.deepEqual(await at({ adopt: { port: 1053, manage: false } }), [
      [53, 1053],
      [53, 1053],
    ]);
    assert.deepEqual(await at({ adopt: {}, corefile }), [
      [53, 5353],
      [53, 5353],
    ]);
  });

  it("warns of a lameduck period that the pods' grace period does not allow", () => {
    const warnings = (terminationGracePeriodSeconds: number, corefile: DnsOptions["corefile"]) =>
      dnsWarnings(DnsSettings.parse({ adopt: { terminationGracePeriodSeconds }, corefile }), undefined, []).filter(
        (text) => text.includes("health"),
      );
    for (const corefile of [
      { options: { lameduck: "40s" } },
      { text: ".:53 {\n  health {\n    lameduck 40s\n  }\n}\n" },
    ]) {
      assert.deepEqual(warnings(45, corefile), []);
      assert.deepEqual(warnings(44, corefile), [
        ".:53: health: lameduck 40s leaves CoreDNS no time to answer its last queries, since the pod is killed after 44s; use at most 39s",
      ]);
    }
  });

  it("warns of settings without effect, and is rejected if the stack installs the add-on", () => {
    const parse = (cluster: object, dns: object) =>
      parseSettings({
        "aws:region": "eu-central-1",
        "eks-dns-logging:cluster": JSON.stringify(cluster),
        "eks-dns-logging:dns": JSON.stringify(dns),
      });
    const warnings = (dns: object) => parse({ kind: "existing" }, dns).warnings.map(({ path }) => path.join("."));
    const settings = { replicas: 3, podDisruptionBudget: {}, corefile: { profile: "tuned" } };
    assert.deepEqual(warnings({ ...settings, adopt: {} }), ["dns.podDisruptionBudget", "dns.replicas"]);
    assert.deepEqual(warnings({ ...settings, adopt: { deployment: "coredns" } }), ["dns.podDisruptionBudget"]);
    assert.deepEqual(warnings(settings), ["dns.podDisruptionBudget", "dns.replicas", "dns.corefile"]);
    assert.throws(
      () => parse({ kind: "eks", name: "lab" }, { adopt: {} }),
      /dns\.adopt: must not be set with cluster\.kind eks/,
    );
    for (const namespace of ["dns.system", "n".repeat(64)])
      assert.throws(
        () => parse({ kind: "existing" }, { adopt: { namespace } }),
        ({ message }: Error) =>
          message.includes(
            `dns.adopt.namespace: must be the name of a namespace: up to 63 lower-case letters, digits and '-' (found "${namespace}")`,
          ),
      );
  });
});
