import { supportOf } from "eks-dns-logging-corefile/addon";
import { type Field, type Resource, someKnown } from "../../core/resource.ts";
import { aws, cis, count, type Rule, renamed, type Settings, text, texts } from "../../core/rule.ts";
import { ADDON } from "../../readers/cluster-dns.ts";
import { isEncrypted } from "./aws.ts";

/** An EKS cluster in a plan: the arguments of @pulumi/eks. */
export const EKS_COMPONENT = "eks:index:Cluster";
/** An EKS cluster in the engine. */
const EKS_CLUSTER = "aws:eks/cluster:Cluster";
const CLUSTERS: readonly string[] = [EKS_COMPONENT, EKS_CLUSTER];

/** Fields of a control plane that rules read, in either form. */
export interface ControlPlane {
  readonly endpointPublicAccess: Field;
  readonly publicAccessCidrs: Field;
  readonly logTypes: Field;
  readonly authenticationMode: Field;
  readonly version: Field;
  readonly supportType: Field;
  readonly deletionProtection: Field;
  readonly tags: Field;
  readonly subnetIds: Field;
}

function controlPlane(cluster: Resource): ControlPlane {
  const isComponent = cluster.type === EKS_COMPONENT;
  const network = isComponent ? cluster.inputs : cluster.at("vpcConfig");
  const shared = {
    endpointPublicAccess: network.at("endpointPublicAccess"),
    publicAccessCidrs: network.at("publicAccessCidrs"),
    logTypes: cluster.at("enabledClusterLogTypes"),
    version: cluster.at("version"),
    supportType: cluster.at("upgradePolicy", "supportType"),
    deletionProtection: cluster.at("deletionProtection"),
    tags: cluster.at("tags"),
  };
  if (!isComponent)
    return {
      ...shared,
      authenticationMode: cluster.at("accessConfig", "authenticationMode"),
      subnetIds: network.at("subnetIds"),
    };
  return { ...shared, authenticationMode: cluster.at("authenticationMode"), subnetIds: cluster.at("subnetIds") };
}

/** The field with the KMS key for Secrets, which may be unset. */
function secretsKey(cluster: Resource): Field {
  if (cluster.type === EKS_COMPONENT) return cluster.at("encryptionConfigKeyArn");
  return cluster.at("encryptionConfig", "provider", "keyArn");
}

const MIN_PREFIX = renamed(
  "shortestPrefix",
  count("minPrefixLength", "Shortest prefix length of a public CIDR block", 8, 1),
);
const LOGS = texts("logTypes", "Required logs", ["audit", "authenticator"]);
const AS_OF = text("asOf", "Date to judge by, as YYYY-MM-DD; empty means today", "");
const WITHIN = count("days", "Days before the end of standard support", 90, 1);
const PRODUCTION_KEYS = texts("tagKeys", "Tag keys that name the purpose, case-insensitive", [
  "environment",
  "env",
  "stage",
]);
const PRODUCTION_VALUES = texts("tagValues", "Tag values that mean production, case-insensitive", [
  "production",
  "prod",
  "live",
]);

/** The day for which to check support. */
function day(settings: Settings): string {
  return settings.get(AS_OF) || new Date().toISOString().slice(0, 10);
}

