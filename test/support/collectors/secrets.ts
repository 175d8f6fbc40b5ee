import { mask, type RedactionKind } from "../../../components/logging/processing/redaction.ts";

/** A line as a program writes it, and as it must arrive. */
export interface PlantedLine {
  readonly text: string;
  readonly masked: string;
}

/** A pattern of a user's own, which the planted lines have too. */
export const OWN_REDACTION = { pattern: "\\bCUST-\\d{8}\\b", replacement: "[customer]" };

/**
 * Lines in each of which a secret was planted, and between them lines without any, many of which look as if they had one. The same
 * for the same seed.
 */
export function plantedLines(seed: number, secrets = 3000, clean = 10_000): PlantedLine[] {
  const random = new Random(seed);
  const lines: PlantedLine[] = [];
  let [left, others] = [secrets, clean];
  for (let at = 0; left + others > 0; at += 1) {
    if (random.below(left + others) < left) {
      lines.push(planted(random, at));
      left -= 1;
    } else {
      const text = cleanLine(random, at);
      lines.push({ text, masked: text });
      others -= 1;
    }
  }
  return lines;
}

/** Numbers that look random and are the same for the same seed. @see https://en.wikipedia.org/wiki/Linear_congruential_generator */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * limit);
  }

  one<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }

  text(characters: string, length: number): string {
    return Array.from({ length }, () => characters[this.below(characters.length)]).join("");
  }
}

const DIGITS = "0123456789";
const LOWER = "abcdefghijklmnopqrstuvwxyz";
const ALPHANUMERIC = `${LOWER}${LOWER.toUpperCase()}${DIGITS}`;
const URL_SAFE = `${ALPHANUMERIC}-_`;
const HEX = "0123456789abcdef";

/** A secret with what stands before it, and whether JSON may hold it as a number. */
interface Secret {
  readonly kind: RedactionKind | "own";
  readonly before?: string;
  readonly text: string;
  readonly isNumber?: boolean;
}

const SECRETS: readonly [(random: Random) => Secret, ...((random: Random) => Secret)[]] = [
  (random) => ({ kind: "own", text: `CUST-${random.text(DIGITS, 8)}` }),
  (random) => ({ kind: "email", text: email(random) }),
  (random) => card(random),
  (random) => ({ kind: "jwt", text: jwt(random) }),
  (random) => ({ kind: "bearer-token", before: "Authorization: Bearer ", text: random.text(URL_SAFE, 32) }),
  (random) => ({ kind: "bearer-token", before: "authorization=basic ", text: `${random.text(ALPHANUMERIC, 22)}==` }),
  (random) => ({
    kind: "aws-access-key",
    text: `${random.one(["AKIA", "ASIA"])}${random.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)}`,
  }),
  (random) => ({
    kind: "aws-access-key",
    before: "AWS_SECRET_ACCESS_KEY=",
    text: random.text(`${ALPHANUMERIC}/+`, 40),
  }),
  (random) => ({ kind: "api-key", text: `ghp_${random.text(ALPHANUMERIC, 36)}` }),
  (random) => ({ kind: "api-key", text: `sk_live_${random.text(ALPHANUMERIC, 24)}` }),
  (random) => ({
    kind: "api-key",
    before: random.one(["x-api-key: ", "apikey=", "client_secret = "]),
    text: random.text(HEX, 32),
  }),
  (random) => ({ kind: "private-key", text: privateKey(random) }),
  (random) => ({ kind: "ipv4", text: Array.from({ length: 4 }, () => random.below(256)).join(".") }),
  (random) => ({ kind: "ipv6", text: ipv6(random) }),
];

function email(random: Random): string {
  const name = random.text(LOWER, 1 + random.below(12)) + random.one(["", ".x", "+tag", "_1", "-a"]);
  return `${name}@${random.text(LOWER, 2 + random.below(8))}.${random.one(["com", "example.org", "co.uk", "io"])}`;
}

function card(random: Random): Secret {
  const length = random.one([16, 16, 16, 15, 13, 19]);
  const first = length === 15 ? "37" : length === 16 ? random.one(["4", "51", "2221", "6011"]) : "4";
  const digits = withCheckDigit(first + random.text(DIGITS, length - first.length - 1));
  const groups = length === 16 ? /(\d{4})(?=\d)/g : /(\d{4})(\d{6})(?=\d)/g;
  const separator = length === 16 || length === 15 ? random.one(["", " ", "-"]) : "";
  const text =
    separator === ""
      ? digits
      : digits.replace(groups, (_, one, two) =>
          length === 16 ? `${one}${separator}` : `${one}${separator}${two}${separator}`,
        );
  return { kind: "credit-card", text, isNumber: separator === "" };
}

