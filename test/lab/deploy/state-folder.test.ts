import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { StateFolder, stackFile } from "../../../lab/deploy/state.ts";

describe("the state folder of up", () => {
  let root: string;
  let source: string;
  let folder: StateFolder;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "state of lab-"));
    source = await mkdtemp(join(tmpdir(), "project-"));
    await writeFile(join(source, "Pulumi.yaml"), "name: lab\nmain: index.ts\nruntime: nodejs\n");
    await writeFile(
      join(source, "Pulumi.local.yaml"),
      "config:\n  lab:cluster: { kind: existing, context: old }\n  lab:x: 1\n",
    );
    folder = new StateFolder("local", root, source);
  });

  afterEach(async () => {
    await rm(root, { recursive: true });
    await rm(source, { recursive: true });
  });

  it("holds a project that runs this one's program, with the chosen cluster", async () => {
    await folder.writeProject({ context: "kind-lab", kubeconfig: "/k" });
    assert.deepEqual(parse(await readFile(join(folder.project, "Pulumi.yaml"), "utf8")), {
      name: "lab",
      main: `${source}/`,
      runtime: "nodejs",
    });
    assert.deepEqual(parse(await readFile(join(folder.project, "Pulumi.local.yaml"), "utf8")), {
      config: { "lab:cluster": { kind: "existing", context: "kind-lab", kubeconfig: "/k" }, "lab:x": 1 },
    });
  });

  it("leaves the committed file as it is and keeps the salt that the CLI wrote into its own", async () => {
    const committed = await readFile(join(source, "Pulumi.local.yaml"), "utf8");
    await folder.writeProject({ context: "one" });
    const own = join(folder.project, "Pulumi.local.yaml");
    await writeFile(own, `${await readFile(own, "utf8")}encryptionsalt: v1:abc\n`);
    await folder.writeProject({ context: "two" });
    const written: unknown = parse(await readFile(own, "utf8"));
    assert.deepEqual(written, {
      encryptionsalt: "v1:abc",
      config: { "lab:cluster": { kind: "existing", context: "two" }, "lab:x": 1 },
    });
    assert.equal(await readFile(join(source, "Pulumi.local.yaml"), "utf8"), committed);
  });

  it("prefers the salt of the committed file if its secrets were encrypted with it", () => {
    const config = { "lab:x": { list: [{ key: { secure: "v1:abc" } }] } };
    const file = stackFile(
      "lab",
      { encryptionsalt: "v1:theirs", config },
      { encryptionsalt: "v1:ours" },
      { context: "c" },
    );
    assert.equal(file.encryptionsalt, "v1:theirs");
  });

  it("ignores the encryption of a committed file without secrets, which `pulumi stack init` wrote", () => {
    const theirs = {
      encryptionsalt: "v1:theirs",
      encryptedkey: "k",
      secretsprovider: "awskms://a",
      config: { "lab:x": { secure: "a key of this name", beside: "another" } },
    };
    const config = { "lab:x": { secure: "a key of this name", beside: "another" }, "lab:cluster": { context: "c" } };
    assert.deepEqual(stackFile("lab", theirs, {}, { context: "c" }), { config });
    assert.deepEqual(stackFile("lab", theirs, { encryptionsalt: "v1:ours" }, { context: "c" }), {
      encryptionsalt: "v1:ours",
      config,
    });
  });

  it("remembers the cluster until it is forgotten", async () => {
    assert.equal(await folder.memory(), undefined);
    await folder.remember({ context: "kind-lab", kind: "lab" });
    assert.deepEqual(await folder.memory(), { context: "kind-lab", kind: "lab" });
    await folder.forget();
    assert.equal(await folder.memory(), undefined);
  });

  it("names its backend as a URL, spaces included", () => {
    assert.match(folder.backend, /^file:\/\/\/.*state%20of%20lab-\w+\/backend$/);
  });
});
