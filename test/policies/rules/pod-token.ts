import { UNKNOWN, type Value } from "../../../policies/core/resource.ts";
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

/** A pod without the token by itself, which a volume brings. */
const projected = (token: Value): Sample =>
  set("spec.volumes", [{ name: "token", projected: { sources: [{ configMap: { name: "ca" } }, token] } }]);
const AUDIENCE = "Pod/ts-team/curl-ts: spec.volumes[0].projected.sources[1].serviceAccountToken.audience";

export const POD_TOKEN_CASES: CasesByRule = {
  "pods-service-account-token": {
    good: {
      "a pod without": GOOD_POD,
      "a token of a volume for another service": projected({
        serviceAccountToken: { path: "token", audience: "sts.amazonaws.com" },
      }),
      "a token of a volume for the API server, of an account with a role": [
        ...projected({ serviceAccountToken: { path: "token" } }),
        BINDING,
      ],
      "an account without": unsaid(QUIET_ACCOUNT),
      "an account with a role": withToken(ACCOUNT, BINDING),
      "an account with a role, and unknown ones": withToken(
        { ...BINDING, name: "other", props: { metadata: { name: "other" }, subjects: UNKNOWN } },
        ACCOUNT,
        BINDING,
      ),
      "an account with a role by its group": withToken(ACCOUNT, {
        ...BINDING,
        props: { ...BINDING.props, subjects: [{ kind: "Group", name: "system:serviceaccounts:ts-team" }] },
      }),
      "an account with a role of everyone who logs in": withToken(ACCOUNT, {
        ...BINDING,
        props: { ...BINDING.props, subjects: [{ kind: "Group", name: "system:authenticated" }] },
      }),
      "an account by its name with a role that most get as a group": withToken(ACCOUNT, {
        ...BINDING,
        props: { ...BINDING.props, roleRef: { kind: "ClusterRole", name: "system:service-account-issuer-discovery" } },
      }),
      "an account with a role as a user": withToken(ACCOUNT, {
        ...BINDING,
        props: { ...BINDING.props, subjects: [{ kind: "User", name: "system:serviceaccount:ts-team:workload" }] },
      }),
      "an account without a role, and an unknown one": unsaid(
        { ...ACCOUNT, name: "other", props: { metadata: UNKNOWN } },
        QUIET_ACCOUNT,
      ),
    },
    bad: {
      "a token of a volume without an audience, which is the API server's": [
        projected({ serviceAccountToken: { path: "token" } }),
        `${AUDIENCE} is not set, so the token of workload is mounted, to which this stack binds no role`,
      ],
      "a token of a volume for the API server by its name, of the default account": [
        first(
          projected({ serviceAccountToken: { path: "token", audience: "https://kubernetes.default.svc" } }),
          "spec.serviceAccountName",
          undefined,
        ),
        `${AUDIENCE} is "https://kubernetes.default.svc", so the token of the account default is mounted`,
      ],
      "an account without a role": [
        withToken(ACCOUNT),
        "Pod/ts-team/curl-ts: spec.automountServiceAccountToken is true, so the token of workload is mounted, to which this stack",
      ],
      "an unset value": [
        unsaid(ACCOUNT),
        "Pod/ts-team/curl-ts: spec.automountServiceAccountToken is not set, so the token",
      ],
      "a role that each cluster gives to all accounts": [
        withToken(ACCOUNT, {
          ...BINDING,
          props: {
            ...BINDING.props,
            roleRef: { kind: "ClusterRole", name: "system:service-account-issuer-discovery" },
            subjects: [{ kind: "Group", name: "system:serviceaccounts" }],
          },
        }),
        "Pod/ts-team/curl-ts: spec.automountServiceAccountToken is true, so the token of workload is mounted, to which",
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
      "an unknown audience": [
        projected({ serviceAccountToken: { path: "token", audience: UNKNOWN } }),
        `${AUDIENCE} is known only`,
      ],
      "unknown subjects": [
        withToken({ ...BINDING, props: { ...BINDING.props, subjects: UNKNOWN } }),
        "ClusterRoleBinding/binding: subjects is known only",
      ],
    },
  },
};
