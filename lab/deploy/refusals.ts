/** Admission messages, and the name of the rule behind each; the first group is the name. */
const REFUSED_BY: readonly (readonly [words: RegExp, what: (name: string) => string])[] = [
  [/^ValidatingAdmissionPolicy '([^']+)'/, (name) => `ValidatingAdmissionPolicy '${name}'`],
  [/^(?:exceeded|failed) quota: ([^:,\s]+)/, (name) => `ResourceQuota '${name}' of its namespace`],
  [/^violates PodSecurity "([^"]+)"/, (name) => `Pod Security ${name}, which its namespace enforces`],
  [/^\[?(?:maximum|minimum) (\S+) (?:usage|limit)/, (resource) => `a LimitRange of its namespace, for ${resource}`],
];
/** The rejected object, and the reason. @see https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/ */
const FORBIDDEN = /\b([a-z]+(?:\.[a-z0-9.]+)?) "([^"]+)" is forbidden: ([^\n]+)/g;
const WEBHOOK = /\badmission webhook "([^"]+)" denied the request/g;
/** From the admission plugin NamespaceLifecycle: a namespace that is being deleted accepts no objects. */
const ENDING = /\bunable to create new content in namespace (\S+) because it is being terminated/g;

/** A sentence per object that the cluster's own rules reject; running the command again would not help. */
export function refusals(message: string): string[] {
  const told = new Set<string>();
  for (const [, kind, name, words = ""] of message.matchAll(FORBIDDEN))
    for (const [said, what] of REFUSED_BY) {
      const by = said.exec(words)?.[1];
      if (by !== undefined) told.add(`${kind} '${name}' is refused by ${what(by)}: change that or the settings`);
    }
  for (const [, webhook] of message.matchAll(WEBHOOK))
    told.add(`admission webhook '${webhook}' refuses it: change its policy or the settings`);
  for (const [, namespace] of message.matchAll(ENDING)) told.add(`wait until namespace '${namespace}' is gone`);
  return [...told];
}
