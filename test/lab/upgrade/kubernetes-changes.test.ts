import assert from "node:assert/strict";
import { CHANGES, changesWith, type ScannedObject } from "../../../lab/upgrade/kubernetes-changes.ts";

function object(type: string, fields: object): ScannedObject {
  return { type, name: "it", fields };
}

const service = (spec: object) => object("kubernetes:core/v1:Service", { spec });
const policy = (spec: object) => object("kubernetes:networking.k8s.io/v1:NetworkPolicy", { spec });
const template = (text: string) =>
  object("aws:ec2/launchTemplate:LaunchTemplate", { userData: Buffer.from(text).toString("base64") });

/** For each change that objects tell: some that it concerns, and some that it does not. */
const CASES: Readonly<
  Record<string, { readonly yes: readonly ScannedObject[]; readonly no: readonly ScannedObject[] }>
> = {
  "no AMI of Amazon Linux 2": {
    yes: [
      object("aws:eks/nodeGroup:NodeGroup", { amiType: "AL2_x86_64" }),
      object("node", { osImage: "Amazon Linux 2" }),
    ],
    no: [
      object("aws:eks/nodeGroup:NodeGroup", { amiType: "AL2023_ARM_64_STANDARD" }),
      object("node", { osImage: "Amazon Linux 2023.9.20251027" }),
    ],
  },
  "AppArmor is deprecated": {
    yes: [
      object("kubernetes:apps/v1:Deployment", {
        spec: { template: { metadata: { annotations: { "container.apparmor.security.beta.kubernetes.io/a": "x" } } } },
      }),
      object("kubernetes:core/v1:Pod", {
        spec: { containers: [{ securityContext: { appArmorProfile: { type: "RuntimeDefault" } } }] },
      }),
    ],
    no: [object("kubernetes:core/v1:Pod", { spec: { containers: [{ securityContext: { seccompProfile: {} } }] } })],
  },
  "VolumeAttributesClass is storage.k8s.io/v1": {
    yes: [object("kubernetes:storage.k8s.io/v1beta1:VolumeAttributesClass", {})],
    no: [object("kubernetes:storage.k8s.io/v1:VolumeAttributesClass", {})],
  },
  "the kubelet's cgroup driver setting is deprecated": {
    yes: [template("kubelet:\n  config:\n    cgroupDriver: systemd\n"), template("--cgroup-driver=systemd")],
    no: [template("kubelet:\n  config:\n    containerLogMaxSize: 50Mi\n")],
  },
  "the kubelet does not start on nodes with cgroup v1": {
    yes: [template("grubby --args=systemd.unified_cgroup_hierarchy=0")],
    no: [template("grubby --args=systemd.unified_cgroup_hierarchy=1")],
  },
  "the kubelet has no --pod-infra-container-image": {
    yes: [template("--pod-infra-container-image=pause:3.5")],
    no: [template("--max-pods=17")],
  },
  "the IPVS mode of kube-proxy is deprecated": {
    yes: [
      object("aws:eks/addon:Addon", { addonName: "kube-proxy", configurationValues: '{"mode":"ipvs"}' }),
      {
        type: "kubernetes:core/v1:ConfigMap",
        name: "ConfigMap/kube-system/kube-proxy-config",
        fields: { data: { config: 'mode: "ipvs"\n' } },
      },
    ],
    no: [object("aws:eks/addon:Addon", { addonName: "kube-proxy", configurationValues: '{"mode":"nftables"}' })],
  },
  "Ingress NGINX gets no more fixes since March 2026": {
    yes: [
      object("kubernetes:networking.k8s.io/v1:Ingress", { spec: { ingressClassName: "nginx" } }),
      object("kubernetes:networking.k8s.io/v1:IngressClass", { spec: { controller: "k8s.io/ingress-nginx" } }),
    ],
    no: [object("kubernetes:networking.k8s.io/v1:Ingress", { spec: { ingressClassName: "alb" } })],
  },
  "nodes need containerd 2.0 or later": {
    yes: [object("node", { runtime: "containerd://1.7.27" })],
    no: [object("node", { runtime: "containerd://2.1.4" })],
  },
  "the kubelet runs no pod with a gitRepo volume": {
    yes: [
      object("kubernetes:core/v1:Pod", { spec: { volumes: [{ gitRepo: {} }] } }),
      object("kubernetes:batch/v1:CronJob", {
        spec: { jobTemplate: { spec: { template: { spec: { volumes: [{ gitRepo: {} }] } } } } },
      }),
    ],
    no: [object("kubernetes:core/v1:Pod", { spec: { volumes: [{ emptyDir: {} }] } })],
  },
  "IP addresses and CIDR blocks must be canonical": {
    yes: [
      service({ externalIPs: ["010.0.0.5"] }),
      service({ loadBalancerSourceRanges: ["192.168.0.5/24"] }),
      policy({ egress: [{ to: [{ ipBlock: { cidr: "10.0.0.1/8" } }] }] }),
      policy({ ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.2.3/16"] } }] }] }),
      policy({ egress: [{ to: [{ ipBlock: { cidr: "2001:db8::1/32" } }] }] }),
    ],
    no: [
      service({ externalIPs: ["10.0.0.5"], loadBalancerSourceRanges: ["192.168.0.0/24"] }),
      policy({ egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["169.254.0.0/16"] } }] }] }),
      policy({ egress: [{ to: [{ ipBlock: { cidr: "2001:db8::/32" } }, { podSelector: {} }] }] }),
    ],
  },
  "externalIPs of Services are deprecated": {
    yes: [service({ externalIPs: ["10.0.0.5"] })],
    no: [service({ externalIPs: [] }), service({})],
  },
};

describe("the table of Kubernetes changes", () => {
  it("has a source and a version for each, from 1.34 to 1.36", () => {
    for (const { version, source, title, action } of CHANGES) {
      assert.match(version, /^1\.3[456]$/, title);
      assert.match(source, /^https:\/\/(docs\.aws\.amazon\.com|kubernetes\.io|github\.com\/kubernetes)\//, title);
      assert.ok(action.length > 10, title);
    }
    assert.deepEqual(new Set(CHANGES.map(({ version }) => version)), new Set(["1.34", "1.35", "1.36"]));
  });

  it("has a case for each change that objects show", () => {
    const told = CHANGES.filter(({ concerns }) => concerns !== undefined).map(({ title }) => title);
    assert.deepEqual(Object.keys(CASES), told);
  });

  for (const [title, { yes, no }] of Object.entries(CASES))
    it(`finds what it concerns: ${title}`, () => {
      const change = CHANGES.find((one) => one.title === title);
      for (const one of yes) assert.equal(change?.concerns?.(one), true, JSON.stringify(one));
      for (const one of no) assert.equal(change?.concerns?.(one), false, JSON.stringify(one));
    });

  it("names the objects, and nothing if none can show it", () => {
    const found = changesWith("1.36", [service({ externalIPs: ["10.0.0.5"] })]);
    assert.deepEqual(found.find(({ title }) => title.startsWith("externalIPs"))?.found, ["it"]);
    assert.equal(found.find(({ title }) => title.startsWith("SELinux"))?.found, undefined);
    assert.deepEqual(changesWith("1.30", []), []);
  });
});
