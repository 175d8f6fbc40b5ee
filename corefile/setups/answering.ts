import ipaddr from "ipaddr.js";
import { readExpression } from "../syntax/go-expression.ts";
import { isFree, type Kind, type Names, TEMPLATE_FUNCTIONS } from "../syntax/go-expression-language.ts";
import { templateProblem } from "../syntax/go-template.ts";
import { CLASSES, isAddress, network, OPCODES, RCODES, TYPES, unsigned } from "../syntax/go-values.ts";
import { hasVariable } from "../syntax/syntax.ts";
import { type Setup, shown } from "./setup.ts";

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/hosts/setup.go */
export function hosts(setup: Setup): void {
  setup.lines(() => {
    const [file, ...zones] = setup.remaining();
    if (file !== undefined)
      setup.wantFile(file, "hosts file", "CoreDNS starts and answers only the entries in the braces");
    setup.zones(zones);
    let [fallsThrough, needsFallthrough] = [false, false];
    setup.block(
      {
        fallthrough: () => {
          const words = setup.remaining();
          fallsThrough = words.length === 0 || setup.zones(words).length > 0;
        },
        fallthrough_unsupported: (option) => {
          setup.none(option);
          needsFallthrough = true;
        },
        no_reverse: () => {},
        ttl: (option) => setup.int(option, setup.first(option), 1, 65_535),
        reload: (option) => setup.time(option, setup.one(option), 0),
      },
      (name) => {
        if (fallsThrough)
          setup.refuse(`takes no entries and no other options after fallthrough (found ${shown(name)})`);
        setup.remaining();
        if (!hasVariable(name) && !isAddress(name))
          setup.warn(`${name} is neither an option nor an address, so that CoreDNS ignores its line`);
      },
    );
    if (needsFallthrough && !fallsThrough) setup.refuse("fallthrough_unsupported only takes effect with fallthrough");
  }, 1);
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/template/setup.go */
export function template(setup: Setup): void {
  const templates = (option: string) => () => {
    for (const text of setup.words(option, 1)) {
      const problem = hasVariable(text) ? undefined : templateProblem(text);
      if (problem !== undefined) setup.refuse(`${option} takes a template in Go's syntax; ${problem}`);
    }
  };
  const name = (what: string, allowed: ReadonlySet<string>) => {
    const word = setup.word(what);
    if (!hasVariable(word) && !allowed.has(word)) setup.refuse(`${shown(word)} is not a ${what}`);
  };
  setup.lines(() => {
    name("class, such as IN or ANY", CLASSES);
    name("type, such as A or ANY", TYPES);
    setup.zones(setup.remaining());
    const variables: [name: string, kind: Kind][] = [];
    const names = { functions: TEMPLATE_FUNCTIONS, variables };
    setup.block({
      match: (option) => {
        for (const pattern of setup.words(option, 1)) setup.regexp(option, pattern);
      },
      answer: templates("answer"),
      additional: templates("additional"),
      authority: templates("authority"),
      var: (option) => {
        const [variable = "", ...words] = setup.words(option, 2);
        if (!hasVariable(variable) && !/^[a-z_]\w*$/i.test(variable))
          setup.refuse(`var takes a name of letters, digits and _ (found ${shown(variable)})`);
        const isKnown = variables.some(([name]) => name === variable);
        if (!hasVariable(variable) && (isKnown || !isFree(variable, TEMPLATE_FUNCTIONS)))
          setup.refuse(`var takes a name that has no meaning yet (found ${shown(variable)})`);
        variables.push([variable, expression(setup, `var ${variable}`, words, names) ?? "any"]);
      },
      expr: (option) => {
        const words = setup.words(option, 1);
        if (isCondition(expression(setup, option, words, names))) return;
        setup.warn(`expr ${words.join(" ")}: is not a condition, so it matches no query`);
      },
      rcode: () => name("response code, such as NXDOMAIN", RCODES),
      ederror: (option) => {
        const [code = ""] = setup.words(option, 1, 2);
        if (!hasVariable(code) && unsigned(code, 16) === undefined)
          setup.refuse(`ederror takes a code from 0 to 65535 (found ${shown(code)})`);
      },
      fallthrough: () => setup.zones(setup.remaining()),
      upstream: () => setup.remaining(),
    });
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/header/setup.go */
export function header(setup: Setup): void {
  while (setup.next()) {
    let rules = 0;
    while (setup.nextBlock()) {
      const kind = setup.value.toLowerCase();
      if (kind !== "query" && kind !== "response")
        setup.refuse(`takes query or response (found ${shown(setup.value)})`);
      const action = setup.nextArgument() ? setup.value : "";
      setup.oneOf(kind, action.toLowerCase(), ["set", "clear"]);
      const flags = setup.words(`${kind} ${action}`, 1);
      for (const flag of flags) setup.oneOf(`${kind} ${action}`, flag.toLowerCase(), ["aa", "ra", "rd"]);
      rules += flags.length;
    }
    // CoreDNS ignores all further lines then.
    if (rules > 0) return;
  }
  setup.refuse("takes at least one rule in braces, such as response set ra");
}

const ACTIONS = ["allow", "block", "filter", "drop"];

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/acl/setup.go */
export function acl(setup: Setup): void {
  setup.lines(() => {
    setup.zones(setup.remaining());
    while (setup.nextBlock()) {
      setup.oneOf("a rule", setup.value.toLowerCase(), ACTIONS);
      aclRule(setup);
    }
  });
}

/** The conditions of a rule: `type TYPES` and `net NETWORKS`, in any order and number. */
function aclRule(setup: Setup): void {
  let section = "";
  let count = 1;
  let isAll = false;
  for (const word of setup.remaining()) {
    const isSection = ["type", "net"].includes(word.toLowerCase());
    if (isSection ? count === 0 : section === "")
      setup.refuse(`a rule takes type TYPES and net NETWORKS (found ${shown(word)})`);
    if (isSection) {
      [section, count, isAll] = [word.toLowerCase(), 0, false];
      continue;
    }
    count += 1;
    // CoreDNS ignores the rest of the section then.
    if (isAll) setup.warn(`${section} * is for all of them, and CoreDNS ignores ${shown(word)} after it`);
    else if (word === "*") isAll = true;
    else if (section === "net")
      setup.cidr("net", word.includes("/") ? word : `${word}/${word.includes(":") ? 128 : 32}`);
    else if (!hasVariable(word) && !TYPES.has(word)) setup.refuse(`${shown(word)} is not a type`);
  }
  if (count === 0) setup.refuse(`${section} takes at least 1 word`);
}

/** Prefix lengths that can embed an IPv4 address. @see https://www.rfc-editor.org/rfc/rfc6052#section-2.2 */
const EMBEDDING_BITS: readonly number[] = [32, 40, 48, 56, 64, 96];
/** Prefix lengths that dns64 accepted before 1.15.0. */
const WHOLE_BYTES: readonly number[] = [32, 40, 48, 56, 64, 72, 80, 88, 96];

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/dns64/setup.go */
export function dns64(setup: Setup): void {
  const prefix = (text: string) => {
    if (hasVariable(text)) return;
    const net = network(text);
    const sizes = setup.since(1, 15, 0) ? EMBEDDING_BITS : WHOLE_BYTES;
    if (net === undefined || net.family !== 6 || !sizes.includes(net.bits))
      setup.refuse(
        `takes an IPv6 network of ${sizes.slice(0, -1).join(", ")} or ${sizes.at(-1)} bits, such as 64:ff9b::/96 (found ${shown(text)})`,
      );
  };
  setup.lines(() => {
    const words = setup.words("its line", 0, 1);
    // CoreDNS treats braces after a prefix as separate lines.
    if (words.length === 1) return prefix(words[0] ?? "");
    setup.block({ prefix: (option) => prefix(setup.word(option)), translate_all: () => {}, allow_ipv4: () => {} });
  });
}

/** Byte of a prefix that RFC 6052 reserves. */
const RESERVED_BYTE = 8;

/** The family of an address, as Go sees it: an IPv4 address written as `::ffff:10.0.0.1` is one of IPv4. */
function familyOf(text: string): 4 | 6 | undefined {
  if (!isAddress(text)) return undefined;
  return ipaddr.process(text).kind() === "ipv4" ? 4 : 6;
}

/** @see https://github.com/coredns/coredns/blob/v1.15.0/plugin/siit/setup.go */
export function siit(setup: Setup): void {
  setup.lines(() => {
    setup.none("its line");
    setup.block({
      ipv6_prefix: (option) => {
        const text = setup.word(option);
        const net = hasVariable(text) ? undefined : network(text);
        if (hasVariable(text)) return;
        if (net?.family !== 6 || !EMBEDDING_BITS.includes(net.bits))
          setup.refuse(`ipv6_prefix takes an IPv6 network, such as 64:ff9b::/96 (found ${shown(text)})`);
        // RFC 6052 reserves these bits, also in a prefix of 96.
        if (net.bits > RESERVED_BYTE * 8 && ipaddr.parse(net.address).toByteArray()[RESERVED_BYTE] !== 0)
          setup.refuse(`ipv6_prefix takes a network whose bits 64 to 71 are 0 (found ${shown(text)})`);
      },
      eam: (option) => {
        const [four = "", six = ""] = setup.words(option, 2, 2);
        const isPair = familyOf(four) === 4 && familyOf(six) === 6;
        if (!hasVariable(`${four}${six}`) && !isPair)
          setup.refuse(`eam takes an IPv4 and an IPv6 address (found ${shown(`${four} ${six}`)})`);
      },
    });
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/erratic/setup.go */
export function erratic(setup: Setup): void {
  const amount = (option: string, words: readonly string[]) => {
    if (words[0] !== undefined) setup.int(option, words[0], 0, 2 ** 31 - 1);
  };
  setup.lines(() => {
    setup.block({
      drop: (option) => amount(option, setup.words(option, 0, 1)),
      truncate: (option) => amount(option, setup.words(option, 0, 1)),
      delay: (option) => {
        const words = setup.words(option, 0, 2);
        amount(option, words);
        if (words[1] !== undefined) setup.time(option, words[1]);
      },
      large: () => {},
    });
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/autopath/setup.go */
export function autopath(setup: Setup): void {
  setup.lines(() => {
    const words = setup.words("its line", 1);
    const source = words.at(-1) ?? "";
    if (!source.startsWith("@")) setup.needFile(source, "resolv.conf");
    setup.zones(words.slice(0, -1));
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/tsig/setup.go */
export function tsig(setup: Setup): void {
  const names = (option: string, allowed: ReadonlySet<string>) => () => {
    const words = setup.words(option, 1);
    if (words[0] === "all" || words[0] === "none") return;
    for (const word of words)
      if (!hasVariable(word) && !allowed.has(word)) setup.refuse(`${option} does not know ${shown(word)}`);
  };
  setup.lines(() => {
    const seen = new Set<string>();
    setup.zones(setup.remaining());
    setup.block({
      secret: (option) => {
        const [name = ""] = setup.words(option, 2, 2);
        const key = name.toLowerCase().replace(/\.?$/, ".");
        if (seen.has(key)) setup.refuse(`the key ${key} is defined twice`);
        seen.add(key);
      },
      secrets: (option) => setup.needFile(setup.one(option), "key file"),
      require: names("require", TYPES),
      require_opcode: names("require_opcode", OPCODES),
    });
  }, 1);
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/geoip/setup.go */
export function geoip(setup: Setup): void {
  let databases = 0;
  setup.lines(() => {
    const path = setup.word("its line");
    databases += 1;
    if (databases > 1) setup.refuse("takes one database");
    setup.none("its line");
    setup.block({ "edns-subnet": () => {} });
    setup.needFile(path, "database");
  });
}

/** Reads an expression. @returns its type; undefined if it is not known. */
function expression(setup: Setup, option: string, words: readonly string[], names?: Names): Kind | undefined {
  const text = words.join(" ");
  const { problem, kind, isRead } = hasVariable(text) ? { isRead: false } : readExpression(text, names);
  if (problem !== undefined) setup.refuse(`${option} ${text}: ${problem}`);
  if (!isRead) setup.warn("its expression is not checked");
  return kind;
}

function isCondition(kind: Kind | undefined): boolean {
  return kind === undefined || kind === "boolean" || kind === "any";
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/view/setup.go */
export function view(setup: Setup): void {
  setup.lines(() => {
    setup.words("its line", 1, 1);
    setup.block({
      expr: () => {
        const words = setup.remaining();
        if (isCondition(expression(setup, "expr", words))) return;
        setup.warn(`expr ${words.join(" ")}: is not a condition, so the block gets no queries`);
      },
    });
  }, 1);
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/loadbalance/setup.go */
export function loadbalance(setup: Setup): void {
  setup.lines(() => {
    const [policy = "round_robin", ...words] = setup.remaining();
    setup.oneOf("its line", policy, ["round_robin", "weighted"]);
    const count = policy === "weighted" ? 1 : 0;
    if (words.length !== count)
      setup.refuse(`takes round_robin or weighted FILE (found ${[policy, ...words].join(" ")})`);
    if (policy === "weighted") {
      let interval = 30;
      setup.block({
        reload: (option) => {
          interval = setup.time(option, setup.one(option), 0);
        },
        prefer: (option) => setup.unknown(option),
      });
      if (interval === 0) setup.needFile(words[0] ?? "", "weight file");
      else setup.wantFile(words[0] ?? "", "weight file", "all addresses weigh the same");
    }
    setup.block(
      {
        reload: () => setup.refuse("reload is an option of weighted FILE"),
        prefer: (option) => {
          for (const net of setup.remaining()) setup.cidr(option, net);
        },
      },
      (name) => {
        setup.unknown(name);
      },
    );
  });
}
