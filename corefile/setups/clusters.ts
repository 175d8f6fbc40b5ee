import { POD_MODES } from "../plugins/sources.ts";
import { float, isGoUrl } from "../syntax/go-values.ts";
import { hasVariable } from "../syntax/syntax.ts";
import { type Handlers, type Setup, shown } from "./setup.ts";

/** Largest 32-bit float; `inf` is accepted too. */
const MAX_FLOAT32 = 3.402_823_5e38;
/** CoreDNS does not accept `in-addr.arpa` itself. */
const REVERSE = /\.(in-addr|ip6)\.arpa\.$/;

/** Options that limit the rate of API requests. */
function requestLimits(setup: Setup): Handlers {
  return {
    apiserver_qps: (option) => {
      const text = setup.one(option);
      const rate = float(text);
      if (
        !hasVariable(text) &&
        (rate === undefined || rate < 0 || (rate > MAX_FLOAT32 && rate < Number.POSITIVE_INFINITY))
      )
        setup.refuse(`apiserver_qps takes a number from 0 (found ${shown(text)})`);
    },
    apiserver_burst: (option) => setup.int(option, setup.one(option), 0),
    apiserver_max_inflight: (option) => setup.int(option, setup.one(option), 0),
  };
}

/** A label selector in one or more words. */
function selector(setup: Setup, option: string): void {
  const text = setup.words(option, 1).join(" ");
  setup.takes(option, text, isSelector(text), "a label selector, such as a=b");
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/kubernetes/setup.go */
export function kubernetes(setup: Setup): void {
  setup.lines(() => {
    const zones = setup.zones(setup.remaining());
    if (zones.every((zone) => REVERSE.test(zone))) setup.refuse("takes at least one zone that is not a reverse zone");
    let [namespaces, labels, hasEndpoint, zonal, noEndpoints] = [false, false, false, false, false];
    let files: readonly string[] = [];
    const multicluster: string[] = [];
    setup.block({
      endpoint_pod_names: (option) => setup.none(option),
      pods: (option) => setup.oneOf(option, setup.one(option), POD_MODES),
      namespaces: (option) => {
        setup.words(option, 1);
        namespaces = true;
      },
      endpoint: (option) => {
        const server = setup.first(option);
        setup.takes("endpoint", server, isServer(server, setup.since(1, 15, 0)), "a URL or a host with its port");
        hasEndpoint = true;
      },
      tls: (option) => {
        files = setup.words(option, 3, 3);
      },
      labels: (option) => selector(setup, option),
      namespace_labels: (option) => {
        selector(setup, option);
        labels = true;
      },
      fallthrough: () => setup.zones(setup.remaining()),
      ttl: (option) => setup.int(option, setup.first(option), 0, 3600),
      noendpoints: (option) => {
        setup.none(option);
        noEndpoints = true;
      },
      zonal: (option) => {
        setup.none(option);
        zonal = true;
      },
      ignore: (option) => {
        const [what] = setup.remaining();
        if (what !== undefined) setup.oneOf(option, what, ["empty_service"]);
      },
      kubeconfig: (option) => setup.needFile(setup.words(option, 1, 2)[0] ?? "", "kubeconfig"),
      multicluster: () => {
        const words = setup.remaining();
        if (words.length > 0) multicluster.push(...setup.zones(words));
      },
      startup_timeout: (option) => setup.period(option, setup.first(option)),
      ...requestLimits(setup),
    });
    if (hasEndpoint) setup.tlsFiles("tls", files);
    else if (files.length > 0) setup.warn("tls has no effect without endpoint");
    if (namespaces && labels) setup.refuse("takes namespaces or namespace_labels, not both");
    if (zonal && noEndpoints) setup.refuse("takes zonal or noendpoints, not both");
    for (const zone of multicluster)
      if (!zones.includes(zone)) setup.refuse(`multicluster takes zones of its line (found ${zone})`);
  }, 1);
}

/**
 * Whether Kubernetes' client accepts an API address: without a scheme it must not have a path; an empty one means the pod's own.
 * @param isStrict Whether IPv6 must be in brackets.
 */
function isServer(text: string, isStrict: boolean): boolean {
  const bare = text.replace(/^[a-z][a-z\d+.-]*:\/\//i, "").replace(/\[[^\]]*\]/, "");
  if (isStrict && bare.split(":").length > 2) return false;
  if (/^[a-z][a-z\d+.-]*:\/\/[^/?#]/i.test(text)) return isGoUrl(text);
  return text === "" || (/^[^/?#]+\/?$/.test(text) && isGoUrl(`http://${text}`));
}

const KEY = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** Whether a text is a label selector, such as `a=b,c in (d, e),!f`. */
function isSelector(text: string): boolean {
  if (text.trim() === "") return true;
  const requirements = text.split(/,(?![^(]*\))/);
  return requirements.every((requirement) => {
    const [, key = "", , sign, value = "", , list = ""] =
      /^\s*(?:!\s*)?([^\s=!()]+)\s*((==?)\s*([^\s()=!]*)|(in|notin)\s*\(([^()]*)\))?\s*$/.exec(requirement) ?? [];
    const values = sign === undefined ? list.split(",").map((item) => item.trim()) : [value];
    return KEY.test(key) && values.every((item) => VALUE.test(item));
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/k8s_external/setup.go */
export function k8sExternal(setup: Setup): void {
  setup.lines(() => {
    setup.zones(setup.remaining());
    setup.block({
      ttl: (option) => setup.int(option, setup.first(option), 0, 3600),
      apex: (option) => setup.words(option, 1),
      headless: () => {},
      fallthrough: () => setup.zones(setup.remaining()),
    });
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/etcd/setup.go */
export function etcd(setup: Setup): void {
  setup.next();
  setup.zones(setup.remaining());
  const lease = (option: string) => () => {
    const text = setup.word(option).trim();
    if (text !== "") setup.time(option, /^\d+$/.test(text) ? `${text}s` : text, 0, 2 ** 32 - 1);
  };
  setup.block(
    {
      stubzones: () => {},
      fallthrough: () => setup.zones(setup.remaining()),
      debug: () => {},
      no_apex_fallback: (option) => setup.none(option),
      path: (option) => setup.word(option),
      endpoint: (option) => setup.words(option, 1),
      upstream: () => setup.remaining(),
      tls: (option) => setup.tlsFiles(option, setup.remaining()),
      credentials: (option) => {
        setup.words(option, 2, 2);
        setup.warn("with credentials CoreDNS does not start before etcd answers");
      },
      "min-lease-ttl": lease("min-lease-ttl"),
      "max-lease-ttl": lease("max-lease-ttl"),
    },
    (name) => {
      if (name !== "}") setup.unknown(name);
    },
  );
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/nomad/setup.go */
export function nomad(setup: Setup): void {
  setup.next();
  setup.remaining();
  while (setup.nextBlock()) {
    const name = setup.value.toLowerCase();
    if (name === "address") {
      for (const text of setup.words(name, 1))
        if (!hasVariable(text) && /^(:|[^a-z/?#][^/?#]*:)|%(?![\da-f]{2})/i.test(text))
          setup.refuse(`address takes a URL, such as http://127.0.0.1:4646 (found ${shown(text)})`);
    } else if (name === "filter" || name === "token") setup.words(name, 1, 1);
    else if (name === "ttl") setup.int(name, setup.one(name), 0, 3600);
    else setup.unknown(name);
  }
  setup.warn("asks a Nomad agent, which a cluster on EKS does not have");
}

/** Words such as `ZONE:ID`, without duplicates. */
function pairs(setup: Setup, what: string, parts: number): void {
  const seen = new Set<string>();
  for (const word of setup.remaining()) {
    if (hasVariable(word)) continue;
    const split = word.split(":");
    const words = [...split.slice(0, parts - 1), split.slice(parts - 1).join(":")];
    if (split.length < parts || words.includes("")) setup.refuse(`its line takes ${what} (found ${shown(word)})`);
    if (seen.has(word)) setup.refuse(`${word} occurs twice`);
    seen.add(word);
  }
}

/** Data that CoreDNS reads from a cloud before it starts. */
interface CloudData {
  readonly cloud: string;
  /** Default: zone. */
  readonly what?: "zone" | "key";
  /** Whether the Corefile contains the credentials. Default: false. */
  readonly isGiven?: boolean;
}

/** Refuses data of a cloud for which the add-on's pods have no credentials, and warns that all others are not checked. */
export function needCredentials(setup: Setup, { cloud, what = "zone", isGiven = false }: CloudData): void {
  if (setup.context.isAddon && !setup.context.mayHaveRole && !isGiven)
    setup.lack(`the add-on's pods have no credentials for ${cloud}, and CoreDNS does not start without them`);
  setup.warn(`its credentials are not checked: CoreDNS does not start if it cannot read the ${what} from ${cloud}`);
}

/** The refresh interval of a cloud's records, in seconds without a unit. */
function refresh(setup: Setup): () => void {
  return () => {
    const text = setup.word("refresh");
    setup.period("refresh", /^[+-]?\d+$/.test(text) ? `${text}s` : text);
  };
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/route53/setup.go */
export function route53(setup: Setup): void {
  setup.lines(() => {
    pairs(setup, "ZONE:HOSTED_ZONE_ID", 2);
    let key = false;
    setup.block({
      aws_access_key: (option) => {
        setup.words(option, 2);
        key = true;
      },
      aws_endpoint: (option) => setup.word(option),
      upstream: () => setup.remaining(),
      credentials: (option) => {
        setup.word(option);
        if (setup.nextArgument()) setup.needFile(setup.value, "credentials file");
      },
      fallthrough: () => setup.zones(setup.remaining()),
      refresh: refresh(setup),
    });
    needCredentials(setup, { cloud: "Route 53", isGiven: key });
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/azure/setup.go */
export function azure(setup: Setup): void {
  const given = new Set<string>();
  const word = (option: string) => () => {
    setup.word(option);
    given.add(option);
  };
  setup.lines(() => {
    pairs(setup, "RESOURCE_GROUP:ZONE", 2);
    setup.block({
      subscription: word("subscription"),
      tenant: word("tenant"),
      client: word("client"),
      secret: word("secret"),
      environment: word("environment"),
      fallthrough: () => setup.zones(setup.remaining()),
      access: (option) => setup.oneOf(option, setup.word(option), ["public", "private"]),
      refresh: refresh(setup),
    });
    const isGiven = given.has("client") && given.has("secret") && given.has("tenant");
    needCredentials(setup, { cloud: "Azure DNS", isGiven });
  });
}

/** @see https://github.com/coredns/coredns/blob/v1.14.3/plugin/clouddns/setup.go */
export function clouddns(setup: Setup): void {
  setup.lines(() => {
    pairs(setup, "ZONE:PROJECT:HOSTED_ZONE", 3);
    setup.block({
      upstream: () => setup.remaining(),
      credentials: (option) => setup.needFile(setup.word(option), "credentials file"),
      endpoint: (option) => setup.word(option),
      fallthrough: () => setup.zones(setup.remaining()),
      refresh: refresh(setup),
    });
    needCredentials(setup, { cloud: "Cloud DNS" });
  });
}
