import { matchesGlob } from "../../core/pack-config.ts";
import { type Field, type Resource, someKnown } from "../../core/resource.ts";
import { cis, flag, kubernetes, type Report, type Rule, type Settings, texts } from "../../core/rule.ts";
import type { Stack } from "../../core/stack.ts";
import { credentialInCommand, credentialInText } from "../../readers/credentials/credential-forms.ts";
import { credentialsIn } from "../../readers/credentials/credential-lines.ts";
import { isCredential } from "../../readers/credentials/credential-values.ts";
import {
  accountOf,
  containerLists,
  containerRule,
  type Facts,
  handlersOf,
  namespaceOf,
  parseImage,
  podPatchOf,
  podRule,
  podSpecOf,
  WORKLOADS,
} from "../../readers/workload.ts";
import { BINDINGS, includesAccount, isAccount } from "./tenancy-rbac.ts";

/** Required of each container, so that the scheduler finds room for it and the kernel stops it in time. */
const REQUIRED = [
  ["requests", "cpu"],
  ["requests", "memory"],
  ["limits", "memory"],
] as const;

/** A container's resources and literal secrets. */
export const POD_WORKLOAD: readonly Rule[] = [
  containerRule(
    {
      id: "pods-resources",
      level: "mandatory",
      title: "Each container requests CPU and memory and limits its memory",
      reason: "Otherwise one pod can exhaust the node.",
      fix: "set resources.requests.cpu, resources.requests.memory and resources.limits.memory",
      source: kubernetes("Resource management for pods", "concepts/configuration/manage-resources-containers/"),
    },
    (container, report, _, pod) =>
      report.each(REQUIRED, ([list, resource]) => {
        const amount = container.at("resources", list, resource);
        // An unset request defaults to the limit. Containers share the pod's resources.
        const lists = list === "requests" ? ["requests", "limits"] : [list];
        const fields = [container, pod].flatMap((holder) =>
          lists.map((name) => holder.at("resources", name, resource)),
        );
        if (!someKnown(fields, (field) => field.isSet))
          report.wrong(amount, "so the node cannot plan for this container");
      }),
    // Ephemeral containers cannot have resources.
    ["initContainers", "containers"],
  ),
  containerRule(
    {
      id: "pods-no-literal-secrets",
      forbids: true,
      level: "mandatory",
      title: "No container has a literal secret in its environment, arguments, probes or hooks",
      reason: "Anyone who reads the pod, manifest or state reads it.",
      fix: "mount a Secret as a file, or reference one with valueFrom.secretKeyRef",
      source: cis("4.4.1"),
    },
    (container, report) => {
      report.part(() =>
        report.each(container.at("env").items(), (entry) => {
          const name = entry.at("name").text() ?? "";
          const value = entry.at("value");
          // An unknown value will be literal once known.
          if (isCredential(name, value.isUnknown ? "(unknown)" : (value.text() ?? "")))
            report.hidden(value, `the literal value of ${name}`);
          else if (!value.isUnknown) reportCredential(value, report, credentialInFile(value.text() ?? ""));
        }),
      );
      report.part(() => reportWords(container, ["command", "args"], report));
      report.each(handlersOf(container), (handler) => reportHandler(handler, report));
    },
  ),
];

