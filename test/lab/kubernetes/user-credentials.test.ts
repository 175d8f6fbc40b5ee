import assert from "node:assert/strict";
import { KubeConfig } from "@kubernetes/client-node";
import { checkCredentials } from "../../../lab/kubernetes/user-credentials.ts";

/** A kubeconfig whose user has these credentials. */
function configOf(user: object): KubeConfig {
  const config = new KubeConfig();
  config.loadFromString(
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "a",
      contexts: [{ name: "a", context: { cluster: "c", user: "u" } }],
      clusters: [{ name: "c", cluster: { server: "https://cluster.test" } }],
      users: [{ name: "u", user }],
    }),
  );
  return config;
}

function withServer(server: string): KubeConfig {
  const config = configOf({ token: "t" });
  config.clusters = config.clusters.map((cluster) => ({ ...cluster, server }));
  return config;
}

function exec(script: string, command = process.execPath) {
  const apiVersion = "client.authentication.k8s.io/v1";
  return configOf({ exec: { apiVersion, command, args: ["-e", script], interactiveMode: "Never" } });
}

describe("the credentials of a kubeconfig", () => {
  const refused: readonly (readonly [what: string, config: KubeConfig, message: RegExp])[] = [
    [
      "a program that is not there",
      exec("", "aws-of-nobody"),
      /^its .* program aws-of-nobody, which is not on the PATH$/,
    ],
    [
      "a program that fails",
      exec("console.error('Unable to locate\\ncredentials'); process.exit(255)"),
      /Unable to locate credentials$/,
    ],
    [
      "a program that fails without a word",
      exec("process.exit(1)"),
      /no credentials: it failed, and printed no reason$/,
    ],
    ["an answer that is no JSON", exec("console.log('hello')"), /no credentials: it printed no ExecCredential$/],
    ["an answer of another kind", exec("console.log('{}')"), /no credentials: it printed no ExecCredential$/],
    [
      "a file that is not there",
      configOf({ "client-certificate": "/nope.crt" }),
      /^the .* of user 'u' cannot be read: ENOENT.*nope\.crt/,
    ],
    [
      "a server without TLS",
      withServer("http://cluster.test"),
      /^the kubeconfig cannot be used: HTTP protocol is not allowed/,
    ],
    [
      "an auth-provider of old",
      configOf({ "auth-provider": { name: "gcp" } }),
      /^user 'u' has an auth-provider 'gcp', which Kubernetes replaced by exec/,
    ],
  ];
  for (const [what, config, message] of refused)
    it(`name ${what}`, async () => {
      await assert.rejects(checkCredentials(config), (error: Error) => {
        assert.equal(error.name, "ClusterError");
        assert.match(error.message, message);
        return true;
      });
    });

  it("are loaded once, and used by the following requests", async () => {
    const config = exec("console.log(JSON.stringify({status: {token: String(process.pid)}}))");
    await checkCredentials(config);
    const [one, other]: { headers?: Record<string, string> }[] = [{}, {}];
    await config.applyToHTTPSOptions(one ?? {});
    await config.applyToHTTPSOptions(other ?? {});
    assert.match(one?.headers?.Authorization ?? "", /^Bearer \d+$/);
    assert.deepEqual(one?.headers, other?.headers);
    await checkCredentials(configOf({ token: "t" }));
  });
});