/** The control plane's endpoint, encryption, logs and support. */
export const CLUSTER: readonly Rule[] = [
  {
    id: "cluster-endpoint-restricted",
    family: "cluster",
    level: "mandatory",
    title: "The public API endpoint is disabled or limited to known addresses",
    reason: "Otherwise a stolen token works from anywhere.",
    fix: "set endpointPublicAccess: false, or list the addresses that need it in publicAccessCidrs",
    source: cis("5.4.1"),
    options: [MIN_PREFIX],
    types: CLUSTERS,
    check: (cluster, report, settings) => {
      const { endpointPublicAccess, publicAccessCidrs } = controlPlane(cluster);
      // An open list is wrong whatever the switch will be, unless it is off.
      if (!endpointPublicAccess.isUnknown && endpointPublicAccess.flag() === false) return;
      const cidrs = publicAccessCidrs.items();
      if (cidrs.length === 0) {
        endpointPublicAccess.flag();
        return report.wrong(publicAccessCidrs, "which opens the endpoint to 0.0.0.0/0");
      }
      report.each(cidrs, (cidr) => {
        const [address = "", prefix = "128"] = (cidr.text() ?? "").split("/");
        const min = address.includes(":") ? 32 : settings.get(MIN_PREFIX);
        if (!(Number(prefix) >= min)) report.wrong(cidr, "which opens the endpoint to the world");
      });
    },
  },
  {
    id: "cluster-secrets-encrypted",
    family: "cluster",
    level: "mandatory",
    title: "Kubernetes Secrets are encrypted with a customer-managed KMS key",
    reason: "Otherwise anyone who reads etcd or its backup reads every Secret.",
    fix: "set encryptionConfigKeyArn (@pulumi/eks) or encryptionConfig (aws.eks.Cluster) to the ARN of a KMS key",
    source: cis("5.3.1"),
    types: [...CLUSTERS, "aws:kms/key:Key"],
    checkStack: (stack, report) =>
      report.each(stack.ofType(...CLUSTERS), (cluster) => {
        const key = secretsKey(cluster);
        if (!isEncrypted(stack, key)) return report.wrong(key, "so Secrets have no key of their own");
        // @pulumi/eks builds all of it from the key's ARN: before the key exists, all of it is unknown, and it only sets "secrets".
        if (cluster.type !== EKS_CLUSTER || cluster.at("encryptionConfig").isUnknown) return;
        const resources = cluster.at("encryptionConfig", "resources");
        if (!resources.items().some((resource) => resource.text() === "secrets"))
          report.wrong(resources, "which excludes Secrets");
      }),
  },
  {
    id: "cluster-logs",
    family: "cluster",
    level: "mandatory",
    title: "The control plane keeps audit and authenticator logs",
    reason: "They record who did what.",
    fix: "add the log type to enabledClusterLogTypes",
    source: cis("2.1.1"),
    options: [LOGS],
    types: CLUSTERS,
    check: (cluster, report, settings) => {
      const { logTypes } = controlPlane(cluster);
      const enabled = logTypes.items();
      report.each(settings.get(LOGS), (type) => {
        if (enabled.some((logType) => !logType.isUnknown && logType.text() === type)) return;
        // Undecided if one of them is unknown, which may be the required one.
        for (const logType of enabled) logType.text();
        report.wrong(logTypes, `without ${type}`);
      });
    },
  },
  {
    id: "cluster-authentication-mode",
    family: "cluster",
    level: "mandatory",
    title: "Cluster access uses access entries only",
    reason: "Anyone who can edit aws-auth is an administrator, and an error in it locks everyone out.",
    fix: "set authenticationMode: API",
    source: cis("4.1.7"),
    types: CLUSTERS,
    check: (cluster, report) => {
      const { authenticationMode } = controlPlane(cluster);
      if (authenticationMode.text() !== "API")
        report.wrong(authenticationMode, "so the ConfigMap aws-auth gives access");
    },
  },
  {
    id: "cluster-version-supported",
    family: "cluster",
    level: "mandatory",
    title: "The Kubernetes version is explicit and in standard support",
    reason: "Extended support costs six times as much.",
    fix: "set version to one in standard support, and upgradePolicy.supportType: STANDARD",
    source: aws("EKS Kubernetes versions", "eks/latest/userguide/kubernetes-versions.html"),
    options: [AS_OF],
    types: CLUSTERS,
    check: (cluster, report, settings) => {
      const { version, supportType } = controlPlane(cluster);
      report.part(() => {
        const found = version.text();
        const support = supportOf(found ?? "", day(settings));
        if (support === undefined) report.wrong(version, "not an explicit Kubernetes version");
        // If no newer version is known, this pack is outdated, which cluster-version-ending reports.
        else if (support.daysLeft < 0 && !support.isNewest)
          report.wrong(
            version,
            `whose standard support ended ${support.ends === undefined ? "long ago" : `on ${support.ends}`}`,
          );
      });
      if (supportType.text() !== "STANDARD")
        report.wrong(supportType, "so the cluster enters paid extended support automatically");
    },
  },
  {
    id: "cluster-version-ending",
    family: "cluster",
    level: "advisory",
    title: "The Kubernetes version stays in standard support for the next 90 days",
    reason: "Extended support costs six times as much.",
    fix: "upgrade to the next minor version: npm run lab -- upgrade",
    source: aws("EKS Kubernetes versions", "eks/latest/userguide/kubernetes-versions.html"),
    options: [WITHIN, AS_OF],
    types: CLUSTERS,
    check: (cluster, report, settings) => {
      const { version } = controlPlane(cluster);
      const support = supportOf(version.text() ?? "", day(settings));
      if (support === undefined || support.daysLeft > settings.get(WITHIN)) return;
      const { daysLeft, ends, isNewest } = support;
      if (daysLeft >= 0) report.wrong(version, `whose standard support ends on ${ends}, in ${daysLeft} days`);
      else if (isNewest)
        report.wrong(
          version,
          `whose standard support ended on ${ends}, and this release knows no newer version`,
          "update eks-dns-logging, whose newer releases know newer versions",
        );
    },
  },
  {
    id: "cluster-deletion-protection",
    family: "cluster",
    level: "mandatory",
    title: "A production cluster has deletion protection",
    reason: "One wrong destroy would delete everything on it.",
    fix: "set deletionProtection: true",
    source: aws("Protect EKS clusters from accidental deletion", "eks/latest/userguide/deletion-protection.html"),
    options: [PRODUCTION_KEYS, PRODUCTION_VALUES],
    types: CLUSTERS,
    check: (cluster, report, settings) => {
      const { tags, deletionProtection } = controlPlane(cluster);
      if (!deletionProtection.isUnknown && deletionProtection.flag() === true) return;
      const places = [tags, cluster.at("tagsAll"), cluster.provider.at("defaultTags", "tags"), cluster.stackTags];
      const [keys, values] = [settings.get(PRODUCTION_KEYS), settings.get(PRODUCTION_VALUES)];
      const isProduction = (place: Field) =>
        someKnown(
          place.entries().filter(([key]) => keys.includes(key.toLowerCase())),
          ([, value]) => values.includes((value.text() ?? "").toLowerCase()),
        );
      if (someKnown(places, isProduction) && deletionProtection.flag() !== true)
        report.wrong(deletionProtection, "on a cluster that is tagged as production");
    },
  },
  {
    id: "cluster-kubeconfig-secret",
    family: "cluster",
    level: "mandatory",
    title: "Kubeconfig stack outputs are secret",
    reason: "A plain output is readable in state, logs and terminals.",
    fix: "wrap the output in pulumi.secret()",
    source: { id: "Pulumi: secrets", url: "https://www.pulumi.com/docs/iac/concepts/secrets/" },
    types: [],
    planOnly: true,
    checkStack: (stack, report) =>
      report.each(stack.outputs ?? [], ({ name, field, isSecret }) => {
        if (isSecret) return;
        if (field.isUnknown && !/kube_?config/i.test(name)) return;
        const isKubeconfig =
          (field.at("clusters").isSet && field.at("users").isSet) ||
          /certificate-authority-data|\busers"?:[\s\S]*\bclusters"?:|\bclusters"?:[\s\S]*\busers"?:/.test(
            field.text() ?? "",
          );
        if (isKubeconfig) report.hidden(field, "a kubeconfig that is not secret");
      }),
  },
];

