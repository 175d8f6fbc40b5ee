import { LOG_CLASSES } from "../plugins/serving.ts";
import { duration, float, isAddress, isGoUrl, isOwnHost, unsigned } from "../syntax/go-values.ts";
import { hasVariable } from "../syntax/syntax.ts";
import { type Setup, shown } from "./setup.ts";

/** Interfaces of every pod; others depend on the network. */
const INTERFACES = ["lo", "eth0"];

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/bind/setup.go */
export function bind(setup: Setup): void {
  const check = (words: readonly string[]) => {
    for (const word of words)
      if (!hasVariable(word) && !isAddress(word) && !INTERFACES.includes(word)) {
        if (setup.context.isAddon || /^(\d+\.)+\d+$|[:/*]/.test(word) || word === "localhost" || word === "")
          setup.refuse(`takes addresses and network interfaces of the pod, lo and eth0 (found ${shown(word)})`);
        setup.warn(`CoreDNS does not start unless its pod has the network interface ${word}`);
      }
  };
  setup.lines(() => {
    const hosts = setup.words("its line", 1);
    check(hosts);
    for (const host of hosts)
      if (setup.context.isAddon && isAddress(host) && !isOwnHost(host))
        setup.lack(`the add-on's pods do not have the address ${host}, and CoreDNS does not start`);
    setup.block({ except: (option) => check(setup.words(option, 1)) });
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/timeouts/timeouts.go */
export function timeouts(setup: Setup): void {
  setup.lines(() => {
    setup.none("its line");
    let count = 0;
    while (setup.nextBlock()) {
      const name = setup.value;
      const text = setup.one(name);
      if (name === "maxtcpqueries" && setup.context.options.has(name)) {
        if (setup.int(name, text, -1) === 0) setup.refuse("maxtcpqueries takes -1 or an integer from 1 (found 0)");
      } else setup.time(name, /^[+-]?\d+$/.test(text) ? `${text}s` : text, 1, 86_400);
      if (!setup.context.options.has(name)) setup.unknown(name);
      count += 1;
    }
    if (count === 0) setup.refuse(`takes at least one of ${[...setup.context.options].join(", ")} in braces`);
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/multisocket/multisocket.go */
export function multisocket(setup: Setup): void {
  setup.next();
  const words = setup.words("its line", 0, 1);
  if (setup.next()) setup.refuse("may occur only once in a server block, without options");
  if (words[0] !== undefined) setup.int("its line", words[0], 1, setup.since(1, 13, 0) ? 1024 : undefined);
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/reload/setup.go */
export function reload(setup: Setup): void {
  setup.next();
  const [interval, jitter] = setup.words("its line", 0, 2);
  if (interval !== undefined) setup.time("the interval", interval, 2);
  if (jitter === undefined) return;
  const none = duration(jitter) === 0;
  if (none && !setup.since(1, 14, 0)) setup.refuse("the jitter takes a duration from 1s (found 0)");
  if (!none) setup.time("the jitter", jitter, 1);
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/root/root.go */
export function root(setup: Setup): void {
  setup.lines(() => {
    setup.wantFile(setup.word("its line"), "folder", "files that other plugins name are looked for there");
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/cancel/cancel.go */
export function cancel(setup: Setup): void {
  setup.lines(() => {
    const [time] = setup.words("its line", 0, 1);
    if (time !== undefined) setup.period("its line", time);
  });
}

/** A plugin without arguments and braces. */
export function bare(setup: Setup): void {
  setup.lines(() => setup.noWord("its line"));
}

/** As {@link bare}, but CoreDNS only reads its first line. */
export function bareFirst(setup: Setup): void {
  setup.next();
  setup.noWord("its line");
}

/** @see https://github.com/coredns/coredns/blob/v1.15.0/plugin/any/setup.go */
export function any(setup: Setup): void {
  if (!setup.since(1, 14, 4)) return;
  setup.next();
  setup.noWord("its line");
  setup.block({});
}

/** @see https://github.com/coredns/coredns/blob/v1.15.0/plugin/chaos/setup.go */
export function chaos(setup: Setup): void {
  if (!setup.since(1, 14, 4)) return;
  setup.next();
  setup.remaining();
  setup.block({});
}

/** @see https://github.com/coredns/coredns/blob/v1.15.0/plugin/local/setup.go */
export function local(setup: Setup): void {
  if (!setup.since(1, 14, 4)) return;
  setup.lines(() => {
    setup.none("its line");
    setup.block({
      localhost_prefix: (option) => setup.oneOf(option, setup.one(option), ["on", "off"]),
    });
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/loop/setup.go */
export function loop(setup: Setup): void {
  setup.lines(() => setup.noWord("its line"), 1);
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/nsid/setup.go */
export function nsid(setup: Setup): void {
  setup.lines(() => void setup.remaining(), 1);
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/metadata/setup.go */
export function metadata(setup: Setup): void {
  setup.next();
  setup.zones(setup.remaining());
  if (setup.nextBlock() || setup.next()) setup.refuse("may occur only once in a server block, without options");
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/bufsize/setup.go */
export function bufsize(setup: Setup): void {
  setup.next();
  const [size] = setup.words("its line", 0, 1);
  if (size !== undefined) setup.int("its line", size, 512, 4096);
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/health/setup.go */
export function health(setup: Setup): void {
  setup.lines(() => {
    const [address] = setup.words("its line", 0, 1);
    if (address !== undefined) setup.address("its line", address);
    setup.block({ lameduck: (option) => setup.time(option, setup.one(option)) });
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/ready/setup.go */
export function ready(setup: Setup): void {
  setup.lines(() => {
    const [address] = setup.words("its line", 0, 1);
    if (address !== undefined) setup.lateAddress("its line", address);
    setup.block(
      { monitor: (option) => setup.oneOf(option, setup.one(option), ["until-ready", "continuously"]) },
      // CoreDNS silently skips unknown words here, one by one.
      (name) => setup.ignored(name),
    );
  }, 1);
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/metrics/setup.go */
export function prometheus(setup: Setup): void {
  setup.lines(() => {
    const [address] = setup.words("its line", 0, 1);
    if (address !== undefined) setup.lateAddress("its line", address);
    let files = 0;
    if (!setup.since(1, 14, 0)) return;
    setup.block({
      runtime_metrics: (option) => setup.none(option),
      tls: (option) => {
        if (files > 0) setup.refuse("tls occurs twice");
        files += 1;
        setup.wantFile(setup.one(option), "TLS configuration", "CoreDNS starts and serves no metrics");
      },
    });
  }, 1);
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/pprof/setup.go */
export function pprof(setup: Setup): void {
  setup.lines(() => {
    const [address] = setup.words("its line", 0, 1);
    if (address !== undefined) setup.address("its line", address);
    setup.block({
      block: (option) => {
        const [rate] = setup.words(option, 0, 1);
        if (rate !== undefined) setup.int(option, rate);
      },
    });
  }, 1);
}

const LEVELS = ["warning", "error", "info", "debug"];

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/errors/setup.go */
export function errors(setup: Setup): void {
  const consolidate = () => {
    const [period = "", pattern = "", ...more] = setup.words("consolidate", 2, setup.since(1, 14, 0) ? 4 : 3);
    setup.time("consolidate", period);
    setup.regexp("consolidate", pattern);
    const showsFirst = setup.since(1, 14, 0);
    let [level, first] = [false, false];
    for (const word of more) {
      if (LEVELS.includes(word)) {
        if (level || first) setup.refuse("consolidate takes one level, before show_first");
        level = true;
      } else if (word === "show_first" && showsFirst) first = true;
      else
        setup.refuse(
          `consolidate takes ${LEVELS.join(", ")}${showsFirst ? " and show_first" : ""} after the pattern (found ${shown(word)})`,
        );
    }
  };
  setup.lines(() => {
    const [target] = setup.words("its line", 0, 1);
    if (target !== undefined) setup.oneOf("its line", target, ["stdout"]);
    setup.block({ stacktrace: () => {}, consolidate });
  }, 1);
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/log/setup.go */
export function log(setup: Setup): void {
  setup.lines(() => {
    setup.remaining();
    setup.block({
      class: (option) => {
        for (const word of setup.words(option, 1)) setup.oneOf(option, word, LOG_CLASSES);
      },
    });
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/dnstap/setup.go */
export function dnstap(setup: Setup): void {
  setup.lines(() => {
    const words = setup.words("its line", 1);
    const listens = words[0] === "listen" && setup.since(1, 14, 4);
    if (listens && words.length < 2) setup.refuse("listen takes an address");
    const [address = "", , buffer, queue] = listens ? words.slice(1) : words;
    if (/^(tcp|tls):\/\//.test(address) && !hasVariable(address) && !isGoUrl(address))
      setup.refuse(`takes an address such as tcp://10.0.0.1:6000 or a socket's path (found ${shown(address)})`);
    if (setup.since(1, 13, 0)) {
      if (buffer !== undefined) setup.int("the write buffer", buffer, 1, 1024);
      if (queue !== undefined) setup.int("the queue", queue, 1, 4096);
    }
    setup.block(
      {
        skipverify: () => {},
        tls: (option) => {
          if (!listens) setup.refuse("tls is an option of dnstap listen");
          setup.words(option, 2);
        },
        identity: (option) => setup.word(option),
        version: (option) => setup.word(option),
        extra: (option) => setup.word(option),
      },
      (name) => setup.ignored(name),
    );
  });
}

const ENDPOINTS = ["zipkin", "datadog"];

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/trace/setup.go */
export function trace(setup: Setup): void {
  setup.lines(() => {
    const words = setup.words("its line", 0, 2);
    if (words.length === 2) setup.oneOf("its line", (words[0] ?? "").toLowerCase(), ENDPOINTS);
    setup.block(
      {
        every: (option) => {
          const text = setup.one(option);
          setup.takes("every", text, unsigned(text, 64) !== undefined, "an integer from 0");
        },
        service: (option) => setup.one(option),
        client_server: (option) => {
          const [text] = setup.words(option, 0, 1);
          if (text !== undefined) setup.oneOf(option, text, BOOLEANS);
        },
        datadog_analytics_rate: (option) => {
          const [text] = setup.words(option, 0, 1);
          const rate = text === undefined || hasVariable(text) ? 0 : float(text);
          if (rate === undefined || rate < 0 || rate > 1)
            setup.refuse(`datadog_analytics_rate takes a number from 0 to 1 (found ${shown(text ?? "")})`);
        },
        zipkin_max_backlog_size: (option) => setup.int(option, setup.one(option)),
        zipkin_max_batch_size: (option) => setup.int(option, setup.one(option)),
        zipkin_max_batch_interval: (option) => setup.time(option, setup.one(option)),
      },
      (name) => setup.ignored(name),
    );
  });
}

const BOOLEANS = ["1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False"];

const EVENTS = ["startup", "shutdown", "certrenew"];

/** @see https://github.com/coredns/caddy/blob/master/onevent/on.go */
export function on(setup: Setup): void {
  setup.lines(() => {
    setup.oneOf("its line", setup.word("its line").toLowerCase(), EVENTS);
    if (setup.remaining().length === 0) setup.refuse("takes an event and a command");
    setup.warn("its command is not checked, and the add-on's image has no shell");
  });
}
