import assert from "node:assert/strict";
import { parse } from "yaml";
import { formatIssue, SettingsError } from "../../components/schema/errors.ts";
import { parseSettings } from "../../components/settings.ts";
import { planStack } from "../../lab/plan/plan.ts";

/** Errors, or else warnings, of a configuration in YAML. */
function issuesOf(text: string, region = "eu-central-1"): string[] {
  const settings: Record<string, unknown> = parse(text);
  const config = Object.entries(settings).map(([key, value]) => [`eks-dns-logging:${key}`, JSON.stringify(value)]);
  try {
    return parseSettings({ "aws:region": region, ...Object.fromEntries(config) }).warnings.map(formatIssue);
  } catch (error) {
    assert.ok(error instanceof SettingsError, String(error));
    return error.issues.map(formatIssue);
  }
}

/** The node group of a cluster whose other nodes Karpenter makes. */
const SYSTEM = "{name: system, taints: [{key: CriticalAddonsOnly, value: 'true', effect: NoSchedule}]}";
const SELECTOR = "nodeSelector: {component: backend}";
const TOLERATIONS = "tolerations: [{key: dedicated, operator: Equal, value: backend, effect: NoSchedule}]";
const BACKEND =
  "{name: backend, labels: {component: backend}, taints: [{key: dedicated, value: backend, effect: NoSchedule}]}";
/** An affinity that requires a label of the node. */
const requires = (expression: string) =>
  `{nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [${expression}]}]}}}`;
/** An affinity by which no two CoreDNS pods share a place. */
const apart = (topologyKey: string) =>
  `{podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: {matchLabels: {k8s-app: kube-dns}}, topologyKey: ${topologyKey}}]}}`;
const APART = apart("kubernetes.io/hostname");
const APART_BY_ZONE = apart("topology.kubernetes.io/zone");

describe("DNS settings without effect", () => {
  it("are warnings on an existing cluster, together", () => {
    assert.deepEqual(
      issuesOf("{cluster: {kind: existing}, dns: {replicas: 3, tolerations: [], corefile: {profile: tuned}}}"),
      [
        "dns.replicas: has no effect on an existing cluster without dns.adopt: this stack does not manage its CoreDNS",
        "dns.tolerations: has no effect on an existing cluster without dns.adopt: this stack does not manage its CoreDNS",
        "dns.corefile: is only rendered with cluster.kind existing, unless dns.adopt is set: apply the Corefile that `lab plan --manifests` writes to the cluster's CoreDNS",
      ],
    );
  });

  it("are none where they have one", () => {
    assert.deepEqual(issuesOf("{cluster: {kind: existing}}"), []);
    assert.deepEqual(issuesOf("{cluster: {kind: existing}, dns: {clusterDns: [172.20.0.10]}}"), []);
    assert.deepEqual(issuesOf("{cluster: {kind: eks}, dns: {replicas: 3, corefile: {profile: tuned}}}"), []);
  });
});

describe("The addresses of DNS in a new cluster", () => {
  const dnsOf = (clusterDns: string, vpc = "") =>
    issuesOf(`{cluster: {kind: eks${vpc}}, dns: {nodeLocalCache: {}, clusterDns: ${clusterDns}}}`);

  it("include one that EKS gives to kube-dns", () => {
    assert.deepEqual(dnsOf("[172.20.0.10]"), []);
    assert.deepEqual(dnsOf("[10.100.0.10]"), []);
    assert.deepEqual(dnsOf("[10.96.0.10]"), [
      'dns.clusterDns: must include 10.100.0.10 or 172.20.0.10, which EKS gives to kube-dns in a new cluster (found ["10.96.0.10"])',
    ]);
    assert.deepEqual(dnsOf("[172.20.0.10]", ", vpc: {cidr: 172.20.0.0/16}"), [
      'dns.clusterDns: must include 10.100.0.10, which EKS gives to kube-dns in a new cluster (found ["172.20.0.10"])',
    ]);
  });
});

