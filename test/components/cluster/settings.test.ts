import assert from "node:assert/strict";
import { ClusterSettings } from "../../../components/cluster/settings.ts";
import { issuesIn } from "../../support/issues.ts";

const eks = (changes: object) => issuesIn(ClusterSettings, { kind: "eks", ...changes });
const GIVEN = { id: "vpc-01234567", privateSubnetIds: ["subnet-01234567", "subnet-89abcdef"] };
const group = (changes: object) => eks({ nodeGroups: [{ name: "default", ...changes }] });

describe("cluster settings", () => {
  it("need nothing but the kind", () => {
    assert.deepEqual(eks({}), []);
    assert.deepEqual(issuesIn(ClusterSettings, { kind: "existing" }), []);
  });

  it("keep the API from the internet, secrets under a key and audit logs by default", () => {
    const settings = ClusterSettings.parse({ kind: "eks" });
    assert.ok(settings.kind === "eks");
    assert.deepEqual(settings.endpointAccess, { private: true, public: false, publicCidrs: [] });
    assert.deepEqual(settings.logTypes, ["api", "audit", "authenticator"]);
  });

  it("accept a public endpoint for some addresses, a role of another account and a tainted group besides another", () => {
    assert.deepEqual(
      eks({
        endpointAccess: { public: true, publicCidrs: ["203.0.113.7/32", "198.51.100.0/24"] },
        accessEntries: [
          { principalArn: "arn:aws:iam::111122223333:role/teams/ts", groups: ["team-ts"] },
          {
            principalArn: "arn:aws:iam::111122223333:role/dev",
            policy: "AmazonEKSViewPolicy",
            namespaces: ["ts-team", "dev-*"],
          },
        ],
        nodeGroups: [
          { name: "default" },
          {
            name: "batch",
            labels: {
              "example.com/workload": "batch",
              "node.kubernetes.io/lifecycle": "spot",
              "topology.kubernetes.io/zone": "eu-central-1a",
              "my-eks.amazonaws.com/team": "a",
            },
            taints: [{ key: "batch", effect: "NoSchedule" }],
            capacityType: "SPOT",
          },
        ],
      }),
      [],
    );
  });

  it("recognize Graviton types by their names", () => {
    for (const type of [
      "t4g.medium",
      "m7gd.large",
      "c7gn.16xlarge",
      "im4gn.large",
      "x2gd.large",
      "g5g.xlarge",
      "p6e-gb200.36xlarge",
    ]) {
      assert.deepEqual(group({ instanceTypes: [type] }), [], type);
    }
    for (const type of [
      "t3.medium",
      "m7i-flex.large",
      "g4dn.xlarge",
      "p5.48xlarge",
      "u7i-12tb.224xlarge",
      "c5n.large",
      "m7i.metal-24xl",
      "u-6tb1.112xlarge",
    ]) {
      assert.deepEqual(group({ architecture: "amd64", instanceTypes: [type] }), [], type);
    }
  });

  it("leave the number of nodes to an autoscaler unless it is set", () => {
    const settings = ClusterSettings.parse({ kind: "eks" });
    assert.ok(settings.kind === "eks");
    assert.equal(settings.nodeGroups[0]?.desiredSize, undefined);
  });

  const role = "arn:aws:iam::111122223333:role/developers";
  const PUBLIC_BLOCK =
    /^endpointAccess\.publicCidrs\[0\]: must be an IPv4 CIDR block of public addresses from \/8 to \/32.*never 0\.0\.0\.0\/0$/;
  const wrong: readonly [string, string[], RegExp][] = [
    [
      "a Service CIDR with host bits, which would give kube-dns another address",
      issuesIn(ClusterSettings, { kind: "eks-existing", name: "prod", serviceCidr: "172.20.5.0/16" }),
      /^serviceCidr: must start at its network address, 172\.20\.0\.0\/16$/,
    ],
    ...["8.20.0.0/16", "10.0.0.0/8", "192.168.0.0/25", "172.16.0.0/11", "100.64.0.0/16"].map(
      (serviceCidr): [string, string[], RegExp] => [
        `a Service CIDR that no EKS cluster has: ${serviceCidr}`,
        issuesIn(ClusterSettings, { kind: "eks-existing", name: "prod", serviceCidr }),
        /^serviceCidr: must be a block from \/12 to \/24 within 10\.0\.0\.0\/8, 172\.16\.0\.0\/12, 192\.168\.0\.0\/16, as EKS requires$/,
      ],
    ),
    [
      "a Service CIDR without a prefix",
      issuesIn(ClusterSettings, { kind: "eks-existing", name: "prod", serviceCidr: "172.20.0.0" }),
      /^serviceCidr: must be an IPv4 CIDR block, such as 172\.20\.0\.0\/16$/,
    ],
    ["another kind", issuesIn(ClusterSettings, { kind: "gke" }), /^kind: must be one of eks, eks-existing, existing$/],
    ["a version out of standard support", eks({ version: "1.29" }), /^version: must be one of 1\.34, 1\.35, 1\.36$/],
    [
      "a version without quotes",
      eks({ version: 1.35 }),
      /^version: must be a quoted string, one of 1\.34, 1\.35, 1\.36$/,
    ],
    [
      "a public endpoint without CIDRs",
      eks({ endpointAccess: { public: true } }),
      /^endpointAccess: public requires at least one CIDR block in publicCidrs$/,
    ],
    [
      "a public endpoint for everybody",
      eks({ endpointAccess: { public: true, publicCidrs: ["0.0.0.0/0"] } }),
      PUBLIC_BLOCK,
    ],
    [
      "a public endpoint for everybody by IPv6",
      eks({ endpointAccess: { public: true, publicCidrs: ["::/0"] } }),
      PUBLIC_BLOCK,
    ],
    ...["0.0.0.0/1", "10.0.0.0/8", "192.168.1.0/24", "203.0.113.7", "203.0.113.7/24", "2001:db8::/32"].map(
      (cidr): [string, string[], RegExp] => [
        `a public endpoint for ${cidr}`,
        eks({ endpointAccess: { public: true, publicCidrs: [cidr] } }),
        PUBLIC_BLOCK,
      ],
    ),
    [
      "nodes without a way to the API",
      eks({ endpointAccess: { public: true, private: false, publicCidrs: ["203.0.113.7/32"] } }),
      /^endpointAccess\.private: must be true with a new VPC, since the address of its NAT/,
    ],
    ["a zone twice", eks({ vpc: { zones: ["eu-central-1a", "eu-central-1a"] } }), /^vpc\.zones/],
    ["one zone", eks({ vpc: { zones: 1 } }), /^vpc\.zones/],
    ["a VPC made and given", eks({ vpc: {}, existingVpc: GIVEN }), /^: vpc and existingVpc are mutually exclusive$/],
    [
      "a subnet twice",
      eks({ existingVpc: { ...GIVEN, privateSubnetIds: ["subnet-01234567", "subnet-01234567"] } }),
      /^existingVpc\.privateSubnetIds\[1\]: must be unique$/,
    ],
    ["a log type twice", eks({ logTypes: ["api", "api"] }), /^logTypes\[1\]: must be unique$/],
    [
      "two entries of one principal",
      eks({
        accessEntries: [
          { principalArn: role, groups: ["a"] },
          { principalArn: role, groups: ["b"] },
        ],
      }),
      /^accessEntries\[1\]\.principalArn: must be unique$/,
    ],
    [
      "a role that is only assumed",
      eks({ accessEntries: [{ principalArn: "arn:aws:sts::111122223333:assumed-role/a/b", groups: ["a"] }] }),
      /^accessEntries\[0\]\.principalArn: must be the ARN of an IAM role or user, such as/,
    ],
    [
      "an access policy that EKS does not have",
      eks({ accessEntries: [{ principalArn: role, policy: "AdministratorAccess" }] }),
      /^accessEntries\[0\]\.policy: must be one of AmazonEKSClusterAdminPolicy,/,
    ],
    [
      "namespaces without a policy",
      eks({ accessEntries: [{ principalArn: role, groups: ["a"], namespaces: ["ts-team"] }] }),
      /^accessEntries\[0\]: namespaces requires a policy$/,
    ],
    ["a tag of AWS", eks({ tags: { "aws:owner": "x" } }), /not starting with 'aws:'/],
    ...[
      "node-role.kubernetes.io/worker",
      "kubernetes.io/role",
      "k8s.io/role",
      "node-restriction.kubernetes.io/team",
      "eks.amazonaws.com/nodegroup",
    ].map((key): [string, string[], RegExp] => [
      `the label ${key}, which no kubelet may set`,
      group({ labels: { [key]: "x" } }),
      /^nodeGroups\[0\]\.labels\["[^"]+"\]: key must not be a label of kubernetes\.io, k8s\.io or eks/,
    ]),
    ["a label that Kubernetes refuses", group({ labels: { "a/b/c": "x" } }), /labels.*a label key/],
    [
      "a label that EKS refuses for its length",
      group({ labels: { [`example.com/${"a".repeat(52)}`]: "x" } }),
      /at most 63 characters/,
    ],
    [
      "a label without a value, which EKS refuses",
      group({ labels: { batch: "" } }),
      /^nodeGroups\[0\]\.labels\.batch: must be 1 to 63 letters, digits, '-', '_' and '\.', starting/,
    ],
    [
      "a taint that EKS refuses for its length",
      group({ taints: [{ key: `example.com/${"a".repeat(52)}`, effect: "PreferNoSchedule" }] }),
      /at most 63 characters/,
    ],
    [
      "an empty kubeconfig",
      issuesIn(ClusterSettings, { kind: "existing", kubeconfig: "" }),
      /^kubeconfig: must be a path, such as ~\/\.kube\/config$/,
    ],
    [
      "CIDRs without a public endpoint",
      eks({ endpointAccess: { publicCidrs: ["203.0.113.1/32"] } }),
      /^endpointAccess: publicCidrs requires public to be true$/,
    ],
    [
      "a cluster that nobody reaches",
      eks({ endpointAccess: { private: false } }),
      /^endpointAccess: at least one of private and public must be true$/,
    ],
    [
      "fewer nodes than the least",
      group({ minSize: 3, desiredSize: 2 }),
      /^nodeGroups\[0\]: minSize \(3\) must not exceed desiredSize \(2\)$/,
    ],
    [
      "more nodes than the most",
      group({ desiredSize: 4 }),
      /^nodeGroups\[0\]: desiredSize \(4\) must not exceed maxSize \(3\)$/,
    ],
    [
      "a least that is above the most",
      group({ minSize: 4, desiredSize: 9 }),
      /^nodeGroups\[0\]: minSize \(4\) must not exceed maxSize \(3\)$/,
    ],
    [
      "an Intel type among arm64",
      group({ instanceTypes: ["m7i.large"] }),
      /^nodeGroups\[0\]\.instanceTypes\[0\]: must be an instance type for architecture arm64, such as/,
    ],
    ...["m5.foo", "m5.xlarg", "t3.16", "m5.larges"].map((type): [string, string[], RegExp] => [
      `the type ${type} of no size`,
      group({ architecture: "amd64", instanceTypes: [type] }),
      /^nodeGroups\[0\]\.instanceTypes\[0\]: must be an EC2 instance type, such as t4g\.medium$/,
    ]),
    ...[
      { architecture: "amd64", instanceTypes: ["mac1.metal"] },
      { instanceTypes: ["mac2-m2pro.metal"] },
      { instanceTypes: ["a1.large"] },
    ].map((changes): [string, string[], RegExp] => [
      `${changes.instanceTypes}, for which EKS has no image`,
      group(changes),
      /^nodeGroups\[0\]\.instanceTypes\[0\]: must be an instance type that EKS's Amazon Linux 2023 AMIs support/,
    ]),
    [
      "two taints of one key and effect",
      eks({
        nodeGroups: [
          { name: "a" },
          {
            name: "b",
            taints: [
              { key: "dedicated", value: "x", effect: "NoSchedule" },
              { key: "dedicated", value: "x", effect: "NoExecute" },
              { key: "dedicated", value: "y", effect: "NoSchedule" },
            ],
          },
        ],
      }),
      /^nodeGroups\[1\]\.taints\[2\]: must differ from the other taints in key or effect, or no node joins/,
    ],
    ...["Team_A", "a b", "-a"].map((name): [string, string[], RegExp] => [
      `an access policy for the namespace ${name}`,
      eks({ accessEntries: [{ principalArn: role, policy: "AmazonEKSViewPolicy", namespaces: [name] }] }),
      /^accessEntries\[0\]\.namespaces\[0\]: must be the name of a namespace, or a pattern such as dev-\*$/,
    ]),
    [
      "a Graviton type among amd64",
      group({ architecture: "amd64", instanceTypes: ["t3.medium", "m7gd.large"] }),
      /^nodeGroups\[0\]\.instanceTypes\[1\]: must be an instance type for architecture amd64, such as/,
    ],
    [
      "a small VPC",
      eks({ vpc: { cidr: "10.0.0.0/24" } }),
      /^vpc\.cidr: must be a private IPv4 CIDR block from \/16 to \/22, such as 10\.0\.0\.0\/16$/,
    ],
    [
      "one subnet of a given VPC",
      eks({ existingVpc: { id: "vpc-01234567", privateSubnetIds: ["subnet-01234567"] } }),
      /^existingVpc\.privateSubnetIds: must have at least 2 subnets, in different availability/,
    ],
    [
      "a retention that CloudWatch does not take",
      eks({ logRetentionDays: 31 }),
      /^logRetentionDays: must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400,/,
    ],
    [
      "an access entry without rights",
      eks({ accessEntries: [{ principalArn: "arn:aws:iam::111122223333:role/dev" }] }),
      /^accessEntries\[0\]: at least one of groups and policy is required$/,
    ],
    [
      "an unknown key",
      eks({ nodegroups: [] }),
      /^nodegroups: unknown key, must be one of kind, name, version, vpc, existingVpc,/,
    ],
    [
      "an unknown key of an existing cluster",
      issuesIn(ClusterSettings, { kind: "existing", region: "x" }),
      /^region: unknown key, must be one of kind, kubeconfig, context, identifier, ipFamily, networkPolicies$/,
    ],
    [
      "two groups of one name",
      eks({ nodeGroups: [{ name: "a" }, { name: "a" }] }),
      /^nodeGroups\[1\]\.name: must be unique$/,
    ],
  ];
  for (const [what, found, expected] of wrong) {
    it(`reject ${what}`, () => {
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", expected);
    });
  }

  it("report all issues together", () => {
    const found = eks({
      version: "1.29",
      logRetentionDays: 31,
      nodeGroups: [
        { name: "default", minSize: "two", maxSize: 0, instanceTypes: ["m7i.large"] },
        { name: "other", minSize: 3, maxSize: 2, diskSize: 5 },
      ],
    });
    assert.deepEqual(found.map((line) => line.split(":")[0]).sort(), [
      "logRetentionDays",
      // No relation between sizes one of which is no number.
      "nodeGroups[0].instanceTypes[0]",
      "nodeGroups[0].maxSize",
      "nodeGroups[0].minSize",
      "nodeGroups[1]",
      "nodeGroups[1].diskSize",
      "version",
    ]);
  });
});
