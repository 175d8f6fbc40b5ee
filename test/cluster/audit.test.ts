import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig, type KubernetesObject } from "@kubernetes/client-node";
import { type LabRun, runLab } from "../support/run-lab.ts";
import { TestCluster, until } from "./cluster.ts";

const NAMESPACE = "lab-audit-test";

interface Document {
  readonly skipped: readonly { readonly rule: string }[];
  readonly notes: readonly string[];
  readonly findings: readonly { readonly rule: string; readonly resource: string; readonly outcome: string }[];
}

describe("lab audit on a real cluster", () => {
  const cluster = new TestCluster();
  let folder: string;
  const objects: KubernetesObject[] = [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "viewer", namespace: NAMESPACE } },
    deployment(),
  ];
  const binding = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: NAMESPACE },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
    subjects: [{ kind: "ServiceAccount", name: "viewer", namespace: NAMESPACE }],
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "audit-"));
  });
  after(async () => {
    for (const object of [binding, ...objects.toReversed()]) await cluster.remove(object);
    await rm(folder, { recursive: true });
  });

  const read = ({ stdout, stderr }: LabRun): Document => {
    assert.notEqual(stdout, "", stderr);
    return JSON.parse(stdout);
  };

  it("finds nothing in what came with the cluster", async () => {
    const { findings } = read(await runLab(["audit", "--json"]));
    // What runs beside it may be another test's.
    const system = findings.filter(({ resource }) => /(^|\/)(kube-|default\b|system:)/.test(resource));
    assert.deepEqual(system, []);
  });

  it("reports mistakes in a Deployment once, with view rights alone, and names what it could not see", async () => {
    for (const object of [...objects, binding]) await cluster.apply(object);
    await until("the Deployment has its pods", async () => {
      const { items } = await cluster.core.listNamespacedPod({ namespace: NAMESPACE });
      return items.length === 2;
    });
    const run = await runLab(["audit", "--json", "--namespace", NAMESPACE, "--kubeconfig", await viewer(folder)]);
    assert.equal(run.exitCode, 1, run.stderr);
    const { findings, skipped, notes } = read(run);
    const found = findings.map(({ rule, resource }) => `${rule} ${resource}`);
    assert.deepEqual([...new Set(found)].sort(), [
      "pods-images-pinned Deployment/lab-audit-test/api",
      "pods-no-escalation Deployment/lab-audit-test/api",
      "pods-no-host-namespaces Deployment/lab-audit-test/api",
      "pods-not-privileged Deployment/lab-audit-test/api",
      "tenancy-pod-security Namespace/lab-audit-test",
    ]);
    assert.deepEqual(
      skipped.map(({ rule }) => rule),
      ["pods-service-account-token", "collectors-events-rights"],
    );
    assert.match(notes.join(), /RoleBinding/);
  });
});

/** A kubeconfig of a service account that may view and nothing else. */
async function viewer(folder: string): Promise<string> {
  const config = new KubeConfig();
  config.loadFromDefault();
  const core = new TestCluster().core;
  const { status } = await core.createNamespacedServiceAccountToken({
    name: "viewer",
    namespace: NAMESPACE,
    body: { spec: { audiences: [], expirationSeconds: 600 } },
  });
  const current = config.getCurrentCluster();
  assert.ok(current !== null && status !== undefined);
  config.loadFromClusterAndUser(current, { name: "viewer", token: status.token });
  const file = join(folder, "kubeconfig");
  await writeFile(file, config.exportConfig());
  return file;
}

function deployment(): KubernetesObject & { readonly spec: object } {
  const labels = { app: "api" };
  const container = {
    name: "api",
    image: "docker.io/library/pause",
    imagePullPolicy: "Never",
    ports: [{ containerPort: 8080 }],
    resources: { requests: { cpu: "1m", memory: "4Mi" }, limits: { memory: "8Mi" } },
    securityContext: {
      privileged: true,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: true,
      capabilities: { drop: ["ALL"] },
    },
  };
  const spec = {
    hostPID: true,
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
    containers: [container],
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "api", namespace: NAMESPACE },
    spec: { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}
