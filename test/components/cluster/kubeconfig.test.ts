import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { findServer, kubeconfigFiles } from "../../../components/cluster/kubeconfig.ts";
import { ClusterSettings, type ExistingClusterSettings } from "../../../components/cluster/settings.ts";

function existing(changes: { kubeconfig?: string; context?: string } = {}): ExistingClusterSettings {
  const settings = ClusterSettings.parse({ kind: "existing", ...changes });
  assert.ok(settings.kind === "existing");
  return settings;
}

const KUBECONFIG = `
current-context: lab
contexts:
  - { name: lab, context: { cluster: lab, user: admin } }
  - { name: behind, context: { cluster: behind, user: admin } }
  - { name: torn, context: { cluster: gone } }
clusters:
  - { name: lab, cluster: { server: "https://127.0.0.1:6443" } }
  - { name: behind, cluster: { server: "https://10.0.0.1", proxy-url: "http://proxy:3128" } }
`;
const SECOND = `
current-context: second
contexts:
  - { name: second, context: { cluster: lab } }
clusters:
  - { name: lab, cluster: { server: "https://other:6443" } }
`;

describe("kubeconfigFiles", () => {
  it("are the file of the settings, else those of KUBECONFIG, else kubectl's own", () => {
    assert.deepEqual(kubeconfigFiles(existing({ kubeconfig: "~/lab.yaml" }), "/a"), [join(homedir(), "lab.yaml")]);
    assert.deepEqual(kubeconfigFiles(existing(), ["/a", "", "/b"].join(delimiter)), ["/a", "/b"]);
    assert.deepEqual(kubeconfigFiles(existing(), ""), [join(homedir(), ".kube", "config")]);
    assert.deepEqual(kubeconfigFiles(existing(), undefined), [join(homedir(), ".kube", "config")]);
  });
});

describe("findServer", () => {
  let folder: string;
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "kubeconfig-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("is that of the current context, or of the one in the settings", () => {
    const files = [file("a", KUBECONFIG)];
    assert.deepEqual(findServer(existing(), files), {
      context: "lab",
      server: "https://127.0.0.1:6443",
      proxied: false,
      files,
    });
    assert.deepEqual(findServer(existing({ context: "behind" }), files), {
      context: "behind",
      server: "https://10.0.0.1",
      proxied: true,
      files,
    });
  });

  it("uses the first of several files, as kubectl does", () => {
    const files = [join(folder, "missing"), file("a", KUBECONFIG), file("b", SECOND)];
    assert.deepEqual(findServer(existing({ context: "second" }), files), {
      context: "second",
      server: "https://127.0.0.1:6443",
      proxied: false,
      files: files.slice(1),
    });
  });

  const issues: readonly [string, string | undefined, { context?: string }, RegExp][] = [
    ["no file", undefined, {}, /^kubeconfig: no kubeconfig at .*config$/],
    ["no YAML", "a: [", {}, /^kubeconfig: .*config is not a kubeconfig$/],
    ["a list", "- a", {}, /is not a kubeconfig$/],
    ["an empty file", "", {}, /^context: .*config has no current context; it has no contexts$/],
    [
      "no current context",
      KUBECONFIG.replace("current-context: lab", ""),
      {},
      /^context: .*config has no current context; contexts: lab, behind, torn$/,
    ],
    [
      "an unknown context",
      KUBECONFIG,
      { context: "prod" },
      /^context: no context 'prod' in .*config; contexts: lab, behind, torn$/,
    ],
    [
      "a context without its cluster",
      KUBECONFIG,
      { context: "torn" },
      /^context: context 'torn' refers to cluster 'gone', which is not in .*config$/,
    ],
  ];
  for (const [what, text, settings, expected] of issues) {
    it(`says in one line that there is ${what}`, () => {
      const path = text === undefined ? join(folder, "config") : file("config", text);
      const found = findServer(existing(settings), [path]);
      assert.ok("issue" in found);
      assert.match(`${found.setting}: ${found.issue}`, expected);
      assert.doesNotMatch(found.issue, /\n/);
    });
  }

  it("distinguishes a folder from a file", () => {
    const found = findServer(existing(), [folder]);
    assert.ok("issue" in found);
    assert.match(found.issue, /^cannot read the kubeconfig .* \(EISDIR\)$/);
  });
});
