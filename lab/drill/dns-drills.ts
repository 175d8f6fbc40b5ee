import { CLUSTER_DOMAIN } from "eks-dns-logging-corefile";
import { answersOutside } from "../../components/dns/node-local-rendering.ts";
import { teamNamespace } from "../../components/kubernetes/labels.ts";
import { curlPodName, curlServiceName } from "../../components/team/curl-pod-spec.ts";
import { type KubernetesJson, withField } from "../kubernetes/object-store.ts";
import { type Lab, statedDomain } from "../verify/lab.ts";
import { type Check, fail, type Outcome, pass } from "../verify/result.ts";
import { curlFrom } from "../verify/sessions.ts";
import {
  answerFor,
  changePods,
  corefile,
  type Drill,
  forwardTo,
  hostsEntry,
  inPod,
  intoBlock,
  rootZone,
  type Scene,
  workload,
} from "./drill.ts";

const domainOf = ({ settings }: Scene) => statedDomain(settings) ?? CLUSTER_DOMAIN;
const serviceOf = (scene: Scene) => curlServiceName(scene.to, domainOf(scene));
const lookup = (scene: Scene) => inPod(scene.from, `curl -sS -m 8 http://${serviceOf(scene)}`);

const outside = ({ settings, from }: Scene) =>
  inPod(from, `curl -sS -m 8 -o /dev/null -w '%{time_namelookup}' http://${settings.monitoring.canary.outsideName}`);

/** A kubectl command about CoreDNS's pods. */
function kubectl({ coreDns: { namespace, selector } }: Scene, verb: string, rest = ""): string {
  return `kubectl -n ${namespace} ${verb} -l ${selector}${rest}`;
}

/** A port at which CoreDNS does not answer. */
function otherPort(port: number): number {
  return port === 1053 ? 1054 : 1053;
}

/** Answers every name after two seconds. @see https://coredns.io/plugins/erratic/ */
function slowBlock(port: number): string {
  return `.:${port} {\n    erratic {\n      drop 0\n      truncate 0\n      delay 1 2s\n    }\n}\n`;
}

/** Why outside names do not depend on CoreDNS; undefined if they do. */
function outsideUnfit({ settings: { dns } }: Scene): string | undefined {
  const bypasses = dns?.nodeLocalCache !== undefined && !answersOutside(dns);
  return bypasses ? "the node caches ask the nodes' resolvers for outside names, not CoreDNS" : undefined;
}

/** Too little memory for CoreDNS to start. Measured: 8Mi is too little, 12Mi enough for an idle one. */
const TOO_LITTLE = "8Mi";

/** Limits CoreDNS's memory. A rolling update would keep the old pods, because the new one never becomes ready. */
function starved(deployment: KubernetesJson): KubernetesJson | undefined {
  const limited = changePods(deployment, (container) => {
    const requests = withField(container, ["resources", "requests", "memory"], TOO_LITTLE);
    return withField(requests, ["resources", "limits", "memory"], TOO_LITTLE);
  });
  return limited && withField(limited, ["spec", "strategy"], { type: "Recreate" });
}

const DNS = { part: "dns", restarts: ({ coreDns }: Scene) => podsOf(coreDns) } as const;

function podsOf({ namespace, selector }: Scene["coreDns"]) {
  return { namespace, selector };
}

