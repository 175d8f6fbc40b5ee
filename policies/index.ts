import { PolicyPack } from "@pulumi/policy";
import { policiesOf } from "./engine/policies.ts";
import { BUILT_IN_EXEMPTIONS, RULES } from "./pack.ts";

new PolicyPack("eks-dns-logging", {
  displayName: "EKS, DNS and logging",
  description: "Guard rails for EKS clusters, CoreDNS, team namespaces, pods, log collectors and AWS accounts",
  repository: "eks-dns-logging",
  policies: policiesOf(RULES, BUILT_IN_EXEMPTIONS),
});
