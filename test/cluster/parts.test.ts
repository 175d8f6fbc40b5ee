import assert from "node:assert/strict";
import { KubeConfig, type KubernetesObject } from "@kubernetes/client-node";
import { parseSettings } from "../../components/settings.ts";
import { kubeCluster } from "../../lab/kubernetes/client.ts";
import { manifestsOf } from "../../lab/plan/manifests.ts";
import { planStack } from "../../lab/plan/plan.ts";
import { allChecks, checkInputOf } from "../../lab/verify/catalog.ts";
import { Lab } from "../../lab/verify/lab.ts";
import { runChecks } from "../../lab/verify/verify.ts";
import { COMBINATIONS, type Config, onlyParts, type Part } from "../support/parts.ts";
import { removeAll, TestCluster, until } from "./cluster.ts";

const STACK: Config = {
  "eks-dns-logging:cluster": '{"kind":"existing"}',
  "eks-dns-logging:teams": '[{"name":"parts-a","peers":["parts-b"]},{"name":"parts-b"}]',
  "eks-dns-logging:logging": '{"destination":{"kind":"stdout"}}',
};
const PODS = ["parts-a", "parts-b"].map((team) => [`${team}-team`, `curl-${team}`] as const);

/** Names take most of the time, and lab.test.ts tries all of them. The collector's image may be out of reach of a test cluster. */
const LEFT_OUT = /^(dns|curl|ping|deny|collector|backlog)\b/;

/** One after another as few objects as possible come and go: curl pods and the collector take half a minute to end. */
const ORDER = [false, true].flatMap((logging) => {
  const some = COMBINATIONS.filter((present) => present.includes("logging") === logging);
  const growing = some.toSorted((one, other) => rank(one) - rank(other));
  return logging ? growing.toReversed() : growing;
});

function rank(present: readonly Part[]): number {
  const bits = (["teams", "curlPods", "dns"] as const).map((part) => (present.includes(part) ? "1" : "0"));
  return Number.parseInt(bits.join(""), 2);
}

const keyOf = ({ kind, metadata }: KubernetesObject) => `${kind}/${metadata?.namespace ?? ""}/${metadata?.name}`;

describe("the parts of a stack on a real cluster, from their manifests", function () {
  this.timeout(120_000);
  const cluster = new TestCluster();
  const config = new KubeConfig();
  let standing: readonly KubernetesObject[] = [];

  before(async () => {
    config.loadFromDefault();
    for (const namespace of ["logging", ...PODS.map(([name]) => name)])
      assert.ok(!(await cluster.hasNamespace(namespace)), `namespace ${namespace} is there already`);
  });

  after(() => removeAll(cluster, standing));

  for (const present of ORDER) {
    it(`${present.join(", ")}: admitted, verified by their own rows, and removed`, async () => {
      const stack = onlyParts(STACK, present);
      const { resources } = await planStack({ name: "parts", config: stack });
      const objects = manifestsOf(resources).map(({ object }): KubernetesObject => JSON.parse(JSON.stringify(object)));
      const keys = new Set(objects.map(keyOf));
      await removeAll(
        cluster,
        standing.filter((object) => !keys.has(keyOf(object))),
      );
      standing = standing.filter((object) => keys.has(keyOf(object)));
      for (const object of objects) {
        if (standing.some((other) => keyOf(other) === keyOf(object))) continue;
        await cluster.apply(object);
        standing = [...standing, object];
      }

      const hasPods = present.includes("teams") && present.includes("curlPods");
      if (hasPods)
        for (const [namespace, name] of PODS)
          await until(`pod ${name} is ready`, () => cluster.podIsReady(namespace, name));
      const checks = allChecks(checkInputOf("parts", parseSettings(stack), 10)).filter(({ id }) => !LEFT_OUT.test(id));
      const rows = await runChecks(checks, new Lab(kubeCluster(config)), { parallel: 8 });
      assert.deepEqual(
        rows.filter(({ status }) => status !== "pass"),
        [],
      );
      const families = new Set(rows.map(({ group }) => group));
      const expected = [
        ...(present.includes("dns") ? ["coredns"] : []),
        ...(present.includes("dns") || present.includes("logging") ? ["restarts"] : []),
        ...(present.includes("logging") ? ["state"] : []),
        ...(hasPods ? ["pods", "service", "resolver", "logs"] : []),
        ...(present.includes("teams") && !hasPods ? ["namespace"] : []),
      ];
      assert.deepEqual([...families].toSorted(), expected.toSorted());
      assert.equal(await cluster.hasNamespace("logging"), present.includes("logging"));
      assert.equal(await cluster.hasNamespace("parts-a-team"), present.includes("teams"));
    });
  }
});
