import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { KubeConfig, type KubernetesObject } from "@kubernetes/client-node";
import { carriersOf, pipelineOf } from "../../components/logging/carriers.ts";
import { fluentBit } from "../../components/logging/collectors/fluent-bit/index.ts";
import { LoggingSettings } from "../../components/logging/settings.ts";
import { parseSettings } from "../../components/settings.ts";
import { kubeCluster } from "../../lab/kubernetes/client.ts";
import { sourceCheck } from "../../lab/verify/checks/log-lines.ts";
import { sourceFinders } from "../../lab/verify/find/source-finders.ts";
import { Lab } from "../../lab/verify/lab.ts";
import { localFluentBit, skipWithoutFluentBit } from "../collectors/fluent-bit/local.ts";
import { runningPod } from "../lab/verify/fake-cluster.ts";
import { Running } from "../support/collectors/program.ts";
import { Receiver } from "../support/collectors/receiver.ts";
import { TestCluster } from "./cluster.ts";

const NAMESPACE = "lab-events-test";
const EVENTS = Number(process.env.EVENTS ?? 300);
/** As in tests with a fake API server: the events of other tests have no marker. */
const marker = (run: number, number: number) => `f${run} s${number} said the test`;

describe("Fluent Bit and the events of a real API server", () => {
  const cluster = new TestCluster();
  const config = new KubeConfig();
  const objects: KubernetesObject[] = [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "reader", namespace: NAMESPACE } },
    Object.assign(
      { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name: NAMESPACE } },
      { rules: [{ apiGroups: [""], resources: ["events"], verbs: ["get", "list", "watch"] }] },
    ),
    Object.assign(
      { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding", metadata: { name: NAMESPACE } },
      {
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: NAMESPACE },
        subjects: [{ kind: "ServiceAccount", name: "reader", namespace: NAMESPACE }],
      },
    ),
  ];
  let folder = "";
  let token = "";

  before(async function () {
    skipWithoutFluentBit.call(this);
    config.loadFromDefault();
    folder = mkdtempSync(join(tmpdir(), "events-"));
    for (const object of objects) await cluster.apply(object);
    const answer = await cluster.core.createNamespacedServiceAccountToken({
      name: "reader",
      namespace: NAMESPACE,
      body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { audiences: [] } },
    });
    token = answer.status?.token ?? "";
  });
  after(async () => {
    for (const object of objects.toReversed()) await cluster.remove(object);
    if (folder !== "") rmSync(folder, { recursive: true });
  });

  /** The events' part of the configuration, with addresses of this machine; starts the program when it is called. */
  function prepare(name: string, settings: object): () => Running {
    const own = join(folder, name);
    for (const part of ["config", "state"]) mkdirSync(join(own, part), { recursive: true });
    const { server = "", caData = "" } = config.getCurrentCluster() ?? {};
    writeFileSync(join(own, "token"), token);
    writeFileSync(join(own, "ca.crt"), Buffer.from(caData, "base64"));
    const parsed = LoggingSettings.parse({ sources: ["pods", "events"], ...settings });
    const [, reader] = carriersOf(parsed);
    assert.ok(reader);
    const rendered = reader.collector.render(pipelineOf(reader, { cluster: "test", region: undefined }));
    const local = localFluentBit();
    const move = (text: string) =>
      text
        .replaceAll(fluentBit.configFolder, join(own, "config"))
        .replaceAll(fluentBit.stateFolder, join(own, "state"));
    const at = `kube_url: ${server}\n      kube_ca_file: ${join(own, "ca.crt")}\n      kube_token_file: ${join(own, "token")}`;
    for (const [file, text] of Object.entries(rendered.files)) {
      const adapted = local?.adapt(move(text), { receiverPort: 0, token: "" }) ?? "";
      writeFileSync(
        join(own, "config", file),
        adapted.replace("name: kubernetes_events\n", (found) => `${found}      ${at}\n`),
      );
    }
    return () => new Running(local?.program ?? "", rendered.args.map(move), join(own, "log"));
  }

  async function write(run: number, from: number, count: number): Promise<void> {
    const numbers = Array.from({ length: count }, (_, number) => from + number);
    const one = async () => {
      for (let number = numbers.pop(); number !== undefined; number = numbers.pop()) {
        const now = new Date();
        await cluster.core.createNamespacedEvent({
          namespace: NAMESPACE,
          body: {
            metadata: { generateName: "said-" },
            involvedObject: { apiVersion: "v1", kind: "ServiceAccount", name: "reader", namespace: NAMESPACE },
            message: marker(run, number),
            reason: "Said",
            type: "Normal",
            firstTimestamp: now,
            lastTimestamp: now,
            count: 1,
            source: { component: "lab-test" },
          },
        });
      }
    };
    await Promise.all(Array.from({ length: 16 }, one));
  }

  for (const [run, kind] of [
    [1, "opensearch"],
    [2, "http"],
  ] as const)
    it(`loses no event through a restart and a kill${kind === "http" ? "" : ", and stores each once"}: ${kind}`, async function () {
      this.timeout(900_000);
      const receiver = await Receiver.start();
      const destination =
        kind === "http"
          ? { kind, url: `http://127.0.0.1:${receiver.port}/` }
          : { kind, host: "127.0.0.1", port: receiver.port, tls: false };
      const start = prepare(kind, { destination });
      let collector = start();
      try {
        for (const [part, signal] of (["SIGTERM", "SIGKILL", undefined] as const).entries()) {
          const from = Math.floor((EVENTS * part) / 3);
          const writing = write(run, from, Math.floor((EVENTS * (part + 1)) / 3) - from);
          if (signal !== undefined) {
            await wait(Math.min(10_000, 500 + EVENTS));
            await collector.stop(signal);
            await wait(1000);
            collector = start();
          }
          await writing;
        }
        // It is sent the events of the other destination's test too.
        let stats = await receiver.stats();
        for (let quiet = 0; quiet < 120 && (stats.files[run] ?? 0) < EVENTS; quiet += 1) {
          await wait(250);
          const now = await receiver.stats();
          if (now.records > stats.records) quiet = 0;
          stats = now;
        }
        const { files, doubled, repeated, records } = stats;
        if (process.env.EVENTS !== undefined)
          process.stdout.write(
            `${kind}: ${files[run]} of ${EVENTS}, doubled ${doubled}, repeated ${repeated}, ${records}\n`,
          );
        assert.equal(files[run], EVENTS);
        // Without ids, all that the API server has comes again.
        if (kind === "opensearch") assert.equal(doubled, 0);
      } finally {
        await collector.stop("SIGKILL");
        await receiver.stop();
      }
    });

  it("are made and found by lab verify, and missed while no reader runs", async function () {
    this.timeout(120_000);
    const start = prepare("verify", { destination: { kind: "stdout" } });
    const [finder] = sourceFinders(
      parseSettings({
        "eks-dns-logging:cluster": '{"kind":"existing"}',
        "eks-dns-logging:logging": '{"sources":["pods","events"]}',
      }),
    );
    assert.ok(finder);
    const pod = runningPod("reader", { namespace: NAMESPACE, name: "reader", ip: "10.0.0.1" });
    const log = join(folder, "verify", "log");
    // Pod and log are those of the program here; the event is made in the real API server.
    const lab = new Lab({
      ...kubeCluster(config),
      pods: async () => [pod],
      logs: async () => (existsSync(log) ? readFileSync(log, "utf8") : ""),
    });
    const missed = await sourceCheck(finder, 1).run(lab);
    assert.equal(missed.status, "fail", missed.detail);
    const collector = start();
    try {
      const found = await sourceCheck(finder, 60).run(lab);
      assert.equal(found.status, "pass", found.detail);
    } finally {
      await collector.stop("SIGKILL");
    }
  });
});