/** Digits with the one behind them that makes their sum divisible by ten, each second one doubled. */
function withCheckDigit(digits: string, off = 0): string {
  const sum = [...digits].reverse().reduce((total, digit, at) => {
    const value = Number(digit) * (at % 2 === 0 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return `${digits}${(20 - (sum % 10) + off) % 10}`;
}

function jwt(random: Random): string {
  return `eyJ${random.text(URL_SAFE, 20)}.eyJ${random.text(URL_SAFE, 40)}.${random.text(URL_SAFE, 30)}`;
}

function privateKey(random: Random): string {
  const label = random.one(["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "EC PRIVATE KEY"]);
  const body = Array.from({ length: 2 + random.below(4) }, () => random.text(`${ALPHANUMERIC}+/`, 64)).join("\n");
  return `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----`;
}

function ipv6(random: Random): string {
  const group = () => random.one([random.text(HEX, 4), `${1 + random.below(9)}`]);
  if (random.below(2) === 0) return Array.from({ length: 8 }, group).join(":");
  return `${random.one(["2001:db8", "fe80", "fd00:1"])}::${Array.from({ length: 1 + random.below(3) }, group).join(":")}`;
}

const WORDS: readonly [string, ...string[]] = [
  "GET /orders",
  "payment done",
  "Benutzer angemeldet: Jürgen",
  "retry 3/5",
  "日本語",
  "cache miss",
];

/** Ways in which a secret stands in a line. */
const CARRIERS: readonly [
  (secret: string, random: Random) => string,
  ...((secret: string, random: Random) => string)[],
] = [
  (secret, random) => `${random.one(WORDS)} ${secret} ${random.one(WORDS)}`,
  (secret) => secret,
  (secret, random) => `${random.one(WORDS)} (${secret})`,
  (secret, random) => `level=info msg='${random.one(WORDS)}' value=${secret}`,
  (secret, random) => JSON.stringify({ level: "info", msg: random.one(WORDS), value: secret }),
  (secret, random) => JSON.stringify({ msg: `${random.one(WORDS)}\n${secret}\t${random.one(WORDS)}` }),
  (secret) => JSON.stringify({ a: { b: [{ c: `\u00e9\t${secret}` }, 1.5, null, true] } }),
  (secret, random) => JSON.stringify({ body: JSON.stringify({ user: random.one(WORDS), value: secret }) }),
  (secret, random) => `${random.one(WORDS)} ${"x".repeat(random.below(3000))} ${secret}`,
];

function planted(random: Random, at: number): PlantedLine {
  const { kind, before = "", text, isNumber } = random.one(SECRETS)(random);
  const replacement = kind === "own" ? OWN_REDACTION.replacement : mask(kind);
  if (isNumber && random.below(4) === 0)
    return { text: `{"n":${at},"card":${text},"x":1}`, masked: `{"n":${at},"card":"${replacement}","x":1}` };
  const carrier = random.one(CARRIERS);
  // Where a secret stands that JSON would write otherwise, its escapes are masked with it.
  const stand = "@@@";
  const carried = carrier(`${before}${stand}`, random);
  const depth = carried.startsWith('{"body"') ? 2 : carried.startsWith("{") ? 1 : 0;
  const escaped = (value: string) =>
    Array.from({ length: depth }).reduce<string>((inner) => JSON.stringify(inner).slice(1, -1), value);
  // A line of its own has no line breaks, unless it is joined from several.
  const written = depth === 0 ? text.replaceAll("\n", " ") : escaped(text);
  return { text: carried.replace(stand, written), masked: carried.replace(stand, replacement) };
}

const CLEAN: readonly [(random: Random, at: number) => string, ...((random: Random, at: number) => string)[]] = [
  (random) => `${random.one(WORDS)} took ${random.below(5000)} ms`,
  (random) => `card ${withCheckDigit(`4${random.text(DIGITS, 14)}`, 1 + random.below(9))} is invalid`,
  (random) => `order ${withCheckDigit(`7${random.text(DIGITS, 14)}`)} accepted`,
  (random) => `{"id":${withCheckDigit(`4${random.text(DIGITS, 14)}`, 5)},"at":17${random.text(DIGITS, 11)}}`,
  (random) => `span 17${random.text(DIGITS, 17)} at 2026-01-02T03:04:05.${random.text(DIGITS, 9)}Z`,
  (random) =>
    `trace ${random.text(HEX, 8)}-${random.text(HEX, 4)}-4${random.text(HEX, 3)}-a${random.text(HEX, 3)}-${random.text(HEX, 12)}`,
  (random) => `sha256:${random.text(HEX, 64)} nginx@sha256:${random.text(HEX, 64)}`,
  (random) => `mac ${Array.from({ length: 6 }, () => random.text(HEX, 2)).join(":")} at 12:34:56`,
  (random) => `version 1.${random.below(30)}.${random.below(30)} of left-pad@1.3.0 on Chrome/120.0.6099.109`,
  (random) => `address 999.${random.below(256)}.1.2 or 10.0.${random.below(256)} or 300.1.1.1`,
  () => "std::vector<int>::push_back at main.cpp:12:34, Module::Class::method",
  (random) => `@Override by user@localhost, ${random.text(LOWER, 5)} @ ${random.text(LOWER, 5)}.com`,
  () => "the bearer of bad news; basic authentication is off; token expired",
  (random) => `AKIA${random.text("ABCDEFG", 5)} eyJhb.short.jwt sk_live_short ghp_${random.text(ALPHANUMERIC, 8)}`,
  () => "api_key is missing, x-api-key: none, client_secret=unset",
  () => "-----BEGIN CERTIFICATE----- MIIB -----END CERTIFICATE-----",
  (random) =>
    JSON.stringify({
      level: "warn",
      a: [1, null, { b: [] }],
      n: random.below(1e6) / 4,
      s: 'tab\tline\nnext "quoted" \\ back',
    }),
  (random) => `{"big":17123456789,"t":"${random.text(ALPHANUMERIC, 15)}","u":"\\u00e9\\/"}`,
  (random) => `CUST-${random.text(DIGITS, 7)} and XCUST-${random.text(DIGITS, 8)}`,
  (random) => `    at com.example.Class$Inner.run(Class.java:${random.below(900)})`,
  () => "ünïcödé 🙂 line with 日本語 and no secret",
];

function cleanLine(random: Random, at: number): string {
  return random.one(CLEAN)(random, at);
}
