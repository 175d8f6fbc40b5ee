import { BUILT_IN_EXEMPTIONS } from "../../policies/built-in-exemptions.ts";
import { evaluate, type Finding, failing } from "../../policies/core/evaluate.ts";
import type { PackConfig } from "../../policies/core/pack-config.ts";
import type { Group } from "../../policies/core/resource.ts";
import { isStackRule, type Rule } from "../../policies/core/rule.ts";
import { Stack } from "../../policies/core/stack.ts";
import { RULES } from "../../policies/rules/index.ts";
import {
  asResource,
  isSystem,
  type KubernetesObject,
  objectKey,
  ownUrn,
  type SourceLine,
  withoutOwned,
} from "./kubernetes-object.ts";

/** What is audited: its resources, and what is known of each beside them. */
export interface Subject {
  readonly stack: Stack;
  /** Resources that came with the cluster: rules read them, and report none. By URN. */
  readonly system: ReadonlySet<string>;
  /** File and line of a manifest, by URN. */
  readonly sources: ReadonlyMap<string, SourceLine>;
  /** Types of which nothing is known, since they may not be listed. */
  readonly unreadTypes: readonly string[];
}

/** A rule that could not run, and the kinds that it would have had to read. */
export interface SkippedRule {
  readonly rule: string;
  readonly unread: readonly string[];
}

export interface AuditFinding extends Finding {
  readonly source?: SourceLine;
}

export interface Audit {
  readonly findings: readonly AuditFinding[];
  /** Errors in the configuration of the policies. */
  readonly issues: readonly string[];
  /** Deprecated names in the configuration. */
  readonly warnings: readonly string[];
  readonly skipped: readonly SkippedRule[];
  /** How many objects were judged, without those that came with the cluster or belong to another object. */
  readonly objects: number;
  readonly rules: number;
}

export interface ObjectsOptions {
  /** Whether the objects run in a cluster: what came with it is then not reported. */
  readonly live: boolean;
  /** Whether to report what runs in kube-system too. Default false. */
  readonly includeSystem?: boolean;
  /** Namespace of the objects that name none. Default: default, as kubectl has it. */
  readonly namespace?: string | undefined;
  readonly unreadTypes?: readonly string[];
}

/** Kubernetes objects, ready to be judged. */
export function subjectOf(objects: readonly KubernetesObject[], options: ObjectsOptions): Subject {
  const written = withoutOwned(objects);
  const provider: Group = options.namespace === undefined ? {} : { namespace: options.namespace };
  const system = new Set<string>();
  const sources = new Map<string, SourceLine>();
  const resources = written.map((object, index) => {
    // The same object in two files is judged twice: nobody knows which is applied last.
    const suffix = options.live ? "" : `#${index}`;
    const urn = ownUrn(object) ?? `${object.apiVersion}/${objectKey(object)}${suffix}`;
    if (options.live && isSystem(object, options.includeSystem ?? false)) system.add(urn);
    if (object.source !== undefined) sources.set(urn, object.source);
    return asResource(object, urn, options.live, provider);
  });
  return { stack: new Stack(resources), system, sources, unreadTypes: options.unreadTypes ?? [] };
}

/** The resources of a Pulumi stack, ready to be judged. */
export function subjectOfStack(stack: Stack): Subject {
  return { stack, system: new Set(), sources: new Map(), unreadTypes: [] };
}

/** Runs the policy rules. @param config Levels, settings and exemptions, as of `pulumi --policy-pack-config`. */
export function audit({ stack, system, sources, unreadTypes }: Subject, config: PackConfig = {}): Audit {
  const skipped = RULES.flatMap((rule) => skippedRule(rule, unreadTypes));
  const rules = RULES.filter(({ id }) => !skipped.some(({ rule }) => rule === id));
  const evaluation = evaluate(stack, {
    rules,
    config: Object.fromEntries(Object.entries(config).filter(([id]) => !skipped.some(({ rule }) => rule === id))),
    builtIn: BUILT_IN_EXEMPTIONS,
    unusedExemptions: "ignore",
  });
  const findings = evaluation.findings
    .filter(({ urn }) => !system.has(urn))
    .map((finding) => {
      const source = sources.get(finding.urn);
      return source === undefined ? finding : { ...finding, source };
    });
  const judged = stack.resources.filter(({ urn }) => !system.has(urn));
  const { issues, warnings } = evaluation;
  return { findings, issues, warnings, skipped, objects: judged.length, rules: evaluation.rules };
}

/** A rule that relates objects would report violations if some of them are only not visible. */
function skippedRule(rule: Rule, unreadTypes: readonly string[]): SkippedRule[] {
  if (!isStackRule(rule)) return [];
  const unread = rule.types.filter((type) => unreadTypes.includes(type));
  return unread.length === 0 ? [] : [{ rule: rule.id, unread: unread.map(kindOf) }];
}

/** `RoleBinding` of `kubernetes:rbac.authorization.k8s.io/v1:RoleBinding`. */
export function kindOf(type: string): string {
  return type.split(":").at(-1) ?? type;
}

/** Whether the audit ends with exit code 1: a mandatory rule is violated or undecided, or the configuration is wrong. */
export function fails({ findings, issues }: Audit): boolean {
  return issues.length > 0 || failing({ findings }).length > 0;
}
