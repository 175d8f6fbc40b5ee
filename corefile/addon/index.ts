/** The EKS add-on `coredns`: its versions, and what each takes as its configuration. */
export {
  addonDefaults,
  daysBetween,
  LOOKED_UP,
  minorOf,
  STALE_AFTER_DAYS,
  type Support,
  supportOf,
} from "./eks-versions.ts";
export { type AddonSchema, FETCHED_FILE, type Rejection, rejections, schemaFor, withFetched } from "./schemas.ts";
export { ADDON_VERSIONS, type AddonVersion, isAtLeast, parseAddonVersion } from "./versions.ts";
