import assert from "node:assert/strict";
import { parse } from "yaml";
import { type Recording, UNKNOWN } from "../lab/plan/recording.ts";
import { readStack } from "../lab/stack-file.ts";
import { find, ofType } from "./support/find.ts";
import { planOnce } from "./support/plans.ts";

const types = (recording: Recording) => new Set(recording.resources.map((resource) => resource.type));

/** Names of all that a resource waits for, directly or through others. */
function waitsFor(recording: Recording, name: string, type: string): Set<string> {
  const byUrn = new Map(recording.resources.map((resource) => [resource.urn, resource]));
  const seen = new Set<string>();
  const walk = (urn: string) => {
    for (const dependency of byUrn.get(urn)?.dependencies ?? []) {
      const resource = byUrn.get(dependency);
      if (resource === undefined || seen.has(`${resource.type} ${resource.name}`)) continue;
      seen.add(`${resource.type} ${resource.name}`);
      walk(dependency);
    }
  };
  walk(find(recording.resources, type, name).urn);
  return seen;
}

describe("the stack dev", () => {
  let recording: Recording;
  before(async () => {
    recording = await planOnce(await readStack("dev"));
  });

  it("plans the cluster, the add-on, both teams and the DaemonSet", () => {
    const found = types(recording);
    for (const type of [
      "eks:index:Cluster",
      "aws:eks/addon:Addon",
      "aws:eks/nodeGroup:NodeGroup",
      "kubernetes:apps/v1:DaemonSet",
    ]) {
      assert.ok(found.has(type), type);
    }
    const namespaces = ofType(recording.resources, "kubernetes:core/v1:Namespace")
      .map(({ name }) => name)
      .sort();
    assert.deepEqual(namespaces, ["logs-namespace", "sa-namespace", "ts-namespace"]);
    assert.deepEqual(
      ofType(recording.resources, "kubernetes:core/v1:Pod")
        .map(({ name }) => name)
        .sort(),
      ["sa-curl-pod", "ts-curl-pod"],
    );
    assert.deepEqual(
      ofType(recording.resources, "kubernetes:core/v1:Service")
        .map(({ name }) => name)
        .sort(),
      ["sa-curl-service", "ts-curl-service"],
    );
  });

  it("makes network, add-ons, nodes, CoreDNS and pods in the order in which each can work", () => {
    const nodes = waitsFor(recording, "cluster-nodes-default", "aws:eks/nodeGroup:NodeGroup");
    for (const addon of ["cluster-vpc-cni", "cluster-kube-proxy", "cluster-eks-pod-identity-agent"]) {
      assert.ok(nodes.has(`aws:eks/addon:Addon ${addon}`), addon);
    }
    assert.ok(nodes.has("eks:index:Cluster cluster"));
    assert.ok(
      waitsFor(recording, "cluster", "eks:index:Cluster").has(
        "aws:cloudwatch/logGroup:LogGroup cluster-control-plane-logs",
      ),
    );
    for (const [type, name] of [
      ["aws:eks/addon:Addon", "coredns-addon"],
      ["kubernetes:core/v1:Namespace", "ts-namespace"],
      ["kubernetes:apps/v1:DaemonSet", "logs-fluent-bit-daemonset"],
    ] as const) {
      assert.ok(waitsFor(recording, name, type).has("aws:eks/nodeGroup:NodeGroup cluster-nodes-default"), name);
    }
    assert.ok(
      waitsFor(recording, "logs-fluent-bit-daemonset", "kubernetes:apps/v1:DaemonSet").has(
        "aws:eks/podIdentityAssociation:PodIdentityAssociation logs-identity",
      ),
    );
  });

  it("makes every Kubernetes object by the cluster's provider", () => {
    const provider = find(recording.resources, "pulumi:providers:kubernetes", "cluster-kubernetes");
    const objects = recording.resources.filter(({ type }) => type.startsWith("kubernetes:"));
    assert.equal(objects.length, 28);
    for (const object of objects) assert.ok(object.provider.startsWith(`${provider.urn}::`), object.name);
  });

  it("keeps the kubeconfig secret, and pins what the provider takes for the same cluster", () => {
    const provider = find(recording.resources, "pulumi:providers:kubernetes", "cluster-kubernetes");
    assert.deepEqual(provider.secrets, ["kubeconfig"]);
    assert.equal(provider.inputs.kubeconfig, UNKNOWN);
    assert.equal(provider.inputs.clusterIdentifier, "eu-central-1/eks-dns-logging-dev");
    assert.deepEqual(recording.secretOutputs, ["kubeconfig"]);
  });

  it("lets the collector write to its own log group alone", () => {
    const { policy } = find(recording.resources, "aws:iam/rolePolicy:RolePolicy", "logs-identity").inputs;
    assert.deepEqual(JSON.parse(String(policy)).Statement, [
      {
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Effect: "Allow",
        Resource: ["arn:aws:logs:eu-central-1:123456789012:log-group:/eks-dns-logging/eks-dns-logging-dev/pods:*"],
        Sid: "WriteLines",
      },
    ]);
  });

  it("tells the names, the pods, where the logs go and how to prove it", () => {
    const { dnsNames, namespaces, pods, logDestination, verify } = recording.outputs;
    assert.deepEqual(dnsNames, [
      "curl-ts.ts-team",
      "curl-ts.ts-team.svc.cluster.local",
      "curl-sa.sa-team",
      "curl-sa.sa-team.svc.cluster.local",
    ]);
    assert.deepEqual(namespaces, ["ts-team", "sa-team"]);
    assert.deepEqual(pods, ["curl-ts", "curl-sa"]);
    assert.equal(logDestination, "log group /eks-dns-logging/eks-dns-logging-dev/pods of CloudWatch Logs");
    assert.equal(
      verify,
      "aws eks update-kubeconfig --name eks-dns-logging-dev --region eu-central-1 && npm run verify -- --stack dev",
    );
  });
});

