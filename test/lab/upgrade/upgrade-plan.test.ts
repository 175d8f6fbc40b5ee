import assert from "node:assert/strict";
import { versionStep } from "eks-dns-logging-corefile/addon";
import { type KubernetesObject, kubernetesObject } from "../../../lab/audit/kubernetes-object.ts";
import { comparePlans } from "../../../lab/diff/comparison.ts";
import { liveCluster } from "../../../lab/upgrade/kubernetes-changes.ts";
import { formatUpgrade, planUpgrade } from "../../../lab/upgrade/upgrade-plan.ts";
import type { UpgradeInput } from "../../../lab/upgrade/upgrade-steps.ts";
import { plan, resource } from "../diff/resources.ts";

const COREFILE = ".:53 {\n    errors\n    ready\n    forward . /etc/resolv.conf\n}\n";

/** The stack dev with a version of Kubernetes. */
function stackWith(version: string, coredns: string, kubeProxy: string) {
  return plan(
    resource("eks:index:Cluster", "cluster", { name: "dev", version }),
    resource("aws:eks/addon:Addon", "proxy", { clusterName: "dev", addonName: "kube-proxy", addonVersion: kubeProxy }),
    resource("aws:eks/addon:Addon", "dns", {
      clusterName: "dev",
      addonName: "coredns",
      addonVersion: coredns,
      configurationValues: JSON.stringify({ corefile: COREFILE }),
    }),
    resource("aws:eks/nodeGroup:NodeGroup", "nodes", {
      clusterName: "dev",
      version,
      scalingConfig: { desiredSize: 2 },
      updateConfig: { maxUnavailable: 1 },
    }),
  );
}

const BEFORE = stackWith("1.35", "v1.13.2-eksbuild.31", "v1.35.3-eksbuild.29");
const AFTER = stackWith("1.36", "v1.14.3-eksbuild.23", "v1.36.0-eksbuild.25");

function upgradeWith(changes: Partial<UpgradeInput> = {}) {
  return planUpgrade({
    stack: "dev",
    cluster: "dev",
    file: "Pulumi.dev.yaml",
    ownsCluster: true,
    step: versionStep("1.35", "1.36"),
    target: AFTER,
    refused: [],
    comparison: comparePlans(BEFORE, AFTER),
    live: undefined,
    today: "2026-11-28",
    ...changes,
  });
}

function object(apiVersion: string, kind: string, name: string, rest: object = {}): KubernetesObject {
  const found = kubernetesObject({ apiVersion, kind, metadata: { name, namespace: "kube-system" }, ...rest });
  assert.ok(found);
  return found;
}

function workload(kind: string, name: string, image: string): KubernetesObject {
  return object("apps/v1", kind, name, { spec: { template: { spec: { containers: [{ name, image }] } } } });
}

const REGISTRY = "602401143452.dkr.ecr.eu-central-1.amazonaws.com/eks";
/** Version v1.35.3-eksbuild.29 of the add-on. */
const TAGGED_PROXY = workload("DaemonSet", "kube-proxy", `${REGISTRY}/kube-proxy:v1.35.3-minimal-eksbuild.29`);

function liveWith(objects: readonly KubernetesObject[], kubelets: readonly string[] = ["v1.35.3-eks-3025e55"]) {
  return liveCluster({
    context: "dev",
    version: "v1.35.3-eks-3025e55",
    nodes: kubelets.map((version, index) => ({
      name: `node-${index}`,
      ready: true,
      version,
      zone: "a",
      osImage: "Amazon Linux 2023",
      runtime: "containerd://2.1.4",
    })),
    objects,
    forbidden: [],
  });
}