/** Reports credentials in a command's words, single or adjacent. */
function reportWords(holder: Field, lists: readonly string[], report: Report): void {
  const reported = report.verdicts.length;
  report.each(lists, (list) =>
    report.each(holder.at(list).items(), (word) => {
      const [, name = "", value = ""] = /^--?([\w.-]+)=(.*)$/s.exec(word.text() ?? "") ?? [];
      if (isCredential(name, value)) report.hidden(word, `the literal value of ${name}`);
      else reportCredential(word, report);
    }),
  );
  // An option and its value may be two words.
  report.each(lists, (list) => {
    const words = holder.at(list).items();
    report.each(words.slice(1).entries(), ([index, word]) => {
      const option = words[index];
      if (option === undefined || option.isUnknown || !/^--?[\w-]+$/.test(option.text() ?? "")) return;
      const name = (option.text() ?? "").replace(/^-+/, "");
      const value = word.isUnknown ? "(unknown)" : (word.text() ?? "");
      if (value.startsWith("-")) return;
      const what = word.isUnknown ? undefined : credentialInText(`${option.text()} ${value}`);
      if (isCredential(name, value)) report.hidden(word, `the literal value of ${name}`);
      else if (what !== undefined) report.hidden(word, what);
    });
  });
  // A client's own option depends on the client, in another word.
  if (report.verdicts.length > reported) return;
  const words = lists.flatMap((list) => holder.at(list).items());
  const what = credentialInCommand(words.map((word) => (word.isUnknown ? "" : (word.text() ?? ""))).join(" "));
  if (what !== undefined) report.hidden(holder.at(lists.find((list) => holder.at(list).isSet) ?? "command"), what);
}

/** Reports credentials in a probe or hook: in its command, or in the headers of its request. */
function reportHandler(handler: Field, report: Report): void {
  report.part(() => reportWords(handler.at("exec"), ["command"], report));
  report.each(handler.at("httpGet", "httpHeaders").items(), (header) => {
    const [name, value] = [header.at("name").text() ?? "", header.at("value")];
    const what = isCredential(name, value.text() ?? "") ? `the literal value of ${name}` : undefined;
    reportCredential(value, report, what ?? credentialInText(`${name}: ${value.text()}`));
  });
}

/** Kind of a credential in a value with several lines, such as a configuration file. */
function credentialInFile(value: string): string | undefined {
  return value.trim().includes("\n") ? credentialsIn(value)[0]?.what : undefined;
}

/**
 * Reports a credential in a value.
 * @param known Its kind, if already found. Default: looked for in the value, as in a command.
 */
function reportCredential(field: Field, report: Report, known?: string): void {
  const what = known ?? credentialInCommand(field.text() ?? "");
  if (what !== undefined) report.hidden(field, what);
}

const SERVICE_ACCOUNT = "kubernetes:core/v1:ServiceAccount";
/** Token audiences that the API server accepts: its own if none is named. Tokens for others only work elsewhere. */
const API_AUDIENCES = ["", "https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local"];

