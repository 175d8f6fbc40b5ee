import type { Resource } from "./resource.ts";
import { type Level, type Rule, type RuleOption, RuleOptionError, Settings, type Verdict } from "./rule.ts";

/** Allows a resource to violate a rule, with a reason. */
export interface Exemption {
  /** Id of the rule. */
  readonly rule: string;
  /** URN, Pulumi name or label of the resource (`DaemonSet/logging/fluent-bit`, `Namespace/logging`); `*` matches any text. */
  readonly resource: string;
  readonly reason: string;
  /** Only allows the rule to be undecided. Default: violations too. */
  readonly only?: "undecided";
}

/** An issue in an exemption, as text; undefined if it is valid. */
function exemptionIssue(exemption: Exemption): string | undefined {
  const what = `exemption of ${exemption.resource || "no resource"} from ${exemption.rule}`;
  if (exemption.resource.trim() === "") return `${what}: resource must not be empty`;
  if (exemption.reason.trim() === "") return `${what}: reason must say why`;
  return undefined;
}

export function isExempt(exemption: Exemption, verdict: Verdict): boolean {
  if (exemption.only === "undecided" && verdict.outcome !== "undecided") return false;
  return matchesResource(exemption.resource, verdict.resource);
}

/** Whether a pattern matches a resource. */
export function matchesResource(pattern: string, { names }: Resource): boolean {
  return names.some((text) => matchesGlob(pattern, text));
}

const GLOBS = new Map<string, RegExp>();

/** Whether a text matches a pattern, in which `*` matches any text. */
export function matchesGlob(pattern: string, text: string): boolean {
  if (!pattern.includes("*")) return pattern === text;
  const glob = GLOBS.get(pattern);
  if (glob !== undefined) return glob.test(text);
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const compiled = new RegExp(`^${parts.join(".*")}$`, "s");
  GLOBS.set(pattern, compiled);
  return compiled.test(text);
}

/** Configuration in the format of `--policy-pack-config`: levels or settings by rule id or `all`. */
export type PackConfig = { readonly [rule: string]: unknown };

/** How one rule runs. */
export interface RuleConfig {
  readonly level: Level;
  readonly settings: Settings;
  readonly exemptions: readonly Exemption[];
  /** Errors in the configuration, as text. */
  readonly issues: readonly string[];
  /** Deprecated names, which still work. */
  readonly warnings: readonly string[];
}

const LEVELS: readonly Level[] = ["mandatory", "advisory", "disabled"];
/** Keys of a rule's configuration that are not options of the rule. */
const OWN_KEYS = ["enforcementLevel", "exempt"];

/** Reads the configuration of one rule. Invalid parts are reported and ignored, so the rule still runs. */
export function ruleConfig(rule: Rule, config: PackConfig): RuleConfig {
  const issues: string[] = [];
  const warnings: string[] = [];
  const properties = group(config[rule.id]);
  const level = levelOf(config[rule.id]) ?? levelOf(config.all) ?? rule.level;
  if (!isLevel(level))
    issues.push(`${rule.id}: enforcementLevel must be one of ${LEVELS.join(", ")} (found ${JSON.stringify(level)})`);
  const options = rule.options ?? [];
  const sound = Object.entries(properties).filter(([key]) => {
    if (OWN_KEYS.includes(key)) return false;
    const option = options.find(({ name, formerName }) => name === key || formerName === key);
    const issue = optionIssue(option, properties, allowedKeys(options), key);
    if (option?.formerName === key) warnings.push(`${rule.id}: ${key} is deprecated, use ${option.name}`);
    if (issue !== undefined) issues.push(`${rule.id}: ${issue}`);
    return issue === undefined;
  });
  const exemptions = readExemptions(rule.id, properties.exempt, issues);
  return {
    level: isLevel(level) ? level : rule.level,
    settings: new Settings(Object.fromEntries(sound)),
    exemptions,
    issues,
    warnings,
  };
}

/** Policies of the pack besides the rules, which only the engine runs. */
export const OWN_POLICIES = { exemptions: "exemptions", undecided: "undecided", secrets: "secret-values" } as const;

/** Names in a configuration that are not rules. */
export function unknownRules(rules: readonly Rule[], config: PackConfig): string[] {
  const ids = new Set(["all", ...Object.values(OWN_POLICIES), ...rules.map(({ id }) => id)]);
  return Object.keys(config)
    .filter((id) => !ids.has(id))
    .map((id) => `${id}: there is no such rule`);
}

function allowedKeys(options: readonly RuleOption<unknown>[]): string {
  return [...OWN_KEYS, ...options.map(({ name }) => name)].join(", ");
}

function optionIssue(
  option: RuleOption<unknown> | undefined,
  properties: Readonly<Record<string, unknown>>,
  allowed: string,
  key: string,
): string | undefined {
  if (option === undefined) return `unknown option ${key}, must be one of ${allowed}`;
  try {
    option.read(properties);
    return undefined;
  } catch (error) {
    if (error instanceof RuleOptionError) return error.message;
    throw error;
  }
}

function readExemptions(rule: string, raw: unknown, issues: string[]): Exemption[] {
  if (raw === undefined) return [];
  if (!Array.isArray(raw)) {
    issues.push(`${rule}: exempt must be a list of {resource, reason}`);
    return [];
  }
  return raw.flatMap((item): Exemption[] => {
    const { resource, reason, only } = group(item);
    const exemption: Exemption = {
      rule,
      resource: typeof resource === "string" ? resource : "",
      reason: typeof reason === "string" ? reason : "",
      ...(only === "undecided" ? { only } : {}),
    };
    const issue =
      only === undefined || only === "undecided"
        ? exemptionIssue(exemption)
        : `exemption of ${exemption.resource} from ${rule}: only must be "undecided" or absent (found ${JSON.stringify(only)})`;
    if (issue !== undefined) issues.push(issue);
    return issue === undefined ? [exemption] : [];
  });
}

function levelOf(raw: unknown): unknown {
  return typeof raw === "string" ? raw : group(raw).enforcementLevel;
}

function isLevel(value: unknown): value is Level {
  return LEVELS.some((level) => level === value);
}

function group(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
