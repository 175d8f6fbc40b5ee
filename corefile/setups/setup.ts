import { shortened } from "../finding.ts";
import { isBefore, removalOf, type Version } from "../releases.ts";
import {
  duration,
  hostAndPort,
  integer,
  isAddress,
  isGoRegexp,
  isOwnHost,
  network,
  zoneAndPort,
} from "../syntax/go-values.ts";
import { hasVariable } from "../syntax/syntax.ts";
import { Dispenser, type Token } from "../syntax/tokens.ts";

/** CoreDNS does not start; the message is the reason, as a clause about the plugin. */
export class Refusal extends Error {
  /** Whether this is only known for an older version. */
  readonly undecided: boolean;

  constructor(message: string, undecided = false) {
    super(message);
    this.undecided = undecided;
  }
}

/** The context of a plugin's setup. */
export interface SetupContext {
  readonly version: Version;
  /** Whether the version is newer than the newest known one. */
  readonly isNewer: boolean;
  /** Zones of the server block, with their ports. */
  readonly keys: readonly string[];
  /** Options of the plugin in this version; undefined if the version's data is unknown. */
  readonly options: ReadonlySet<string>;
  /** Folder set by the plugin root in the block. */
  readonly root: string;
  /** Whether the pod has a file; undefined if unknown. */
  hasFile(path: string): boolean | undefined;
  /** Whether it runs in the add-on's pods, whose network interfaces and credentials are known. */
  readonly isAddon: boolean;
  /** Whether the pods' service account may have an IAM role. */
  readonly mayHaveRole: boolean;
}

/** Files of every pod that are valid values for an option. */
const USABLE_AS: Readonly<Record<string, RegExp>> = {
  CA: /\/serviceaccount\/ca\.crt$/,
  // A folder has no keys, and no search list has any file or folder but one.
  "key file": /^(\.\.?|\/(etc|etc\/coredns|tmp|dev|proc))$/,
  "resolv.conf": /./,
};

/** What reads each option of a plugin, by its name. */
export type Handlers = Readonly<Record<string, (option: string) => void>>;

const MAX_REGEXP = 10_000;
const REGEXP_LIMIT_SINCE: Version = [1, 14, 0];
const NEW_PARSER_SINCE: Version = [1, 13, 0];
/** First release whose parser takes options in the braces of an option. */
const NESTING_SINCE: Version = [1, 15, 0];

/** The words of a plugin in a server block, with a cursor, as its setup reads them. */
export class Setup extends Dispenser {
  readonly plugin: string;
  readonly context: SetupContext;
  /** Behavior that differs from what the text suggests. */
  readonly warnings: string[] = [];

  constructor(plugin: string, tokens: readonly Token[], context: SetupContext) {
    const isBeforeIt = (version: Version) => isBefore(context.version, version);
    super(tokens, { lenient: isBeforeIt(NEW_PARSER_SINCE), nests: !isBeforeIt(NESTING_SINCE) });
    this.plugin = plugin;
    this.context = context;
  }

  /** Rejects words, which versions newer than all known ones may accept. */
  refuse(message: string): never {
    throw new Refusal(message, this.context.isNewer);
  }

  /** Rejects what the pods lack in any version. */
  lack(message: string): never {
    throw new Refusal(message);
  }

  protected override endlessly(): never {
    this.lack(
      "a line took the closing brace of its options for a word, and CoreDNS hangs; put the brace on a line of its own",
    );
  }

  warn(message: string): void {
    this.warnings.push(message);
  }

  since(...version: Version): boolean {
    return !isBefore(this.context.version, version);
  }

  /** Calls `read` for each line of the plugin; rejects more than `max` lines. */
  lines(read: () => void, max = Number.POSITIVE_INFINITY): void {
    for (let count = 1; this.next(); count += 1) {
      if (count > max) this.refuse("may occur only once in a server block");
      read();
    }
  }

  /** Reads the options in braces with one handler each. */
  block(handlers: Handlers, otherwise: (name: string) => void = this.unknown): void {
    while (this.nextBlock()) {
      const name = this.value;
      const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
      if (this.context.options.has(name) && handler !== undefined) handler(name);
      else if (this.context.options.has(name)) {
        this.remaining();
        this.warn(`${name} is not checked`);
      } else if (handler !== undefined && this.context.isNewer) handler(name);
      else otherwise.call(this, name);
    }
  }

