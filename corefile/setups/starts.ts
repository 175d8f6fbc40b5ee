import { atLine, sentenceOf } from "../finding.ts";
import { remembered } from "../model.ts";
import { listenHosts } from "../plugins/serving.ts";
import {
  ignoresCase,
  isBefore,
  isNewer,
  type Release,
  releaseFor,
  removalOf,
  type Version,
  versionOf,
} from "../releases.ts";
import { zoneAndPort } from "../syntax/go-values.ts";
import {
  CorefileSyntaxError,
  type Environment,
  hasVariable,
  type PluginTokens,
  readTokens,
  type TokenBlock,
  type TokenFile,
} from "../syntax/syntax.ts";
import type { Token } from "../syntax/tokens.ts";
import { DNS_PORT, PORTS } from "../zones.ts";
import { SETUPS } from "./index.ts";
import { Refusal, Setup, type SetupContext, shown } from "./setup.ts";

/** Where a Corefile will run. */
export interface StartContext {
  /** CoreDNS's version. Default: the newest with known plugins. */
  readonly coredns?: Version | undefined;
  /** Whether it runs in the pods of the EKS add-on, whose files and environment are known. */
  readonly isAddon?: boolean | undefined;
  /** Whether the pods' service account may have an IAM role. @default false */
  readonly mayHaveRole?: boolean | undefined;
}

/** Whether CoreDNS starts with a Corefile. */
export interface Start {
  /** Why it does not start; empty if it does. */
  readonly errors: readonly string[];
  /** What is unknown or unchecked, and words without effect. */
  readonly warnings: readonly string[];
}

/** Files in a pod of the add-on. */
const POD_FILES =
  /^\/(etc\/(hosts|hostname|resolv\.conf|coredns\/Corefile)|var\/run\/secrets\/kubernetes\.io\/serviceaccount\/(token|ca\.crt|namespace)|etc|etc\/coredns|tmp|dev|dev\/null|proc)$|^\.\.?$/;
/** Variables that Kubernetes or the image sets in every pod, to unknown values. */
const POD_VARIABLES = /^(KUBERNETES_|KUBE_DNS_|HOSTNAME$|PATH$|HOME$|SSL_CERT_FILE$)/;

/** The environment of the add-on's pods: CoreDNS reads an unset variable as empty. */
export function environmentOf({ isAddon }: StartContext): Environment {
  return (name) => (isAddon && !POD_VARIABLES.test(name) ? "" : undefined);
}

/**
 * Decides whether CoreDNS starts, following its parser and the setup of each plugin. Nothing is executed: conditions that depend on another
 * server become warnings.
 */
export function startOf(text: string, context: StartContext = {}): Start {
  const errors: string[] = [];
  const warnings: string[] = [];
  const release = releaseFor(context.coredns);
  let file: TokenFile;
  try {
    file = readTokens(text, environmentOf(context));
  } catch (error) {
    if (error instanceof CorefileSyntaxError) return { errors: [error.message], warnings };
    throw error;
  }
  const { blocks, withoutZones, imports } = file;
  for (const name of [...imports, ...blocks.flatMap((block) => block.imports)])
    judgeImport(name, context, errors, warnings);
  for (const { line, lines } of withoutZones) {
    warnings.push(atLine(line, "begins a server block without zones, which has no effect"));
    for (const { name } of lines) {
      if (release.plugins.some((plugin) => plugin.name === name)) continue;
      (isNewer(context.coredns) ? warnings : errors).push(noPlugin(name, release));
    }
  }
  if (blocks.length === 0 && imports.length === 0)
    warnings.push(
      sentenceOf({
        subject: "Corefile",
        problem: "has no server block, so CoreDNS starts with whoami on port 53, and answers no name",
      }),
    );
  const version = context.coredns ?? versionOf(release.version);
  const servers = blocks.map((block) => serverOf(block, version, errors));
  for (const [index, block] of blocks.entries()) {
    const start = setUp(block, release, context);
    errors.push(...start.errors);
    warnings.push(...start.warnings);
    judgeStartup(block, servers[index]?.zones ?? [], version, errors);
  }
  judgeOverlap(blocks, servers, version, errors);
  const stray = strayLines(blocks, release);
  // Any later error has this cause.
  if (errors.length > 0) errors.unshift(...stray);
  else warnings.push(...stray);
  return { errors: [...new Set(errors)], warnings: [...new Set(warnings)] };
}

