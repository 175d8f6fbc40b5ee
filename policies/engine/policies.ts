import type {
  Policies,
  PolicyConfigSchema,
  ReportViolation,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from "@pulumi/policy";
import type { Finding } from "../core/evaluate.ts";
import { type Exemption, OWN_POLICIES } from "../core/pack-config.ts";
import { isPlanOnly, isStackRule, type Rule } from "../core/rule.ts";
import { EngineRun } from "./engine-run.ts";

/**
 * The rules as policies of a pack. A rule on one resource runs before that is made; a rule on several at the end of a preview, and
 * of a deployment. More policies list what is exempt and what could not be decided, and find out which values are secret.
 */
export function policiesOf(rules: readonly Rule[], builtIn: readonly Exemption[]): Policies {
  const run = new EngineRun(builtIn);
  // Only a plan can tell what some rules read.
  const inEngine = rules.filter((rule) => !isPlanOnly(rule));
  return [secretsPolicy(run), ...inEngine.map((rule) => policyOf(rule, run)), ...ownPolicies(run)];
}

/**
 * The policy of a rule has no function while it has nothing to do: then @pulumi/policy neither decodes a resource for it nor calls it,
 * though the engine knows its name, level and configuration as of any other.
 */
function policyOf(rule: Rule, run: EngineRun): Policies[number] {
  const facts = {
    name: rule.id,
    displayName: rule.title,
    description: rule.title,
    remediationSteps: rule.fix,
    url: rule.source.url,
    tags: [rule.family, rule.source.id],
    enforcementLevel: rule.level,
    configSchema: configSchema(rule),
  };
  const validateResource: ResourceValidationPolicy["validateResource"] = (args, report) =>
    run.validateResource(rule, args, report);
  const resourcePolicy = {
    ...facts,
    get validateResource() {
      return run.mustValidateResource(rule) ? validateResource : [];
    },
  };
  if (!isStackRule(rule)) return resourcePolicy;
  return {
    ...facts,
    get validateResource() {
      return run.mustValidateResource(rule) ? validateResource : undefined;
    },
    get validateStack() {
      const validate: StackValidationPolicy["validateStack"] = (args, report) => run.validateStack(rule, args, report);
      return run.mustValidateStack(rule) ? validate : undefined;
    },
  };
}

/** The engine tells which inputs are secret to remediations alone. This one remediates nothing. */
function secretsPolicy(run: EngineRun): ResourceValidationPolicy {
  return {
    name: OWN_POLICIES.secrets,
    description: "Finds out which inputs are secret, so that no finding shows them. Changes nothing.",
    enforcementLevel: "remediate",
    remediateResource: ({ urn, props }) => run.seen.keepSecrets(urn, props),
  };
}

/** Last of all, so that every rule has run; each is called only where it has something to report. */
function ownPolicies(run: EngineRun): Policies {
  return [
    listPolicy(
      run,
      {
        name: OWN_POLICIES.undecided,
        description:
          "Every mandatory rule can be decided. Set it to mandatory to stop a preview that leaves one undecided.",
      },
      () =>
        run
          .findings("undecided")
          .filter(({ level }) => level === "mandatory")
          .map(lineOf),
    ),
    listPolicy(
      run,
      {
        name: OWN_POLICIES.exemptions,
        description: "Lists what is exempt from a rule, and exemptions that are wrong or have no effect.",
      },
      () => [
        ...run.findings("exempt").map((finding) => ({ ...lineOf(finding), isNote: true })),
        ...run.configurationIssues().map((message) => ({ message, urn: undefined })),
        ...run.notes().map((message) => ({ message, urn: undefined, isNote: true })),
      ],
    ),
  ];
}

interface Line {
  readonly message: string;
  readonly urn: string | undefined;
  /** Stops nothing, also where the policy is mandatory, such as by the level of `all`. */
  readonly isNote?: boolean;
}

function lineOf({ rule, message, urn }: Finding): Line {
  return { message: `${rule}: ${message}`, urn };
}

function listPolicy(
  run: EngineRun,
  facts: { readonly name: string; readonly description: string },
  linesOf: () => readonly Line[],
): Policies[number] {
  return {
    ...facts,
    enforcementLevel: "advisory",
    validateResource: undefined,
    get validateStack() {
      const lines = linesOf();
      const validate: StackValidationPolicy["validateStack"] = (_, report) => {
        for (const line of lines) {
          if (line.isNote) reportNote(report, facts.description, line);
          else report(line.message, line.urn);
        }
      };
      // By this the engine tells what kind of policy it is, before the run.
      return lines.length > 0 || !run.hasBegun ? validate : undefined;
    },
  };
}

/** Reports at the level advisory. The function takes a violation with a level of its own, which its type leaves out. */
function reportNote(report: ReportViolation, description: string, { message, urn }: Line): void {
  const violation = { message: `${description}\n${message}`, urn, enforcementLevel: "advisory" };
  Reflect.apply(report, undefined, [violation]);
}

function configSchema(rule: Rule): PolicyConfigSchema {
  const options = (rule.options ?? []).flatMap(({ name, formerName, schema }): [string, typeof schema][] => {
    if (formerName === undefined) return [[name, schema]];
    const { default: _, ...former } = schema;
    return [
      [name, schema],
      [formerName, { ...former, description: `Deprecated name of ${name}` }],
    ];
  });
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
