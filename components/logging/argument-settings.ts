import * as pulumi from "@pulumi/pulumi";
import type { ClusterHandle } from "../cluster/handle.ts";
import { errorMap, issuesOf, SettingsError, type SettingsIssue } from "../schema/errors.ts";
import { awsIdentitySetting, needsAwsIdentity } from "./destinations/amazon.ts";
import type { DestinationArgs } from "./destinations/destination-args.ts";
import type { LogCollectionArgs } from "./log-collection-args.ts";
import { targetsOf } from "./routing/routes.ts";
import { LoggingSettings, UNKNOWN_HOST } from "./settings.ts";
import { isFromAws } from "./sources/journal.ts";
import { checkPipeline } from "./validation.ts";

const UNKNOWN_URL = `https://${UNKNOWN_HOST}`;

/** The settings as far as they are known before the deployment. */
export function knownSettings(name: string, args: LogCollectionArgs): LoggingSettings {
  const addresses = unknownAddresses(args);
  if (args.mode === "sidecar" && addresses.length > 0) {
    const message =
      "must be a string, not an output, with mode sidecar, since the teams' network policies depend on it";
    throw new SettingsError(addresses.map(({ path, key }) => ({ path: [name, ...path, key], message })));
  }
  const standIns = addresses.map(({ key }) => (key === "host" ? UNKNOWN_HOST : UNKNOWN_URL));
  return checkedSettings(name, withAddresses(args, addresses, standIns));
}

/** The settings once all outputs among the arguments are known. */
export function resolvedSettings(
  name: string,
  args: LogCollectionArgs,
  known: LoggingSettings,
): pulumi.Output<LoggingSettings> {
  const addresses = unknownAddresses(args);
  if (addresses.length === 0) return pulumi.output(known);
  return pulumi
    .all(addresses.map(({ value }) => value))
    .apply((values) => checkedSettings(name, withAddresses(args, addresses, values)));
}

/** An address that is an output, and where it stands among the arguments. */
interface UnknownAddress {
  readonly path: readonly string[];
  readonly key: "host" | "url";
  readonly value: pulumi.Input<string>;
}

function unknownAddresses({ destination, destinations = {} }: LogCollectionArgs): UnknownAddress[] {
  const places: (readonly [path: string[], DestinationArgs | undefined])[] = [
    [["destination"], destination],
    ...Object.entries(destinations).map(([name, named]): [string[], DestinationArgs] => [
      ["destinations", name],
      named,
    ]),
  ];
  return places.flatMap(([path, found]) => {
    const address = addressOf(found);
    return address === undefined || typeof address.value === "string" ? [] : [{ path, ...address }];
  });
}

function addressOf(destination: DestinationArgs | undefined): Omit<UnknownAddress, "path"> | undefined {
  switch (destination?.kind) {
    case "opensearch":
    case "elasticsearch":
      return destination.host === undefined ? undefined : { key: "host", value: destination.host };
    case "http":
    case "loki":
    case "otlp":
    case "splunk":
      return { key: "url", value: destination.url };
    default:
      return undefined;
  }
}

/** The arguments with values in the place of these addresses. */
function withAddresses(
  args: LogCollectionArgs,
  addresses: readonly UnknownAddress[],
  values: readonly string[],
): LogCollectionArgs {
  const { destination, destinations, ...others } = args;
  const known = (path: readonly string[], given: DestinationArgs): DestinationArgs => {
    const at = addresses.findIndex((address) => address.path.join(".") === path.join("."));
    const value = values[at];
    if (value === undefined) return given;
    if (given.kind === "opensearch" || given.kind === "elasticsearch") return { ...given, host: value };
    return "url" in given ? { ...given, url: value } : given;
  };
  return {
    ...others,
    ...(destination === undefined ? {} : { destination: known(["destination"], destination) }),
    ...(destinations === undefined
      ? {}
      : {
          destinations: Object.fromEntries(
            Object.entries(destinations).map(([name, named]) => [name, known(["destinations", name], named)]),
          ),
        }),
  };
}

function checkedSettings(
  name: string,
  { cluster: _cluster, clusterDomain: _clusterDomain, teams, image, ...args }: LogCollectionArgs,
): LoggingSettings {
  const given = { ...args, image: typeof image === "string" ? image : undefined };
  const parsed = LoggingSettings.safeParse(given, { error: errorMap });
  const issues: SettingsIssue[] = parsed.success
    ? checkPipeline(parsed.data, teams).map((issue) => ({ ...issue, path: [name, ...issue.path] }))
    : issuesOf(parsed.error, given, [name]);
  const errors = issues.filter(({ severity }) => severity !== "warning");
  if (!parsed.success || errors.length > 0) throw new SettingsError(errors);
  return parsed.data;
}

/** @throws {SettingsError} for destinations in AWS on a cluster that gives pods no AWS identity. */
export function requirePodIdentity(name: string, { podIdentity }: ClusterHandle, settings: LoggingSettings): void {
  const message = "must not need an AWS identity, since the cluster has no podIdentity";
  const issues = targetsOf(settings).flatMap(({ path, destination }) => {
    if (!needsAwsIdentity(destination)) return [];
    const { key, value } = awsIdentitySetting(destination);
    return [{ path: [name, ...path, key], message, value }];
  });
  for (const source of settings.sources.filter(isFromAws))
    issues.push({
      path: [name, "sources"],
      message: `must not contain ${source}, since the cluster has no podIdentity`,
      value: source,
    });
  if (podIdentity === undefined && issues.length > 0) throw new SettingsError(issues);
}
