import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { planStack, record } from "../../../lab/plan/plan.ts";
import { policyReport } from "../../../lab/plan/policy-report.ts";
import { asJson, UNKNOWN } from "../../../lab/plan/recording.ts";

describe("record", () => {
  const program = async () => {
    const first = new k8s.core.v1.Namespace("first", { metadata: { name: "first" } });
    new k8s.core.v1.Secret(
      "second",
      {
        metadata: { name: first.id, namespace: first.metadata.name },
        stringData: { password: pulumi.secret("hidden") },
      },
      {
        dependsOn: first,
        protect: true,
        deleteBeforeReplace: true,
        deletedWith: first,
        customTimeouts: { create: "3m" },
      },
    );
    return { plain: "shown", password: pulumi.secret("hidden") };
  };

  it("keeps what a preview does not know as unknown, and says which inputs are secret", async () => {
    const { resources } = await record({ stack: "dev", config: {} }, program);
    const second = resources.find((resource) => resource.name === "second");
    assert.deepEqual(second?.inputs.metadata, { name: UNKNOWN, namespace: "first" });
    assert.deepEqual(second?.unknowns, ["metadata.name"]);
    assert.deepEqual(
      second?.secrets,
      ["stringData.password"].map((path) => path.split(".")[0]),
    );
  });

  it("returns ids and outputs as after a deployment, unless it is a preview", async () => {
    const { resources } = await record({ stack: "dev", config: {}, preview: false }, program);
    const second = resources.find((resource) => resource.name === "second");
    assert.deepEqual(second?.inputs.metadata, { name: "first_id", namespace: "first" });
    assert.deepEqual(second?.unknowns, []);
  });

  it("hides secrets below keys with a dot, and within an output", async () => {
    const plan = await record({ stack: "dev", config: {} }, async () => {
      const labels = { "pod-security.kubernetes.io/enforce": pulumi.secret("hidden") };
      new k8s.core.v1.Namespace("first", { metadata: { name: "first", labels } });
      return { plain: "shown", database: { user: "me", password: pulumi.secret("hidden") } };
    });
    assert.deepEqual(plan.resources[0]?.secrets, ['metadata.labels["pod-security.kubernetes.io/enforce"]']);
    assert.deepEqual(plan.secretOutputs, ["database"]);
    const [finding] = policyReport(plan).findings.filter(({ rule }) => rule === "tenancy-pod-security");
    assert.match(finding?.message ?? "", /enforce"\] \(secret, value not shown\) does not comply/);
    assert.doesNotMatch(JSON.stringify([asJson("dev", plan), policyReport(plan)]), /hidden/);
  });

  it("sees parents, dependencies and options, which mocks do not", async () => {
    const { resources } = await record({ stack: "dev", config: {} }, program);
    const [first, second] = resources;
    assert.equal(second?.type, "kubernetes:core/v1:Secret");
    assert.deepEqual(second?.dependencies, [first?.urn]);
    assert.equal(second?.parent, "urn:pulumi:dev::eks-dns-logging::pulumi:pulumi:Stack::eks-dns-logging-dev");
    assert.equal(second?.protect, true);
    assert.equal(second?.deleteBeforeReplace, true);
    assert.deepEqual([first?.deletedWith, second?.deletedWith], ["", first?.urn]);
    assert.equal(second?.timeouts.create, "3m");
    assert.equal(second?.custom, true);
  });

  it("sees the URNs that aliases give a resource, below its own parents", async () => {
    const { resources } = await record({ stack: "dev", config: {} }, async () => {
      const parent = new pulumi.ComponentResource("lab:Outer", "a");
      const aliases = [{ name: "old" }, { name: "new" }, { name: "old" }];
      new k8s.core.v1.Namespace("new", { metadata: { name: "n" } }, { parent, aliases });
    });
    assert.deepEqual(
      resources.map(({ formerUrns }) => formerUrns),
      [[], ["urn:pulumi:dev::eks-dns-logging::lab:Outer$kubernetes:core/v1:Namespace::old"]],
    );
  });

  it("writes URNs as the engine does, with the types of all parents but the stack", async () => {
    const { resources } = await record({ stack: "dev", config: {} }, async () => {
      const outer = new pulumi.ComponentResource("lab:Outer", "a");
      const inner = new pulumi.ComponentResource("lab:Inner", "b", {}, { parent: outer });
      new k8s.core.v1.Namespace("c", { metadata: { name: "c" } }, { parent: inner });
    });
    const project = "urn:pulumi:dev::eks-dns-logging";
    assert.deepEqual(
      resources.map(({ urn }) => urn),
      [
        `${project}::lab:Outer::a`,
        `${project}::lab:Outer$lab:Inner::b`,
        `${project}::lab:Outer$lab:Inner$kubernetes:core/v1:Namespace::c`,
      ],
    );
    assert.equal(resources[2]?.parent, resources[1]?.urn);
  });

  it("refuses two resources of one URN, as the engine does", async () => {
    const twice = record({ stack: "dev", config: {} }, async () => {
      for (const name of ["a", "b"]) new k8s.core.v1.Namespace("first", { metadata: { name } });
    });
    await assert.rejects(twice, {
      message:
        "internal error: two resources have the URN urn:pulumi:dev::eks-dns-logging::kubernetes:core/v1:Namespace::first, which the engine refuses",
    });
  });

  it("returns the stack's outputs and names the secret ones", async () => {
    const { outputs, secretOutputs } = await record({ stack: "dev", config: {} }, program);
    assert.deepEqual(outputs, { plain: "shown", password: "hidden" });
    assert.deepEqual(secretOutputs, ["password"]);
  });

  it("throws what the program throws", async () => {
    await assert.rejects(
      record({ stack: "dev", config: {} }, async () => {
        throw new Error("wrong settings");
      }),
      /wrong settings/,
    );
  });

  it("throws the message of a failed input once, for all resources that depend on it", async () => {
    const failing = record({ stack: "dev", config: {} }, async () => {
      const name = pulumi.output("").apply((): string => {
        throw new pulumi.RunError("cluster.vpc.zones: the region has 3 zones, not 4");
      });
      const first = new k8s.core.v1.Namespace("first", { metadata: { name } });
      new k8s.core.v1.Namespace("second", { metadata: { name: first.metadata.name } });
      return { name: first.metadata.name };
    });
    await assert.rejects(failing, {
      name: "Failure",
      message: "cluster.vpc.zones: the region has 3 zones, not 4",
      exitCode: 2,
    });
  });

  it("keeps the rest of a run that failed out of the next one", async () => {
    const failing = record({ stack: "dev", config: {} }, async () => {
      const wrong = pulumi.output("").apply((): string => {
        throw new pulumi.RunError("no such name");
      });
      new k8s.core.v1.Namespace("wrong", { metadata: { name: wrong } });
      await wait(50);
      new k8s.core.v1.Namespace("late", { metadata: { name: wrong } });
      new k8s.core.v1.Namespace("later", {});
    });
    await assert.rejects(failing, /^Failure: no such name$/);
    const { resources } = await record({ stack: "dev", config: {} }, async () => {
      await wait(100);
      new k8s.core.v1.Namespace("own", {});
    });
    assert.deepEqual(
      resources.map(({ name }) => name),
      ["own"],
    );
  });

  it("disables stack traces during the run, and restores them afterwards", async () => {
    const limit = Error.stackTraceLimit;
    const { outputs } = await record({ stack: "dev", config: {} }, async () => {
      // As Pulumi does for each resource.
      Error.stackTraceLimit = Number.POSITIVE_INFINITY;
      return { hasTrace: new Error("x").stack !== undefined };
    });
    assert.deepEqual(outputs, { hasTrace: false });
    assert.equal(Error.stackTraceLimit, limit);
  });

  it("runs again with stack traces after an unexpected failure", async () => {
    const traces: boolean[] = [];
    const failing = record({ stack: "dev", config: {} }, async () => {
      traces.push(new Error("x").stack !== undefined);
      throw new Error("unforeseen");
    });
    await assert.rejects(failing, (error: Error) => /unforeseen.*recorder\.test\.ts/s.test(error.stack ?? ""));
    assert.deepEqual(traces, [false, true]);
  });
});

describe("planStack", () => {
  it("gives a region as many zones as a VPC may have", async () => {
    const config = { "aws:region": "us-east-1", "eks-dns-logging:cluster": '{"kind":"eks","vpc":{"zones":6}}' };
    const { resources } = await planStack({ name: "zones", config });
    const zones = resources
      .filter(({ name }) => name.startsWith("cluster-vpc-private-"))
      .flatMap(({ inputs }) => inputs.availabilityZone ?? []);
    assert.deepEqual(
      zones.sort(),
      ["a", "b", "c", "d", "e", "f"].map((letter) => `us-east-1${letter}`),
    );
  });

  it("reports issues in the settings once, unchanged", async () => {
    const config = { "eks-dns-logging:cluster": '{"kind":"none"}' };
    await assert.rejects(planStack({ name: "wrong", config }), { name: "SettingsError" });
  });
});
