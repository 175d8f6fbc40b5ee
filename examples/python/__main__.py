# `pulumi package add github.com/OWNER/eks-dns-logging/library@v1.0.0` generates the package that is imported here,
# named after OWNER in lower case.
import pulumi
from owner_eks_dns_logging import cluster, dns, logging, team

prod = cluster.ExistingEksCluster(
    "prod", name="prod", region="eu-central-1", kubernetes_version="1.35", network_policies=True
)

core_dns = dns.CoreDns(
    "dns",
    cluster=prod.handle,
    replicas=3,
    corefile=dns.CoreDnsCorefileArgs(profile=dns.CoreDnsCorefileProfile.TUNED),
)

logs = logging.LogCollection(
    "logs",
    cluster=prod.handle,
    destination=logging.LogCollectionDestinationArgs(
        kind=logging.LogCollectionDestinationKind.CLOUDWATCH, retention_days=30
    ),
)

shop = team.Team(
    "shop",
    cluster=prod.handle,
    members=["shop-developers"],
    quota={"requests.cpu": "8", "pods": 50},
    curl_pod=False,
    network=team.PolicyContextArgs(dns_addresses=core_dns.addresses),
)

pulumi.export("namespace", shop.namespace)
