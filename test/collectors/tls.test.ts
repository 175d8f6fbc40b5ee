import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { filebeat } from "../../components/logging/collectors/filebeat/index.ts";
import { fluentBit } from "../../components/logging/collectors/fluent-bit/index.ts";
import { fluentd } from "../../components/logging/collectors/fluentd/index.ts";
import { logagent } from "../../components/logging/collectors/logagent/index.ts";
import { opentelemetry } from "../../components/logging/collectors/opentelemetry/index.ts";
import { promtail } from "../../components/logging/collectors/promtail/index.ts";
import { vector } from "../../components/logging/collectors/vector/index.ts";
import { caFile } from "../../components/logging/destinations/destination-secrets.ts";
import { seconds } from "../support/collectors/losses.ts";
import { whyMissing } from "../support/collectors/program.ts";
import { Receiver } from "../support/collectors/receiver.ts";
import { type LocalCollector, Sandbox } from "../support/collectors/sandbox.ts";
import { leaveOut } from "../support/leave-out.ts";
import { localFilebeat } from "./filebeat/local.ts";
import { localFluentBit } from "./fluent-bit/local.ts";
import { localFluentd } from "./fluentd/local.ts";
import { localLogagent } from "./logagent/local.ts";
import { localOpenTelemetry } from "./opentelemetry/local.ts";
import { localPromtail } from "./promtail/local.ts";
import { hasOpenssl, startTlsReceiver, type TlsReceiver } from "./tls-receiver.ts";
import { localVector } from "./vector/local.ts";

const POD = { namespace: "ts-team", pod: "curl-ts", container: "curl" };
const secretName = "log-writer";
const USER = "log writer";
/** Characters with a meaning in YAML, JSON, TOML, Ruby, a shell, and in what collectors know as variables. */
const PASSWORD = ` [p,a: #&*s]{w}"o"r$d$$\\ %{HOME} \${HOME} #{1}'007`;
/** What Filebeat cannot have in one. */
const EXCEPT: Readonly<Record<string, string>> = { filebeat: "'", promtail: " ", otelcol: " " };
/** What each says in its log, but the OpenTelemetry Collector's exporter to Elasticsearch, which tells a failed request by a metric alone. */
const REFUSED =
  /certificate verif\w+ failed|unable to (get local issuer certificate|verify the first certificate)|signed by unknown authority/i;

type Check = { readonly verify: boolean; readonly caSecretName?: string };
/** By TLS, to each kind of destination that has it and asks for a password. */
const destinations = {
  http: (port: number, check: Check) => ({
    kind: "http",
    url: `https://127.0.0.1:${port}/in`,
    credentials: { secretName },
    ...check,
  }),
  opensearch: (port: number, tls: Check) => ({
    kind: "opensearch",
    host: "127.0.0.1",
    port,
    credentials: { secretName },
    tls,
  }),
  elasticsearch: (port: number, tls: Check) => ({
    kind: "elasticsearch",
    host: "127.0.0.1",
    port,
    credentials: { secretName },
    tls,
  }),
  loki: (port: number, check: Check) => ({
    kind: "loki",
    url: `https://127.0.0.1:${port}`,
    credentials: { secretName },
    ...check,
  }),
};

/** What comes to a receiver by TLS within some seconds, and what the collector says. */
async function deliver(
  local: LocalCollector,
  destination: (port: number) => object,
  authority: "right" | "wrong",
  password: string,
): Promise<Pick<TlsReceiver, "authorizations"> & { readonly came: boolean; readonly said: string }> {
  const receiver = await startTlsReceiver();
  const api = await Receiver.start();
  const trusting: LocalCollector = {
    ...local,
    adapt: (text, place) => local.adapt(text, place).replaceAll(caFile(), receiver.authorities[authority]),
  };
  const sandbox = new Sandbox(trusting, { destination: destination(receiver.port) }, api.port);
  const running = sandbox.start([], { user: USER, password });
  const has = () => receiver.bodies.some((body) => body.includes("secret line"));
  const said = () => readFileSync(sandbox.log, { encoding: "utf8", flag: "a+" });
  try {
    for (let wait = 0; wait < 80 && !has() && !REFUSED.test(said()); wait += 1) {
      // More than one, since Vector's buffer may keep the first lines until others come.
      if (wait % 20 === 0) sandbox.write(POD, [`${new Date().toISOString().slice(0, -1)}000000Z stdout F secret line`]);
      await seconds(0.25);
    }
    await seconds(1);
    return { came: has(), said: said(), authorizations: receiver.authorizations };
  } finally {
    await running.stop("SIGKILL");
    receiver.stop();
    await api.stop();
    sandbox.remove();
  }
}

