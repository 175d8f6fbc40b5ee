import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parseSettings } from "../../../components/settings.ts";
import { down } from "../../../lab/deploy/down.ts";
import { StateFolder } from "../../../lab/deploy/state-folder.ts";
import { up } from "../../../lab/deploy/up.ts";
import { listen } from "../../support/listen.ts";

const URN = "urn:pulumi:local::lab::kubernetes:core/v1:";

function object(kind: string, name: string) {
  const inputs = { apiVersion: "v1", kind, metadata: { name, namespace: "ts-team" } };
  return { urn: `${URN}${kind}::${name}`, type: `kubernetes:core/v1:${kind}`, custom: true, inputs };
}

/** A state with an ended pod, and a Service that a cut-off run had made. */
const STATE = {
  version: 3,
  deployment: {
    resources: [{ ...object("Pod", "curl-ts"), id: "ts-team/curl-ts" }],
    pending_operations: [{ type: "creating", resource: object("Service", "curl-ts") }],
  },
};

/** Answers as the CLI does, and writes down what it was asked; its version is asked for in whatever folder one is. */
const PULUMI = `#!/bin/sh
[ "$1" = version ] || echo "$*" >> log
case "$1 $2" in
  version*) echo v3.260.0 ;;
  "plugin ls") cat plugins.json 2>/dev/null || echo '[]' ;;
  "plugin install") [ ! -e offline ] || { echo 'error: no such host' >&2; exit 1; } ;;
  "stack init"|"stack select") [ ! -e sealed ] || { echo 'error: incorrect passphrase' >&2; exit 1; } ;;
  "stack export") cat state.json ;;
  "stack import") while [ "$1" != --file ]; do shift; done; cp "$2" state.json ;;
  "stack output") echo '{}' ;;
  "stack history") echo '[{"kind":"update","startTime":"2026-01-01T00:00:00.000Z","message":"","environment":{},"config":{},"result":"succeeded"}]' ;;
  up*|destroy*) [ "$PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION" = true ] && echo "fetching of itself: off" >> log
    [ ! -e broken ] || { cat broken >&2; exit 1; } ;;
esac
`;

