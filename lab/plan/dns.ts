import { styleText } from "node:util";
import { dnsWarnings } from "../../components/dns/issues.ts";
import { dnsProfile } from "../../components/dns/profile.ts";
import { formatIssue } from "../../components/schema/errors.ts";
import type { Settings } from "../../components/settings.ts";

/** What the DNS settings come to, with the reason of each choice, and what CoreDNS would do that one may not expect. */
export function formatDns({ dns, cluster }: Pick<Settings, "dns" | "cluster">): string {
  const { rows } = dnsProfile(dns);
  const width = (key: "setting" | "value") => Math.max(...rows.map((row) => row[key].length));
  const lines = rows.map(
    ({ setting, value, reason }) =>
      `    ${setting.padEnd(width("setting"))} : ${value.padEnd(width("value"))}  ${reason}`,
  );
  const warnings = dnsWarnings(dns, cluster.kind === "eks" ? cluster.version : undefined);
  return [
    bold("DNS:"),
    ...lines,
    ...warnings.map((warning) => `    ${styleText("yellow", "warning", { stream: process.stdout })}: ${warning}`),
    "",
    "",
  ].join("\n");
}

/** Settings without effect and deprecated names, a line each; empty where there are none. */
export function formatWarnings({ warnings }: Pick<Settings, "warnings">): string {
  return warnings
    .map((warning) => `${styleText("yellow", "warning", { stream: process.stdout })}: ${formatIssue(warning)}\n`)
    .join("");
}

const bold = (text: string) => styleText("bold", text, { stream: process.stdout });
