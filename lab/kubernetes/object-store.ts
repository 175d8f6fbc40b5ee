import { isDeepStrictEqual } from "node:util";
import { ApiException, type KubeConfig, type KubernetesObject, KubernetesObjectApi } from "@kubernetes/client-node";
import { isObject } from "../../components/schema/values.ts";
import { type Answer, type ApiRequest, asClusterError, listPath, requestApi } from "./api-requests.ts";
import { ClusterError } from "./cluster.ts";

/** A Kubernetes object exactly as the API server sends it; a typed client would drop unknown fields. */
export type KubernetesJson = Readonly<Record<string, unknown>>;

/** Identifies an object. */
export interface ObjectRef {
  /** Such as `v1` or `networking.k8s.io/v1`. */
  readonly apiVersion: string;
  /** The plural in its API path, such as `configmaps`. */
  readonly plural: string;
  readonly namespace: string;
  readonly name: string;
}

/** Reads and writes single objects. Every method throws {@link ClusterError}. */
export interface ObjectStore {
  /** Undefined if the object does not exist. */
  read(ref: ObjectRef): Promise<KubernetesJson | undefined>;
  /** @returns the stored object; undefined if the name is taken. */
  create(ref: ObjectRef, object: KubernetesJson): Promise<KubernetesJson | undefined>;
  /** Fails if the object has changed since `object` was read. */
  replace(ref: ObjectRef, object: KubernetesJson): Promise<KubernetesJson>;
  /** Succeeds if the object does not exist. */
  remove(ref: ObjectRef): Promise<void>;
  /** Names of the objects in a namespace with a label, as `key=value`. */
  names(ref: Omit<ObjectRef, "name">, selector: string): Promise<string[]>;
}

/** Sends a request to an API server. */
export type SendRequest = (request: ApiRequest) => Promise<Answer>;

const TIMEOUT_SECONDS = 10;
/** Grace period for deleted pods, in seconds. */
const GRACE_SECONDS = 1;
const CREATED = new Set([200, 201, 202]);

/** Accesses the cluster that answers these requests, such as that of a kubeconfig's current context, by `requestApi`. */
export function objectStore(send: SendRequest): ObjectStore {
  return {
    async read(ref) {
      const { status, body } = await request(send, "GET", pathOf(ref), ref);
      return status === 404 ? undefined : accepted(status, body, "get", ref);
    },
    async create(ref, object) {
      const { status, body } = await request(send, "POST", listPath(ref), ref, object);
      if (status === 409 && fieldOf(body, ["reason"]) === "AlreadyExists") return undefined;
      return accepted(status, body, "create", ref);
    },
    async replace(ref, object) {
      const { status, body } = await request(send, "PUT", pathOf(ref), ref, object);
      return accepted(status, body, "update", ref);
    },
    async remove(ref) {
      const options = { gracePeriodSeconds: GRACE_SECONDS, propagationPolicy: "Background" };
      const { status, body } = await request(send, "DELETE", pathOf(ref), ref, options);
      if (status !== 404) accepted(status, body, "delete", ref);
    },
    async names(ref, selector) {
      const path = `${listPath(ref)}?labelSelector=${encodeURIComponent(selector)}`;
      const { status, body } = await request(send, "GET", path, ref);
      const { items } = accepted(status, body, "list", ref);
      return Array.isArray(items) ? items.map((item: unknown) => String(metadataOf(item).name ?? "")) : [];
    },
  };
}

/** The field manager, and whether it takes over fields of others. */
interface Applied {
  readonly fieldManager: string;
  /** Default: true. */
  readonly force?: boolean;
}

/**
 * Applies an object on the server, with strict field validation. The object is sent as it is, because the client's serializer drops `from`
 * of a NetworkPolicy and `default` of a LimitRange, which it knows under other names.
 * @throws {ApiException}
 */
export async function applyObject(
  config: KubeConfig,
  object: KubernetesObject,
  { fieldManager, force = true }: Applied,
): Promise<void> {
  const query = new URLSearchParams({ fieldManager, force: String(force) });
  const { status, body } = await requestApi(config, {
    method: "PATCH",
    path: `${await config.makeApiClient(ObjectPaths).pathOf(object)}?${query}`,
    headers: { "Content-Type": "application/apply-patch+yaml" },
    body: JSON.stringify(object),
    seconds: TIMEOUT_SECONDS,
  });
  if (status >= 400) throw new ApiException(status, "", body, {});
}

