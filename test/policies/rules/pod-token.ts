import { UNKNOWN } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { first, type Sample, type SampleResource } from "./samples.ts";
import { GOOD_POD } from "./workloads.ts";

const set = (path: string, to: Parameters<typeof first>[2]) => first(GOOD_POD, path, to);

const ACCOUNT: SampleResource = {
  type: "kubernetes:core/v1:ServiceAccount",
  name: "workload",
  props: { metadata: { name: "workload", namespace: "ts-team" } },
};
const QUIET_ACCOUNT: SampleResource = { ...ACCOUNT, props: { ...ACCOUNT.props, automountServiceAccountToken: false } };
const BINDING: SampleResource = {
  type: "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
  name: "binding",
  props: {
    metadata: { name: "binding" },
    roleRef: { kind: "ClusterRole", name: "reader" },
    subjects: [{ kind: "ServiceAccount", name: "workload", namespace: "ts-team" }],
  },
};

const withToken = (...others: Sample): Sample => [...set("spec.automountServiceAccountToken", true), ...others];
const unsaid = (...others: Sample): Sample => [...set("spec.automountServiceAccountToken", undefined), ...others];

export const POD_TOKEN_CASES: CasesByRule = {
  "pods-service-account-token": {
    good: {
      "a pod without": GOOD_POD,
      "an account without": unsaid(QUIET_ACCOUNT),
      "an account with a role": withToken(ACCOUNT, BINDING),
      "an account with a role, beside what is not known": withToken(
        { ...BINDING, name: "other", props: { metadata: { name: "other" }, subjects: UNKNOWN } },
        ACCOUNT,
        BINDING,
      ),
      "an account with a role by its group": withToken(ACCOUNT, {
        ...BINDING,
        props: { ...BINDING.props, subjects: [{ kind: "Group", name: "system:serviceaccounts:ts-team" }] },
      }),
      "an account with a role as a user": withToken(ACCOUNT, {
        ...BINDING,
        props: { ...BINDING.props, subjects: [{ kind: "User", name: "system:serviceaccount:ts-team:workload" }] },
      }),
      "an account without, beside one that is not known": unsaid(
        { ...ACCOUNT, name: "other", props: { metadata: UNKNOWN } },
        QUIET_ACCOUNT,
      ),
    },
    bad: {
      "an account without a role": [
        withToken(ACCOUNT),
        "Pod/ts-team/curl-ts: spec.automountServiceAccountToken is true, so the token of workload is mounted, to which this stack",
      ],
      "nothing said": [
        unsaid(ACCOUNT),
        "Pod/ts-team/curl-ts: spec.automountServiceAccountToken is not set, so the token",
      ],
      "a role of another namespace's group": [
        withToken(ACCOUNT, {
          ...BINDING,
          props: { ...BINDING.props, subjects: [{ kind: "Group", name: "system:serviceaccounts:sa-team" }] },
        }),
        "Pod/ts-team/curl-ts: spec.automountServiceAccountToken is true",
      ],
      "a role of a user": [
        withToken(ACCOUNT, {
          ...BINDING,
          props: { ...BINDING.props, subjects: [{ kind: "User", name: "workload", namespace: "ts-team" }] },
        }),
        "Pod/ts-team/curl-ts: spec.automountServiceAccountToken is true",
      ],
      "an account by the field's old name": [
        first(first(withToken(ACCOUNT), "spec.serviceAccountName", undefined), "spec.serviceAccount", "workload"),
        "Pod/ts-team/curl-ts: spec.automountServiceAccountToken is true, so the token of workload",
      ],
      "the default account": [
        first(unsaid(), "spec.serviceAccountName", undefined),
        "Pod/ts-team/curl-ts: spec.automountServiceAccountToken is not set, so the token of the account default",
      ],
      "a role of an account of the same name elsewhere": [
        withToken({
          ...BINDING,
          props: { ...BINDING.props, subjects: [{ kind: "ServiceAccount", name: "workload", namespace: "sa-team" }] },
        }),
        "Pod/ts-team/curl-ts: spec.automountServiceAccountToken is true",
      ],
    },
    unknown: {
      "an unknown switch": [
        set("spec.automountServiceAccountToken", UNKNOWN),
        "Pod/ts-team/curl-ts: spec.automountServiceAccountToken is known only",
      ],
      "unknown subjects": [
        withToken({ ...BINDING, props: { ...BINDING.props, subjects: UNKNOWN } }),
        "ClusterRoleBinding/binding: subjects is known only",
      ],
    },
  },
};