/** A pod's access to the API server. */
export const POD_TOKEN: readonly Rule[] = [
  {
    id: "pods-service-account-token",
    family: "pods",
    level: "mandatory",
    title: "A pod mounts a service account token only if a role is bound to the account",
    reason: "An unneeded token can be stolen.",
    fix: "set automountServiceAccountToken: false, or bind the role to a dedicated service account",
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
  const account = accountOf(pod);
  const namespace = namespaceOf(resource);
  const reportToken = (field: Field) => {
    if (account === "default")
      report.wrong(field, "so the token of the account default is mounted, which all pods share");
    else if (!isBound(stack, namespace, account))
      report.wrong(field, `so the token of ${account} is mounted, to which this stack binds no role`);
  };
  // Such a volume has a token even if automountServiceAccountToken is false.
  report.each(pod.at("volumes").items(), (volume) =>
    report.each(volume.at("projected", "sources").items(), (source) => {
      const token = source.at("serviceAccountToken");
      const audience = token.at("audience");
      if (token.isSet && API_AUDIENCES.includes(audience.text() ?? "")) reportToken(audience);
    }),
  );
  const automount = pod.at("automountServiceAccountToken");
  if (automount.flag() === false) return;
  if (automount.flag() === undefined && accountMountsNone(stack, namespace, account)) return;
  reportToken(automount);
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

/**
 * What all accounts may read in every cluster: for these, a pod needs no token.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles
 */
const FOR_ALL: readonly string[] = [
  "system:basic-user",
  "system:discovery",
  "system:public-info-viewer",
  "system:service-account-issuer-discovery",
];

function isBound(stack: Stack, namespace: string, name: string): boolean {
  return someKnown(stack.ofType(...BINDINGS), (binding) =>
    someKnown(
      binding.at("subjects").items(),
      (subject) =>
        (includesAccount(subject, name, namespace) && !FOR_ALL.includes(binding.at("roleRef", "name").text() ?? "")) ||
        isAccount(subject, name, namespace, binding),
    ),
  );
}

const DIGESTS = flag("digests", "Require digests", false);
const MOVING = texts("movingTags", "Tags that are not pinned, besides those without a digit; * matches any text", [
  "latest",
  "latest-*",
  "*-latest",
  "stable*",
  "edge*",
  "main",
  "main-*",
  "master",
  "master-*",
  "nightly*",
]);
/** A release of a channel, such as Linkerd's `edge-24.11.8` or `nightly-2026-01-15`. */
const RELEASE = /^(stable|edge|nightly)-v?\d+[.-]\d+[.-]\d+/i;
const REGISTRIES = texts("registries", "Allowed registries, optionally with a path; * matches any text", [
  "docker.io",
  "quay.io",
  "ghcr.io",
  "registry.k8s.io",
  "public.ecr.aws",
  "index.docker.io",
  "*.dkr.ecr.*.amazonaws.com",
  "*.dkr.ecr-fips.*.amazonaws.com",
  "*.dkr.ecr.*.amazonaws.com.cn",
  "*.dkr-ecr.*.on.aws",
  "cr.fluentbit.io",
  "docker.elastic.co",
]);

/** Sources of a pod's programs and files. */
export const POD_IMAGES: readonly Rule[] = [
  imageRule(
    {
      id: "pods-images-pinned",
      level: "mandatory",
      title: "Each image is pinned to a version or digest",
      reason: "With a moving tag, pods of one manifest can differ.",
      fix: "use a version, such as :1.2.3, or a digest",
      source: kubernetes("Configuration good practices, container images", "concepts/containers/images/#image-names"),
      options: [DIGESTS, MOVING],
    },
    (image, report, settings) => {
      const text = image.text();
      if (text === undefined) {
        // A patch only changes what it names.
        if (podPatchOf(image.owner) === undefined) report.wrong(image, "so there is no image");
        return;
      }
      const { tag, digest } = parseImage(text);
      if (digest !== undefined) return;
      if (settings.get(DIGESTS)) report.wrong(image, "without a digest");
      else if (tag === undefined) report.wrong(image, "without a tag, which means latest");
      else if (!RELEASE.test(tag) && settings.get(MOVING).some((moving) => matchesGlob(moving, tag.toLowerCase())))
        report.wrong(image, `whose tag ${tag} moves`);
      else if (!/\d/.test(tag)) report.wrong(image, `whose tag ${tag} names no version`);
    },
  ),
  imageRule(
    {
      id: "pods-image-registries",
      level: "mandatory",
      title: "Images come from approved registries",
      reason: "An unapproved registry can serve any program.",
      fix: "use an image from an approved registry, or add the registry to the option `registries`",
      source: cis("5.1.4"),
      options: [REGISTRIES],
    },
    (image, report, settings) => {
      const text = image.text();
      if (text === undefined) return;
      const { registry, repository } = parseImage(text);
      const allowed = settings.get(REGISTRIES);
      const is = (pattern: string) => {
        const [host = "", ...path] = pattern.replace(/\/$/, "").split("/");
        // The registry alone: its * must not match into the path, which anybody can choose.
        if (!matchesGlob(host, registry)) return false;
        return path.length === 0 || matchesGlob(`${path.join("/")}/*`, `${repository}/`);
      };
      if (!allowed.some(is)) report.wrong(image, `from ${registry}, which is not one of ${allowed.join(", ")}`);
    },
  ),
];

/** A rule on the image of each container and each image volume. */
function imageRule(
  facts: Omit<Facts, "forbids">,
  check: (image: Field, report: Report, settings: Settings) => void,
): Rule {
  return podRule({ ...facts, forbids: true }, (pod, report, settings) => {
    report.each(containerLists(pod), (list) =>
      report.each(list.items(), (container) => check(container.at("image"), report, settings)),
    );
    report.each(pod.at("volumes").items(), (volume) => {
      const image = volume.at("image");
      if (image.isSet) check(image.at("reference"), report, settings);
    });
  });
}
