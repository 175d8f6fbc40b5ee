import { teamNamespace } from "../../components/kubernetes/labels.ts";
import { curlPodName, curlServiceName } from "../../components/team/curl-pod-spec.ts";
import { COREFILE, type Drill, type Fault, inPod, type Scene } from "./drill.ts";
import { fieldOf, withField } from "./object-store.ts";

const lookup = ({ from, to }: Scene) => inPod(from, `curl -sS -m 8 http://${curlServiceName(to)}`);

/** Changes the text of the Corefile. @param change Undefined where the text has nothing to change. */
function corefile(change: (text: string) => string | undefined): Fault {
  return {
    kind: "change",
    ref: COREFILE,
    change: (object) => {
      const text = fieldOf(object, ["data", "Corefile"]);
      const changed = typeof text === "string" ? change(text) : undefined;
      return changed === undefined || changed === text ? undefined : withField(object, ["data", "Corefile"], changed);
    },
  };
}

/** Puts lines at the start of the block that answers for every name. */
function intoBlock(lines: string) {
  return (text: string) => text.replace(/^\.(:53)?\s*\{[^\S\n]*\n/m, (head) => `${head}${lines}`);
}

const DNS = { part: "dns", restarts: { namespace: "kube-system", selector: "k8s-app=kube-dns" } } as const;

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
    hints: () => [
      "An answer comes, and it is NXDOMAIN: CoreDNS runs. For which names does it ask the API server?",
      "`kubectl -n kube-system get configmap coredns -o yaml` shows the Corefile. Which plugin knows Services?",
      "The zone of the plugin kubernetes must be the one of the pods' search list.",
    ],
    rows: ({ from, to }) => [`dns:${from}:${to}:full`, `dns:${from}:${to}:svc`],
    faults: () => [corefile((text) => text.replace(/\bkubernetes\s+cluster\.local\b/, "kubernetes cluster.internal"))],
    cause: () => "The zone of the plugin kubernetes is cluster.internal, while pods ask for names in cluster.local.",
    repair: () => "Write `kubernetes cluster.local in-addr.arpa ip6.arpa` into the Corefile.",
  },
  {
    ...DNS,
    name: "wrong-place",
    level: 2,
    minutes: 10,
    symptom: ({ from, to }) => `Team ${from}: "The name of ${to}'s Service resolves, and nothing answers there."`,
    shownBy: lookup,
    hints: ({ to }) => [
      `Compare the address that the name has with \`kubectl -n ${teamNamespace(to)} get service ${curlPodName(to)}\`.`,
      "The Service is as it was. Who else may answer for its name, before the plugin kubernetes is asked?",
      "CoreDNS runs its plugins in a fixed order: hosts comes before kubernetes.",
    ],
    rows: ({ from, to }) => [`dns:${from}:${to}:full`],
    faults: ({ to }) => [
      corefile(intoBlock(`    hosts {\n      192.0.2.10 ${curlServiceName(to)}\n      fallthrough\n    }\n`)),
    ],
    cause: ({ to }) => `A block hosts in the Corefile gives ${curlServiceName(to)} the address 192.0.2.10.`,
    repair: () => "Remove the block hosts from the Corefile.",
  },
  {
    ...DNS,
    name: "dns-gone",
    level: 1,
    minutes: 5,
    symptom: () => 'Everybody: "No name resolves."',
    shownBy: lookup,
    hints: () => [
      "Who answers DNS in this cluster, and does it run?",
      "`kubectl -n kube-system logs -l k8s-app=kube-dns` shows the last words of CoreDNS.",
      "The message names a line of the Corefile, and a word that no plugin has.",
    ],
    rows: () => ["coredns"],
    faults: () => [corefile(intoBlock("    cahce 30\n"))],
    cause: () =>
      "The Corefile names a plugin that does not exist (cahce). A running CoreDNS keeps its old Corefile and says so in its log only; once its pods restart, none of them starts.",
    repair: () => "Remove the line `cahce 30` from the Corefile, and delete CoreDNS's pods.",
    alert: "CoreDnsCrashLooping",
  },
];
