// `pulumi package add github.com/OWNER/eks-dns-logging/library@v1.0.0` generates these packages,
// named after OWNER in lower case.
package main

import (
	"github.com/owner/pulumi-eks-dns-logging/sdk/go/eksdnslogging/cluster"
	"github.com/owner/pulumi-eks-dns-logging/sdk/go/eksdnslogging/dns"
	"github.com/owner/pulumi-eks-dns-logging/sdk/go/eksdnslogging/logging"
	"github.com/owner/pulumi-eks-dns-logging/sdk/go/eksdnslogging/team"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		prod, err := cluster.NewExistingEksCluster(ctx, "prod", &cluster.ExistingEksClusterArgs{
			Name:              pulumi.String("prod"),
			Region:            "eu-central-1",
			KubernetesVersion: pulumi.StringRef("1.35"),
			NetworkPolicies:   pulumi.BoolRef(true),
		})
		if err != nil {
			return err
		}

		profile := dns.CoreDnsCorefileProfileTuned
		coreDns, err := dns.NewCoreDns(ctx, "dns", &dns.CoreDnsArgs{
			Cluster:  prod.Handle,
			Replicas: pulumi.IntRef(3),
			Corefile: &dns.CoreDnsCorefileArgs{Profile: &profile},
		})
		if err != nil {
			return err
		}

		_, err = logging.NewLogCollection(ctx, "logs", &logging.LogCollectionArgs{
			Cluster: prod.Handle,
			Destination: &logging.LogCollectionDestinationArgs{
				Kind:          logging.LogCollectionDestinationKindCloudwatch,
				RetentionDays: pulumi.IntRef(30),
			},
		})
		if err != nil {
			return err
		}

		shop, err := team.NewTeam(ctx, "shop", &team.TeamArgs{
			Cluster: prod.Handle,
			Members: []pulumi.StringInput{pulumi.String("shop-developers")},
			Quota:   map[string]pulumi.Input{"requests.cpu": pulumi.String("8"), "pods": pulumi.Int(50)},
			CurlPod: false,
			Network: &team.PolicyContextArgs{DnsAddresses: coreDns.Addresses},
		})
		if err != nil {
			return err
		}

		ctx.Export("namespace", shop.Namespace)
		return nil
	})
}