function judgeImport(file: string, { isAddon }: StartContext, errors: string[], warnings: string[]): void {
  const subject = `import ${file}`;
  if (isAddon && !/[*?[\]]/.test(file))
    errors.push(
      sentenceOf({
        subject,
        problem: "the add-on's pods have no such file, no snippet above has this name, and CoreDNS does not start",
      }),
    );
  else if (isAddon)
    warnings.push(sentenceOf({ subject, problem: "the add-on's pods have no such files, so nothing is imported" }));
  else warnings.push(sentenceOf({ subject, problem: "what is in that file is not checked" }));
}

interface ServerAddress {
  readonly transport: string;
  readonly zone: string;
  readonly port: string;
}

const HTTPS3_SINCE: Version = [1, 13, 0];
const OLD_TRANSPORTS = /^(dns|tls|quic|grpc|https):\/\/(.*)$/s;
const TRANSPORTS = /^(dns|tls|quic|grpc|https3|https):\/\/(.*)$/s;

function serverOf(block: TokenBlock, version: Version, errors: string[]): { readonly zones: readonly ServerAddress[] } {
  const zones = block.keys.flatMap((key): ServerAddress[] => {
    if (hasVariable(key)) return [];
    const transports = isBefore(version, HTTPS3_SINCE) ? OLD_TRANSPORTS : TRANSPORTS;
    const [, transport = "dns", rest = key] = transports.exec(key) ?? [];
    const read = zoneAndPort(rest);
    const subject = `zone ${key === "" ? '""' : key}`;
    if (typeof read === "string") {
      errors.push(sentenceOf({ subject, problem: `${read}, so CoreDNS does not start` }));
      return [];
    }
    const port = read.port ?? String(PORTS[transport] ?? DNS_PORT);
    if (Number(port) < 0 || Number(port) > 65_535)
      errors.push(sentenceOf({ subject, problem: "a port is 0 to 65535, so CoreDNS does not start" }));
    return read.zones.map((zone) => ({ transport, zone: ignoresCase(version) ? zone.toLowerCase() : zone, port }));
  });
  return { zones };
}

/** All tokens of a plugin in a block, as CoreDNS passes them to its setup: all lines at once, in order. */
function byPlugin(block: TokenBlock): Map<string, PluginTokens["tokens"]> {
  const groups = Map.groupBy(block.lines, ({ name }) => name);
  return new Map([...groups].map(([name, lines]) => [name, lines.flatMap(({ tokens }) => tokens)]));
}

/** First releases with a plugin that the oldest add-on versions lack: the data of the oldest known release has it. */
const PLUGINS_SINCE: Readonly<Record<string, Version>> = { multisocket: [1, 12, 0] };

function noPlugin(name: string, { version, plugins }: Release, block?: readonly string[]): string {
  const subject = /^\S+$/.test(name) ? name : shown(name);
  const removed = removalOf(name);
  const problem =
    removed === undefined
      ? `CoreDNS ${version} has no such plugin, and does not start`
      : `CoreDNS has no such plugin since ${removed.version}, and does not start`;
  const lower = name.toLowerCase();
  const spelled = plugins.some((plugin) => plugin.name === lower) ? `write ${lower}` : undefined;
  return sentenceOf({ block, subject, problem, advice: removed?.advice ?? spelled });
}

const OPTIONS = new WeakMap<Release, ReadonlyMap<string, ReadonlySet<string>>>();

