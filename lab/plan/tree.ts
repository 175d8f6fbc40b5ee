import { styleText } from "node:util";
import Table from "cli-table3";
import type { PlannedResource } from "./planned.ts";
import type { Recording } from "./recorder.ts";

/** One line of the tree. */
export interface TreeRow {
  /** How deep the resource is below the stack. */
  readonly depth: number;
  /** Lines of the tree in front of the type, as `pulumi preview` draws them. */
  readonly branch: string;
  readonly resource: PlannedResource;
  /** Names of the resources that wait for this one. */
  readonly neededBy: readonly string[];
}

/** The resources as a tree below the stack, in the order of registration. */
export function treeRows(resources: readonly PlannedResource[]): TreeRow[] {
  const known = new Set(resources.map((resource) => resource.urn));
  const children = Map.groupBy(resources, (resource) => (known.has(resource.parent) ? resource.parent : ""));
  const waiting = dependents(resources);

  const below = (parent: string, depth: number, indent: string): TreeRow[] =>
    (children.get(parent) ?? []).flatMap((resource, index, siblings) => {
      const last = index === siblings.length - 1;
      return [
        { depth, branch: `${indent}${last ? "└─ " : "├─ "}`, resource, neededBy: waiting.get(resource.urn) ?? [] },
        ...below(resource.urn, depth + 1, `${indent}${last ? "   " : "│  "}`),
      ];
    });
  return below("", 0, "");
}

function dependents(resources: readonly PlannedResource[]): Map<string, string[]> {
  const waiting = new Map<string, string[]>();
  for (const resource of resources) {
    const providerUrn = resource.provider.slice(0, resource.provider.lastIndexOf("::"));
    for (const urn of new Set([...resource.dependencies, providerUrn])) {
      waiting.set(urn, [...(waiting.get(urn) ?? []), resource.name]);
    }
  }
  return waiting;
}

/** Columns without lines, as `pulumi preview` prints them. */
const PLAIN_TABLE = {
  chars: {
    top: "",
    "top-mid": "",
    "top-left": "",
    "top-right": "",
    bottom: "",
    "bottom-mid": "",
    "bottom-left": "",
    "bottom-right": "",
    left: "",
    "left-mid": "",
    mid: "",
    "mid-mid": "",
    right: "",
    "right-mid": "",
    middle: "  ",
  },
  style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
};

/** The plan for a person: tree, counts, what is unknown, outputs. */
export function formatPlan(stack: string, recording: Recording): string {
  const rows = treeRows(recording.resources);
  const table = new Table({ ...PLAIN_TABLE, head: ["    Type", "Name", "Needed by"].map(bold) });
  table.push([` +  pulumi:pulumi:Stack`, `eks-dns-logging-${stack}`, ""]);
  for (const { branch, resource, neededBy } of rows) {
    table.push([` ${green("+")}  ${dim(branch)}${resource.type}`, resource.name, dim(shortList(neededBy))]);
  }
  return [
    `Plan of stack ${bold(stack)}: what ${bold("pulumi up")} would make where nothing stands yet`,
    "",
    table.toString().replaceAll(/ +$/gm, ""),
    "",
    ...formatOutputs(recording),
    "",
    ...formatCounts(recording.resources),
    "",
  ].join("\n");
}

function shortList(names: readonly string[]): string {
  return names.length <= 2 ? names.join(", ") : `${names[0]} and ${names.length - 1} more`;
}

function formatOutputs(recording: Recording): string[] {
  const entries = Object.entries(recording.outputs);
  if (entries.length === 0) return [];
  const width = Math.max(...entries.map(([key]) => key.length));
  const lines = entries.map(([key, value]) => {
    const shown = recording.secretOutputs.includes(key)
      ? "[secret]"
      : typeof value === "string"
        ? value
        : JSON.stringify(value);
    return `    ${key.padEnd(width)} : ${shown}`;
  });
  return [bold("Outputs:"), ...lines];
}

function formatCounts(resources: readonly PlannedResource[]): string[] {
  const custom = resources.filter((resource) => resource.custom);
  const byPackage = Map.groupBy(custom, (resource) => resource.type.split(":")[0] ?? "");
  const counts = [...byPackage].map(([name, members]) => `${members.length} ${name}`).join(", ");
  const unknowns = custom.filter((resource) => resource.unknowns.length > 0);
  const fields = unknowns.reduce((sum, resource) => sum + resource.unknowns.length, 0);
  return [
    bold("Resources:"),
    `    + ${resources.length + 1} to create: ${custom.length} resources (${counts}) in ${resources.length - custom.length} components and the stack`,
    `    ${fields} values of ${unknowns.length} resources are known only after deployment (--json lists them)`,
  ];
}

const bold = (text: string) => styleText("bold", text, { stream: process.stdout });
const dim = (text: string) => styleText("dim", text, { stream: process.stdout });
const green = (text: string) => styleText("green", text, { stream: process.stdout });
