import { evaluate, type Finding, failing } from "../../policies/core/evaluate.ts";
import type { PackConfig } from "../../policies/core/pack-config.ts";
import type { Group } from "../../policies/core/resource.ts";
import { isStackRule, type Rule } from "../../policies/core/rule.ts";
import { Stack } from "../../policies/core/stack.ts";
import { BUILT_IN_EXEMPTIONS, RULES } from "../../policies/pack.ts";
import {
  asResource,
  isSystem,
  type KubernetesObject,
  objectKey,
  ownUrn,
  type SourceLine,
  withoutOwned,
} from "./kubernetes-object.ts";

/** The resources to audit, with what is known about them. */
export interface Subject {
  readonly stack: Stack;
  /** URNs of resources that came with the cluster: rules read them but do not report them. */
  readonly system: ReadonlySet<string>;
  /** File and line of a manifest, by URN. */
  readonly sources: ReadonlyMap<string, SourceLine>;
  /** Types that could not be listed, so nothing is known about them. */
  readonly unreadTypes: readonly string[];
}

/** A rule that could not run, and the kinds that it needs. */
export interface SkippedRule {
  readonly rule: string;
  readonly unread: readonly string[];
}

export interface AuditFinding extends Finding {
  readonly source?: SourceLine;
}

export interface Audit {
  readonly findings: readonly AuditFinding[];
  /** Errors in the policy configuration. */
  readonly issues: readonly string[];
  /** Deprecated names in the configuration. */
  readonly warnings: readonly string[];
  readonly skipped: readonly SkippedRule[];
  /** Number of objects checked, without those that came with the cluster or that a controller owns. */
  readonly objects: number;
  readonly rules: number;
}

export interface ObjectsOptions {
  /** Whether the objects run in a cluster; if so, those that came with it are not reported. */
  readonly live: boolean;
  /** Whether to report workloads in kube-system too. Default false. */
  readonly includeSystem?: boolean;
  /** Namespace for objects that name none. Default: default, as in kubectl. */
  readonly namespace?: string | undefined;
  readonly unreadTypes?: readonly string[];
}

/** Prepares Kubernetes objects for an audit. */
export function subjectOf(objects: readonly KubernetesObject[], options: ObjectsOptions): Subject {
  const written = withoutOwned(objects);
  const provider: Group = options.namespace === undefined ? {} : { namespace: options.namespace };
  const system = new Set<string>();
  const sources = new Map<string, SourceLine>();
  const resources = written.map((object, index) => {
    // An object defined in two files is checked twice, because either may be applied last.
    const suffix = options.live ? "" : `#${index}`;
    const urn = ownUrn(object) ?? `${object.apiVersion}/${objectKey(object)}${suffix}`;
    if (options.live && isSystem(object, options.includeSystem ?? false)) system.add(urn);
    if (object.source !== undefined) sources.set(urn, object.source);
    return asResource(object, urn, options.live, provider);
  });
  return { stack: new Stack(resources), system, sources, unreadTypes: options.unreadTypes ?? [] };
}

/** Prepares the resources of a Pulumi stack for an audit. */
export function subjectOfStack(stack: Stack): Subject {
  return { stack, system: new Set(), sources: new Map(), unreadTypes: [] };
}

/** Runs the policy rules. @param config Levels, settings and exemptions, as in `pulumi --policy-pack-config`. */
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

/** Skips a rule that relates objects if some kinds could not be listed: it would report false violations. */
function skippedRule(rule: Rule, unreadTypes: readonly string[]): SkippedRule[] {
  if (!isStackRule(rule)) return [];
  const unread = rule.types.filter((type) => unreadTypes.includes(type));
  return unread.length === 0 ? [] : [{ rule: rule.id, unread: unread.map(kindOf) }];
}

/** `RoleBinding` of `kubernetes:rbac.authorization.k8s.io/v1:RoleBinding`. */
export function kindOf(type: string): string {
  return type.split(":").at(-1) ?? type;
}

/** Whether the command exits with code 1: a mandatory rule is violated or undecided, or the configuration is invalid. */
export function fails({ findings, issues }: Audit): boolean {
  return issues.length > 0 || failing({ findings }).length > 0;
}
