import { styleText } from "node:util";
import type { LoggingSettings } from "../../components/logging/settings.ts";

type Processing = LoggingSettings["processing"];
type Rule = Partial<Processing["drop"][number]>;

/** What is done with lines on their way, a line each step. Empty where nothing is. */
export function formatProcessing(logging: Pick<LoggingSettings, "processing"> | undefined): string {
  const lines = logging === undefined ? [] : steps(logging.processing);
  if (lines.length === 0) return "";
  const title = styleText("bold", "Log processing:", { stream: process.stdout });
  return [title, ...lines.map((line) => `    ${line}`), "", ""].join("\n");
}

function steps({ firstLines, redact, drop, sample, limit, fields }: Processing): string[] {
  const masked = redact.map((each) => (typeof each === "string" ? each : `/${each.pattern}/`));
  const added = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  return [
    ...firstLines.map((rule) => `joins   : lines up to the next of ${inWords(rule)}`),
    ...(masked.length === 0 ? [] : [`redacts : ${masked.join(", ")}`]),
    ...drop.map((rule) => `drops   : ${inWords(rule)}`),
    ...sample.map((rule) => `keeps   : ${Math.round(rule.ratio * 1000) / 10} % of ${inWords(rule) || "all lines"}`),
    ...limit.map((rule) => `limits  : each pod to ${rule.linesPerSecond} lines/s${inPlace(rule)}`),
    ...(added.length === 0 ? [] : [`adds    : ${added.join(", ")}`]),
  ];
}

function inPlace(rule: Rule): string {
  const words = inWords(rule);
  return words === "" ? "" : ` in ${words}`;
}

function inWords({ pattern, levels, namespaces, teams, labels, streams }: Rule): string {
  return [
    ...(pattern === undefined ? [] : [`/${pattern}/`]),
    ...(levels === undefined ? [] : [`level ${levels.join(" or ")}`]),
    ...(namespaces === undefined ? [] : [`namespace ${namespaces.join(" or ")}`]),
    ...(teams === undefined ? [] : [`team ${teams.join(" or ")}`]),
    ...Object.entries(labels ?? {}).map(([key, value]) => `label ${key}=${value}`),
    ...(streams === undefined ? [] : [`stream ${streams.join(" or ")}`]),
  ].join(", ");
}
