import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { LIMITS } from "../../../lab/dns/bench.ts";
import { connected, registerDns } from "../../../lab/dns/index.ts";
import { listen } from "../../support/listen.ts";

/** What the command line says of arguments that it does not take. */
async function refused(...args: readonly string[]): Promise<string> {
  const said: string[] = [];
  const program = new Command("lab").exitOverride().configureOutput({ writeErr: (text) => said.push(text) });
  registerDns(program);
  // Subcommands made before do not inherit these.
  for (const command of program.commands.flatMap((dns) => [dns, ...dns.commands])) {
    command.exitOverride().configureOutput({ writeErr: (text) => said.push(text) });
  }
  await assert.rejects(program.parseAsync(["dns", ...args], { from: "user" }), (error: unknown) => {
    if (!(error instanceof CommanderError)) said.push(String(error));
    return true;
  });
  return said.join("");
}

/** Runs with the kubeconfig of an API server that has nothing but its version. */
async function withEmptyCluster(run: (kubeconfig: string) => Promise<void>): Promise<void> {
  const server = createServer((request, response) => {
    const found = request.url === "/version" ? { gitVersion: "v1.36.3" } : undefined;
    const list = request.url?.split("?")[0]?.endsWith("/pods") ? { items: [] } : undefined;
    response.writeHead((found ?? list) ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(found ?? list ?? { message: "not found" }));
  });
  const port = await listen(server);
  const folder = await mkdtemp(join(tmpdir(), "dns-"));
  const kubeconfig = join(folder, "kubeconfig");
  const config = {
    clusters: [{ name: "c", cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user: {} }],
    contexts: [{ name: "one", context: { cluster: "c", user: "u" } }],
    "current-context": "one",
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  await run(kubeconfig).finally(() => Promise.all([rm(folder, { recursive: true }), server.close()]));
}

describe("the command line of lab dns", () => {
  it("limits rate and duration", async () => {
    const { perSecond, seconds } = LIMITS;
    assert.match(await refused("bench", "--rate", String(perSecond + 1)), new RegExp(`integer from 1 to ${perSecond}`));
    assert.match(await refused("bench", "--seconds", String(seconds + 1)), new RegExp(`integer from 1 to ${seconds}`));
    assert.match(await refused("bench", "--rate", "ten"), /an integer/);
    assert.match(await refused("explain", "a", "--ndots", "16"), /integer from 0 to 15/);
  });

  it("says that a kubeconfig is missing, in one line", async () => {
    assert.match(
      await refused("explain", "a", "--kubeconfig", "no/such/file"),
      /^Failure: no kubeconfig at no\/such\/file: .*$/,
    );
  });

  it("names the command that deploys the stack if its lab is missing", async () => {
    await withEmptyCluster(async (kubeconfig) => {
      const lacking = "Failure: no namespace 'ts-team' in context one: deploy the lab with";
      const local = await refused("explain", "a", "--kubeconfig", kubeconfig);
      assert.equal(local, `${lacking} npm run lab -- up`);
      for (const command of [["explain", "a"], ["forms", "a.b"], ["bench"]]) {
        const dev = await refused(...command, "--stack", "dev", "--kubeconfig", kubeconfig);
        assert.equal(dev, `${lacking} pulumi up --stack dev --refresh --replace '**-curl-pod'`);
      }
    });
  });

  it("does not promise a pod that the stack does not create", async () => {
    const folder = await mkdtemp(join(tmpdir(), "dns-"));
    const config = { "eks-dns-logging:cluster": { kind: "existing" } };
    const advice = "in context one: choose a running pod with --from NAMESPACE/POD";
    const teams = [{ name: "ts" }];
    const stacks = { none: { teams: [] }, podless: { teams, curlPods: false }, lab: { teams } };
    try {
      await withEmptyCluster(async (kubeconfig) => {
        const said = async (stack: keyof typeof stacks, from = "ts-team/curl-ts") => {
          const own = Object.entries(stacks[stack]).map(([key, value]) => [`eks-dns-logging:${key}`, value]);
          const file = { config: { ...config, ...Object.fromEntries(own) } };
          await writeFile(join(folder, `Pulumi.${stack}.yaml`), JSON.stringify(file));
          return connected({ stack, from, kubeconfig }, folder).then(() => "found", String);
        };
        assert.equal(await said("none"), `Failure: no namespace 'ts-team' ${advice}`);
        assert.equal(await said("podless"), `Failure: no namespace 'ts-team' ${advice}`);
        assert.equal(await said("lab", "payments/api"), `Failure: no namespace 'payments' ${advice}`);
        assert.match(await said("lab"), /^Failure: no namespace 'ts-team' .*: deploy the lab with .* --stack lab$/);
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("knows the stack by its name", async () => {
    assert.match(await refused("explain", "a", "--stack", "nope"), /no stack 'nope'/);
  });

  it("uses the stack's own cluster, unless another one is named", async () => {
    const folder = await mkdtemp(join(tmpdir(), "dns-"));
    const cluster = { kind: "existing", kubeconfig: join(folder, "own") };
    await writeFile(join(folder, "Pulumi.x.yaml"), JSON.stringify({ config: { "eks-dns-logging:cluster": cluster } }));
    const flags = { stack: "x", from: "ts-team/curl-ts" };
    try {
      await assert.rejects(connected(flags, folder), {
        message: new RegExp(`^no kubeconfig at ${folder}/own`),
      });
      await assert.rejects(connected({ ...flags, kubeconfig: "no/other" }, folder), /no kubeconfig at no\/other/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("fetches schemas only if asked to", async () => {
    assert.match(await refused("schema", "--version", "v1.13.2-eksbuild.31"), /require --update$/);
  });

  it("shows no profile of a missing stack", async () => {
    assert.match(await refused("profile", "--stack", "nope"), /no stack 'nope'/);
  });
});
