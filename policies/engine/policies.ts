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
 * The rules as policies of a pack. A rule on single resources runs before each is created or updated; a rule on the stack runs at the end
 * of a preview and of a deployment. Further policies record which values are secret, and list exempt and undecided findings.
 */
export function policiesOf(rules: readonly Rule[], builtIn: readonly Exemption[]): Policies {
  const run = new EngineRun(builtIn);
  // Some rules read data that only a plan has.
  const inEngine = rules.filter((rule) => !isPlanOnly(rule));
  return [secretsPolicy(run), ...inEngine.map((rule) => policyOf(rule, run)), ...ownPolicies(run)];
}

/**
 * The policy of a rule. Its functions are getters that return none while the policy has nothing to do: @pulumi/policy then neither decodes
 * a resource for it nor calls it. The engine still sees its name, level and configuration.
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

/** The engine only marks secret inputs for remediations. This one records them and remediates nothing. */
function secretsPolicy(run: EngineRun): ResourceValidationPolicy {
  return {
    name: OWN_POLICIES.secrets,
    description: "Records which inputs are secret, so that no finding shows them. Changes nothing.",
    enforcementLevel: "remediate",
    remediateResource: ({ urn, props }) => run.seen.keepSecrets(urn, props),
  };
}

/** Policies that summarize the run. They are the last of the pack, so that every rule has run before them. */
function ownPolicies(run: EngineRun): Policies {
  return [
    listPolicy(
      run,
      {
        name: OWN_POLICIES.undecided,
        description:
          "Every mandatory rule can be decided. Set this policy to mandatory to stop a preview that leaves one undecided.",
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
        description: "Lists what is exempt from a rule, and exemptions that are invalid or have no effect.",
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
  /** Whether it is only information, which never stops a deployment, even if the policy's level is mandatory. */
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
      // Before the run, @pulumi/policy recognizes a stack policy by this function.
      return lines.length > 0 || !run.hasBegun ? validate : undefined;
    },
  };
}

/** Reports at level advisory. The function also accepts an object with a level of its own, which its type does not declare. */
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
  description: "Resources to which the rule does not apply, each with the reason",
  items: {
    type: "object",
    required: ["resource", "reason"],
    properties: {
      resource: {
        type: "string",
        minLength: 1,
        description: "URN, name or KIND/NAMESPACE/NAME; * matches any text",
      },
      reason: { type: "string", minLength: 1 },
      only: {
        type: "string",
        enum: ["undecided"],
        description: "Only allow what cannot be decided before deployment",
      },
    },
  },
};
