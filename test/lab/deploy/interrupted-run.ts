import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { StateFolder } from "../../../lab/deploy/state.ts";
import { listen } from "../../support/listen.ts";
import { PULUMI, STATE } from "./fake-pulumi.ts";

/** A stack that a killed run left, with a CLI and an API server that only act as such; made anew before each test. */
class Interrupted {
  root = "";
  /** Paths that the API server knows. */
  there = new Set<string>();
  /** Objects that the API server sends in full, by path. */
  objects = new Map<string, unknown>();
  /** The one Secret. */
  secret: unknown;
  folder = new StateFolder("local", "");
  server: Server = createServer();

  /** The commands that the CLI got. */
  async asked(): Promise<string[]> {
    return (await readFile(join(this.folder.project, "log"), "utf8")).split("\n");
  }
}

/** Makes the stack before each test of the suite, and removes it afterwards. */
export function interruptedRun(): Interrupted {
  const original = { path: process.env.PATH, kubeconfig: process.env.KUBECONFIG };
  const scene = new Interrupted();

  beforeEach(async () => {
    scene.root = await mkdtemp(join(tmpdir(), "up-"));
    scene.there = new Set([
      "/version",
      "/api/v1",
      "/api/v1/namespaces/ts-team/pods/curl-ts",
      "/api/v1/namespaces/ts-team/services/curl-ts",
    ]);
    scene.objects = new Map();
    scene.server = createServer((request, response) => {
      const path = request.url?.split("?")[0] ?? "";
      const object = scene.objects.get(path);
      response.writeHead(scene.there.has(path) || object !== undefined ? 200 : 404, {
        "content-type": "application/json",
      });
      const resources = ["Pod", "Service", "PodMonitor", "PrometheusRule"].map((kind) => ({
        kind,
        name: `${kind.toLowerCase()}s`,
        namespaced: true,
      }));
      const isSecret = path.includes("/secrets/");
      response.end(
        JSON.stringify(
          object ??
            (isSecret
              ? scene.secret
              : { gitVersion: "v1.36.3", resources, status: { phase: "Succeeded" }, metadata: {} }),
        ),
      );
    });
    const cluster = { server: `http://127.0.0.1:${await listen(scene.server)}`, "insecure-skip-tls-verify": true };
    const config = {
      clusters: [{ name: "c", cluster }],
      users: [{ name: "u", user: {} }],
      contexts: ["one", "two"].map((name) => ({ name, context: { cluster: "c", user: "u" } })),
      "current-context": "one",
    };
    await writeFile(join(scene.root, "kubeconfig"), JSON.stringify(config));
    await writeFile(join(scene.root, "pulumi"), PULUMI);
    await chmod(join(scene.root, "pulumi"), 0o755);
    process.env.PATH = [scene.root, original.path].join(delimiter);
    process.env.KUBECONFIG = join(scene.root, "kubeconfig");
    scene.folder = new StateFolder("local", join(scene.root, "state"));
    await scene.folder.writeProject({ context: "one" });
    await writeFile(join(scene.folder.project, "state.json"), JSON.stringify(STATE));
  });

  afterEach(async () => {
    process.env.PATH = original.path ?? "";
    process.env.KUBECONFIG = original.kubeconfig ?? "";
    scene.server.closeAllConnections();
    scene.server.close();
    await rm(scene.root, { recursive: true });
  });

  return scene;
}
