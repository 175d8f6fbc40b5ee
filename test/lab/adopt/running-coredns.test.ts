import assert from "node:assert/strict";
import { corefileText } from "../../../components/dns/corefile-rendering.ts";
import { DnsSettings } from "../../../components/dns/settings.ts";
import { readCoreDns, type Takeover } from "../../../lab/adopt/running-coredns.ts";
import { groupAt } from "../../../lab/audit/kubernetes-object.ts";
import { EKS_COREFILE } from "../../support/eks-corefile.ts";
import { CONTAINER, coreDns, live, object, POD } from "./live.ts";

const PLACE = { namespace: "kube-system", name: "coredns" };
const read = (objects: Parameters<typeof live>[0], takeover: Takeover) => readCoreDns(live(objects), PLACE, takeover);

describe("A running CoreDNS", () => {
  it("becomes the add-on's settings if it is EKS's own, with the same version", () => {
    const { settings, misfits } = read(coreDns(), "to-addon");
    assert.deepEqual(misfits, []);
    assert.deepEqual(settings, {
      addonVersion: "v1.13.2-eksbuild.31",
      replicas: 3,
      resources: { limits: { memory: "170Mi" }, requests: { cpu: "100m", memory: "70Mi" } },
      tolerations: [{ key: "CriticalAddonsOnly", operator: "Exists" }],
      clusterDns: ["172.20.0.10"],
    });
    DnsSettings.parse(settings);
  });

  it("keeps an edited Corefile byte for byte, and a profile by its name", () => {
    const edited = EKS_COREFILE.replace(
      "cache 30",
      "cache 10 # less\n    template ANY A example.org { rcode NXDOMAIN }",
    );
    for (const takeover of ["to-addon", "patch"] as const) {
      assert.deepEqual(read(coreDns({}, edited), takeover).settings.corefile, { text: edited });
      const tuned = corefileText(DnsSettings.parse({ corefile: { profile: "tuned" } }));
      assert.deepEqual(read(coreDns({}, tuned), takeover).settings.corefile, { profile: "tuned" });
    }
    // The same plugins in another layout: a patch of another text would be a conflict.
    assert.equal(read(coreDns({}, EKS_COREFILE), "to-addon").settings.corefile, undefined);
    const { settings } = read(coreDns({}, EKS_COREFILE), "patch");
    assert.equal(corefileText(DnsSettings.parse(settings)), EKS_COREFILE);
  });

  it("names each field that the add-on cannot keep, and is patched in place", () => {
    const pod = {
      terminationGracePeriodSeconds: 60,
      hostNetwork: true,
      volumes: [...POD.volumes, { name: "zones", configMap: { name: "zones" } }],
      containers: [
        { ...CONTAINER, image: "registry.example/coredns:1.12.4", env: [{ name: "A", value: "b" }] },
        { name: "sidecar", image: "registry.example/sidecar:1" },
      ],
    };
    const { settings, misfits } = read(coreDns(pod), "to-addon");
    const spec = "spec.template.spec";
    assert.deepEqual(misfits.map(({ field }) => field).sort(), [
      `${spec}.containers[coredns].env`,
      `${spec}.containers[coredns].image`,
      `${spec}.containers[sidecar]`,
      `${spec}.hostNetwork`,
      `${spec}.terminationGracePeriodSeconds`,
      `${spec}.volumes[zones]`,
    ]);
    assert.deepEqual(settings.adopt, { deployment: "coredns", version: "1.12.4", terminationGracePeriodSeconds: 60 });
    assert.equal(settings.addonVersion, undefined);
    // What the add-on runs already is its own.
    assert.deepEqual(read(coreDns(pod), "is-addon").misfits, []);
    assert.equal(read(coreDns(pod), "is-addon").settings.adopt, undefined);
  });

  it("keeps the topology mode of the add-on's Service, which is that of no other CoreDNS", () => {
    const service = object("v1", "Service", "kube-dns", "kube-system", {
      metadata: { annotations: { "service.kubernetes.io/topology-mode": "Auto" } },
      spec: { selector: { "k8s-app": "kube-dns" } },
    });
    const objects = [...coreDns(), service];
    assert.equal(read(objects, "is-addon").settings.topologyMode, "Auto");
    assert.equal(read(objects, "patch").settings.topologyMode, undefined);
    assert.equal(read(coreDns(), "is-addon").settings.topologyMode, undefined);
  });

  it("leaves replicas to an autoscaler, and fields without a setting", () => {
    const scaler = object("autoscaling/v2", "HorizontalPodAutoscaler", "dns", "kube-system", {
      spec: { scaleTargetRef: { kind: "Deployment", name: "coredns" } },
    });
    const pod = {
      containers: [{ ...CONTAINER, resources: { limits: { memory: "170Mi", "ephemeral-storage": "1Gi" } } }],
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "ScheduleAnyway", minDomains: 2 },
      ],
      tolerations: [{ key: "a", operator: "Lt", value: "5" }],
    };
    const { settings, rows } = read([...coreDns(pod), scaler], "patch");
    assert.deepEqual(Object.keys(settings).sort(), ["adopt", "clusterDns", "corefile", "resources"]);
    assert.deepEqual(settings.resources, { limits: { memory: "170Mi" } });
    const left = rows.filter(({ action }) => action === "leave").map(({ subject }) => subject.split(" ")[1]);
    assert.deepEqual(left, [
      "spec.replicas",
      "spec.template.spec.containers[coredns].resources.limits.ephemeral-storage",
      "spec.template.spec.tolerations",
      "spec.template.spec.topologySpreadConstraints",
    ]);
  });

  it("leaves replicas to cluster-proportional-autoscaler, whose target it is", () => {
    const scaling = (words: readonly string[], namespace = "kube-system") => {
      const container = { name: "autoscaler", command: ["/cluster-proportional-autoscaler", ...words] };
      const template = { spec: { containers: [container] } };
      const scaler = object("apps/v1", "Deployment", "coredns-autoscaler", namespace, { spec: { template } });
      return read([...coreDns(), scaler], "patch");
    };
    const flags = ["--namespace=kube-system", "--target=Deployment/coredns", "--v=2"];
    const { settings, rows } = scaling(flags, "scalers");
    assert.equal(settings.replicas, undefined);
    assert.deepEqual(rows[1], {
      action: "leave",
      subject: "Deployment/kube-system/coredns spec.replicas",
      reason: "Deployment/scalers/coredns-autoscaler sets it",
    });
    assert.equal(scaling(["--target", "deployment/metrics,deployment/coredns"]).settings.replicas, undefined);
    // Another Deployment, and one of the same name elsewhere.
    assert.equal(scaling(["--target=deployment/coredns-custom"]).settings.replicas, 3);
    assert.equal(scaling(["--target=deployment/coredns"], "dns").settings.replicas, 3);
  });

  it("tells which fields only dns.adopt.force can change, because another tool set them", () => {
    const managedBy = (fieldsV1: object) => [{ manager: "kubeadm", operation: "Update", fieldsV1 }];
    const withManager = coreDns().map((item) => {
      const fields =
        item.kind === "ConfigMap" ? { "f:data": { "f:Corefile": {} } } : { "f:spec": { "f:replicas": {} } };
      return { ...item, metadata: { ...groupAt(item, "metadata"), managedFields: managedBy(fields) } };
    });
    const reasons = (objects: Parameters<typeof read>[0], takeover: Parameters<typeof read>[1]) =>
      read(objects, takeover)
        .rows.slice(0, 2)
        .map(({ reason }) => reason);
    assert.deepEqual(reasons(withManager, "patch"), [
      "kept as text, every plugin as it is; a change needs dns.adopt.force",
      "dns.replicas, with the same value, which kubeadm set; a change needs dns.adopt.force",
    ]);
    // The add-on overwrites what others set.
    assert.doesNotMatch(reasons(withManager, "is-addon").join(), /force/);
    assert.doesNotMatch(reasons(coreDns(), "patch").join(), /force/);
  });

  it("reads the version from tags with any build", () => {
    const images = {
      "rancher/mirrored-coredns-coredns:1.14.3": "1.14.3",
      "rancher/hardened-coredns:v1.14.3-build20260310": "1.14.3",
      "mcr.microsoft.com/oss/v2/kubernetes/coredns:v1.13.1-2": "1.13.1",
      "bitnami/coredns:1.12.4-debian-12-r3@sha256:4c5f": "1.12.4",
      "coredns:latest": undefined,
    };
    for (const [image, version] of Object.entries(images)) {
      const { settings } = read(coreDns({ containers: [{ ...CONTAINER, image }] }), "patch");
      assert.equal(settings.adopt?.version, version, image);
      assert.equal(settings.addonVersion, undefined);
    }
  });

  it("tells which tool restores its own version, where it is patched", () => {
    const marks = {
      "K3s restores": { annotations: { "objectset.rio.cattle.io/owner-gvk": "k3s.cattle.io/v1, Kind=Addon" } },
      "an addon manager may": { labels: { "addonmanager.kubernetes.io/mode": "Reconcile" } },
      "kOps restores": { labels: { "addon.kops.k8s.io/name": "coredns.addons.k8s.io" } },
      "Helm restores": { annotations: { "meta.helm.sh/release-name": "rke2-coredns" } },
      "Argo CD restores": {
        annotations: { "argocd.argoproj.io/tracking-id": "dns:apps/Deployment:kube-system/coredns" },
      },
      // Flux marks what its Helm releases install too.
      "Flux restores its own version at": {
        annotations: { "meta.helm.sh/release-name": "coredns" },
        labels: { "helm.toolkit.fluxcd.io/name": "coredns" },
      },
    };
    const told = (metadata: object, takeover: Takeover = "patch") => {
      const [configMap, ...others] = coreDns();
      const marked = object("v1", "ConfigMap", "coredns", "kube-system", { ...configMap, metadata });
      return read([marked, ...others], takeover).rows.filter(({ action }) => action === "check");
    };
    for (const [reason, metadata] of Object.entries(marks)) {
      const [row, ...more] = told(metadata);
      assert.equal(row?.subject, "ConfigMap/kube-system/coredns");
      assert.ok(row?.reason.startsWith(reason), row?.reason);
      assert.deepEqual(more, []);
      assert.deepEqual(told(metadata, "is-addon"), []);
    }
    assert.deepEqual(told({ labels: { "addonmanager.kubernetes.io/mode": "EnsureExists" } }), []);
  });

  it("is found by its argument and its volume, under whatever names", () => {
    const pod = {
      containers: [
        { name: "proxy", image: "registry.example/envoy:1" },
        {
          name: "dns",
          image: "registry.k8s.io/coredns/coredns:v1.14.3",
          args: ["-conf=/cfg/Corefile"],
          volumeMounts: [{ name: "cfg", mountPath: "/cfg/" }],
        },
      ],
      volumes: [{ name: "cfg", configMap: { name: "own" } }],
    };
    const objects = [...coreDns(pod), object("v1", "ConfigMap", "own", "kube-system", { data: { Corefile: "own" } })];
    const { settings } = read(objects, "patch");
    assert.deepEqual(settings.adopt, {
      configMap: "own",
      deployment: "coredns",
      container: "dns",
      version: "1.14.3",
    });
    assert.deepEqual(settings.corefile, { text: "own" });
  });

  it("keeps the labels that select its pods, if they differ from those of EKS", () => {
    const labels = { "k8s-app": "coredns", "app.kubernetes.io/instance": "dns" };
    const spread = (matchLabels: object) => ({
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: "kubernetes.io/hostname",
          whenUnsatisfiable: "ScheduleAnyway",
          labelSelector: { matchLabels },
        },
      ],
    });
    const of = (matchLabels: object, pod: ReturnType<typeof spread>) => {
      const template = { metadata: { labels }, spec: { ...POD, ...pod } };
      const spec = { selector: { matchLabels }, template };
      return read(coreDns({}, EKS_COREFILE, spec), "patch").settings;
    };
    const { adopt, topologySpread } = of(labels, spread(labels));
    assert.deepEqual(adopt?.selector, labels);
    assert.equal(topologySpread?.length, 1);
    // The add-on selects by one of the labels of its pods.
    const ofAddon = coreDns(spread({ "k8s-app": "kube-dns" }), EKS_COREFILE, {
      selector: { matchLabels: { "k8s-app": "kube-dns", "eks.amazonaws.com/component": "coredns" } },
    });
    assert.equal(read(ofAddon, "to-addon").settings.topologySpread?.length, 1);
    assert.equal(of(labels, spread({ "k8s-app": "kube-dns" })).topologySpread, undefined);
    assert.equal(of({ "k8s-app": "kube-dns" }, spread(labels)).adopt?.selector, undefined);
    assert.equal(of({}, spread(labels)).adopt?.selector, undefined);
  });

  it("keeps the annotations of its pods, except those by which kubectl and Helm restart them", () => {
    const annotations = {
      "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
      "checksum/config": "4c5f0a",
      "kubectl.kubernetes.io/restartedAt": "2026-11-30T08:00:00Z",
    };
    const template = { metadata: { labels: { "k8s-app": "kube-dns" }, annotations }, spec: POD };
    const { podAnnotations } = read(coreDns({}, EKS_COREFILE, { template }), "patch").settings;
    assert.deepEqual(podAnnotations, { "cluster-autoscaler.kubernetes.io/safe-to-evict": "false" });
  });

  it("must be named if it is elsewhere, or if its Corefile is not in a ConfigMap", () => {
    assert.throws(() => readCoreDns(live(coreDns()), { namespace: "dns", name: "own" }, "patch"), {
      message: "no Deployment dns/own: set --coredns to kube-system/coredns",
    });
    const second = object("apps/v1", "Deployment", "second", "dns", { spec: { template: { spec: POD } } });
    assert.throws(() => readCoreDns(live([...coreDns(), second]), { namespace: "dns", name: "own" }, "patch"), {
      message: "no Deployment dns/own: set --coredns to kube-system/coredns or dns/second",
    });
    assert.throws(
      () => read(coreDns({ volumes: [{ name: "config-volume", hostPath: {} }] }).slice(1), "patch"),
      /its Corefile is not/,
    );
  });
});