/** Faults of the Corefile. */
export const DNS_DRILLS: readonly Drill[] = [
  {
    ...DNS,
    name: "no-such-host",
    level: 1,
    minutes: 5,
    symptom: ({ from }) =>
      `Team ${from}: "None of our Services can be found by name any more. By address they answer."`,
    shownBy: lookup,
    hints: ({ coreDns }) => [
      "An answer comes, and it is NXDOMAIN: CoreDNS runs. For which names does it ask the API server?",
      `\`kubectl -n ${coreDns.namespace} get configmap ${coreDns.configMap} -o yaml\` shows the Corefile. Which plugin knows Services?`,
      "The zone of the plugin kubernetes must be the one of the pods' search list.",
    ],
    rows: ({ from, to }) => [`dns:${from}:${to}:full`, `dns:${from}:${to}:svc`],
    faults: (scene) => [corefile(scene, answerFor("cluster.internal", domainOf(scene)))],
    cause: (scene) =>
      `The zone of the plugin kubernetes is cluster.internal, while pods ask for names in ${domainOf(scene)}.`,
    repair: (scene) => `Write \`kubernetes ${domainOf(scene)} in-addr.arpa ip6.arpa\` into the Corefile.`,
  },
  {
    ...DNS,
    name: "wrong-place",
    level: 2,
    minutes: 10,
    symptom: ({ from, to }) => `Team ${from}: "The name of ${to}'s Service resolves, but nothing answers there."`,
    shownBy: lookup,
    hints: ({ to }) => [
      `Compare the address that the name has with \`kubectl -n ${teamNamespace(to)} get service ${curlPodName(to)}\`.`,
      "The Service is as it was. Who else may answer for its name, before the plugin kubernetes is asked?",
      "CoreDNS runs its plugins in a fixed order: hosts comes before kubernetes.",
    ],
    rows: ({ from, to }) => [`dns:${from}:${to}:full`],
    faults: (scene) => [corefile(scene, hostsEntry("192.0.2.10", serviceOf(scene)))],
    cause: (scene) => `A block hosts in the Corefile gives ${serviceOf(scene)} the address 192.0.2.10.`,
    repair: () => "Remove that line from the block hosts in the Corefile.",
  },
  {
    ...DNS,
    name: "dns-gone",
    level: 1,
    minutes: 5,
    symptom: () => 'Everybody: "No name resolves."',
    shownBy: lookup,
    hints: (scene) => [
      "Who answers DNS in this cluster, and does it run?",
      `\`${kubectl(scene, "logs")}\` shows what CoreDNS logged last.`,
      "The message names a line of the Corefile, and a word that no plugin has.",
    ],
    rows: () => ["coredns"],
    faults: (scene) => [corefile(scene, intoBlock("    cahce 30\n"))],
    cause: () =>
      "The Corefile names a plugin that does not exist (cahce). A running CoreDNS keeps its old Corefile and says so in its log only; once its pods restart, none of them starts.",
    repair: () => "Remove the line `cahce 30` from the Corefile, and delete CoreDNS's pods.",
    alert: "CoreDnsCrashLooping",
  },
  {
    ...DNS,
    name: "dns-restarts",
    level: 2,
    minutes: 10,
    symptom: () => 'Everybody: "No name resolves." The pods of CoreDNS restart again and again.',
    shownBy: (scene) => kubectl(scene, "get pods"),
    hints: (scene) => [
      "A container that exits at once has logged why.",
      `\`${kubectl(scene, "logs", " --previous --ignore-errors")}\` names a plugin that stops CoreDNS on purpose.`,
      "Where do queries go that CoreDNS cannot answer, and who asks there?",
    ],
    rows: ({ from, to }) => ["coredns", `dns:${from}:${to}:full`],
    faults: (scene) => [
      corefile(scene, (text, port = scene.coreDns.port) =>
        /^\s*loop\s*$/m.test(text) ? forwardTo(`127.0.0.1${port === 53 ? "" : `:${port}`}`)(text, port) : undefined,
      ),
    ],
    cause: () =>
      "The plugin forward sends to 127.0.0.1, which is CoreDNS itself. The plugin loop notices its own query and ends the program.",
    repair: () => "Forward to a resolver outside the cluster, or to /etc/resolv.conf, and delete CoreDNS's pods.",
    alert: "CoreDnsCrashLooping",
  },
  {
    name: "dns-ends-silently",
    part: "dns",
    level: 2,
    minutes: 10,
    symptom: () => 'Everybody: "No name resolves." CoreDNS ends again and again, and its log has no error.',
    shownBy: (scene) => kubectl(scene, "get pods"),
    hints: (scene) => [
      "A program that does not say why it ends was killed by another one.",
      `\`${kubectl(scene, "describe pods")}\` has the reason under Last State.`,
      "Compare the memory limit with what CoreDNS needs: 54 MB, and 1 MB for each 1,000 pods and Services.",
    ],
    rows: () => ["coredns", "restarts:coredns"],
    faults: ({ coreDns: { namespace, deployment } }) => [
      { kind: "change", ref: workload("deployments", namespace, deployment), change: starved },
    ],
    history: ({ coreDns }) => ({ apiVersion: "apps/v1", plural: "replicasets", ...podsOf(coreDns) }),
    cause: () =>
      `The memory limit of CoreDNS is ${TOO_LITTLE}. The kernel kills the container (OOMKilled, exit code 137) before it can write a line.`,
    repair: ({ coreDns: { namespace, deployment } }) =>
      `\`kubectl -n ${namespace} set resources deployment ${deployment} --limits=memory=170Mi --requests=memory=70Mi\``,
    alert: "CoreDnsDown",
  },
  {
    ...DNS,
    name: "names-time-out",
    level: 2,
    minutes: 10,
    symptom: () => 'Everybody: "Look-ups time out." CoreDNS is up, ready, and logs nothing.',
    shownBy: lookup,
    hints: ({ coreDns }) => [
      "CoreDNS runs but gets no query. Follow one: the pod's resolv.conf, the Service, the pod of CoreDNS.",
      `\`kubectl -n ${coreDns.namespace} get service ${coreDns.service}\` shows the port. Does CoreDNS listen there?`,
      "The head of a block in the Corefile is a zone and a port.",
    ],
    rows: ({ from, to }) => ["coredns", `dns:${from}:${to}:full`],
    faults: (scene) => [
      corefile(scene, (text, port = scene.coreDns.port) =>
        text.replace(new RegExp(`^${rootZone(port)}(?=\\s*\\{)`, "m"), `.:${otherPort(port)}`),
      ),
    ],
    cause: ({ coreDns: { service, port } }) =>
      `The block for all names listens on port ${otherPort(port)}, and the Service ${service} leads to port ${port}.`,
    repair: ({ coreDns: { port } }) => `Write \`.:${port} {\` as the head of the block.`,
    alert: "CanaryLookupFailing",
  },
  {
    ...DNS,
    name: "one-team-unknown",
    level: 3,
    minutes: 15,
    symptom: ({ to }) => `Everybody: "Names in ${teamNamespace(to)} do not exist. All others do."`,
    shownBy: lookup,
    hints: ({ to }) => [
      `\`kubectl -n ${teamNamespace(to)} get services\` shows that they exist. So the answer is made elsewhere.`,
      "Plugins of CoreDNS answer in a fixed order, whatever the order in the Corefile.",
      "Which plugin in the Corefile answers without asking an upstream?",
    ],
    rows: ({ from, to }) => [`dns:${from}:${to}:full`, `dns:${from}:${from}:full`],
    faults: (scene) => [
      corefile(
        scene,
        intoBlock(
          `    template IN ANY ${teamNamespace(scene.to)}.svc.${domainOf(scene)} {\n      rcode NXDOMAIN\n    }\n`,
        ),
      ),
    ],
    cause: (scene) =>
      `A block template in the Corefile answers NXDOMAIN for ${teamNamespace(scene.to)}.svc.${domainOf(scene)}.`,
    repair: () => "Remove the block template from the Corefile.",
  },
  {
    ...DNS,
    name: "outside-fails",
    level: 1,
    minutes: 5,
    symptom: () => 'Everybody: "Names outside the cluster do not resolve. Our Services do."',
    shownBy: outside,
    unfit: outsideUnfit,
    hints: (scene) => [
      "Which plugin answers for names that are not the cluster's?",
      `\`${kubectl(scene, "logs")}\` names the address that does not answer.`,
      "Look at forward in the Corefile.",
    ],
    rows: ({ from, to }) => [`dns:${from}:${to}:full`],
    checks: ({ settings, from }) => [outsideCheck(from, settings.monitoring.canary.outsideName)],
    faults: (scene) => [corefile(scene, forwardTo("192.0.2.53"))],
    cause: () => "The plugin forward sends to 192.0.2.53, where no resolver answers.",
    repair: () => "Forward to the resolver that was there, such as /etc/resolv.conf.",
    alert: "CoreDnsAllUpstreamsDown",
  },
  {
    ...DNS,
    name: "outside-slow",
    level: 2,
    minutes: 10,
    symptom: () => 'Everybody: "Each first call to a service outside takes two seconds longer."',
    shownBy: outside,
    unfit: outsideUnfit,
    hints: () => [
      "Compare `npm run lab -- dns bench` for the cluster's names and for those outside.",
      "The time is lost behind CoreDNS. Whom does it ask?",
      "forward sends to a port of CoreDNS itself. What is in that block?",
    ],
    rows: ({ from, to }) => [`dns:${from}:${to}:full`],
    checks: ({ settings, from }) => [outsideCheck(from, settings.monitoring.canary.outsideName)],
    faults: (scene) => [
      corefile(scene, (text, port = scene.coreDns.port) => {
        const slow = otherPort(port);
        const changed = forwardTo(`127.0.0.1:${slow}`)(text, port);
        return changed === undefined || changed === text ? undefined : `${changed.trimEnd()}\n${slowBlock(slow)}`;
      }),
    ],
    cause: () =>
      "forward sends to a block that delays each answer by two seconds (plugin erratic), as a slow resolver would.",
    repair: ({ coreDns: { port } }) =>
      `Forward to the resolver that was there, and remove the block \`.:${otherPort(port)}\`.`,
    alert: "CoreDnsUpstreamSlow",
  },
];

/** Users notice slower lookups. */
const SLOW_MS = 1000;

/**
 * A name outside the cluster resolves quickly. Verify has no such row, because a lab may have no internet access; a drill is refused if the
 * row fails beforehand.
 */
function outsideCheck(team: string, name: string): Check {
  return {
    id: `outside:${team}`,
    group: "dns",
    what: "look up a name outside the cluster",
    from: curlPodName(team),
    to: name,
    run: (lab) => lookUp(lab, team, name),
  };
}

async function lookUp(lab: Lab, team: string, name: string): Promise<Outcome> {
  const pod = await lab.runningPod(team);
  // The trailing dot skips the search list, which would add three queries.
  const result = await curlFrom(lab, pod, `http://${name}./`);
  const facts = { name, addresses: result.addresses, lookupMs: result.lookupMs };
  if (result.addresses.length === 0)
    return fail(
      result.message || "no address",
      "CoreDNS's upstream does not answer, or the cluster has no internet access",
      facts,
    );
  const detail = `${result.addresses[0]} in ${result.lookupMs} ms`;
  return result.lookupMs < SLOW_MS ? pass(detail, facts) : fail(detail, "CoreDNS's upstream is slow", facts);
}
