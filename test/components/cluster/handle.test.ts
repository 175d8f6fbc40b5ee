import assert from "node:assert/strict";
import { homedir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { ExistingCluster, ExistingEksCluster } from "../../../components/cluster/existing-cluster.ts";
import { type ClusterHandle, policyWarnings } from "../../../components/cluster/handle.ts";
import { createCluster } from "../../../components/cluster/index.ts";
import { ClusterSettings } from "../../../components/cluster/settings.ts";
import { CoreDns, LogCollection, Monitoring, Team } from "../../../components/index.ts";
import { ArgumentsError } from "../../../components/schema/errors.ts";
import { record } from "../../../lab/plan/plan.ts";
import { find } from "../../support/find.ts";
import { recordCluster, standardCluster } from "./recorded.ts";

const PROVIDER = "pulumi:providers:kubernetes";

describe("handle of an EKS cluster", () => {
  it("takes add-ons and pod identities, and enforces network policies", async () => {
    const { handle, resources } = await standardCluster();
    const tags = { "eks-dns-logging/stack": "dev" };
    assert.equal(handle.name, "eks-dns-logging");
    assert.equal(handle.enforcesNetworkPolicies, true);
    assert.deepEqual(handle.addons, { clusterName: "eks-dns-logging", kubernetesVersion: "1.36", tags });
    const { agent, ...identity } = handle.podIdentity ?? assert.fail("no pod identities");
    assert.deepEqual(identity, {
      clusterName: "eks-dns-logging",
      region: "eu-central-1",
      partition: "aws",
      tags,
    });
    assert.ok(agent?.urn !== undefined);
    assert.ok(resources.some(({ name }) => name === "cluster-eks-pod-identity-agent"));
  });

  it("needs a region", async () => {
    await assert.rejects(
      record({ stack: "dev", config: {} }, async () => {
        createCluster(ClusterSettings.parse({ kind: "eks" }), undefined);
      }),
      /without a region/,
    );
  });
});

describe("handle of an existing cluster", () => {
  it("creates only a provider with the current kubeconfig", async () => {
    const { handle, resources, outputs } = await recordCluster({ kind: "existing" });
    assert.deepEqual(
      resources.map(({ type, name }) => [type, name]),
      [
        ["eks-dns-logging:cluster:ExistingCluster", "cluster"],
        [PROVIDER, "cluster-kubernetes"],
      ],
    );
    assert.deepEqual(find(resources, PROVIDER, "cluster-kubernetes").inputs, {
      // Not the value of KUBECONFIG, whatever it is here.
      kubeconfig: "",
      clusterIdentifier: "eks-dns-logging-existing",
      enableConfigMapMutable: "true",
      enableServerSideApply: "true",
    });
    assert.equal(handle.name, "current");
    assert.deepEqual(handle.ready, []);
    assert.equal(handle.addons, undefined);
    assert.equal(handle.podIdentity, undefined);
    assert.equal(handle.enforcesNetworkPolicies, false);
    assert.equal(outputs.kubeconfig ?? undefined, undefined);
  });

  it("enforces network policies where its owner says so, and never on Fargate", async () => {
    const { handle } = await recordCluster({ kind: "existing", networkPolicies: true });
    assert.equal(handle.enforcesNetworkPolicies, true);
    const name = "prod";
    assert.deepEqual(policyWarnings({ name, enforcesNetworkPolicies: true }), []);
    assert.deepEqual(policyWarnings({ name }), [
      "network policies are not known to be enforced on cluster prod: set its networkPolicies to true where its network does",
    ]);
    assert.deepEqual(policyWarnings({ name, runsDaemonSets: false, enforcesNetworkPolicies: true }), [
      "network policies have no effect on cluster prod, whose pods run on Fargate, which enforces none",
    ]);
  });

  it("names file and context, but is not known by them", async () => {
    const { handle, resources } = await recordCluster({
      kind: "existing",
      kubeconfig: "~/lab.yaml",
      context: "kind-lab",
    });
    assert.equal(handle.name, "kind-lab");
    assert.deepEqual(find(resources, PROVIDER, "cluster-kubernetes").inputs, {
      kubeconfig: join(homedir(), "lab.yaml"),
      context: "kind-lab",
      clusterIdentifier: "eks-dns-logging-existing",
      enableConfigMapMutable: "true",
      enableServerSideApply: "true",
    });
  });

  it("finds a file in the home folder by an output too", async () => {
    const { resources } = await record({ stack: "dev", config: {} }, async () => {
      new ExistingCluster("lab", { kubeconfig: pulumi.secret("~/lab.yaml") });
    });
    const { inputs, secrets } = find(resources, PROVIDER, "lab-kubernetes");
    assert.deepEqual([inputs.kubeconfig, secrets], [join(homedir(), "lab.yaml"), ["kubeconfig"]]);
  });

  it("refuses wrong arguments of a program, all of them at once and by their names", async () => {
    const wrong: object = { context: 5, ipFamily: "ipv5", networkPolicies: "yes", identifier: "" };
    await record({ stack: "dev", config: {} }, async () => {
      assert.throws(() => new ExistingCluster("lab", wrong), {
        message: [
          "Invalid arguments (4 errors)",
          "  lab.context: must be a string (found 5)",
          '  lab.identifier: must be a name of your choice (found "")',
          '  lab.ipFamily: must be one of ipv4, ipv6 (found "ipv5")',
          '  lab.networkPolicies: must be true or false (found "yes")',
        ].join("\n"),
      });
      const eks: object = { kubernetesVersion: "1.0", compute: "x", serviceCidr: "z", tags: { "aws:x": "y" } };
      const paths = (args: object) => {
        try {
          new ExistingEksCluster("prod", { region: "eu-central-1", name: "prod", ...args });
        } catch (error) {
          assert.ok(error instanceof ArgumentsError);
          return error.issues.map(({ path }) => path.join("."));
        }
        return [];
      };
      assert.deepEqual(paths({ ...eks, name: "A B" }), [
        "prod.name",
        "prod.kubernetesVersion",
        "prod.compute",
        "prod.serviceCidr",
        "prod.tags.aws:x",
      ]);
      assert.deepEqual(paths({ compute: "fargate", podIdentityAgent: true }), ["prod.podIdentityAgent"]);
      assert.deepEqual(paths({ name: pulumi.output("prod"), tags: { owner: pulumi.output("a") } }), []);
    });
  });

  it("is another cluster if the settings say so", async () => {
    const { resources } = await recordCluster({ kind: "existing", identifier: "second" });
    assert.equal(find(resources, PROVIDER, "cluster-kubernetes").inputs.clusterIdentifier, "second");
  });
});

describe("the argument cluster", () => {
  /** A value that only TypeScript would refuse. */
  const inJavaScript = (cluster: unknown): { cluster: ClusterHandle } =>
    Object.assign({}, JSON.parse("{}"), { cluster });

  it("must be a handle, and not the component that has it", async () => {
    const message =
      /^Invalid arguments \(1 error\)\n {2}x\.cluster: must be the output `handle` of EksCluster, ExistingEks/;
    for (const create of [
      (args: { cluster: ClusterHandle }) => new Team("x", args),
      (args: { cluster: ClusterHandle }) => new CoreDns("x", args),
      (args: { cluster: ClusterHandle }) => new LogCollection("x", args),
      (args: { cluster: ClusterHandle }) => new Monitoring("x", args),
    ]) {
      const made = (given: (lab: ExistingCluster) => unknown) =>
        record({ stack: "dev", config: {} }, async () => {
          create(inJavaScript(given(new ExistingCluster("lab"))));
        });
      await assert.rejects(
        made((lab) => lab),
        { message },
      );
      await assert.rejects(
        made(() => undefined),
        { message },
      );
      await made(({ handle }) => handle);
    }
  });
});