  /** Before 1.14.4, ready, dnstap and trace skip unknown words, one by one. */
  ignored(name: string): void {
    if (this.since(1, 14, 4)) this.unknown(name);
    this.warn(`CoreDNS ignores ${shown(name)}`);
  }

  unknown(name: string): void {
    const removed = removalOf(this.plugin, name);
    if (removed !== undefined) this.refuse(`CoreDNS has no option ${name} since ${removed.version}; ${removed.advice}`);
    const options = [...this.context.options].join(", ");
    const version = this.context.version.join(".");
    this.refuse(`CoreDNS ${version} has no option ${name}${options === "" ? "" : `; it has ${options}`}`);
  }

  /** The words of an option; rejects fewer than `min` or more than `max`. */
  words(option: string, min: number, max = Number.POSITIVE_INFINITY): string[] {
    const words = this.remaining();
    if (words.length < min || words.length > max)
      this.refuse(`${option} takes ${counted(min, max)} (found ${words.length})`);
    return words;
  }

  /** The first word of an option, which may have more. */
  first(option: string): string {
    return this.words(option, 1)[0] ?? "";
  }

  /** The only word of an option. */
  one(option: string): string {
    return this.words(option, 1, 1)[0] ?? "";
  }

  /** Rejects words on the line of an option. */
  none(option: string): void {
    this.words(option, 0, 0);
  }

  /** The next word of an option. A further word on the line is read as the next option. */
  word(option: string): string {
    if (!this.nextArgument()) this.refuse(`${option} takes a word`);
    return this.value;
  }

  /** As {@link none}, by the next word alone. */
  noWord(option: string): void {
    if (this.nextArgument()) this.refuse(`${option} takes no words (found ${this.value})`);
  }

  /** Refuses a word of an option that is not valid, unless a variable stands in it. */
  takes(option: string, text: string, isValid: boolean, what: string): void {
    if (!hasVariable(text) && !isValid) this.refuse(`${option} takes ${what} (found ${shown(text)})`);
  }

  /** An integer; NaN if it is a variable. */
  int(option: string, text: string, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY): number {
    if (hasVariable(text)) return Number.NaN;
    const value = integer(text);
    if (value === undefined || value < min || value > max)
      this.refuse(`${option} takes an integer${range(min, max)} (found ${shown(text)})`);
    return value;
  }

  /** A duration in seconds; NaN if it is a variable. */
  time(option: string, text: string, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY): number {
    if (hasVariable(text)) return Number.NaN;
    const value = duration(text);
    if (value === undefined) this.refuse(`${option} takes a duration, such as 30s (found ${shown(text)})`);
    if (value < min || value > max)
      this.refuse(`${option} takes a duration${range(min, max, "s")} (found ${shown(text)})`);
    return value;
  }

  /** A positive duration, as a timer of CoreDNS requires. */
  period(option: string, text: string): void {
    if (this.time(option, text) <= 0) this.refuse(`${option} takes a duration above 0 (found ${shown(text)})`);
  }

  oneOf(option: string, text: string, allowed: readonly string[]): void {
    this.takes(option, text, allowed.includes(text), `one of ${allowed.join(", ")}`);
  }

  regexp(option: string, text: string, limited = this.since(...REGEXP_LIMIT_SINCE)): void {
    if (hasVariable(text)) return;
    if (limited && Buffer.byteLength(text) > MAX_REGEXP)
      this.refuse(`${option} takes a regular expression of at most ${MAX_REGEXP} characters`);
    if (!isGoRegexp(text)) this.refuse(`${option} takes a regular expression in Go's syntax (found ${shown(text)})`);
  }

  /** Whether a text is known not to be a regular expression. */
  isBrokenRegexp(text: string): boolean {
    return !hasVariable(text) && !isGoRegexp(text);
  }

  /** A listen address, which CoreDNS opens before it starts. */
  address(option: string, text: string): void {
    const problem = this.addressProblem(text);
    if (problem !== undefined) this.refuse(`${option} takes ${problem} (found ${shown(text)})`);
  }

  /** As {@link address}, but CoreDNS starts anyway and only logs the failure. */
  lateAddress(option: string, text: string): void {
    const problem = this.addressProblem(text);
    if (problem === undefined) return;
    if (hostAndPort(text) === undefined) this.refuse(`${option} takes ${problem} (found ${shown(text)})`);
    this.warn(`${option} takes ${problem} (found ${shown(text)}): CoreDNS starts, and does not listen there`);
  }

