import assert from "node:assert/strict";
import * as k8s from "@pulumi/kubernetes";
import { CoreDns, checkedVersion } from "../../../components/dns/core-dns.ts";
import { CONFIG_MAP_HEADER, corefileConfigMap } from "../../../components/dns/corefile-rendering.ts";
import { DnsSettings } from "../../../components/dns/settings.ts";
import { record } from "../../../lab/plan/plan.ts";
import { existingClusterHandle } from "../../support/cluster-handle.ts";
import { find, ofType } from "../../support/find.ts";

const EKS = { clusterName: "lab", kubernetesVersion: "1.35", tags: { project: "eks-dns-logging" } };

/** What the component registers on EKS, and the component. */
async function onEks(settings: unknown, kubernetesVersion = EKS.kubernetesVersion) {
  const made: CoreDns[] = [];
  const recording = await record({ stack: "dev", config: {} }, async () => {
    const nodes = new k8s.core.v1.Namespace("stands-for-nodes");
    const cluster = existingClusterHandle({ ready: [nodes], addons: { ...EKS, kubernetesVersion } });
    made.push(new CoreDns("coredns", { ...DnsSettings.parse(settings), cluster }));
  });
  return { ...recording, component: made[0] };
}

describe("CoreDns", () => {
  it("is a separate add-on with pinned version, both conflict modes, timeouts and tags", async () => {
    const { resources } = await onEks({ conflicts: { onUpdate: "PRESERVE" } });
    const addon = find(resources, "aws:eks/addon:Addon", "coredns-addon");
    const { configurationValues, ...inputs } = addon.inputs;
    assert.deepEqual(inputs, {
      clusterName: "lab",
      addonName: "coredns",
      addonVersion: "v1.13.2-eksbuild.31",
      resolveConflictsOnCreate: "OVERWRITE",
      resolveConflictsOnUpdate: "PRESERVE",
      tags: { project: "eks-dns-logging" },
    });
    assert.match(String(configurationValues), /^\{"corefile":"\.:53 \{\\n.*","replicaCount":2\}$/);
    assert.deepEqual(addon.timeouts, { create: "25m", update: "25m", delete: "25m" });
    assert.ok(addon.parent.endsWith("eks-dns-logging:dns:CoreDns::coredns"));
  });

  it("comes after the nodes", async () => {
    const { resources } = await onEks({});
    const nodes = find(resources, "kubernetes:core/v1:Namespace", "stands-for-nodes");
    assert.deepEqual(find(resources, "aws:eks/addon:Addon", "coredns-addon").dependencies, [nodes.urn]);
  });

  it("uses the version in the settings, else one per Kubernetes version", async () => {
    const version = async (settings: unknown, kubernetes: string) =>
      find((await onEks(settings, kubernetes)).resources, "aws:eks/addon:Addon", "coredns-addon").inputs.addonVersion;
    assert.equal(await version({ addonVersion: "v1.14.6-eksbuild.4" }, "1.35"), "v1.14.6-eksbuild.4");
    assert.equal(await version({}, "1.34"), "v1.12.4-eksbuild.29");
    assert.equal(await version({}, "1.36"), "v1.14.3-eksbuild.23");
    await assert.rejects(onEks({}, "1.20"), /coredns\.addonVersion: must be set for Kubernetes 1\.20/);
  });

  it("is checked again with the version from AWS before the add-on is created", async () => {
    const { resources } = await record(
      { stack: "dev", config: {}, preview: false, call: () => ({ version: "v1.14.9-eksbuild.1" }) },
      async () => {
        const cluster = existingClusterHandle({ addons: { ...EKS, kubernetesVersion: undefined } });
        new CoreDns("coredns", { cluster });
      },
    );
    assert.equal(find(resources, "aws:eks/addon:Addon", "coredns-addon").inputs.addonVersion, "v1.14.9-eksbuild.1");
    const scaling = DnsSettings.parse({ autoscaling: {} });
    assert.equal(checkedVersion("coredns", scaling, "v1.14.9-eksbuild.1"), "v1.14.9-eksbuild.1");
    assert.throws(
      () => checkedVersion("coredns", scaling, "v1.11.1-eksbuild.8"),
      /coredns\.autoscaling: must not be set, since v1\.11\.1-eksbuild\.8 does not support it/,
    );
  });

  it("registers nothing on a cluster without add-ons, but still renders its Corefile", async () => {
    const made: CoreDns[] = [];
    const { resources } = await record({ stack: "local", config: {} }, async () => {
      made.push(new CoreDns("coredns", { cluster: existingClusterHandle() }));
    });
    assert.deepEqual(
      resources.filter(({ custom, type }) => custom && !type.startsWith("pulumi:providers:")),
      [],
    );
    assert.match(made[0]?.corefile ?? "", /^\.:53 \{\n {4}errors\n/);
    assert.equal(made[0]?.addon, undefined);
    assert.deepEqual(made[0]?.addresses, []);
  });

  it("rejects arguments that the add-on or CoreDNS would reject, all at once", async () => {
    await assert.rejects(
      onEks({ clusterDns: ["10.0.0.2"], corefile: { options: { upstreams: ["10.0.0.2", "dns.corp"] } } }),
      {
        name: "SettingsError",
        message: /coredns\.corefile\.options\.upstreams\[0\]: .*\n.*coredns\.corefile\.options\.upstreams\[1\]: /,
      },
    );
  });

  it("shows the reasons for its sizes, and warnings", async () => {
    const { component } = await onEks({ corefile: { options: { upstreams: ["tls://9.9.9.9"] } } });
    assert.equal(component?.profile[0]?.setting, "replicas");
    assert.match(component?.warnings[0] ?? "", /without tls_servername/);
  });

  it("creates NodeLocal DNSCache after the add-on, with its addresses for the teams' policies", async () => {
    const { resources, component } = await onEks({ nodeLocalCache: {}, clusterDns: ["172.20.0.10"] });
    assert.deepEqual(component?.addresses, ["169.254.20.10", "172.20.0.10"]);
    const [daemon] = ofType(resources, "kubernetes:apps/v1:DaemonSet");
    const addon = find(resources, "aws:eks/addon:Addon", "coredns-addon");
    assert.ok(daemon?.dependencies.includes(addon.urn));
  });
});

describe("the Corefile's ConfigMap", () => {
  it("is the one that CoreDNS reads, with a header for use by hand", () => {
    const settings = DnsSettings.parse({ corefile: { text: ".:53 {\n    errors\n}\n" } });
    assert.deepEqual(corefileConfigMap(settings), {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "coredns", namespace: "kube-system" },
      data: { Corefile: ".:53 {\n    errors\n}\n" },
    });
    assert.ok(CONFIG_MAP_HEADER.split("\n").every((line) => line === "" || line.startsWith("#")));
    assert.match(CONFIG_MAP_HEADER, /kubectl replace/);
  });
});
