import { isAddress, seconds } from "eks-dns-logging-corefile";
import { z } from "zod";
import { string } from "../schema/values.ts";

const DURATION = "must be a quoted duration, such as '500ms', '30s' or '1h'";

/**
 * A duration as Go writes it, such as `30s`, `1m30s` or `500ms`.
 * @see https://pkg.go.dev/time#ParseDuration
 */
export const Duration = z.string(DURATION).refine((text) => seconds(text) !== undefined, DURATION);

const DOMAIN = /^([a-zA-Z0-9_]([-a-zA-Z0-9_]*[a-zA-Z0-9_])?\.)*[a-zA-Z0-9_]([-a-zA-Z0-9_]*[a-zA-Z0-9_])?\.?$/;
export const Domain = z.string().max(253).regex(DOMAIN, "must be a domain, such as 'corp.example.com'");
export const Zone = z.union([z.literal("."), Domain], "must be a domain, such as 'corp.example.com', or '.' for all");

const ADDRESS = "must be an IP address, such as '10.0.0.2'";
export const Address = z.string(ADDRESS).refine(isAddress, ADDRESS);

/** An upstream's spelling is checked as a whole by `checkDns`, together with loops to itself. */
export const Upstream = string(
  /^\S+$/,
  "an IP address with an optional port, tls://ADDRESS, or a file such as '/etc/resolv.conf'",
);
