import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import {
  ApiException,
  CoreV1Api,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  type V1Pod,
} from "@kubernetes/client-node";
import { parse } from "yaml";
import { applyObject } from "../../lab/kubernetes/object-store.ts";

const FIELD_MANAGER = "eks-dns-logging-test";

/** The cluster that the tests run on: that of $KUBECONFIG or ~/.kube/config, in its current context. */
export class TestCluster {
  readonly objects: KubernetesObjectApi;
  readonly core: CoreV1Api;
  readonly context: string;
  private readonly config = new KubeConfig();

  constructor() {
    this.config.loadFromDefault();
    this.context = this.config.getCurrentContext();
    this.objects = KubernetesObjectApi.makeApiClient(this.config);
    this.core = this.config.makeApiClient(CoreV1Api);
  }

  /** Applies on the server's side. */
  apply(object: KubernetesObject, { fieldManager = FIELD_MANAGER, force = true } = {}): Promise<void> {
    return applyObject(this.config, object, { fieldManager, force });
  }

  /** Deletes and waits until the object is gone; one that was never there is gone. */
  async remove(object: KubernetesObject): Promise<void> {
    const { apiVersion, kind, metadata } = object;
    const header = {
      apiVersion: apiVersion ?? "",
      kind: kind ?? "",
      metadata: { name: metadata?.name ?? "", namespace: metadata?.namespace ?? "" },
    };
    await this.objects.delete(header).catch(ignoreMissing);
    await until(`${kind} ${metadata?.name} is gone`, () => this.objects.read(header).then(() => false, ignoreMissing));
  }

  async pod(namespace: string, name: string): Promise<V1Pod> {
    return this.core.readNamespacedPod({ namespace, name });
  }

  async podIsReady(namespace: string, name: string): Promise<boolean> {
    const conditions = (await this.pod(namespace, name)).status?.conditions ?? [];
    return conditions.some((condition) => condition.type === "Ready" && condition.status === "True");
  }

  async hasNamespace(name: string): Promise<boolean> {
    return this.core.readNamespace({ name }).then(
      () => true,
      (error: unknown) => !ignoreMissing(error),
    );
  }
}

/** Removes objects at the same time. A namespace takes along all that is in it. */
export async function removeAll(cluster: TestCluster, objects: readonly KubernetesObject[]): Promise<void> {
  const namespaces = new Set(objects.filter(({ kind }) => kind === "Namespace").map(({ metadata }) => metadata?.name));
  const roots = objects.filter(({ metadata }) => !namespaces.has(metadata?.namespace));
  await Promise.all(roots.toReversed().map((object) => cluster.remove(object)));
}

/** True for "not found"; throws anything else. */
function ignoreMissing(error: unknown): true {
  if (error instanceof ApiException && error.code === 404) return true;
  throw error;
}

/** Waits for a condition, two minutes at most. */
export async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 120_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`two minutes went by until ${what}`);
    await wait(250);
  }
}

/** The objects that `plan --manifests` wrote, in their order. */
export async function readManifests(folder: string): Promise<KubernetesObject[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".yaml")).sort();
  return Promise.all(
    files.map(async (file): Promise<KubernetesObject> => parse(await readFile(join(folder, file), "utf8"))),
  );
}
