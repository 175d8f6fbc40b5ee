import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import podsModule from "../../../../../components/logging/collectors/logagent/sources.cjs";
import sources from "../../../../../components/logging/collectors/logagent/sources.cjs";
import { listen } from "../../../../support/listen.ts";

/** Pods as the API server has them. */
const PODS: Readonly<Record<string, object>> = {
  "/api/v1/namespaces/ts-team/pods/web": { labels: { app: "web", "a.b/c": "d" }, annotations: { "x.y": "z" } },
  "/api/v1/namespaces/ts-team/pods/quiet": { labels: { app: "web" }, annotations: { "fluentbit.io/exclude": "true" } },
  ...Object.fromEntries(
    ["True", "on", "YES", "false", "1"].map((word) => [
      `/api/v1/namespaces/words/pods/${word.toLowerCase()}`,
      { annotations: { "fluentbit.io/exclude": word } },
    ]),
  ),
  "/api/v1/namespaces/shop/pods/other": { labels: { "app.kubernetes.io/name": "shop", app: "x" } },
};

describe("The logs of a node that Logagent reads", () => {
  let folder = "";
  let server: Server;
  let asked: string[] = [];
  let away = false;
  let told: string[] = [];
  let [atOnce, most] = [0, 0];
  let pods: ReturnType<typeof podsModule.createPods>;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "node-"));
    [asked, told, away] = [[], [], false];
    [atOnce, most] = [0, 0];
    writeFileSync(join(folder, "token"), "secret\n");
    for (const place of ["ts-team_web_1/app", "ts-team_quiet_2/app", "shop_other_3/app", "logging_own_4/app"]) {
      mkdirSync(join(folder, "pods", place), { recursive: true });
      writeFileSync(join(folder, "pods", place, "0.log"), "x\n");
    }
    server = createServer((request, response) => {
      asked.push(`${request.url} ${request.headers.authorization}`);
      const metadata = PODS[request.url ?? ""];
      atOnce += 1;
      most = Math.max(most, atOnce);
      response.statusCode = away ? 503 : metadata === undefined ? 404 : 200;
      setTimeout(() => {
        atOnce -= 1;
        response.end(JSON.stringify(away ? {} : { metadata }));
      }, 10);
    });
    const api = { url: `http://127.0.0.1:${await listen(server)}`, tokenFile: join(folder, "token"), caFile: "" };
    pods = podsModule.createPods(api, (message) => told.push(message));
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  });

  const look = (options: object = {}) =>
    sources.nodeLogs(
      {
        folder: join(folder, "pods"),
        include: [],
        exclude: ["logging"],
        labels: {},
        optOut: "fluentbit.io/exclude",
        keep: { labels: true, annotations: false },
        ...options,
      },
      pods,
    );
  async function known(options: object = {}) {
    for (let wait = 0; wait < 100 && look(options).includes(undefined); wait += 1) await sleep(20);
    return look(options).flatMap((log) => log ?? []);
  }

  it("are not those of a pod that opts out with any of Fluent Bit's words", async () => {
    for (const pod of ["true", "on", "yes", "false", "1"])
      mkdirSync(join(folder, "pods", `words_${pod}_5`, "app"), { recursive: true });
    for (const pod of ["true", "on", "yes", "false", "1"])
      writeFileSync(join(folder, "pods", `words_${pod}_5`, "app", "0.log"), "x\n");
    const found = await known({ include: ["words"] });
    assert.deepEqual(
      found.map(({ source }) => source.kubernetes.pod_name),
      ["1", "false"],
    );
  });

  it("are those of known pods, and none before the API server answers", async () => {
    assert.deepEqual(look(), [undefined, undefined, undefined]);
    const names = (await known()).map(({ name }) => name.slice(folder.length));
    assert.deepEqual(names, ["/pods/shop_other_3/app/0.log", "/pods/ts-team_web_1/app/0.log"]);
    // Each is asked for once, and the own namespace never.
    assert.equal(asked.length, 3);
    assert.ok(asked.every((request) => request.endsWith(" Bearer secret")));
  });

  it("contain their pod's metadata", async () => {
    const [shop, web] = await known({ keep: { labels: true, annotations: true } });
    assert.deepEqual(web?.source, {
      kubernetes: {
        namespace_name: "ts-team",
        pod_name: "web",
        container_name: "app",
        host: process.env.NODE_NAME,
        labels: { app: "web", "a_b/c": "d" },
        annotations: { x_y: "z" },
      },
      team: "ts",
    });
    assert.deepEqual([shop?.source.team, shop?.app, web?.app], [undefined, "shop", "web"]);
  });

  it("are those of the configured namespaces and labels", async () => {
    assert.deepEqual((await known({ include: ["shop"] })).length, 1);
    assert.deepEqual(
      (await known({ labels: { app: "web" } })).map(({ source }) => source.kubernetes.pod_name),
      ["web"],
    );
    assert.deepEqual(await known({ labels: { app: "none" } }), []);
  });

  it("wait while the API server is down, which is logged", async () => {
    away = true;
    look();
    for (let wait = 0; wait < 100 && told.length < 3; wait += 1) await sleep(20);
    assert.deepEqual(look(), [undefined, undefined, undefined]);
    assert.match(told[0] ?? "", /did not return pod [a-z-]+\/[a-z]+, whose lines wait: Error: it answered 503/);
  });

  it("of a hundred new pods are looked up eight at a time", async () => {
    for (let pod = 0; pod < 100; pod += 1)
      mkdirSync(join(folder, "pods", `shop_new-${pod}_1`, "app"), { recursive: true });
    await known();
    assert.equal(asked.length, 103);
    assert.ok(most > 1 && most <= 8, String(most));
  });

  it("are read without labels if the pod is already deleted", async () => {
    mkdirSync(join(folder, "pods", "shop_gone_5", "app"), { recursive: true });
    writeFileSync(join(folder, "pods", "shop_gone_5", "app", "0.log"), "x\n");
    const gone = (await known()).find(({ name }) => name.includes("gone"));
    assert.deepEqual(gone?.source.kubernetes.labels, {});
  });

  it("have their files oldest first, per container by restart", async () => {
    const place = join(folder, "pods", "ts-team_web_1", "app");
    for (const name of ["0.log.20260102-000000", "0.log.20260101-000000", "1.log", "0.log.20251231-000000.gz", "notes"])
      writeFileSync(join(place, name), "x\n");
    const logs = (await known()).filter(({ name }) => name.includes("web"));
    const names = logs.map(({ files }) => files.map(({ path, rotated }) => `${path.slice(place.length)} ${rotated}`));
    assert.deepEqual(names, [
      ["/0.log.20260101-000000 true", "/0.log.20260102-000000 true", "/0.log false"],
      ["/1.log false"],
    ]);
  });
});
