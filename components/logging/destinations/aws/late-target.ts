import type * as pulumi from "@pulumi/pulumi";
import { bucketName, logGroupName } from "../../pipeline.ts";
import { type Target, type TeamNamespaces, targetsOf } from "../../routing/routes.ts";
import type { LoggingSettings } from "../../settings.ts";
import type { Destination, DestinationKind, DestinationOf } from "../destination-settings.ts";

/** A destination with values that are only known during deployment. Which resources it needs does not depend on them. */
export interface LateTarget extends Target {
  /** The destination with all its values. */
  readonly known: pulumi.Output<Destination>;
}

/** @param resolved The settings of these targets, with all values. */
export function lateTargets(
  targets: readonly Target[],
  resolved: pulumi.Output<LoggingSettings>,
  teams: readonly TeamNamespaces[],
): LateTarget[] {
  return targets.map((target, at) => ({
    ...target,
    known: resolved.apply((settings) => targetsOf(settings, teams)[at]?.destination ?? target.destination),
  }));
}

/** A value of a destination of this kind, once known. */
export function whenKnown<K extends DestinationKind, T>(
  { known }: Pick<LateTarget, "known">,
  kind: K,
  of: (destination: DestinationOf<K>) => T,
): pulumi.Output<T> {
  return known.apply((destination) => {
    if (!isOfKind(destination, kind)) throw new Error(`destination ${destination.kind} was ${kind} before`);
    return of(destination);
  });
}

function isOfKind<K extends DestinationKind>(destination: Destination, kind: K): destination is DestinationOf<K> {
  return destination.kind === kind;
}

/** Name of the log group of a destination `cloudwatch`. */
export function groupNameOf(target: LateTarget, cluster: string): pulumi.Output<string> {
  return whenKnown(target, "cloudwatch", (destination) => logGroupName(destination, cluster, target.suffix));
}

/** Name of the bucket of a destination `s3`. */
export function bucketNameOf(target: LateTarget, cluster: string, region: string): pulumi.Output<string> {
  return whenKnown(target, "s3", (destination) => bucketName(destination, cluster, region, target.suffix));
}
