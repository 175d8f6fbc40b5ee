import { checkForwards } from "./check-forward.ts";
import { checkServing } from "./check-serving.ts";
import { checkKnownOptions } from "./known-options.ts";
import { expanded } from "./meaning.ts";
import { type Corefile, hasVariable, type Plugin, pluginName, type Server, writePlugin } from "./model.ts";
import { DECIDERS, ONCE, REPEATABLE, rankOf } from "./order.ts";
import type { Version } from "./version.ts";

/** What is known of where the Corefile will run. */
export interface CheckContext {
  /** Addresses of the Service kube-dns: to forward there is a loop. Default: EKS's own two. */
  readonly clusterDns?: readonly string[] | undefined;
  /** Seconds until the pod is killed. Default 30, which the add-on fixes. */
  readonly terminationGrace?: number | undefined;
  /** CoreDNS's version. Default: new enough for all that the model knows. */
  readonly coredns?: Version | undefined;
  /** Address of NodeLocal DNSCache, where the stack makes it: to forward there is a loop too. */
  readonly nodeLocal?: string | undefined;
}

/** What is wrong with a Corefile, each in one sentence that says why. */
export interface CorefileFindings {
  /** CoreDNS would not start, would be killed by its probes, or would not answer. */
  readonly errors: readonly string[];
  /** CoreDNS runs, but not as the text suggests, or worse than it could. */
  readonly warnings: readonly string[];
}

/** Collects findings, each with the server block it is about. */
export class Findings {
  readonly errors: string[] = [];
  readonly warnings: string[] = [];

  error(server: Server, message: string): void {
    this.errors.push(`${server.zones.join(" ")}: ${message}`);
  }

  warn(server: Server, message: string): void {
    this.warnings.push(`${server.zones.join(" ")}: ${message}`);
  }
}

/** Checks a Corefile as the EKS add-on would run it. */
export function checkCorefile(corefile: Corefile, context: CheckContext = {}): CorefileFindings {
  const findings = new Findings();
  const { servers, imports } = expanded(corefile);
  for (const file of imports) findings.warnings.push(`import ${file}: what is in that file is not checked`);
  for (const server of servers) {
    checkLines(server, findings);
    checkOrder(server, findings);
    checkForwards(server, context, findings);
    for (const plugin of server.plugins) checkKnownOptions(server, plugin, context, findings);
  }
  checkServing(servers, imports.length > 0, context, findings);
  return { errors: findings.errors, warnings: findings.warnings };
}

function checkLines(server: Server, findings: Findings): void {
  const counts = new Map<string, number>();
  for (const plugin of server.plugins) {
    const name = pluginName(plugin);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    if (hasVariable(writePlugin(plugin))) {
      findings.warn(
        server,
        `${name}: a variable is replaced by what CoreDNS's environment has, and the add-on sets none`,
      );
    }
    if (plugin.plugin !== "other") continue;
    if (plugin.problem !== undefined) findings.error(server, plugin.problem);
    if (name === "import") {
      findings.warn(server, `import ${plugin.line.args.join(" ")}: what is in that file is not checked`);
    } else if (rankOf(name) === undefined) {
      findings.error(server, `${name}: CoreDNS has no plugin of that name and does not start`);
    }
  }
  for (const [name, count] of counts) {
    if (count < 2) continue;
    if (ONCE.has(name))
      findings.error(server, `${name} stands ${count} times: CoreDNS takes it once and does not start`);
    else if (!REPEATABLE.has(name))
      findings.warn(server, `${name} stands ${count} times: only one of them has an effect`);
  }
}

/** The order of lines means nothing to CoreDNS, so that one which suggests another order misleads its reader. */
function checkOrder(server: Server, findings: Findings): void {
  const names = server.plugins.map((plugin: Plugin) => pluginName(plugin)).filter((name) => DECIDERS.has(name));
  for (const [index, name] of names.entries()) {
    const before = names[index - 1];
    if (before === undefined || (rankOf(before) ?? 0) <= (rankOf(name) ?? 0)) continue;
    findings.warn(
      server,
      `${name} stands after ${before} but sees a query before it: CoreDNS's order is fixed, that of the lines is not used`,
    );
  }
}
