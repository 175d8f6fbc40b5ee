import type { SettingsIssue } from "../../schema/errors.ts";
import type { LoggingSettings } from "../settings.ts";
import { needsCidrs } from "./egress.ts";

/** What a sidecar cannot do, whichever collector it is: it is a pod of a team, without rights on its node or in AWS. */
export function checkSidecar(settings: LoggingSettings): SettingsIssue[] {
  const { destination, namespaces, labels, metadata, sidecar } = settings;
  const { destinationCidrs } = sidecar;
  const issues: SettingsIssue[] = [];
  const add = (path: string[], message: string, value: unknown) => issues.push({ path, message, value });
  if (destination.kind === "cloudwatch" || destination.kind === "s3")
    add(
      ["destination", "kind"],
      "must not need an AWS identity with mode sidecar, since a team's pod has none",
      destination.kind,
    );
  if (destination.kind === "file")
    add(
      ["destination", "kind"],
      "must not be on the node with mode sidecar, since a team's pod cannot write there",
      destination.kind,
    );
  if (needsCidrs(destination) && destinationCidrs.length === 0) {
    const message = "must hold the addresses of the destination, since a network policy cannot name a host";
    add(["sidecar", "destinationCidrs"], message, destinationCidrs);
  }
  if (!needsCidrs(destination) && destinationCidrs.length > 0)
    add(["sidecar", "destinationCidrs"], "must be empty, since the destination's address is known", destinationCidrs);
  const own = "must be empty with mode sidecar, which reads only its own pod";
  for (const key of ["include", "exclude"] as const)
    if (namespaces[key].length > 0) add(["namespaces", key], own, namespaces[key]);
  if (Object.keys(labels).length > 0) add(["labels"], own, labels);
  if (metadata.annotations)
    add(["metadata", "annotations"], "must be false with mode sidecar, which does not use the Kubernetes API", true);
  return issues;
}
