import assert from "node:assert/strict";
import { dnsClientAt, parseFrom } from "../../../lab/dns/dns-client.ts";
import { type Cluster, ClusterError } from "../../../lab/kubernetes/cluster.ts";
import { type Execute, fakeCluster, notFound, runningPod } from "../verify/fake-cluster.ts";
import { dnsPod, type FakePod } from "./fake-pod.ts";

const POD: FakePod = {
  resolvConf: "search a.svc.cluster.local svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:3 attempts:3\n",
  names: {},
};
const FROM = "ts-team/curl-ts";
const gone: Partial<Cluster> = {
  pod: async () => {
    throw notFound('pods "curl-ts"');
  },
};

/** The one line that dnsClientAt fails with. */
async function failure(
  changes: Partial<Cluster>,
  execute: Execute = dnsPod(POD).execute,
  container?: string,
): Promise<string> {
  const error: unknown = await dnsClientAt(fakeCluster(changes, execute), FROM, { container, up: "make lab" }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Error && error.name === "Failure", String(error));
  assert.ok(!error.message.includes("\n"));
  return error.message;
}

describe("the pod that sends queries", () => {
  it("reports its resolver, its C library and its programs", async () => {
    const { execute } = dnsPod({ ...POD, libc: "musl", hosts: "10.0.0.1 curl-ts", curlVersion: "" });
    const client = await dnsClientAt(fakeCluster({}, execute), FROM);
    assert.equal(client.container, "curl");
    assert.deepEqual(client.resolver, {
      nameservers: ["10.96.0.10"],
      search: ["a.svc.cluster.local", "svc.cluster.local"],
      ndots: 3,
      attempts: 3,
    });
    assert.deepEqual(
      [client.libc, client.libcSeen, client.hosts, client.hasCurl, client.curlResolver],
      ["musl", true, "10.0.0.1 curl-ts", false, undefined],
    );
  });

  it("uses a named container, or the only one", async () => {
    const { execute } = dnsPod(POD);
    assert.equal(
      (await dnsClientAt(fakeCluster({}, execute), FROM, { container: "responder" })).container,
      "responder",
    );
    const pod = async () => runningPod("ts", { containers: ["app"] });
    assert.equal((await dnsClientAt(fakeCluster({ pod }, execute), FROM)).container, "app");
    assert.equal(
      await failure({}, execute, "nope"),
      "pod ts-team/curl-ts has no container 'nope'; found: responder, curl",
    );
  });

  it("lists in one line the pods that exist instead", async () => {
    const pods = async () => [runningPod("b"), runningPod("a")];
    assert.equal(await failure({ ...gone, pods }), "no pod 'curl-ts' in namespace ts-team; found: curl-a, curl-b");
  });

  it("distinguishes an empty namespace from a missing one", async () => {
    const pods = async () => [];
    assert.equal(
      await failure({ ...gone, pods, configMap: async () => ({}) }),
      "no pod 'curl-ts' in namespace ts-team in context test: deploy the lab with make lab",
    );
    const configMap = async () => {
      throw notFound('configmaps "kube-root-ca.crt"');
    };
    assert.equal(
      await failure({ ...gone, pods, configMap }),
      "no namespace 'ts-team' in context test: deploy the lab with make lab",
    );
  });

  it("names the missing permission", async () => {
    const forbidden = (what: string) => async () => {
      throw new ClusterError("forbidden", `forbidden: jane may not ${what} in ts-team`);
    };
    const pod = await failure({ pod: forbidden("get pods") });
    assert.equal(pod, "ts-team/curl-ts: forbidden: jane may not get pods in ts-team");
    const exec = await failure({ exec: forbidden("create pods/exec") });
    assert.equal(exec, "ts-team/curl-ts: forbidden: jane may not create pods/exec in ts-team");
  });

  it("suggests another pod if the stack does not create this one", async () => {
    const ended = fakeCluster({ pod: async () => runningPod("ts", { phase: "Succeeded" }) }, dnsPod(POD).execute);
    await assert.rejects(dnsClientAt(ended, FROM), {
      message: "pod ts-team/curl-ts is Succeeded, not Running: choose a running pod with --from NAMESPACE/POD",
    });
  });

  it("says why a pod that does not run cannot send queries", async () => {
    assert.match(
      await failure({ pod: async () => runningPod("ts", { phase: "Succeeded" }) }),
      /has expired, as .* an hour: replace it with make lab$/,
    );
    const pending = async () => runningPod("ts", { phase: "Pending", reason: "ImagePullBackOff" });
    assert.equal(await failure({ pod: pending }), "pod ts-team/curl-ts is Pending (ImagePullBackOff), not Running");
  });

  it("says what the image lacks", async () => {
    const noShell = async () => {
      throw new ClusterError("other", 'exec failed: exec: "sh": executable file not found in $PATH');
    };
    assert.match(await failure({ exec: noShell }), /^container curl of ts-team\/curl-ts has no sh, .* --container$/);
    const { execute } = dnsPod({ ...POD, lacking: ["nc", "base64"] });
    assert.match(await failure({}, execute), /has no nc and no base64, which the queries need$/);
    assert.match(await failure({}, dnsPod({ ...POD, resolvConf: "" }).execute), /has no name server/);
  });

  it("is named by namespace and name", () => {
    assert.deepEqual(parseFrom("a/b"), { namespace: "a", name: "b" });
    for (const text of ["a", "/b", "a/", "a/b/c"])
      assert.throws(() => parseFrom(text), { name: "Failure", exitCode: 2, message: /must be NAMESPACE\/POD/ });
  });
});
