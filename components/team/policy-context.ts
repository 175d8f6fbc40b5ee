import { z } from "zod";
import { Address } from "../dns/corefile-settings.ts";
import { integer } from "../schema/values.ts";

const Port = integer(1, 65_535);

/** Another team, which may have more settings. */
const TeamPeers = z.object({
  name: z.string(),
  peers: z.array(z.string()),
  namespaces: z.array(z.object({ name: z.string() })).optional(),
});

/** A way out of a namespace, as Kubernetes writes it. */
const EgressRule = z.strictObject({
  to: z.array(z.looseObject({})),
  ports: z
    .array(
      z.strictObject({
        protocol: z.enum(["TCP", "UDP", "SCTP"]),
        port: z.int().min(0).max(65_535),
        endPort: Port.optional(),
      }),
    )
    .optional(),
});

/** Checks the argument `network` of a team. */
export const PolicyContextSettings = z.strictObject({
  teams: z.array(TeamPeers).optional(),
  dnsAddresses: z.array(Address).optional(),
  dnsNamespace: z.string().min(1).optional(),
  dnsLabels: z.record(z.string(), z.string()).optional(),
  dnsPorts: z.array(Port).optional(),
  egress: z.array(EgressRule).optional(),
});

/** Checks the argument `dns` of a team. */
export const PodDnsSettings = z.strictObject({
  nameservers: z.array(Address).min(1),
  clusterDomain: z.string().min(1),
});
