import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { kubeCluster } from "../../../lab/kubernetes/client.ts";
import { connect, loadKubeConfig } from "../../../lab/kubernetes/connect.ts";
import { listen } from "../../support/listen.ts";

function kubeconfig(server: string, name = "one", current: string | undefined = name): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name, user: { token: "t" } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    ...(current === undefined ? {} : { "current-context": current }),
  });
}

const POD = {
  metadata: { namespace: "ts-team", name: "curl-ts", labels: { app: "curl-ts" } },
  spec: {
    nodeName: "node-1",
    initContainers: [{ name: "responder", restartPolicy: "Always" }, { name: "once" }],
    containers: [{ name: "curl" }],
  },
  status: { phase: "Running", podIP: "10.0.0.1", conditions: [{ type: "Ready", status: "True" }] },
};

/** Answers of an API server by path. */
const ANSWERS: Readonly<Record<string, unknown>> = {
  "/version": { gitVersion: "v1.36.3" },
  "/api/v1/namespaces/ts-team/pods/curl-ts": POD,
  "/api/v1/namespaces/kube-system/pods": { items: [POD] },
  "/api/v1/namespaces/ts-team/services/curl-ts": { spec: { clusterIP: "10.96.1.1", ports: [{ port: 80 }] } },
  "/apis/discovery.k8s.io/v1/namespaces/ts-team/endpointslices": {
    items: [
      {
        endpoints: [
          { addresses: ["10.0.0.1"], conditions: { ready: true } },
          { addresses: ["10.0.0.9"], conditions: { ready: false } },
        ],
      },
    ],
  },
  "/api/v1/namespaces/kube-system/configmaps/coredns": { data: { Corefile: ".:53 {}" } },
  "/api/v1/namespaces/logging/secrets/search": { data: { password: Buffer.from("s3cret").toString("base64") } },
  "/api/v1/nodes": {
    items: [{ metadata: { name: "node-1", labels: { "topology.kubernetes.io/zone": "a" } }, status: {} }],
  },
  "/api/v1/namespaces/ts-team/pods/curl-ts/log": "one\ntwo\n",
  "/api/v1/namespaces/logging/services/search:9200/proxy/_search": { hits: 1 },
};

