import {
  type Exemption,
  isExempt,
  matchesResource,
  type PackConfig,
  type RuleConfig,
  ruleConfig,
  unknownRules,
} from "./pack-config.ts";
import { isStackRule, judges, type Level, messageOf, Report, type Rule, type Settings, type Verdict } from "./rule.ts";
import type { Stack } from "./stack.ts";

/** A rule's finding about a resource. */
export interface Finding {
  readonly rule: string;
  /** The rule's level; `advisory` if a mandatory rule defers to the deployment. */
  readonly level: Level;
  /** `undecided`: the rule met a value known only after deployment. `exempt`: allowed by name, with a reason. */
  readonly outcome: "violated" | "undecided" | "exempt";
  readonly urn: string;
  /** Readable name of the resource, such as `Pod/ts-team/curl-ts`. */
  readonly resource: string;
  /** Field, value and problem; for an exemption also its reason. */
  readonly detail: string;
  /** How to comply, for this resource. Absent if the rule is undecided. */
  readonly fix?: string;
  /** A self-contained line: resource, detail and fix. */
  readonly message: string;
}

/** An exemption, with the number of findings it allowed. */
export interface UsedExemption extends Exemption {
  readonly findings: number;
  /** Whether any resource matches it. */
  readonly matches: boolean;
}

export interface Evaluation {
  readonly findings: readonly Finding[];
  readonly exemptions: readonly UsedExemption[];
  /** Errors in the configuration: unknown rules, exemptions without a reason or without effect. */
  readonly issues: readonly string[];
  /** Deprecated names in the configuration, which still work. */
  readonly warnings: readonly string[];
  /** How many rules ran. */
  readonly rules: number;
}

/** What to evaluate a stack with. */
export interface Judgement {
  readonly rules: readonly Rule[];
  /** Levels, options and exemptions by rule. Default: each rule's own. */
  readonly config?: PackConfig;
  /** Exemptions besides those of `config`; an unused one is not an issue. */
  readonly builtIn?: readonly Exemption[];
  /** How to treat an unused exemption of `config`. Default: as an issue. */
  readonly unusedExemptions?: "ignore";
}

/** A rule with its configuration. */
export interface ConfiguredRule {
  readonly rule: Rule;
  readonly config: RuleConfig;
  /** The built-in exemptions of this rule. */
  readonly builtIn: readonly Exemption[];
}

/** The findings of one rule, and the exemptions that applied. */
export interface RuleRun {
  readonly findings: readonly Finding[];
  readonly exemptions: readonly UsedExemption[];
}

/** Reads a rule's configuration once, for any number of stacks. */
export function configured(rule: Rule, config: PackConfig, builtIn: readonly Exemption[]): ConfiguredRule {
  return { rule, config: ruleConfig(rule, config), builtIn: builtIn.filter((exemption) => exemption.rule === rule.id) };
}

/** Runs rules on a stack, without an engine. */
export function evaluate(stack: Stack, { rules, config = {}, builtIn = [], unusedExemptions }: Judgement): Evaluation {
  const all = rules.map((rule) => configured(rule, config, builtIn));
  const runs = all.map((rule) => runRule(rule, stack));
  const used = runs.flatMap(({ exemptions }) => exemptions);
  const issues = [
    ...unknownRules(rules, config),
    ...all.flatMap(({ config: { issues } }) => issues),
    ...(unusedExemptions === "ignore" ? [] : used)
      .filter((exemption) => exemption.findings === 0 && !builtIn.some(sameAs(exemption)))
      .map(withoutEffect),
  ];
  return {
    findings: runs.flatMap(({ findings }) => findings),
    exemptions: used.filter(({ findings }) => findings > 0),
    issues,
    warnings: all.flatMap(({ config: { warnings } }) => warnings),
    rules: all.filter(({ config: { level } }) => level !== "disabled").length,
  };
}

/** Runs one rule on a stack. */
export function runRule({ rule, config, builtIn }: ConfiguredRule, stack: Stack): RuleRun {
  const verdicts = config.level === "disabled" ? [] : verdictsOf(rule, stack, config.settings);
  const exemptions = [...config.exemptions, ...builtIn];
  return {
    findings: verdicts.map((verdict) => finding(rule, config.level, verdict, exemptions)),
    exemptions: exemptions.map((exemption) => ({
      ...exemption,
      findings: verdicts.filter((verdict) => isExempt(exemption, verdict)).length,
      matches: stack.resources.some((resource) => matchesResource(exemption.resource, resource)),
    })),
  };
}

/** A rule's verdicts on a stack, before exemptions. */
export function verdictsOf(rule: Rule, stack: Stack, settings: Settings): readonly Verdict[] {
  const report = new Report(rule, stack.secretTexts);
  if (isStackRule(rule)) report.part(() => rule.checkStack(stack, report, settings));
  else
    report.each(
      stack.resources.filter(({ type }) => judges(rule, type)),
      (resource) => rule.check(resource, report, settings),
    );
  return report.verdicts;
}

/** Mandatory findings without an exemption. Each of them fails a check, as does an issue. */
export function failing({ findings }: Pick<Evaluation, "findings">): Finding[] {
  return findings.filter(({ level, outcome }) => level === "mandatory" && outcome !== "exempt");
}

function withoutEffect({ rule, resource, matches }: UsedExemption): string {
  const why = matches ? "the rule finds nothing in it" : "there is no such resource";
  return `exemption of ${resource} from ${rule} has no effect: ${why}; remove it`;
}

function sameAs(one: Exemption) {
  return (other: Exemption) =>
    one.rule === other.rule && one.resource === other.resource && one.reason === other.reason;
}

function finding(rule: Rule, ofRule: Level, verdict: Verdict, exemptions: readonly Exemption[]): Finding {
  const exemption = exemptions.find((candidate) => isExempt(candidate, verdict));
  const level = verdict.deferred && ofRule === "mandatory" ? "advisory" : ofRule;
  const { resource, detail, outcome } = verdict;
  const fix = verdict.fix === undefined ? {} : { fix: verdict.fix };
  const about = { rule: rule.id, level, urn: resource.urn, resource: resource.label, ...fix };
  if (exemption === undefined) return { ...about, outcome, detail, message: messageOf(verdict) };
  const allowed = `. Allowed: ${exemption.reason}`;
  return { ...about, outcome: "exempt", detail: detail + allowed, message: messageOf(verdict) + allowed };
}