describe("The address of DNS in a cluster of one IP family", () => {
  const dnsOf = (cluster: string, clusterDns: string) =>
    issuesOf(`{cluster: ${cluster}, dns: {clusterDns: ${clusterDns}}}`);
  const must = (family: string, ipFamily: string, found: string) =>
    `dns.clusterDns: must include an ${family} address, which kube-dns has with cluster.ipFamily ${ipFamily} (found ["${found}"])`;

  it("is of that family", () => {
    const v6 = "{kind: eks-existing, name: prod, kubernetesVersion: '1.35', ipFamily: ipv6}";
    assert.deepEqual(dnsOf(v6, "['fd12:3456::a']"), []);
    assert.deepEqual(dnsOf(v6, "[169.254.20.10, 'fd12:3456::a']"), []);
    assert.deepEqual(dnsOf(v6, "[172.20.0.10]"), [must("IPv6", "ipv6", "172.20.0.10")]);
    const v4 = "{kind: eks-existing, name: prod, kubernetesVersion: '1.35'}";
    assert.deepEqual(dnsOf(v4, "[172.20.0.10]"), []);
    assert.deepEqual(dnsOf(v4, "['fd12:3456::a']"), [must("IPv4", "ipv4", "fd12:3456::a")]);
    // Which addresses a new cluster can have is told by its VPC.
    const vpc = "cluster.vpc.cidr: ";
    const found = dnsOf("{kind: eks, vpc: {cidr: ten}}", "[192.0.2.10]");
    assert.deepEqual(
      found.filter((issue) => !issue.startsWith(vpc)),
      [],
    );
    assert.equal(found.length, 1);
    assert.deepEqual(dnsOf("{kind: existing, ipFamily: v6}", "['fd12:3456::a']"), [
      'cluster.ipFamily: must be one of ipv4, ipv6 (found "v6")',
    ]);
    assert.deepEqual(dnsOf("{kind: existing, ipFamily: ipv6}", "[10.96.0.10]"), [must("IPv6", "ipv6", "10.96.0.10")]);
  });
});

describe("A region", () => {
  it("has a direction that AWS names regions by", () => {
    for (const region of ["ap-southeast-7", "cn-northwest-1", "us-gov-west-1", "mx-central-1", "ca-west-1"])
      assert.deepEqual(issuesOf("{cluster: {kind: eks}}", region), [], region);
    for (const region of ["eu-centrall-1", "eu-central-1a", "us-est-1", "eu-gov-1", "eu"])
      assert.deepEqual(issuesOf("{cluster: {kind: eks}}", region), [
        `aws:region: must be an AWS region, such as eu-central-1 (found "${region}")`,
      ]);
  });
});

describe("A Corefile that reads zones of Route 53", () => {
  const COREFILE =
    ".:53 {\\n health\\n ready\\n kubernetes cluster.local\\n route53 corp.example.com.:Z0123456789ABC\\n forward . 10.0.0.2\\n}\\n";
  const errorsOn = (cluster: string) =>
    issuesOf(`{cluster: ${cluster}, dns: {corefile: {text: "${COREFILE}"}}}`).filter((issue) =>
      issue.includes("no credentials for Route 53"),
    );

  it("is refused on a cluster of this stack, and not where its owner may have given CoreDNS a role", () => {
    assert.equal(errorsOn("{kind: eks, version: '1.35'}").length, 1);
    assert.deepEqual(errorsOn("{kind: eks-existing, name: prod, kubernetesVersion: '1.35'}"), []);
  });
});

