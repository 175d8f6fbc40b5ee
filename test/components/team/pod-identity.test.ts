import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { parseSettings } from "../../../components/settings.ts";
import { Team, type TeamArgs } from "../../../components/team/team.ts";
import { planStack, record } from "../../../lab/plan/plan.ts";
import { existingClusterHandle } from "../../support/cluster-handle.ts";
import { find, ofType } from "../../support/find.ts";

type Json = Readonly<Record<string, unknown>>;

const EXISTING = { kind: "eks-existing", name: "prod", kubernetesVersion: "1.35" };
const ORDERS = "arn:aws:iam::123456789012:policy/team/orders";
const STATEMENT = { actions: ["s3:GetObject", "s3:List*"], resources: ["arn:aws:s3:::orders/*"] };

function config(podIdentity: Json, cluster: Json = EXISTING, team: Json = {}) {
  return {
    "aws:region": "eu-central-1",
    "eks-dns-logging:cluster": JSON.stringify(cluster),
    "eks-dns-logging:dns": "false",
    "eks-dns-logging:logging": "false",
    "eks-dns-logging:teams": JSON.stringify([{ name: "pay", podIdentity, ...team }]),
  };
}
const plan = async (podIdentity: Json, cluster?: Json, team?: Json) =>
  (await planStack({ name: "prod", config: config(podIdentity, cluster, team) })).resources;
const refuses = (podIdentity: Json, expected: RegExp, cluster?: Json) =>
  assert.throws(() => parseSettings(config(podIdentity, cluster)), expected);

