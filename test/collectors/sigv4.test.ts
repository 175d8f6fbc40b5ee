import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { seconds } from "../support/collectors/losses.ts";
import { whyMissing } from "../support/collectors/program.ts";
import { Receiver } from "../support/collectors/receiver.ts";
import { type LocalCollector, Sandbox } from "../support/collectors/sandbox.ts";
import { hasBotocore, type SigningScope, startVerifier } from "../support/collectors/sigv4.ts";
import { leaveOut } from "../support/leave-out.ts";
import { listen } from "../support/listen.ts";
import { localFluentBitWithShortUploads } from "./fluent-bit/local.ts";
import { localOpenTelemetry } from "./opentelemetry/local.ts";
import { hasOpenssl, startTlsReceiver } from "./tls-receiver.ts";
import { localVector } from "./vector/local.ts";

const KEYS = { id: "ASIAEXAMPLE", secret: "sec/ret+key", token: "session/token+of=pod" };

type Service = "es" | "aoss" | "logs" | "s3" | "firehose";

/** What a service is in the settings, and what its requests are signed for. */
const SERVICES: Readonly<
  Record<Service, { readonly title: string; readonly region: string; destination(port: number): object }>
> = {
  es: {
    title: "a domain of Amazon OpenSearch Service",
    region: "eu-central-1",
    destination: (port) => search(port, "arn:aws:es:eu-central-1:111122223333:domain/logs"),
  },
  aoss: {
    title: "a Serverless collection",
    region: "eu-west-1",
    destination: (port) => search(port, "arn:aws:aoss:eu-west-1:111122223333:collection/07tjusf2h91cunochc"),
  },
  logs: { title: "CloudWatch Logs", region: "eu-central-1", destination: () => ({ kind: "cloudwatch" }) },
  s3: { title: "S3", region: "eu-central-1", destination: () => ({ kind: "s3", prefix: "pods/of-test" }) },
  firehose: {
    title: "Firehose",
    region: "eu-central-1",
    destination: () => ({
      kind: "firehose",
      stream: "logs",
      arn: "arn:aws:firehose:eu-central-1:111122223333:deliverystream/logs",
    }),
  },
};

function search(port: number, arn: string): object {
  return { kind: "opensearch", host: "127.0.0.1", port, tls: { verify: false }, sigv4: { arn } };
}

type Started = LocalCollector & { stop?(): void };

interface SigningCollector {
  readonly title: string;
  readonly program: string;
  readonly services: readonly Service[];
  /** Services of whose documents it makes no id. */
  readonly noIds: readonly Service[];
  /** Services whose clock its SDK takes from the answer that refuses a request, so that the next is taken. */
  readonly setsClock: readonly Service[];
  start(): Promise<Started | undefined>;
  /** Sends to a receiver by TLS, as to AWS, what was adapted for one without it. */
  byTls(text: string, plain: number, tls: number): string;
}

const COLLECTORS: readonly SigningCollector[] = [
  {
    title: "Fluent Bit",
    program: "fluent-bit",
    services: ["es", "aoss", "logs", "s3"],
    noIds: ["aoss"],
    setsClock: [],
    start: localFluentBitWithShortUploads,
    byTls: (text, plain, tls) =>
      text
        .replace(`http://127.0.0.1:${plain}\n      tls: off`, `https://127.0.0.1:${tls}\n      tls.verify: off`)
        .replace(`endpoint: 127.0.0.1\n      port: ${plain}`, `endpoint: 127.0.0.1\n      port: ${tls}`),
  },
  {
    title: "Vector",
    program: "vector",
    services: ["es", "aoss", "logs", "s3"],
    noIds: ["aoss"],
    setsClock: [],
    start: localVector,
    byTls: (text, plain, tls) =>
      text.replace(
        `endpoint: http://127.0.0.1:${plain}\n`,
        `endpoint: https://127.0.0.1:${tls}\n    tls:\n      verify_certificate: false\n`,
      ),
  },
  {
    title: "OpenTelemetry Collector",
    program: "otelcol",
    services: ["logs", "s3"],
    noIds: [],
    setsClock: ["logs", "s3"],
    start: () => localOpenTelemetry(),
    byTls: (text, plain, tls) =>
      text
        .replace(`endpoint: http://127.0.0.1:${plain}\n`, `endpoint: https://127.0.0.1:${tls}\n`)
        .replace("disable_ssl: true", "disable_ssl: false"),
  },
];