describe("the plan of an upgrade", () => {
  it("has EKS's order: control plane, node groups, add-ons, clients", () => {
    const { steps, blockers } = upgradeWith();
    assert.deepEqual(
      steps.map(({ title, how }) => `${title}: ${how}`),
      [
        "prepare: by hand",
        "control plane 1.35 → 1.36: in place",
        "node group nodes → 1.36: nodes replaced",
        "add-on kube-proxy v1.35.3-eksbuild.29 → v1.36.0-eksbuild.25: in place",
        "add-on vpc-cni v1.22.4-eksbuild.3: unchanged",
        "add-on coredns v1.13.2-eksbuild.31 → v1.14.3-eksbuild.23: in place",
        "add-on eks-pod-identity-agent v1.3.10-eksbuild.3: unchanged",
        "clients: by hand",
      ],
    );
    assert.deepEqual(blockers, []);
    for (const { source } of steps) assert.match(source, /^https:\/\/docs\.aws\.amazon\.com\/eks\//);
  });

  it("shows what changes in CoreDNS, and that the Corefile starts", () => {
    const { coredns } = upgradeWith();
    assert.deepEqual(coredns?.changes.added, ["proxyproto", "grpc_server", "https", "https3"]);
    assert.deepEqual(coredns.changes.moved, ["acl: after rewrite (was after dns64)"]);
    assert.ok(coredns.changes.addedOptions.includes("forward: max_age, max_idle_conns"));
    assert.deepEqual([coredns.isChecked, coredns.errors], [true, []]);
  });

  it("is blocked by settings that the new version does not accept", () => {
    const refused = ["dns.corefile.text: CoreDNS cannot run this Corefile: no plugin x"];
    const { blockers, coredns } = upgradeWith({ target: undefined, comparison: undefined, refused });
    assert.deepEqual(blockers, [`settings with 1.36: ${refused[0]}`]);
    assert.deepEqual(coredns?.errors, refused);
    const other = upgradeWith({ target: undefined, comparison: undefined, refused: ["cluster.name: must be set"] });
    assert.equal(other.coredns?.isChecked, false);
    assert.match(formatUpgrade(other), /the Corefile is unknown/);
    assert.doesNotMatch(formatUpgrade({ ...other, components: [] }), /Component versions:/);
  });

  it("is blocked by an old kubelet, a budget that allows no eviction, and a gitRepo volume", () => {
    const budget = object("policy/v1", "PodDisruptionBudget", "web", {
      status: { disruptionsAllowed: 0, expectedPods: 2 },
    });
    const idle = object("policy/v1", "PodDisruptionBudget", "idle", {
      status: { disruptionsAllowed: 0, expectedPods: 0 },
    });
    const pod = object("v1", "Pod", "old", { spec: { volumes: [{ name: "x", gitRepo: { repository: "r" } }] } });
    const live = liveWith([budget, idle, pod], ["v1.35.3-eks-3025e55", "v1.34.6-eks-3025e55", "v1.34.6-eks-3025e55"]);
    assert.deepEqual(live.kubelets, { "v1.34.6-eks-3025e55": 2, "v1.35.3-eks-3025e55": 1 });
    const { blockers, notes, steps } = upgradeWith({ live });
    assert.deepEqual(blockers, [
      "kubelet v1.34.6-eks-3025e55: EKS updates the control plane only once managed nodes are at 1.35",
      "disruption budget kube-system/web allows no eviction: nodes cannot drain",
      "the kubelet runs no pod with a gitRepo volume: clone in an init container or a git-sync sidecar (Pod/kube-system/old)",
    ]);
    assert.deepEqual(notes, []);
    assert.deepEqual(upgradeWith({ live: { ...live, isEks: false, forbidden: ["nodes", "pods"] } }).notes, [
      "the API server of context dev is not EKS's",
      "not readable by this kubeconfig: nodes, pods",
    ]);
    assert.ok(steps.some(({ details }) => details.includes("3 nodes run, 1 at a time")));
  });

  it("prefers running versions to stated ones", () => {
    const live = liveWith([
      workload("Deployment", "coredns", `${REGISTRY}/coredns:v1.12.4-eksbuild.29`),
      workload("DaemonSet", "kube-proxy", `${REGISTRY}/kube-proxy:v1.32.13-minimal-eksbuild.5`),
      workload("DaemonSet", "aws-node", `${REGISTRY}/amazon-k8s-cni:v1.22.4-eksbuild.3@sha256:0`),
    ]);
    const { components, blockers, coredns } = upgradeWith({ live });
    assert.deepEqual(
      components.map(({ component, version, standing }) => `${component} ${version} ${standing}`),
      [
        "kubelet v1.35.3-eks-3025e55 update",
        "kube-proxy v1.32.13-minimal-eksbuild.5 before",
        "vpc-cni v1.22.4-eksbuild.3 default",
        "coredns v1.12.4-eksbuild.29 update",
        "eks-pod-identity-agent v1.3.10-eksbuild.3 default",
      ],
    );
    assert.deepEqual(blockers, [
      "kube-proxy v1.32.13-minimal-eksbuild.5: kube-proxy may be at most 3 minor versions older than the control plane: update it first",
    ]);
    assert.equal(coredns?.changes.from, "1.12.4");
  });

  it("checks the running Corefile if the stack has none", () => {
    const target = plan(resource("kubernetes:core/v1:Namespace", "ns", { metadata: { name: "ns" } }));
    const corefile = object("v1", "ConfigMap", "coredns", { data: { Corefile: ".:53 {\n    upstream\n}\n" } });
    const image = workload("Deployment", "coredns", `${REGISTRY}/coredns:v1.13.2-eksbuild.31`);
    const live = liveWith([corefile, image]);
    const { blockers } = upgradeWith({ ownsCluster: false, target, comparison: undefined, live });
    const expected = /^the Corefile with CoreDNS 1\.14\.3: \.:53: .*upstream/;
    assert.ok(
      blockers.some((blocker) => expected.test(blocker)),
      blockers.join("\n"),
    );
    const sound = object("v1", "ConfigMap", "coredns", {
      data: {
        Corefile:
          ".:53 {\n    errors\n    health\n    ready\n    kubernetes cluster.local\n    forward . /etc/resolv.conf\n}\n",
      },
    });
    const fine = upgradeWith({ ownsCluster: false, target, comparison: undefined, live: liveWith([sound, image]) });
    assert.deepEqual(fine.blockers, []);
  });

  it("says that a pinned add-on stays", () => {
    const pinned = stackWith("1.36", "v1.14.3-eksbuild.23", "v1.35.3-eksbuild.29");
    for (const live of [undefined, liveWith([TAGGED_PROXY])]) {
      const { steps } = upgradeWith({ target: pinned, comparison: comparePlans(BEFORE, pinned), live });
      const proxy = steps.find(({ title }) => title.includes("kube-proxy"));
      const details = ["the stack pins it: set v1.36.0-eksbuild.25 to update it"];
      assert.deepEqual([proxy?.how, proxy?.details], ["unchanged", details]);
    }
  });

  it("ends with the rollback: node groups, add-ons, then the control plane", () => {
    const { wayBack } = upgradeWith();
    const order = [
      "update-nodegroup-version",
      "--addon-name kube-proxy",
      "--addon-name coredns",
      "update-cluster-version",
    ];
    const places = order.map((word) => wayBack.findIndex((line) => line.includes(word)));
    assert.deepEqual(
      places,
      [...places].sort((a, b) => a - b),
    );
    assert.ok(!places.includes(-1));
    assert.match(wayBack[0] ?? "", /within 7 days, once, and not for a cluster created with 1\.36/);
    assert.ok(!wayBack.some((line) => line.includes("extended support")));
    assert.ok(upgradeWith({ today: "2027-03-28" }).wayBack.some((line) => line.includes("upgrade policy to EXTENDED")));
  });

  it("rolls back only the add-ons that it changes, to the versions that ran", () => {
    const addons = (changes: Partial<UpgradeInput>) =>
      upgradeWith(changes).wayBack.flatMap((line) => /--addon-name (\S+ --addon-version \S+)$/.exec(line)?.[1] ?? []);
    const proxy = "kube-proxy --addon-version v1.35.3-eksbuild.29";
    const both = [proxy, "coredns --addon-version v1.13.2-eksbuild.31"];
    assert.deepEqual(addons({}), both);
    const comparison = (before: typeof BEFORE, target: typeof BEFORE) => ({
      target,
      comparison: comparePlans(before, target),
    });
    const pinned = stackWith("1.36", "v1.12.4-eksbuild.29", "v1.36.0-eksbuild.25");
    const older = stackWith("1.35", "v1.12.4-eksbuild.29", "v1.35.3-eksbuild.29");
    assert.deepEqual(addons(comparison(older, pinned)), [proxy]);
    assert.deepEqual(addons(comparison(older, AFTER)), [proxy, "coredns --addon-version v1.12.4-eksbuild.29"]);
    const elsewhere = { ownsCluster: false, comparison: undefined };
    const none = plan(resource("kubernetes:core/v1:Namespace", "ns", { metadata: { name: "ns" } }));
    assert.deepEqual(addons({ ...elsewhere, target: none }), both);
    assert.deepEqual(addons({ ...elsewhere, target: none, compute: "auto" }), []);
    const adopted = plan(resource("eks-dns-logging:dns:CoreDns", "dns", {}));
    assert.deepEqual(addons({ ...elsewhere, target: adopted }), [proxy]);
    const live = liveWith([workload("Deployment", "coredns", `${REGISTRY}/coredns:v1.14.3-eksbuild.23`)]);
    assert.deepEqual(addons({ ...elsewhere, target: none, live }), [proxy]);
    const own = workload("Deployment", "coredns", "registry.k8s.io/coredns/coredns:v1.12.4");
    assert.deepEqual(addons({ live: liveWith([TAGGED_PROXY, own]) }), both);
  });

  it("says after 180 days that its data is old", () => {
    assert.ok(!upgradeWith({ today: "2027-05-27" }).notes.some((note) => note.includes("looked up")));
    const { notes } = upgradeWith({ today: "2027-05-28" });
    assert.equal(
      notes[0],
      "Kubernetes and add-on versions were looked up on 2026-11-28, 181 days ago: update eks-dns-logging",
    );
  });

  it("names the plugins of the Corefile that move in the order of execution", () => {
    assert.deepEqual(upgradeWith().coredns?.affected, []);
    const withAcl = object("v1", "ConfigMap", "coredns", { data: { Corefile: ".:53 {\n    acl\n    cache\n}\n" } });
    const target = plan(resource("kubernetes:core/v1:Namespace", "ns", { metadata: { name: "ns" } }));
    const image = workload("Deployment", "coredns", `${REGISTRY}/coredns:v1.13.2-eksbuild.31`);
    const live = liveWith([withAcl, image]);
    const upgrade = upgradeWith({ ownsCluster: false, target, comparison: undefined, live });
    assert.deepEqual(upgrade.coredns?.affected, ["acl"]);
    assert.match(formatUpgrade(upgrade), /the Corefile uses acl, which was moved or removed/);
  });

  it("shows changed behavior of lines that the Corefile has", () => {
    assert.deepEqual(upgradeWith().coredns?.behavior, []);
    const corefile = `${COREFILE.slice(0, -2)}    prometheus :9153\n}\n`;
    const target = plan(
      resource("aws:eks/addon:Addon", "dns", {
        clusterName: "dev",
        addonName: "coredns",
        addonVersion: "v1.14.3-eksbuild.23",
        configurationValues: JSON.stringify({ corefile }),
      }),
    );
    const upgrade = upgradeWith({ target, comparison: undefined });
    assert.deepEqual(
      upgrade.coredns?.behavior.map(({ version }) => version),
      ["1.14.0"],
    );
    assert.match(formatUpgrade(upgrade), /behaves differently since 1\.14\.0: the label plugin .*\n.*pull\/7791/);
  });

  it("knows no add-ons of an existing cluster before it reads them", () => {
    const { components } = upgradeWith({ ownsCluster: false });
    assert.deepEqual(
      components.map(({ component }) => component),
      ["kube-proxy", "coredns"],
    );
    assert.match(
      upgradeWith({ ownsCluster: false }).notes.at(-1) ?? "",
      /^vpc-cni, eks-pod-identity-agent are not listed, since the owner of dev updates what the stack does not make/,
    );
    assert.equal(upgradeWith({ ownsCluster: false, compute: "auto" }).notes.length, 1);
    assert.equal(upgradeWith().notes.length, 1);
    const none = plan(resource("kubernetes:core/v1:Namespace", "ns", { metadata: { name: "ns" } }));
    assert.deepEqual(upgradeWith({ ownsCluster: false, target: none, comparison: undefined }).components, []);
  });

  it("lists an add-on of unknown version", () => {
    const upgrade = upgradeWith({
      step: versionStep("1.33", "1.34"),
      target: stackWith("1.34", "v1.12.4-eksbuild.29", "v1.34.6-eksbuild.21"),
      comparison: undefined,
    });
    assert.deepEqual(
      upgrade.components.map(({ component, version, standing, wanted }) => [component, version, standing, wanted]),
      [
        ["kube-proxy", "unknown", "unknown", "v1.34.6-eksbuild.21"],
        ["coredns", "v1.12.4-eksbuild.29", "default", "v1.12.4-eksbuild.29"],
      ],
    );
    assert.match(
      upgrade.components[0]?.reason ?? "",
      /^its version with 1\.33 is not known: .*--cluster-name dev --addon-name kube-proxy$/,
    );
    assert.ok(upgrade.steps.some(({ title }) => title === "add-on kube-proxy → v1.34.6-eksbuild.21"));
    assert.ok(
      upgrade.wayBack.some((line) =>
        /^add-ons are not rolled back: a version of kube-proxy for 1\.33, listed by aws eks .*/.test(line),
      ),
    );
  });

  it("lets EKS Auto Mode and Fargate have nodes of their own kind", () => {
    const nodes = (compute: "auto" | "fargate") => upgradeWith({ ownsCluster: false, compute }).steps[2];
    assert.deepEqual([nodes("auto")?.how, nodes("fargate")?.title], ["nodes replaced", "Fargate pods"]);
  });

  it("leaves control plane and nodes to the owner of an existing cluster", () => {
    const { steps } = upgradeWith({ ownsCluster: false });
    assert.equal(steps[1]?.how, "by its owner");
    assert.match(steps[1]?.details[0] ?? "", /then set cluster\.kubernetesVersion: "1\.36"/);
    assert.equal(steps[2]?.how, "by their owner");
  });

  it("prints each part, with its sources", () => {
    const text = formatUpgrade(upgradeWith());
    for (const part of [
      /^Upgrade of .*dev.*Kubernetes .*1\.35 → 1\.36/,
      /Nothing blocks the upgrade/,
      /Steps, in EKS's order/,
      /coredns +v1\.13\.2-eksbuild\.31 +update +v1\.14\.3-eksbuild\.23/,
      /What changes with Kubernetes 1\.36/,
      /github\.com\/kubernetes\/enhancements\/issues\/5040/,
      /rollback-cluster\.html$/m,
    ])
      assert.match(text, part);
  });
});