describe("the AWS identity of a team's pods", () => {
  it("has only ARNs in the partition of the cluster's region", () => {
    const team = { memberRoles: ["arn:aws:iam::123456789012:role/dev", "arn:aws-cn:iam::123456789012:role/ops"] };
    const given = { policyArns: [ORDERS, "arn:aws-cn:iam::123456789012:policy/stock"], statements: [STATEMENT] };
    const inChina = { ...config(given, EXISTING, team), "aws:region": "cn-north-1" };
    const start = "must start with arn:aws-cn:, the partition of cn-north-1";
    assert.throws(
      () => parseSettings(inChina),
      ({ message }: Error) => {
        assert.deepEqual(message.split("\n").slice(1), [
          `  teams[0].memberRoles[0]: ${start} (found "arn:aws:iam::123456789012:role/dev")`,
          `  teams[0].podIdentity.policyArns[0]: ${start} (found "${ORDERS}")`,
          `  teams[0].podIdentity.statements[0].resources[0]: ${start} (found "arn:aws:s3:::orders/*")`,
        ]);
        return true;
      },
    );
  });

  it("respects IAM's quotas: policies per role, and characters of its inline policy", () => {
    const policies = (count: number) => ({
      policyArns: Array.from({ length: count }, (_, index) => `arn:aws:iam::123456789012:policy/p${index}`),
    });
    assert.deepEqual(parseSettings(config(policies(10))).warnings, []);
    assert.deepEqual(
      parseSettings(config(policies(11))).warnings.map(({ path, message }) => [path.join("."), message.slice(0, 57)]),
      [["teams.0.podIdentity.policyArns", "has 11 policies, but IAM attaches at most 10 to a role un"]],
    );
    refuses(
      policies(26),
      /teams\[0\]\.podIdentity\.policyArns: must have at most 25 policies, the most that IAM attaches/,
    );
    const statements = (count: number) => ({
      statements: Array.from({ length: count }, (_, index) => ({
        actions: ["dynamodb:GetItem"],
        resources: [`arn:aws:dynamodb:eu-central-1:123456789012:table/table-${String(index).padStart(4, "0")}`],
      })),
    });
    parseSettings(config(statements(60)));
    refuses(
      statements(90),
      /teams\[0\]\.podIdentity\.statements: must fit into 10240 characters as the role's inline policy, but takes 1\d{4}: use policies/,
    );
  });

  it("has a role whose name IAM accepts, however long the team's is", async () => {
    const roleOf = async (team: Json) => {
      const role = (await plan({ policyArns: [ORDERS] }, EXISTING, team)).find(
        ({ type }) => type === "aws:iam/role:Role",
      );
      return [role?.name.length, role?.inputs.namePrefix];
    };
    assert.deepEqual(await roleOf({ name: "a".repeat(51) }), [56, undefined]);
    assert.deepEqual(await roleOf({ name: "a".repeat(52) }), [57, `${"a".repeat(37)}-`]);
    const [, prefix] = await roleOf({ namespaces: [{ name: "b".repeat(63) }] });
    assert.equal(prefix, `pay-${"b".repeat(33)}-`);
  });

  it("warns of statements on S3 that allow nothing", () => {
    const warningsOf = (actions: readonly string[], ...resources: readonly string[]) =>
      parseSettings(config({ statements: [{ actions, resources }] })).warnings.map(({ message }) => message);
    const [bucket, objects] = ["arn:aws:s3:::orders", "arn:aws:s3:::orders/*"];
    assert.deepEqual(warningsOf(["s3:PutObject"], bucket), [
      "must include arn:aws:s3:::orders/*, since s3:PutObject applies to objects",
    ]);
    assert.deepEqual(warningsOf(["s3:ListBucket"], objects, `${bucket}/b/*`), [
      "must include arn:aws:s3:::orders, since s3:ListBucket applies to buckets",
    ]);
    assert.deepEqual(warningsOf(["s3:ListBucket", "s3:GetObject"], bucket, objects), []);
    for (const [action, arn] of [
      ["s3:GetObject", objects],
      ["s3:GetObject", `${bucket}*`],
      ["s3:ListBucket", bucket],
      ["s3:GetObjectLockConfiguration", bucket],
      ["sqs:SendMessage", "arn:aws:sqs:eu-central-1:123456789012:orders"],
    ] as const)
      assert.deepEqual(warningsOf([action], arn), [], action);
  });

  it("warns of secrets without the end of their ARN, and of aliases instead of keys", () => {
    const warningsOf = (actions: readonly string[], ...resources: readonly string[]) =>
      parseSettings(config({ statements: [{ actions, resources }] })).warnings.map(
        ({ path, message }) => `${path.slice(-2).join(" ")}: ${message}`,
      );
    const secret = (name: string) => `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${name}`;
    const kms = (name: string) => `arn:aws:kms:eu-central-1:123456789012:${name}`;
    const end = "must end with -?????? or *, since AWS adds '-' and six characters to the name of a secret";
    const get = "secretsmanager:GetSecretValue";
    assert.deepEqual(warningsOf([get], secret("app-*"), secret("db-password"), secret("app/*/db-password")), [
      `resources 1: ${end}`,
      `resources 2: ${end}`,
    ]);
    assert.deepEqual(warningsOf(["secretsmanager:Get*", "kms:Decrypt"], secret("db"), kms("alias/db")), [
      `resources 0: ${end}`,
      "resources 1: must be the ARN of the key, since kms:Decrypt never applies to an alias",
    ]);
    const complete = ["db-*", "db*", "db-??????", "db-AbC123", "db-Ab????", "db???????"].map(secret);
    assert.deepEqual(warningsOf([get, "kms:Decrypt"], ...complete, kms("key/1234abcd")), []);
    assert.deepEqual(warningsOf(["s3:GetObject"], secret("db"), "arn:aws:s3:::orders/*"), []);
    assert.deepEqual(warningsOf(["kms:Decrypt", "kms:CreateAlias"], kms("alias/db"), kms("key/1234abcd")), []);
  });

  it("is a role for one service account of one namespace, with policies and statements", async () => {
    const resources = await plan({ policyArns: [ORDERS], statements: [STATEMENT] });
    const role = find(resources, "aws:iam/role:Role", "pay-pods");
    const trust = JSON.parse(String(role.inputs.assumeRolePolicy));
    assert.deepEqual(trust.Statement[0].Principal, { Service: "pods.eks.amazonaws.com" });
    assert.deepEqual(trust.Statement[0].Condition.StringEquals, {
      "aws:RequestTag/eks-cluster-name": "prod",
      "aws:RequestTag/kubernetes-namespace": "pay-team",
      "aws:RequestTag/kubernetes-service-account": "workload",
    });
    const attachment = find(resources, "aws:iam/rolePolicyAttachment:RolePolicyAttachment", "pay-pods-orders");
    assert.equal(attachment.inputs.policyArn, ORDERS);
    assert.deepEqual(JSON.parse(String(find(resources, "aws:iam/rolePolicy:RolePolicy", "pay-pods").inputs.policy)), {
      Statement: [{ Action: STATEMENT.actions, Effect: "Allow", Resource: STATEMENT.resources, Sid: "Team1" }],
      Version: "2012-10-17",
    });
    const association = find(resources, "aws:eks/podIdentityAssociation:PodIdentityAssociation", "pay-pods");
    const { clusterName, namespace, serviceAccount } = association.inputs;
    assert.deepEqual([clusterName, namespace, serviceAccount], ["prod", "pay-team", "workload"]);
    const pod = find(resources, "kubernetes:core/v1:Pod", "pay-curl-pod");
    assert.ok(pod.dependencies.includes(association.urn), "a pod that starts before it gets no credentials");
  });

  it("allows the pods to reach the agent on their node", async () => {
    const resources = await plan({ policyArns: [ORDERS] });
    const name = "pay-allow-pod-identity";
    assert.deepEqual(find(resources, "kubernetes:networking.k8s.io/v1:NetworkPolicy", name).inputs.spec, {
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [
        {
          to: [{ ipBlock: { cidr: "169.254.170.23/32" } }, { ipBlock: { cidr: "fd00:ec2::23/128" } }],
          ports: [{ protocol: "TCP", port: 80 }],
        },
      ],
    });
    assert.deepEqual(ofType(resources, "aws:iam/rolePolicy:RolePolicy"), [], "which would allow nothing");
  });

  it("is one per namespace, with its own account except in an adopted one", async () => {
    const namespaces = [{ name: "shop" }, { name: "payments", adopt: true }];
    const identity = { serviceAccount: "orders", policyArns: [ORDERS] };
    const resources = await plan(identity, EXISTING, { namespaces });
    const places = ofType(resources, "aws:eks/podIdentityAssociation:PodIdentityAssociation").map(
      ({ name, inputs }) => [name, inputs.namespace, inputs.serviceAccount],
    );
    assert.deepEqual(places, [
      ["pay-shop-pods", "shop", "orders"],
      ["pay-payments-pods", "payments", "orders"],
    ]);
    const accounts = ofType(resources, "kubernetes:core/v1:ServiceAccount").map(({ name }) => name);
    assert.deepEqual(accounts, ["pay-shop-workload", "pay-shop-orders"]);
  });

  it("waits for the agent on a new cluster", async () => {
    const resources = await plan({ policyArns: [ORDERS] }, { kind: "eks" });
    const { dependencies } = find(resources, "aws:eks/podIdentityAssociation:PodIdentityAssociation", "pay-pods");
    assert.ok(
      dependencies.some((urn) => urn.endsWith("eks-pod-identity-agent")),
      dependencies.join("\n"),
    );
  });

  it("is rejected if it allows everything or nothing", () => {
    const path = "teams\\[0\\].podIdentity";
    refuses({}, new RegExp(`${path}: policyArns or statements is required`));
    for (const action of ["*", "s3:*", "s3:?etObject", "GetObject"])
      refuses(
        { statements: [{ ...STATEMENT, actions: [action] }] },
        /actions\[0\]: must be an action with its service/,
      );
    for (const resource of ["*", "arn:aws:s3:::*", "arn:aws:*:::orders", "arn:aws:sqs:eu-central-1:123456789012:*"])
      refuses({ statements: [{ ...STATEMENT, resources: [resource] }] }, /resources\[0\]: must be an ARN that names/);
    refuses({ policyArns: ["arn:aws:iam::aws:policy/AdministratorAccess"] }, /must not be a policy that allows nearly/);
    refuses({ policyArns: ["orders"] }, /policyArns\[0\]: must be the ARN of an IAM policy/);
    refuses(
      { serviceAccount: "Orders", policyArns: [ORDERS] },
      /serviceAccount: must be the name of a service account/,
    );
  });

  it("is rejected with names that IAM or Kubernetes reject, and characters outside Latin-1", () => {
    const policy = (name: string) => ({ policyArns: [`arn:aws:iam::123456789012:policy/team/${name}`] });
    const object = (key: string) => ({ statements: [{ ...STATEMENT, resources: [`arn:aws:s3:::orders/${key}/*`] }] });
    const account = (serviceAccount: string) => ({ serviceAccount, policyArns: [ORDERS] });
    for (const accepted of [policy("p".repeat(128)), object("Aufträge"), account("orders.v2")])
      assert.doesNotThrow(() => parseSettings(config(accepted)));
    for (const name of ["p".repeat(129), "", "orders:2"])
      refuses(policy(name), /policyArns\[0\]: must be the ARN of an IAM policy/);
    for (const key of ["注文", "a\u0080b"])
      refuses(object(key), /resources\[0\]: must be an ARN that names its resource, in Latin-1 letters/);
    for (const name of ["orders..v2", "orders.-v2", "a".repeat(254)])
      refuses(account(name), /serviceAccount: must be the name of a service account/);
  });

  it("is rejected on clusters without Pod Identity", () => {
    const identity = { policyArns: [ORDERS] };
    refuses(identity, /teams\[0\].podIdentity: must not be set with cluster.kind existing/, { kind: "existing" });
    refuses(identity, /must not be set with cluster.compute fargate/, { ...EXISTING, compute: "fargate" });
  });

  describe("in a library user's program", () => {
    const host = { clusterName: "prod", region: "eu-central-1", partition: "aws", tags: {} };
    const make = (podIdentity: TeamArgs["podIdentity"], hosts: typeof host | undefined = host) =>
      record({ stack: "test", config: {}, preview: false }, async () => {
        new Team("pay", { cluster: existingClusterHandle({ podIdentity: hosts }), podIdentity, curlPod: false });
      });

    it("accepts ARNs that are outputs", async () => {
      const { resources } = await make({
        policyArns: [pulumi.output(ORDERS)],
        statements: [{ actions: ["s3:GetObject"], resources: [pulumi.interpolate`arn:aws:s3:::orders/*`] }],
      });
      const type = "aws:iam/rolePolicyAttachment:RolePolicyAttachment";
      assert.equal(find(resources, type, "pay-pods-0").inputs.policyArn, ORDERS);
      assert.match(String(find(resources, "aws:iam/rolePolicy:RolePolicy", "pay-pods").inputs.policy), /orders\/\*/);
    });

    it("is rejected at once if it is invalid, and on a cluster without Pod Identity", async () => {
      await assert.rejects(make({ policyArns: ["orders"] }), /policyArns\[0\]: must be the ARN of an IAM policy/);
      const bare = record({ stack: "test", config: {}, preview: false }, async () => {
        new Team("pay", { cluster: existingClusterHandle(), podIdentity: { policyArns: [ORDERS] } });
      });
      await assert.rejects(bare, /podIdentity needs an EKS cluster/);
    });
  });
});
