import assert from "node:assert/strict";
import {
  type Component,
  judgeComponent,
  knownVersions,
  type Standing,
  unknownVersion,
  type VersionStep,
  versionStep,
} from "eks-dns-logging-corefile/addon";

/** Steps between versions: what the user guide says of updating and of rolling back. */
const STEPS: readonly (readonly [from: string, to: string, kind: VersionStep["kind"], reason?: RegExp])[] = [
  ["1.33", "1.34", "upgrade"],
  ["1.34", "1.35", "upgrade"],
  ["1.35", "1.36", "upgrade"],
  ["1.36", "1.37", "upgrade"],
  ["1.36", "1.36", "none"],
  ["1.36", "1.35", "rollback"],
  ["1.35", "1.34", "rollback"],
  ["1.34", "1.36", "refused", /one minor version at a time: upgrade to 1\.35 first$/],
  ["1.33", "1.36", "refused", /upgrade to 1\.34 first$/],
  ["1.36", "1.34", "refused", /rolls back one minor version only/],
  ["1.36", "1.33", "refused", /rolls back one minor version only/],
  ["1.9", "1.10", "upgrade"],
  ["1.035", "1.36", "refused", /^"1\.035" is not a Kubernetes version/],
  ["latest", "1.36", "refused", /^"latest" is not a Kubernetes version/],
  ["1.36", "v1.36.3", "refused", /^"v1\.36\.3" is not a Kubernetes version/],
];

/**
 * Components on a step. kubelet and kube-proxy by https://kubernetes.io/releases/version-skew-policy/, nodes and vpc-cni by
 * https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html, the way back by .../rollback-cluster.html.
 */
