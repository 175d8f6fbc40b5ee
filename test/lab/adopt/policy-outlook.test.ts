import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { type AdoptionRequest, adopt, adoptionJson, adoptionTable, blocks } from "../../../lab/adopt/adoption.ts";
import { EKS_COREFILE } from "../../support/eks-corefile.ts";
import { coreDns, type Json, live, object } from "./live.ts";

const REQUEST: AdoptionRequest = {
  stack: "prod",
  parts: ["dns"],
  namespaces: [],
  coredns: { namespace: "kube-system", name: "coredns" },
  context: "prod",
  kubeconfig: undefined,
  version: "v1.35.2",
  eks: undefined,
};
const EKS = {
  name: "prod",
  region: "eu-central-1",
  aws: { serviceCidr: "172.20.0.0/16", isAutoMode: false, hasCoreDnsAddon: true },
};
const ONE_POD = coreDns({}, EKS_COREFILE, { replicas: 1 });

const adoptionOf = (objects: readonly Json[], request: Partial<AdoptionRequest> = {}, unread: readonly string[] = []) =>
  adopt(live(objects, unread), { ...REQUEST, ...request });

/** Findings of an adopted cluster: rule, level, resource, and whether the cluster has the same. */
async function findingsOf(...given: Parameters<typeof adoptionOf>) {
  const { policies } = await adoptionOf(...given);
  return policies?.findings.map(({ rule, level, resource, before }) => [rule, level, resource, before]);
}

describe("The policies' outlook on an adopted stack", () => {
  it("names what they will refuse, and that the cluster has the same now", async () => {
    const patch = "DeploymentPatch/kube-system/coredns";
    assert.deepEqual(await findingsOf(ONE_POD), [["coredns-replicas", "mandatory", patch, true]]);
    const adoption = await adoptionOf(ONE_POD);
    assert.equal(blocks(adoption), true);
    const lines = stripVTControlCharacters(adoptionTable(adoption, "a test", [])).split("\n");
    assert.deepEqual(lines.slice(-7, -2), [
      "mandatory  coredns-replicas            DeploymentPatch/kube-system/coredns     spec.replicas is 1, so one node takes DNS away. Fix: set        the same now",
      `${" ".repeat(79)}spec.replicas: 2, or more`,
      "",
      "1 mandatory finding: `lab plan` and `pulumi up --policy-pack policies` refuse this stack until you change",
      "dns.replicas, or exempt the resource in policy-config.json, with a reason.",
    ]);
    assert.equal(adoptionJson(adoption, "a test", []).policies?.stops, true);
  });

  it("is empty if they find nothing", async () => {
    const adoption = await adoptionOf(coreDns());
    assert.deepEqual([adoption.policies, blocks(adoption)], [{ findings: [], issues: [], stops: false }, false]);
    assert.doesNotMatch(adoptionTable(adoption, "a test", []), /Policy/);
  });

  it("sees a Corefile and an add-on through the cluster's ConfigMap and Deployment", async () => {
    const withoutLameduck = EKS_COREFILE.replace(/ \{\s+lameduck 5s\s+\}/, "");
    assert.deepEqual(await findingsOf(coreDns({}, withoutLameduck)), [
      ["coredns-lameduck", "mandatory", "ConfigMapPatch/kube-system/coredns", true],
    ]);
    assert.deepEqual(await findingsOf(ONE_POD, { eks: EKS }), [
      ["coredns-replicas", "mandatory", "Addon/coredns-addon", true],
      ["aws-tags", "advisory", "Addon/coredns-addon", false],
    ]);
  });

  it("tells what only the stack adds, once for several resources", async () => {
    const request: Partial<AdoptionRequest> = { parts: ["logging"], eks: EKS };
    const adoption = await adoptionOf([object("v1", "Namespace", "payments")], request);
    assert.deepEqual(
      new Set(adoption.policies?.findings.map(({ rule, before }) => `${rule} ${before}`)),
      new Set(["aws-tags false"]),
    );
    const text = stripVTControlCharacters(adoptionTable(adoption, "a test", []));
    assert.match(text, /\nadvisory +aws-tags +Role\/logs-identity, and 2 more +tags: .* +new\n/);
    assert.match(text, /\nNo policy stops this stack\.\n/);
    assert.equal(blocks(adoption), false);
  });

  it("does not know what the cluster has if the user may not list it", async () => {
    const [finding] = (await findingsOf(ONE_POD, {}, ["HorizontalPodAutoscaler"])) ?? [];
    assert.deepEqual(finding?.slice(0, 2), ["coredns-replicas", "mandatory"]);
    assert.equal(finding?.[3], undefined);
  });

  it("respects the project's policy configuration", async () => {
    const exemption = { resource: "DeploymentPatch/kube-system/coredns", reason: "a lab of one node" };
    const allowed = { policyConfig: { "coredns-replicas": { exempt: [exemption] } } };
    assert.deepEqual(await findingsOf(ONE_POD, allowed), []);
    const advisory = { policyConfig: { "coredns-replicas": "advisory" } };
    assert.equal((await adoptionOf(ONE_POD, advisory)).policies?.stops, false);
    const unused = await adoptionOf(coreDns(), allowed);
    assert.deepEqual(unused.policies?.findings, []);
    assert.match(
      stripVTControlCharacters(adoptionTable(unused, "a test", [])),
      /\npolicy configuration: exemption of DeploymentPatch\/kube-system\/coredns from coredns-replicas has no effect: the rule finds nothing in it; remove it\n/,
    );
    assert.equal(blocks(unused), true);
  });

  it("is missing, and says so, if the settings are invalid", async () => {
    const adoption = await adoptionOf(coreDns({}, "forward . /etc/resolv.conf {\n"));
    assert.deepEqual([adoption.policies, blocks(adoption)], [undefined, true]);
    assert.match(
      adoptionTable(adoption, "a test", []),
      /The policies cannot judge this stack before its settings are valid\./,
    );
  });
});