  private addressProblem(text: string): string | undefined {
    if (hasVariable(text)) return undefined;
    const { host, port } = hostAndPort(text) ?? { host: "", port: "none" };
    if (!/^\d*$/.test(port) || Number(port) > 65_535) return "an address with its port, such as :8080";
    const isOwn = !this.context.isAddon || host === "" || host === "localhost" || isOwnHost(host);
    return isOwn ? undefined : `an address that the add-on's pods have, such as :${port}`;
  }

  ip(option: string, text: string): void {
    this.takes(option, text, isAddress(text), "an IP address");
  }

  /** @param isScoped Whether an IPv6 address may have a zone, as in `fe80::1%eth0`. */
  ipAndPort(option: string, text: string, isScoped = false): void {
    const host = hostAndPort(text)?.host ?? text;
    this.takes(
      option,
      text,
      isAddress(isScoped ? host.replace(/%[^%]*$/, "") : host),
      "an IP address with an optional port",
    );
  }

  cidr(option: string, text: string): void {
    this.takes(option, text, network(text) !== undefined, "a network, such as 10.0.0.0/8");
  }

  /** Zones of a line, or those of the server block. CoreDNS silently drops invalid ones. */
  zones(words: readonly string[]): readonly string[] {
    if (words.length === 0) return this.context.keys.flatMap((key) => zonesOf(key).slice(0, 1));
    for (const word of words)
      if (!hasVariable(word) && zonesOf(word).length === 0)
        this.warn(`${shown(word)} is not a zone, and CoreDNS drops it`);
    return words.flatMap(zonesOf);
  }

  /** A file that CoreDNS must read to start. */
  needFile(path: string, what: string): void {
    if (hasVariable(path)) return;
    const file = this.path(path);
    const exists = this.context.hasFile(file);
    if (exists === false) this.lack(`the add-on's pods have no ${what} ${file}, and CoreDNS does not start without it`);
    if (exists && USABLE_AS[what]?.test(file) !== true)
      this.refuse(`${file} exists, but cannot be used as the ${what}, so CoreDNS does not start`);
    if (exists === undefined) this.warn(`CoreDNS does not start unless its pod has the ${what} ${file}`);
  }

  /** A file without which CoreDNS starts, but does not work as intended. */
  wantFile(path: string, what: string, consequence: string): void {
    if (hasVariable(path)) return;
    const file = this.path(path);
    const exists = this.context.hasFile(file);
    if (exists === false) this.warn(`the add-on's pods have no ${what} ${file}: ${consequence}`);
    if (exists && what === "zone file" && this.plugin === "file")
      this.refuse(`${file} exists, but is not a zone file, so CoreDNS does not start`);
  }

  /** Certificate, key and CA: a single word is a CA, two are a certificate and its key. */
  tlsFiles(option: string, words: readonly string[]): void {
    const [first, second, third] = words;
    if (words.length > 3) this.refuse(`${option} takes at most a certificate, a key and a CA`);
    if (first !== undefined) this.needFile(first, words.length === 1 ? "CA" : "certificate");
    if (second !== undefined) this.needFile(second, "key");
    if (third !== undefined) this.needFile(third, "CA");
  }

  path(path: string): string {
    return path.startsWith("/") || this.context.root === "" ? path : `${this.context.root}/${path}`;
  }
}

export function shown(text: string): string {
  return shortened(JSON.stringify(text));
}

/** Zones that a word stands for; empty if it is not a zone. */
export function zonesOf(word: string): readonly string[] {
  const read = zoneAndPort(word.replace(/^(dns|tls|quic|grpc|https3?|unix):\/\//, ""));
  return typeof read === "string" ? [] : read.zones.map((zone) => zone.toLowerCase());
}

function range(min: number, max: number, unit = ""): string {
  if (min === Number.NEGATIVE_INFINITY) return max === Number.POSITIVE_INFINITY ? "" : ` up to ${max}${unit}`;
  return max === Number.POSITIVE_INFINITY ? ` from ${min}${unit}` : ` from ${min}${unit} to ${max}${unit}`;
}

function counted(min: number, max: number): string {
  const words = (count: number) => (count === 1 ? "1 word" : `${count} words`);
  if (min === max) return min === 0 ? "no words" : words(min);
  if (max === Number.POSITIVE_INFINITY) return `at least ${words(min)}`;
  return min === 0 ? `at most ${words(max)}` : `${min} to ${words(max)}`;
}
