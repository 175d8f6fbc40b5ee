import { type Schema, Validator } from "@cfworker/json-schema";
import { isBefore, type Version } from "../releases.ts";
import fetched from "./schemas/fetched.json" with { type: "json" };
import withAutoscaling from "./schemas/with-autoscaling.json" with { type: "json" };
import withTopologyMode from "./schemas/with-topology-mode.json" with { type: "json" };
import withoutAutoscaling from "./schemas/without-autoscaling.json" with { type: "json" };
import withoutPods from "./schemas/without-pods.json" with { type: "json" };
import { ADDON_VERSIONS, parseAddonVersion } from "./upgrade-rules.ts";

/** The configuration schema of an add-on version, and its source. */
export interface AddonSchema {
  /** The version that the schema is from. */
  readonly seenIn: string;
  readonly source: string;
  /** Year and month of the lookup. */
  readonly lookedUp: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

/** Schemas fetched from EKS, by version; they take precedence over the rules below. */
const FETCHED: Readonly<Record<string, AddonSchema>> = fetched;
/** First builds with `autoScaling`, by CoreDNS version; all later CoreDNS versions have it. */
const FIRST_AUTOSCALING: Readonly<Record<string, number>> = { "1.9.3": 15, "1.10.1": 11, "1.11.1": 9 };
const AUTOSCALING_SINCE: Version = [1, 11, 1];
const TOPOLOGY_MODE_SINCE: Version = [1, 12, 3];
/** First build with affinity, tolerations, disruption budget and topology spread. */
const FIRST_PODS: { readonly coredns: Version; readonly build: number } = { coredns: [1, 9, 3], build: 5 };

/**
 * The schema that validates an add-on version's configuration, or the nearest older known one. Newer schemas do not always accept more:
 * v1.11.1-eksbuild.8 rejects `autoScaling`, which the older v1.10.1-eksbuild.11 accepts.
 * @returns undefined if the text is not an add-on version.
 * @see https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeAddonConfiguration.html
 */
export function schemaFor(version: string): AddonSchema | undefined {
  const parsed = parseAddonVersion(version);
  if (parsed === undefined) return undefined;
  const fetched = FETCHED[version];
  if (fetched !== undefined) return fetched;
  const { coredns, build } = parsed;
  if (!isBefore(coredns, TOPOLOGY_MODE_SINCE)) return withTopologyMode;
  const firstBuild = FIRST_AUTOSCALING[coredns.join(".")];
  if (firstBuild === undefined ? !isBefore(coredns, AUTOSCALING_SINCE) : build >= firstBuild) return withAutoscaling;
  const early = coredns.join(".") === FIRST_PODS.coredns.join(".") && build < FIRST_PODS.build;
  return isBefore(coredns, FIRST_PODS.coredns) || early ? withoutPods : withoutAutoscaling;
}

/** URL of the file with the fetched schemas, which `lab dns schema --update` writes. */
export const FETCHED_FILE: URL = new URL("./schemas/fetched.json", import.meta.url);

/**
 * Adds a version's schema to the content of {@link FETCHED_FILE}.
 * @param configurationSchema the text from EKS's DescribeAddonConfiguration.
 * @param lookedUp year and month, such as `2026-11`.
 * @throws if the text is not a JSON schema of an object, or the version is invalid.
 */
export function withFetched(
  version: string,
  configurationSchema: string,
  lookedUp: string,
): Record<string, AddonSchema> {
  if (parseAddonVersion(version) === undefined)
    throw new Error(`${version} is not an add-on version, such as v1.13.2-eksbuild.31`);
  const schema: unknown = JSON.parse(configurationSchema);
  if (!isObject(schema) || !validator(schema).validate({}).valid)
    throw new Error(`the schema of ${version} rejects an empty configuration, so it is not that of the CoreDNS add-on`);
  const source = `aws eks describe-addon-configuration --addon-name coredns --addon-version ${version}`;
  const added = { ...FETCHED, [version]: { seenIn: version, source, lookedUp, schema } };
  return Object.fromEntries(Object.entries(added).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A value that an add-on version rejects. */
export interface Rejection {
  /** Path in the configuration, such as `["autoScaling", "minReplicas"]`. */
  readonly path: readonly (string | number)[];
  /** The value found; undefined if a key is missing. */
  readonly value: unknown;
  /** What the version accepts there, as the end of a sentence: `must be an integer`. */
  readonly message: string;
  /** Whether this is only known for an older version: a newer one may have keys that the older lacks. */
  readonly undecided: boolean;
}

const VALIDATORS = new WeakMap<object, Validator>();

/** EKS answers in JSON Schema draft 6; the validator's draft 7 is a superset. */
function validator(schema: Schema): Validator {
  const known = VALIDATORS.get(schema);
  if (known !== undefined) return known;
  const created = new Validator(schema, "7", false);
  VALIDATORS.set(schema, created);
  return created;
}

/**
 * Validates a configuration for an add-on version. A key that an older version's schema lacks is undecided.
 * @throws if the text is not an add-on version.
 */
export function rejections(configuration: unknown, version: string): Rejection[] {
  const found = schemaFor(version);
  if (found === undefined) throw new Error(`${version} is not an add-on version, such as v1.13.2-eksbuild.31`);
  const { errors } = validator(found.schema).validate(configuration);
  return errors.flatMap(({ keyword, keywordLocation, instanceLocation }): Rejection[] => {
    const path = keysOf(instanceLocation, configuration);
    const value = valueAt(configuration, path);
    const reject = (message: string, more: Partial<Rejection> = {}): Rejection => {
      return { path, value, message, undecided: false, ...more };
    };
    if (keyword === "false")
      return found.seenIn === version
        ? [reject(`must not be set, since ${version} does not support it`)]
        : [
            reject(`is not in the schema of ${found.seenIn}, the nearest version whose schema is known`, {
              undecided: true,
            }),
          ];
    if (WRAPPERS.has(keyword) || keywordLocation.includes("/anyOf/")) return [];
    const limit = limitAt(found.schema, keywordLocation);
    if (keyword !== "required") return [reject(requirement(keyword, limit))];
    const names = Array.isArray(limit) ? limit.map(String) : [];
    return names
      .filter((name) => !(isObject(value) && name in value))
      .map((name) => reject("is required", { path: [...path, name], value: undefined }));
  });
}

/** A value that some of several versions reject. */
export interface PossibleRejection extends Rejection {
  /** The versions that reject it. */
  readonly versions: readonly string[];
}

/** Add-on versions that a looked-up default may be: those of all known Kubernetes versions, oldest first. */
export function possibleVersions(): readonly string[] {
  return [...new Set(Object.values(ADDON_VERSIONS))];
}

/**
 * Validates a configuration for an unknown add-on version.
 * A rejection is undecided unless all {@link possibleVersions} certainly reject the value.
 */
export function possibleRejections(configuration: unknown): PossibleRejection[] {
  const versions = possibleVersions();
  const rejected = versions.flatMap((version) =>
    rejections(configuration, version).map((rejection) => ({ version, rejection })),
  );
  const byPath = Map.groupBy(rejected, ({ rejection }) => JSON.stringify(rejection.path));
  return [...byPath.values()].flatMap((ofPath): PossibleRejection[] => {
    const [first] = ofPath;
    if (first === undefined) return [];
    const certain = new Set(ofPath.filter(({ rejection }) => !rejection.undecided).map(({ version }) => version));
    const rejecting = [...new Set(ofPath.map(({ version }) => version))];
    return [{ ...first.rejection, undecided: certain.size < versions.length, versions: rejecting }];
  });
}

/** Keywords whose errors only report that a child is invalid. */
const WRAPPERS: ReadonlySet<string> = new Set(["$ref", "properties", "items", "additionalProperties"]);

/** What a schema's keyword requires, as the end of a sentence. */
function requirement(keyword: string, limit: unknown): string {
  const list = Array.isArray(limit) ? limit.map(String) : [String(limit)];
  if (keyword === "type")
    return `must be ${list.map((type) => `${/^[aeiou]/.test(type) ? "an" : "a"} ${type}`).join(" or ")}`;
  if (keyword === "minimum") return `must be at least ${limit}`;
  if (keyword === "maximum") return `must be at most ${limit}`;
  if (keyword === "enum") return `must be one of ${list.join(", ")}`;
  if (keyword === "pattern") return `must match ${limit}`;
  return "must have another form";
}

/** Value of a keyword, such as 2 at `#/properties/minReplicas/minimum`; follows references. */
function limitAt(schema: unknown, location: string): unknown {
  return pointer(location).reduce((part: unknown, key) => {
    const inner = isObject(part) ? part[key] : undefined;
    if (key !== "$ref" || typeof inner !== "string") return inner;
    return pointer(inner).reduce((target: unknown, step) => (isObject(target) ? target[step] : undefined), schema);
  }, schema);
}

function pointer(location: string): string[] {
  return location
    .replace(/^#\/?/, "")
    .split("/")
    .filter((step) => step !== "")
    .map((step) => decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** A location as keys, with numbers for list indices. */
function keysOf(location: string, root: unknown): (string | number)[] {
  const keys: (string | number)[] = [];
  for (const step of pointer(location)) keys.push(Array.isArray(valueAt(root, keys)) ? Number(step) : step);
  return keys;
}

function valueAt(root: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce((value: unknown, key) => {
    return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  }, root);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
