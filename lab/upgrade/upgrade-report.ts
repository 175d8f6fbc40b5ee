import { styleText } from "node:util";
import { LOOKED_UP } from "eks-dns-logging-corefile/addon";
import { plainTable } from "../output/table.ts";
import { bold, dim } from "../output/text.ts";
import type { UpgradePlan } from "./upgrade-plan.ts";

/** An upgrade for a terminal. It has colors: strip them for other outputs. */
export function formatUpgrade(plan: UpgradePlan): string {
  const { stack, cluster, from, to, context } = plan;
  const where = context === undefined ? "" : `, context ${context}`;
  const blocks = [
    [`Upgrade of ${bold(cluster)} (stack ${stack}${where}): Kubernetes ${bold(`${from} → ${to}`)}`],
    plan.notes.map((note) => `${styleText("yellow", "note")}: ${note}`),
    blockers(plan),
    steps(plan),
    components(plan),
    coredns(plan),
    changes(plan),
    [
      bold("Rollback:"),
      ...numbered(plan.wayBack),
      "   https://docs.aws.amazon.com/eks/latest/userguide/rollback-cluster.html",
    ],
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join("\n"))
    .join("\n\n")}\n`;
}

function blockers({ blockers: lines }: UpgradePlan): string[] {
  if (lines.length === 0) return [styleText("green", "Nothing blocks the upgrade.")];
  return [styleText(["bold", "red"], "Before the upgrade:"), ...numbered(lines)];
}

function numbered(lines: readonly string[]): string[] {
  return lines.map((line, index) => `${String(index + 1).padStart(2)}. ${line}`);
}

function steps({ steps: all }: UpgradePlan): string[] {
  const lines = all.flatMap(({ title, how, takes, details, source }, index) => [
    `${String(index + 1).padStart(2)}. ${bold(title)}: ${how}${takes === "-" ? "" : ` (${takes})`}`,
    ...details.map((detail) => `    ${detail}`),
    ...(all[index - 1]?.source === source ? [] : [dim(`    ${source}`)]),
  ]);
  return [bold("Steps, in EKS's order:"), ...lines];
}

function components({ components: verdicts, to }: UpgradePlan): string[] {
  if (verdicts.length === 0) return [];
  const rows = verdicts.map(({ component, version, standing, wanted, reason }) => [
    component,
    version,
    standing,
    wanted ?? "-",
    reason,
  ]);
  return [
    bold("Component versions:"),
    plainTable(["component", "now", "verdict", `with ${to}`, "why"], rows).trimEnd(),
    dim(`looked up on ${LOOKED_UP}; https://kubernetes.io/releases/version-skew-policy/`),
  ];
}

function coredns({ coredns: upgrade }: UpgradePlan): string[] {
  if (upgrade === undefined) return [];
  const { changes: release, errors, warnings, from, to, isChecked, affected, behavior } = upgrade;
  const kinds: readonly (readonly [string, readonly string[]])[] = [
    ["new plugins", release.added],
    ["removed plugins", release.removed],
    ["new options", release.addedOptions],
    ["removed options", release.removedOptions],
    ["moved in the order", release.moved],
  ];
  return [
    bold(`CoreDNS ${from} → ${to}:`),
    ...(release.from === release.to ? ["  the same plugins and options"] : []),
    ...kinds.flatMap(([kind, names]) => (names.length === 0 ? [] : [`  ${kind}: ${names.join("; ")}`])),
    ...affected.map((plugin) => bold(`  the Corefile uses ${plugin}, which was moved or removed`)),
    ...behavior.flatMap(({ change, version, source }) => [
      `  behaves differently since ${version}: ${change}`,
      dim(`    ${source}`),
    ]),
    ...(errors.length === 0
      ? [isChecked ? "  the Corefile starts" : "  the Corefile is unknown: add --context"]
      : errors.map((error) => `  the Corefile does not start: ${error}`)),
    ...warnings.map((warning) => `  warning: ${warning}`),
    dim(`  by the plugins of CoreDNS ${release.from} and ${release.to}; https://coredns.io/tags/notes/`),
  ];
}

function changes({ changes: list, to }: UpgradePlan): string[] {
  if (list.length === 0) return [];
  return [
    bold(`What changes with Kubernetes ${to}:`),
    ...list.flatMap(({ title, action, source, breaks, found: objects }) => [
      `  ${breaks ? styleText("red", "breaks") : "notice"}  ${title}: ${action}`,
      ...(objects === undefined ? [] : [`          ${concerned(objects)}`]),
      dim(`          ${source}`),
    ]),
  ];
}

const MAX_NAMES = 10;

function concerned(objects: readonly string[]): string {
  if (objects.length === 0) return "none found";
  const more = objects.length > MAX_NAMES ? ` and ${objects.length - MAX_NAMES} more` : "";
  return bold(`found in ${objects.slice(0, MAX_NAMES).join(", ")}${more}`);
}
