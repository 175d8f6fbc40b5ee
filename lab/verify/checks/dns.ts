import { curlPodName } from "../../../components/team/names.ts";
import { type Check, fail, type Outcome, pass } from "../check.ts";
import type { CurlResult } from "../curl.ts";
import { curlFrom } from "../curl-sessions.ts";
import type { Lab } from "../lab.ts";
import { FORM_TITLES, type Form, nameInForm, type Pair } from "./names.ts";

/** Looks a form of a name up from a pod, and compares the address with the Service's. */
export function lookupCheck({ from, to }: Pair, form: Form): Check {
  const elsewhere = form === "short" && from !== to;
  return {
    id: `dns:${from}:${to}:${form}`,
    group: "dns",
    what: elsewhere ? "short name is unknown elsewhere" : `look up the ${FORM_TITLES[form]}`,
    from: curlPodName(from),
    to: nameInForm(to, form),
    together: `names:${from}:${to}`,
    run: (lab) => (elsewhere ? unknown(lab, from, to) : lookup(lab, { from, to }, form)),
  };
}

async function lookup(lab: Lab, { from, to }: Pair, form: Form): Promise<Outcome> {
  const pod = await lab.runningPod(from);
  const name = nameInForm(to, form);
  const result = await curlFrom(lab, pod, `http://${name}/`);
  // Before the Service is asked for: a name without one is looked up too, and its cause is NXDOMAIN.
  if (result.addresses.length === 0)
    return fail(result.message || "no address", await whyUnknown(lab, to, name, result), { name, addresses: [] });
  const expected = await expectedAddress(lab, { from, to }, form);
  const detail = `${result.addresses.join(", ")} in ${result.lookupMs} ms`;
  const facts = { name, addresses: result.addresses, expected: expected.address, lookupMs: result.lookupMs };
  if (result.addresses.includes(expected.address)) return pass(detail + expected.note, facts);
  return fail(
    detail,
    `the ${expected.of} has ${expected.address}: another name comes first in the search list, or an answer from before a change is cached`,
    facts,
  );
}

/** A pod's own short name is in its /etc/hosts, so it leads to the pod itself and past the Service. */
async function expectedAddress(lab: Lab, { from, to }: Pair, form: Form) {
  if (form === "short") return { address: (await lab.runningPod(from)).ip, of: "pod", note: " (by /etc/hosts)" };
  return { address: (await lab.service(to)).clusterIP, of: "Service", note: "" };
}

async function unknown(lab: Lab, from: string, to: string): Promise<Outcome> {
  const pod = await lab.runningPod(from);
  const name = nameInForm(to, "short");
  const result = await curlFrom(lab, pod, `http://${name}/`);
  const facts = { name, addresses: result.addresses };
  if (result.addresses.length > 0)
    return fail(
      result.addresses.join(", "),
      `something outside ${to}-team is called ${name}: a search domain of the node, or a Service in ${from}-team`,
      facts,
    );
  // Without CoreDNS no name has an address. That its upstream is slow to say no is no fault of the lab.
  if (await hasNoDnsPod(lab)) return fail(result.message || "no address", NO_DNS_POD, facts);
  return pass("not resolved, as it should", facts);
}

/** Why a name has no address: nothing answered, or nothing has that name. */
export async function whyUnknown(lab: Lab, to: string, name: string, result: CurlResult): Promise<string> {
  if (await hasNoDnsPod(lab)) return NO_DNS_POD;
  if (/time/i.test(result.message) || result.totalMs >= SILENCE_MS)
    return "CoreDNS does not answer: a NetworkPolicy lacks UDP and TCP 53, or CoreDNS is down";
  const service = await lab.service(to).catch(() => undefined);
  if (service === undefined)
    return `NXDOMAIN: there is no Service ${curlPodName(to)} in ${to}-team; \`${lab.up}\` makes it`;
  return `NXDOMAIN for ${name}, though its Service exists: the Corefile's kubernetes zone is not cluster.local, or a search list is missing`;
}

/** musl's resolver gives up after 5 s, and curl then says no more than for a name that nobody has. */
const SILENCE_MS = 4900;
const NO_DNS_POD = "no CoreDNS pod is ready: `kubectl -n kube-system get pods -l k8s-app=kube-dns`";

/** Whether it is known that nothing can answer; whoever may not see the DNS pods does not know. */
async function hasNoDnsPod(lab: Lab): Promise<boolean> {
  const pods = await lab.dnsPods().catch(() => undefined);
  return pods !== undefined && !pods.some((pod) => pod.ready);
}
