import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { checkCredentials, expiredCertificate } from "../../../lab/kubernetes/connect.ts";

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

/** Certificates of a user named u, self-signed, as lines of their DER form. */
const CERTIFICATES = {
  until2021: [
    "MIH/MIGmAgERMAoGCCqGSM49BAMCMAwxCjAIBgNVBAMMAXUwHhcNMjAwMTAxMDAwMDAwWhcNMjEwMTAxMDAwMDAwWjAMMQow",
    "CAYDVQQDDAF1MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAElS/XWK0SWxT9jyZ4MBu3lM8yLsaHTLCryAlfICd/7YqPW4j3",
    "LVdGVNsn8pS8rmEN8HRaDI5DrDkRGR5XCgMLNTAKBggqhkjOPQQDAgNIADBFAiB6LdFJvU7O6dkdCHveoJ5vb9f/3QHScJ1q",
    "GaISMWp49AIhAOtxwC0Dqg4OK2KYhdRuJvaypky1oR4u8Us1mEBlOr8m",
  ],
  until2126: [
    "MIIBATCBqAIBEjAKBggqhkjOPQQDAjAMMQowCAYDVQQDDAF1MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjYwMTAxMDAwMDAwWjAM",
    "MQowCAYDVQQDDAF1MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAElS/XWK0SWxT9jyZ4MBu3lM8yLsaHTLCryAlfICd/7YqP",
    "W4j3LVdGVNsn8pS8rmEN8HRaDI5DrDkRGR5XCgMLNTAKBggqhkjOPQQDAgNIADBFAiBcdhQutq9AaSiGx1xBoJFz87aKe/po",
    "ehh+Lf14WJpG0QIhAODU055PWt6O749sgalCc/ntjJ2ccvLNlMOdthgOBMi9",
  ],
};

/** As a kubeconfig has it: a PEM document in base 64. */
function certificateData(lines: readonly string[]): string {
  return Buffer.from(`-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`).toString(
    "base64",
  );
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

  it("have expired where their certificate has", async () => {
    const { until2021, until2126 } = CERTIFICATES;
    const expired = "the certificate of user 'u' expired on 2021-01-01: recreate the kubeconfig";
    assert.equal(expiredCertificate(configOf({ "client-certificate-data": certificateData(until2021) })), expired);
    assert.equal(expiredCertificate(configOf({ "client-certificate-data": certificateData(until2126) })), undefined);
    const folder = await mkdtemp(join(tmpdir(), "certificate-"));
    const file = join(folder, "u.crt");
    await writeFile(file, Buffer.from(certificateData(until2021), "base64"));
    assert.equal(expiredCertificate(configOf({ "client-certificate": file })), expired);
    await rm(folder, { recursive: true });
    for (const user of [{ token: "t" }, { "client-certificate": file }, { "client-certificate-data": "bm9uZQ==" }])
      assert.equal(expiredCertificate(configOf(user)), undefined);
  });
});