function basic(password: string): string {
  return `Basic ${Buffer.from(`${USER}:${password}`).toString("base64")}`;
}

/** Whether a log has the password, as it is or as it is sent. */
function tells(log: string, password: string): boolean {
  return log.includes(password) || log.includes(basic(password).slice(6));
}

for (const [title, collector, start] of [
  ["fluent-bit", fluentBit, localFluentBit],
  ["fluentd", fluentd, localFluentd],
  ["filebeat", filebeat, localFilebeat],
  ["vector", vector, localVector],
  ["promtail", promtail, localPromtail],
  ["logagent", logagent, localLogagent],
  ["otelcol", opentelemetry, localOpenTelemetry],
] as const) {
  describe(`By TLS, ${title}`, () => {
    let local: (LocalCollector & { stop?(): void }) | undefined;
    before(async function () {
      local = await start();
      if (local === undefined) leaveOut(this, whyMissing(title));
      else if (!hasOpenssl()) leaveOut(this, "no openssl");
    });
    after(() => local?.stop?.());

    const odd = PASSWORD.replace(EXCEPT[title] ?? "", "");
    const able = Object.entries(collector.destinations).filter(([, how]) => how === true);
    for (const kind of ["http", "opensearch", "elasticsearch", "loki"] as const) {
      const destination = destinations[kind];
      if (!able.some(([name]) => name === kind)) continue;
      describe(`to ${kind}`, () => {
        it("sends as its user, with any password, if the CA is right", async () => {
          assert.ok(local);
          const right = await deliver(
            local,
            (port) => destination(port, { verify: true, caSecretName: "ca" }),
            "right",
            odd,
          );
          assert.deepEqual([right.came, [...right.authorizations]], [true, [basic(odd)]], right.said);
          assert.ok(!tells(right.said, odd), right.said);
        });

        if (collector.authenticates?.[kind]?.includes("token"))
          it("sends its token", async () => {
            assert.ok(local);
            const withToken = (port: number) => {
              const { credentials: _, ...rest } = destination(port, { verify: false });
              return { ...rest, token: { secretName } };
            };
            const found = await deliver(local, withToken, "right", "eyJ0b2tlbiI6MX0.a-b_c/d+e=");
            assert.deepEqual(
              [found.came, [...found.authorizations]],
              [true, ["Bearer eyJ0b2tlbiI6MX0.a-b_c/d+e="]],
              found.said,
            );
          });

        it("sends nothing, and reports why, with another CA", async () => {
          assert.ok(local);
          const wrong = await deliver(
            local,
            (port) => destination(port, { verify: true, caSecretName: "ca" }),
            "wrong",
            odd,
          );
          assert.deepEqual([wrong.came, wrong.authorizations.size], [false, 0]);
          assert.ok(!tells(wrong.said, odd), wrong.said);
          if (title !== "otelcol" || kind !== "elasticsearch") assert.match(wrong.said, REFUSED);
        });

        it("sends to any server without verification; with a password of digits", async () => {
          assert.ok(local);
          const any = await deliver(local, (port) => destination(port, { verify: false }), "wrong", "0123456789");
          assert.deepEqual([any.came, [...any.authorizations]], [true, [basic("0123456789")]], any.said);
        });
      });
    }
  });
}