describe("the connection to a cluster", () => {
  let folder: string;
  let server: Server;
  let url: string;
  const original = process.env.KUBECONFIG;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "kubeconfig-"));
    server = createServer((request, response) => {
      const path = request.url?.split("?")[0] ?? "";
      const answer = ANSWERS[path];
      const status = path.includes("forbidden")
        ? 403
        : path.includes("expired")
          ? 401
          : answer === undefined
            ? 404
            : 200;
      const type = typeof answer === "string" ? "text/plain" : "application/json";
      response.writeHead(status, { "content-type": type });
      const message = `pods "${path.split("/").at(-1)}" is forbidden: User "jane" cannot`;
      response.end(
        status !== 200
          ? JSON.stringify({ kind: "Status", message })
          : typeof answer === "string"
            ? answer
            : JSON.stringify(answer),
      );
    });
    url = `http://127.0.0.1:${await listen(server)}`;
    await writeFile(join(folder, "good"), kubeconfig(url));
  });

  after(async () => {
    process.env.KUBECONFIG = original ?? "";
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });

  async function file(name: string, text: string): Promise<string> {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  }

  for (const [what, target, message] of [
    [
      "a file that is not there",
      () => ({ kubeconfig: "/nowhere/config" }),
      /^no kubeconfig at \/nowhere\/config: set --kubeconfig/,
    ],
    [
      "an unknown context",
      () => ({ kubeconfig: join(folder, "good"), context: "two" }),
      /^no context 'two' in .*good; contexts: one$/,
    ],
    [
      "no current context",
      async () => ({ kubeconfig: await file("none", kubeconfig(url, "one", "")) }),
      /has no current context; contexts: one; set --context$/,
    ],
    ["a file that is no kubeconfig", async () => ({ kubeconfig: await file("bad", "{ [") }), /bad is not a kubeconfig/],
    [
      "a context without its cluster",
      async () => ({
        kubeconfig: await file(
          "half",
          kubeconfig(url).replace('"clusters":[{"name":"one"', '"clusters":[{"name":"zero"'),
        ),
      }),
      /^context 'one' refers to cluster 'one', which is not in .*half$/,
    ],
    [
      "a context without its user",
      async () => ({
        kubeconfig: await file("nobody", kubeconfig(url).replace('"users":[{"name":"one"', '"users":[{"name":"zero"')),
      }),
      /^context 'one' refers to user 'one', which is not in .*nobody$/,
    ],
    [
      "a server that does not answer",
      async () => ({ kubeconfig: await file("dead", kubeconfig("http://127.0.0.1:47")) }),
      /^context 'one' \(http:\/\/127.0.0.1:47\): the API server does not answer \(.*ECONNREFUSED/,
    ],
  ] as const) {
    it(`says in one line: ${what}`, async () => {
      const named = await target();
      await assert.rejects(connect(named), (error: unknown) => {
        assert.ok(error instanceof Error && "exitCode" in error);
        assert.match(error.message, message);
        assert.equal(error.message.includes("\n"), false);
        assert.equal(error.exitCode, 2);
        return true;
      });
    });
  }

  it("runs a program for credentials by its path from the kubeconfig's folder, and by its name from the PATH", async () => {
    const commandOf = async (command: string) => {
      const exec = { apiVersion: "client.authentication.k8s.io/v1", command };
      const named = await file(
        "exec",
        JSON.stringify({ ...JSON.parse(kubeconfig(url)), users: [{ name: "one", user: { exec } }] }),
      );
      return (await loadKubeConfig({ kubeconfig: named })).getCurrentUser()?.exec?.command;
    };
    assert.equal(await commandOf("./bin/login"), join(folder, "bin", "login"));
    assert.equal(await commandOf("../login"), join(folder, "..", "login"));
    assert.equal(await commandOf("/opt/login"), "/opt/login");
    assert.equal(await commandOf("aws"), "aws");
  });

  it("does without a user where the context names none", async () => {
    const named = await file("open", kubeconfig(url).replace('"user":"one"', '"user":""'));
    assert.equal((await connect({ kubeconfig: named })).version, "v1.36.3");
  });

  it("reads the files of KUBECONFIG as kubectl does: the first one wins, missing ones do not count", async () => {
    const second = await file("second", kubeconfig("http://second.test", "two"));
    const again = await file("again", kubeconfig("http://again.test", "one"));
    process.env.KUBECONFIG = [join(folder, "missing"), join(folder, "good"), again, second].join(delimiter);
    const config = await loadKubeConfig({});
    assert.equal(config.getCurrentCluster()?.server, url);
    assert.equal((await loadKubeConfig({ context: "two" })).getCurrentCluster()?.server, "http://second.test");
  });

  it("asks the API server, and reads what the checks need", async () => {
    const { cluster, version, config } = await connect({ kubeconfig: join(folder, "good") });
    assert.equal(config.getCurrentCluster()?.server, cluster.server);
    assert.equal(version, "v1.36.3");
    const pod = await cluster.pod("ts-team", "curl-ts");
    assert.deepEqual(
      [pod.phase, pod.ready, pod.ip, pod.node, pod.containers],
      ["Running", true, "10.0.0.1", "node-1", ["responder", "curl"]],
    );
    assert.equal((await cluster.pods("kube-system", "k8s-app=kube-dns")).length, 1);
    assert.deepEqual(await cluster.service("ts-team", "curl-ts"), { clusterIP: "10.96.1.1", ports: [80] });
    assert.deepEqual(await cluster.endpoints("ts-team", "curl-ts"), ["10.0.0.1"]);
    assert.deepEqual(await cluster.configMap("kube-system", "coredns"), { Corefile: ".:53 {}" });
    assert.deepEqual(await cluster.secret("logging", "search"), { password: "s3cret" });
    assert.deepEqual(await cluster.nodes(), [
      { name: "node-1", ready: false, version: "", zone: "a", osImage: "", runtime: "" },
    ]);
    assert.equal(await cluster.logs(pod, { container: "curl", seconds: 10 }), "one\ntwo\n");
    assert.equal(
      await cluster.proxyGet({ kind: "services", namespace: "logging", name: "search:9200" }, "/_search?q=x"),
      '{"hits":1}',
    );
  });

  it("distinguishes missing, forbidden and expired", async () => {
    const cluster = kubeCluster(await loadKubeConfig({ kubeconfig: join(folder, "good") }));
    const kinds = { gone: "not-found", forbidden: "forbidden", expired: "unauthorized" };
    for (const [name, kind] of Object.entries(kinds))
      await assert.rejects(cluster.pod("ts-team", name), { name: "ClusterError", kind });
    await assert.rejects(
      cluster.pod("ts-team", "forbidden"),
      /^ClusterError: forbidden: jane may not get pods in ts-team$/,
    );
    await assert.rejects(cluster.proxyGet({ kind: "services", namespace: "x", name: "y:1" }, "/"), {
      kind: "not-found",
    });
    await assert.rejects(
      cluster.exec(
        {
          ...{ ...POD.metadata, phase: "", ready: true, ip: "", node: "", reason: "", containers: [], deleting: false },
          ...{
            hostNetwork: false,
            dnsPolicy: "ClusterFirst",
            mounts: [],
            metricsPorts: [],
            restarts: 0,
            ended: undefined,
          },
        },
        "curl",
        ["ls"],
      ),
      { kind: "not-found" },
    );
  });
});
