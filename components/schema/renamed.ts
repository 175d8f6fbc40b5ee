import { formatPath, type SettingsIssue } from "./errors.ts";
import { isObject } from "./values.ts";

/** Old names of settings and the names that replace them, for each section of the configuration. */
export type Renames = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A configuration in which every setting has its current name. */
export interface Renamed {
  readonly settings: Readonly<Record<string, unknown>>;
  /** A warning for each old name; an error where both names are set. */
  readonly issues: readonly SettingsIssue[];
}

/**
 * Gives settings that are set by an old name their current one, so that a stack's file goes on working after an upgrade.
 * `components/settings.ts` applies it to a stack's file and to the file that it extends, before the schemas read them.
 * @param renames For each section its old names with the new ones: `{ logging: { carrier: "mode" } }`.
 */
export function renamed(given: Readonly<Record<string, unknown>>, renames: Renames): Renamed {
  const settings = { ...given };
  const issues: SettingsIssue[] = [];
  for (const [section, names] of Object.entries(renames)) {
    const value = settings[section];
    if (!isObject(value)) continue;
    const old = Object.keys(names).filter((name) => name in value);
    for (const name of old) {
      const current = names[name] ?? name;
      const path = [section, name];
      if (current in value)
        issues.push({ path: [section], message: `${name} is the old name of ${current}: set only one` });
      else issues.push({ path, message: `is deprecated, use ${formatPath([section, current])}`, severity: "warning" });
    }
    settings[section] = Object.fromEntries(
      // Of both names the current one counts; that is an error anyway.
      Object.entries(value).flatMap(([key, inner]) => {
        const current = names[key];
        if (current === undefined) return [[key, inner]];
        return current in value ? [] : [[current, inner]];
      }),
    );
  }
  return { settings, issues };
}
