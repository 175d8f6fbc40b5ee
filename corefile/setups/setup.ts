import { isBefore, type Version } from "../releases.ts";
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

/** CoreDNS does not start; the message says why. */
export class Refusal extends Error {
  /** Whether this is only known of an older version. */
  readonly undecided: boolean;

  constructor(message: string, undecided = false) {
    super(message);
    this.undecided = undecided;
  }
}

/** What a plugin's setup knows beside its own words. */
export interface SetupContext {
  readonly version: Version;
  /** Whether the version is newer than the newest whose options are known. */
  readonly isNewer: boolean;
  /** Zones of the server block, with their ports. */
  readonly keys: readonly string[];
  /** Options that the plugin has in this version; undefined where the plugin is of a version whose data is not known. */
  readonly options: ReadonlySet<string>;
  /** Folder of the plugin root, where the block has it. */
  readonly root: string;
  /** Whether the pod has a file; undefined where that is not known. */
  hasFile(path: string): boolean | undefined;
  /** Whether it runs in the add-on's pods, whose network interfaces and credentials are known. */
  readonly isAddon: boolean;
  /** Whether the pods' service account may have a role for a cloud. */
  readonly mayHaveRole: boolean;
}

/** Which of the files that every pod has can be read as what an option names. */
const USABLE_AS: Readonly<Record<string, RegExp>> = {
  CA: /\/serviceaccount\/ca\.crt$/,
  "resolv.conf": /^\/(etc\/(hosts|hostname|resolv\.conf)|dev\/null)$/,
  file: /^\/etc\/resolv\.conf$/,
};

const MAX_REGEXP = 10_000;
const REGEXP_LIMIT_SINCE: Version = [1, 14, 0];
const NEW_PARSER_SINCE: Version = [1, 13, 0];

/** One plugin's words in one server block, as its setup reads them. */
export class Setup extends Dispenser {
  readonly plugin: string;
  readonly context: SetupContext;
  /** What runs otherwise than the text suggests. */
  readonly warnings: string[] = [];

  constructor(plugin: string, tokens: readonly Token[], context: SetupContext) {
    super(tokens, isBefore(context.version, NEW_PARSER_SINCE));
    this.plugin = plugin;
    this.context = context;
  }

  /** Refuses words. A version that is newer than all that are known may take them. */
  refuse(message: string): never {
    throw new Refusal(`${this.plugin}: ${message}`, this.context.isNewer);
  }

  /** Refuses what needs something that the pods do not have, in whatever version. */
  lack(message: string): never {
    throw new Refusal(`${this.plugin}: ${message}`);
  }

  warn(message: string): void {
    this.warnings.push(`${this.plugin}: ${message}`);
  }

  since(...version: Version): boolean {
    return !isBefore(this.context.version, version);
  }

  /** Runs once for each line of the plugin; a second line is refused where the plugin takes one. */
  lines(read: () => void, max = Number.POSITIVE_INFINITY): void {
    for (let count = 1; this.next(); count += 1) {
      if (count > max) this.refuse("CoreDNS takes it once in a server block");
      read();
    }
  }

  /** Reads the options in braces, each by its handler. */
  block(handlers: Readonly<Record<string, () => void>>, otherwise: (name: string) => void = this.unknown): void {
    while (this.nextBlock()) {
      const name = this.value;
      const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
      if (this.context.options.has(name) && handler !== undefined) handler();
      else if (this.context.options.has(name)) {
        this.remaining();
        this.warn(`${name} is not checked`);
      } else if (handler !== undefined && this.context.isNewer) handler();
      else otherwise.call(this, name);
    }
  }

  /** What ready, dnstap and trace do not know they read over, word by word, before 1.14.4. */
  ignored(name: string): void {
    if (this.since(1, 14, 4)) this.unknown(name);
    this.warn(`CoreDNS ignores ${shown(name)}`);
  }

  unknown(name: string): void {
    const known = [...this.context.options].join(", ");
    const version = this.context.version.join(".");
    const message = `${this.plugin}: CoreDNS ${version} has no option ${name}${known === "" ? "" : `; it has ${known}`}`;
    throw new Refusal(message, this.context.isNewer);
  }

  /** The words of an option, at least and at most so many. */
  words(option: string, min: number, max = Number.POSITIVE_INFINITY): string[] {
    const words = this.remaining();
    if (words.length < min || words.length > max)
      this.refuse(`${option} takes ${counted(min, max)} (found ${words.length})`);
    return words;
  }

