import { curlPodName, teamNamespace } from "../../../components/team/names.ts";
import { type Check, fail, type Outcome, pass } from "../check.ts";
import type { CurlResult } from "../curl.ts";
import { curlFrom } from "../curl-sessions.ts";
import type { Lab } from "../lab.ts";
import { whyUnknown } from "./dns.ts";
import { FORM_TITLES, type Form, nameInForm, type Pair } from "./names.ts";

/** kube-proxy opens a Service a moment after its pod is ready, and later on a busy node: until then connections are refused. */
const OPENING_SECONDS = 5;

/** Curls a form of a name from a pod; the answer must name the right pod. */
export function curlCheck({ from, to }: Pair, form: Form): Check {
  return {
    id: `curl:${from}:${to}:${form}`,
    group: "curl",
    what: `curl the ${FORM_TITLES[form]}`,
    from: curlPodName(from),
    to: nameInForm(to, form),
    together: `names:${from}:${to}`,
    run: (lab) => curl(lab, { from, to }, form),
  };
}

async function curl(lab: Lab, { from, to }: Pair, form: Form): Promise<Outcome> {
  const pod = await lab.runningPod(from);
  const name = nameInForm(to, form);
  const result = await untilOpen(lab, () => curlFrom(lab, pod, `http://${name}/`));
  const answer = result.body.split("\n")[0] ?? "";
  const facts = {
    name,
    addresses: result.addresses,
    status: result.status,
    answer,
    lookupMs: result.lookupMs,
    totalMs: result.totalMs,
  };
  if (result.end !== "answered")
    return fail(result.message || result.end, await whyNoAnswer(lab, { from, to }, name, result), facts);
  const detail = `${result.status} "${answer}" in ${result.totalMs} ms`;
  if (result.status !== 200) return fail(detail, "something else than the lab's responder listens there", facts);
  if (!answer.startsWith(`${curlPodName(to)} answers`))
    return fail(
      detail,
      `the answer comes from another pod than ${curlPodName(to)}: look at the Service's endpoints`,
      facts,
    );
  return pass(detail, facts);
}

async function untilOpen(lab: Lab, ask: () => Promise<CurlResult>): Promise<CurlResult> {
  for (let second = 0; second < OPENING_SECONDS; second += 1) {
    const result = await ask();
    if (result.end !== "refused") return result;
    await lab.pause(1);
  }
  return ask();
}

async function whyNoAnswer(lab: Lab, { from, to }: Pair, name: string, result: CurlResult): Promise<string> {
  if (result.end === "not resolved") return whyUnknown(lab, to, name, result);
  const endpoints = await lab.cluster.endpoints(teamNamespace(to), curlPodName(to)).catch(() => undefined);
  if (endpoints?.length === 0)
    return `the Service has no endpoints: the pod ${curlPodName(to)} is not ready, has ended, or lacks the label app=${curlPodName(to)}`;
  if (result.end === "refused")
    return `nothing listens on port 80 of ${curlPodName(to)}: is the container responder running?`;
  if (result.end === "timed out")
    return from === to
      ? "dropped on the way: the network does not let a pod reach itself through its Service (hairpin mode), or a NetworkPolicy drops it"
      : `dropped on the way: a NetworkPolicy lets ${from} out to ${to} or ${to} in from ${from} no more, or the nodes' security groups differ`;
  return "curl failed in another way; its message stands in the row";
}
