import { type Group, UNKNOWN } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { BOTH, CLUSTER, COMPONENT, cluster, component } from "./cluster-samples.ts";
import { first, type SampleResource } from "./samples.ts";

const KEY: SampleResource = { type: "aws:kms/key:Key", name: "key", props: {} };
const PRODUCTION: Group = { Environment: "x", environment: "Production" };

export const CLUSTER_CASES: CasesByRule = {
  "cluster-endpoint-restricted": {
    good: {
      ...BOTH,
      "a private endpoint": first(component("endpointPublicAccess", false), "publicAccessCidrs", undefined),
      "a private endpoint in the engine": cluster("vpcConfig", { endpointPublicAccess: false }),
      "an address without a prefix": component("publicAccessCidrs", ["203.0.113.10"]),
      "a network": component("publicAccessCidrs", ["198.51.100.0/24"]),
      "an IPv6 address": component("publicAccessCidrs", ["2001:db8::/64"]),
    },
    bad: {
      "the whole world": [
        component("publicAccessCidrs", ["203.0.113.10/32", "0.0.0.0/0"]),
        'Cluster/dev: publicAccessCidrs[1] is "0.0.0.0/0", which opens the endpoint to the world. Fix: set endpointPublicAccess',
      ],
      "half of the world": [
        component("publicAccessCidrs", ["0.0.0.0/1"]),
        'Cluster/dev: publicAccessCidrs[0] is "0.0.0.0/1"',
      ],
      "the whole world in two halves": [
        component("publicAccessCidrs", ["0.0.0.0/1", "128.0.0.0/1"]),
        'Cluster/dev: publicAccessCidrs[0] is "0.0.0.0/1"',
        'Cluster/dev: publicAccessCidrs[1] is "128.0.0.0/1"',
      ],
      "a prefix that is no number": [
        component("publicAccessCidrs", ["0.0.0.0/x"]),
        'Cluster/dev: publicAccessCidrs[0] is "0.0.0.0/x"',
      ],
      "a part of the IPv6 world that is too large": [
        component("publicAccessCidrs", ["2001::/16"]),
        'Cluster/dev: publicAccessCidrs[0] is "2001::/16"',
      ],
      "an empty list": [component("publicAccessCidrs", []), "Cluster/dev: publicAccessCidrs is [], which opens"],
      "the whole world by IPv6": [
        component("publicAccessCidrs", ["::/0"]),
        'Cluster/dev: publicAccessCidrs[0] is "::/0"',
      ],
      "no CIDRs": [component("publicAccessCidrs", undefined), "Cluster/dev: publicAccessCidrs is not set, which opens"],
      "the default": [
        first(component("publicAccessCidrs", undefined), "endpointPublicAccess", undefined),
        "Cluster/dev: publicAccessCidrs is not set",
      ],
      "the whole world in the engine": [
        cluster("vpcConfig.publicAccessCidrs", ["0.0.0.0/0"]),
        'Cluster/dev: vpcConfig.publicAccessCidrs[0] is "0.0.0.0/0"',
      ],
      "an open list, though the switch is unknown": [
        first(component("publicAccessCidrs", ["0.0.0.0/0"]), "endpointPublicAccess", UNKNOWN),
        'Cluster/dev: publicAccessCidrs[0] is "0.0.0.0/0"',
      ],
    },
    unknown: {
      "unknown CIDRs": [component("publicAccessCidrs", UNKNOWN), "Cluster/dev: publicAccessCidrs is known only"],
      "no list and an unknown switch": [
        first(component("publicAccessCidrs", undefined), "endpointPublicAccess", UNKNOWN),
        "Cluster/dev: endpointPublicAccess is known only",
      ],
      "an unknown CIDR": [component("publicAccessCidrs", [UNKNOWN]), "Cluster/dev: publicAccessCidrs[0] is known only"],
      "an unknown network in the engine": [
        cluster("vpcConfig", UNKNOWN),
        "Cluster/dev: vpcConfig.publicAccessCidrs is known only",
      ],
    },
  },
  "cluster-secrets-encrypted": {
    good: {
      ...BOTH,
      "a key in the stack": [
        { ...COMPONENT, props: { ...COMPONENT.props, encryptionConfigKeyArn: UNKNOWN }, waitsFor: ["key"] },
        KEY,
      ],
    },
    bad: {
      "no key": [
        component("encryptionConfigKeyArn", undefined),
        "Cluster/dev: encryptionConfigKeyArn is not set, so Secrets",
      ],
      "no key in the engine": [
        cluster("encryptionConfig", undefined),
        "Cluster/dev: encryptionConfig.provider.keyArn is not set",
      ],
      "only other resources": [
        cluster("encryptionConfig.resources", []),
        "Cluster/dev: encryptionConfig.resources is [], which excludes Secrets",
      ],
    },
    unknown: {
      "a key that comes from nowhere": [
        component("encryptionConfigKeyArn", UNKNOWN),
        "Cluster/dev: encryptionConfigKeyArn is known only",
      ],
      "unknown encryption": [
        cluster("encryptionConfig", UNKNOWN),
        "Cluster/dev: encryptionConfig.provider.keyArn is known only",
      ],
    },
  },
  "cluster-logs": {
    good: BOTH,
    bad: {
      "no audit log": [
        component("enabledClusterLogTypes", ["authenticator"]),
        'Cluster/dev: enabledClusterLogTypes is ["authenticator"], without audit',
      ],
      "no logs": [
        cluster("enabledClusterLogTypes", undefined),
        "Cluster/dev: enabledClusterLogTypes is not set, without audit",
        "Cluster/dev: enabledClusterLogTypes is not set, without authenticator",
      ],
    },
    unknown: {
      "unknown logs": [
        component("enabledClusterLogTypes", UNKNOWN),
        "Cluster/dev: enabledClusterLogTypes is known only",
      ],
      "an unknown log and a known one": [
        component("enabledClusterLogTypes", ["audit", UNKNOWN]),
        "Cluster/dev: enabledClusterLogTypes[1] is known only",
      ],
    },
  },
  "cluster-authentication-mode": {
    good: BOTH,
    bad: {
      "the default": [component("authenticationMode", undefined), "Cluster/dev: authenticationMode is not set, so the"],
      both: [
        cluster("accessConfig.authenticationMode", "API_AND_CONFIG_MAP"),
        'Cluster/dev: accessConfig.authenticationMode is "API_AND_CONFIG_MAP"',
      ],
    },
    unknown: {
      "an unknown mode": [component("authenticationMode", UNKNOWN), "Cluster/dev: authenticationMode is known only"],
    },
  },
  "cluster-version-supported": {
    config: { asOf: "2026-11-23" },
    good: { ...BOTH, "a version newer than the table": component("version", "1.40") },
    bad: {
      "no version": [
        component("version", undefined),
        "Cluster/dev: version is not set, not an explicit Kubernetes version",
      ],
      "a version in extended support": [
        component("version", "1.33"),
        'Cluster/dev: version is "1.33", whose standard support ended on 2026-07-29',
      ],
      "a version long past": [
        cluster("version", "1.20"),
        'Cluster/dev: version is "1.20", whose standard support ended long ago',
      ],
      "extended support": [
        component("upgradePolicy.supportType", "EXTENDED"),
        'Cluster/dev: upgradePolicy.supportType is "EXTENDED", so the cluster enters paid',
      ],
      "the default, which is extended": [
        cluster("upgradePolicy", undefined),
        "Cluster/dev: upgradePolicy.supportType is not set",
      ],
    },
    unknown: { "an unknown version": [component("version", UNKNOWN), "Cluster/dev: version is known only"] },
  },
  "cluster-version-ending": {
    config: { asOf: "2026-12-27" },
    good: {
      "a version with a year left": component("version", "1.36"),
      "a version newer than the table": component("version", "1.40"),
      "a version that is past, which another rule reports": component("version", "1.33"),
      "no version, which another rule reports": component("version", undefined),
    },
    bad: {
      "90 days left": [
        cluster("version", "1.35"),
        'Cluster/dev: version is "1.35", whose standard support ends on 2027-03-27, in 90 days. Fix: upgrade',
      ],
    },
    unknown: { "an unknown version": [component("version", UNKNOWN), "Cluster/dev: version is known only"] },
  },
  "cluster-deletion-protection": {
    good: {
      ...BOTH,
      "a protected one": first(component("tags", PRODUCTION), "deletionProtection", true),
      "unknown tags on a protected one": first(component("tags", UNKNOWN), "deletionProtection", true),
    },
    bad: {
      "production without": [
        component("tags", PRODUCTION),
        "Cluster/dev: deletionProtection is false, on a cluster that is tagged as production",
      ],
      "production in other letters": [
        component("tags", { Environment: "Production" }),
        "Cluster/dev: deletionProtection is false, on a cluster that is tagged as production",
      ],
      "production by the stack's own tags, with unknown ones": [
        [{ ...CLUSTER, props: { ...CLUSTER.props, tags: UNKNOWN }, stackTags: { environment: "prod" } }],
        "Cluster/dev: deletionProtection is false",
      ],
      "production by the tags that the engine merges": [
        cluster("tagsAll", { env: "live" }),
        "Cluster/dev: deletionProtection is false",
      ],
      "production by the provider's tags": [
        [{ ...CLUSTER, provider: { defaultTags: { tags: { stage: "prod" } } } }],
        "Cluster/dev: deletionProtection is false",
      ],
      "an unset value": [
        first(cluster("tags", PRODUCTION), "deletionProtection", undefined),
        "Cluster/dev: deletionProtection is not set",
      ],
    },
    unknown: {
      "unknown tags": [component("tags", UNKNOWN), "Cluster/dev: tags is known only"],
      "an unknown switch": [
        first(component("tags", PRODUCTION), "deletionProtection", UNKNOWN),
        "Cluster/dev: deletionProtection is known only",
      ],
    },
  },
};
