import { float } from "../syntax/go-values.ts";
import { hasVariable } from "../syntax/syntax.ts";
import { type Setup, shown } from "./setup.ts";

/** Largest 32-bit float; `inf` is accepted too. */
const MAX_FLOAT32 = 3.402_823_5e38;
const POD_MODES = ["disabled", "insecure", "verified"];
/** CoreDNS does not accept `in-addr.arpa` itself. */
const REVERSE = /\.(in-addr|ip6)\.arpa\.$/;

/** Options that limit the rate of API requests. */
function requestLimits(setup: Setup): Readonly<Record<string, () => void>> {
  const one = (option: string) => setup.words(option, 1, 1)[0] ?? "";
  return {
    apiserver_qps: () => {
      const text = one("apiserver_qps");
      const rate = float(text);
      if (
        !hasVariable(text) &&
        (rate === undefined || rate < 0 || (rate > MAX_FLOAT32 && rate < Number.POSITIVE_INFINITY))
      )
        setup.refuse(`apiserver_qps takes a number from 0 (found ${shown(text)})`);
    },
    apiserver_burst: () => setup.int("apiserver_burst", one("apiserver_burst"), 0),
    apiserver_max_inflight: () => setup.int("apiserver_max_inflight", one("apiserver_max_inflight"), 0),
  };
}

/** A label selector in one or more words. */
function selector(setup: Setup, option: string): void {
  const text = setup.words(option, 1).join(" ");
  if (!hasVariable(text) && !isSelector(text))
    setup.refuse(`${option} takes a label selector, such as a=b (found ${shown(text)})`);
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
      endpoint_pod_names: () => setup.words("endpoint_pod_names", 0, 0),
      pods: () => setup.oneOf("pods", setup.words("pods", 1, 1)[0] ?? "", POD_MODES),
      namespaces: () => {
        setup.words("namespaces", 1);
        namespaces = true;
      },
      endpoint: () => {
        const [server = ""] = setup.words("endpoint", 1);
        if (!hasVariable(server) && !isServer(server, setup.since(1, 15, 0)))
          setup.refuse(`endpoint takes a URL or a host with its port (found ${shown(server)})`);
        hasEndpoint = true;
      },
      tls: () => {
        files = setup.words("tls", 3, 3);
      },
      labels: () => selector(setup, "labels"),
      namespace_labels: () => {
        selector(setup, "namespace_labels");
        labels = true;
      },
      fallthrough: () => setup.zones(setup.remaining()),
      ttl: () => setup.int("ttl", setup.words("ttl", 1)[0] ?? "", 0, 3600),
      noendpoints: () => {
        setup.words("noendpoints", 0, 0);
        noEndpoints = true;
      },
      zonal: () => {
        setup.words("zonal", 0, 0);
        zonal = true;
      },
      ignore: () => {
        const [what] = setup.remaining();
        if (what !== undefined) setup.oneOf("ignore", what, ["empty_service"]);
      },
      kubeconfig: () => setup.needFile(setup.words("kubeconfig", 1, 2)[0] ?? "", "kubeconfig"),
      multicluster: () => {
        const words = setup.remaining();
        if (words.length > 0) multicluster.push(...setup.zones(words));
      },
      startup_timeout: () => setup.period("startup_timeout", setup.words("startup_timeout", 1)[0] ?? ""),
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
  return /^[a-z][a-z\d+.-]*:\/\/[^/?#]/i.test(text) || /^([^/?#]+\/?)?$/.test(text);
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
      ttl: () => setup.int("ttl", setup.words("ttl", 1)[0] ?? "", 0, 3600),
      apex: () => setup.words("apex", 1),
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
      no_apex_fallback: () => setup.words("no_apex_fallback", 0, 0),
      path: () => setup.word("path"),
      endpoint: () => setup.words("endpoint", 1),
      upstream: () => setup.remaining(),
      tls: () => setup.tlsFiles("tls", setup.remaining()),
      credentials: () => {
        setup.words("credentials", 2, 2);
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
        if (!hasVariable(text) && /^(:|[^a-z/?#][^/?#]*:)/i.test(text))
          setup.refuse(`address takes a URL, such as http://127.0.0.1:4646 (found ${shown(text)})`);
    } else if (name === "filter" || name === "token") setup.words(name, 1, 1);
    else if (name === "ttl") setup.int(name, setup.words(name, 1, 1)[0] ?? "", 0, 3600);
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
      aws_access_key: () => {
        setup.words("aws_access_key", 2);
        key = true;
      },
      aws_endpoint: () => setup.word("aws_endpoint"),
      upstream: () => setup.remaining(),
      credentials: () => {
        setup.word("credentials");
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
      access: () => setup.oneOf("access", setup.word("access"), ["public", "private"]),
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
      credentials: () => setup.needFile(setup.word("credentials"), "credentials file"),
      endpoint: () => setup.word("endpoint"),
      fallthrough: () => setup.zones(setup.remaining()),
      refresh: refresh(setup),
    });
    needCredentials(setup, { cloud: "Cloud DNS" });
  });
}
