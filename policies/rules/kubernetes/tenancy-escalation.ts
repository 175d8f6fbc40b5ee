import { type Field, someKnown } from "../../core/resource.ts";
import type { Report, Rule } from "../../core/rule.ts";
import { cis, kubernetes } from "../../core/rule.ts";
import { eachRule, isOn, ROLES } from "./tenancy-rbac.ts";

const RISKS = kubernetes(
  "RBAC good practices, privilege escalation risks",
  "concepts/security/rbac-good-practices/#privilege-escalation-risks",
);
const ESCALATING = ["bind", "escalate", "impersonate"];
/**
 * Constrained impersonation: of whom, and for which actions. Neither works without the other.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
 */
const CONSTRAINED = /^impersonate(-on)?:/;

/** A right with which a program can get further rights. */
interface EscalationPath {
  readonly group: string;
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  /** Whether the resources are cluster-scoped, so that a Role grants no right on them. Default false. */
  readonly isClusterScoped?: true;
  readonly problem: string;
}

const TOKENS: EscalationPath = {
  group: "",
  resources: ["serviceaccounts/token"],
  verbs: ["create"],
  problem: "on serviceaccounts/token, which gives the token of any account",
};
const CERTIFICATES = "certificates.k8s.io";
const SIGNERS: EscalationPath = {
  group: CERTIFICATES,
  resources: ["signers"],
  verbs: ["approve", "sign"],
  isClusterScoped: true,
  problem: "on signers, which gives a certificate in any name",
};
const APPROVALS: EscalationPath = {
  group: CERTIFICATES,
  resources: ["certificatesigningrequests/approval"],
  verbs: ["update", "patch"],
  isClusterScoped: true,
  problem: "on certificatesigningrequests/approval, which gives a certificate in any name",
};
/** Signers of certificates that authenticate users to the API server. */
const CLIENT_SIGNERS = /^(\*|kubernetes\.io\/(\*|kube-apiserver-client(-kubelet)?))$/;

const WRITING = ["create", "update", "patch"];
const CHANGES: readonly EscalationPath[] = [
  {
    group: "",
    resources: ["persistentvolumes"],
    verbs: ["create"],
    isClusterScoped: true,
    problem: "on persistentvolumes, which may be any path of a node",
  },
  {
    group: "admissionregistration.k8s.io",
    resources: ["mutating", "validating"].flatMap((way) =>
      ["webhookconfigurations", "admissionpolicies", "admissionpolicybindings"].map((name) => `${way}${name}`),
    ),
    verbs: [...WRITING, "delete", "deletecollection"],
    isClusterScoped: true,
    problem: "on what the API server asks before it admits an object",
  },
  {
    group: "",
    resources: ["namespaces"],
    verbs: ["update", "patch"],
    problem: "on namespaces, whose labels set their Pod Security level",
  },
  {
    group: "",
    resources: ["pods/ephemeralcontainers"],
    verbs: ["update", "patch"],
    problem: "on pods/ephemeralcontainers, which runs a program in any pod",
  },
];

