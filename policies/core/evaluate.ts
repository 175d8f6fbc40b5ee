import { type Exemption, isExempt, matchesResource } from "./exemption.ts";
import type { Settings } from "./options.ts";
import { type PackConfig, type RuleConfig, ruleConfig, unknownRules } from "./pack-config.ts";
import { isStackRule, judges, type Level, Report, type Rule, type Verdict } from "./rule.ts";
import type { Stack } from "./stack.ts";

/** What a rule said of a resource in a run. */
export interface Finding {
  readonly rule: string;
  readonly level: Level;
  /** `undecided`: the rule met a value that only the deployment tells. `exempt`: allowed by name, with a reason. */
  readonly outcome: "violated" | "undecided" | "exempt";
  readonly urn: string;
  /** What a person calls the resource, such as `Pod/ts-team/curl-ts`. */
  readonly resource: string;
  /** Names resource, field, value and fix; of an exemption also the reason. */
  readonly message: string;
}

/** An exemption of a run, with how many findings it allowed. */
export interface UsedExemption extends Exemption {
  readonly findings: number;
  /** Whether a resource of that name was there at all. */
  readonly matches: boolean;
}

export interface Evaluation {
  readonly findings: readonly Finding[];
  readonly exemptions: readonly UsedExemption[];
  /** What is wrong in the configuration: unknown rules, exemptions without a reason or without effect. */
  readonly issues: readonly string[];
  /** How many rules ran. */
  readonly rules: number;
}

/** How a stack is judged. */
export interface Judgement {
  readonly rules: readonly Rule[];
  /** Levels, settings and exemptions by rule. Default: each rule's own. */
  readonly config?: PackConfig;
  /** Exemptions beside those of `config`; one that allows nothing is no issue. */
  readonly standing?: readonly Exemption[];
}

/** Runs rules on a stack, without an engine. */
export function evaluate(stack: Stack, { rules, config = {}, standing = [] }: Judgement): Evaluation {
  const runs = rules
    .map((rule) => ({ rule, config: ruleConfig(rule, config) }))
    .map((run) => ({
      ...run,
      verdicts: run.config.level === "disabled" ? [] : verdictsOf(run.rule, stack, run.config.settings),
    }));
  const used = runs.flatMap(({ rule, config: { exemptions }, verdicts }) => {
    const standingHere = standing.filter((exemption) => exemption.rule === rule.id);
    return [...exemptions, ...standingHere].map((exemption) => usage(exemption, verdicts, stack));
  });
  const issues = [
    ...unknownRules(rules, config),
    ...runs.flatMap((run) => run.config.issues),
    ...used.filter((exemption) => exemption.findings === 0 && !standing.some(sameAs(exemption))).map(withoutEffect),
  ];
  const findings = runs.flatMap((run) =>
    run.verdicts.map((verdict) => finding(run.rule, run.config, verdict, standing)),
  );
  return {
    findings,
    exemptions: used.filter(({ findings }) => findings > 0),
    issues,
    rules: runs.filter((run) => run.config.level !== "disabled").length,
  };
}

/** What a rule says of a stack, before exemptions. */
export function verdictsOf(rule: Rule, stack: Stack, settings: Settings): readonly Verdict[] {
  const report = new Report(rule);
  if (isStackRule(rule)) report.part(() => rule.checkStack(stack, report, settings));
  else
    report.each(
      stack.resources.filter(({ type }) => judges(rule, type)),
      (one) => rule.check(one, report, settings),
    );
  return report.verdicts;
}

/** The mandatory findings that no exemption allows: with one of them, or with an issue, a check fails. */
export function failing({ findings }: Evaluation): Finding[] {
  return findings.filter(({ level, outcome }) => level === "mandatory" && outcome !== "exempt");
}

export function withoutEffect({ rule, resource, matches }: UsedExemption): string {
  const why = matches ? "the rule has nothing against it" : "there is no such resource";
  return `exemption of ${resource} from ${rule} has no effect: ${why}; take it out`;
}

function usage(exemption: Exemption, verdicts: readonly Verdict[], stack: Stack): UsedExemption {
  return {
    ...exemption,
    findings: verdicts.filter((verdict) => isExempt(exemption, verdict)).length,
    matches: stack.resources.some((resource) => matchesResource(exemption.resource, resource)),
  };
}

function sameAs(one: Exemption) {
  return (other: Exemption) =>
    one.rule === other.rule && one.resource === other.resource && one.reason === other.reason;
}

function finding(rule: Rule, config: RuleConfig, verdict: Verdict, standing: readonly Exemption[]): Finding {
  const exemption = [...config.exemptions, ...standing.filter((one) => one.rule === rule.id)].find((one) =>
    isExempt(one, verdict),
  );
  const about = { rule: rule.id, level: config.level, urn: verdict.resource.urn, resource: verdict.resource.label };
  if (exemption === undefined) return { ...about, outcome: verdict.outcome, message: verdict.message };
  return { ...about, outcome: "exempt", message: `${verdict.message}. Allowed: ${exemption.reason}` };
}
