import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { seconds } from "../../support/collectors/losses.ts";
import { Receiver } from "../../support/collectors/receiver.ts";
import { Sandbox } from "../../support/collectors/sandbox.ts";
import { hasBotocore, startVerifier } from "../../support/collectors/sigv4.ts";
import { leaveOut } from "../../support/leave-out.ts";
import { listen } from "../../support/listen.ts";
import { hasOpenssl, startTlsReceiver } from "../tls-receiver.ts";
import { localFluentBit, skipWithoutFluentBit } from "./local.ts";

const DOMAIN = "arn:aws:es:eu-central-1:111122223333:domain/logs";
const COLLECTION = "arn:aws:aoss:eu-west-1:111122223333:collection/07tjusf2h91cunochc";
const KEYS = { id: "ASIAEXAMPLE", secret: "sec/ret+key", token: "session/token+of=pod" };

/** What a receiver gets that checks signatures, and why it refused the rest. */
async function deliver(arn: string, scope: { region: string; service: string }, clockOffset = 0) {
  const local = localFluentBit();
  assert.ok(local);
  const verifier = startVerifier(KEYS, scope, clockOffset);
  const refusals = new Set<string>();
  const receiver = await startTlsReceiver(async (request, body) => {
    const why = await verifier.refusal(request, body);
    if (why !== "") refusals.add(why);
    return why;
  });
  const api = await Receiver.start();
  const agent = podIdentityAgent();
  const destination = { kind: "opensearch", host: "127.0.0.1", port: receiver.port, tls: { verify: false } };
  const wrapper = { ...local, program: "" };
  const sandbox = new Sandbox(wrapper, { destination: { ...destination, sigv4: { arn } } }, api.port);
  wrapper.program = asPod(local.program, sandbox.folder, await listen(agent));
  const collector = sandbox.start();
  try {
    sandbox.write({ namespace: "ts-team", pod: "curl-ts", container: "curl" }, [
      `${new Date().toISOString().slice(0, -1)}000000Z stdout F signed line`,
    ]);
    const came = () => receiver.bodies.some((body) => body.includes("signed line"));
    for (let wait = 0; wait < 60 && !came() && refusals.size === 0; wait += 1) await seconds(0.25);
    const said = readFileSync(sandbox.log, { encoding: "utf8", flag: "a+" });
    return { came: came(), refusals: [...refusals], bodies: receiver.bodies.join(""), said };
  } finally {
    await collector.stop("SIGKILL");
    verifier.stop();
    receiver.stop();
    agent.close();
    await api.stop();
    sandbox.remove();
  }
}

/** The agent on each node that gives a pod the credentials of its role. */
function podIdentityAgent() {
  return createServer((request, response) => {
    if (request.headers.authorization !== "token of the pod") return void response.writeHead(401).end();
    const [Expiration] = [new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+/, "")];
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ AccessKeyId: KEYS.id, SecretAccessKey: KEYS.secret, Token: KEYS.token, Expiration }));
  });
}

/** Starts the program as EKS starts a pod with Pod Identity: where the agent is, and the token for it, in the environment. */
function asPod(program: string, folder: string, port: number): string {
  const [script, token] = [join(folder, "as-pod"), join(folder, "pod-token")];
  writeFileSync(token, "token of the pod");
  writeFileSync(
    script,
    `#!/bin/sh
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
export AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:${port}/v1/credentials AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=${token}
exec ${program} "$@"
`,
  );
  chmodSync(script, 0o755);
  return script;
}

describe("Fluent Bit to Amazon OpenSearch", () => {
  before(function () {
    skipWithoutFluentBit.call(this);
    if (!hasOpenssl()) leaveOut(this, "no openssl");
    else if (!hasBotocore()) leaveOut(this, "no botocore for python3");
  });

  it("signs requests to a domain with the credentials of its pod", async () => {
    const { came, refusals, bodies, said } = await deliver(DOMAIN, { region: "eu-central-1", service: "es" });
    assert.deepEqual([came, refusals], [true, []], said);
    assert.match(bodies, /"_id":/);
  });

  it("signs requests to a Serverless collection, without ids", async () => {
    const { came, refusals, bodies, said } = await deliver(COLLECTION, { region: "eu-west-1", service: "aoss" });
    assert.deepEqual([came, refusals], [true, []], said);
    assert.doesNotMatch(bodies, /"_id":/);
  });

  it("is refused where the clocks are six minutes apart, and keeps the line", async () => {
    for (const offset of [-360, 360]) {
      const found = await deliver(DOMAIN, { region: "eu-central-1", service: "es" }, offset);
      assert.deepEqual([found.came, found.refusals], [false, ["Signature expired"]], found.said);
      assert.match(found.said, /HTTP status=403/);
      assert.doesNotMatch(found.said, /cannot be retried/);
    }
  });

  it("is refused where the signature is for another region", async () => {
    const found = await deliver(DOMAIN, { region: "eu-west-1", service: "es" });
    assert.deepEqual([found.came, found.refusals], [false, ["signed for eu-central-1 and es"]]);
  });
});
