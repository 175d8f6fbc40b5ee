import { dnsProfile } from "../../components/dns/profile.ts";
import { DnsSettings } from "../../components/dns/settings.ts";

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
