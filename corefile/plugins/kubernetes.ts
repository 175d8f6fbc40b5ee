import type { Directive } from "../syntax.ts";
import { directive, OptionReader, option, PluginProblem } from "./options.ts";

const POD_MODES = ["disabled", "insecure", "verified"] as const;

/** @see https://coredns.io/plugins/kubernetes/ */
export interface KubernetesPlugin {
  readonly plugin: "kubernetes";
  /** Zones that it answers for; default those of the server. */
  readonly zones: readonly string[];
  /** Names made of a pod's IP; CoreDNS's own is `disabled`. `verified` keeps all pods in memory. */
  readonly pods?: (typeof POD_MODES)[number] | undefined;
  /** Zones whose unknown names go on to the next plugin; an empty list is all. */
  readonly fallthrough?: readonly string[] | undefined;
  /** Time to live in seconds, up to 3600; CoreDNS's own is 5. */
  readonly ttl?: number | undefined;
  readonly more?: readonly Directive[] | undefined;
}

export function readKubernetes(line: Directive): KubernetesPlugin {
  const options = new OptionReader(line);
  return {
    plugin: "kubernetes",
    zones: line.args,
    pods: options.oneOf("pods", POD_MODES),
    fallthrough: options.words("fallthrough", 0),
    ttl: options.whole("ttl", 0, 3600),
    more: options.rest(),
  };
}

export function writeKubernetes(kubernetes: KubernetesPlugin): Directive {
  return directive(
    "kubernetes",
    kubernetes.zones,
    option("pods", kubernetes.pods),
    option("fallthrough", kubernetes.fallthrough),
    option("ttl", kubernetes.ttl),
    kubernetes.more,
  );
}

/** @see https://coredns.io/plugins/autopath/ */
export interface AutopathPlugin {
  readonly plugin: "autopath";
  /** Zones whose search lists are walked; default those of the server. */
  readonly zones?: readonly string[] | undefined;
  /** `@kubernetes`, or a resolv.conf file. */
  readonly source: string;
}

export function readAutopath(line: Directive): AutopathPlugin {
  const source = line.args.at(-1);
  if (source === undefined) throw new PluginProblem("autopath: takes @kubernetes or a resolv.conf file");
  if (line.block !== undefined) throw new PluginProblem("autopath: takes no options in braces");
  return { plugin: "autopath", zones: line.args.length > 1 ? line.args.slice(0, -1) : undefined, source };
}

export function writeAutopath(autopath: AutopathPlugin): Directive {
  return directive("autopath", [...(autopath.zones ?? []), autopath.source]);
}
