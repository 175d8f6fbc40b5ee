import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type ClusterHandle, daemonSetIssues } from "../cluster/handle.ts";
import { CorefileOptions } from "../dns/corefile-settings.ts";
import { checkedLater, isOutput } from "../schema/arguments.ts";
import { ArgumentsError, argumentPath, errorMap, issuesOf, type SettingsIssue, throwErrors } from "../schema/errors.ts";
import { awsIdentitySetting } from "./destinations/destination-settings.ts";
import { isUnknown, standInFor } from "./destinations/destination-values.ts";
import type { LogCollectionArgs } from "./log-collection-args.ts";
import { targetsOf } from "./routing/routes.ts";
import { LoggingSettings } from "./settings.ts";
import { isFromAws } from "./sources/source.ts";
import { checkPipeline } from "./validation.ts";

/**
 * The settings as far as they are known before deployment.
 * @param name Name of the component, which starts the messages; with a dot and an argument if these are a part of its arguments.
 */
export function knownSettings(name: string, args: LogCollectionArgs): LoggingSettings {
  const late = lateValues(destinationsIn(args));
  const reason = ", with mode sidecar, since the teams' network policies depend on it";
  const refused = args.mode === "sidecar" ? late : late.filter(({ standIn }) => standIn === undefined);
  const issues = refused.map(({ path, standIn }) => ({
    path: pathOf(name, path),
    message: `must be a ${plainKind(standIn)}, not an output${standIn === undefined ? "" : reason}`,
  }));
  if (issues.length > 0) throw new ArgumentsError(issues);
  const standIns = late.map(({ standIn }) => standIn);
  // A stand-in may be invalid where the value is not; the value is checked once it is known.
  return checkedSettings(name, args, withValues(destinationsIn(args), late, standIns), ({ message, value }) =>
    [message, JSON.stringify(value) ?? ""].some(isUnknown),
  );
}

function pathOf(name: string, keys: readonly string[]): PropertyKey[] {
  return [...argumentPath(name), ...keys.map((key) => (/^\d+$/.test(key) ? Number(key) : key))];
}

/** What an argument must be where no output is allowed. */
function plainKind(standIn: unknown): string {
  if (standIn === undefined) return "plain value";
  return typeof standIn === "string" ? "string" : "plain array";
}

/**
 * The settings once all outputs in the arguments are known. Without the value of an output, such as one that another stack lacks, the
 * default would silently be used: another log group, or no KMS key.
 */
export function resolvedSettings(
  name: string,
  args: LogCollectionArgs,
  checked: LoggingSettings,
): pulumi.Output<LoggingSettings> {
  const given = destinationsIn(args);
  const late = lateValues(given);
  if (late.length === 0) return pulumi.output(checked);
  const outputs = late.map(({ value }) => value);
  return checkedLater(outputs, (values) => {
    const missing = late.filter((_, index) => values[index] === undefined || values[index] === null);
    const message = "must have a value, but its output has none";
    if (missing.length > 0)
      throw new ArgumentsError(missing.map(({ path }) => ({ path: pathOf(name, path), message })));
    return checkedSettings(name, args, withValues(given, late, values));
  });
}

/** The arguments beside the settings. */
const Context = z.object({
  teams: z
    .array(z.object({ name: z.string(), namespaces: z.array(z.object({ name: z.string() })).optional() }))
    .optional(),
  clusterDomain: CorefileOptions.shape.clusterDomain,
});

/** The arguments that may contain outputs. */
function destinationsIn({ destination, destinations }: LogCollectionArgs): object {
  return {
    ...(destination === undefined ? {} : { destination }),
    ...(destinations === undefined ? {} : { destinations }),
  };
}

/**
 * Parses and checks the arguments.
 * @param value The destinations, without outputs.
 * @param isIgnored Selects issues that do not count. Default: none.
 * @throws {ArgumentsError} for all other errors together.
 */
function checkedSettings(
  name: string,
  { cluster: _cluster, clusterDomain, teams, image, ...args }: LogCollectionArgs,
  value: unknown,
  isIgnored: (issue: SettingsIssue) => boolean = () => false,
): LoggingSettings {
  const given = { ...args, ...Object(value), image: isOutput(image) ? undefined : image };
  const path = argumentPath(name);
  const context = Context.safeParse({ teams, clusterDomain }, { error: errorMap });
  const parsed = LoggingSettings.safeParse(given, { error: errorMap });
  const issues: SettingsIssue[] = [
    ...(context.success ? [] : issuesOf(context.error, { teams, clusterDomain }, path)),
    ...(parsed.success ? [] : issuesOf(parsed.error, given, path)),
    ...(parsed.success && context.success
      ? checkPipeline(parsed.data, teams).map((issue) => ({ ...issue, path: [...path, ...issue.path] }))
      : []),
  ];
  const errors = issues.filter((issue) => issue.severity !== "warning" && !isIgnored(issue));
  if (!parsed.success || errors.length > 0) throw new ArgumentsError(errors);
  return parsed.data;
}

/** @throws {ArgumentsError} for what the cluster cannot run, and for destinations in AWS if it gives pods no AWS identity. */
export function requireCluster(name: string, cluster: ClusterHandle, settings: LoggingSettings): void {
  const identity = cluster.podIdentity === undefined ? identityIssues(settings) : [];
  const onNodes =
    settings.mode === "daemonset"
      ? daemonSetIssues(cluster, { path: ["mode"], message: "must be sidecar", value: settings.mode })
      : [];
  throwErrors(name, [...onNodes, ...identity]);
}

function identityIssues(settings: LoggingSettings): SettingsIssue[] {
  const message = "must not need an AWS identity, since the cluster has no podIdentity";
  const issues: SettingsIssue[] = targetsOf(settings).flatMap(({ path, destination }) => {
    const setting = awsIdentitySetting(destination);
    if (setting === undefined) return [];
    const { key, value } = setting;
    return [{ path: [...path, key], message, ...(isUnknown(value) ? {} : { value }) }];
  });
  for (const source of settings.sources.filter(isFromAws))
    issues.push({
      path: ["sources"],
      message: `must not contain ${source}, since the cluster has no podIdentity`,
      value: source,
    });
  return issues;
}

/** An argument that is an output, with its path and a stand-in; undefined if it must be a plain value. */
interface LateValue {
  readonly path: readonly string[];
  readonly value: pulumi.Input<unknown>;
  readonly standIn: unknown;
}

/** The outputs in arguments, at any depth. */
function lateValues(given: object): LateValue[] {
  return outputsIn(given, []).map(({ path, value }, index) => ({
    path,
    value,
    standIn: standInFor(path.at(-1) ?? "", index),
  }));
}

function outputsIn(given: unknown, path: readonly string[]): Pick<LateValue, "path" | "value">[] {
  if (isOutput(given)) return [{ path, value: given }];
  if (typeof given !== "object" || given === null) return [];
  return Object.entries(given).flatMap(([key, value]) => outputsIn(value, [...path, key]));
}

/** The arguments with values instead of these outputs. */
function withValues(given: object, late: readonly LateValue[], values: readonly unknown[]): unknown {
  return late.reduce<unknown>((args, { path }, at) => replaced(args, path, values[at]), given);
}

function replaced(given: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  if (typeof given !== "object" || given === null) return given;
  const inner = replaced(Reflect.get(given, key), rest, value);
  return Array.isArray(given) ? given.with(Number(key), inner) : { ...given, [key]: inner };
}
