import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listen } from "../../support/listen.ts";
import { runLab } from "../../support/run-lab.ts";

/** An API server whose user may read pods and ConfigMaps, and no Secret. */
describe("drill, as a user who may only view", () => {
  let folder: string;
  let server: Server;
  let env: Record<string, string>;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "view-"));
    server = createServer(({ url = "" }, response) => {
      const [kind] = /\/(secrets|configmaps|pods)\b/.exec(url)?.slice(1) ?? [];
      const status = { kind: "Status", reason: "Forbidden", details: { kind: kind ?? "things" }, code: 403 };
      const message = `${kind} is forbidden: User "viewer" cannot get resource "${kind}" in API group "" in the namespace "kube-system"`;
      const answers: Record<string, object> = {
        configmaps: { kind: "ConfigMap", metadata: { name: "coredns" }, data: { Corefile: ".:53 {\n}\n" } },
        pods: { kind: "PodList", items: [{ metadata: { name: "coredns-a" } }] },
      };
      const found = url === "/version" ? { gitVersion: "v1.36.3" } : answers[kind ?? ""];
      response.writeHead(found === undefined ? 403 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(found ?? { ...status, message }));
    });
    const cluster = { server: `http://127.0.0.1:${await listen(server)}`, "insecure-skip-tls-verify": true };
    const file = join(folder, "kubeconfig");
    const named = {
      clusters: [{ name: "c", cluster }],
      contexts: [{ name: "a", context: { cluster: "c", user: "u" } }],
      users: [{ name: "u", user: { token: "t" } }],
    };
    await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "Config", "current-context": "a", ...named }));
    env = { KUBECONFIG: file };
  });
  after(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });

  it("lists the drills, and says that it does not know whether one is on", async () => {
    const { exitCode, stdout, stderr } = await runLab(["drill", "list", "--json"], env);
    assert.equal(
      stderr,
      "It is not known whether a drill is on: forbidden: viewer may not get secrets in kube-system\n",
    );
    assert.equal(exitCode, 0);
    const drills: { name: string; unfit?: string }[] = JSON.parse(stdout);
    const dnsGone = drills.find(({ name }) => name === "dns-gone");
    assert.ok(dnsGone !== undefined && dnsGone.unfit === undefined);
  });

  it("ends with one line where it cannot do without", async () => {
    const { exitCode, stderr } = await runLab(["drill", "stop"], env);
    assert.equal(stderr, "forbidden: viewer may not get secrets in kube-system\n");
    assert.equal(exitCode, 2);
  });

  it("needs no cluster to learn that there is no such drill", async () => {
    for (const verb of ["start", "explain"]) {
      const { exitCode, stderr } = await runLab(["drill", verb, "nothing"], { KUBECONFIG: join(folder, "none") });
      assert.equal(exitCode, 2);
      assert.match(stderr, /^no drill 'nothing'; choose one of: no-answer, /);
    }
  });
});
