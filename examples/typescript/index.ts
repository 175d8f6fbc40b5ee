// A program of its own that uses three parts on an EKS cluster that is there already, without this project's settings file:
// CoreDNS as an add-on, a team's namespace with what keeps it apart, and Fluent Bit, which sends the lines to an OpenSearch.
import { CoreDns, ExistingCluster, LogCollection, Team } from "eks-dns-logging-components";

const { handle } = new ExistingCluster("prod", { kubeconfig: "~/.kube/prod.yaml", context: "prod" });
const cluster = { ...handle, addons: { clusterName: "prod", kubernetesVersion: "1.35", tags: { owner: "platform" } } };

const dns = new CoreDns("dns", { cluster, replicas: 3, corefile: { profile: "tuned" } });

const shop = new Team("shop", {
  cluster,
  members: ["shop-developers"],
  labels: { "cost-center": "42" },
  quota: { "requests.cpu": "8", pods: 50 },
  curlPod: false,
  network: { dnsAddresses: dns.addresses },
});

new LogCollection("logs", {
  cluster,
  destination: { kind: "opensearch", host: "search.example.com", credentials: { secretName: "opensearch" } },
  index: { prefix: "prod", splitBy: "team" },
});

/** Namespace of the team, `shop-team`. */
export const namespace = shop.namespace;
/** The Corefile that CoreDNS runs. */
export const corefile = dns.corefile;