describe("up and down", () => {
  const original = { path: process.env.PATH, kubeconfig: process.env.KUBECONFIG };
  const settings = parseSettings({ "eks-dns-logging:cluster": '{"kind":"existing"}' });
  let root: string;
  let server: Server;
  /** Paths that the API server knows. */
  let there: Set<string>;
  let folder: StateFolder;
  const asked = async () => (await readFile(join(folder.project, "log"), "utf8")).split("\n");

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "up-"));
    there = new Set([
      "/version",
      "/api/v1",
      "/api/v1/namespaces/ts-team/pods/curl-ts",
      "/api/v1/namespaces/ts-team/services/curl-ts",
    ]);
    server = createServer((request, response) => {
      const path = request.url?.split("?")[0] ?? "";
      response.writeHead(there.has(path) ? 200 : 404, { "content-type": "application/json" });
      const resources = ["Pod", "Service"].map((kind) => ({ kind, name: `${kind.toLowerCase()}s`, namespaced: true }));
      response.end(JSON.stringify({ gitVersion: "v1.36.3", resources, status: { phase: "Succeeded" }, metadata: {} }));
    });
    const cluster = { server: `http://127.0.0.1:${await listen(server)}`, "insecure-skip-tls-verify": true };
    const config = {
      clusters: [{ name: "c", cluster }],
      users: [{ name: "u", user: {} }],
      contexts: ["one", "two"].map((name) => ({ name, context: { cluster: "c", user: "u" } })),
      "current-context": "one",
    };
    await writeFile(join(root, "kubeconfig"), JSON.stringify(config));
    await writeFile(join(root, "pulumi"), PULUMI);
    await chmod(join(root, "pulumi"), 0o755);
    process.env.PATH = [root, original.path].join(delimiter);
    process.env.KUBECONFIG = join(root, "kubeconfig");
    folder = new StateFolder("local", join(root, "state"));
    await folder.writeProject({ context: "one" });
    await writeFile(join(folder.project, "state.json"), JSON.stringify(STATE));
  });

  afterEach(async () => {
    process.env.PATH = original.path ?? "";
    process.env.KUBECONFIG = original.kubeconfig ?? "";
    server.closeAllConnections();
    server.close();
    await rm(root, { recursive: true });
  });

  const run = (context?: string) =>
    up({ stack: "local", settings, target: context === undefined ? {} : { context }, kind: false, folder });

  it("takes in what was cut off, replaces the ended pod, and remembers where the lab stands", async () => {
    assert.deepEqual(await run(), { context: "one" });
    const call = (await asked()).find((line) => line.startsWith("up "));
    assert.match(call ?? "", /--refresh .*--run-program=true/);
    assert.ok(call?.includes(`--replace ${URN}Pod::curl-ts`));
    const state = JSON.parse(await readFile(join(folder.project, "state.json"), "utf8"));
    assert.deepEqual(
      state.deployment.resources.map((resource: { id: string }) => resource.id),
      ["ts-team/curl-ts", "ts-team/curl-ts"],
    );
    assert.equal(state.deployment.pending_operations, undefined);
    assert.deepEqual(await folder.memory(), { context: "one" });
  });

  it("fetches the one provider that it needs, once, and no other", async () => {
    await run();
    const { version } = createRequire(import.meta.url)("@pulumi/kubernetes/package.json");
    const installs = async () => (await asked()).filter((line) => line.startsWith("plugin install"));
    assert.equal((await installs())[0]?.split(" --")[0], `plugin install resource kubernetes v${version}`);
    await writeFile(join(folder.project, "plugins.json"), JSON.stringify([{ name: "kubernetes", version }]));
    await run();
    assert.equal((await installs()).length, 1);
    const fetching = (await asked()).filter((line) => line.startsWith("fetching"));
    assert.deepEqual([...new Set(fetching)], ["fetching of itself: off"]);
  });

  it("says in one line that the provider cannot be fetched", async () => {
    await writeFile(join(folder.project, "offline"), "");
    await assert.rejects(
      run(),
      /^Failure: Pulumi's plugin kubernetes [\d.]+ cannot be fetched \(error: no such host\)/,
    );
  });

  it("stays on its cluster, and says how to leave it", async () => {
    await run();
    await assert.rejects(run("two"), /^Failure: the lab stands on context 'one': `npm run lab -- down` takes it away/);
    await assert.rejects(run("three"), /the lab stands on context 'one'/);
  });

  it("fails in one line with Pulumi's first error, and can be run again", async () => {
    await writeFile(join(folder.project, "broken"), "error: it broke\n");
    await assert.rejects(run(), /^Failure: pulumi up failed: it broke; run the same command again to go on$/);
    await rm(join(folder.project, "broken"));
    assert.deepEqual(await run(), { context: "one" });
  });

  it("says that the passphrase is another than it was, whoever finds it", async () => {
    const words =
      /: set PULUMI_CONFIG_PASSPHRASE as it was when the lab was made, or unset it where it was not set then/;
    await writeFile(join(folder.project, "broken"), "error: get stack secrets manager: incorrect passphrase\n");
    await assert.rejects(run(), words);
    await writeFile(join(folder.project, "sealed"), "");
    await assert.rejects(run(), (error: Error) => error.name === "Failure" && words.test(error.message));
  });

  it("takes all away and forgets it, and says what the cluster still has", async () => {
    const away = () => down({ stack: "local", settings, target: {}, folder });
    assert.equal(await away(), undefined);
    await run();
    assert.deepEqual(await away(), ["Pod ts-team/curl-ts", "Service ts-team/curl-ts"]);
    there = new Set(["/version", "/api/v1"]);
    assert.deepEqual(await away(), []);
    assert.equal(await away(), undefined);
  });
});
