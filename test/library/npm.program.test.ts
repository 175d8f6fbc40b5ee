import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, glob, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { credentials } from "@grpc/grpc-js";
import grpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import proto from "@pulumi/pulumi/proto/provider_pb.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const NODE_22 = join(import.meta.dirname, "node-22/node_modules/node/bin/node");
const run = promisify(execFile);

/** A manifest, as far as it is read here. */
interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
}

async function manifest(file: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(ROOT, file), "utf8"));
}

async function filesOf(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const file of glob("**/*.*", { cwd: folder })) files.push(file);
  return files;
}

/** Installs the packed package in an empty project beside the packages that it declares, and no others. */
async function installed(): Promise<{ readonly project: string; readonly folder: string }> {
  const project = await mkdtemp(join(tmpdir(), "eks-dns-logging-library-"));
  await run("npm", ["pack", "--pack-destination", project, "--silent"], { cwd: join(ROOT, "library") });
  const [archive = ""] = (await readdir(project)).filter((name) => name.endsWith(".tgz"));
  const modules = join(project, "node_modules");
  const folder = join(modules, "eks-dns-logging-components");
  await mkdir(folder, { recursive: true });
  await run("tar", ["-xzf", join(project, archive), "-C", folder, "--strip-components", "1"]);
  const { dependencies } = await manifest("library/package.json");
  for (const name of [...Object.keys(dependencies), "@types/node"]) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(ROOT, "node_modules", name), join(modules, name));
  }
  return { project, folder };
}

describe("the npm package", () => {
  let project = "";
  let folder = "";
  before(async () => {
    ({ project, folder } = await installed());
    await cp(join(ROOT, "examples/typescript"), join(project, "program"), { recursive: true });
    await cp(join(import.meta.dirname, "plan-worker.ts"), join(project, "plan-worker.ts"));
    await writeFile(join(project, "package.json"), '{"type":"module"}');
  });
  after(() => rm(project, { recursive: true, force: true }));

  it("has no TypeScript to run, and all data that the code reads", async () => {
    const files = await filesOf(folder);
    assert.deepEqual(
      files.filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts")),
      [],
    );
    const { stdout } = await run("git", ["ls-files", "components", "corefile"], { cwd: ROOT });
    const data = stdout.split("\n").filter((file) => /\.(?!ts$)\w+$/.test(file) && !file.endsWith("package.json"));
    assert.ok(data.some((file) => file.endsWith(".rb")) && data.some((file) => file.endsWith(".lua")));
    assert.deepEqual(
      data.filter((file) => !files.includes(`dist/${file}`)),
      [],
    );
  });

  it("depends on what its code imports, in the versions that this project tests", async () => {
    const { dependencies } = await manifest("library/package.json");
    const code = (await filesOf(folder)).filter((file) => file.endsWith(".js"));
    const texts = await Promise.all(code.map((file) => readFile(join(folder, file), "utf8")));
    const imports = texts.flatMap((text) => [...text.matchAll(/ from "((?:@[^/"]+\/)?[^./"][^/"]*)/g)]);
    const names = new Set(
      imports.flatMap(([, name]) => (name === undefined || name.startsWith("node:") ? [] : [name])),
    );
    assert.deepEqual(Object.keys(dependencies).sort(), [...names].sort());
    const tested = {
      ...(await manifest("corefile/package.json")).dependencies,
      ...(await manifest("package.json")).dependencies,
    };
    for (const [name, version] of Object.entries(dependencies))
      assert.equal(version.replace("^", ""), tested[name], name);
  });

  it("is checked by a program of its own, its declarations too", async () => {
    const compilerOptions = {
      module: "nodenext",
      target: "es2022",
      strict: true,
      skipLibCheck: false,
      noEmit: true,
      types: ["node"],
    };
    const program = await readFile(join(project, "program/index.ts"), "utf8");
    // A mistake shows that the types are there.
    await writeFile(join(project, "mistake.ts"), program.replace("replicas: 3", 'replicas: "three"'));
    const files = ["program/index.ts", "mistake.ts"];
    await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
    const compiler = join(ROOT, "node_modules/typescript-native/bin/tsc");
    await assert.rejects(
      run(process.execPath, [compiler, "--project", project, "--pretty", "false"], { cwd: project }),
      ({ stdout }: { stdout: string }) => {
        assert.match(
          stdout,
          /^mistake\.ts\(\d+,\d+\): error TS2322: Type 'string' is not assignable to type 'number'\.\n$/,
        );
        return true;
      },
    );
  });

  it("plans the example program on Node.js 22", async () => {
    const { stdout } = await run(NODE_22, ["plan-worker.ts", join(project, "program/index.ts")], {
      cwd: project,
      env: { ...process.env, PULUMI_NODEJS_PROJECT: "program", PULUMI_NODEJS_STACK: "prod" },
      maxBuffer: 2 ** 24,
    });
    const plan: {
      node: string;
      resources: { type: string; name: string; inputs: Record<string, unknown> }[];
      outputs: object;
    } = JSON.parse(stdout.slice(stdout.indexOf("{")));
    assert.match(plan.node, /^22\./);
    const inputsOf = (type: string, name: string) => {
      const found = plan.resources.find((resource) => resource.type === type && resource.name === name);
      assert.ok(found, `${type} ${name} is not among ${plan.resources.map((resource) => resource.name).join(", ")}`);
      return found.inputs;
    };
    const addon = inputsOf("aws:eks/addon:Addon", "dns-addon");
    assert.equal(addon.clusterName, "prod");
    assert.equal(JSON.parse(String(addon.configurationValues)).replicaCount, 3);
    assert.deepEqual(inputsOf("kubernetes:core/v1:ResourceQuota", "shop-quota").spec, {
      hard: {
        "requests.cpu": "8",
        "requests.memory": "2Gi",
        "limits.memory": "4Gi",
        "requests.storage": "10Gi",
        pods: "50",
        services: "10",
        "services.loadbalancers": "0",
        "services.nodeports": "0",
      },
    });
    const { metadata } = inputsOf("kubernetes:core/v1:Namespace", "shop-namespace");
    assert.match(JSON.stringify(metadata), /"cost-center":"42"/);
    assert.deepEqual(
      plan.resources.filter(({ type }) => type === "kubernetes:core/v1:Pod"),
      [],
    );
    assert.match(JSON.stringify(plan.outputs), /serve_stale/);
    const { data } = inputsOf("kubernetes:core/v1:ConfigMap", "logs-fluent-bit-config");
    assert.match(JSON.stringify(data), /host: search.example.com/);
  });

  it("is a Pulumi package, which Pulumi's runner starts on Node.js 22", async () => {
    const runner = join(ROOT, "node_modules/@pulumi/pulumi/cmd/run-plugin");
    const plugin = spawn(NODE_22, [runner, folder, "127.0.0.1:9"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const [port] = await once(plugin.stdout, "data");
      const client = new grpc.ResourceProviderClient(`127.0.0.1:${String(port).trim()}`, credentials.createInsecure());
      const schema = await new Promise<string>((resolve, reject) => {
        client.getSchema(new proto.GetSchemaRequest(), (error, response) =>
          error ? reject(error) : resolve(response.getSchema()),
        );
      });
      client.close();
      assert.equal(schema, await readFile(join(ROOT, "library/schema.json"), "utf8"));
    } finally {
      plugin.kill();
    }
  });
});
