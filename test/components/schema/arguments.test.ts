import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { checkedInputs, holdsOutput } from "../../../components/schema/arguments.ts";
import { SettingsError } from "../../../components/schema/errors.ts";

describe("the arguments of a component", () => {
  let library: object;
  let cluster: unknown;
  before(async () => {
    await pulumi.runtime.setMocks({
      newResource: ({ name, inputs, id }) => ({ id: id ?? `${name}-id`, state: inputs }),
      call: ({ inputs }) => inputs,
    });
    library = await import("../../../components/index.ts");
    cluster = Reflect.get(create("ExistingCluster"), "handle");
  });

  /** Creates a component as a program without types does. */
  const create = (component: string, args?: object): object =>
    Reflect.construct(Reflect.get(library, component), ["own", args]);

  /** The one error for arguments; undefined if there is none. */
  const errorOf = (component: string, args?: object): string | undefined => {
    try {
      create(component, args);
      return undefined;
    } catch (error) {
      assert.ok(error instanceof SettingsError, `${component}: ${error}`);
      return error.message.split("\n  ").slice(1).join("; ");
    }
  };
  const ofTeam = (args: object) => errorOf("Team", { cluster, curlPod: false, ...args });

  it("have a known name", () => {
    const known = "unknown key, must be one of";
    assert.match(
      ofTeam({ lables: { a: "b" } }) ?? "",
      new RegExp(`^own\\.lables: ${known} cluster, team, namespaces, `),
    );
    assert.equal(
      errorOf("ExistingCluster", { kubeConfig: "a" }),
      `own.kubeConfig: ${known} kubeconfig, context, identifier, ipFamily, networkPolicies`,
    );
    const eks = { region: "eu-central-1", name: "prod" };
    assert.match(errorOf("ExistingEksCluster", { ...eks, vpc: {} }) ?? "", new RegExp(`^own\\.vpc: ${known} region, `));
    assert.match(
      errorOf("Monitoring", { cluster, team: [] }) ?? "",
      new RegExp(`^own\\.team: ${known} cluster, kind, `),
    );
    assert.match(
      errorOf("NodeLocalCache", { cluster, dns: 1 }) ?? "",
      new RegExp(`^own\\.dns: ${known} cluster, mode, `),
    );
  });

  it("may be the settings of such a component, as a whole", () => {
    assert.equal(errorOf("ExistingCluster", { kind: "existing" }), undefined);
    assert.equal(ofTeam({ name: "shop", team: "shop" }), undefined);
  });

  it("are no output of a list, nor of a group whose keys determine what is created", () => {
    for (const key of ["podIdentity", "sidecar"])
      assert.equal(ofTeam({ [key]: pulumi.output({}) }), `own.${key}: must be an object, not an output`);
    assert.equal(ofTeam({ network: pulumi.output({}) }), "own.network: must be a plain value, not an output");
    for (const key of ["members", "memberRoles", "dependsOn"])
      assert.equal(ofTeam({ [key]: Promise.resolve([]) }), `own.${key}: must be an array, not an output`);
    assert.equal(
      ofTeam({ network: { dnsAddresses: pulumi.output(["10.0.0.10"]) } }),
      "own.network.dnsAddresses: must be a plain value, not an output",
    );
    assert.equal(ofTeam({ members: [pulumi.output("a")], labels: { a: pulumi.output("b") } }), undefined);
    const all = { quota: pulumi.output({ pods: 5 }), limits: pulumi.output({}), labels: pulumi.output({}) };
    assert.equal(ofTeam(all), undefined);
  });

  it("are a list where several are expected", () => {
    const pod = new pulumi.ComponentResource("test:index:Pod", "pod");
    assert.equal(ofTeam({ dependsOn: pod }), "own.dependsOn: must be an array");
    assert.equal(errorOf("Monitoring", { cluster, dependsOn: pod }), "own.dependsOn: must be an array");
    assert.equal(errorOf("NodeLocalCache", { cluster, dependsOn: pod }), "own.dependsOn: must be an array");
    assert.equal(
      errorOf("Monitoring", { cluster, dnsAddresses: "10.0.0.1" }),
      'own.dnsAddresses: must be an array (found "10.0.0.1")',
    );
    assert.equal(ofTeam({ sidecar: "fluent-bit" }), 'own.sidecar: must be an object (found "fluent-bit")');
  });

  it("are there", () => {
    for (const component of ["Team", "Monitoring", "NodeLocalCache", "ExistingEksCluster"])
      assert.match(errorOf(component) ?? "", /^own: must be an object whose keys are among \w+, .*, but is not set$/);
    for (const component of ["CoreDns", "LogCollection"])
      assert.match(errorOf(component) ?? "", /^own\.cluster: must be the output `handle` of EksCluster, /);
  });

  it("name a region where an EKS cluster is", () => {
    for (const component of ["EksCluster", "ExistingEksCluster"])
      assert.equal(
        errorOf(component, { region: "Frankfurt", name: "prod" }),
        'own.region: must be an AWS region, such as eu-central-1 (found "Frankfurt")',
      );
  });

  it("are texts where they become a part of a name or an image", () => {
    assert.equal(
      errorOf("ExistingCluster", { context: pulumi.output("kind") }),
      "own.context: must be a plain value, not an output",
    );
    const image = { cluster, destination: { kind: "stdout" }, image: 1 };
    assert.match(errorOf("LogCollection", image) ?? "", /^own\.image: must be .* \(found 1\)$/);
  });
});

