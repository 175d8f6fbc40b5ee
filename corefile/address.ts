import ipaddr from "ipaddr.js";

/** Whether the text is an IP address as CoreDNS reads it: four decimal parts, or IPv6. `10.1` and `0x0a` are none. */
export function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || (text.includes(":") && ipaddr.IPv6.isValid(text));
}

/** Whether two addresses are the same, however they are spelled. */
export function sameAddress(one: string, other: string): boolean {
  if (!isAddress(one) || !isAddress(other)) return false;
  return ipaddr.process(one).toNormalizedString() === ipaddr.process(other).toNormalizedString();
}

/** Whether an address is the pod itself: loopback, or the unspecified one, which goes to loopback. */
export function isOwnHost(address: string): boolean {
  if (!isAddress(address)) return false;
  const range = ipaddr.process(address).range();
  return range === "loopback" || range === "unspecified";
}
