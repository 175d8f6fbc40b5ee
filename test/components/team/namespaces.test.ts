import assert from "node:assert/strict";
import { formatIssue } from "../../../components/schema/errors.ts";
import { parseSettings } from "../../../components/settings.ts";
import { Quota } from "../../../components/team/settings.ts";
import { planStack } from "../../../lab/plan/plan.ts";
import { find, ofType } from "../../support/find.ts";

type Json = Readonly<Record<string, unknown>>;

const EXISTING = '{"kind":"eks-existing","name":"prod","kubernetesVersion":"1.35"}';

function config(teams: readonly Json[], cluster = EXISTING) {
  return {
    "aws:region": "eu-central-1",
    "eks-dns-logging:cluster": cluster,
    "eks-dns-logging:dns": "false",
    "eks-dns-logging:logging": "false",
    "eks-dns-logging:teams": JSON.stringify(teams),
  };
}

const plan = async (...teams: readonly Json[]) => (await planStack({ name: "prod", config: config(teams) })).resources;
const refuses = (expected: RegExp, ...teams: readonly Json[]) =>
  assert.throws(() => parseSettings(config(teams)), expected);

const PAYMENTS = { name: "pay", namespaces: [{ name: "payments", adopt: true }, { name: "payments-jobs" }] };

describe("namespaces of any name", () => {
  it("adopts the namespace default, which no stack can create", async () => {
    refuses(
      /teams\[0\]\.namespaces\[0\]\.name: must have adopt: true, since every cluster already has this namespace/,
      {
        name: "pay",
        namespaces: [{ name: "default" }],
      },
    );
    const resources = await plan({ name: "pay", namespaces: [{ name: "default", adopt: true }] });
    assert.equal(ofType(resources, "kubernetes:core/v1:NamespacePatch").length, 1);
  });

  it("adopts an existing one by adding labels, policies and members, without its quota and accounts", async () => {
    const resources = await plan({ ...PAYMENTS, members: ["devs"] });
    const patch = find(resources, "kubernetes:core/v1:NamespacePatch", "pay-payments-namespace");
    assert.deepEqual(patch.inputs.metadata, {
      name: "payments",
      labels: {
        "app.kubernetes.io/name": "team",
        "app.kubernetes.io/part-of": "eks-dns-logging",
        "app.kubernetes.io/managed-by": "pulumi",
        team: "pay",
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
      },
    });
    const of = (namespace: string) =>
      resources.flatMap(({ name }) => (name.startsWith(`pay-${namespace}-`) ? [name.slice(5 + namespace.length)] : []));
    const jobs = "jobs-";
    assert.deepEqual(
      of("payments")
        .filter((name) => !name.startsWith(jobs))
        .sort(),
      ["allow-dns", "allow-peers", "default-deny", "member", "members", "namespace"],
    );
    assert.deepEqual(of("payments-jobs").sort(), [
      ...["allow-dns", "allow-peers", "default-deny", "limits", "member", "members", "namespace", "quota", "workload"],
    ]);
    const policy = (namespace: string) =>
      find(resources, "kubernetes:networking.k8s.io/v1:NetworkPolicy", `pay-${namespace}-default-deny`);
    assert.equal(policy("payments").deletedWith, "", "its namespace stays");
    assert.match(policy("payments-jobs").deletedWith, /::pay-payments-jobs-namespace$/);
    assert.deepEqual(ofType(resources, "kubernetes:core/v1:Pod"), [], "curl pods");
    const names = ofType(resources, "kubernetes:core/v1:Namespace").map(({ name }) => name);
    assert.deepEqual(names, ["pay-payments-jobs-namespace"]);
  });

  it("allows peers to reach all of a team's namespaces, and these to reach each other", async () => {
    const resources = await plan(PAYMENTS, { name: "web", peers: ["pay"] });
    const peers = (name: string) =>
      JSON.stringify(find(resources, "kubernetes:networking.k8s.io/v1:NetworkPolicy", name).inputs.spec).match(
        /"(payments|payments-jobs|web-team)"/g,
      );
    assert.deepEqual(peers("web-allow-peers"), ['"payments"', '"payments-jobs"', '"web-team"', '"web-team"']);
    const own = ['"payments"', '"payments-jobs"'];
    assert.deepEqual(peers("pay-payments-allow-peers"), [...own, ...own, '"web-team"']);
  });

  it("allows further ingress and egress by namespace, CIDR and port", async () => {
    const resources = await plan({
      name: "web",
      ingress: [{ namespaces: ["ingress-nginx"], ports: [8080] }],
      egress: [{ cidrs: ["203.0.113.0/24"], ports: [{ port: 5000, endPort: 5010, protocol: "UDP" }] }],
    });
    const spec = (name: string) => find(resources, "kubernetes:networking.k8s.io/v1:NetworkPolicy", name).inputs.spec;
    const from = [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "ingress-nginx" } } }];
    assert.deepEqual(spec("web-allow-ingress"), {
      podSelector: {},
      policyTypes: ["Ingress"],
      ingress: [{ from, ports: [{ protocol: "TCP", port: 8080 }] }],
    });
    assert.deepEqual(spec("web-allow-egress"), {
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [
        { to: [{ ipBlock: { cidr: "203.0.113.0/24" } }], ports: [{ protocol: "UDP", port: 5000, endPort: 5010 }] },
      ],
    });
  });

  it("accepts quota keys of any kind, and a lower Pod Security level with its reason", async () => {
    const resources = await plan({
      name: "ml",
      quota: {
        "requests.nvidia.com/gpu": 4,
        "count/jobs.batch": 50,
        "gold.storageclass.storage.k8s.io/requests.storage": "1Ti",
      },
      podSecurity: { level: "baseline", reason: "the vendor's image runs as root" },
    });
    const { spec } = find(resources, "kubernetes:core/v1:ResourceQuota", "ml-quota").inputs;
    const text = JSON.stringify(spec);
    for (const entry of ['"requests.nvidia.com/gpu":"4"', '"count/jobs.batch":"50"', '"pods":"20"'])
      assert.ok(text.includes(entry), text);
    const { metadata } = find(resources, "kubernetes:core/v1:Namespace", "ml-namespace").inputs;
    assert.match(JSON.stringify(metadata), /pod-security-reason":"the vendor.*enforce":"baseline"/);
  });

  it("accepts exactly the quota keys that Kubernetes accepts", () => {
    const messagesOf = (quota: Json) => {
      const parsed = Quota.safeParse(quota);
      return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join()}: ${message}`);
    };
    const valid = {
      ...{ cpu: "500m", memory: "1Gi", "ephemeral-storage": "1Gi", "limits.ephemeral-storage": "2Gi", "limits.cpu": 4 },
      ...{ "hugepages-2Mi": "1Gi", "requests.hugepages-1Gi": "4Gi", secrets: "1k", replicationcontrollers: 0 },
      ...{ "requests.nvidia.com/gpu": 1, "count/deployments.apps": 5, "count/configmaps": 5, resourcequotas: 1 },
      "gold.storageclass.storage.k8s.io/persistentvolumeclaims": 2,
      "gpu.deviceclass.resource.k8s.io/devices": 1,
    };
    assert.deepEqual(messagesOf(valid), []);
    const strange = [
      ...["requests.gpu", "limits.storage", "storage", "limits.hugepages-2Mi", "endpoints", "pods.count", "count/a/b"],
      ...["requests.nvidia_com/gpu", "requests.nvidia.com/gpu-", "gold-.storageclass.storage.k8s.io/requests.storage"],
    ];
    for (const key of strange)
      assert.match(String(messagesOf({ [key]: 1 })), /: must be a key of a ResourceQuota/, key);
    const counts = ["secrets", "count/jobs.batch", "gold.storageclass.storage.k8s.io/requests.storage"];
    for (const key of counts)
      assert.deepEqual(messagesOf({ [key]: "1500m" }), [
        `${key}: must be an integer, or Kubernetes refuses the ResourceQuota`,
      ]);
  });

  it("warns of quota keys that limit nothing, or less than they say", () => {
    const quota = { "count/deployments": 5, "limits.nvidia.com/gpu": 2, "requests.nvidia.com/gpu": "1500m" };
    assert.deepEqual(parseSettings(config([{ name: "ml", quota }])).warnings.map(formatIssue), [
      'teams[0].quota["count/deployments"]: has no effect, since the core group has no deployments: a group follows the name, as in count/deployments.apps (found 5)',
      'teams[0].quota["limits.nvidia.com/gpu"]: has no effect, since Kubernetes counts extended resources as requests.nvidia.com/gpu alone (found 2)',
      'teams[0].quota["requests.nvidia.com/gpu"]: admits 1, since pods take extended resources in whole units (found "1500m")',
    ]);
  });

  it("gives IAM roles access as members, by an access entry and the team's group", async () => {
    const resources = await plan({ name: "web", memberRoles: ["arn:aws:iam::123456789012:role/dev/web"] });
    const { inputs } = find(resources, "aws:eks/accessEntry:AccessEntry", "web-dev-web");
    assert.deepEqual([inputs.clusterName, inputs.kubernetesGroups], ["prod", ["team:web"]]);
    const binding = find(resources, "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", "web-members").inputs;
    assert.match(JSON.stringify(binding.subjects), /"team:web"/);
  });

  it("rejects contradictory settings", () => {
    refuses(
      /must not include web-team, which is a namespace of team web/,
      { name: "web" },
      { name: "b", namespaces: [{ name: "web-team" }] },
    );
    refuses(/teams\[0\]\.ingress\[0\]: namespaces or cidrs is required/, { name: "web", ingress: [{ ports: [80] }] });
    const egress = (rule: object) => ({ name: "web", egress: [{ cidrs: ["10.0.0.0/8"], ...rule }] });
    refuses(
      /cidrs\[0\]: must start at its network address, 10\.1\.0\.0\/16 \(found "10\.1\.2\.3\/16"\)/,
      egress({ cidrs: ["10.1.2.3/16"] }),
    );
    refuses(/cidrs\[1\]: must start at its network address, fd00::\/16/, egress({ cidrs: ["fd00::/8", "fd00::1/16"] }));
    refuses(
      /cidrs\[1\]: must be the IPv4 block 10\.0\.0\.0\/8, since Kubernetes refuses IPv4-mapped addresses \(found/,
      egress({ cidrs: ["::10.0.0.0/104", "::ffff:10.1.0.0/104"] }),
    );
    for (const cidr of ["010.0.0.0/8", "10.0.0.0/08", "2001:db8::/032", "10.0.0/24"])
      refuses(/cidrs\[0\]: must be a CIDR block, such as/, egress({ cidrs: [cidr] }));
    refuses(/ports\[0\]: endPort \(79\) must not be below port \(80\)/, egress({ ports: [{ port: 80, endPort: 79 }] }));
    refuses(/quota.*must be a key of a ResourceQuota/, { name: "web", quota: { podz: 3 } });
    refuses(/podSecurity\.reason: must/, { name: "web", podSecurity: { level: "privileged" } });
    const role = (name: string) => `arn:aws:iam::123456789012:role/${name}`;
    for (const arn of ["dev", role("dev/"), role("d".repeat(65)), role("aws-service-role/eks.amazonaws.com/EKS")])
      refuses(/memberRoles\[0\]: must be the ARN of an IAM role/, { name: "web", memberRoles: [arn] });
    const local = config([{ name: "web", memberRoles: ["arn:aws:iam::123456789012:role/dev"] }], '{"kind":"existing"}');
    assert.throws(() => parseSettings(local), /memberRoles: must be empty with cluster\.kind existing/);
  });
});
