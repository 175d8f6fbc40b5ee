import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

/** Below the ports that systems give to connections, so that none takes a port between its choice and its use; NodePorts begin above. */
const FIRST = 20_000;
const COUNT = 10_000;
const TRIES = 100;

/** A port of this machine on which nothing listens, by TCP and UDP, for a program that cannot say which port the system gave it. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if ((await freeByTcp(port)) && (await freeByUdp(port))) return port;
  }
  throw new Error(`${TRIES} ports from ${FIRST} to ${FIRST + COUNT - 1} are in use`);
}

async function freeByTcp(port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, "127.0.0.1");
  if (!(await comes(once(server, "listening")))) return false;
  server.close();
  await once(server, "close");
  return true;
}

async function freeByUdp(port: number): Promise<boolean> {
  const socket = createSocket("udp4");
  socket.bind(port, "127.0.0.1");
  const free = await comes(once(socket, "listening"));
  socket.close();
  return free;
}

/** Whether the event comes, where an error may come instead. */
function comes(event: Promise<unknown>): Promise<boolean> {
  return event.then(
    () => true,
    () => false,
  );
}
