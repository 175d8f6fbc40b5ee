import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { CA_FILE } from "../../components/logging/pipeline.ts";
import { seconds } from "../support/collectors/losses.ts";
import { whyMissing } from "../support/collectors/program.ts";
import { type LocalCollector, Sandbox } from "../support/collectors/sandbox.ts";
import { leaveOut } from "../support/leave-out.ts";
import { localFluentd } from "./fluentd-local.ts";
import { localLogagent } from "./logagent-local.ts";
import { hasOpenssl, startTlsReceiver, type TlsReceiver } from "./tls-receiver.ts";

const POD = { namespace: "ts-team", pod: "curl-ts", container: "curl" };
const secretName = "log-writer";
const BASIC = `Basic ${Buffer.from("user:password").toString("base64")}`;
const REFUSED = /certificate verify failed|unable to (get local issuer certificate|verify the first certificate)/;

type Check = { readonly verify: boolean; readonly caSecretName?: string };
/** By TLS, to each kind of destination that has it. */
const destinations: Readonly<Record<string, (port: number, check: Check) => object>> = {
  http: (port, check) => ({
    kind: "http",
    url: `https://127.0.0.1:${port}/in`,
    credentials: { secretName },
    ...check,
  }),
  opensearch: (port, tls) => ({ kind: "opensearch", host: "127.0.0.1", port, credentials: { secretName }, tls }),
  elasticsearch: (port, tls) => ({ kind: "elasticsearch", host: "127.0.0.1", port, credentials: { secretName }, tls }),
};

/** What comes to a receiver by TLS within some seconds, and what the collector says. */
async function deliver(
  local: LocalCollector,
  destination: (port: number) => object,
  authority: "right" | "wrong",
): Promise<Pick<TlsReceiver, "authorizations"> & { readonly came: boolean; readonly said: string }> {
  const receiver = await startTlsReceiver();
  const trusting: LocalCollector = {
    ...local,
    adapt: (text, place) => local.adapt(text, place).replaceAll(CA_FILE, receiver.authorities[authority]),
  };
  const sandbox = new Sandbox(trusting, { destination: destination(receiver.port) }, receiver.port);
  sandbox.write(POD, [`${new Date().toISOString().slice(0, -1)}000000Z stdout F secret line`]);
  const running = sandbox.start();
  const has = () => receiver.bodies.some((body) => body.includes("secret line"));
  const said = () => readFileSync(sandbox.log, { encoding: "utf8", flag: "a+" });
  try {
    for (let wait = 0; wait < 80 && !has() && !REFUSED.test(said()); wait += 1) await seconds(0.25);
    await seconds(1);
    return { came: has(), said: said(), authorizations: receiver.authorizations };
  } finally {
    await running.stop("SIGKILL");
    receiver.stop();
    sandbox.remove();
  }
}

for (const [title, start] of [
  ["fluentd", localFluentd],
  ["logagent", localLogagent],
] as const) {
  describe(`By TLS, ${title}`, () => {
    let local: Awaited<ReturnType<typeof start>>;
    before(async function () {
      local = await start();
      if (local === undefined) leaveOut(this, whyMissing(title));
      else if (!hasOpenssl()) leaveOut(this, "no openssl");
    });
    after(() => local?.stop());

    for (const [kind, destination] of Object.entries(destinations)) {
      it(`sends to ${kind} as its user, where the authority is the right one`, async () => {
        assert.ok(local);
        const right = await deliver(local, (port) => destination(port, { verify: true, caSecretName: "ca" }), "right");
        assert.deepEqual([right.came, [...right.authorizations]], [true, [BASIC]], right.said);
      });

      it(`sends nothing to ${kind}, and says why, where the authority is another`, async () => {
        assert.ok(local);
        const wrong = await deliver(local, (port) => destination(port, { verify: true, caSecretName: "ca" }), "wrong");
        assert.deepEqual([wrong.came, wrong.authorizations.size], [false, 0]);
        assert.match(wrong.said, REFUSED);
      });

      it(`sends to ${kind} whoever it is, where nothing is verified`, async () => {
        assert.ok(local);
        const any = await deliver(local, (port) => destination(port, { verify: false }), "wrong");
        assert.equal(any.came, true, any.said);
      });
    }
  });
}
