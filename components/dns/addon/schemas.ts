import { z } from "zod";
import fetched from "./schemas/fetched.json" with { type: "json" };
import withAutoscaling from "./schemas/with-autoscaling.json" with { type: "json" };
import withoutAutoscaling from "./schemas/without-autoscaling.json" with { type: "json" };
import withoutPods from "./schemas/without-pods.json" with { type: "json" };
import { isAtLeast, parseAddonVersion } from "./versions.ts";

/** The configuration schema of an add-on version, with where it comes from. */
export interface AddonSchema {
  /** The version that the schema was read from. */
  readonly seenIn: string;
  readonly source: string;
  /** When, as year and month. */
  readonly lookedUp: string;
  readonly schema: z.core.JSONSchema.JSONSchema;
}

const Stored = z.object({
  seenIn: z.string(),
  source: z.string(),
  lookedUp: z.string(),
  schema: z.record(z.string(), z.unknown()),
});

/** Schemas that were fetched from EKS for one version each; they win over the rules below. */
const FETCHED = z.record(z.string(), Stored).parse(fetched);
const WITH_AUTOSCALING = Stored.parse(withAutoscaling);
const WITHOUT_AUTOSCALING = Stored.parse(withoutAutoscaling);
const WITHOUT_PODS = Stored.parse(withoutPods);

/** First builds that take `autoScaling`; every CoreDNS after these takes it. */
const FIRST_AUTOSCALING: Readonly<Record<string, number>> = { "1.9.3": 15, "1.10.1": 11, "1.11.1": 9 };
/** First build that takes affinity, tolerations, disruption budget and spread. */
const FIRST_PODS = { coredns: [1, 9, 3], build: 5 } as const;

/**
 * The schema that an add-on version checks its configuration with. It does not only grow: v1.11.1-eksbuild.8 rejects
 * `autoScaling`, which the older v1.10.1-eksbuild.11 takes.
 * @returns undefined where the text is no add-on version.
 * @see https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeAddonConfiguration.html
 */
export function schemaFor(version: string): AddonSchema | undefined {
  const parsed = parseAddonVersion(version);
  if (parsed === undefined) return undefined;
  const own = FETCHED[version];
  if (own !== undefined) return own;
  const firstBuild = FIRST_AUTOSCALING[parsed.coredns.join(".")];
  if (firstBuild === undefined ? isAtLeast(parsed, 1, 11, 1) : parsed.build >= firstBuild) return WITH_AUTOSCALING;
  const pods = isAtLeast(parsed, ...FIRST_PODS.coredns);
  const early = parsed.coredns.join(".") === FIRST_PODS.coredns.join(".") && parsed.build < FIRST_PODS.build;
  return pods && !early ? WITHOUT_AUTOSCALING : WITHOUT_PODS;
}

/** File of the schemas that were fetched, as a URL; `lab dns schema --update` writes it. */
export const FETCHED_FILE: URL = new URL("./schemas/fetched.json", import.meta.url);

/**
 * The content of {@link FETCHED_FILE} with one more version's schema.
 * @param configurationSchema the text that EKS's DescribeAddonConfiguration returns.
 * @param lookedUp year and month, such as `2026-11`.
 * @throws where the text is no JSON schema of an object, or the version is none.
 */
export function withFetched(
  version: string,
  configurationSchema: string,
  lookedUp: string,
): Record<string, AddonSchema> {
  if (parseAddonVersion(version) === undefined)
    throw new Error(`${version} is no add-on version, such as v1.13.2-eksbuild.31`);
  const schema = z.record(z.string(), z.unknown()).safeParse(JSON.parse(configurationSchema));
  if (!schema.success || !validator(schema.data).safeParse({}).success) {
    throw new Error(`the schema of ${version} does not take an empty configuration, so it is none of a CoreDNS add-on`);
  }
  const source = `aws eks describe-addon-configuration --addon-name coredns --addon-version ${version}`;
  const added = { ...FETCHED, [version]: { seenIn: version, source, lookedUp, schema: schema.data } };
  return Object.fromEntries(Object.entries(added).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** One value that an add-on version rejects. */
export interface Rejection {
  /** Path in the configuration, such as `["autoScaling", "minReplicas"]`. */
  readonly path: readonly (string | number)[];
  /** What that version requires there: `must be at least 2 for v1.13.2-eksbuild.31`. */
  readonly message: string;
}

const VALIDATORS = new WeakMap<z.core.JSONSchema.JSONSchema, z.ZodType>();

/** EKS answers in draft 6, which draft 7 only adds to. To make one takes longer than to ask it. */
function validator(schema: z.core.JSONSchema.JSONSchema): z.ZodType {
  const known = VALIDATORS.get(schema);
  if (known !== undefined) return known;
  const made = z.fromJSONSchema({ ...schema, $schema: "http://json-schema.org/draft-07/schema#" });
  VALIDATORS.set(schema, made);
  return made;
}

/** What EKS would reject in a configuration for that version. */
export function rejections(configuration: unknown, version: string): Rejection[] {
  const found = schemaFor(version);
  if (found === undefined) return [{ path: [], message: `must be for a known version of the add-on, not ${version}` }];
  const result = validator(found.schema).safeParse(configuration);
  return (result.error?.issues ?? []).flatMap((issue): Rejection[] => {
    const path = issue.path.map((key) => (typeof key === "symbol" ? String(key) : key));
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: `must not be set, since ${version} has no ${key}`,
      }));
    }
    return [{ path, message: `must be ${wanted(issue)} for ${version}` }];
  });
}

function wanted(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type") return `a value of type ${issue.expected}`;
  if (issue.code === "too_small") return `at least ${issue.minimum}`;
  if (issue.code === "too_big") return `at most ${issue.maximum}`;
  return "of another type";
}
