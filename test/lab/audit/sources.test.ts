import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { audit, subjectOfStack } from "../../../lab/audit/audit.ts";
import { readCluster, visibleObjects } from "../../../lab/audit/cluster-objects.ts";
import { objectsIn, readManifestFiles, readState } from "../../../lab/audit/object-files.ts";
import { kubeCluster } from "../../../lab/kubernetes/client.ts";
import { ClusterError } from "../../../lab/kubernetes/cluster.ts";
import { listen } from "../../support/listen.ts";
import { live, pairs } from "./fixtures.ts";

describe("what an audit reads", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "audit-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("reads manifests of several documents, lists and JSON, with their lines", async () => {
    const yaml =
      "# a comment\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\n\nkind: Service\napiVersion: v1\nmetadata: {name: b}\n---\n";
    const found = objectsIn(yaml, "a.yaml");
    assert.ok(typeof found !== "string");
    assert.deepEqual(
      found.map(({ kind, source }) => [kind, source?.line]),
      [
        ["Namespace", 2],
        ["Service", 7],
      ],
    );
    const list = { apiVersion: "v1", kind: "List", items: [live("v1", "Pod", "a"), live("v1", "Pod", "b")] };
    const items = objectsIn(JSON.stringify(list), "list.json");
    assert.ok(typeof items !== "string");
    assert.deepEqual(
      items.map(({ name }) => name),
      ["a", "b"],
    );
  });

  it("reads the items of a list of one kind, which the API server gives no kind of their own", () => {
    const list = {
      apiVersion: "apps/v1",
      kind: "DeploymentList",
      items: [{ metadata: { name: "a", namespace: "b" } }],
    };
    const items = objectsIn(JSON.stringify(list), "list.json");
    assert.ok(typeof items !== "string");
    assert.deepEqual(
      items.map(({ apiVersion, kind, name }) => [apiVersion, kind, name]),
      [["apps/v1", "Deployment", "a"]],
    );
  });

  it("reads plain words as kubectl does: yes and on are true, unless they are quoted", () => {
    const spec = "{a: yes, b: on, c: Y, d: no, e: off, f: 'yes', g: yesterday, h: true, i: 0}";
    const found = objectsIn(`apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: ${spec}\n`, "a.yaml");
    assert.ok(typeof found !== "string");
    const expected = { a: true, b: true, c: true, d: false, e: false, f: "yes", g: "yesterday", h: true, i: 0 };
    assert.deepEqual(found[0]?.content.spec, expected);
  });

  it("reads hundreds of aliases, and says which has no anchor in its document", () => {
    const first = "- &a {apiVersion: v1, kind: ConfigMap, metadata: &m {name: a, labels: &l {x: &v z}}}\n";
    const other = "- {<<: *a, metadata: {<<: *m, labels: *l, annotations: {x: *v}}}\n";
    const found = objectsIn(`apiVersion: v1\nkind: List\nitems:\n${first}${other.repeat(300)}`, "a.yaml");
    assert.ok(typeof found !== "string", String(found));
    assert.equal(found.length, 301);
    assert.match(String(objectsIn("a: &a {}\n---\nb: *a\n", "a.yaml")), /^Unresolved alias .*: a$/);
  });

  it("reads texts in quotes that go on no deeper than their key, as kubectl does, with the lines of the file", () => {
    const text = [
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:",
      "  a: 'it''s\n  one, \"two\"\n\n  three: x'",
      '  b: "say \\"hi\\" \\\n  and go"',
      "  c: |\n    'not\n    closed",
      "  d: 'deeper\n    already'\n  e: '",
      "  ---x'",
      `---\napiVersion: v1\nkind: Service\nmetadata: {name: 'b\nc', annotations: {d: '[${"long ".repeat(1000)}\n]'}}\n`,
    ].join("\n");
    const found = objectsIn(text, "a.yaml");
    assert.ok(typeof found !== "string", String(found));
    assert.deepEqual(found[0]?.content.data, {
      a: `it's one, "two"\nthree: x`,
      b: `say "hi" and go`,
      c: "'not\nclosed\n",
      d: "deeper already",
      e: " ---x",
    });
    assert.deepEqual(
      found.map(({ name, source }) => [name, source?.line]),
      [
        ["a", 1],
        ["b c", 19],
      ],
    );
    assert.equal(
      objectsIn("a:\n  b: 'x\n  c: d\n---\ne: it's\n", "a.yaml"),
      "Missing closing quote ' at line 2, column 8",
    );
  });

  it("takes the places of a template that was not rendered for no values", () => {
    const text = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}\n";
    assert.equal(
      objectsIn(text, "a.yaml"),
      "a template placeholder, such as {{ .Values.name }}, stands in place of a value at line 4",
    );
  });

  it("names files that are not manifests, and rejects a folder with an unreadable one", async () => {
    const path = join(folder, "manifests");
    await mkdir(join(path, "deep"), { recursive: true });
    await writeFile(join(path, "values.yaml"), "replicas: 3\n");
    await writeFile(join(path, "deep", "a.yml"), "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n");
    const { objects, others } = await readManifestFiles([path]);
    assert.deepEqual([objects.map(({ name }) => name), others], [["a"], [join(path, "values.yaml")]]);
    await writeFile(join(path, "deployment.yaml"), "kind: {{ .Values.kind }}\nmetadata: [\n");
    await assert.rejects(readManifestFiles([path]), /not valid YAML.*helm template[\s\S]*deployment\.yaml/);
    await assert.rejects(readManifestFiles([join(folder, "nothing")]), /there is no file or folder/);
  });

  it("names what Kustomize would change, and nothing that only lists files or is another's object", async () => {
    const kind = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";
    const files = {
      "base/a.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n",
      "base/kustomization.yaml": `${kind}metadata: {name: base}\nresources: [a.yaml]\n`,
      "live/kustomization.yaml": `${kind}resources: [../base]\nnamespace: live\n`,
      "short/kustomization.yml": "resources: [../base]\npatches: [{path: a.yaml}]\n",
      "bare/Kustomization": "\ufeffresources: [../base]\r\nnamePrefix: b-\r\n",
      "flux/kustomization.yaml":
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: f}\nspec: {path: ./live}\n",
    };
    const path = join(folder, "kustomize");
    for (const [file, text] of Object.entries(files)) {
      await mkdir(join(path, file, ".."), { recursive: true });
      await writeFile(join(path, file), text);
    }
    const { objects, others, kustomizations } = await readManifestFiles([path]);
    assert.deepEqual(
      objects.map(({ name }) => name),
      ["a", "base", "f"],
    );
    assert.deepEqual(others, []);
    const changing = ["bare/Kustomization", "live/kustomization.yaml", "short/kustomization.yml"];
    assert.deepEqual(
      kustomizations,
      changing.map((file) => join(path, file)),
    );
  });

  it("reads each path, in the encoding of its byte order mark, and folders and links as what they are", async () => {
    const path = join(folder, "odd");
    const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: NAME}\n";
    await mkdir(join(path, "folder.yaml"), { recursive: true });
    await writeFile(join(path, "utf16.yaml"), `\ufeff${pod.replace("NAME", "a")}`, "utf16le");
    await writeFile(join(path, "utf8.yaml"), `\ufeff${pod.replace("NAME", "b")}`);
    const joined = ["c", "d"].map((name) => `\ufeff${pod.replace("NAME", name).replaceAll("\n", "\r\n")}`);
    await writeFile(join(folder, "other.yaml"), joined.join("---\r\n"));
    const { objects, others } = await readManifestFiles([path, join(folder, "other.yaml")]);
    assert.deepEqual([objects.map(({ name }) => name), others], [["a", "b", "c", "d"], []]);
    await symlink(join(path, "nowhere"), join(path, ".#lock.yaml"));
    await assert.rejects(readManifestFiles([path]), /^Failure: there is no file or folder .*\.#lock\.yaml$/);
  });

  it("reads a file once, however many links lead to it", async () => {
    const path = join(folder, "links");
    await mkdir(join(path, "below"), { recursive: true });
    await writeFile(join(path, "pod.yaml"), "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n");
    await symlink("..", join(path, "below", "above"));
    await symlink("pod.yaml", join(path, "same.yaml"));
    const { objects } = await readManifestFiles([path]);
    assert.deepEqual(
      objects.map(({ name, source }) => [name, source?.file.endsWith("links/pod.yaml")]),
      [["a", true]],
    );
  });

  it("rejects an alias inside its own anchor, and accepts a custom kind that ends in List", () => {
    const circular = "an alias is within its own anchor";
    assert.equal(objectsIn("metadata: &m {labels: *m}\n", "a.yaml"), circular);
    assert.equal(objectsIn("kind: List\nitems: &i [{kind: List, items: *i}]\n", "a.yaml"), circular);
    const own = objectsIn("apiVersion: a/v1\nkind: TeleportAccessList\nmetadata: {name: a}\n", "a.yaml");
    assert.deepEqual(typeof own === "string" ? own : own.map(({ kind }) => kind), ["TeleportAccessList"]);
  });

  it("reads a state, with encrypted secrets as unknown, and without resources pending deletion", async () => {
    const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:x" };
    const urn = (type: string, name: string) => `urn:pulumi:prod::shop::${type}::${name}`;
    const pod = (env: unknown) => ({
      metadata: { name: "a", namespace: "web" },
      spec: { containers: [{ name: "a", env }] },
    });
    const resources = [
      { urn: urn("pulumi:pulumi:Stack", "shop-prod"), type: "pulumi:pulumi:Stack" },
      {
        urn: urn("kubernetes:core/v1:Pod", "a"),
        type: "kubernetes:core/v1:Pod",
        inputs: pod([{ name: "A", value: secret }]),
      },
      { urn: urn("kubernetes:core/v1:Pod", "old"), type: "kubernetes:core/v1:Pod", inputs: pod([]), delete: true },
      {
        urn: urn("aws:cloudwatch/logGroup:LogGroup", "logs"),
        type: "aws:cloudwatch/logGroup:LogGroup",
        inputs: { name: "logs", __defaults: [] },
        propertyDependencies: { kmsKeyId: null },
      },
    ];
    const file = join(folder, "state.json");
    await writeFile(file, JSON.stringify({ version: 3, deployment: { resources } }));
    const stack = await readState(file);
    const [, a] = stack.resources;
    assert.equal(stack.resources.length, 3);
    assert.equal(a?.at("spec", "containers", 0, "env", 0, "value").isUnknown, true);
    assert.equal(a?.isSecret("spec.containers[0].env[0].value"), true);
    const found = pairs(audit(subjectOfStack(stack)).findings);
    assert.ok(found.includes("pods-non-root Pod/web/a"), found.join("\n"));
    assert.ok(
      found.some((pair) => pair.startsWith("aws-") && pair.endsWith("LogGroup/logs")),
      found.join("\n"),
    );
    await writeFile(file, "{}");
    await assert.rejects(readState(file), /is not a state written by `pulumi stack export/);
  });

  it("lists a cluster page by page, and names the kinds that the user may not list", async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? "", "http://x");
      asked.push(`${url.pathname} ${url.searchParams.get("continue") ?? ""}`.trim());
      const answer = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body));
      const { apiVersion: _, kind: __, ...pod } = live("v1", "Pod", "a");
      if (/rbac\.authorization|karpenter/.test(url.pathname)) return answer(403, { message: 'User "dev" cannot list' });
      if (url.pathname.startsWith("/apis/autoscaling/")) return response.writeHead(404).end("404 page not found\n");
      if (!url.pathname.endsWith("/pods")) return answer(200, { items: [], metadata: {} });
      const next = url.searchParams.has("continue") ? "" : "page-2";
      return answer(200, { items: [pod], metadata: { continue: next } });
    });
    const url = `http://127.0.0.1:${await listen(server)}`;
    try {
      const config = new KubeConfig();
      config.loadFromClusterAndUser({ name: "c", server: url, skipTLSVerify: true }, { name: "u" });
      const { objects, forbidden } = await readCluster(config);
      assert.deepEqual(
        objects.map(({ kind, name }) => `${kind} ${name}`),
        ["Pod a", "Pod a"],
      );
      assert.deepEqual(
        forbidden.map((type) => type.split(":").at(-1)),
        ["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"],
      );
      assert.ok(asked.includes("/apis/karpenter.k8s.aws/v1/ec2nodeclasses"), "which most clusters lack");
      assert.ok(
        asked.includes("/api/v1/pods page-2") && asked.every((path) => !path.includes("secrets")),
        asked.join("\n"),
      );
      asked.length = 0;
      assert.deepEqual((await readCluster(config, ["web"])).absent, ["web"]);
      assert.ok(asked.includes("/api/v1/namespaces/web/pods") && !asked.includes("/api/v1/pods"));
      assert.ok(asked.includes("/api/v1/persistentvolumes"), "which are in no namespace");
    } finally {
      server.closeAllConnections();
      server.close();
    }
    const config = new KubeConfig();
    config.loadFromClusterAndUser({ name: "c", server: "http://127.0.0.1:9", skipTLSVerify: true }, { name: "u" });
    await assert.rejects(readCluster(config), ClusterError);
  });

  it("says of a cluster that shows nothing which context it is", async () => {
    const server = createServer((_request, response) => response.writeHead(403).end("{}"));
    const configOf = (url: string) => {
      const config = new KubeConfig();
      config.loadFromClusterAndUser({ name: "c", server: url, skipTLSVerify: true }, { name: "u" });
      return config;
    };
    const shown = (config: KubeConfig) => visibleObjects({ cluster: kubeCluster(config), version: "v1.36.3", config });
    try {
      const silent = configOf(`http://127.0.0.1:${await listen(server)}`);
      await assert.rejects(shown(silent), {
        message: "context 'loaded-context': its user may list nothing; it needs the ClusterRole view",
        exitCode: 2,
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
    await assert.rejects(shown(configOf("http://127.0.0.1:9")), {
      message: /^context 'loaded-context': the API server does not answer \(.*ECONNREFUSED/,
      exitCode: 2,
    });
  });
});
