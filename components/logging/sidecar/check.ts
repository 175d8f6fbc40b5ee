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
    add(["destination", "kind"], "one that needs no AWS identity, which a team's pod has not", destination.kind);
  if (destination.kind === "file")
    add(["destination", "kind"], "one that is not on the node, where a team's pod may not write", destination.kind);
  if (needsCidrs(destination) && destinationCidrs.length === 0) {
    const message = "the destination's addresses, since its host is a name and a network policy knows none";
    add(["sidecar", "destinationCidrs"], message, destinationCidrs);
  }
  if (!needsCidrs(destination) && destinationCidrs.length > 0)
    add(["sidecar", "destinationCidrs"], "nothing, since the destination's place is known", destinationCidrs);
  const own = "with carrier sidecar, which reads its own pod alone";
  for (const key of ["include", "exclude"] as const)
    if (namespaces[key].length > 0) add(["namespaces", key], `nothing ${own}`, namespaces[key]);
  if (Object.keys(labels).length > 0) add(["labels"], `nothing ${own}`, labels);
  if (metadata.annotations) add(["metadata", "annotations"], "false with carrier sidecar, which asks no API", true);
  return issues;
}
