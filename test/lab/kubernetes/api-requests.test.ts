import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { KubeConfig } from "@kubernetes/client-node";
import { getForwarded } from "../../../lab/kubernetes/api-requests.ts";
import { accept, BINARY, CLOSE, frame } from "../../support/exec-server.ts";
import { listen } from "../../support/listen.ts";

/** Streams of a forwarded port. Each begins with the port's number, in two bytes. */
const [DATA, ERROR] = [0, 1];

describe("a port of a pod", () => {
  let server: Server;
  let open: Duplex[];

  /** Asks through an API server that says this on the streams, and ends the connection. */
  async function asked(says: readonly (readonly [stream: number, text: string])[] | "nothing"): Promise<string> {
    server.on("upgrade", ({ headers }, socket) => {
      open.push(socket);
      if (says === "nothing") return;
      socket.write(accept(headers["sec-websocket-key"]));
      for (const stream of [DATA, ERROR]) socket.write(frame(BINARY, Buffer.from([stream, 0, 80])));
      socket.once("data", () => {
        for (const [stream, text] of says) socket.write(frame(BINARY, Buffer.from([stream, ...Buffer.from(text)])));
        socket.end(frame(CLOSE, Buffer.alloc(0)));
      });
    });
    const config = new KubeConfig();
    config.loadFromClusterAndUser(
      { name: "one", server: `http://127.0.0.1:${await listen(server)}`, skipTLSVerify: true },
      { name: "one" },
    );
    return getForwarded(config, { namespace: "kube-system", pod: "coredns-1", port: 80 }, "/ready", 2);
  }

  beforeEach(() => {
    open = [];
    server = createServer();
  });
  afterEach(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });

  it("answers", async () => {
    assert.equal(await asked([[DATA, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"]]), "OK");
  });

  it("answers without Content-Length, up to the end of the connection", async () => {
    assert.equal(await asked([[DATA, "HTTP/1.0 200 OK\r\n\r\nready"]]), "ready");
  });

  it("is refused by the pod", async () => {
    await assert.rejects(asked([[ERROR, "connection refused\n"]]), { message: "coredns-1:80: connection refused" });
  });

  it("closes before it answers", async () => {
    await assert.rejects(asked([]), { kind: "other", message: "coredns-1:80: socket hang up" });
  });

  it("closes within its answer", async () => {
    const part = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nOK";
    await assert.rejects(asked([[DATA, part]]), { kind: "other", message: "coredns-1:80: aborted" });
  });

  it("times out if the API server accepts the connection and sends nothing", async () => {
    await assert.rejects(asked("nothing"), { kind: "timeout", message: "coredns-1:80 did not answer within 2 s" });
  });
});
