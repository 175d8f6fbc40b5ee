import ipaddr from "ipaddr.js";

/** A zone's two subnets, as CIDR blocks. */
export interface ZoneSubnets {
  readonly private: string;
  readonly public: string;
}

/** The most zones that a VPC is cut for: EKS uses two or three, and no region has more than six. */
export const MAX_ZONES = 6;
/** A VPC's own block may have this many leading bits: AWS allows /16 to /28, and below /22 a public subnet would be too small. */
export const VPC_PREFIXES = { shortest: 16, longest: 22 };

/**
 * Cuts a VPC in eighths: one for the private subnet of each zone, and the last again in eighths for the public ones.
 *
 * Pods have addresses of the private subnets, and public ones hold NAT gateways and load balancers: hence the sizes, /19 and /22
 * of a /16. A zone's blocks depend on its place alone, so that another zone moves no subnet that stands.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
 */
export function cutSubnets(cidr: string, zones: number): ZoneSubnets[] {
  const [address, prefix] = ipaddr.IPv4.parseCIDR(cidr);
  const base = toNumber(address);
  const block = (prefixLength: number, index: number, from: number) =>
    `${fromNumber(from + index * 2 ** (32 - prefixLength))}/${prefixLength}`;
  const publicStart = base + 7 * 2 ** (32 - prefix - 3);
  return Array.from({ length: zones }, (_, zone) => ({
    private: block(prefix + 3, zone, base),
    public: block(prefix + 6, zone, publicStart),
  }));
}

function toNumber(address: ipaddr.IPv4): number {
  return address.toByteArray().reduce((sum, byte) => sum * 256 + byte, 0);
}

function fromNumber(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** Why a string is not a CIDR block for a VPC; undefined where it is one. */
export function vpcCidrIssue(cidr: string): string | undefined {
  const message = `must be a private IPv4 CIDR block from /${VPC_PREFIXES.shortest} to /${VPC_PREFIXES.longest}, such as 10.0.0.0/16`;
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(cidr)) return message;
  const [address, prefix] = ipaddr.IPv4.parseCIDR(cidr);
  if (prefix < VPC_PREFIXES.shortest || prefix > VPC_PREFIXES.longest || address.range() !== "private") return message;
  const network = ipaddr.IPv4.networkAddressFromCIDR(cidr).toString();
  return network === address.toString() ? undefined : `must start at its network address, ${network}/${prefix}`;
}
