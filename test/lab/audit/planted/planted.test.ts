import assert from "node:assert/strict";
import { stringify } from "yaml";
import { audit, subjectOf } from "../../../../lab/audit/audit.ts";
import { type KubernetesObject, kubernetesObject } from "../../../../lab/audit/kubernetes-object.ts";
import { objectsIn } from "../../../../lab/audit/object-files.ts";
import { pairs } from "../fixtures.ts";
import { CLEAN, keyOf, type Manifest, POD_PATHS, planted } from "./clean-objects.ts";
import { OBJECT_VIOLATIONS, type ObjectViolation } from "./object-violations.ts";
import { POD_VIOLATIONS } from "./pod-violations.ts";

const KINDS = Object.keys(POD_PATHS);
const LISTS = ["containers", "initContainers", "ephemeralContainers"];

/** Each violation in a pod stands in another kind, and in another list of containers, than the one before it. */
const IN_PODS = POD_VIOLATIONS.map(({ what, rules, path, to, lists = LISTS }, index): ObjectViolation => {
  const list = path.startsWith("C.") ? (lists[index % lists.length] ?? "containers") : "";
  // Only a pod that runs has ephemeral containers.
  const kind = list === "ephemeralContainers" ? "Pod" : (KINDS[index % KINDS.length] ?? "Pod");
  const object = `${kind}/payments/a-${kind.toLowerCase()}`;
  return {
    what: `${what} in ${[list, `a ${kind}`].filter((part) => part !== "").join(" of ")}`,
    findings: rules.map((rule) => `${rule} ${object}`),
    object,
    path: `${POD_PATHS[kind]}.${path.replace(/^C\./, `${list}.0.`)}`,
    to,
  };
});
const VIOLATIONS = [...IN_PODS, ...OBJECT_VIOLATIONS];

/** The ways in which objects come to an audit. */
const FORMS: Readonly<Record<string, (manifests: readonly Manifest[]) => KubernetesObject[]>> = {
  documents: (manifests) => read(manifests.map((one) => stringify(one)).join("---\n")),
  "a List": (manifests) => read(stringify({ apiVersion: "v1", kind: "List", items: manifests })),
  "JSON of lists": (manifests) =>
    read(
      JSON.stringify({
        apiVersion: "v1",
        kind: "List",
        items: manifests.map((one) => ({ apiVersion: one.apiVersion, kind: `${one.kind}List`, items: [one] })),
      }),
    ),
  "a cluster": (manifests) => manifests.flatMap(running),
};

function read(text: string): KubernetesObject[] {
  const objects = objectsIn(text, "all.yaml");
  assert.ok(typeof objects !== "string", String(objects));
  return objects;
}

/** All objects, of which those with a violation, and the one beside them, are read anew: the others are as in the clean ones. */
function withPlanted(
  manifests: readonly Manifest[],
  objectsOf: (manifests: readonly Manifest[]) => KubernetesObject[],
) {
  const [beside] = CLEAN;
  const unchanged = manifests.filter((one) => CLEAN.includes(one) && one !== beside);
  const read = READ.get(objectsOf) ?? new Map(CLEAN.map((one) => [one, objectsOf([one])]));
  READ.set(objectsOf, read);
  return [
    ...objectsOf(manifests.filter((one) => !unchanged.includes(one))),
    ...unchanged.flatMap((one) => read.get(one) ?? []),
  ];
}
const READ = new WeakMap<object, ReadonlyMap<Manifest, KubernetesObject[]>>();

/** An object as the API server answers with it, and the pods that controllers make of it. */
function running(manifest: Manifest): KubernetesObject[] {
  const kind = String(manifest.kind);
  const path = POD_PATHS[kind];
  const uid = `uid-of-${keyOf(manifest)}`;
  const filled = path === undefined ? manifest : inside(manifest, path.split("."), withDefaults);
  const pods = path?.endsWith("template.spec") && kind !== "PodTemplate" ? [podOf(filled, path, uid)] : [];
  const stored = { ...filled, metadata: { ...Object(filled.metadata), uid, ...SERVER_METADATA }, status: { x: 1 } };
  return [stored, ...pods].flatMap((object) => kubernetesObject(object) ?? []);
}

const SERVER_METADATA = {
  resourceVersion: "7",
  generation: 1,
  creationTimestamp: "2026-11-01T00:00:00Z",
  managedFields: [{ manager: "kubectl", operation: "Apply", fieldsType: "FieldsV1", fieldsV1: { "f:spec": {} } }],
  annotations: { "kubectl.kubernetes.io/last-applied-configuration": '{"password":"of another time"}' },
};

function inside(value: Manifest, keys: readonly string[], map: (value: Manifest) => Manifest): Manifest {
  const [key, ...rest] = keys;
  return key === undefined ? map(value) : { ...value, [key]: inside(Object(value[key]), rest, map) };
}

/** What the API server fills into a pod's spec. */
function withDefaults(pod: Manifest): Manifest {
  const container = (one: Manifest): Manifest => ({
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    imagePullPolicy: "IfNotPresent",
    ...one,
  });
  const lists = LISTS.filter((list) => Array.isArray(pod[list]));
  return {
    dnsPolicy: "ClusterFirst",
    enableServiceLinks: true,
    restartPolicy: "Always",
    schedulerName: "default-scheduler",
    terminationGracePeriodSeconds: 30,
    ...pod,
    ...Object.fromEntries(lists.map((list) => [list, [pod[list]].flat().map((one) => container(Object(one)))])),
  };
}

function podOf(manifest: Manifest, path: string, uid: string): Manifest {
  const spec = path.split(".").reduce<Manifest>((inner, key) => Object(inner[key]), manifest);
  const { name, namespace }: { name?: string; namespace?: string } = Object(manifest.metadata);
  const ownerReferences = [{ kind: String(manifest.kind), name: name ?? "", uid, controller: true }];
  const metadata = { name: `${name}-x7k2p`, namespace: namespace ?? "", ownerReferences };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { ...spec, nodeName: "node-1" } };
}

function findingsIn(objects: readonly KubernetesObject[], live: boolean): string[] {
  const { findings } = audit(subjectOf(objects, { live, includeSystem: true }));
  assert.deepEqual(
    findings.filter(({ outcome }) => outcome !== "violated"),
    [],
  );
  return [...new Set(pairs(findings))];
}

describe("violations planted in clean objects", () => {
  it("are more than a hundred, all different", () => {
    const places = VIOLATIONS.map(({ object, path, to }) => JSON.stringify([object, path, to]));
    assert.ok(new Set(places).size >= 100 && new Set(places).size === VIOLATIONS.length, String(places.length));
  });

  for (const [form, objectsOf] of Object.entries(FORMS)) {
    it(`are found as ${form}, each by its rule and none beside it`, () => {
      const live = form === "a cluster";
      const clean = findingsIn(objectsOf(CLEAN), live);
      assert.deepEqual(clean, ["pods-no-host-path DaemonSet/logging/fluent-bit"]);
      // As files, each in one form; in a cluster, all.
      const files = Object.keys(FORMS).indexOf(form);
      const violations = VIOLATIONS.filter((_, index) => live || index % (Object.keys(FORMS).length - 1) === files);
      const judged = violations.map(({ what, object, path, to }) => ({
        what,
        found: findingsIn(withPlanted(planted(object, path, to), objectsOf), live),
      }));
      const wanted = violations.map(({ what, findings }) => ({ what, found: [...clean, ...findings].toSorted() }));
      assert.deepEqual(judged, wanted);
    }).timeout(60_000);
  }
});