const Args = z.strictObject({ names: z.array(z.string().min(2)).default(["none"]) });

/** The value of an output, as the engine would get it. */
const settled = async (output: pulumi.Output<unknown>) =>
  (await pulumi.runtime.serializeProperties("test", { output })).output;

describe("arguments that may hold outputs", () => {
  it("are distinguished from plain ones at any depth", () => {
    assert.equal(holdsOutput({ a: [{ b: pulumi.output("c") }] }), true);
    assert.equal(holdsOutput({ a: [Promise.resolve("c")] }), true);
    assert.equal(holdsOutput({ a: ["c", null, undefined, 5] }), false);
  });

  it("are checked at once if they are known", async () => {
    assert.throws(() => checkedInputs("team", Args, { names: ["a"] }), /team\.names\[0\]: /);
    assert.deepEqual(await settled(checkedInputs("team", Args, {})), { names: ["none"] });
  });

  it("are checked as soon as they are known", async () => {
    const later = (name: string) => settled(checkedInputs("team", Args, { names: [pulumi.output(name)] }));
    assert.deepEqual(await later("ab"), { names: ["ab"] });
    await assert.rejects(later("a"), /team\.names\[0\]: /);
  });

  it("are not shown if they are secret and invalid, nor in another issue's message", async () => {
    const Words = z
      .strictObject({ words: z.array(z.string().regex(/^\w+$/, "must be a word")) })
      .superRefine(({ words }, context) => {
        if (words.length > 1)
          context.addIssue({ code: "custom", path: ["words"], message: `must not be ${words.join()}` });
      });
    const errorOf = async (...words: pulumi.Input<string>[]) => {
      const found = await settled(checkedInputs("team", Words, { words })).catch((error: unknown) => error);
      assert.ok(found instanceof Error);
      return found.message.split("\n").slice(1);
    };
    assert.deepEqual(await errorOf(pulumi.output("hunter 2")), ['  team.words[0]: must be a word (found "hunter 2")']);
    assert.deepEqual(await errorOf(pulumi.secret("hunter 2")), ["  team.words[0]: must be a word"]);
    assert.deepEqual(await errorOf(pulumi.secret("hunter"), "two"), ["  team.words: must not be (secret),(secret)"]);
  });

  it("are not shown if they are secret numbers, or keys of a secret map, and change no word that has their letters", async () => {
    const Sizes = z.record(z.string(), z.literal("ok", "must be ok, not -7 or e"));
    const errorOf = async (given: unknown) => {
      const found = await settled(checkedInputs("team", Sizes, given)).catch((error: unknown) => error);
      assert.ok(found instanceof Error);
      return found.message.split("\n").slice(1);
    };
    assert.deepEqual(await errorOf({ a: pulumi.secret(-7), b: "e" }), [
      "  team.a: must be ok, not (secret) or (secret)",
      "  team.b: must be ok, not (secret) or (secret)",
    ]);
    assert.deepEqual(await errorOf({ a: pulumi.output(5) }), ["  team.a: must be ok, not -7 or e (found 5)"]);
    assert.deepEqual(await errorOf({ a: pulumi.secret(true) }), ["  team.a: must be ok, not -7 or e"]);
    assert.deepEqual(await errorOf(pulumi.secret({ hunter: 5 })), ['  team["(secret)"]: must be ok, not -7 or e']);
  });
});