describe("deletionProtection", () => {
  const plan = async (deletionProtection: boolean) => {
    const { config } = await readStack("dev");
    const key = "eks-dns-logging:cluster";
    const cluster = JSON.stringify({ ...JSON.parse(config[key] ?? ""), deletionProtection });
    return (await planOnce({ name: "dev", config: { ...config, [key]: cluster } })).resources;
  };

  it("is a protected resource that depends on every other one, so that a destroy stops there first", async () => {
    const resources = await plan(true);
    const guard = find(resources, "eks-dns-logging:cluster:DeletionProtection", "deletion-protection");
    assert.equal(guard.protect, true);
    assert.deepEqual(
      resources.filter(({ custom, urn }) => custom && !guard.dependencies.includes(urn)).map(({ name }) => name),
      [],
    );
    assert.deepEqual(
      resources.filter(({ dependencies }) => dependencies.includes(guard.urn)),
      [],
    );
  });

  it("adds nothing where it is off", async () => {
    const names = (await plan(false)).map(({ name }) => name);
    assert.ok(!names.includes("deletion-protection"));
  });
});

describe("the stack local", () => {
  it("makes nothing of AWS and nothing of CoreDNS", async () => {
    const { resources } = await planOnce(await readStack("local"));
    assert.deepEqual(
      resources.filter(({ type }) => /^(aws|eks):/.test(type)),
      [],
    );
    const dns = find(resources, "eks-dns-logging:dns:CoreDns", "coredns");
    assert.deepEqual(
      resources.filter(({ parent }) => parent === dns.urn),
      [],
    );
  });

  it("takes a third team by one line", async () => {
    const local = await readStack("local");
    const key = "eks-dns-logging:teams";
    const teams = [...parse(local.config[key] ?? ""), { name: "qa", peers: ["ts"] }];
    const three = await planOnce({ name: "three", config: { ...local.config, [key]: JSON.stringify(teams) } });
    const added = three.resources.filter(({ name }) => /^qa/.test(name));
    assert.equal(added.length, 13);
    const policy = find(three.resources, "kubernetes:networking.k8s.io/v1:NetworkPolicy", "ts-allow-peers");
    assert.match(
      JSON.stringify(policy.inputs.spec),
      /"from":\[\{"namespaceSelector":\{"matchLabels":\{"kubernetes.io\/metadata.name":"qa-team"\}\}\}/,
    );
  });

  it("lets teams ask the addresses that answer DNS on the nodes, as EKS Auto Mode does", async () => {
    const local = await readStack("local");
    const config = { ...local.config, "eks-dns-logging:dns": '{"clusterDns":["172.20.0.10"]}' };
    const { resources } = await planOnce({ name: "auto", config });
    const policy = find(resources, "kubernetes:networking.k8s.io/v1:NetworkPolicy", "ts-allow-dns");
    assert.match(JSON.stringify(policy.inputs.spec), /\{"ipBlock":\{"cidr":"172\.20\.0\.10\/32"\}\}/);
  });

  it("lets teams ask the CoreDNS that is adopted, by its labels", async () => {
    const local = await readStack("local");
    const dns = { adopt: { namespace: "dns", selector: { app: "own" } } };
    const config = { ...local.config, "eks-dns-logging:dns": JSON.stringify(dns) };
    const { resources } = await planOnce({ name: "adopted", config });
    const policy = find(resources, "kubernetes:networking.k8s.io/v1:NetworkPolicy", "ts-allow-dns");
    const peer = '{"matchLabels":{"kubernetes.io/metadata.name":"dns"}},"podSelector":{"matchLabels":{"app":"own"}}';
    assert.ok(JSON.stringify(policy.inputs.spec).includes(peer));
  });

  it("registers nothing when settings are wrong, and tells every issue", async () => {
    const local = await readStack("local");
    const wrong = {
      ...local.config,
      "eks-dns-logging:cluster": '{"kind":"existing","contxt":"kind"}',
      "eks-dns-logging:teams": '[{"name":"TS","peers":["nobody"],"quota":{"pods":"many"}}]',
      "eks-dns-logging:curlPod": '{"lifetime":"1h","image":"curlimages/curl:latest"}',
      "eks-dns-logging:logging":
        '{"collector":"rsyslog","index":{"prefix":"Logs","datePattern":"%Y"},"destination":{"kind":"syslog"}}',
      "eks-dns-logging:dns": '{"replicas":0}',
      "eks-dns-logging:typo": "1",
    };
    await assert.rejects(planOnce({ name: "wrong", config: wrong }), (error: Error) => {
      const paths = error.message
        .split("\n")
        .slice(1)
        .map((line) => line.trim().split(": ")[0]);
      assert.deepEqual(paths.sort(), [
        "cluster.contxt",
        "curlPod.image",
        "curlPod.lifetime",
        "dns.replicas",
        "logging.collector",
        "logging.destination.kind",
        "logging.index.datePattern",
        "logging.index.prefix",
        "teams[0].name",
        "teams[0].peers[0]",
        "teams[0].quota.pods",
        "typo",
      ]);
      assert.match(error.message, /^Invalid configuration \(12 errors\), nothing was changed\n/);
      assert.match(error.message, /teams\[0\]\.name: must be a string of lower-case letters.* \(found "TS"\)/);
      assert.match(error.message, /logging\.collector: must be one of fluent-bit, fluentd.* \(found "rsyslog"\)/);
      return true;
    });
  });
});