/** Rights with which users or programs can get more rights. */
export const TENANCY_ESCALATION: readonly Rule[] = [
  {
    id: "tenancy-no-escalation",
    family: "tenancy",
    level: "mandatory",
    title: "No role may bind, escalate or impersonate",
    reason: "These verbs give a user another's rights.",
    fix: "remove the verb from the role",
    source: cis("4.1.8"),
    types: ROLES,
    check: (role, report) =>
      eachRule(role, report, (rule) =>
        report.each(rule.at("verbs").items(), (verb) => {
          const text = verb.text() ?? "";
          if (ESCALATING.includes(text) || (text === "*" && isOnRights(rule)))
            report.wrong(verb, "which can grant any right");
          else if (CONSTRAINED.test(text)) report.wrong(verb, "which lets it act as another user");
        }),
      ),
  },
  {
    id: "tenancy-no-credential-issuing",
    family: "tenancy",
    level: "mandatory",
    title: "No role issues tokens or certificates in any name",
    reason: "They are credentials of anyone who has more rights.",
    fix: "name the service accounts or signers in resourceNames, or remove the rule",
    source: RISKS,
    types: ROLES,
    check: (role, report) => {
      const rules = role.at("rules");
      // Approving also needs a right on the signer. It is harmless if that only signs certificates that the API server does not accept.
      const isForOthers = () => {
        const signers = rules.items().filter((rule) => isOn(rule, CERTIFICATES, SIGNERS.resources));
        return signers.length > 0 && signers.every(namesOtherSigners);
      };
      eachRule(role, report, (rule) => {
        if (!namesResources(rule)) return;
        report.part(() => {
          if (rule.at("resourceNames").items().length === 0) reportPath(rule, TOKENS, report);
        });
        report.part(() => {
          if (!namesOtherSigners(rule)) reportPath(rule, SIGNERS, report);
        });
        report.part(() => {
          if (!isForOthers()) reportPath(rule, APPROVALS, report);
        });
      });
    },
  },
  {
    id: "tenancy-escalation-paths",
    family: "tenancy",
    level: "advisory",
    title: "Roles change neither admission, volumes of nodes, namespaces nor running pods",
    reason: "Each leads to more rights; operators need some of them.",
    fix: "remove the right, name the objects in resourceNames, or exempt the operator with a reason",
    source: RISKS,
    types: ROLES,
    check: (role, report) =>
      eachRule(role, report, (rule) => {
        if (!namesResources(rule) || rule.at("resourceNames").items().length > 0) return;
        report.each(CHANGES, (path) => reportPath(rule, path, report));
      }),
  },
  {
    id: "tenancy-nodes-proxy",
    family: "tenancy",
    level: "mandatory",
    title: "No role grants nodes/proxy",
    reason: "It runs commands in every pod of a node, without audit.",
    fix: "grant only what is read: nodes/pods (Fluent Bit's Use_Kubelet), nodes/metrics, nodes/stats, nodes/log, nodes/healthz or nodes/configz",
    source: kubernetes(
      "Kubelet authorization, fine-grained (1.36)",
      "reference/access-authn-authz/kubelet-authn-authz/#fine-grained-authorization",
    ),
    types: ROLES,
    check: (role, report) =>
      eachRule(role, report, (rule) =>
        report.each(rule.at("resources").items(), (item) => {
          const text = item.text() ?? "";
          if (["nodes/proxy", "nodes/*", "*/proxy"].includes(text) || (text === "*" && proxies(rule)))
            report.wrong(item, "which runs commands in every pod of the node");
        }),
      ),
  },
];

/** Whether a rule names resources. Other policies report wildcards. */
function namesResources(rule: Field): boolean {
  return !someKnown(rule.at("resources").items(), (item) => item.text() === "*");
}

/** Reports a rule's verbs that grant a right. */
function reportPath(
  rule: Field,
  { group, resources, verbs, isClusterScoped, problem }: EscalationPath,
  report: Report,
): void {
  if (isClusterScoped && /^Role(Patch)?$/.test(rule.owner.kind)) return;
  const granting = rule
    .at("verbs")
    .items()
    .filter((verb) => verb.isUnknown || ["*", ...verbs].includes(verb.text() ?? ""));
  if (granting.length === 0 || !isOn(rule, group, resources)) return;
  report.each(granting, (verb) => {
    if (verb.text() !== undefined) report.wrong(verb, problem);
  });
}

function namesOtherSigners(rule: Field): boolean {
  const names = rule.at("resourceNames").items();
  return names.length > 0 && names.every((name) => !CLIENT_SIGNERS.test(name.text() ?? ""));
}

/** Resources on which escalation verbs matter, by API group. */
const RIGHTS = {
  "": ["users", "groups", "serviceaccounts"],
  "rbac.authorization.k8s.io": ["roles", "clusterroles"],
  "authentication.k8s.io": ["uids", "users", "groups", "userextras", "serviceaccounts", "nodes"],
} satisfies Record<string, readonly string[]>;

function isOnRights(rule: Field): boolean {
  return someKnown(Object.entries(RIGHTS), ([group, resources]) => isOn(rule, group, resources));
}

/** Whether a rule on all resources allows requests through a node's proxy, which are for one node by name. */
function proxies(rule: Field): boolean {
  return (
    isOn(rule, "", ["nodes/proxy"]) &&
    someKnown(rule.at("verbs").items(), (verb) => !["list", "watch", "deletecollection"].includes(verb.text() ?? ""))
  );
}
