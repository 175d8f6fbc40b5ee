import { LOGGING_NAMESPACE } from "../../components/logging/settings.ts";
import { CANARY_NAMESPACE } from "../../components/monitoring/scrape-targets.ts";

/** Why the CLI failed, in one line. */
export function reasonOf({ message }: Error): string {
  return /incorrect passphrase/.test(message)
    ? "set PULUMI_CONFIG_PASSPHRASE to the value at the first run, or unset it if there was none"
    : firstError(message);
}

/** What the CLI writes before the API server's message, with the text to keep; the first group is the resource's name. */
const PREFIXES: readonly (readonly [RegExp, string])[] = [
  [/^resource "urn:[^"]+" was not successfully created by the Kubernetes API server: /, ""],
  [/^(?:creation|update) of resource "urn:[^"]+" .* Verify that any required CRDs have been created: /, ""],
  [
    /^resource "urn:[^"]+::([^":]+)" was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live: /,
    "$1 did not become ready: ",
  ],
  [/^the Kubernetes API server reported that "([^"]+)" failed to fully initialize or become live: /, "$1: "],
];
/** Suffix of that message; the advice already says what to do. */
const LINK = /, see https:\S+ for troubleshooting help$/;

/** The first error of Pulumi's diagnostics. */
export function firstError(output: string): string {
  const lines = output.split("\n").map((line) => line.trim());
  const at = lines.findIndex((line) => line.startsWith("error:") && !/update failed|preview failed/.test(line));
  const heading = lines[at]?.slice("error:".length).trim() ?? "";
  const first = /^\d+ errors? occurred:$/.test(heading) ? firstBullet(lines.slice(at + 1)) : heading;
  const message = PREFIXES.reduce((text, [prefix, kept]) => text.replace(prefix, kept), first);
  return message.replace(LINK, "") || "see the diagnostics above";
}

function firstBullet(lines: readonly string[]): string {
  return lines.find((line) => line.startsWith("* "))?.slice("* ".length) ?? "";
}

/** A refresh warning about what an earlier run left, which this run may have replaced. */
const REFRESHED = /^ *warning: Refreshed resource is in an unhealthy state:\n(?: *\* .*\n)*/gm;

/** What to do after a failure. Missing or foreign objects fail again when the same command is repeated. */
export function adviceOn(output: string): string {
  // What is missing at one retry may exist at the next.
  const message = output.replaceAll(/^.*\bRetry #\d+;.*$/gm, "").replaceAll(REFRESHED, "");
  const advice = [...ownedByOthers(message), ...missing(message), ...refusalsIn(message), ...notStarted(message)];
  return advice.length === 0
    ? "run the same command again to continue"
    : `${advice.join("; ")}, then run the command again`;
}

/** Namespaces that are not named after a team. */
const OWN_NAMESPACES: readonly string[] = [LOGGING_NAMESPACE, CANARY_NAMESPACE];
/** The namespace of the collectors, by its resource. */
const OF_COLLECTORS = /::logs-namespace" [^\n]*namespaces "([^"]+)" already exists/g;
const RENAME = ", or set another name in logging.namespace";
const ADOPT = ", or adopt the namespace of a team: `{ name: NAMESPACE, adopt: true }` in teams[].namespaces";

/** Roles of collectors, which have no namespace: stacks with the same collector would share them, and its files on the nodes. */
const ROLE_OF_COLLECTOR = /\bclusterrole(?:binding)?s\.\S+ "(eks-dns-logging-[^"]+)" already exists/;

function* ownedByOthers(message: string) {
  const role = ROLE_OF_COLLECTOR.exec(message)?.[1];
  if (role !== undefined)
    yield `another stack collects this cluster's logs with the same collector (ClusterRole '${role}'): set logging: false in one of them, or another logging.collector`;
  const existing = [...message.matchAll(/\b([a-z]+(?:\.[a-z0-9.]+)?) "([^"]+)" already exists/g)].filter(
    ([text]) => !ROLE_OF_COLLECTOR.test(text),
  );
  const names = [...new Set(existing.map(([, kind, name]) => `${kind} '${name}'`))].sort();
  const ofCollectors = Array.from(message.matchAll(OF_COLLECTORS), ([, name]) => name);
  const isTeamNamespace = existing.some(
    ([, kind, name = ""]) => kind === "namespaces" && ![...OWN_NAMESPACES, ...ofCollectors].includes(name),
  );
  const advice = `${ofCollectors.length > 0 ? RENAME : ""}${isTeamNamespace ? ADOPT : ""}`;
  if (names.length === 1) yield `${names[0]} was not created by this stack: delete, import or rename it${advice}`;
  if (names.length > 1)
    yield `${names.join(", ")} were not created by this stack: delete, import or rename them${advice}`;
  yield* new Set(conflicts(message));
}

/** Separates, in the CLI's message, the object that could not be applied from the fields that others manage. */
const SEPARATOR = /\bhad an apply conflict: /;
const MANAGED = /\bconflicts? with "([^"]+)"[^\n]*?:((?:\s+(?:- )?\.\S+)+)/g;

/** One sentence for each field of each object that another tool manages, naming its first manager. */
function* conflicts(message: string) {
  const parts = message.split(SEPARATOR);
  for (const [index, body] of parts.slice(1).entries()) {
    const object = parts[index] ?? "";
    const reported = new Set<string>();
    for (const [, manager = "", fields = ""] of body.matchAll(MANAGED))
      for (const [field] of fields.matchAll(/\.\S+/g)) {
        if (reported.has(field)) continue;
        reported.add(field);
        yield conflict(object, field, manager);
      }
  }
}

