import type { Field } from "../core/field.ts";
import type { Report } from "../core/report.ts";
import type { Resource } from "../core/resource.ts";
import type { Rule } from "../core/rule.ts";
import { someKnown } from "../core/some-known.ts";
import type { Stack } from "../core/stack.ts";
import { namespaceOf, podSpecOf, WORKLOADS } from "../kubernetes/pod-spec.ts";
import { BINDINGS } from "../kubernetes/rbac.ts";
import { cis } from "./sources.ts";

const SERVICE_ACCOUNT = "kubernetes:core/v1:ServiceAccount";

/** What a pod may tell the API server. */
export const POD_TOKEN: readonly Rule[] = [
  {
    id: "pods-service-account-token",
    family: "pods",
    level: "mandatory",
    title: "A pod mounts a service account's token only where a role is bound to that account",
    reason: "A token that nothing needs is one that can be stolen, and the default account is everybody's.",
    fix: "set automountServiceAccountToken: false, or bind the role that the pod needs to an account of its own",
    source: cis("4.1.5 and 4.1.6"),
    types: [...WORKLOADS, ...BINDINGS, SERVICE_ACCOUNT],
    checkStack: (stack, report) =>
      report.each(stack.resources, (resource) => {
        const pod = podSpecOf(resource);
        if (pod !== undefined) checkToken(stack, resource, pod, report);
      }),
  },
];

function checkToken(stack: Stack, resource: Resource, pod: Field, report: Report): void {
  const automount = pod.at("automountServiceAccountToken");
  if (automount.flag() === false) return;
  const account = pod.at("serviceAccountName").text() ?? pod.at("serviceAccount").text() ?? "default";
  const namespace = namespaceOf(resource);
  if (automount.flag() === undefined && accountMountsNone(stack, namespace, account)) return;
  if (account === "default")
    report.wrong(automount, "so the token of the account default is mounted, which all pods share");
  else if (!isBound(stack, namespace, account)) {
    report.wrong(automount, `so the token of ${account} is mounted, to which this stack binds no role`);
  }
}

function accountMountsNone(stack: Stack, namespace: string, name: string): boolean {
  return someKnown(
    stack.ofType(SERVICE_ACCOUNT),
    (account) =>
      account.at("metadata", "name").text() === name &&
      namespaceOf(account) === namespace &&
      account.at("automountServiceAccountToken").flag() === false,
  );
}

function isBound(stack: Stack, namespace: string, name: string): boolean {
  return someKnown(stack.ofType(...BINDINGS), (binding) =>
    someKnown(
      binding.at("subjects").items(),
      (subject) =>
        subject.at("kind").text() === "ServiceAccount" &&
        subject.at("name").text() === name &&
        (subject.at("namespace").text() ?? namespaceOf(binding)) === namespace,
    ),
  );
}
