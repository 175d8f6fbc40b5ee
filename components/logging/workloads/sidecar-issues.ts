import type { SettingsIssue } from "../../schema/errors.ts";
import { awsIdentitySetting, needsAwsIdentity } from "../destinations/amazon.ts";
import { isAtService, needsCidrs } from "../destinations/egress.ts";
import { onlyDestination } from "../routing/routes.ts";
import type { LoggingSettings } from "../settings.ts";

/** Reports sidecar settings of a stack without sidecars. */
function unusedSettings({ sidecar }: LoggingSettings): SettingsIssue[] {
  const { destinationCidrs, destinationPort } = sidecar;
  const given = {
    ...(destinationCidrs.length === 0 ? {} : { destinationCidrs }),
    ...(destinationPort === undefined ? {} : { destinationPort }),
  };
  return Object.entries(given).map(([key, value]) => ({
    path: ["sidecar", key],
    message: "must not be set with mode daemonset, which no network policy restricts",
    value,
  }));
}

/** Limits of sidecars with any collector: a sidecar is part of a team's pod, without rights on its node or in AWS. */
export function sidecarIssues(settings: LoggingSettings): SettingsIssue[] {
  if (settings.mode !== "sidecar") return unusedSettings(settings);
  const { namespaces, labels, metadata, sidecar } = settings;
  const { destinationCidrs, destinationPort } = sidecar;
  const destination = onlyDestination(settings);
  const issues: SettingsIssue[] = [];
  const add = (path: string[], message: string, value: unknown) => issues.push({ path, message, value });
  if (needsAwsIdentity(destination)) {
    const { key, value } = awsIdentitySetting(destination);
    add(["destination", key], "must not need an AWS identity with mode sidecar, since a team's pod has none", value);
  }
  if (destination.kind === "file")
    add(
      ["destination", "kind"],
      "must not be on the node with mode sidecar, since a team's pod cannot write there",
      destination.kind,
    );
  if (needsCidrs(destination) && destinationCidrs.length === 0) {
    const message = "must contain the addresses of the destination, since a network policy cannot use host names";
    add(["sidecar", "destinationCidrs"], message, destinationCidrs);
  }
  if (!needsCidrs(destination) && destinationCidrs.length > 0)
    add(["sidecar", "destinationCidrs"], "must be empty, since the destination's address is known", destinationCidrs);
  if (destinationPort !== undefined && !isAtService(destination))
    add(
      ["sidecar", "destinationPort"],
      "must not be set unless the destination is a Service of the cluster, whose pods may listen on another port",
      destinationPort,
    );
  const own = "must be empty with mode sidecar, which reads only its own pod";
  for (const key of ["include", "exclude"] as const)
    if (namespaces[key].length > 0) add(["namespaces", key], own, namespaces[key]);
  if (Object.keys(labels).length > 0) add(["labels"], own, labels);
  if (metadata.annotations)
    add(["metadata", "annotations"], "must be false with mode sidecar, which does not use the Kubernetes API", true);
  return issues;
}
