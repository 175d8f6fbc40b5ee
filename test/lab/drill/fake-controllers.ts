import { isDeepStrictEqual } from "node:util";
import { fieldOf, type KubernetesJson, metadataOf, withField } from "../../../lab/kubernetes/object-store.ts";

type Objects = Map<string, KubernetesJson>;
/** Writes an object as a controller does. */
type Put = (path: string, object: KubernetesJson) => void;

const TEMPLATE = ["spec", "template"];
const REVISION = ["metadata", "annotations", "deployment.kubernetes.io/revision"];
const HISTORY = ["metadata", "annotations", "deployment.kubernetes.io/revision-history"];
const GENERATION = ["metadata", "annotations", "deprecated.daemonset.template.generation"];

/** An object as the API server keeps it: with one generation more where its spec is another one. */
export function stamped(before: KubernetesJson | undefined, object: KubernetesJson): KubernetesJson {
  if (object.kind !== "Deployment" && object.kind !== "DaemonSet") return object;
  const same = before !== undefined && isDeepStrictEqual(before.spec, object.spec);
  const generation = Number(fieldOf(before, ["metadata", "generation"]) ?? 0) + (same ? 0 : 1);
  const numbered = withField(object, ["metadata", "generation"], generation);
  if (object.kind === "Deployment") return numbered;
  const changed = !isDeepStrictEqual(fieldOf(before, TEMPLATE), fieldOf(object, TEMPLATE));
  return withField(numbered, GENERATION, String(Number(fieldOf(before, GENERATION) ?? 0) + (changed ? 1 : 0)));
}

/**
 * What the controllers of Deployments and DaemonSets do once a write has come: a version for each template, of which the newest has the
 * highest number.
 * @see https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/deployment/sync.go
 */
export function runControllers(objects: Objects, put: Put): void {
  for (const [path, object] of objects) {
    const [, folder = "", name = ""] = /^(.*)\/(?:deployments|daemonsets)\/([^/]+)$/.exec(path) ?? [];
    if (object.kind === "Deployment") control({ path, object, list: `${folder}/replicasets/${name}`, at: REVISION });
    if (object.kind === "DaemonSet")
      control({ path, object, list: `${folder}/controllerrevisions/${name}`, at: ["revision"] });
  }

  function control({ path, object, list, at }: Controlled): void {
    const versions = [...objects].filter(([other]) => other.startsWith(`${list}-`));
    const template = fieldOf(object, TEMPLATE);
    const found = versions.find(([, version]) => isDeepStrictEqual(fieldOf(version, TEMPLATE), template));
    const others = versions.filter((version) => version !== found);
    const next = Math.max(0, ...others.map(([, version]) => Number(fieldOf(version, at)))) + 1;
    const value = (number: number) => (at === REVISION ? String(number) : number);
    if (found === undefined) put(...newVersion(list, object, at, value(next)));
    else if (Number(fieldOf(found[1], at)) < next) {
      const old = String(fieldOf(found[1], at));
      const raised = withField(found[1], at, value(next));
      put(found[0], at === REVISION ? withField(raised, HISTORY, old) : raised);
    }
    const number = found === undefined ? next : Math.max(next, Number(fieldOf(found[1], at)));
    const seen = withField(object, ["status", "observedGeneration"], metadataOf(object).generation);
    const told = at === REVISION ? withField(seen, REVISION, String(number)) : seen;
    if (!isDeepStrictEqual(told, object)) put(path, told);
  }
}

interface Controlled {
  readonly path: string;
  readonly object: KubernetesJson;
  /** Path of its versions, up to the hash of each. */
  readonly list: string;
  /** Where a version has its number. */
  readonly at: readonly string[];
}

function newVersion(
  list: string,
  object: KubernetesJson,
  at: readonly string[],
  value: unknown,
): [string, KubernetesJson] {
  const template = fieldOf(object, TEMPLATE);
  const path = `${list}-${Buffer.from(JSON.stringify(template)).toString("hex").slice(-60)}`;
  const labels = fieldOf(template, ["metadata", "labels"]);
  const kind = object.kind === "Deployment" ? "ReplicaSet" : "ControllerRevision";
  const { namespace } = metadataOf(object);
  const metadata = { name: path.split("/").at(-1), namespace, labels, managedFields: [{ manager: "controller" }] };
  return [path, withField({ apiVersion: "apps/v1", kind, metadata, spec: { template } }, at, value)];
}
