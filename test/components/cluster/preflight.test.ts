import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { serverIssue } from "../../../components/cluster/kubeconfig.ts";
import {
  awsCliIssue,
  awsCliVersion,
  deploymentIssue,
  endpointWarning,
  existingIssue,
  preflight,
} from "../../../components/cluster/preflight.ts";
import { ClusterSettings } from "../../../components/cluster/settings.ts";
import { record } from "../../../lab/plan/plan.ts";
import { freePort } from "../../support/free-port.ts";
import { listen } from "../../support/listen.ts";

/** A server that takes connections, and the port that it has. */
async function started(): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.end());
  return { server, port: await listen(server) };
}

describe("awsCliIssue", () => {
  for (const version of [
    "aws-cli/2.7.0 Python/3.9",
    "aws-cli/2.31.5 Python/3.13 Linux/6",
    "aws-cli/3.0.1",
    "aws-cli/1.24.0 Python/3.8",
  ]) {
    it(`accepts ${version}`, () => assert.equal(awsCliIssue(version), undefined));
  }
  for (const [version, found] of [
    [undefined, "none"],
    ["aws-cli/1.23.9 Python/3.9\n", "aws-cli/1.23.9 Python/3.9"],
    ["aws-cli/2.6.9", "aws-cli/2.6.9"],
    ["something else", "something else"],
  ] as const) {
    it(`rejects ${version?.trim()}`, () => {
      const issue = awsCliIssue(version) ?? "";
      assert.ok(
        issue.startsWith(`an EKS stack needs the AWS CLI 2.7 (or 1.24) or newer on the PATH, found ${found}: https://`),
      );
      assert.doesNotMatch(issue, /\n/);
    });
  }
});

describe("awsCliVersion", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "aws-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("is the output of the program on the PATH", async () => {
    const program = join(folder, "aws");
    writeFileSync(program, "#!/bin/sh\necho aws-cli/2.31.0 Python/3.13\n");
    chmodSync(program, 0o755);
    const environment = { PATH: folder };
    assert.equal(awsCliVersion(environment), "aws-cli/2.31.0 Python/3.13\n");
    assert.equal(await deploymentIssue(ClusterSettings.parse({ kind: "eks" }), environment), undefined);
  });

  it("is undefined without the program, or if it fails", async () => {
    const environment = { PATH: folder };
    assert.equal(awsCliVersion(environment), undefined);
    assert.match(
      (await deploymentIssue(ClusterSettings.parse({ kind: "eks" }), environment)) ?? "",
      /^an EKS stack needs the AWS CLI 2\.7 \(or 1\.24\) or newer on the PATH, found none: /,
    );
    writeFileSync(join(folder, "aws"), "#!/bin/sh\nexit 1\n");
    chmodSync(join(folder, "aws"), 0o755);
    assert.equal(awsCliVersion(environment), undefined);
  });
});

describe("endpointWarning", () => {
  const warning = (publicCidrs: string[]) => {
    const settings = ClusterSettings.parse({
      kind: "eks",
      endpointAccess: { public: publicCidrs.length > 0, publicCidrs },
    });
    assert.ok(settings.kind === "eks");
    return endpointWarning(settings);
  };

  it("reports an example's address left in place", () => {
    assert.match(
      warning(["203.0.113.10/32"]) ?? "",
      /^cluster\.endpointAccess\.publicCidrs contains a documentation address/,
    );
  });

  it("is silent for real addresses, and for a private endpoint", () => {
    assert.equal(warning(["203.0.113.10/32", "9.9.9.9/32"]), undefined);
    assert.equal(warning([]), undefined);
  });
});

describe("serverIssue", () => {
  it("is undefined if a connection succeeds", async () => {
    const { server, port } = await started();
    assert.equal(await serverIssue(`https://127.0.0.1:${port}`), undefined);
    server.close();
  });

  it("names the reason if it fails", async () => {
    assert.equal(await serverIssue(`https://127.0.0.1:${await freePort()}`), "does not answer (ECONNREFUSED)");
    assert.match((await serverIssue("https://[::1]:1")) ?? "", /^does not answer \(E/);
    assert.match((await serverIssue("https://no-such-host.invalid")) ?? "", /^does not answer \(E/);
    assert.equal(await serverIssue("not a url"), "is not a URL");
  });
});

describe("existingIssue", () => {
  let folder: string;
  const kubeconfig = (port: number, more = "") => {
    const path = join(folder, "config");
    const text = `{ current-context: lab, contexts: [{ name: lab, context: { cluster: lab } }], clusters: [{ name: lab, cluster: { server: "https://127.0.0.1:${port}"${more} } }] }`;
    writeFileSync(path, text);
    const settings = ClusterSettings.parse({ kind: "existing", kubeconfig: path });
    assert.ok(settings.kind === "existing");
    return settings;
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "preflight-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("is undefined for a reachable server", async () => {
    const { server, port } = await started();
    assert.equal(await existingIssue(kubeconfig(port), {}), undefined);
    assert.equal(await deploymentIssue(kubeconfig(port), {}), undefined);
    server.close();
  });

  it("names context, server and reason for an unreachable one", async () => {
    const port = await freePort();
    assert.equal(
      await existingIssue(kubeconfig(port), {}),
      `cluster: context 'lab' names the server https://127.0.0.1:${port}, which does not answer (ECONNREFUSED); start the cluster, or name another context`,
    );
  });

  it("leaves a server behind a proxy to Pulumi", async () => {
    const port = await freePort();
    assert.equal(await existingIssue(kubeconfig(port, ', proxy-url: "http://proxy"'), {}), undefined);
    assert.equal(await existingIssue(kubeconfig(port), { HTTPS_PROXY: "http://proxy" }), undefined);
  });

  it("names the missing files of KUBECONFIG", async () => {
    const settings = ClusterSettings.parse({ kind: "existing" });
    assert.ok(settings.kind === "existing");
    assert.match(
      (await existingIssue(settings, { KUBECONFIG: join(folder, "none") })) ?? "",
      /^cluster\.kubeconfig: no kubeconfig at .*none; set another, or create a cluster/,
    );
  });
});

describe("preflight", () => {
  const before = process.env.PATH ?? "";
  let folder: string;
  const eks = ClusterSettings.parse({ kind: "eks" });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "preflight-"));
    const aws = join(folder, "aws");
    writeFileSync(aws, `#!/bin/sh\ntouch '${join(folder, "asked")}'\necho aws-cli/2.31.5\n`);
    chmodSync(aws, 0o755);
    process.env.PATH = `${folder}${delimiter}${before}`;
  });
  afterEach(() => {
    process.env.PATH = before;
    rmSync(folder, { recursive: true });
  });

  it("checks nothing on the machine in a plan", async () => {
    let finished = false;
    await record({ stack: "dev", config: {} }, async () => {
      await preflight(eks);
      await preflight(ClusterSettings.parse({ kind: "existing", kubeconfig: "/there/is/no/such/file" }));
      finished = true;
    });
    assert.ok(finished);
    assert.ok(!existsSync(join(folder, "asked")));
    // What a deployment asks, the same program would have heard.
    assert.equal(await deploymentIssue(eks, process.env), undefined);
    assert.ok(existsSync(join(folder, "asked")));
  });
});