  /** The next word of an option. What follows it on the line is taken for the next option. */
  word(option: string): string {
    if (!this.nextArgument()) this.refuse(`${option} takes a word`);
    return this.value;
  }

  /** Refuses a word that follows. */
  noWord(option: string): void {
    if (this.nextArgument()) this.refuse(`${option} takes no words (found ${this.value})`);
  }

  /** An integer; NaN where it stands in a variable. */
  int(option: string, text: string, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY): number {
    if (hasVariable(text)) return Number.NaN;
    const value = integer(text);
    if (value === undefined || value < min || value > max)
      this.refuse(`${option} takes an integer${range(min, max)} (found ${shown(text)})`);
    return value;
  }

  /** Seconds of a duration; NaN where it stands in a variable. */
  time(option: string, text: string, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY): number {
    if (hasVariable(text)) return Number.NaN;
    const value = duration(text);
    if (value === undefined) this.refuse(`${option} takes a duration, such as 30s (found ${shown(text)})`);
    if (value < min || value > max)
      this.refuse(`${option} takes a duration${range(min, max, "s")} (found ${shown(text)})`);
    return value;
  }

  /** A duration above 0, which a timer of CoreDNS takes. */
  period(option: string, text: string): void {
    if (this.time(option, text) <= 0) this.refuse(`${option} takes a duration above 0 (found ${shown(text)})`);
  }

  oneOf(option: string, text: string, allowed: readonly string[]): void {
    if (!hasVariable(text) && !allowed.includes(text))
      this.refuse(`${option} takes one of ${allowed.join(", ")} (found ${shown(text)})`);
  }

  regexp(option: string, text: string, limited = this.since(...REGEXP_LIMIT_SINCE)): void {
    if (hasVariable(text)) return;
    if (limited && Buffer.byteLength(text) > MAX_REGEXP)
      this.refuse(`${option} takes a regular expression of at most ${MAX_REGEXP} characters`);
    if (!isGoRegexp(text)) this.refuse(`${option} takes a regular expression in Go's syntax (found ${shown(text)})`);
  }

  /** Whether a text is no regular expression, as far as that is known. */
  isBrokenRegexp(text: string): boolean {
    return !hasVariable(text) && !isGoRegexp(text);
  }

  /** An address to listen on, which CoreDNS opens before it starts. */
  address(option: string, text: string): void {
    const problem = this.addressProblem(text);
    if (problem !== undefined) this.refuse(`${option} takes ${problem} (found ${shown(text)})`);
  }

  /** As {@link address}, but CoreDNS starts and only logs where it cannot listen. */
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
    if (!hasVariable(text) && !isAddress(text)) this.refuse(`${option} takes an IP address (found ${shown(text)})`);
  }

  ipAndPort(option: string, text: string): void {
    if (!hasVariable(text) && !isAddress(hostAndPort(text)?.host ?? text))
      this.refuse(`${option} takes an IP address with an optional port (found ${shown(text)})`);
  }

  cidr(option: string, text: string): void {
    if (!hasVariable(text) && network(text) === undefined)
      this.refuse(`${option} takes a network, such as 10.0.0.0/8 (found ${shown(text)})`);
  }

  /** Zones of a line, or those of the server block. CoreDNS drops what is none without a word. */
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
    const there = this.context.hasFile(file);
    if (there === false) this.lack(`the add-on's pods have no ${what} ${file}, and CoreDNS does not start without it`);
    if (there && USABLE_AS[what]?.test(file) !== true)
      this.refuse(`${file} is there, but is no ${what}, and CoreDNS does not start with it`);
    if (there === undefined) this.warn(`CoreDNS does not start unless its pod has the ${what} ${file}`);
  }

  /** A file without which CoreDNS runs, but not as wanted. */
  wantFile(path: string, what: string, consequence: string): void {
    if (hasVariable(path)) return;
    const file = this.path(path);
    const there = this.context.hasFile(file);
    if (there === false) this.warn(`the add-on's pods have no ${what} ${file}: ${consequence}`);
    if (there && what === "zone file" && this.plugin === "file")
      this.refuse(`${file} is there, but is no zone file, and CoreDNS does not start with it`);
  }

  /** Certificate, key and CA: one word is a CA, two are a certificate and its key. */
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
  return JSON.stringify(text);
}

/** Zones that a word of a line stands for; empty where it stands for none. */
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
