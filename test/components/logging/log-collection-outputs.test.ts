import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { LogCollection } from "../../../components/logging/log-collection.ts";
import type { LogCollectionArgs } from "../../../components/logging/log-collection-args.ts";
import { record } from "../../../lab/plan/plan.ts";
import type { Recording } from "../../../lab/plan/recording.ts";
import { existingClusterHandle } from "../../support/cluster-handle.ts";
import { find } from "../../support/find.ts";
import { collect, podOf } from "./recorded-collection.ts";

describe("LogCollection", () => {
  describe("with an address known only during deployment", () => {
    const settings = { destination: { kind: "opensearch", host: "search.example.com", port: 443 } } as const;
    /** The component with the host as an output of another resource. */
    const collectFrom = (host: string, preview: boolean, args: Partial<LogCollectionArgs> = {}) =>
      record({ stack: "test", config: {}, preview, outputs: () => ({ host }) }, async () => {
        const domain = new Domain("domain", { host: undefined });
        const destination = { ...settings.destination, host: domain.host };
        const logs = new LogCollection("logs", { ...args, destination, cluster: existingClusterHandle() });
        return { destination: logs.destination };
      });
    const inputsOf = ({ resources }: Recording) =>
      [
        find(resources, "kubernetes:core/v1:ConfigMap", "logs-fluent-bit-config"),
        find(resources, "kubernetes:apps/v1:DaemonSet", "logs-fluent-bit-daemonset"),
      ].map(({ inputs }) => inputs);

    it("renders what it renders for the same address as a string", async () => {
      // The other cluster has another name.
      const metadata = { cluster: false };
      const found = await collectFrom("search.example.com", false, { metadata });
      assert.deepEqual(inputsOf(found), inputsOf(await collect({ ...settings, metadata })));
      assert.equal(found.outputs.destination, "opensearch at https://search.example.com:443");
    });

    it("leaves the configuration and its hash unknown in a preview, and the rest of the pod known", async () => {
      const found = await collectFrom("search.example.com", true);
      const [config, daemonSet] = inputsOf(found);
      assert.doesNotMatch(JSON.stringify(config), /known-after-deployment/);
      assert.match(JSON.stringify(daemonSet), /"image":"cr.fluentbit.io/);
    });

    it("fails for an address that cannot work", async () => {
      await assert.rejects(
        collectFrom("search-x.eu-central-1.es.amazonaws.com", false),
        /logs\.destination\.sigv4: must be set for a domain of Amazon OpenSearch Service/,
      );
    });

    it("is rejected for sidecars, whose network policies need the address", async () => {
      await assert.rejects(
        collectFrom("search.example.com", false, { mode: "sidecar" }),
        /logs\.destination\.host: must be a string, not an output, with mode sidecar/,
      );
    });
  });

  it("accepts an image known only during deployment", async () => {
    const image = pulumi.output(Promise.resolve("registry.example.com/fluent-bit:5.1.1"));
    assert.equal(
      podOf(await collect({ image }), "fluent-bit").containers[0].image,
      "registry.example.com/fluent-bit:5.1.1",
    );
  });
});

/** A resource whose address a provider gives. */
class Domain extends pulumi.CustomResource {
  declare readonly host: pulumi.Output<string>;

  constructor(name: string, props: pulumi.Inputs) {
    super("test:index:Domain", name, props);
  }
}
