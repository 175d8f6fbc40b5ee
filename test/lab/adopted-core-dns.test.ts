import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSettings } from "../../components/settings.ts";
import { explained } from "../../lab/dns/index.ts";
import { checkInputOf } from "../../lab/verify/catalog.ts";
import { verify } from "../../lab/verify/verify.ts";
import { type ExecServer, execServer } from "../support/exec-server.ts";
import { dnsPod } from "./dns/fake-pod.ts";
import { runningPod } from "./verify/fake-cluster.ts";

const POD = {
  metadata: { name: "curl-ts", namespace: "ts-team", uid: "1" },
  spec: { nodeName: "node", containers: [{ name: "curl", image: "curl" }] },
  status: { phase: "Running", podIP: "10.244.0.3", containerStatuses: [] },
};
const COREFILE = ".:53 {\n  kubernetes cluster.local\n}\n";
const NAME = "curl-sa.sa-team.svc.cluster.local.";

describe("a stack that adopts a CoreDNS", () => {
  let server: ExecServer;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "dns-"));
    const { execute } = dnsPod({ resolvConf: "nameserver 10.96.0.10\n", names: { [NAME]: ["10.96.1.2"] } });
    server = await execServer(
      {
        "/version": { gitVersion: "v1.36.3" },
        "/api/v1/namespaces/ts-team/pods/curl-ts": POD,
        "/api/v1/namespaces/kube-system/pods": { items: [] },
        "/api/v1/namespaces/dns/configmaps/own": { data: { Corefile: COREFILE } },
      },
      (command) => execute(command, runningPod("ts")),
    );
    const kubeconfig = {
      clusters: [
        { name: "c", cluster: { server: `http://127.0.0.1:${server.port}`, "insecure-skip-tls-verify": true } },
      ],
      users: [{ name: "u", user: {} }],
      contexts: [{ name: "one", context: { cluster: "c", user: "u" } }],
      "current-context": "one",
    };
    await writeFile(join(folder, "kubeconfig"), JSON.stringify(kubeconfig));
  });
  after(async () => {
    server.stop();
    await rm(folder, { recursive: true });
  });

  async function answered(adopt: object) {
    const config = { "eks-dns-logging:cluster": { kind: "existing" }, "eks-dns-logging:dns": { adopt } };
    await writeFile(join(folder, "Pulumi.x.yaml"), JSON.stringify({ config }));
    const flags = { stack: "x", from: "ts-team/curl-ts", kubeconfig: join(folder, "kubeconfig") };
    const { rows, notes } = await explained(NAME, flags, folder);
    return { by: rows.at(-1)?.answeredBy, notes };
  }

  it("has its ConfigMap read by lab dns explain", async () => {
    assert.deepEqual(await answered({ namespace: "dns", configMap: "own" }), { by: "kubernetes", notes: [] });
    const { notes } = await answered({});
    assert.deepEqual(notes, ["the ConfigMap kube-system/coredns does not show which plugin answers which zone"]);
  });

  it("makes lab verify say how to find a missing CoreDNS, not to deploy the stack", async () => {
    const settings = parseSettings({
      "eks-dns-logging:cluster": '{"kind":"existing"}',
      "eks-dns-logging:dns": '{"adopt":{}}',
    });
    const { rows } = await verify({
      stack: "x",
      input: checkInputOf("x", settings, 1),
      target: { kubeconfig: join(folder, "kubeconfig") },
      selection: { only: ["coredns"], skip: [] },
      parallel: 1,
    });
    const [row] = rows;
    assert.equal(row?.status, "fail");
    assert.match(
      row?.cause ?? "",
      /^CoreDNS is not in kube-system under the name in the settings: .* lab -- adopt --coredns/,
    );
  });
});