describe("Nodes for CoreDNS and the curl pods", () => {
  const wrong: readonly (readonly [settings: string, issue: string])[] = [
    [
      "{cluster: {kind: eks}, dns: {computeType: Fargate}}",
      'dns.computeType: must not be Fargate, since this stack creates no Fargate profile (found "Fargate")',
    ],
    [
      `{cluster: {kind: eks}, dns: {${SELECTOR}}}`,
      'dns.nodeSelector: must match the labels of a node group, or CoreDNS stays pending and its add-on fails after 20 minutes (found {"component":"backend"})',
    ],
    [
      "{cluster: {kind: eks}, dns: {nodeSelector: {kubernetes.io/arch: amd64}}}",
      'dns.nodeSelector: must match the labels of a node group, or CoreDNS stays pending and its add-on fails after 20 minutes (found {"kubernetes.io/arch":"amd64"})',
    ],
    [
      `{cluster: {kind: eks, nodeGroups: [{name: default}, ${BACKEND}]}, dns: {${SELECTOR}, tolerations: []}}`,
      "dns.tolerations: must tolerate the taints of backend, or CoreDNS stays pending and its add-on fails after 20 minutes (found [])",
    ],
    [
      "{cluster: {kind: eks, nodeGroups: [{name: general, minSize: 0, maxSize: 5}]}}",
      "cluster.nodeGroups: minSize or desiredSize of general must be at least 1 for CoreDNS, or its add-on fails after 20 minutes",
    ],
    [
      `{cluster: {kind: eks, nodeGroups: [{name: default, minSize: 0}, ${BACKEND}]}, dns: {${SELECTOR}, ${TOLERATIONS}}}`,
      "cluster.nodeGroups: minSize or desiredSize of default must be at least 1 for the curl pods, or the deployment times out",
    ],
    [
      "{cluster: {kind: eks}, dns: {nodeSelector: {topology.kubernetes.io/zone: us-east-1a}}}",
      'dns.nodeSelector: must match the labels of a node group, or CoreDNS stays pending and its add-on fails after 20 minutes (found {"topology.kubernetes.io/zone":"us-east-1a"})',
    ],
    [
      "{cluster: {kind: eks, nodeGroups: [{name: a, taints: [{key: b, effect: NoSchedule}]}]}}",
      "cluster.nodeGroups: must have at least one group without NoSchedule and NoExecute taints, for the curl pods",
    ],
    [
      `{cluster: {kind: eks, nodeGroups: [${SYSTEM}]}, curlPods: false, logging: {sources: [pods, events], destination: {kind: opensearch, inCluster: true}}}`,
      "cluster.nodeGroups: must have at least one group without NoSchedule and NoExecute taints, for the event reader and the in-cluster OpenSearch",
    ],
    [
      `{cluster: {kind: eks, nodeGroups: [${BACKEND}]}, curlPods: false}`,
      'dns.tolerations: must tolerate the taints of backend, or CoreDNS stays pending and its add-on fails after 20 minutes (found [{"key":"CriticalAddonsOnly","operator":"Exists"},{"key":"node-role.kubernete…)',
    ],
    ...["{key: kubernetes.io/arch, operator: In, values: [amd64]}", "{key: role, operator: Exists}"].map(
      (expression): readonly [string, string] => [
        `{cluster: {kind: eks}, dns: {affinity: ${requires(expression)}}}`,
        `dns.affinity: must match the labels of default by its required nodeAffinity, or CoreDNS stays pending and its add-on fails after 20 minutes (found ${JSON.stringify(parse(requires(expression))).slice(0, 77)}…)`,
      ],
    ),
    [
      "{cluster: {kind: eks}, dns: {topologySpread: [{topologyKey: topology.kubernetes.io/zon, whenUnsatisfiable: DoNotSchedule}]}}",
      'dns.topologySpread[0].topologyKey: must be a label of default with DoNotSchedule, or CoreDNS stays pending and its add-on fails after 20 minutes (found "topology.kubernetes.io/zon")',
    ],
    [
      `{cluster: {kind: eks}, dns: {replicas: 4, affinity: ${APART}}}`,
      "dns.replicas: 4 CoreDNS pods must not exceed the 3 nodes of default (maxSize), since the required podAntiAffinity allows one per node",
    ],
    ...[
      "node-role.kubernetes.io/control-plane: ''",
      "eks.amazonaws.com/compute-type: auto",
      "eks.amazonaws.com/compute-type: fargate",
      "karpenter.sh/nodepool: system",
    ].map((label): readonly [string, string] => [
      `{cluster: {kind: eks}, dns: {nodeSelector: {${label}}}}`,
      `dns.nodeSelector: must match the labels of a node group, or CoreDNS stays pending and its add-on fails after 20 minutes (found ${JSON.stringify(parse(`{${label}}`))})`,
    ]),
    [
      "{cluster: {kind: eks, nodeGroups: [{name: core}]}, dns: {nodeSelector: {eks.amazonaws.com/nodegroup: core}}}",
      'dns.nodeSelector["eks.amazonaws.com/nodegroup"]: must be omitted, since the name that AWS gives to a group ends in random characters: select a label of cluster.nodeGroups[].labels (found "core")',
    ],
    [
      `{cluster: {kind: eks, nodeGroups: [{name: a, maxSize: 9}]}, dns: {replicas: 3, affinity: ${APART_BY_ZONE}}}`,
      "dns.replicas: 3 CoreDNS pods must not exceed the 2 zones of cluster.vpc, since the required podAntiAffinity allows one per zone",
    ],
    [
      `{cluster: {kind: eks, existingVpc: {id: vpc-01234567, privateSubnetIds: [subnet-01234567, subnet-89abcdef]}}, dns: {autoscaling: {minReplicas: 3}, affinity: ${APART_BY_ZONE}}}`,
      "dns.autoscaling: 3 CoreDNS pods must not exceed the 2 subnets of cluster.existingVpc, since the required podAntiAffinity allows one per zone",
    ],
    [
      "{cluster: {kind: eks}, dns: {resources: {requests: {cpu: '2'}}}}",
      'dns.resources.requests.cpu: must be less than the 2 cores of t4g.medium in default, or CoreDNS stays pending and its add-on fails after 20 minutes (found "2")',
    ],
    [
      "{cluster: {kind: eks}, dns: {resources: {requests: {memory: 4Gi}, limits: {memory: 4Gi}}}}",
      'dns.resources.requests.memory: must be less than the 4 GiB of t4g.medium in default, or CoreDNS stays pending and its add-on fails after 20 minutes (found "4Gi")',
    ],
    [
      "{cluster: {kind: eks, nodeGroups: [{name: a, architecture: amd64, instanceTypes: [t3.small, t3a.medium]}]}, dns: {resources: {requests: {memory: 4Gi}, limits: {memory: 4Gi}}}}",
      'dns.resources.requests.memory: must be less than the 4 GiB of t3.small or t3a.medium in a, or CoreDNS stays pending and its add-on fails after 20 minutes (found "4Gi")',
    ],
  ];
  for (const [settings, issue] of wrong) {
    it(`are missed in ${settings}`, () => assert.deepEqual(issuesOf(settings), [issue]));
  }

  it("may all have taints that CoreDNS tolerates, where nothing else needs others", () => {
    for (const settings of [
      `{cluster: {kind: eks, nodeGroups: [${SYSTEM}]}, curlPods: false}`,
      `{cluster: {kind: eks, nodeGroups: [${SYSTEM}]}, teams: [{name: pay, namespaces: [{name: payments}]}]}`,
      `{cluster: {kind: eks, nodeGroups: [${BACKEND}]}, curlPods: false, dns: {${TOLERATIONS}}}`,
      `{cluster: {kind: eks, nodeGroups: [{name: default, minSize: 0}, ${SYSTEM}]}, curlPods: false, dns: {nodeSelector: {}, affinity: ${requires("{key: role, operator: DoesNotExist}")}}}`,
    ])
      assert.deepEqual(issuesOf(settings), [], settings);
    // A reader of events runs beside collectors on nodes alone, and is an error of its own beside sidecars.
    const sidecars = "logging: {mode: sidecar, sources: [pods, events], destination: {kind: stdout}}";
    assert.deepEqual(issuesOf(`{cluster: {kind: eks, nodeGroups: [${SYSTEM}]}, ${sidecars}}`), [
      'logging.sources: must be only pods with mode sidecar, which reads the files of one pod (found ["pods","events"])',
      "cluster.nodeGroups: must have at least one group without NoSchedule and NoExecute taints, for the curl pods",
    ]);
    // What the stack says of a CoreDNS that it does not make places none.
    const unmanaged = "dns: {adopt: {manage: false}}";
    assert.deepEqual(issuesOf(`{cluster: {kind: eks, nodeGroups: [${BACKEND}]}, curlPods: false, ${unmanaged}}`), [
      "dns.adopt.manage: false leaves a new cluster without CoreDNS: pods resolve no names until it is installed",
    ]);
    // A team with an issue of its own may have a curl pod.
    assert.deepEqual(
      issuesOf(`{cluster: {kind: eks, nodeGroups: [${SYSTEM}]}, teams: [{name: Shop}]}`).filter((issue) =>
        issue.startsWith("cluster."),
      ),
      ["cluster.nodeGroups: must have at least one group without NoSchedule and NoExecute taints, for the curl pods"],
    );
    // Without CoreDNS too, whose add-on is then somebody else's.
    assert.deepEqual(issuesOf(`{cluster: {kind: eks, nodeGroups: [${BACKEND}]}, curlPods: false, dns: false}`), [
      "dns: false leaves a new cluster without CoreDNS: pods resolve no names until it is installed",
    ]);
    assert.deepEqual(issuesOf(`{cluster: {kind: eks, nodeGroups: [${BACKEND}]}, dns: false}`), [
      "cluster.nodeGroups: must have at least one group without NoSchedule and NoExecute taints, for the curl pods",
    ]);
  });

  it("are found by labels of one's own, of EKS and of the kubelet, and by a desired size", () => {
    for (const settings of [
      `{cluster: {kind: eks, nodeGroups: [{name: default}, ${BACKEND}]}, dns: {${SELECTOR}, ${TOLERATIONS}}}`,
      "{cluster: {kind: eks}, dns: {nodeSelector: {kubernetes.io/os: linux, kubernetes.io/arch: arm64}}}",
      "{cluster: {kind: eks}, dns: {nodeSelector: {topology.kubernetes.io/zone: eu-central-1a}}}",
      "{cluster: {kind: eks, nodeGroups: [{name: default, minSize: 0, desiredSize: 1}]}}",
      "{cluster: {kind: eks, vpc: {zones: [eu-central-1a, eu-central-1c]}}, dns: {nodeSelector: {topology.kubernetes.io/zone: eu-central-1c}}}",
      `{cluster: {kind: eks}, dns: {replicas: 3, affinity: ${APART}}}`,
      `{cluster: {kind: eks, vpc: {zones: 3}}, dns: {replicas: 3, affinity: ${APART_BY_ZONE}}}`,
      "{cluster: {kind: eks}, dns: {nodeSelector: {eks.amazonaws.com/nodegroup: cluster-nodes-default-0a1b2c3}}}",
      "{cluster: {kind: eks, nodeGroups: [{name: a, instanceTypes: [t4g.medium, m7g.xlarge]}]}, dns: {resources: {requests: {cpu: '3', memory: 5Gi}, limits: {memory: 5Gi}}}}",
      "{cluster: {kind: eks, nodeGroups: [{name: a, architecture: amd64, instanceTypes: [c1.xlarge]}]}, dns: {resources: {requests: {cpu: '6'}}}}",
      ...[
        "{key: kubernetes.io/arch, operator: In, values: [amd64, arm64]}",
        "{key: role, operator: DoesNotExist}",
        "{key: topology.kubernetes.io/zone, operator: NotIn, values: [eu-central-1a]}",
        "{key: eks.amazonaws.com/nodegroup, operator: Exists}",
      ].map((expression) => `{cluster: {kind: eks}, dns: {affinity: ${requires(expression)}}}`),
      "{cluster: {kind: eks}, dns: {topologySpread: [{topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule}]}}",
      "{cluster: {kind: eks}, dns: {topologySpread: [{topologyKey: topology.kubernetes.io/rack}]}}",
      "{cluster: {kind: eks, nodeGroups: [{name: a, taints: [{key: x, effect: PreferNoSchedule}]}]}}",
    ]) {
      assert.deepEqual(issuesOf(settings), [], settings);
    }
  });
});

