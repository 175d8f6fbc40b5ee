import assert from "node:assert/strict";
import { parse } from "yaml";
import { SettingsError } from "../../../components/schema/errors.ts";
import { parseSettings } from "../../../components/settings.ts";

const EKS = { cluster: { kind: "eks" } };
const KEYS = "the keys cluster, dns, teams, curlPod, logging, extends";
const LIFETIME = "a whole number of seconds from 60 to 31536000, which is a year, or 'infinity'";
const ZONES = "a whole number from 2 to 6, or that many zones by name, such as [eu-central-1a, eu-central-1b]";
const CORES = "a Kubernetes quantity in quotes, such as '500m' or '2'";
const BYTES = "a Kubernetes quantity in quotes, such as '128Mi' or '2Gi'";
const IMAGE = "an image with a fixed tag or digest, such as 'docker.io/curlimages/curl:8.17.0', and not ':latest'";
const TEAM = "a group of keys: name, peers, members, labels, quota, limits";
const DESTINATIONS = "stdout, file, http, opensearch, elasticsearch, cloudwatch, s3, loki";

/** What is said of settings as they stand in a stack's file, a line each. */
function saidOf(text: string): string[] {
  const settings: unknown = parse(text);
  assert.ok(typeof settings === "object" && settings !== null);
  const config = Object.entries({ cluster: { kind: "existing" }, ...settings }).map(([key, value]) => [
    key.includes(":") ? key : `eks-dns-logging:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  try {
    parseSettings(Object.fromEntries([["aws:region", "eu-central-1"], ...config]));
  } catch (error) {
    assert.ok(error instanceof SettingsError, String(error));
    return error.message
      .split("\n")
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
}

describe("What is said of a wrong setting", () => {
  const cases: readonly (readonly [settings: string, ...lines: string[]])[] = [
    // Keys
    ["logs: {collector: vector}", `logs: found {"collector":"vector"}; allowed: ${KEYS}`],
    ["cluster.kind: eks", `["cluster.kind"]: found "eks"; allowed: ${KEYS}`],
    ["eks-dns-loging:teams: []", "eks-dns-loging:teams: found []; allowed: as a key eks-dns-logging:teams"],
    [
      "teams: [{name: ts, nmae: x}]",
      'teams[0].nmae: found "x"; allowed: the keys name, peers, members, labels, quota, limits',
    ],
    [
      "teams: [{name: ts, labels: {a b: c, team: x}}]",
      'teams[0].labels["a b"]: found "a b"; allowed: as a key a Kubernetes label key',
      "teams[0].labels.team: found \"team\"; allowed: as a key another key than 'team' and those of kubernetes.io, which are set by this program",
    ],
    // Kinds of value
    ["cluster: null", "cluster: found null; allowed: a group of keys with kind: eks, existing"],
    ["cluster: eks", 'cluster: found "eks"; allowed: a group of keys with kind: eks, existing'],
    [
      "logging: {destination: s3}",
      `logging.destination: found "s3"; allowed: a group of keys with kind: ${DESTINATIONS}`,
    ],
    ["teams: ts", 'teams: found "ts"; allowed: a list'],
    ["teams: [ts, sa]", `teams[0]: found "ts"; allowed: ${TEAM}`, `teams[1]: found "sa"; allowed: ${TEAM}`],
    ["teams: [null]", `teams[0]: found null; allowed: ${TEAM}`],
    ["teams: [{name: ts, peers: [7]}]", "teams[0].peers[0]: found 7; allowed: text in quotes"],
    ["curlPod: null", "curlPod: found null; allowed: a group of keys: lifetime, ndots, image, responderImage"],
    ["curlPod: {image: null}", `curlPod.image: found null; allowed: ${IMAGE}`],
    ["cluster: {kind: eks, version: 1.35}", "cluster.version: found 1.35; allowed: 1.34, 1.35, 1.36, in quotes"],
    [
      "cluster: {kind: eks, vpc: {cidr: 7}}",
      "cluster.vpc.cidr: found 7; allowed: a private IPv4 block, such as 10.0.0.0/16",
    ],
    [
      "cluster: {kind: eks, nodeGroups: [{name: a, taints: [{key: a, value: 7, effect: PreferNoSchedule}]}]}",
      "cluster.nodeGroups[0].taints[0].value: found 7; allowed: text in quotes: up to 63 letters, digits, '-', '_' and '.'",
    ],
    ["teams: [{name: ts, quota: {requests.cpu: 2}}]", `teams[0].quota["requests.cpu"]: found 2; allowed: ${CORES}`],
    [
      "teams: [{name: ts, limits: {cpuRequest: 64Mi, memoryLimit: 512m}}]",
      `teams[0].limits.cpuRequest: found "64Mi"; allowed: ${CORES}`,
      `teams[0].limits.memoryLimit: found "512m"; allowed: ${BYTES}`,
    ],
    // Numbers
    ["curlPod: {lifetime: 5}", `curlPod.lifetime: found 5; allowed: ${LIFETIME}`],
    ["curlPod: {lifetime: 1e9}", `curlPod.lifetime: found 1000000000; allowed: ${LIFETIME}`],
    ['curlPod: {lifetime: "3600"}', `curlPod.lifetime: found "3600"; allowed: ${LIFETIME}`],
    ["curlPod: {lifetime: Infinity}", `curlPod.lifetime: found "Infinity"; allowed: ${LIFETIME}`],
    ["curlPod: {ndots: 16}", "curlPod.ndots: found 16; allowed: a whole number from 1 to 15"],
    ["curlPod: {ndots: 2.5}", "curlPod.ndots: found 2.5; allowed: a whole number from 1 to 15"],
    ["dns: {replicas: 0}", "dns.replicas: found 0; allowed: a whole number from 1 to 1000"],
    [
      "dns: {clusterSize: {nodes: many, pods: 1, services: 1}}",
      'dns.clusterSize.nodes: found "many"; allowed: a whole number from 1',
    ],
    ["cluster: {kind: eks, vpc: {zones: 9}}", `cluster.vpc.zones: found 9; allowed: ${ZONES}`],
    ["cluster: {kind: eks, vpc: {zones: two}}", `cluster.vpc.zones: found "two"; allowed: ${ZONES}`],
    ["teams: [{name: ts, quota: {pods: 0}}]", "teams[0].quota.pods: found 0; allowed: a whole number from 1"],
    // Lengths
    ["teams: [{name: ts, members: ['']}]", 'teams[0].members[0]: found ""; allowed: text whose length is at least 1'],
    [
      "dns: {corefile: {options: {hosts: {entries: [{address: 10.0.0.1, names: []}]}}}}",
      "dns.corefile.options.hosts.entries[0].names: found []; allowed: a list whose length is at least 1",
    ],
    // What contradicts
    [
      "teams: [{name: ts, limits: {memoryRequest: 256Mi, memoryLimit: 0.2G}}]",
      'teams[0].limits.memoryRequest: found "256Mi"; allowed: at most memoryLimit, 0.2G, and it is 256Mi: Kubernetes refuses such a LimitRange',
    ],
    [
      "teams: [{name: ts, limits: {maxMemory: 100Mi}}]",
      "teams[0].limits.memoryLimit: not set; allowed: at most maxMemory, 100Mi, and it is 128Mi: Kubernetes refuses such a LimitRange",
    ],
    [
      "logging: {resources: {memory: 1Gi}}",
      'logging.resources.memory: found "1Gi"; allowed: at most memoryLimit, 512Mi, and it is 1Gi: Kubernetes refuses such a pod',
    ],
    [
      "logging: {resources: {memoryLimit: 32Mi}}",
      "logging.resources.memory: not set; allowed: at most memoryLimit, 32Mi, and it is 64Mi: Kubernetes refuses such a pod",
    ],
    [
      "dns: {resources: {requests: {cpu: '2', memory: 1Gi}, limits: {cpu: '1'}}}",
      'dns.resources.requests.cpu: found "2"; allowed: at most resources.limits.cpu, 1, and it is 2: Kubernetes refuses such a pod',
      'dns.resources.requests.memory: found "1Gi"; allowed: at most resources.limits.memory, 170Mi, and it is 1Gi: Kubernetes refuses such a pod',
    ],
    [
      "teams: [{name: ts}, {name: sa, quota: {requests.cpu: 10m, limits.memory: 100Mi}, limits: {memoryLimit: 32Mi, maxMemory: 32Mi}}]",
      'teams[1].quota["requests.cpu"]: found "10m"; allowed: at least 20m, for the lab\'s own pod',
      'teams[1].quota["limits.memory"]: found "100Mi"; allowed: at least 128Mi, for the lab\'s own pod',
      'teams[1].limits.maxMemory: found "32Mi"; allowed: at least 64Mi, for a container of the lab\'s own pod',
    ],
    [
      JSON.stringify({
        logging: { carrier: "sidecar" },
        teams: [{ name: "ts", quota: { "requests.cpu": "60m" }, limits: { maxMemory: "256Mi" } }],
      }),
      'teams[0].quota["requests.cpu"]: found "60m"; allowed: at least 70m, for the lab\'s own pod',
      'teams[0].limits.maxMemory: found "256Mi"; allowed: at least 512Mi, for a container of the lab\'s own pod',
    ],
    // Names
    [
      "logging: {namespaces: {include: [Kube_System, logging, ts-team], exclude: [ts-team]}}",
      "logging.namespaces.include[0]: found \"Kube_System\"; allowed: a namespace's name: up to 63 lower-case letters, digits and '-'",
    ],
    [
      "logging: {namespaces: {include: [kube-system, logging, ts-team], exclude: [ts-team]}}",
      'logging.namespaces.include[1]: found "logging"; allowed: another namespace than the collector\'s own, which is never read',
      'logging.namespaces.include[2]: found "ts-team"; allowed: a namespace that is not among exclude',
    ],
    [
      "logging: {labels: {app: 5, a/b/c: x}}",
      "logging.labels.app: found 5; allowed: a label's value in quotes: 1 to 63 letters, digits, '-', '_' and '.'",
      'logging.labels["a/b/c"]: found "a/b/c"; allowed: as a key a label\'s key, such as app or app.kubernetes.io/name',
    ],
    [
      `teams: [{name: ts, labels: {${"a".repeat(64)}: x, a..b/c: x}}]`,
      `teams[0].labels.${"a".repeat(64)}: found "${"a".repeat(64)}"; allowed: as a key a Kubernetes label key`,
      'teams[0].labels["a..b/c"]: found "a..b/c"; allowed: as a key a Kubernetes label key',
    ],
    [
      "teams: [{name: ts-}]",
      "teams[0].name: found \"ts-\"; allowed: lower-case letters, digits and '-', starting with a letter and not ending with '-'",
    ],
    // Beside another issue of the same section
    [
      "logging: {collector: promtail, buffer: {size: 4G}, lables: {a: b}}",
      "logging.buffer.size: found \"4G\"; allowed: a size in Mi or Gi, such as '512Mi' or '2Gi'",
      'logging.lables: found {"a":"b"}; allowed: the keys collector, carrier, sidecar, destination, index, namespaces, labels, multiline, parseJson, metadata, buffer, resources, image',
      'logging.destination.kind: found "stdout"; allowed: loki for Promtail: Promtail sends to Loki alone',
    ],
    [
      "dns: {replicas: 0, corefile: {options: {lameduck: 26s}}}",
      "dns.replicas: found 0; allowed: a whole number from 1 to 1000",
      'dns.corefile.options.lameduck: found "26s"; allowed: at most 25s: the add-on\'s pods are killed after 30 s',
    ],
    [
      "dns: {corefile: {text: '.:53 {'}}",
      'dns.corefile.text: found "1 line"; allowed: a Corefile; line 1: the text ends before a closing brace',
    ],
    [
      'dns: {corefile: {text: ".:53 {\\n errors\\n"}}',
      'dns.corefile.text: found "2 lines"; allowed: a Corefile; line 2: the text ends before a closing brace',
    ],
    // One on which the others hang hides what it would make wrong
    [
      "logging: {collector: promtial, labels: [a]}",
      'logging.collector: found "promtial"; allowed: fluent-bit, fluentd, filebeat, vector, promtail, logagent, tail, opentelemetry',
      'logging.labels: found ["a"]; allowed: a group of keys',
    ],
    // What must not be shown, nor stand in a ConfigMap
    [
      "logging: {destination: {kind: http, url: 'https://me:hunter2@logs.example.com/in'}}",
      'logging.destination.url: found "https://…@logs.example.com/in"; allowed: a URL without user and password, which belong in credentials',
    ],
    [
      "logging: {destination: {kind: opensearch, host: a.example, credentials: {secretName: a, password: hunter2}}}",
      'logging.destination.credentials.password: found "(not shown)"; allowed: the keys secretName, usernameKey, passwordKey',
    ],
    [
      "logging: {destination: {kind: loki, url: 'http://loki:3100', credentials: [{password: hunter2}]}}",
      'logging.destination.credentials: found [{"password":"(not shown)"}]; allowed: a group of keys: secretName, usernameKey, passwordKey',
    ],
    [
      "logging: {destination: {kind: loki, url: 'http://loki:3100/loki/api/v1/push'}}",
      'logging.destination.url: found "http://loki:3100/loki/api/v1/push"; allowed: a URL without a path, such as http://loki.monitoring.svc:3100: each collector adds its own',
    ],
  ];
  for (const [settings, ...lines] of cases) {
    it(`names it, its value and all that is allowed: ${settings}`, () => assert.deepEqual(saidOf(settings), lines));
  }

  it("is nothing where it is right, at its bounds too", () => {
    const right = [
      "curlPod: {lifetime: 60}",
      "curlPod: {lifetime: 31536000}",
      "curlPod: {lifetime: infinity}",
      "curlPod: {ndots: 15}",
      "teams: [{name: ts, limits: {memoryRequest: 1Gi, memoryLimit: 1024Mi, maxMemory: 2G}}]",
      "logging: {destination: {kind: loki, url: 'https://loki.example.com/'}}",
      "logging: {destination: {kind: http, url: 'https://logs.example.com/in?to=me@example.com'}}",
      "kubernetes:cluster: kind-lab",
      JSON.stringify({ ...EKS, curlPod: {} }),
    ];
    assert.deepEqual(right.flatMap(saidOf), []);
  });
});
