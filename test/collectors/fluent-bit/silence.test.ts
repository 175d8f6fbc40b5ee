import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { fluentBit } from "../../../components/logging/collectors/fluent-bit/index.ts";
import { seconds } from "../../support/collectors/losses.ts";
import { Receiver } from "../../support/collectors/receiver.ts";
import { Sandbox } from "../../support/collectors/sandbox.ts";
import { freePort } from "../../support/free-port.ts";
import { listen } from "../../support/listen.ts";
import { localFluentBit, run, skipWithoutFluentBit } from "./local.ts";

const TIME = "2026-02-01T10:00:00.123456789Z";
const POD = { namespace: "ts-team", pod: "curl-ts", container: "curl" };
/** Three seconds in place of ninety, and an object every six seconds. */
const hasten = (configuration: string) =>
  configuration
    .replace("net.io_timeout: 90s", "net.io_timeout: 3s")
    .replace("upload_timeout: 5m", "upload_timeout: 6s");

describe("Fluent Bit, if a server accepts a request and never answers", () => {
  before(skipWithoutFluentBit);

  for (const [title, settings] of [
    ["OpenSearch", {}],
    ["OpenSearch, with a buffer that blocks", { buffer: { size: "8Mi", whenFull: "block" } }],
    ["HTTP", (port: number) => ({ destination: { kind: "http", url: `http://127.0.0.1:${port}/in` } })],
    ["Loki", (port: number) => ({ destination: { kind: "loki", url: `http://127.0.0.1:${port}` } })],
    ["S3", { destination: { kind: "s3" } }],
  ] as const) {
    it(`resends what ${title} has not answered, and loses nothing`, async () => {
      const { lost } = await run({
        settings,
        write: { files: 5, bytesPerSecond: 1e5, seconds: 12 },
        hasten,
        meanwhile: async ({ set }) => {
          set("silent");
          await seconds(9);
          set("take");
        },
        quietSeconds: 20,
      });
      assert.equal(lost, 0);
    });
  }

  it("fails its liveness probe while an API server blocks reading, and passes while it reads", async () => {
    const silent = createServer();
    const sockets: Socket[] = [];
    silent.on("connection", (socket) => sockets.push(socket));
    const port = await listen(silent);
    const receiver = await Receiver.start();
    const alivePort = await freePort();
    const { liveness } = fluentBit;
    assert.ok(liveness !== undefined && "path" in liveness);
    const alive = () =>
      fetch(`http://127.0.0.1:${alivePort}${liveness.path}`, { signal: AbortSignal.timeout(5000) }).then(
        ({ status }) => status,
        () => undefined,
      );
    const sandbox = sandboxWithProbe(alivePort, port, receiver.port);
    const collector = sandbox.start();
    try {
      await seconds(1);
      assert.equal(await alive(), 200);
      sandbox.write(POD, [`${TIME} stdout F f0 s0 line`]);
      await seconds(2);
      assert.equal(await alive(), undefined);
      // The connection breaks: it goes on by itself.
      for (const socket of sockets) socket.resetAndDestroy();
      silent.close();
      assert.equal((await receiver.settled(1)).unique, 1);
      assert.equal(await alive(), 200);
    } finally {
      await collector.stop("SIGKILL");
      await receiver.stop();
      silent.close();
      sandbox.remove();
    }
  });
});

/** A node whose Fluent Bit asks that API server, and answers its liveness probe at that port. */
function sandboxWithProbe(alivePort: number, apiPort: number, receiverPort: number): Sandbox {
  const local = localFluentBit();
  assert.ok(local);
  const destination = { kind: "opensearch", host: "127.0.0.1", port: receiverPort, tls: false };
  const adapt = (text: string, place: Parameters<typeof local.adapt>[1]) =>
    local
      .adapt(text.replace("name: splunk", "name:  splunk"), place)
      .replace("listen: 0.0.0.0\n      port: 2021", `listen: 127.0.0.1\n      port: ${alivePort}`)
      .replaceAll(/kube_url: .*/g, `kube_url: http://127.0.0.1:${apiPort}`);
  return new Sandbox({ ...local, adapt }, { destination }, receiverPort);
}
