import assert from "node:assert/strict";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { parse } from "yaml";
import { z } from "zod";
import { logagent } from "../../../../../components/logging/collectors/logagent/index.ts";
import { logPipeline, NODE } from "../../../../../components/logging/pipeline.ts";
import { LoggingSettings } from "../../../../../components/logging/settings.ts";
import { listen } from "../../../../support/listen.ts";

const PLUGINS = dirname(
  fileURLToPath(import.meta.resolve("../../../../../components/logging/collectors/logagent/input.cjs")),
);
const Section = z.record(z.string(), z.unknown());
const Rendered = z.object({ input: z.object({ logs: Section }), output: z.object({ destination: Section }) });

describe("Logagent's plugins at work", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "logagent-"));
    mkdirSync(join(folder, "app"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs them for settings below `logging`, with folders of the test. */
  function start(settings: object, change: (rendered: z.infer<typeof Rendered>) => void = () => {}) {
    const parsed = LoggingSettings.parse({ collector: "logagent", mode: "sidecar", multiline: [], ...settings });
    const pod = { namespace: "ts-team", pod: "curl-ts", container: "curl", team: "ts", app: "curl" };
    const source = parsed.mode === "daemonset" ? NODE : { kind: "application" as const, pod };
    const pipeline = logPipeline(parsed, { cluster: "dev", region: undefined }, source);
    const rendered = (logagent.render(pipeline).files["logagent.yml"] ?? "")
      .replaceAll("/etc/sematext", PLUGINS)
      .replaceAll("/var/lib/logagent", join(folder, "state"))
      .replaceAll("/var/log/", `${folder}/`);
    const configuration = Rendered.parse(parse(rendered));
    change(configuration);
    const { input, output } = configuration;
    const worker = new Worker(new URL("./logagent-worker.ts", import.meta.url), {
      workerData: { input: input.logs, output: output.destination },
      stderr: true,
      stdout: true,
    });
    const said: string[] = [];
    worker.stderr.on("data", (part) => said.push(String(part)));
    return { worker, output: text(worker.stdout), messages: () => said.join("") };
  }
  const collected = join("collected", "pods.log");
  const lines = () =>
    readFileSync(join(folder, collected), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).log);
  async function stop({ worker }: { worker: Worker }): Promise<number> {
    worker.postMessage("stop");
    const [code]: number[] = await once(worker, "exit");
    return code ?? -1;
  }
  async function until(done: () => boolean): Promise<void> {
    for (let wait = 0; wait < 200 && !done(); wait += 1) await sleep(50);
    assert.ok(done());
  }

  it("deliver an application's lines, and end when they are stopped", async () => {
    appendFileSync(join(folder, "app", "app.log"), 'hello\n{"a":1}\n');
    const running = start({ destination: { kind: "file" } });
    await until(() => existsSync(join(folder, collected)));
    // What is written last is read before the end.
    appendFileSync(join(folder, "app", "app.log"), "bye\n");
    assert.equal(await stop(running), 0);
    const records = readFileSync(join(folder, collected), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const kubernetes = {
      namespace_name: "ts-team",
      pod_name: "curl-ts",
      container_name: "curl",
      labels: { "app_kubernetes_io/name": "curl" },
      ...(process.env.NODE_NAME === undefined ? {} : { host: process.env.NODE_NAME }),
    };
    const same = { kubernetes, team: "ts", k8s_cluster_name: "dev", digits: 30 };
    assert.deepEqual(
      records.map(({ "@timestamp": time, ...record }) => ({ ...record, digits: time.length })),
      [
        { log: "hello", ...same },
        { log: '{"a":1}', ...same, fields: { a: 1 } },
        { log: "bye", ...same },
      ],
    );
    // All is sent, and its place noted.
    assert.deepEqual(readdirSync(join(folder, "state", "buffer")), []);
  });

  for (const [words, processing, masked] of [
    ["unchanged", {}, "user@example.com"],
    ["masked", { processing: { redact: ["email"] } }, "[REDACTED:email]"],
  ] as const)
    it(`keep every line of a stack trace, ${words}`, async () => {
      const trace = [
        "java.lang.IllegalStateException: user@example.com",
        "\tat a.B.c(B.java:1)",
        "\tat d.E.f(E.java:2)",
      ];
      appendFileSync(join(folder, "app", "app.log"), `${trace.join("\n")}\nnext\n`);
      const running = start({ destination: { kind: "file" }, multiline: ["java"], ...processing });
      await until(() => existsSync(join(folder, collected)));
      assert.equal(await stop(running), 0);
      assert.deepEqual(lines(), [trace.join("\n").replace("user@example.com", masked), "next"]);
    });

  it("print only records on stdout", async () => {
    appendFileSync(join(folder, "app", "app.log"), "hello\n");
    const running = start({ destination: { kind: "stdout" } });
    await sleep(1500);
    await stop(running);
    const printed = (await running.output)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).log);
    assert.deepEqual(printed, ["hello"]);
  });

  it("keep on disk what the destination rejects, and log why", async () => {
    appendFileSync(join(folder, "app", "app.log"), "hello\nhello\n");
    const running = start({ destination: { kind: "http", url: "http://127.0.0.1:9/nobody" } });
    const buffer = join(folder, "state", "buffer");
    const ids = () =>
      readdirSync(buffer)
        // A file that is still being written is renamed in a moment.
        .filter((name) => name.endsWith(".chunk"))
        .flatMap((name) => readFileSync(join(buffer, name), "utf8").match(/"_id":"[0-9a-f]{40}"/g) ?? []);
    await until(() => existsSync(buffer) && ids().length === 2);
    const wait = /the destination does not accept records, which wait: Error: connect ECONNREFUSED/;
    await until(() => wait.test(running.messages()));
    await running.worker.terminate();
    // Each has an id of its own, though it says the same.
    assert.equal(new Set(ids()).size, 2);
    // Another goes on with it.
    const again = start({ destination: { kind: "file" } });
    await until(() => existsSync(join(folder, collected)));
    await stop(again);
    assert.deepEqual(readFileSync(join(folder, collected), "utf8").match(/"log":"[^"]*"/g), [
      '"log":"hello"',
      '"log":"hello"',
    ]);
  });

  it("continue where they stopped, though no pod is known at first, and read none that opts out", async () => {
    const api = createServer((request, response) => {
      const annotations = request.url?.endsWith("/quiet") ? { "fluentbit.io/exclude": "true" } : {};
      setTimeout(() => response.end(JSON.stringify({ metadata: { labels: { app: "web" }, annotations } })), 300);
    });
    const port = await listen(api);
    writeFileSync(join(folder, "token"), "token");
    const write = (pod: string, log: string) => {
      const place = join(folder, "pods", `ts-team_${pod}_1`, "app");
      mkdirSync(place, { recursive: true });
      appendFileSync(join(place, "0.log"), `2026-01-01T00:00:00Z stdout F ${log}\n`);
    };
    const settings = { mode: "daemonset", destination: { kind: "file" } };
    const run = () =>
      start(settings, ({ input }) => {
        input.logs.api = { url: `http://127.0.0.1:${port}`, tokenFile: join(folder, "token"), caFile: "" };
      });
    try {
      for (const [at, log] of ["one", "two"].entries()) {
        write("web", log);
        write("quiet", log);
        const running = run();
        await until(() => existsSync(join(folder, collected)) && lines().length > at);
        assert.equal(await stop(running), 0);
      }
      const [first, ...more] = lines();
      assert.deepEqual(more, ["two"]);
      assert.equal(first, "one");
      assert.match(readFileSync(join(folder, collected), "utf8"), /"labels":\{"app":"web"\}/);
    } finally {
      api.close();
      api.closeAllConnections();
    }
  });

  /** Runs them on a pod's lines, of a time that CRI-O gives to all lines of one write. */
  async function withPod(logs: readonly string[], destination: object, check: (place: string) => Promise<void>) {
    const place = join(folder, "pods", "ts-team_web_1");
    mkdirSync(join(place, "app"), { recursive: true });
    writeFileSync(
      join(place, "app", "0.log"),
      logs.map((log) => `2026-01-01T00:00:00.000000001Z stdout F ${log}\n`).join(""),
    );
    writeFileSync(join(folder, "token"), "token");
    const answered: number[] = [];
    const api = createServer((_, response) => {
      answered.push(Date.now());
      response.end(JSON.stringify({ metadata: {} }));
    });
    const url = `http://127.0.0.1:${await listen(api)}`;
    const running = start({ mode: "daemonset", destination }, ({ input }) => {
      input.logs.api = { url, tokenFile: join(folder, "token"), caFile: "" };
    });
    try {
      await until(() => answered.length > 0);
      await check(place);
    } finally {
      await running.worker.terminate();
      api.close();
      api.closeAllConnections();
    }
  }

  it("tell equal lines of a container apart that have the same time", () =>
    withPod(["", "", "x"], { kind: "http", url: "http://127.0.0.1:9/nobody" }, async () => {
      const buffer = join(folder, "state", "buffer");
      const chunks = () => readdirSync(buffer).filter((name) => name.endsWith(".chunk"));
      await until(() => existsSync(buffer) && chunks().length > 0);
      const ids = chunks().flatMap((name) => readFileSync(join(buffer, name), "utf8").match(/"_id":"[0-9a-f]{40}"/g));
      assert.deepEqual([ids.length, new Set(ids).size], [3, 3]);
    }));

  it("open the files of a pod soon after the API server has returned it, before they are deleted", () =>
    withPod(["gone soon"], { kind: "file" }, async (place) => {
      await sleep(700);
      rmSync(place, { recursive: true });
      await until(() => existsSync(join(folder, collected)));
      assert.deepEqual(lines(), ["gone soon"]);
    }));

  it("exit on an unknown option, since Logagent would continue without them", async () => {
    for (const plugin of ["input", "output"] as const) {
      const { worker, messages } = start({ destination: { kind: "stdout" } }, ({ input, output }) => {
        (plugin === "input" ? input.logs : output.destination).continuez = true;
      });
      const [code] = await once(worker, "exit");
      assert.equal(code, 1);
      assert.match(messages(), /stopped by an error: Error: unknown options: continuez/);
    }
  });
});
