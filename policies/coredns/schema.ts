import fetched from "./fetched.json" with { type: "json" };
import type { JsonSchema } from "./json-schema.ts";
import withAutoscaling from "./with-autoscaling.json" with { type: "json" };
import withoutAutoscaling from "./without-autoscaling.json" with { type: "json" };
import withoutPods from "./without-pods.json" with { type: "json" };

/** First builds that take `autoScaling`; every CoreDNS after these takes it. */
const FIRST_AUTOSCALING: Readonly<Record<string, number>> = { "1.9.3": 15, "1.10.1": 11, "1.11.1": 9 };
/** Read from EKS for one version each; they win over the rules below. */
const FETCHED: { readonly [version: string]: { readonly schema: JsonSchema } } = fetched;

/**
 * The schema that a version of the CoreDNS add-on takes. It does not only grow: v1.11.1-eksbuild.8 rejects `autoScaling`,
 * which v1.10.1-eksbuild.11 takes. Undefined where the text is no version.
 * @see https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeAddonConfiguration.html
 */
export function schemaOf(version: string): JsonSchema | undefined {
  const [, major, minor, patch, build] = (/^v(\d+)\.(\d+)\.(\d+)-eksbuild\.(\d+)$/.exec(version) ?? []).map(Number);
  if (major === undefined || minor === undefined || patch === undefined || build === undefined) return undefined;
  const own = FETCHED[version];
  if (own !== undefined) return own.schema;
  const first = FIRST_AUTOSCALING[`${major}.${minor}.${patch}`];
  const isAfter = (wantedMinor: number, wantedPatch: number) =>
    major > 1 || minor > wantedMinor || (minor === wantedMinor && patch >= wantedPatch);
  if (first === undefined ? isAfter(11, 1) : build >= first) return withAutoscaling.schema;
  const isEarly = !isAfter(9, 3) || (`${major}.${minor}.${patch}` === "1.9.3" && build < 5);
  return isEarly ? withoutPods.schema : withoutAutoscaling.schema;
}