describe("A collector on nodes of several sizes", () => {
  const NODES = "{kind: eks, nodeGroups: [{name: small}, {name: large, instanceTypes: [m7g.xlarge]}]}";
  const requesting = (resources: string, more = "") =>
    issuesOf(`{cluster: ${NODES}, logging: {resources: {${resources}}${more}}}`);
  const SIDECAR = ", mode: sidecar";

  it("has requests that an instance of each group has, and of any as a sidecar", () => {
    assert.deepEqual(requesting("cpu: 1500m, memory: 3Gi, memoryLimit: 3Gi"), []);
    assert.deepEqual(requesting("cpu: '2', memory: 4Gi, memoryLimit: 4Gi"), [
      'logging.resources.cpu: must be less than the 2 cores of t4g.medium in small, or the collector stays pending there (found "2")',
      'logging.resources.memory: must be less than the 4 GiB of t4g.medium in small, or the collector stays pending there (found "4Gi")',
    ]);
    const found = (cpu: string) => requesting(`cpu: '${cpu}'`, SIDECAR).filter((issue) => issue.includes(".cpu:"));
    assert.deepEqual(found("3"), []);
    assert.deepEqual(found("4"), [
      'logging.resources.cpu: must be less than the 4 cores of t4g.medium or m7g.xlarge in small or large, or the collector stays pending there (found "4")',
    ]);
  });
});

describe("A region of another partition", () => {
  it("is refused where the program does not know all of its names", () => {
    for (const [region, partition] of [
      ["us-iso-east-1", "aws-iso"],
      ["eusc-de-east-1", "aws-eusc"],
    ]) {
      assert.deepEqual(issuesOf("{cluster: {kind: eks}}", region), [
        `aws:region: must be a region of aws, aws-cn, aws-us-gov, since partition ${partition} is not supported (found "${region}")`,
      ]);
    }
    assert.deepEqual(issuesOf("{cluster: {kind: eks}}", "cn-north-1"), []);
  });
});

describe("The plan of a stack with warnings", () => {
  it("leaves it to the command to print them, so that each is told once", async () => {
    const { warn, error } = console;
    const printed: unknown[] = [];
    console.warn = console.error = (...words) => printed.push(words);
    try {
      const config = { "eks-dns-logging:cluster": '{"kind":"existing"}', "eks-dns-logging:dns": '{"replicas":3}' };
      await planStack({ name: "warned", config });
    } finally {
      Object.assign(console, { warn, error });
    }
    assert.deepEqual(printed, []);
  });
});
