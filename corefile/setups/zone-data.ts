import type { Version } from "../releases.ts";
import { groupsOf } from "../syntax/go-values.ts";
import { hasVariable } from "../syntax/syntax.ts";
import { needCredentials } from "./clusters.ts";
import { type Setup, shown, zonesOf } from "./setup.ts";

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/file/setup.go */
export function file(setup: Setup): void {
  setup.lines(() => {
    const path = setup.word("its line");
    setup.zones(setup.remaining());
    let reload = 60;
    setup.block({
      fallthrough: () => setup.zones(setup.remaining()),
      reload: (option) => {
        reload = setup.time(option, setup.first(option), 0);
      },
      reload_by_mtime: () => {},
      upstream: () => setup.remaining(),
    });
    if (reload === 0) setup.needFile(path, "zone file");
    else setup.wantFile(path, "zone file", "CoreDNS starts and answers SERVFAIL for its zone");
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/auto/setup.go */
export function auto(setup: Setup): void {
  setup.lines(() => {
    setup.zones(setup.remaining());
    setup.block({
      directory: (option) => {
        setup.wantFile(setup.word(option), "folder", "CoreDNS starts and has no zones");
        if (!setup.nextArgument()) return;
        const pattern = setup.value;
        setup.regexp(option, pattern, setup.since(1, 13, 0));
        if (!hasVariable(pattern) && groupsOf(pattern) === 0)
          setup.refuse(`directory takes a regular expression with a group (found ${shown(pattern)})`);
        setup.word("the template of directory");
        setup.noWord("directory DIR REGEXP TEMPLATE");
      },
      reload: (option) => setup.time(option, setup.first(option), 0),
      upstream: () => setup.remaining(),
    });
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/dnssec/setup.go */
export function dnssec(setup: Setup): void {
  setup.lines(() => {
    setup.zones(setup.remaining());
    setup.block({
      key: () => keys(setup),
      cache_capacity: (option) => setup.int(option, setup.word(option)),
    });
  }, 1);
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/sign/setup.go */
export function sign(setup: Setup): void {
  setup.lines(() => {
    const path = setup.word("its line");
    setup.wantFile(path, "zone file", "CoreDNS starts and signs nothing");
    setup.zones(setup.remaining());
    setup.block({ key: () => keys(setup), directory: (option) => setup.one(option) });
  });
}

function keys(setup: Setup): void {
  const kind = setup.word("key");
  if (kind === "directory" && setup.plugin === "sign") setup.refuse("key directory is not implemented in CoreDNS");
  const isSecret = kind === "aws_secretsmanager" && setup.plugin === "dnssec";
  if (kind !== "file" && !isSecret) return;
  for (const name of setup.words(`key ${kind}`, 1)) {
    if (isSecret) needCredentials(setup, { cloud: "AWS Secrets Manager", what: "key" });
    else setup.needFile(`${name.replace(/\.(key|private)$/, "")}.key`, "key");
  }
}

/** First release with zones of IPv6 addresses in transfers. https://github.com/coredns/coredns/pull/8204 */
const SCOPED_SINCE: Version = [1, 14, 5];

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/transfer/setup.go */
export function transfer(setup: Setup): void {
  setup.lines(() => {
    setup.zones(setup.remaining());
    let [targets, hasSource] = [0, false];
    setup.block({
      to: (option) => {
        for (const word of setup.words(option, 1))
          if (word !== "*") setup.ipAndPort(option, word, setup.since(...SCOPED_SINCE));
        targets += 1;
      },
      source: (option) => {
        const address = setup.one(option);
        if (hasSource) setup.refuse("source occurs twice");
        setup.ip(option, address);
        hasSource = true;
      },
    });
    if (targets === 0) setup.refuse("takes at least one line `to`");
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/secondary/setup.go */
export function secondary(setup: Setup): void {
  setup.lines(() => {
    if (setup.value !== "secondary") return;
    setup.zones(setup.remaining());
    let transfers = 0;
    setup.block({
      transfer: (option) => {
        setup.oneOf(option, setup.word(option), ["from"]);
        for (const word of setup.words("transfer from", 1)) {
          if (word === "*") setup.refuse("transfer from takes addresses (found *)");
          setup.ipAndPort("transfer from", word, setup.since(...SCOPED_SINCE));
        }
        transfers += 1;
      },
      catalog: (option) => {
        for (const word of setup.words(option, 0, setup.since(1, 14, 7) ? undefined : 0))
          if (!hasVariable(word) && zonesOf(word).length === 0)
            setup.refuse(`catalog takes zones (found ${shown(word)})`);
      },
      fallthrough: () => setup.zones(setup.remaining()),
    });
    if (transfers === 0) setup.refuse("takes at least one line `transfer from`");
  });
}

const LIMITS = ["max_records", "max_bytes", "max_update_records"];

/** @see https://github.com/coredns/coredns/blob/v1.15.0/plugin/dynupdate/setup.go */
export function dynupdate(setup: Setup): void {
  setup.lines(() => {
    const zones = setup.words("its line", 0, 1);
    const served = zones.length > 0 ? zones : [...new Set(setup.zones([]))];
    if (served.length !== 1) setup.refuse("takes a zone unless its block has exactly one");
    const [zone = ""] = served;
    if (!hasVariable(zone) && zonesOf(zone).length !== 1) setup.refuse(`${shown(zone)} is not a zone`);
    const seen = new Set<string>();
    let file: string | undefined;
    const once = (option: string, read: (word: string) => void) => () => {
      if (seen.has(option)) setup.refuse(`${option} occurs twice`);
      seen.add(option);
      read(setup.one(option));
    };
    setup.block({
      database: once("database", () => setup.warn("its database is not checked")),
      file: once("file", (path) => {
        file = path;
      }),
      ...Object.fromEntries(LIMITS.map((option) => [option, once(option, (word) => setup.int(option, word, 1))])),
      allow: (option) => {
        setup.words(option, 3);
        seen.add(option);
      },
    });
    if (file === undefined) setup.refuse("takes file with a zone file");
    if (!seen.has("allow")) setup.refuse("takes at least one line allow KEY NAME TYPES");
    setup.needFile(file, "zone file");
  }, 1);
}
