import assert from "node:assert/strict";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ArgumentsError } from "../../../components/schema/errors.ts";
import { CurlPod } from "../../../components/team/curl-pod.ts";
import { TeamsSettings } from "../../../components/team/settings.ts";
import { Team } from "../../../components/team/team.ts";
import { record } from "../../../lab/plan/plan.ts";
import type { Recording } from "../../../lab/plan/recording.ts";
import { existingClusterHandle } from "../../support/cluster-handle.ts";
import { find, ofType } from "../../support/find.ts";

const teams = TeamsSettings.parse([
  { name: "ts", peers: ["sa"], members: ["ts-developers"], labels: { "cost-centre": "42" }, quota: { pods: 5 } },
  { name: "sa", peers: ["ts"] },
]);

describe("Team", () => {
  let recording: Recording;
  let nodesUrn: string | undefined;

  before(async () => {
    recording = await record({ stack: "test", config: {}, preview: false }, async () => {
      const nodes = new k8s.core.v1.ConfigMap("nodes", {});
      const cluster = existingClusterHandle({ ready: [nodes] });
      for (const team of teams) {
        new Team(team.name, { ...team, cluster, team: team.name, network: { teams } });
      }
    });
    nodesUrn = find(recording.resources, "kubernetes:core/v1:ConfigMap", "nodes").urn;
  });

  const one = (type: string, name: string) => find(recording.resources, `kubernetes:${type}`, name);

  it("creates the namespace with Pod Security restricted in all three modes, and the team's labels", () => {
    assert.deepEqual(one("core/v1:Namespace", "ts-namespace").inputs.metadata, {
      name: "ts-team",
      labels: {
        "app.kubernetes.io/managed-by": "pulumi",
        "app.kubernetes.io/name": "team",
        "app.kubernetes.io/part-of": "eks-dns-logging",
        "cost-centre": "42",
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
        team: "ts",
      },
    });
  });

  it("waits for the nodes, so that a destroy deletes the pods while kubelets run", () => {
    assert.deepEqual(one("core/v1:Namespace", "ts-namespace").dependencies, [nodesUrn]);
  });

  it("puts everything of a team into its namespace, after it, and replaces by deleting first", () => {
    const namespace = one("core/v1:Namespace", "sa-namespace");
    const inside = recording.resources.filter((resource) => resource.custom && /^sa-/.test(resource.name));
    assert.equal(inside.length, 11);
    for (const resource of inside) {
      assert.equal(resource.deleteBeforeReplace, true, resource.name);
      if (resource === namespace) continue;
      const { metadata } = resource.inputs;
      assert.ok(typeof metadata === "object" && metadata !== null && "namespace" in metadata, resource.name);
      assert.equal(metadata.namespace, "sa-team", resource.name);
    }
    assert.ok(one("core/v1:ResourceQuota", "sa-quota").dependencies.includes(namespace.urn));
  });

  it("leaves the deletion of policies to that of the namespace, which isolates its pods until they end", () => {
    const namespace = one("core/v1:Namespace", "sa-namespace");
    const withNamespace = recording.resources.filter(({ deletedWith }) => deletedWith === namespace.urn);
    assert.deepEqual(withNamespace.map(({ name }) => name).sort(), [
      "sa-allow-dns",
      "sa-allow-peers",
      "sa-default-deny",
    ]);
  });

  it("creates the pod after quota, limits, policies and account", () => {
    const pod = one("core/v1:Pod", "ts-curl-pod");
    const before = ["ts-quota", "ts-limits", "ts-default-deny", "ts-allow-dns", "ts-allow-peers", "ts-workload"];
    const dependencies = recording.resources.filter((resource) => pod.dependencies.includes(resource.urn));
    for (const name of before)
      assert.ok(
        dependencies.some((resource) => resource.name === name),
        name,
      );
  });

  it("creates the pod's configuration and Service in parallel with quota and policies", () => {
    const namespace = one("core/v1:Namespace", "ts-namespace").urn;
    assert.deepEqual(one("core/v1:ConfigMap", "ts-curl-responder").dependencies, [namespace]);
    assert.deepEqual(one("core/v1:Service", "ts-curl-service").dependencies, [namespace]);
    assert.ok(
      one("core/v1:Pod", "ts-curl-pod").dependencies.includes(one("core/v1:ConfigMap", "ts-curl-responder").urn),
    );
  });

  it("converts a quota's numbers to strings, as the API stores them, and adds the defaults", () => {
    assert.deepEqual(one("core/v1:ResourceQuota", "ts-quota").inputs.spec, {
      hard: {
        "requests.cpu": "2",
        "requests.memory": "2Gi",
        "limits.memory": "4Gi",
        "requests.storage": "10Gi",
        pods: "5",
        services: "10",
        "services.loadbalancers": "0",
        "services.nodeports": "0",
      },
    });
  });

  it("sets default resources of containers", () => {
    assert.deepEqual(one("core/v1:LimitRange", "ts-limits").inputs.spec, {
      limits: [
        {
          type: "Container",
          defaultRequest: { cpu: "25m", memory: "32Mi" },
          default: { memory: "128Mi" },
          max: { memory: "1Gi" },
        },
      ],
    });
  });

  it("binds the role to the members' groups, and creates no binding without members", () => {
    assert.deepEqual(one("rbac.authorization.k8s.io/v1:RoleBinding", "ts-members").inputs.subjects, [
      { apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "ts-developers" },
    ]);
    assert.deepEqual(
      ofType(recording.resources, "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding").map((binding) => binding.name),
      ["ts-members"],
    );
  });

  it("grants members neither secrets, nor wildcards, nor rights that raise their own limits", () => {
    const { rules } = one("rbac.authorization.k8s.io/v1:Role", "ts-member").inputs;
    const text = JSON.stringify(rules);
    for (const word of ["*", "secrets", "escalate", "impersonate", "bind", "roles", "serviceaccounts"]) {
      assert.ok(!text.includes(`"${word}"`), word);
    }
    assert.match(text, /"resources":\["resourcequotas"|"resourcequotas"/);
    assert.ok(Array.isArray(rules));
    for (const rule of rules) {
      const resources = JSON.stringify(rule.resources);
      if (!/quota|limitrange|networkpolicies/.test(resources)) continue;
      assert.deepEqual(rule.verbs, ["get", "list", "watch"], resources);
    }
  });

  it("mounts no token", () => {
    assert.equal(one("core/v1:ServiceAccount", "ts-workload").inputs.automountServiceAccountToken, false);
  });

  it("creates a Service with the pod's name on port 80 that selects it", () => {
    const service = one("core/v1:Service", "sa-curl-service");
    assert.deepEqual(service.inputs.spec, {
      type: "ClusterIP",
      selector: { app: "curl-sa" },
      ports: [{ name: "http", port: 80, targetPort: 80, protocol: "TCP" }],
    });
    assert.deepEqual(
      [service.inputs.metadata, one("core/v1:Pod", "sa-curl-pod").inputs.metadata].map((metadata) =>
        typeof metadata === "object" && metadata !== null && "name" in metadata ? metadata.name : undefined,
      ),
      ["curl-sa", "curl-sa"],
    );
  });
});

describe("Team in another program", () => {
  const host = { clusterName: "prod", region: "eu-central-1", partition: "aws", tags: {} };
  const make = (args: object) =>
    record({ stack: "test", config: {}, preview: false }, async () => {
      const cluster = existingClusterHandle({ podIdentity: host, access: host });
      new Team("Bad_Name", { cluster, curlPod: false, ...args });
    });

  it("is rejected for an invalid name, by default the component's", async () => {
    await assert.rejects(make({}), /Bad_Name\.team: must be a string of lower-case letters/);
  });

  it("is rejected with all issues at once", async () => {
    const wrong = {
      team: "ts",
      namespaces: [{ name: "kube-system" }, { name: "Not_Valid" }],
      labels: { "a b": "c" },
      members: [""],
      memberRoles: ["not-an-arn"],
      podSecurity: { level: "privileged", reason: "" },
    };
    await assert.rejects(make(wrong), /: Invalid arguments \(6 errors\)\n/);
    const more = {
      quota: { podz: 3 },
      limits: { cpuRequest: "x" },
      ingress: [{ namespaces: ["B_"] }],
      egress: [{ cidrs: ["1.2.3"] }],
      podIdentity: { policyArns: ["x"] },
    };
    await assert.rejects(make({ ...wrong, ...more }), (error) => {
      assert.ok(error instanceof ArgumentsError);
      const paths = error.issues.map(({ path }) => path.slice(0, 2).join("."));
      for (const key of Object.keys({ ...wrong, ...more }))
        if (key !== "team") assert.ok(paths.includes(`Bad_Name.${key}`), `${key}: ${paths.join()}`);
      return true;
    });
    await assert.rejects(make({ team: "ts", namespaces: [] }), /Bad_Name\.namespaces: /);
  });

  it("is rejected for invalid peers and curl pods, like the settings", async () => {
    const wrong = {
      team: "ts",
      peers: ["sa", "Not_Valid", 7],
      curlPod: { lifetime: 5, ndots: "3", image: "docker.io/curlimages/curl:latest", responder: "x" },
    };
    await assert.rejects(make(wrong), ({ message }: Error) => {
      const names = message
        .split("\n")
        .slice(1)
        .map((line) => line.trim().split(": ")[0]);
      assert.deepEqual(names.sort(), [
        "Bad_Name.curlPod.image",
        "Bad_Name.curlPod.lifetime",
        "Bad_Name.curlPod.ndots",
        "Bad_Name.curlPod.responder",
        "Bad_Name.peers[1]",
        "Bad_Name.peers[2]",
      ]);
      return true;
    });
    await make({ team: "ts", peers: undefined, curlPod: undefined });
    const image = pulumi.output("registry.example.com/curl:8");
    const { resources } = await make({ team: "ts", peers: ["sa"], curlPod: { lifetime: "infinity", image } });
    const { spec } = find(resources, "kubernetes:core/v1:Pod", "Bad_Name-curl-pod").inputs;
    assert.match(JSON.stringify(spec), /"image":"registry\.example\.com\/curl:8"/);
  });

  it("is rejected like its pod alone", async () => {
    const alone = (team: string, pod: object) =>
      record({ stack: "test", config: {}, preview: false }, async () => {
        const namespace = new pulumi.ComponentResource("test:Namespace", "namespace");
        new CurlPod("curl", { team, pod, serviceAccount: "default", namespace }, {});
      });
    await assert.rejects(alone("Not_Valid", { ndots: 99 }), /curl\.team: must be .*[\s\S]*curl\.pod\.ndots: must be/);
    const { resources } = await alone("ts", { ndots: 2 });
    assert.match(JSON.stringify(find(resources, "kubernetes:core/v1:Pod", "curl-pod").inputs.spec), /"value":"2"/);
  });

  it("has the DNS name in the domain of its resolver", async () => {
    const names: string[] = [];
    await record({ stack: "test", config: {}, preview: false }, async () => {
      const namespace = new pulumi.ComponentResource("test:Namespace", "namespace");
      const dns = { nameservers: ["169.254.20.10"], clusterDomain: "corp.internal" };
      for (const args of [{}, { dns }])
        names.push(
          new CurlPod(`curl${names.length}`, { team: "ts", serviceAccount: "default", namespace, ...args }, {}).dnsName,
        );
    });
    assert.deepEqual(names, ["curl-ts.ts-team.svc.cluster.local", "curl-ts.ts-team.svc.corp.internal"]);
  });

  it("accepts labels that are outputs", async () => {
    const { resources } = await make({ team: "ts", labels: { tier: pulumi.output("web") } });
    const { metadata } = find(resources, "kubernetes:core/v1:Namespace", "Bad_Name-namespace").inputs;
    assert.match(JSON.stringify(metadata), /"tier":"web"/);
  });
});