/** Where the CLI says which kind of object it could not apply: in the error if it was new, else in the heading above the error. */
const KIND = /:(\w+)::[^":\n]+" was not successfully|^ *kubernetes:[^\s:]+:(\w+) \([^)\n]+\):$/gm;
const LIVE = /\breported that "([^"]+)" failed to fully initialize/g;

/** @param text The message up to the conflict; its last object is the one. */
function conflict(text: string, field: string, manager: string): string {
  const [, created, updated] = [...text.matchAll(KIND)].at(-1) ?? [];
  const kind = created ?? updated ?? "";
  if (kind === "NamespacePatch")
    return `${field} of an adopted namespace is set by ${manager}: remove it there, or give it the value of the settings`;
  if (kind.endsWith("Patch")) {
    // No setting leaves out the Corefile: managing it is the purpose of dns.adopt.
    const other = kind === "ConfigMapPatch" ? "" : ", or leave it out of the settings";
    return `${field} of the ${kind.slice(0, -"Patch".length)} of CoreDNS is set by ${manager}: \`dns.adopt.force: true\` takes it over${other}`;
  }
  const object = [...text.matchAll(LIVE)].at(-1)?.[1] ?? "an object";
  // Never the advice to delete a namespace: its pods and data would go, too.
  if (kind === "Namespace")
    return `${field} of namespace ${object} is set by ${manager}: remove it there, or give it the value of the settings`;
  return `${field} of ${object} was changed by another tool (${manager}): end a drill with \`npm run lab -- drill stop\`, or delete the object`;
}

function* missing(message: string) {
  const [, user, verb, kind] = /\bUser "([^"]+)" cannot (\w+) resource "([^"]+)"/.exec(message) ?? [];
  if (user !== undefined) yield `${user} may not ${verb} ${kind}: use a kubeconfig of a cluster administrator`;
  for (const [, namespace] of distinct(message.matchAll(/\bnamespaces "([^"]+)" not found/g)))
    yield `create namespace '${namespace}', or name another one in the settings`;
  for (const [, unknown, version] of distinct(
    message.matchAll(/\bno matches for kind "([^"]+)" in version "([^"]+)"/g),
  ))
    yield `the cluster has no kind ${unknown} (${version}): install its CustomResourceDefinition`;
}

function distinct(matches: Iterable<RegExpExecArray>): Iterable<RegExpExecArray> {
  return new Map([...matches].map((match) => [match[0], match])).values();
}

/** Admission messages, and the name of the rule behind each; the first group is the name. */
const REFUSED_BY: readonly (readonly [reason: RegExp, describe: (name: string) => string])[] = [
  [/^ValidatingAdmissionPolicy '([^']+)'/, (name) => `ValidatingAdmissionPolicy '${name}'`],
  [/^(?:exceeded|failed) quota: ([^:,\s]+)/, (name) => `ResourceQuota '${name}' of its namespace`],
  [/^violates PodSecurity "([^"]+)"/, (name) => `Pod Security ${name}, which its namespace enforces`],
  [/^\[?(?:maximum|minimum) (\S+) (?:usage|limit)/, (resource) => `a LimitRange of its namespace, for ${resource}`],
];
/** The rejected object, and the reason. @see https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/ */
const FORBIDDEN = /\b([a-z]+(?:\.[a-z0-9.]+)?) "([^"]+)" is forbidden: ([^\n]+)/g;
const WEBHOOK = /\badmission webhook "([^"]+)" denied the request/g;
/** From the admission plugin NamespaceLifecycle: a namespace that is being deleted accepts no objects. */
const TERMINATING = /\bunable to create new content in namespace (\S+) because it is being terminated/g;

/** A sentence per object that the cluster's own rules reject; running the command again would not help. */
function refusalsIn(message: string): string[] {
  const refusals = new Set<string>();
  for (const [, kind, name, text = ""] of message.matchAll(FORBIDDEN))
    for (const [reason, describe] of REFUSED_BY) {
      const rule = reason.exec(text)?.[1];
      if (rule !== undefined)
        refusals.add(`${kind} '${name}' is refused by ${describe(rule)}: change that or the settings`);
    }
  for (const [, webhook] of message.matchAll(WEBHOOK))
    refusals.add(`admission webhook '${webhook}' refuses it: change its policy or the settings`);
  for (const [, namespace] of message.matchAll(TERMINATING))
    refusals.add(`wait until namespace '${namespace}' is gone`);
  return [...refusals];
}

/** Pods for which the CLI waited in vain, until its timeout or Ctrl-C. It names the pod in the lines before its error. */
function* notStarted(message: string) {
  if (!/timed out waiting|failed to fully initialize/.test(message)) return;
  const statuses = message.matchAll(
    /\[Pod ([\w.-]+)\/([\w.-]+)\][^\n]*?\[((?:CrashLoop|ImagePull)BackOff|ErrImagePull)\]/g,
  );
  // The CLI repeats a pod's status; the last one is current.
  const pods = new Map(
    [...statuses].map(([, namespace, pod, reason]) => [`${namespace}/${pod}`, { namespace, pod, reason }]),
  );
  for (const { namespace, pod, reason } of pods.values()) {
    const describe = `\`kubectl -n ${namespace} describe pod ${pod}\``;
    yield reason === "CrashLoopBackOff"
      ? `${pod} does not start (${reason}): ${describe} and \`kubectl -n ${namespace} logs ${pod}\` show why`
      : `${pod} does not start (${reason}): its node cannot pull an image, and ${describe} shows which and why`;
  }
}
