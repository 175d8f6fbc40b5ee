import { checkCorefile } from "../../corefile/checks/checker.ts";
import type { CorefileFindings } from "../../corefile/checks/findings.ts";
import type { Version } from "../../corefile/releases.ts";
import { EKS_COREFILE } from "../support/eks-corefile.ts";

/** The lines in the only block of the add-on's own Corefile. */
export const DEFAULT = EKS_COREFILE.split("\n").slice(1, -2).join("\n");

export const block = (zone: string, ...lines: readonly string[]) => `${zone} {\n${lines.join("\n")}\n}\n`;

/** The add-on's own Corefile with lines before its own, and more blocks. */
export const withLines = (lines: string, more = "") => block(".:53", lines, DEFAULT) + more;

/** Findings but for that of every view, whose expression is not read. */
export function check(text: string, coredns: Version = [1, 14, 3]): CorefileFindings {
  const { errors, warnings } = checkCorefile(text, { coredns });
  return { errors, warnings: warnings.filter((warning) => !warning.endsWith("its expression is not checked")) };
}