/** Exposes the API path of an object of any kind. */
class ObjectPaths extends KubernetesObjectApi {
  pathOf(object: KubernetesObject): Promise<string> {
    return this.specUriPath(object, "patch");
  }
}

function pathOf(ref: ObjectRef): string {
  return `${listPath(ref)}/${ref.name}`;
}

async function request(
  send: SendRequest,
  method: string,
  path: string,
  { plural, namespace }: Omit<ObjectRef, "name">,
  object?: object,
): Promise<{ readonly status: number; readonly body: unknown }> {
  try {
    const { status, body } = await send({
      method,
      path,
      headers: { "Content-Type": "application/json" },
      body: object === undefined ? undefined : JSON.stringify(object),
      seconds: TIMEOUT_SECONDS,
    });
    return { status, body: JSON.parse(body) };
  } catch (error) {
    throw asClusterError(error, `${method} ${plural} in ${namespace}`);
  }
}

function accepted(status: number, body: unknown, verb: string, ref: Omit<ObjectRef, "name">): KubernetesJson {
  if (CREATED.has(status) && isObject(body)) return body;
  const refusal = asClusterError(new ApiException(status, "", body, {}), `${verb} ${ref.plural} in ${ref.namespace}`);
  throw new RefusedWrite(status, refusal);
}

/** A write that the API server rejected, with its HTTP status. */
export class RefusedWrite extends ClusterError {
  readonly status: number;

  constructor(status: number, { kind, message }: ClusterError) {
    super(kind, message);
    this.status = status;
  }
}

export function metadataOf(object: unknown): Readonly<Record<string, unknown>> {
  return isObject(object) && isObject(object.metadata) ? object.metadata : {};
}

/** Fields that only a controller or the API server sets: a pod's node, and revision numbers. */
const SET_BY_OTHERS: Readonly<Record<string, readonly string[]>> = {
  Pod: ["spec", "nodeName"],
  Deployment: ["metadata", "annotations", "deployment.kubernetes.io/revision"],
  DaemonSet: ["metadata", "annotations", "deprecated.daemonset.template.generation"],
};
/** Metadata that the API server sets. */
const SERVER_FIELDS = ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"] as const;

/** Path of a field that others set; undefined if the kind has none. */
function setByOthers({ kind }: KubernetesJson): readonly string[] | undefined {
  return typeof kind === "string" ? SET_BY_OTHERS[kind] : undefined;
}

/** Copies such a field from the current object. */
export function asDecided(object: KubernetesJson, current: KubernetesJson): KubernetesJson {
  const path = setByOthers(object);
  const value = path && fieldOf(current, path);
  return path === undefined || value === undefined ? object : withField(object, path, value);
}

/** An object without its status and without fields that the API server or a controller sets. */
export function contentOf({ status: _, ...object }: KubernetesJson): KubernetesJson {
  const metadata = Object.entries(metadataOf(object)).filter(([key]) => !SERVER_FIELDS.some((field) => field === key));
  const content = { ...object, metadata: Object.fromEntries(metadata) };
  const path = setByOthers(object);
  return path === undefined || fieldOf(object, path) === undefined ? content : withField(content, path, undefined);
}

/** Whether two objects have equal content. */
export function isSame(one: KubernetesJson, other: KubernetesJson): boolean {
  return isDeepStrictEqual(contentOf(one), contentOf(other));
}

/** A copy of an object with one field changed. @param value Undefined removes the field. */
export function withField(object: KubernetesJson, path: readonly string[], value: unknown): KubernetesJson {
  const [key, ...rest] = path;
  if (key === undefined) return object;
  const { [key]: before, ...others } = object;
  if (rest.length > 0) return { ...object, [key]: withField(isObject(before) ? before : {}, rest, value) };
  return value === undefined ? others : { ...object, [key]: value };
}

/** The value at a path of an object. */
export function fieldOf(object: unknown, path: readonly string[]): unknown {
  return path.reduce((value: unknown, key) => (isObject(value) ? value[key] : undefined), object);
}

/**
 * Names of the managers of a field, from the object's managedFields: `kubectl`, `helm`.
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
export function managersOf(object: unknown, path: readonly string[]): string[] {
  const { managedFields } = metadataOf(object);
  const entries: readonly unknown[] = Array.isArray(managedFields) ? managedFields : [];
  const managers = entries.flatMap((entry) => {
    const manager = fieldOf(entry, ["manager"]);
    const managed = fieldOf(entry, ["fieldsV1", ...path.map((key) => `f:${key}`)]);
    return typeof manager === "string" && managed !== undefined ? [manager] : [];
  });
  return [...new Set(managers)];
}
