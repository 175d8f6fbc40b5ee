import type { Policies, PolicyConfigSchema, ReportViolation, StackValidationPolicy } from "@pulumi/policy";
import { evaluate } from "../core/evaluate.ts";
import type { Exemption } from "../core/exemption.ts";
import { OWN_POLICIES, type PackConfig, ruleConfig } from "../core/pack-config.ts";
import { isStackRule, judges, type Rule } from "../core/rule.ts";
import { Stack } from "../core/stack.ts";
import { Ledger, resourceOf, resourcesOf } from "./ledger.ts";

/**
 * The rules as policies of a pack. A rule on one resource runs before that is made; a rule on several at the end of a preview,
 * and of a deployment. Two more policies tell what was exempt and what could not be decided.
 */
export function policiesOf(rules: readonly Rule[], standing: readonly Exemption[]): Policies {
  const ledger = new Ledger();
  // Only a plan can tell what some rules read.
  const inEngine = rules.filter((rule) => !(isStackRule(rule) && rule.planOnly));
  return [...inEngine.map((rule) => policyOf(rule, standing, ledger)), ...ownPolicies(ledger)];
}

function policyOf(rule: Rule, standing: readonly Exemption[], ledger: Ledger): Policies[number] {
  const facts = {
    name: rule.id,
    displayName: rule.title,
    description: `${rule.title}. ${rule.reason}`,
    remediationSteps: rule.fix,
    url: rule.source.url,
    tags: [rule.family, rule.source.id],
    enforcementLevel: rule.level,
    configSchema: configSchema(rule),
  };
  /** Keeps what the configuration says even where the rule has nothing to judge: its exemptions are idle then. */
  const configured = (config: object) => {
    const { exemptions, issues } = ruleConfig(rule, { [rule.id]: config });
    ledger.keepExemptions(exemptions);
    ledger.keepIssues(issues);
    return { [rule.id]: config };
  };
  const run = (stack: Stack, judged: string, config: PackConfig, reportViolation: ReportViolation) => {
    const { findings, exemptions } = evaluate(stack, { rules: [rule], config, standing });
    ledger.keep(rule.id, judged, findings);
    ledger.keepUse(exemptions);
    for (const { message, urn } of findings.filter(({ outcome }) => outcome === "violated"))
      reportViolation(message, urn);
  };
  if (isStackRule(rule)) {
    return {
      ...facts,
      validateStack: (args, reportViolation) =>
        run(new Stack(resourcesOf(args.resources, ledger)), "the stack", configured(args.getConfig()), reportViolation),
    };
  }
  return {
    ...facts,
    validateResource: (args, reportViolation) => {
      const config = configured(args.getConfig());
      const resource = resourceOf(args, ledger);
      if (resource === undefined || !judges(rule, args.type)) return;
      run(new Stack([resource]), args.urn, config, reportViolation);
    },
  };
}

/** Last of all, so that every rule has run. */
function ownPolicies(ledger: Ledger): StackValidationPolicy[] {
  return [
    {
      name: OWN_POLICIES.undecided,
      description: "Every mandatory rule can be decided. Set it to mandatory to stop a preview that leaves one open.",
      enforcementLevel: "advisory",
      validateStack: (_, reportViolation) => {
        for (const { rule, level, message, urn } of ledger.findings("undecided"))
          if (level === "mandatory") reportViolation(`${rule}: ${message}`, urn);
      },
    },
    {
      name: OWN_POLICIES.exemptions,
      description: "Lists what is exempt from a rule, and exemptions that are wrong or have no effect.",
      enforcementLevel: "advisory",
      validateStack: (_, reportViolation) => {
        for (const { rule, message, urn } of ledger.findings("exempt")) reportViolation(`${rule}: ${message}`, urn);
        for (const issue of ledger.configurationIssues()) reportViolation(issue);
      },
    },
  ];
}

function configSchema(rule: Rule): PolicyConfigSchema {
  const options = (rule.options ?? []).map(({ name, schema }) => [name, schema] as const);
  return { properties: { ...Object.fromEntries(options), exempt: EXEMPT_SCHEMA } };
}

const EXEMPT_SCHEMA: PolicyConfigSchema["properties"][string] = {
  type: "array",
  description: "Resources that the rule does not bind, each with the reason",
  items: {
    type: "object",
    required: ["resource", "reason"],
    properties: {
      resource: {
        type: "string",
        minLength: 1,
        description: "URN, name or KIND/NAMESPACE/NAME; * stands for any text",
      },
      reason: { type: "string", minLength: 1 },
      only: {
        type: "string",
        enum: ["undecided"],
        description: "Allows only what cannot be decided before deployment",
      },
    },
  },
};
