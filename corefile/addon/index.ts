/** The EKS add-on `coredns`: its versions, and the configuration that each accepts. */

export {
  type AddonSchema,
  FETCHED_FILE,
  possibleRejections,
  possibleVersions,
  type Rejection,
  rejections,
  schemaFor,
  withFetched,
} from "./schemas.ts";
export {
  type Component,
  type ComponentVerdict,
  judgeComponent,
  type Standing,
  unknownVersion,
  type VersionStep,
  versionStep,
} from "./upgrade-rules.ts";
export {
  ADDON_VERSIONS,
  type AddonName,
  type AddonVersion,
  addonDefaults,
  addonNames,
  ageWarning,
  daysBetween,
  isAtLeast,
  knownVersions,
  LOOKED_UP,
  minorOf,
  parseAddonVersion,
  STALE_AFTER_DAYS,
  type Support,
  supportOf,
} from "./versions.ts";
