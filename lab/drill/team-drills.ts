import { teamNamespace } from "../../components/kubernetes/labels.ts";
import { curlPodName, RESPONDER_PORT } from "../../components/team/curl-pod-spec.ts";
import { type CoreDnsPlace, statedPlace } from "../kubernetes/core-dns-place.ts";
import { fieldOf, type KubernetesJson, withField } from "../kubernetes/object-store.ts";
import { type Drill, inPod, type Scene, teamObject, teamPolicy } from "./drill.ts";

const curl = ({ from, to }: Scene) => inPod(from, `curl -sS -m 6 http://${curlPodName(to)}.${teamNamespace(to)}`);
const full = ({ from, to }: Scene) => `curl:${from}:${to}:full`;

/** Changes an existing field. */
function setting(path: readonly string[], value: unknown) {
  return (object: KubernetesJson) =>
    fieldOf(object, path.slice(0, -1)) === undefined ? undefined : withField(object, path, value);
}

/** Changes fields of the Service's only port. */
function settingPort(changes: Readonly<Record<string, unknown>>) {
  return (service: KubernetesJson) => {
    const ports: unknown = fieldOf(service, ["spec", "ports"]);
    if (!Array.isArray(ports) || ports.length !== 1) return undefined;
    const [port]: readonly object[] = ports;
    return withField(service, ["spec", "ports"], [{ ...port, ...changes }]);
  };
}

/** Sets every container's memory limit. */
function settingMemory(max: string) {
  return (limitRange: KubernetesJson) => {
    const limits: unknown = fieldOf(limitRange, ["spec", "limits"]);
    if (!Array.isArray(limits) || limits.length === 0) return undefined;
    const memory = { default: { memory: max }, defaultRequest: { memory: max }, max: { memory: max } };
    return withField(limitRange, ["spec", "limits"], [{ ...memory, type: "Container" }]);
  };
}

/** Whether CoreDNS's pods are where the allow-dns policies expect them. */
function isUsual({ namespace, selector }: CoreDnsPlace): boolean {
  const usual = statedPlace(undefined);
  return namespace === usual.namespace && selector === usual.selector;
}

function otherThan(namespace: string): string {
  return `${namespace}-old`;
}

/** Replaces a string everywhere in a value; undefined if it does not occur. */
function replaceIn<T>(value: T, from: string, to: string): T | undefined {
  let found = false;
  const replaced = JSON.stringify(value, (_key, inner: unknown) => {
    if (inner !== from) return inner;
    found = true;
    return to;
  });
  return found ? JSON.parse(replaced) : undefined;
}

