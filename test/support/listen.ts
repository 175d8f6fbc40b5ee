import { once } from "node:events";
import type { Server } from "node:net";

/** Starts a server on this machine alone, at a port that is free, and gives the port. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error(`no port, but ${address}`);
  return address.port;
}