/** The options of each plugin of a release. */
function optionsOf({ plugins }: Release): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(plugins.map(({ name, options }) => [name, new Set(options)]));
}

function setUp(block: TokenBlock, release: Release, context: StartContext): Start {
  const errors: string[] = [];
  const warnings: string[] = [];
  const at = (subject: string, problem: string) => sentenceOf({ block: block.keys, subject, problem });
  const plugins = byPlugin(block);
  const known = remembered(OPTIONS, release, optionsOf);
  const root = plugins.get("root")?.[1]?.text ?? "";
  for (const [name, tokens] of plugins) {
    const options = known.get(name);
    if (options === undefined) {
      (isNewer(context.coredns) ? warnings : errors).push(noPlugin(name, release, block.keys));
      continue;
    }
    const since = PLUGINS_SINCE[name];
    if (since !== undefined && context.coredns !== undefined && isBefore(context.coredns, since)) {
      errors.push(at(name, `requires CoreDNS ${since.join(".")}, but this is ${context.coredns.join(".")}`));
      continue;
    }
    const run = SETUPS[name];
    if (run === undefined) {
      warnings.push(at(name, "is not checked"));
      continue;
    }
    const setup = new Setup(name, tokens, setupContext(block, options, root, release, context));
    const loose = looseBrace(tokens);
    try {
      run(setup);
      if (loose !== undefined) setup.warn(loose);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const problem = loose ?? joinedBrace(tokens, error.message) ?? error.message;
      (error.undecided ? warnings : errors).push(at(name, problem));
    }
    warnings.push(...setup.warnings.map((problem) => at(name, problem)));
  }
  return { errors, warnings };
}

function setupContext(
  block: TokenBlock,
  options: ReadonlySet<string>,
  root: string,
  release: Release,
  context: StartContext,
): SetupContext {
  return {
    version: context.coredns ?? versionOf(release.version),
    isNewer: isNewer(context.coredns),
    keys: block.keys,
    options,
    root,
    isAddon: context.isAddon ?? false,
    mayHaveRole: context.mayHaveRole ?? false,
    hasFile: (path) => (POD_FILES.test(path) ? true : context.isAddon ? false : undefined),
  };
}

/** Plugins that provide a client's search list to autopath. */
const SEARCH_LIST_SOURCES: ReadonlySet<string> = new Set(["kubernetes", "erratic"]);

/** Before it, loop and trace panic in a block that listens nowhere. https://github.com/coredns/coredns/pull/7565 */
const SILENT_SINCE: Version = [1, 13, 0];

/** Failures after the setup of all plugins. */
function judgeStartup(block: TokenBlock, zones: readonly ServerAddress[], version: Version, errors: string[]): void {
  const refuse = (subject: string, problem: string) =>
    errors.push(sentenceOf({ block: block.keys, subject, problem: `${problem}, or CoreDNS does not start` }));
  const has = (name: string) => block.lines.some((line) => line.name === name);
  const source = block.lines.findLast((line) => line.name === "autopath")?.tokens.at(-1)?.text ?? "";
  const plugin = source.replace(/^@/, "");
  if (source.startsWith("@") && has(plugin) && !SEARCH_LIST_SOURCES.has(plugin) && isHandler(plugin))
    refuse(`autopath ${source}`, `needs a plugin that provides search lists, such as kubernetes`);
  if (has("k8s_external") && !has("kubernetes")) refuse("k8s_external", "needs kubernetes in the same block");
  for (const transport of ["https3", "quic"])
    if (zones.some((zone) => zone.transport === transport) && !has("tls"))
      refuse(`zone ${transport}://`, "needs the plugin tls");
  for (const name of isBefore(version, SILENT_SINCE) && hostsOf(block).length === 0 ? ["loop", "trace"] : [])
    if (has(name)) refuse(name, "needs an address that except leaves to this block");
}