const ADDON_VERSION = /^v\d+(\.\d+)+-eksbuild\.\d+$/;

/** EKS add-ons in a cluster. */
export const CLUSTER_ADDONS: readonly Rule[] = [
  {
    id: "cluster-addons-pinned",
    family: "cluster",
    level: "mandatory",
    title: "Each EKS add-on has a pinned version",
    reason: "Otherwise clusters created a month apart differ.",
    fix: "set addonVersion to a full version such as v1.13.2-eksbuild.31",
    source: aws("Update an EKS add-on", "eks/latest/userguide/updating-an-add-on.html"),
    types: [ADDON, EKS_COMPONENT],
    check: (resource, report) => {
      if (resource.type === ADDON) {
        const version = resource.at("addonVersion");
        if (version.isLookedUp) report.deferred(version);
        else if (!ADDON_VERSION.test(version.text() ?? "")) report.wrong(version, "not a full version");
        return;
      }
      // @pulumi/eks installs these by default, in the current newest version.
      report.each(["corednsAddonOptions", "kubeProxyAddonOptions"] as const, (key) => {
        const options = resource.at(key);
        const version = options.at("version");
        if (!ADDON_VERSION.test(version.text() ?? "") && installs(resource, key))
          report.wrong(version, "so @pulumi/eks uses the newest", `set ${key}.version, or ${key}.enabled: false`);
      });
      const cni = resource.at("vpcCniOptions", "addonVersion");
      const hasOwn = resource.at("useDefaultVpcCni").flag() ?? isAutomatic(resource);
      if (!hasOwn && !ADDON_VERSION.test(cni.text() ?? ""))
        report.wrong(
          cni,
          "so @pulumi/eks uses the newest",
          "set vpcCniOptions.addonVersion, or useDefaultVpcCni: true",
        );
    },
  },
];

/** EKS Auto Mode has pod networking, kube-proxy and DNS on its nodes. @throws {Undecided} */
function isAutomatic(cluster: Resource): boolean {
  return cluster.at("autoMode", "enabled").flag() === true;
}

/** Whether @pulumi/eks installs an add-on: CoreDNS only if the cluster initially has nodes or Fargate. @throws {Undecided} */
function installs(cluster: Resource, key: "corednsAddonOptions" | "kubeProxyAddonOptions"): boolean {
  const options = cluster.at(key);
  const enabled = options.at("enabled").flag();
  if (enabled !== undefined) return enabled;
  if (key === "kubeProxyAddonOptions") return !isAutomatic(cluster);
  const fargate = cluster.at("fargate");
  const skipsNodes = cluster.at("skipDefaultNodeGroup").flag() ?? isAutomatic(cluster);
  return options.at("configurationValues").isSet || (fargate.flag() ?? fargate.isSet) || !skipsNodes;
}
