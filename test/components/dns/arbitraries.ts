import fc from "fast-check";
import { DnsSettings } from "../../../components/dns/settings.ts";

const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,4}[a-z0-9])?$/);
const domain = fc.tuple(label, label).map(([host, zone]) => `${host}.${zone}.example`);
const octet = fc.integer({ min: 1, max: 254 });
const address = fc.oneof(
  fc.tuple(octet, octet).map(([c, d]) => `10.7.${c}.${d}`),
  fc.tuple(octet, octet).map(([c, d]) => `fd00::${c}:${d}`),
);
const upstream = fc.oneof(
  address,
  fc.tuple(octet, fc.integer({ min: 1, max: 65_535 })).map(([host, port]) => `10.8.0.${host}:${port}`),
  octet.map((host) => `[fd00::${host}]:5353`),
  octet.map((host) => `tls://10.9.0.${host}`),
);
const upstreams = fc.uniqueArray(upstream, { minLength: 1, maxLength: 15 });
const duration = fc.constantFrom("500ms", "2s", "10s", "1m30s", "1h");
const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const forward = fc.record(
  {
    policy: fc.constantFrom("random", "round_robin", "sequential"),
    maxConcurrent: fc.integer({ min: 1, max: 100_000 }),
    maxFails: fc.integer({ min: 0, max: 10 }),
    expire: duration,
    healthCheck: duration,
    except: fc.array(domain, { minLength: 1, maxLength: 3 }),
    forceTcp: fc.boolean(),
    preferUdp: fc.boolean(),
    tlsServerName: domain,
  },
  { requiredKeys: [] },
);

const cacheSide = fc.record(
  {
    capacity: fc.integer({ min: 1024, max: 50_000 }),
    ttl: fc.integer({ min: 1, max: 3600 }),
    minTtl: fc.integer({ min: 0, max: 60 }),
  },
  { requiredKeys: [] },
);

const cache = fc.record(
  {
    ttl: fc.integer({ min: 1, max: 3600 }),
    success: cacheSide,
    denial: cacheSide,
    prefetch: fc.record({
      amount: fc.integer({ min: 1, max: 100 }),
      duration,
      percentage: fc.integer({ min: 10, max: 90 }),
    }),
    serveStale: fc.record({ duration, refresh: fc.constantFrom("immediate", "verify") }),
    servfail: fc.constantFrom("0s", "5s", "5m"),
  },
  { requiredKeys: [] },
);

const rewrite = fc.oneof(
  fc.record({
    match: fc.constantFrom("exact", "prefix", "suffix", "substring"),
    from: domain,
    to: domain,
    answerAuto: fc.boolean(),
    continue: fc.boolean(),
  }),
  fc.constant({ match: "regex", from: "(.*)-(us|eu)\\.example\\.org", to: "{1}.{2}.example.org" }),
);

const options = fc.record(
  {
    clusterDomain: fc.constantFrom("cluster.local", "k8s.internal"),
    upstreams,
    forward,
    cache,
    stubDomains: fc
      .uniqueArray(domain, { maxLength: 3 })
      .chain((names) =>
        fc.tuple(...names.map((name) => fc.record({ domains: fc.constant([name]), upstreams, forward }))),
      ),
    hosts: fc.record(
      {
        entries: fc.array(fc.record({ address, names: fc.array(domain, { minLength: 1, maxLength: 3 }) }), {
          minLength: 1,
          maxLength: 3,
        }),
        ttl: fc.integer({ min: 1, max: 65_535 }),
      },
      { requiredKeys: ["entries"] },
    ),
    rewrite: fc.array(rewrite, { maxLength: 3 }),
    log: fc.record(
      {
        classes: fc.subarray(["success", "denial", "error", "all"], { minLength: 1 }),
        zones: fc.array(domain, { minLength: 1, maxLength: 2 }),
      },
      { requiredKeys: [] },
    ),
    lameduck: fc.constantFrom("0s", "5s", "25s"),
    ttl: fc.integer({ min: 0, max: 3600 }),
    autopath: fc.boolean(),
    multisocket: fc.integer({ min: 1, max: 8 }),
    reload: fc.record({ interval: fc.constantFrom("2s", "1m"), jitter: fc.constantFrom("1s", "15s") }),
  },
  { requiredKeys: [] },
);

/** Settings that the schema and `checkDns` accept, with any options of the Corefile and the add-on. */
export const dnsSettings: fc.Arbitrary<DnsSettings> = fc
  .record(
    {
      corefile: fc.record({ profile: fc.constantFrom("eks-default", "tuned"), options }, { requiredKeys: [] }),
      clusterSize: fc.record({
        nodes: fc.integer({ min: 1, max: 5000 }),
        pods: fc.integer({ min: 1, max: 150_000 }),
        services: fc.integer({ min: 1, max: 10_000 }),
      }),
      resources: fc.record(
        { limits: fc.record({ memory: fc.constant("300Mi") }), requests: fc.record({ cpu: fc.constant("50m") }) },
        { requiredKeys: [] },
      ),
      podDisruptionBudget: fc.record({ maxUnavailable: fc.constantFrom(1, "25%") }),
      topologySpread: fc.uniqueArray(
        fc.record({
          maxSkew: fc.integer({ min: 1, max: 3 }),
          topologyKey: fc.constantFrom("topology.kubernetes.io/zone", "kubernetes.io/hostname"),
        }),
        { maxLength: 2, selector: ({ topologyKey }) => topologyKey },
      ),
      nodeSelector: fc.constant({ "kubernetes.io/os": "linux" }),
      tolerations: fc.constant([{ key: "dedicated", operator: "Exists" }]),
    },
    { requiredKeys: [] },
  )
  .chain((settings) =>
    fc
      .oneof(
        some(fc.record({ replicas: fc.integer({ min: 1, max: 1000 }) })),
        fc
          .integer({ min: 2, max: 500 })
          .map((least) => ({ autoscaling: { minReplicas: least, maxReplicas: least + 7 } })),
      )
      .map((scale) => DnsSettings.parse({ ...settings, ...scale })),
  );
