import { teamNamespace } from "../../../components/kubernetes/labels.ts";
import { curlPodName, RESPONDER_PORT } from "../../../components/team/curl-pod-spec.ts";
import type { Lab } from "../lab.ts";
import { type Check, fail, type Outcome, pass } from "../outcome.ts";

/** The team's pod runs, is ready, and has an address on a node. */
export function podCheck(team: string): Check {
  return {
    id: `pods:${team}`,
    group: "pods",
    what: "pod runs and is ready",
    from: curlPodName(team),
    to: "",
    run: (lab) => pod(lab, team),
  };
}

async function pod(lab: Lab, team: string): Promise<Outcome> {
  const found = await lab.runningPod(team);
  const { phase, ip, node, ready } = found;
  const detail = `${phase}, ${ip} on ${node}`;
  const facts = { phase, ip, node, ready, containers: found.containers };
  if (ready) return pass(detail, facts);
  const command = `kubectl -n ${found.namespace} describe pod ${found.name}`;
  return fail(
    `${detail}, not ready`,
    `a container is not ready${found.reason && ` (${found.reason})`}: \`${command}\``,
    facts,
  );
}

/** The team's Service leads to the team's pod. */
export function serviceCheck(team: string): Check {
  return {
    id: `service:${team}`,
    group: "service",
    what: "Service routes to the pod",
    from: curlPodName(team),
    to: `${curlPodName(team)}.${teamNamespace(team)}`,
    run: (lab) => service(lab, team),
  };
}

async function service(lab: Lab, team: string): Promise<Outcome> {
  const name = curlPodName(team);
  const namespace = teamNamespace(team);
  const [{ clusterIP, ports }, endpoints] = await Promise.all([
    lab.service(team),
    lab.cluster.endpoints(namespace, name),
  ]);
  const detail = `${clusterIP}:${ports.join(",")} → ${endpoints.length === 0 ? "no endpoint" : endpoints.join(", ")}`;
  const facts = { clusterIP, ports: ports.map(String), endpoints };
  if (!ports.includes(RESPONDER_PORT))
    return fail(
      detail,
      `the Service has no port ${RESPONDER_PORT}: it was changed by hand; run \`pulumi up --refresh\``,
      facts,
    );
  const { ip } = await lab.runningPod(team);
  if (endpoints.includes(ip)) return pass(detail, facts);
  const why = endpoints.length === 0 ? "the pod is not ready or lacks the label" : "another pod carries the label";
  return fail(
    detail,
    `the Service selects app=${name}, and ${why}: \`kubectl -n ${namespace} get pods --show-labels\``,
    facts,
  );
}
