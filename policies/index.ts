import { PolicyPack } from "@pulumi/policy";
import { BUILT_IN_EXEMPTIONS } from "./built-in-exemptions.ts";
import { policiesOf } from "./engine/policies.ts";
import { RULES } from "./rules/index.ts";

new PolicyPack("eks-dns-logging", {
  displayName: "EKS, DNS and logging",
  description: "Guard rails for EKS clusters, CoreDNS, team namespaces, pods, log collectors and AWS accounts",
  repository: "eks-dns-logging",
  policies: policiesOf(RULES, BUILT_IN_EXEMPTIONS),
});