/** What a receiver gets that checks signatures, and why it refused the rest. */
async function deliver(
  collector: SigningCollector,
  local: Started,
  service: Service,
  { scope = {}, clockOffset = 0 }: { readonly scope?: Partial<SigningScope>; readonly clockOffset?: number } = {},
) {
  const { region, destination } = SERVICES[service];
  const verifier = startVerifier(KEYS, { region, service, ...scope }, clockOffset);
  const refusals = new Set<string>();
  const receiver = await startTlsReceiver(async (request, body) => {
    const why = await verifier.refusal(request, body);
    if (why !== "") refusals.add(why);
    return why;
  }, clockOffset);
  const api = await Receiver.start();
  const agent = podIdentityAgent();
  const { adapt } = local;
  const wrapper = {
    ...local,
    program: "",
    adapt: (text: string, place: Parameters<typeof adapt>[1]) =>
      collector.byTls(adapt(text, place), place.receiverPort, receiver.port),
  };
  const sandbox = new Sandbox(wrapper, { destination: destination(receiver.port) }, api.port);
  wrapper.program = asPod(local.program, sandbox.folder, await listen(agent), receiver.authorities.right);
  const running = sandbox.start();
  try {
    const came = () => receiver.bodies.some((body) => body.includes("signed line"));
    for (let wait = 0; wait < 480 && !came() && refusals.size === 0; wait += 1) {
      // More than one, since Vector's buffer may keep the first lines until others come.
      if (wait % 20 === 0)
        sandbox.write({ namespace: "ts-team", pod: "curl-ts", container: "curl" }, [
          `${new Date().toISOString().slice(0, -1)}000000Z stdout F signed line`,
        ]);
      await seconds(0.25);
    }
    // What comes of a refusal: another try, with the same clock or with the service's.
    if (refusals.size > 0) for (let wait = 0; wait < 24 && !came(); wait += 1) await seconds(0.25);
    const said = readFileSync(sandbox.log, { encoding: "utf8", flag: "a+" });
    return { came: came(), refusals: [...refusals], bodies: receiver.bodies.join(""), said };
  } finally {
    await running.stop("SIGKILL");
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

/**
 * Starts the program as EKS starts a pod with Pod Identity: where the agent is, and the token for it, in the environment. The SDKs of AWS
 * trust the receiver's authority by a variable of theirs, and a client of the program's own by OpenSSL's and Go's.
 */
function asPod(program: string, folder: string, port: number, authority: string): string {
  const [script, token] = [join(folder, "as-pod"), join(folder, "pod-token")];
  writeFileSync(token, "token of the pod");
  writeFileSync(
    script,
    `#!/bin/sh
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_PROFILE
export AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:${port}/v1/credentials AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=${token}
export AWS_CA_BUNDLE=${authority} SSL_CERT_FILE=${authority} AWS_EC2_METADATA_DISABLED=true
exec ${program} "$@"
`,
  );
  chmodSync(script, 0o755);
  return script;
}

for (const collector of COLLECTORS) {
  describe(`${collector.title} signs requests as AWS checks them`, function () {
    this.timeout(240_000);
    let local: Started | undefined;
    before(async function () {
      local = await collector.start();
      if (local === undefined) leaveOut(this, whyMissing(collector.program));
      else if (!hasOpenssl()) leaveOut(this, "no openssl");
      else if (!hasBotocore()) leaveOut(this, "no botocore for python3");
    });
    after(() => local?.stop?.());

    for (const service of collector.services) {
      const { title, region } = SERVICES[service];

      it(`to ${title}, with the credentials of its pod`, async () => {
        assert.ok(local);
        const { came, refusals, bodies, said } = await deliver(collector, local, service);
        assert.deepEqual([came, refusals], [true, []], said);
        if (service === "es" || service === "aoss")
          assert.equal(/"_id":/.test(bodies), !collector.noIds.includes(service));
      });

      for (const clockOffset of [-360, 360])
        it(`to ${title}, which refuses them with its clock ${Math.abs(clockOffset)} s ${clockOffset < 0 ? "behind" : "ahead"}`, async () => {
          assert.ok(local);
          const { came, refusals, said } = await deliver(collector, local, service, { clockOffset });
          assert.deepEqual([came, refusals], [collector.setsClock.includes(service), ["Signature expired"]], said);
        });

      it(`to ${title} only for its region`, async () => {
        assert.ok(local);
        const scope = { region: "us-west-2" };
        const { came, refusals, said } = await deliver(collector, local, service, { scope });
        assert.deepEqual([came, refusals], [false, [`signed for ${region} and ${service}`]], said);
      });
    }
  });
}
