import assert from "node:assert/strict";
import { adviceOn, firstError } from "../../../lab/deploy/pulumi-errors.ts";

describe("the errors of Pulumi's CLI", () => {
  it("say what to do about failures that a second run does not fix", () => {
    const failed = "was not successfully created by the Kubernetes API server:";
    for (const [message, advice] of [
      [`${failed} namespaces "monitoring" not found`, /^create namespace 'monitoring', or name another one/],
      [
        `${failed} no matches for kind "PodMonitor" in version "monitoring.coreos.com/v1"`,
        /^the cluster has no kind PodMonitor \(monitoring\.coreos\.com\/v1\): install its CustomResourceDefinition/,
      ],
      [`${failed} services "a" already exists`, /^services 'a' was not created by this stack/],
      [`${failed} pods "a" not found`, /^run the same command again to continue$/],
      [' + ConfigMap a creating (1s) Retry #1; creation failed: namespaces "b" not found\nerror: c', /^run the same/],
    ] as const)
      assert.match(adviceOn(message), advice);
  });

  it("name all existing objects, and the way to keep a team's namespace", () => {
    const failed = (name: string) =>
      `error: resource "urn:pulumi:local::a::kubernetes:core/v1:Namespace::${name}" was not successfully created by the Kubernetes API server: namespaces "${name}" already exists\n`;
    assert.equal(
      adviceOn(failed("sa-team") + failed("logging") + failed("sa-team")),
      "namespaces 'logging', namespaces 'sa-team' were not created by this stack: delete, import or rename them, or adopt the namespace of a team: `{ name: NAMESPACE, adopt: true }` in teams[].namespaces, then run the command again",
    );
    assert.match(adviceOn(failed("logging")), /rename it, then run the command again$/);
    const own = failed("observability").replace("Namespace::observability", "Namespace::logs-namespace");
    assert.match(adviceOn(own), /import or rename it, or set another name in logging\.namespace, then run the command/);
    assert.equal(firstError(`x:\n    ${failed("logging")}`), 'namespaces "logging" already exists');
  });

  it("name the setting if another stack has the same collector, whose roles must not be deleted", () => {
    const failed = (kind: string) =>
      `error: resource "urn:x" was not successfully created by the Kubernetes API server: ${kind}.rbac.authorization.k8s.io "eks-dns-logging-fluent-bit" already exists\n`;
    assert.equal(
      adviceOn(failed("clusterroles") + failed("clusterrolebindings")),
      "another stack collects this cluster's logs with the same collector (ClusterRole 'eks-dns-logging-fluent-bit'): set logging: false in one of them, or another logging.collector, then run the command again",
    );
    assert.match(adviceOn(failed("clusterroles").replace("eks-dns-logging-", "my-")), /delete, import or rename it/);
  });

  it("name what refuses an object, as it would again", () => {
    const pod = (words: string) => adviceOn(`error: x: pods "curl-ts" is forbidden: ${words}\n`.repeat(2));
    const refused = (by: string) =>
      `pods 'curl-ts' is refused by ${by}: change that or the settings, then run the command again`;
    assert.equal(
      pod("ValidatingAdmissionPolicy 'images' with binding 'all' denied request: not from corp.example"),
      refused("ValidatingAdmissionPolicy 'images'"),
    );
    const quota = refused("ResourceQuota 'q' of its namespace");
    assert.equal(pod("exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0"), quota);
    assert.equal(pod("failed quota: q: must specify requests.cpu for: curl"), quota);
    assert.equal(
      pod(
        "[minimum memory usage per Container is 8Mi, but request is 4Mi, maximum cpu usage per Container is 10m, but limit is 1]",
      ),
      refused("a LimitRange of its namespace, for memory"),
    );
    assert.equal(
      pod('violates PodSecurity "restricted:latest": runAsNonRoot != true'),
      refused("Pod Security restricted:latest, which its namespace enforces"),
    );
    assert.equal(
      pod("unable to create new content in namespace ts-team because it is being terminated"),
      "wait until namespace 'ts-team' is gone, then run the command again",
    );
    assert.equal(
      adviceOn(
        'error: x: admission webhook "validate.kyverno.svc-fail" denied the request: \n\nresource Pod/ts-team/curl-ts',
      ),
      "admission webhook 'validate.kyverno.svc-fail' refuses it: change its policy or the settings, then run the command again",
    );
  });

  it("report everything that is missing at once", () => {
    const message =
      'namespaces "monitoring" not found\nnamespaces "monitoring" not found\nnamespaces "a" not found\nno matches for kind "PodMonitor" in version "monitoring.coreos.com/v1"';
    assert.equal(
      adviceOn(message),
      "create namespace 'monitoring', or name another one in the settings; create namespace 'a', or name another one in the settings; the cluster has no kind PodMonitor (monitoring.coreos.com/v1): install its CustomResourceDefinition, then run the command again",
    );
  });

  it("name each field that others manage, of each object, once", () => {
    const failed = (kind: string, fields: string) =>
      `error: resource "urn:pulumi:d::a::dns:CoreDns$kubernetes:x/v1:${kind}Patch::coredns" was not successfully created by the Kubernetes API server: server-side apply field conflict detected
    The resource managed by field manager "pulumi-a" had an apply conflict: Apply failed with ${fields}\n`;
    const corefile = failed(
      "ConfigMap",
      '2 conflicts: conflicts with "kubectl-client-side-apply" using v1:\n    - .data.Corefile\n    conflicts with "pulumi-b":\n    - .data.Corefile',
    );
    const deployment = failed(
      "Deployment",
      '2 conflicts: conflicts with "eksctl" using apps/v1:\n    - .spec.replicas\n    - .spec.template.spec.containers[name="coredns"].resources.limits.memory',
    );
    assert.deepEqual(adviceOn(`${deployment}${corefile}${deployment}`).split("; "), [
      ".spec.replicas of the Deployment of CoreDNS is set by eksctl: `dns.adopt.force: true` takes it over, or leave it out of the settings",
      '.spec.template.spec.containers[name="coredns"].resources.limits.memory of the Deployment of CoreDNS is set by eksctl: `dns.adopt.force: true` takes it over, or leave it out of the settings',
      ".data.Corefile of the ConfigMap of CoreDNS is set by kubectl-client-side-apply: `dns.adopt.force: true` takes it over, then run the command again",
    ]);
  });

  it("never say to delete what was adopted, or a namespace", () => {
    // As the CLI prints it if an update conflicts; only the heading has the kind.
    const failed = (type: string, object: string, conflict: string) => `
  kubernetes:${type} (some-name):
    error: 1 error occurred:
    \t* the Kubernetes API server reported that "${object}" failed to fully initialize or become live: server-side apply field conflict detected, see https://www.pulumi.com/ for troubleshooting help
    The resource managed by field manager "pulumi-kubernetes-1" had an apply conflict: Apply failed with 1 conflict: conflict with ${conflict}
`;
    const message = [
      failed(
        "apps/v1:DeploymentPatch",
        "kube-system/coredns",
        '"kubectl" with subresource "scale" using apps/v1: .spec.replicas',
      ),
      failed("core/v1:ConfigMapPatch", "kube-system/coredns", '"kubeadm" using v1: .data.Corefile'),
      failed("core/v1:NamespacePatch", "payments", '"argocd" using v1: .metadata.labels.team'),
      failed("core/v1:Namespace", "ts-team", '"fleet" using v1: .metadata.labels.team'),
      failed("core/v1:Pod", "ts-team/curl-ts", '"unknown" using v1: .spec.tolerations'),
    ].join("");
    assert.deepEqual(adviceOn(`${message}\n  pulumi:pulumi:Stack (a-local):\n    error: update failed\n`).split("; "), [
      ".spec.replicas of the Deployment of CoreDNS is set by kubectl: `dns.adopt.force: true` takes it over, or leave it out of the settings",
      ".data.Corefile of the ConfigMap of CoreDNS is set by kubeadm: `dns.adopt.force: true` takes it over",
      ".metadata.labels.team of an adopted namespace is set by argocd: remove it there, or give it the value of the settings",
      ".metadata.labels.team of namespace ts-team is set by fleet: remove it there, or give it the value of the settings",
      ".spec.tolerations of ts-team/curl-ts was changed by another tool (unknown): end a drill with `npm run lab -- drill stop`, or delete the object, then run the command again",
    ]);
  });

  it("name missing permissions, fields that another tool changed, and pods that do not start", () => {
    assert.match(
      adviceOn('namespaces is forbidden: User "viewer" cannot create resource "namespaces" in API group ""'),
      /^viewer may not create namespaces: use a kubeconfig of a cluster administrator, then run the command again$/,
    );
    const conflict = `* the Kubernetes API server reported that "sa-team/curl-sa" failed to fully initialize or become live: server-side apply
      The resource managed by field manager "pulumi" had an apply conflict: Apply failed with 1 conflict: conflict with "unknown" using v1: .spec.selector`;
    assert.match(
      adviceOn(conflict),
      /^\.spec\.selector of sa-team\/curl-sa was changed by another tool \(unknown\): end a drill/,
    );
    const several = conflict.replace(
      '1 conflict: conflict with "unknown" using v1: ',
      '2 conflicts: conflicts with "unknown":\n- ',
    );
    assert.match(adviceOn(several), /^\.spec\.selector of sa-team\/curl-sa was changed by another tool/);
    const adopted = (kind: string, field: string) =>
      `error: resource "urn:pulumi:local::a::dns:CoreDns$kubernetes:core/v1:${kind}Patch::coredns" was not successfully created by the Kubernetes API server: server-side apply field conflict detected
    The resource managed by field manager "pulumi" had an apply conflict: Apply failed with 1 conflict: conflict with "kubeadm" using v1: ${field}`;
    assert.match(
      adviceOn(adopted("ConfigMap", ".data.Corefile")),
      /^\.data\.Corefile of the ConfigMap of CoreDNS is set by kubeadm: `dns\.adopt\.force: true` takes it over/,
    );
    assert.match(
      adviceOn(adopted("Namespace", ".metadata.labels.team")),
      /^\.metadata\.labels\.team of an adopted namespace is set by kubeadm: remove it there/,
    );
    const pod =
      "warning: [Pod logging/fluent-bit-a]: containers with unready status: [fluent-bit][CrashLoopBackOff] back-off";
    assert.match(
      adviceOn(`${pod}\nerror: timed out waiting for the condition`),
      /^fluent-bit-a does not start \(CrashLoopBackOff\): `kubectl -n logging describe pod fluent-bit-a` and `kubectl -n logging logs/,
    );
    // Told of each pod once, with what was said last.
    const other = pod.replace("fluent-bit-a", "fluent-bit-b");
    const later =
      "warning: [Pod sa-team/curl-sa]: [curl][ErrImagePull] a\n[Pod sa-team/curl-sa]: [curl][ImagePullBackOff] b";
    assert.deepEqual(
      [
        ...adviceOn(`${pod}\n${other}\n${pod}\n${later}\nerror: timed out waiting`).matchAll(
          /(\S+) does not start \((\w+)\)/g,
        ),
      ].map(([, name, reason]) => `${name} ${reason}`),
      ["fluent-bit-a CrashLoopBackOff", "fluent-bit-b CrashLoopBackOff", "curl-sa ImagePullBackOff"],
    );
    // As the CLI ends after Ctrl-C, while it waits.
    const waiting =
      'x:\n error: 4 errors occurred:\n\t* resource "urn:pulumi:local::a::kubernetes:apps/v1:Deployment::x" was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live: Resource operation was cancelled for "x"\n\t* [Pod logging/x-1]: containers with unready status: [x][ImagePullBackOff] Back-off pulling image "docker.io/x:1"';
    assert.match(
      adviceOn(waiting),
      /^x-1 does not start \(ImagePullBackOff\): its node cannot pull an image, .*, then run the command again$/,
    );
    // What a refresh finds of the last run comes later in the output, and may have been replaced since.
    const refreshed = `warning: Refreshed resource is in an unhealthy state:\n    * Resource 'curl' was created\n    * ${waiting.split("* ").at(-1)?.replaceAll("x-1", "old")}\n`;
    assert.match(
      adviceOn(`${pod}\nerror: timed out waiting for the condition\n    ${refreshed}`),
      /^fluent-bit-a does not/,
    );
    // Another error, after which it may have started.
    assert.equal(adviceOn(`${pod}\nerror: no route to host`), "run the same command again to continue");
  });

  it("show the first real error, not the summary line", () => {
    const output =
      'Diagnostics:\n  pulumi:pulumi:Stack:\n    error: update failed\n\n  x:\n    error: services "a" already exists\n';
    assert.equal(firstError(output), 'services "a" already exists');
    assert.equal(firstError("x:\n  error: 1 error occurred:\n    * a conflict\n"), "a conflict");
    assert.equal(firstError("nothing"), "see the diagnostics above");
  });

  it("show it in the API server's own words, with the name of its object where these have none", () => {
    const urn = (type: string, name: string) => `"urn:pulumi:local::lab::a:Collector$kubernetes:${type}::${name}"`;
    for (const [error, words] of [
      [
        `resource ${urn("apps/v1:DaemonSet", "logs-fluent-bit-daemonset")} was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live: timed out waiting for the condition`,
        "logs-fluent-bit-daemonset did not become ready: timed out waiting for the condition",
      ],
      [
        `creation of resource ${urn("monitoring.coreos.com/v1:PodMonitor", "coredns")} with kind monitoring.coreos.com/v1/PodMonitor failed because the Kubernetes API server reported that the apiVersion for this resource does not exist. Verify that any required CRDs have been created: no matches for kind "PodMonitor" in version "monitoring.coreos.com/v1"`,
        'no matches for kind "PodMonitor" in version "monitoring.coreos.com/v1"',
      ],
      [
        `update of resource ${urn("monitoring.coreos.com/v1:PodMonitor", "coredns")} failed because the Kubernetes API server reported that the apiVersion for this resource does not exist. Verify that any required CRDs have been created: no matches for kind "PodMonitor" in version "monitoring.coreos.com/v1"`,
        'no matches for kind "PodMonitor" in version "monitoring.coreos.com/v1"',
      ],
      [
        'the Kubernetes API server reported that "sa-team/curl-sa" failed to fully initialize or become live: server-side apply field conflict detected, see https://www.pulumi.com/registry/packages/kubernetes/#handle-field-conflicts for troubleshooting help',
        "sa-team/curl-sa: server-side apply field conflict detected",
      ],
    ] as const)
      assert.equal(firstError(`x:\n    error: 1 error occurred:\n    \t* ${error}\n`), words);
  });
});