const PAIRS: readonly (readonly [
  step: `${string} ${string}`,
  component: Component,
  version: string,
  standing: Standing,
  reason?: RegExp,
])[] = [
  // kubelet: as the control plane before the step, never newer, three minor versions older at most.
  ["1.35 1.36", "kubelet", "v1.35.3-eks-3025e55", "update", /follow the control plane to 1\.36/],
  ["1.35 1.36", "kubelet", "v1.36.0-eks-3025e55", "default"],
  ["1.35 1.36", "kubelet", "v1.34.6-eks-3025e55", "before", /managed nodes are at 1\.35/],
  ["1.35 1.36", "kubelet", "v1.33.10", "before", /once managed nodes are at/],
  ["1.35 1.36", "kubelet", "v1.32.13", "before", /3 minor versions older/],
  ["1.35 1.36", "kubelet", "v1.37.0", "before", /must not be newer/],
  ["1.34 1.35", "kubelet", "v1.34.6", "update"],
  ["1.34 1.35", "kubelet", "v1.31.14", "before", /3 minor versions older/],
  ["1.34 1.35", "kubelet", "v1.36.0", "before", /must not be newer/],
  ["1.36 1.35", "kubelet", "v1.36.0", "before", /change it to 1\.35 first/],
  ["1.36 1.35", "kubelet", "v1.35.3", "default"],
  ["1.35 1.34", "kubelet", "v1.35.3", "before", /change it to 1\.34 first/],
  ["1.35 1.34", "kubelet", "v1.34.6", "default"],
  ["1.36 1.36", "kubelet", "v1.36.0", "default"],
  ["1.35 1.36", "kubelet", "none", "unknown"],
  // kube-proxy: never newer, three minor versions older at most.
  ["1.35 1.36", "kube-proxy", "v1.36.0-eksbuild.25", "default"],
  ["1.35 1.36", "kube-proxy", "v1.36.0-eksbuild.2", "update", /older than the default/],
  ["1.35 1.36", "kube-proxy", "v1.36.0-minimal-eksbuild.25", "compatible"],
  ["1.35 1.36", "kube-proxy", "v1.36.4-eksbuild.1", "newer", /--addon-name kube-proxy --kubernetes-version 1\.36/],
  ["1.35 1.36", "kube-proxy", "v1.35.3-eksbuild.29", "update"],
  ["1.35 1.36", "kube-proxy", "v1.34.6-eksbuild.21", "update"],
  ["1.35 1.36", "kube-proxy", "v1.33.10-eksbuild.2", "update"],
  ["1.35 1.36", "kube-proxy", "v1.32.13-eksbuild.5", "before", /3 minor versions older/],
  ["1.35 1.36", "kube-proxy", "v1.37.0-eksbuild.1", "before", /must not be newer/],
  ["1.34 1.35", "kube-proxy", "v1.34.6-eksbuild.21", "update"],
  ["1.34 1.35", "kube-proxy", "v1.35.3-eksbuild.29", "default"],
  ["1.34 1.35", "kube-proxy", "v1.32.13-eksbuild.5", "update"],
  ["1.34 1.35", "kube-proxy", "v1.31.14-eksbuild.9", "before", /3 minor versions older/],
  ["1.34 1.35", "kube-proxy", "v1.36.0-eksbuild.25", "before", /must not be newer/],
  ["1.36 1.35", "kube-proxy", "v1.36.0-eksbuild.25", "before", /change it to 1\.35 first/],
  ["1.36 1.35", "kube-proxy", "v1.35.3-eksbuild.29", "default"],
  ["1.36 1.35", "kube-proxy", "v1.34.6-eksbuild.21", "update"],
  ["1.35 1.34", "kube-proxy", "v1.35.3-eksbuild.29", "before", /must not be newer/],
  ["1.35 1.34", "kube-proxy", "v1.34.6-eksbuild.21", "default"],
  ["1.36 1.37", "kube-proxy", "v1.36.0-eksbuild.25", "unknown", /no default is known with 1\.37/],
  ["1.35 1.36", "kube-proxy", "latest", "unknown", /no version that can be read/],
  // CoreDNS: one build of EKS's for each Kubernetes version.
  ["1.35 1.36", "coredns", "v1.14.3-eksbuild.23", "default"],
  ["1.35 1.36", "coredns", "v1.10.1-eksbuild.11", "before", /4 minor versions older than EKS's default v1\.14\.3/],
  ["1.35 1.36", "coredns", "v1.11.4-eksbuild.24", "update"],
  ["1.35 1.36", "coredns", "v1.14.3-eksbuild.3", "update", /older build of the same CoreDNS/],
  ["1.35 1.36", "coredns", "v1.13.2-eksbuild.31", "update", /an older CoreDNS than/],
  ["1.35 1.36", "coredns", "v1.12.4-eksbuild.29", "update", /an older CoreDNS than/],
  ["1.35 1.36", "coredns", "v1.14.6-eksbuild.4", "newer", /--addon-name coredns --kubernetes-version 1\.36/],
  ["1.34 1.35", "coredns", "v1.12.4-eksbuild.29", "update"],
  ["1.34 1.35", "coredns", "v1.13.2-eksbuild.31", "default"],
  ["1.34 1.35", "coredns", "v1.14.3-eksbuild.23", "newer"],
  ["1.33 1.34", "coredns", "v1.12.4-eksbuild.29", "default"],
  ["1.36 1.35", "coredns", "v1.14.3-eksbuild.23", "newer", /--kubernetes-version 1\.35/],
  ["1.36 1.35", "coredns", "v1.13.2-eksbuild.31", "default"],
  ["1.35 1.34", "coredns", "v1.13.2-eksbuild.31", "newer"],
  ["1.35 1.34", "coredns", "v1.12.4-eksbuild.29", "default"],
  ["1.35 1.36", "coredns", "v1.14.3", "update", /older build/],
  ["1.36 1.37", "coredns", "v1.14.3-eksbuild.23", "unknown"],
  ["1.35 1.36", "coredns", "", "unknown"],
  // vpc-cni: one build for all; old ones go step by step.
  ["1.35 1.36", "vpc-cni", "v1.22.4-eksbuild.3", "default"],
  ["1.34 1.35", "vpc-cni", "v1.22.4-eksbuild.3", "default"],
  ["1.36 1.35", "vpc-cni", "v1.22.4-eksbuild.3", "default"],
  ["1.35 1.36", "vpc-cni", "v1.22.4-eksbuild.1", "update"],
  ["1.35 1.36", "vpc-cni", "v1.21.1-eksbuild.1", "update", /older than the default/],
  ["1.35 1.36", "vpc-cni", "v1.20.1-eksbuild.3", "update", /2 minor versions behind: AWS recommends one at a time/],
  ["1.35 1.36", "vpc-cni", "v1.8.0-eksbuild.1", "update", /14 minor versions behind/],
  ["1.35 1.36", "vpc-cni", "v1.7.10-eksbuild.1", "before", /before v1\.8\.0/],
  ["1.35 1.36", "vpc-cni", "v1.6.3-eksbuild.2", "before", /require v1\.7\.0 first/],
  ["1.35 1.36", "vpc-cni", "v1.23.1-eksbuild.1", "newer"],
  ["1.36 1.35", "vpc-cni", "v1.23.1-eksbuild.1", "newer", /--kubernetes-version 1\.35/],
  ["1.32 1.33", "vpc-cni", "v1.20.1-eksbuild.3", "unknown", /no default is known with 1\.33/],
  // The Pod Identity agent.
  ["1.35 1.36", "eks-pod-identity-agent", "v1.3.10-eksbuild.3", "default"],
  ["1.35 1.36", "eks-pod-identity-agent", "v1.3.8-eksbuild.2", "update"],
  ["1.35 1.36", "eks-pod-identity-agent", "v1.4.0-eksbuild.2", "newer"],
  ["1.36 1.35", "eks-pod-identity-agent", "v1.3.10-eksbuild.3", "default"],
];

describe("EKS's rules of an upgrade", () => {
  it(`judge ${STEPS.length} pairs of versions`, () => {
    for (const [from, to, kind, reason] of STEPS) {
      const step = versionStep(from, to);
      assert.equal(step.kind, kind, `${from} → ${to}: ${step.reason}`);
      assert.equal(step.reason === "", kind !== "refused", `${from} → ${to}`);
      if (reason !== undefined) assert.match(step.reason, reason);
    }
  });

  it(`judge ${PAIRS.length} components, each on a step`, () => {
    assert.ok(PAIRS.length >= 60);
    assert.equal(new Set(PAIRS.map((pair) => pair.slice(0, 3).join(" "))).size, PAIRS.length, "a pair twice");
    for (const [step, component, version, standing, reason] of PAIRS) {
      const [from = "", to = ""] = step.split(" ");
      const verdict = judgeComponent(component, version, { from, to });
      assert.equal(verdict.standing, standing, `${step} ${component} ${version}: ${verdict.reason}`);
      if (reason !== undefined) assert.match(verdict.reason, reason);
    }
    const reached = new Set(PAIRS.map(([, , , standing]) => standing));
    assert.deepEqual([...reached].sort(), ["before", "compatible", "default", "newer", "unknown", "update"]);
  });

  it("name the version for after the step", () => {
    const step = { from: "1.35", to: "1.36" };
    assert.equal(judgeComponent("coredns", "v1.13.2-eksbuild.31", step).wanted, "v1.14.3-eksbuild.23");
    assert.equal(judgeComponent("kubelet", "v1.35.3", step).wanted, "1.36");
    assert.equal(judgeComponent("coredns", "v1.13.2-eksbuild.31", { from: "1.36", to: "1.37" }).wanted, undefined);
  });

  it("accept each set of defaults for its own version, and update it for the next", () => {
    const defaults = { "1.34": "1.35", "1.35": "1.36" };
    for (const [from, to] of Object.entries(defaults))
      for (const component of ["coredns", "kube-proxy"] as const) {
        const { wanted = "" } = judgeComponent(component, "v0.0.0", { from, to: from });
        assert.equal(judgeComponent(component, wanted, { from, to: from }).standing, "default");
        assert.equal(judgeComponent(component, wanted, { from, to }).standing, "update");
      }
  });

  it("reject a version that the data does not have", () => {
    for (const version of knownVersions()) assert.equal(unknownVersion(version), undefined);
    assert.match(
      unknownVersion("1.99") ?? "",
      /not among the versions known on \d{4}-\d\d-\d\d .*: update eks-dns-logging/,
    );
    assert.match(unknownVersion("newest") ?? "", /^"newest" is not a Kubernetes version/);
  });
});
