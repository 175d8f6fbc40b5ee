import { isAddress } from "../go-values.ts";
import type { Directive } from "../syntax.ts";
import { directive, OptionReader, option, PluginProblem } from "./options.ts";

/** @see https://coredns.io/plugins/hosts/ */
export interface HostsPlugin {
  readonly plugin: "hosts";
  /** A hosts file and the zones it answers for. */
  readonly file?: readonly string[] | undefined;
  readonly entries: readonly HostEntry[];
  /** Time to live in seconds; CoreDNS's own is 3600. */
  readonly ttl?: number | undefined;
  readonly noReverse?: boolean | undefined;
  readonly reload?: string | undefined;
  /** Zones whose unknown names go on to the next plugin; an empty list is all. */
  readonly fallthrough?: readonly string[] | undefined;
  readonly more?: readonly Directive[] | undefined;
}

export interface HostEntry {
  readonly address: string;
  readonly names: readonly string[];
}

export function readHosts(line: Directive): HostsPlugin {
  const block = line.block ?? [];
  const isEntry = ({ name, args }: Directive) => isAddress(name) && args.length > 0;
  const end = block.findIndex(({ name }) => name === "fallthrough");
  if (end !== -1 && block.slice(end).some(isEntry)) {
    throw new PluginProblem("hosts: takes fallthrough after the addresses: CoreDNS takes none below it");
  }
  const options = new OptionReader({ ...line, block: block.filter((inner) => !isEntry(inner)) });
  return {
    plugin: "hosts",
    file: line.args.length > 0 ? line.args : undefined,
    entries: block.filter(isEntry).map(({ name, args }) => ({ address: name, names: args })),
    ttl: options.whole("ttl", 1, 65_535),
    noReverse: options.flag("no_reverse"),
    reload: options.duration("reload"),
    fallthrough: options.words("fallthrough", 0),
    more: options.rest(),
  };
}

export function writeHosts(hosts: HostsPlugin): Directive {
  return directive(
    "hosts",
    hosts.file ?? [],
    hosts.entries.map(({ address, names }) => ({ name: address, args: names })),
    option("ttl", hosts.ttl),
    option("no_reverse", hosts.noReverse),
    option("reload", hosts.reload),
    // CoreDNS takes no entries after this line.
    hosts.more,
    option("fallthrough", hosts.fallthrough),
  );
}
