import assert from "node:assert/strict";
import { type Group, UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import { RULES } from "../../../policies/pack.ts";
import { type CasesByRule, describeRule } from "./cases.ts";
import { named, type SampleResource } from "./samples.ts";

const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";
const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const COREFILE =
  ".:53 {\n  errors\n  health {\n    lameduck 5s\n  }\n  ready\n  kubernetes cluster.local\n  forward . 10.0.0.2\n  cache\n  loop\n  reload\n}\n";
const ETCD = ".:53 {\n  etcd example.org {\n    endpoint http://etcd:2379\n  }\n}\n";
const CHART_LABELS = { "k8s-app": "coredns", "app.kubernetes.io/instance": "dns", "app.kubernetes.io/name": "coredns" };

/** A CoreDNS as its Helm chart installs it: as release `dns`, as a cluster service unless labels say otherwise. */
const chart = (
  spec: Group,
  { labels = CHART_LABELS, image = "coredns/coredns:1.13.1" }: { labels?: Value; image?: Value } = {},
  [namespace, name] = ["dns", "dns-coredns"],
): SampleResource => ({
  type: DEPLOYMENT,
  name,
  props: {
    metadata: { name, namespace },
    spec: {
      ...spec,
      template: {
        metadata: { labels },
        spec: {
          containers: [{ name: "coredns", image }],
          volumes: [{ name: "config-volume", configMap: { name: "dns-coredns" } }],
        },
      },
    },
  },
});

const corefile = (text: Value, metadata: Group, name = "corefile"): SampleResource => ({
  type: CONFIG_MAP,
  name,
  props: { metadata, data: { Corefile: text } },
});

const RKE2 = {
  labels: { "k8s-app": "kube-dns", "app.kubernetes.io/name": "rke2-coredns" },
  image: "rancher/hardened-coredns:v1.13.1-build20251015",
};
const RKE2_PLACE = ["kube-system", "rke2-coredns-rke2-coredns"] as const;

/** What scales the Deployment of the release. */
const scaler = (spec: Group, target: Value = "dns-coredns", namespace = "dns"): SampleResource => ({
  type: "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
  name: "scaler",
  props: {
    metadata: { name: "scaler", namespace },
    spec: { scaleTargetRef: { kind: "Deployment", name: target }, ...spec },
  },
});
const proportional = (target: Value, namespace = "dns"): SampleResource => ({
  type: DEPLOYMENT,
  name: "dns-coredns-autoscaler",
  props: {
    metadata: { name: "dns-coredns-autoscaler", namespace },
    spec: {
      replicas: 1,
      template: {
        metadata: { labels: { "k8s-app": "coredns-autoscaler" } },
        spec: { containers: [{ name: "autoscaler", command: ["/cluster-proportional-autoscaler", target] }] },
      },
    },
  },
});

/** A patch by this program's component. */
const patched = (type: string, props: Group): SampleResource => ({
  type,
  parent: "eks-dns-logging:dns:CoreDns",
  name: "coredns-patch",
  props,
});

const ONE = { replicas: 1 };
const ALONE = "Deployment/dns/dns-coredns: spec.replicas is 1, so one node takes DNS away. Fix: set spec.replicas: 2";
const NOT_SET = "Deployment/dns/dns-coredns: spec.replicas is not set, so one node takes DNS away";
const OWN_CHART = { name: "dns-coredns", namespace: "dns", labels: CHART_LABELS };

const CASES: CasesByRule = {
  "coredns-replicas": {
    good: {
      "two pods of a Helm release": [chart({ replicas: 2 })],
      "a test with CoreDNS's image": [chart(ONE, { labels: { app: "dns-test" } })],
      "an external DNS by the chart": [chart(ONE, { labels: { "app.kubernetes.io/name": "coredns" } })],
      "an external DNS with etcd, though the chart's labels say otherwise": [
        chart(ONE),
        corefile(ETCD, { name: "dns-coredns", namespace: "dns" }),
      ],
      "another program whose name ends so": [chart(ONE, { image: "acme/testcoredns:1.0.0" })],
      "another program with the label": [chart(ONE, { image: "registry.k8s.io/dns/k8s-dns-node-cache:1.26.8" })],
      "an autoscaler that keeps two": [chart({}), scaler({ minReplicas: 2, maxReplicas: 9 })],
      "an autoscaler by the size of the cluster": [chart({}), proportional("--target=Deployment/dns-coredns")],
      "an autoscaler of several targets": [chart({}), proportional("--target=Deployment/web,deployment/dns-coredns")],
      "an autoscaler in another namespace": [
        chart({}),
        proportional("--namespace=dns --target=deployment/dns-coredns", "kube-system"),
      ],
      "an autoscaler that keeps two, beside one of something unknown": [
        chart({}),
        scaler({}, UNKNOWN),
        scaler({ minReplicas: 2 }),
      ],
      "an autoscaler by the size of the cluster, beside a program with unknown words": [
        chart({}),
        proportional(UNKNOWN),
        proportional("--target=deployment/dns-coredns"),
      ],
      "an autoscaler that keeps two, beside one of something unknown in another namespace": [
        chart({}),
        scaler({}, UNKNOWN, "web"),
        scaler({ minReplicas: 2 }),
      ],
      "an unknown number of pods of something else": [chart({ replicas: UNKNOWN }, { image: "nginx:1.29.8" })],
      "a workload with unknown image and labels": [chart(ONE, { labels: UNKNOWN, image: UNKNOWN })],
    },
    bad: {
      "one pod of a Helm release": [[chart(ONE)], ALONE],
      "one pod, with a Corefile that serves the cluster": [
        [chart(ONE), corefile(COREFILE, { name: "dns-coredns", namespace: "dns" })],
        ALONE,
      ],
      "one pod, with another release's Corefile with etcd": [
        [chart(ONE), corefile(ETCD, { name: "dns-coredns", namespace: "external" })],
        ALONE,
      ],
      "one pod from a mirror, with the usual label": [
        [chart(ONE, { labels: { "k8s-app": "kube-dns" }, image: "rancher/mirrored-coredns-coredns:1.12.3" })],
        ALONE,
      ],
      "one pod of RKE2": [
        [chart(ONE, RKE2, [...RKE2_PLACE])],
        "Deployment/kube-system/rke2-coredns-rke2-coredns: spec.replicas is 1, so one node",
      ],
      "the number left out": [[chart({})], NOT_SET],
      "the number left out, beside what scales something unknown in another namespace": [
        [chart({}), scaler({ minReplicas: 2 }, UNKNOWN, "web"), proportional(UNKNOWN, "web")],
        NOT_SET,
      ],
      "no number, with an autoscaler for another Deployment": [
        [chart({}), scaler({ minReplicas: 2 }, "web"), proportional("--target=deployment/web")],
        NOT_SET,
      ],
      "the number left out, beside what scales the same name in another namespace": [
        [
          chart({}),
          scaler({ minReplicas: 2 }, "dns-coredns", "web"),
          proportional("--target=deployment/dns-coredns", "web"),
        ],
        NOT_SET,
      ],
      "an autoscaler that keeps one": [
        [chart({}), scaler({ maxReplicas: 9 })],
        "HorizontalPodAutoscaler/dns/scaler: spec.minReplicas is not set, so one node takes DNS away. Fix: set spec.minReplicas: 2",
      ],
      "a patch of the adopted one": [
        [
          patched("kubernetes:apps/v1:DeploymentPatch", {
            metadata: { name: "dns-coredns", namespace: "dns" },
            spec: ONE,
          }),
        ],
        "DeploymentPatch/dns/dns-coredns: spec.replicas is 1, so one node takes DNS away",
      ],
    },
    unknown: {
      "an autoscaler of something unknown": [
        [chart({}), scaler({ minReplicas: 2 }, UNKNOWN)],
        "HorizontalPodAutoscaler/dns/scaler: spec.scaleTargetRef.name is known only",
      ],
      "an image that may be CoreDNS's": [
        [chart(ONE, { image: UNKNOWN })],
        "Deployment/dns/dns-coredns: spec.template.spec.containers[0].image is known only",
      ],
    },
  },
  "coredns-corefile-complete": {
    good: {
      "an external DNS with etcd under CoreDNS's own name": [
        corefile(ETCD, { name: "coredns", namespace: "external" }),
      ],
      "an external DNS by the chart": [corefile(ETCD, OWN_CHART)],
      "that of a Helm release": [corefile(COREFILE, OWN_CHART)],
      // What runs under names of its own can be adopted as it is.
      "one that is adopted elsewhere, without loop": [
        patched("kubernetes:core/v1:ConfigMapPatch", {
          metadata: { name: "resolver-config", namespace: "dns" },
          data: { Corefile: COREFILE.replace("  loop\n", "") },
        }),
      ],
      "that of a Helm release whose pods have no right to port 53": [
        corefile(COREFILE.replace(".:53", "dns://.:5353"), OWN_CHART),
      ],
      "that of the adopted one at another port, in kube-system too": [
        patched("kubernetes:core/v1:ConfigMapPatch", {
          metadata: { name: "coredns", namespace: "kube-system" },
          data: { Corefile: COREFILE.replace(".:53", ".:1053") },
        }),
      ],
      "what another block at another port lacks": [corefile(`${COREFILE}.:5353 {\n  whoami\n}\n`, OWN_CHART)],
    },
    bad: {
      "one at another port than the usual Service leads to": [
        [corefile(COREFILE.replace(".:53", ".:5353"), { name: "coredns", namespace: "kube-system" })],
        "ConfigMap/kube-system/coredns: data.Corefile: the Corefile, which has no server block for the zone .. Fix: add a server block .:53",
      ],
      "one of a Helm release for other queries alone": [
        [corefile(COREFILE.replace(".:53", "tls://.:853"), OWN_CHART)],
        "ConfigMap/dns/dns-coredns: data.Corefile: the Corefile, which has no server block for the zone .",
      ],
      "one that may import kubernetes, under CoreDNS's own name elsewhere": [
        [corefile(COREFILE.replace("kubernetes cluster.local", "import more"), { name: "coredns", namespace: "dns" })],
        "ConfigMap/dns/coredns: data.Corefile: the Corefile, which lacks the plugin kubernetes",
      ],
      "that of a Helm release in another namespace, without loop": [
        [corefile(COREFILE.replace("  loop\n", ""), OWN_CHART)],
        "ConfigMap/dns/dns-coredns: data.Corefile: the Corefile, which lacks the plugin loop",
      ],
      "one without the plugin kubernetes in kube-system": [
        named(
          [corefile(COREFILE, { name: "coredns", namespace: "kube-system" })],
          "corefile",
          "data.Corefile",
          COREFILE.replace("  kubernetes cluster.local\n", ""),
        ),
        "ConfigMap/kube-system/coredns: data.Corefile: the Corefile, which lacks the plugin kubernetes",
      ],
    },
    unknown: {
      "a Corefile of a Helm release": [
        [corefile(UNKNOWN, OWN_CHART)],
        "ConfigMap/dns/dns-coredns: data.Corefile is known only",
      ],
    },
  },
};

for (const rule of RULES.filter(({ id }) => id in CASES))
  describe(`${rule.id}, of a CoreDNS that is not kube-system/coredns`, () => {
    describeRule(rule, CASES[rule.id] ?? assert.fail());
  });
