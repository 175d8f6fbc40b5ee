import assert from "node:assert/strict";
import { ClusterSettings } from "../../../components/cluster/settings.ts";
import { issuesIn } from "../../support/issues.ts";

const eks = (changes: object) => issuesIn(ClusterSettings, { kind: "eks", ...changes });
const group = (changes: object) => eks({ nodeGroups: [{ name: "default", ...changes }] });
const entry = (principalArn: string, policy = "AmazonEKSViewPolicy") =>
  eks({ accessEntries: [{ principalArn, policy }] });
const taints = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ key: `dedicated-${index}`, effect: "NoSchedule" }));
const network = (first: string, second: string) =>
  eks({ existingVpc: { id: `vpc-${first}`, privateSubnetIds: [`subnet-${first}`, `subnet-${second}`] } });
const tag = (key: string) => eks({ tags: { [key]: "x" } });

const IAM = "arn:aws:iam::111122223333";
const SSO = "aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Admin_0123456789abcdef";

describe("AWS's limits of a cluster", () => {
  it("accept what AWS does", () => {
    for (const issues of [
      group({ taints: taints(50) }),
      group({ diskSize: 65_536 }),
      group({ architecture: "amd64", instanceTypes: ["p3.2xlarge", "g4dn.xlarge", "g6f.large", "p6-b300.48xlarge"] }),
      group({ architecture: "amd64", instanceTypes: ["inf1.xlarge", "inf2.xlarge", "trn2.48xlarge"] }),
      group({ instanceTypes: ["g5g.xlarge", "p6e-gb200.36xlarge"] }),
      entry(`${IAM}:role/${SSO}`),
      entry(`arn:aws-us-gov:iam::111122223333:role/a/b/${"r".repeat(64)}`),
      entry(`${IAM}:user/ops+dev=a,b.c@example.com`),
      entry(`${IAM}:role/controllers`, "AmazonEKSSecretReaderPolicy"),
      tag("eks-dns-logging/stacks"),
      network("0123abcd", "89abcdef"),
      network("0123456789abcdef0", "0123abcd"),
    ])
      assert.deepEqual(issues, []);
  });

  const PRINCIPAL =
    "accessEntries[0].principalArn: must be the ARN of an IAM role or user, such as arn:aws:iam::111122223333:role/developers";
  const OWN_TAG = "key must not be eks-dns-logging/stack in any case, since this program sets that tag";
  const refused: [string, string[], string][] = [
    [
      "more taints than EKS accepts",
      group({ taints: taints(51) }),
      "nodeGroups[0].taints: must have at most 50 taints, EKS's limit for a node group",
    ],
    [
      "a disk above the largest of gp3",
      group({ diskSize: 65_537 }),
      "nodeGroups[0].diskSize: must be an integer from 20 to 65536",
    ],
    ...["g2.2xlarge", "g3.4xlarge", "g3s.xlarge", "p2.xlarge"].map((type): [string, string[], string] => [
      `${type}, whose GPU is too old for the drivers of EKS's AMI`,
      group({ architecture: "amd64", instanceTypes: [type] }),
      "nodeGroups[0].instanceTypes[0]: must be an instance type whose drivers an EKS-optimized AMI has: NVIDIA GPUs from P3 and G4dn on, Inferentia or Trainium",
    ]),
    ["a role whose name is too long", entry(`${IAM}:role/${"r".repeat(65)}`), PRINCIPAL],
    ["a path without a role", entry(`${IAM}:role/dev/`), PRINCIPAL],
    ["a role of letters that IAM has not", entry(`${IAM}:role/entwickler-münchen`), PRINCIPAL],
    ["a role of an AWS service", entry(`${IAM}:role/aws-service-role/eks.amazonaws.com/AWSServiceRole`), PRINCIPAL],
    [
      "a subnet whose id has lost characters",
      network("0123abcd", "0123456789ab"),
      "existingVpc.privateSubnetIds[1]: must be a subnet ID, such as subnet-0123456789abcdef0",
    ],
    [
      "a VPC whose id has lost characters",
      eks({ existingVpc: { id: "vpc-0123456789ab", privateSubnetIds: ["subnet-0123abcd", "subnet-89abcdef"] } }),
      "existingVpc.id: must be a VPC ID, such as vpc-0123456789abcdef0",
    ],
    [
      "a label whose domain has an empty part",
      group({ labels: { "example..com/pool": "batch" } }),
      "nodeGroups[0].labels.example..com/pool: key must be a label key, such as workload or example.com/workload",
    ],
    [
      "a taint whose domain has an empty part",
      group({ taints: [{ key: "example..com/pool", effect: "NoSchedule" }] }),
      "nodeGroups[0].taints[0].key: must be a label key, such as workload or example.com/workload",
    ],
    ["the tag that this program sets", tag("eks-dns-logging/stack"), `tags.eks-dns-logging/stack: ${OWN_TAG}`],
    ["that tag in another case", tag("EKS-DNS-Logging/Stack"), `tags.EKS-DNS-Logging/Stack: ${OWN_TAG}`],
  ];
  for (const [what, issues, expected] of refused)
    it(`refuse ${what}`, () => {
      assert.equal(issues.length, 1);
      assert.equal(issues[0]?.replace(/ \(found .*\)$/, "").replaceAll(/\["([^"]+)"\]/g, ".$1"), expected);
    });
});
