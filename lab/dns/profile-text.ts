import { kubeDnsAddresses } from "../../components/cluster/settings.ts";
import { LOOKED_UP_VERSION } from "../../components/dns/addon.ts";
import { dnsWarnings } from "../../components/dns/issues.ts";
import { dnsProfile } from "../../components/dns/profile.ts";
import { DnsSettings } from "../../components/dns/settings.ts";
import { runsCoreDns } from "../../components/parts.ts";
import type { Settings } from "../../components/settings.ts";
import { statedPlace } from "../kubernetes/core-dns-place.ts";
import { bold, warningLabel } from "../output/text.ts";

/** The effective DNS settings with the reason for each choice, and behavior of CoreDNS that may surprise. */
export function formatDns({ dns, cluster }: Pick<Settings, "dns" | "cluster">): string {
  // With Auto Mode nothing of it is installed, which is a warning.
  if (dns === undefined || !runsCoreDns(cluster, dns)) return "";
  if (dns.adopt?.manage === false) {
    const { namespace, selector } = statedPlace(dns);
    return `${bold(`DNS, left as it is: pods of ${namespace} with ${selector} answer queries.`)}\n\n`;
  }
  const { rows } = dnsProfile(dns);
  const width = (key: "setting" | "value") => Math.max(...rows.map((row) => row[key].length));
  const lines = rows.map(
    ({ setting, value, reason }) =>
      `    ${setting.padEnd(width("setting"))} : ${value.padEnd(width("value"))}  ${reason}`,
  );
  const warnings = dnsWarnings(dns, kubernetesVersionOf(cluster), kubeDnsAddresses(cluster));
  return [
    bold(
      cluster.kind === "existing" && dns.adopt === undefined
        ? "DNS, not deployed (--manifests writes its Corefile):"
        : "DNS:",
    ),
    ...lines,
    ...warnings.map((warning) => `    ${warningLabel()} ${warning}`),
    "",
    "",
  ].join("\n");
}

function kubernetesVersionOf(cluster: Settings["cluster"]): string | undefined {
  if (cluster.kind === "existing") return undefined;
  return cluster.kind === "eks" ? cluster.version : (cluster.kubernetesVersion ?? LOOKED_UP_VERSION);
}

/** Cluster sizes in the documentation, up to the Kubernetes maximum. */
const SIZES = [
  { nodes: 3, pods: 60, services: 20 },
  { nodes: 100, pods: 3000, services: 500 },
  { nodes: 500, pods: 15_000, services: 2000 },
  { nodes: 1000, pods: 30_000, services: 5000 },
  { nodes: 5000, pods: 150_000, services: 10_000 },
] as const;

const COLUMNS = [
  "nodes",
  "pods",
  "services",
  "CoreDNS pods",
  "answers in the cache",
  "memory limit",
  "with autopath",
  "with tuned",
];

/** The profile's settings by cluster size, as Markdown, if nothing else is set. */
export function profileTable(): string {
  const lines = SIZES.map((clusterSize) => {
    const plain = profileOf({ clusterSize });
    const bounds = plain.autoscaling;
    return [
      ...Object.values(clusterSize).map((count) => count.toLocaleString("en")),
      bounds === undefined ? String(plain.replicas) : `${bounds.minReplicas} to ${bounds.maxReplicas}`,
      plain.cache.success?.toLocaleString("en") ?? "9,984",
      plain.memoryLimit ?? "",
      profileOf({ clusterSize, corefile: { options: { autopath: true } } }).memoryLimit ?? "",
      profileOf({ clusterSize, corefile: { profile: "tuned" } }).memoryLimit ?? "",
    ];
  });
  return `${[COLUMNS, COLUMNS.map(() => "---:"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}

function profileOf(settings: unknown) {
  return dnsProfile(DnsSettings.parse(settings));
}