/** Faults of the teams' own objects. */
export const TEAM_DRILLS: readonly Drill[] = [
  {
    name: "no-answer",
    level: 1,
    minutes: 5,
    part: "teams",
    symptom: ({ from, to }) => `Team ${from}: "${to}'s application does not answer any more. The name still resolves."`,
    shownBy: curl,
    hints: ({ to }) => [
      "The name has an address, so DNS is not the cause. What does that address lead to?",
      `Compare \`kubectl -n ${teamNamespace(to)} get endpointslices\` with the pod's address.`,
      "Which pods does the Service select, and which labels does the pod have?",
    ],
    rows: (scene) => [`service:${scene.to}`, full(scene)],
    faults: ({ to }) => [
      {
        kind: "change",
        ref: teamObject("services", to),
        change: setting(["spec", "selector"], { app: `${curlPodName(to)}-v2` }),
      },
    ],
    cause: ({ to }) =>
      `The Service ${curlPodName(to)} selects app=${curlPodName(to)}-v2, a label that no pod has: it has no endpoints.`,
    repair: ({ to }) => `Set spec.selector of the Service to app: ${curlPodName(to)}.`,
  },
  {
    name: "no-answer-again",
    level: 2,
    minutes: 10,
    part: "teams",
    symptom: ({ from, to }) => `Team ${from}: "${to} does not answer. ${to} says that its pod runs and is ready."`,
    shownBy: curl,
    hints: ({ to }) => [
      "The pod is ready and the Service is as it was. Are they still connected?",
      `\`kubectl -n ${teamNamespace(to)} get pods --show-labels\` shows one side, \`describe service\` the other.`,
      "A Service finds its pods by label alone.",
    ],
    rows: (scene) => [`service:${scene.to}`, full(scene)],
    faults: ({ to }) => [
      {
        kind: "change",
        ref: teamObject("pods", to),
        change: setting(["metadata", "labels", "app"], `${curlPodName(to)}-debug`),
      },
    ],
    cause: ({ to }) =>
      `The label app of the pod ${curlPodName(to)} was changed to ${curlPodName(to)}-debug, so that its Service no longer selects it.`,
    repair: ({ to }) =>
      `\`kubectl -n ${teamNamespace(to)} label pod ${curlPodName(to)} app=${curlPodName(to)} --overwrite\``,
  },
  {
    name: "connection-refused",
    level: 1,
    minutes: 5,
    part: "teams",
    symptom: ({ from, to }) => `Team ${from}: "${to} refuses our connections since its last change."`,
    shownBy: curl,
    hints: ({ to }) => [
      "Refused is an answer: packets arrive where nothing listens.",
      `\`kubectl -n ${teamNamespace(to)} describe service ${curlPodName(to)}\` shows to which port of the pod it connects.`,
      "Compare targetPort with the port of the container responder.",
    ],
    rows: (scene) => [full(scene)],
    faults: ({ to }) => [
      { kind: "change", ref: teamObject("services", to), change: settingPort({ targetPort: 8081 }) },
    ],
    cause: () => `The Service's targetPort is 8081, and the container listens on ${RESPONDER_PORT}.`,
    repair: () => `Set spec.ports[0].targetPort of the Service to ${RESPONDER_PORT}.`,
  },
  {
    name: "one-team-lost-dns",
    level: 1,
    minutes: 5,
    part: "teams",
    symptom: ({ from }) => `Team ${from}: "We cannot resolve any name. The other teams can."`,
    shownBy: curl,
    hints: ({ from, coreDns }) => [
      "CoreDNS answers the others. What is between this team's pods and CoreDNS?",
      `\`kubectl -n ${teamNamespace(from)} get networkpolicies -o yaml\` shows what may leave the namespace.`,
      `Compare the labels in policy allow-dns with those of the pods in ${coreDns.namespace}, and of the namespace.`,
    ],
    unfit: ({ settings: { dns } }) =>
      dns?.nodeLocalCache === undefined
        ? undefined
        : "the caches on the nodes answer DNS, which the policies allow by their address",
    // The first row proves that the network enforces policies at all.
    rows: ({ from, to }) => [`deny:${from}:coredns`, `dns:${from}:${to}:full`],
    faults: ({ from, coreDns }) => [
      {
        kind: "change",
        ref: teamPolicy(from, "allow-dns"),
        change: (policy) =>
          isUsual(coreDns)
            ? replaceIn(policy, "kube-dns", "coredns")
            : replaceIn(policy, coreDns.namespace, otherThan(coreDns.namespace)),
      },
    ],
    cause: ({ coreDns }) =>
      isUsual(coreDns)
        ? "The NetworkPolicy allow-dns opens port 53 to pods with k8s-app=coredns; CoreDNS's pods have k8s-app=kube-dns everywhere."
        : `The NetworkPolicy allow-dns opens port 53 to pods in ${otherThan(coreDns.namespace)}; CoreDNS's pods are in ${coreDns.namespace}.`,
    repair: ({ coreDns }) =>
      isUsual(coreDns)
        ? "Write k8s-app: kube-dns into the policy allow-dns."
        : `Write kubernetes.io/metadata.name: ${coreDns.namespace} into the policy allow-dns.`,
  },
  {
    name: "peers-apart",
    level: 2,
    minutes: 10,
    part: "teams",
    symptom: ({ from, to }) => `Team ${from}: "${to} times out. We may talk to it, and our side was not changed."`,
    shownBy: curl,
    hints: ({ to }) => [
      "A time-out means that packets are dropped. A connection needs two permissions: to leave, and to enter.",
      `\`kubectl -n ${teamNamespace(to)} get networkpolicies -o yaml\` shows who may enter.`,
      "Look at the namespaces that allow-peers names under ingress.",
    ],
    rows: ({ from, to }) => [`deny:${from}:coredns`, `ping:${from}:${to}`],
    faults: ({ from, to }) => [
      {
        kind: "change",
        ref: teamPolicy(to, "allow-peers"),
        change: (policy) => {
          const ingress = replaceIn(fieldOf(policy, ["spec", "ingress"]), teamNamespace(from), `${from}-teams`);
          return ingress === undefined ? undefined : withField(policy, ["spec", "ingress"], ingress);
        },
      },
    ],
    cause: ({ from, to }) =>
      `Under ingress, the NetworkPolicy allow-peers in ${teamNamespace(to)} names the namespace ${from}-teams, which does not exist, instead of ${teamNamespace(from)}.`,
    repair: ({ from }) => `Write kubernetes.io/metadata.name: ${teamNamespace(from)} into ingress of allow-peers.`,
  },
  {
    name: "name-vanished",
    level: 1,
    minutes: 5,
    part: "teams",
    symptom: ({ from, to }) => `Team ${from}: "${to}'s name does not exist any more. All other names do."`,
    shownBy: curl,
    hints: ({ to }) => [
      "NXDOMAIN for one name: CoreDNS runs, and does not know it. Where does it learn names?",
      `\`kubectl -n ${teamNamespace(to)} get pods,services\``,
      "A name in svc.cluster.local is a Service.",
    ],
    rows: ({ from, to }) => [`service:${to}`, `dns:${from}:${to}:full`],
    faults: ({ to }) => [{ kind: "delete", ref: teamObject("services", to) }],
    cause: ({ to }) => `The Service ${curlPodName(to)} was deleted.`,
    repair: ({ to }) => `Create the Service again: port ${RESPONDER_PORT}, selector app: ${curlPodName(to)}.`,
  },
  {
    name: "port-moved",
    level: 1,
    minutes: 5,
    part: "teams",
    symptom: ({ from, to }) => `Team ${from}: "${to} cannot be connected to, though its endpoints are there."`,
    shownBy: curl,
    hints: ({ to }) => [
      "Name, address and endpoint are right. To which port do clients connect?",
      `\`kubectl -n ${teamNamespace(to)} get service ${curlPodName(to)}\` shows the port of the Service.`,
      "http:// without a port means 80.",
    ],
    rows: ({ to }) => [`service:${to}`],
    faults: ({ to }) => [{ kind: "change", ref: teamObject("services", to), change: settingPort({ port: 8080 }) }],
    cause: () => `The Service listens on port 8080 instead of ${RESPONDER_PORT}.`,
    repair: () => `Set spec.ports[0].port of the Service to ${RESPONDER_PORT}.`,
  },
  {
    name: "pod-does-not-return",
    level: 2,
    minutes: 10,
    part: "teams",
    symptom: ({ to }) => `Team ${to}: "We deleted our pod to restart it, and it cannot be created any more."`,
    shownBy: ({ to }) => `kubectl -n ${teamNamespace(to)} get pods`,
    hints: ({ to }) => [
      "`npm run lab -- up` tries to create the pod, and prints what the API server says.",
      "Something limits how much a namespace may hold.",
      `\`kubectl -n ${teamNamespace(to)} describe resourcequota team\` has used and hard side by side.`,
    ],
    rows: ({ to }) => [`pods:${to}`, `service:${to}`],
    faults: ({ to }) => [
      { kind: "change", ref: teamObject("resourcequotas", to, "team"), change: setting(["spec", "hard", "pods"], "0") },
      { kind: "delete", ref: teamObject("pods", to) },
    ],
    cause: () => "The ResourceQuota team allows 0 pods. It does not stop running pods, but no new one is admitted.",
    repair: () => "Raise spec.hard.pods of the ResourceQuota, then `npm run lab -- up`.",
  },
  {
    name: "pod-refused",
    level: 2,
    minutes: 10,
    part: "teams",
    symptom: ({ to }) => `Team ${to}: "Our pod is gone, and a new one is refused. The quota is far from full."`,
    shownBy: ({ to }) => `kubectl -n ${teamNamespace(to)} get pods`,
    hints: ({ to }) => [
      "`npm run lab -- up` tries to create the pod, and prints what the API server says.",
      "A quota limits a namespace. What limits a single container?",
      `\`kubectl -n ${teamNamespace(to)} describe limitrange team\``,
    ],
    rows: ({ to }) => [`pods:${to}`, `service:${to}`],
    faults: ({ to }) => [
      { kind: "change", ref: teamObject("limitranges", to, "team"), change: settingMemory("8Mi") },
      { kind: "delete", ref: teamObject("pods", to) },
    ],
    cause: () => "The LimitRange team allows a container 8Mi of memory, less than the pod's containers ask for.",
    repair: () => "Raise spec.limits[0].max.memory of the LimitRange, then `npm run lab -- up`.",
  },
  {
    name: "wrong-neighbor",
    level: 3,
    minutes: 15,
    part: "teams",
    symptom: ({ from, to }) =>
      `Team ${from}: "${curlPodName(to)} without a namespace resolves since today. It leads nowhere, and our clients use it."`,
    shownBy: ({ from, to }) => inPod(from, `curl -sS -m 6 http://${curlPodName(to)}`),
    hints: ({ from }) => [
      "A short name is looked up in the pod's own namespace first.",
      `\`kubectl -n ${teamNamespace(from)} exec ${curlPodName(from)} -- cat /etc/resolv.conf\` shows the search list.`,
      `\`kubectl -n ${teamNamespace(from)} get services\``,
    ],
    rows: ({ from, to }) => [`dns:${from}:${to}:short`],
    faults: ({ from, to }) => {
      const ref = teamObject("services", from, curlPodName(to));
      const metadata = { name: ref.name, namespace: ref.namespace };
      const spec = { ports: [{ port: RESPONDER_PORT }], selector: { app: ref.name } };
      return [{ kind: "create", ref, object: { apiVersion: "v1", kind: "Service", metadata, spec } }];
    },
    cause: ({ from, to }) =>
      `A Service ${curlPodName(to)} in ${teamNamespace(from)} takes the short name, and selects pods that are in another namespace.`,
    repair: ({ from, to }) => `\`kubectl -n ${teamNamespace(from)} delete service ${curlPodName(to)}\``,
  },
];
