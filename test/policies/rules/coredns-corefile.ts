import { UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import { EKS_COREFILE } from "../../support/eks-corefile.ts";
import type { CasesByRule } from "./cases.ts";
import { corefile, GOOD, IN, NOT_YET, UNKNOWN_CONFIGURATION } from "./coredns-samples.ts";
import { first, type Sample } from "./samples.ts";

const lacking = (line: string) => corefile(EKS_COREFILE.replace(`    ${line}\n`, ""));
const configMap = (text: Value): Sample => [
  {
    type: "kubernetes:core/v1:ConfigMap",
    name: "corefile",
    props: { metadata: { name: "coredns", namespace: "kube-system" }, data: { Corefile: text } },
  },
];
const patch = (text: Value): Sample => configMap(text).map((one) => ({ ...one, type: `${one.type}Patch` }));

export const COREDNS_COREFILE_CASES: CasesByRule = {
  "coredns-corefile-complete": {
    good: {
      ...GOOD,
      "the default of EKS": corefile(EKS_COREFILE),
      "a ConfigMap": configMap(EKS_COREFILE),
      "a ConfigMap that imports more, as k3s has it": configMap(`${EKS_COREFILE}import /etc/coredns/custom/*.server\n`),
      "the ConfigMap of a release elsewhere, which may be no cluster's DNS": first(
        first(configMap(". {\n  whoami\n}\n"), "metadata.name", "outside-coredns"),
        "metadata.namespace",
        "web",
      ),
      "plugins of a snippet": corefile(
        `(common) {\n  errors\n  import more\n}\n(more) {\n  loop\n}\n${EKS_COREFILE.replace("    errors\n", "    import common\n").replace("    loop\n", "")}`,
      ),
      "an unknown name of a ConfigMap without a Corefile": first(
        first(configMap("x"), "data", { "app.ini": "a=b" }),
        "metadata.name",
        UNKNOWN,
      ),
      "an extra brace, which CoreDNS reads as another zone": corefile(`${EKS_COREFILE}}\n`),
      "another ConfigMap": first(configMap("x {"), "metadata.name", "other"),
      "kubernetes in a zone of its own, comments, and a snippet": corefile(
        `(log) {\n  log\n}\n${EKS_COREFILE.replace("kubernetes cluster.local", "# kubernetes cluster.local").replace(/ {4}# kub[^}]*}\n/, "")}\ncluster.local:53 {\n  kubernetes\n}\n`,
      ),
    },
    bad: {
      "no errors": [
        lacking("errors"),
        `${IN}the Corefile, whose server block for . lacks the plugin errors. Fix: add the plugin`,
      ],
      "no ready": [lacking("ready"), `${IN}the Corefile, which lacks the plugin ready`],
      "no forward": [
        lacking("forward . /etc/resolv.conf"),
        `${IN}the Corefile, whose server block for . lacks the plugin forward`,
      ],
      "no cache": [lacking("cache 30"), `${IN}the Corefile, whose server block for . lacks the plugin cache`],
      "no loop": [lacking("loop"), `${IN}the Corefile, which lacks the plugin loop`],
      "no reload": [lacking("reload"), `${IN}the Corefile, which lacks the plugin reload`],
      "no health": [
        corefile(EKS_COREFILE.replace(/ {4}health {[^}]*}\n/, "")),
        `${IN}the Corefile, which lacks the plugin health`,
      ],
      "no kubernetes": [
        corefile(EKS_COREFILE.replace(/ {4}kubernetes [^}]*}\n/, "")),
        `${IN}the Corefile, which lacks the plugin kubernetes`,
      ],
      "a ConfigMap without loop": [
        configMap(EKS_COREFILE.replace("    loop\n", "")),
        "ConfigMap/kube-system/coredns: data.Corefile: the Corefile, which lacks the plugin loop",
      ],
      "the ConfigMap of a Helm release": [
        first(configMap(EKS_COREFILE.replace("    loop\n", "")), "metadata.name", "dns-coredns"),
        "ConfigMap/kube-system/dns-coredns: data.Corefile: the Corefile, which lacks the plugin loop",
      ],
      "a patch of EKS's ConfigMap": [
        patch(EKS_COREFILE.replace("    loop\n", "")),
        "ConfigMapPatch/kube-system/coredns: data.Corefile: the Corefile, which lacks the plugin loop",
      ],
      "a snippet that is not imported": [
        corefile(`(common) {\n  loop\n}\n${EKS_COREFILE.replace("    loop\n", "")}`),
        `${IN}the Corefile, which lacks the plugin loop`,
      ],
      "a snippet that imports itself": [
        corefile(`(common) {\n  import common\n}\n${EKS_COREFILE.replace("    loop\n", "    import common\n")}`),
        `${IN}the Corefile, with which CoreDNS does not start: line 2: the snippet (common) imports itself`,
      ],
      "no block for all names": [
        corefile(EKS_COREFILE.replace(".:53", "cluster.local:53")),
        `${IN}the Corefile, which has no server block for the zone .. Fix: add a server block .:53`,
      ],
      "a brace too few": [
        corefile(".:53 {\n  errors\n"),
        `${IN}the Corefile, with which CoreDNS does not start: line 2: the text ends before a closing brace`,
      ],
    },
    unknown: {
      "an unknown configuration": [UNKNOWN_CONFIGURATION, NOT_YET],
      "the unknown name of a ConfigMap that has a Corefile": [
        first(configMap(EKS_COREFILE), "metadata.name", UNKNOWN),
        "ConfigMap/kube-system/corefile: metadata.name is known only",
      ],
      "an unknown ConfigMap": [configMap(UNKNOWN), "ConfigMap/kube-system/coredns: data.Corefile is known only"],
    },
  },
  "coredns-lameduck": {
    good: {
      ...GOOD,
      "20 seconds": corefile(EKS_COREFILE.replace("5s", "20s")),
      "a patch for pods with a grace period of their own": patch(EKS_COREFILE.replace("5s", "40s")),
    },
    bad: {
      "no lameduck": [
        corefile(EKS_COREFILE.replace("        lameduck 5s\n", "")),
        `${IN}lameduck is not set, so queries are lost when a pod stops. Fix: add a block with the line lameduck 5s to the plugin health`,
      ],
      "a patch without it": [
        patch(EKS_COREFILE.replace("5s", "0s")),
        "ConfigMapPatch/kube-system/coredns: data.Corefile: lameduck is 0s, so queries are lost",
      ],
      "0 seconds": [corefile(EKS_COREFILE.replace("5s", "0s")), `${IN}lameduck is 0s, so queries are lost`],
      "as long as the grace": [
        corefile(EKS_COREFILE.replace("5s", "30s")),
        `${IN}lameduck is 30s, and the pod is killed after 30 s`,
      ],
      "a block on one line, which CoreDNS refuses": [
        corefile(EKS_COREFILE.replace(/health {[^}]*}/, "health { lameduck 5s }")),
        `${IN}the Corefile, with which CoreDNS does not start: .:53: health: the closing brace on line 3 needs a line of its own`,
      ],
      "no unit": [
        corefile(EKS_COREFILE.replace("5s", "5")),
        `${IN}the Corefile, with which CoreDNS does not start: .:53: health: lameduck takes a duration`,
      ],
      "longer by another unit": [corefile(EKS_COREFILE.replace("5s", "1m10s")), `${IN}lameduck is 1m10s, and the pod`],
    },
    unknown: { "an unknown configuration": [UNKNOWN_CONFIGURATION, NOT_YET] },
  },
};
