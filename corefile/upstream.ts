import { isAddress } from "./go-values.ts";

/** Where a forward sends queries. */
export interface Upstream {
  readonly kind: "address" | "file";
  /** Address without its port, or the file's path. */
  readonly target: string;
  readonly port: number | undefined;
  readonly tls: boolean;
  /** Name in the certificate, of `tls://ADDRESS%NAME`. */
  readonly serverName: string | undefined;
}

/** CoreDNS takes another port too, and reaches nobody there. */
export const PORT_RANGE = "a port is 1 to 65535";

const SHAPES = "an IP address with an optional port (10.0.0.2, 10.0.0.2:5353, [fd00::2]:53), tls://ADDRESS, or a file";

/**
 * Reads an upstream of `forward`.
 * @returns why CoreDNS would refuse it, where it does: a host's name, another protocol, a port that is none.
 * @see https://coredns.io/plugins/forward/
 */
export function readUpstream(text: string): Upstream | string {
  const [, scheme = "dns", rest = ""] = /^(?:([a-z0-9]+):\/\/)?(.*)$/.exec(text) ?? [];
  if (scheme !== "dns" && scheme !== "tls") return `${SHAPES}; forward does not speak ${scheme}`;
  const tls = scheme === "tls";
  const [, host = rest, serverName, suffix = ""] = /^([^%]*)%([^:\]]+)(.*)$/.exec(rest) ?? [];
  const parts = split(`${host}${serverName === undefined ? "" : suffix}`);
  if (parts === undefined) {
    if (rest.startsWith("/")) return { kind: "file", target: rest, port: undefined, tls, serverName: undefined };
    return `${SHAPES}; ${text} is none, and names are not looked up`;
  }
  if (parts.port !== undefined && (parts.port < 1 || parts.port > 65_535)) return `${SHAPES}; ${PORT_RANGE}`;
  // In fe80::1%eth0 the part after the sign is a network interface.
  return { kind: "address", target: parts.address, port: parts.port, tls, serverName: tls ? serverName : undefined };
}

function split(text: string): { readonly address: string; readonly port: number | undefined } | undefined {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(text);
  const plain = bracketed ?? /^([\d.]+)(?::(\d+))?$/.exec(text);
  const [, address = text, port] = plain ?? [];
  if (!isAddress(address)) return undefined;
  return { address, port: port === undefined ? undefined : Number(port) };
}
