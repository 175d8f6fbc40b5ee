import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { freePort } from "./free-port.ts";

describe("a free port", () => {
  const chosen = Math.random;
  afterEach(() => {
    Math.random = chosen;
  });

  /** The port that it gives where chance would choose this one. */
  const insteadOf = (port: number) => {
    const tries = [port - 20_000, 1234].map((index) => (index + 0.5) / 10_000);
    Math.random = () => tries.shift() ?? chosen();
    return freePort();
  };

  it("is outside the range that systems give to connections", async () => {
    for (let tries = 0; tries < 20; tries += 1) {
      const port = await freePort();
      assert.ok(port >= 20_000 && port < 30_000, String(port));
    }
  });

  it("is none on which something listens by TCP alone, or by UDP alone", async () => {
    const server = createServer();
    const tcp = await freePort();
    server.listen(tcp, "127.0.0.1");
    await once(server, "listening");
    assert.notEqual(await insteadOf(tcp), tcp);
    server.close();

    const socket = createSocket("udp4");
    const udp = await freePort();
    socket.bind(udp, "127.0.0.1");
    await once(socket, "listening");
    assert.notEqual(await insteadOf(udp), udp);
    socket.close();
  });
});
