import assert from "node:assert/strict";
import { parseSettings } from "../../../components/settings.ts";
import type { Cluster } from "../../../lab/kubernetes/cluster.ts";
import { allChecks, checkInputOf } from "../../../lab/verify/catalog.ts";
import { lookupCheck, resolverCheck } from "../../../lab/verify/checks/dns.ts";
import { clusterDomain, Lab } from "../../../lab/verify/lab.ts";
import { type Execute, failed, fakeCluster, notFound, ran } from "./fake-cluster.ts";

const TS_SA = { from: "ts", to: "sa" };

/** What a pod of a cluster with another domain has in its resolv.conf. */
const corp: Execute = ([program], pod) =>
  program === "cat"
    ? ran(`search ${pod.namespace}.svc.k8s.corp svc.k8s.corp k8s.corp\nnameserver 10.96.0.10\noptions ndots:3\n`)
    : failed(6, "Could not resolve host");

function serving(zones: string): Partial<Cluster> {
  return { configMap: async () => ({ Corefile: `.:53 {\n  kubernetes ${zones}\n  forward . /etc/resolv.conf\n}\n` }) };
}

/** The domain that is found, and how many sessions in pods that took. */
async function found(changes: Partial<Cluster>, execute: Execute, stated?: string) {
  let sessions = 0;
  const cluster = fakeCluster(changes, (command, pod) => {
    sessions += 1;
    return execute(command, pod);
  });
  return [await clusterDomain(new Lab(cluster), ["ts", "sa"], stated), sessions];
}

describe("the cluster domain", () => {
  it("is what the stack states, without any query", async () => {
    assert.deepEqual(await found(serving("other.local"), corp, "k8s.corp"), ["k8s.corp", 0]);
    const stack = (domain: string) => ({
      "eks-dns-logging:cluster": JSON.stringify({ kind: "existing" }),
      "eks-dns-logging:dns": JSON.stringify({ corefile: { options: { clusterDomain: domain } } }),
    });
    const input = checkInputOf("local", parseSettings(stack("K8s.corp.")), 1);
    assert.equal(input.clusterDomain, "k8s.corp");
    const full = allChecks(input).find(({ id }) => id === "curl:ts:sa:full");
    assert.equal(full?.to, "curl-sa.sa-team.svc.k8s.corp");
  });

  it("is the default if the Corefile only serves that, or no pod shows it", async () => {
    assert.deepEqual(await found(serving("cluster.local in-addr.arpa ip6.arpa"), corp), ["cluster.local", 0]);
    assert.deepEqual(await found(serving("k8s.corp"), () => ran("nameserver 10.0.0.2\n")), ["cluster.local", 2]);
  });

  it("is the one in the pods' search list if the Corefile serves another, rightly or not", async () => {
    assert.deepEqual(await found(serving("k8s.corp in-addr.arpa ip6.arpa"), corp), ["k8s.corp", 1]);
    assert.deepEqual(await found(serving("cluster.local k8s.corp"), corp), ["k8s.corp", 1]);
    const usual: Execute = (_, pod) => ran(`search ${pod.namespace}.svc.cluster.local svc.cluster.local\n`);
    assert.deepEqual(await found(serving("wrong.internal"), usual), ["cluster.local", 1]);
  });

  it("comes from the next pod if one does not run, and from none if the Corefile cannot be read", async () => {
    const pod: Cluster["pod"] = async (namespace, name) => {
      if (name === "curl-ts") throw notFound("pod");
      return fakeCluster().pod(namespace, name);
    };
    assert.deepEqual(await found({ ...serving("k8s.corp"), pod }, corp), ["k8s.corp", 1]);
    const configMap = async () => {
      throw notFound("configmap");
    };
    assert.deepEqual(await found({ configMap }, corp), ["cluster.local", 0]);
  });

  it("is part of the rows' names and causes", async () => {
    const lab = () => new Lab(fakeCluster({}, corp), { pause: async () => {} });
    assert.equal((await resolverCheck("ts", { ndots: 3, clusterDomain: "k8s.corp" }).run(lab())).status, "pass");
    assert.equal((await resolverCheck("ts", { ndots: 3 }).run(lab())).status, "fail");
    const check = lookupCheck(TS_SA, "dot", "k8s.corp");
    assert.equal(check.to, "curl-sa.sa-team.svc.k8s.corp.");
    const { facts, cause } = await check.run(lab());
    assert.equal(facts?.name, "curl-sa.sa-team.svc.k8s.corp.");
    assert.match(cause ?? "", /^NXDOMAIN for .*: the Corefile's kubernetes zone is not k8s\.corp, or /);
  });
});