/** Plugins that are not handlers, so that others cannot find them by name. */
const NO_HANDLERS: ReadonlySet<string> = new Set(
  "root tls quic grpc_server https https3 proxyproto timeouts multisocket reload bind debug ready health pprof on sign".split(
    " ",
  ),
);

function isHandler(plugin: string): boolean {
  return !NO_HANDLERS.has(plugin);
}

/** Before it, a block with a view could not follow one without a view for the same zone. */
const VIEW_SHARES_SINCE: Version = [1, 14, 0];

/** Two blocks must not serve the same zone on the same address, unless views separate their clients. */
function judgeOverlap(
  blocks: readonly TokenBlock[],
  servers: readonly { readonly zones: readonly ServerAddress[] }[],
  version: Version,
  errors: string[],
): void {
  const bound = new Set<string>();
  const unbound = new Set<string>();
  for (const [index, block] of blocks.entries()) {
    const hasView = block.lines.some(({ name }) => name === "view");
    const hosts = hostsOf(block);
    for (const { transport, zone, port } of servers[index]?.zones ?? []) {
      const key = `${transport}://${zone}:${port}`;
      for (const host of hosts) {
        const place = `${key} on ${host}`;
        const same = bound.has(place);
        const overlaps = unbound.has(key) && (host === "" || bound.has(`${key} on `));
        if ((same && (!hasView || isBefore(version, VIEW_SHARES_SINCE))) || (!same && overlaps)) {
          const subject = `zone ${key.replace(/^dns:\/\//, "")}`;
          errors.push(
            sentenceOf({ block: block.keys, subject, problem: "already has a block, so CoreDNS does not start" }),
          );
          continue;
        }
        if (hasView) continue;
        bound.add(place);
        unbound.add(key);
      }
    }
  }
}

/** On what a block listens; an empty text is all addresses. */
function hostsOf(block: TokenBlock): readonly string[] {
  const lines = block.lines.filter(({ name }) => name === "bind");
  if (lines.length === 0) return [""];
  return lines.flatMap(({ tokens }) => {
    const words = tokens.slice(1).map((token) => token.text);
    const end = words.includes("{") ? words.indexOf("{") : words.length;
    return listenHosts(words.slice(0, end), words.slice(end));
  });
}

/**
 * Why CoreDNS does not see a plugin's options: their opening brace is not on the line that they belong to, so that CoreDNS reads each as a
 * plugin's line of its own.
 */
function looseBrace(tokens: readonly Token[]): string | undefined {
  const brace = tokens.find(({ text, line }, index) => text === "{" && line !== (tokens[index - 1]?.endLine ?? line));
  if (brace === undefined) return undefined;
  return `the brace on line ${brace.line} opens no options, since it is on a line of its own; move it to the end of the previous line`;
}

/** Why CoreDNS counts too many words in an option: the closing brace is on its line. Some plugins read such a line nonetheless. */
function joinedBrace(tokens: readonly Token[], message: string): string | undefined {
  if (!/ words? /.test(message)) return undefined;
  const brace = tokens.find(({ text, line }, index) => text === "}" && line === tokens[index - 1]?.endLine);
  return brace && `the closing brace on line ${brace.line} needs a line of its own`;
}

/** Words after a block that were meant to be in it: after a superfluous closing brace, CoreDNS reads them as zones. */
function strayLines(blocks: readonly TokenBlock[], { plugins }: Release): string[] {
  return blocks.flatMap(({ keys, line, hasBraces }, index): string[] => {
    const [first = ""] = keys;
    const isBrace = keys.includes("}");
    const isPlugin = !hasBraces && index > 0 && plugins.some(({ name }) => name === first);
    if (!isBrace && !isPlugin) return [];
    const what = isBrace ? "a closing brace" : `the line of ${first}`;
    return [
      atLine(line, `${what} is outside the server blocks, so CoreDNS reads it as a zone`, "remove a brace above"),
    ];
  });
}
