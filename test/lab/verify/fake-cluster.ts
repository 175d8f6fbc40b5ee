import { type Cluster, ClusterError, type ExecResult, type PodFacts } from "../../../lab/kubernetes/cluster.ts";

const DNS_IP = "10.96.0.10";
const POD_IPS: Readonly<Record<string, string>> = { ts: "10.0.0.1", sa: "10.0.0.2", ops: "10.0.0.3" };
const SERVICE_IPS: Readonly<Record<string, string>> = { ts: "10.96.1.1", sa: "10.96.1.2", ops: "10.96.1.3" };

export function runningPod(team: string, changes: Partial<PodFacts> = {}): PodFacts {
  return {
    namespace: `${team}-team`,
    name: `curl-${team}`,
    phase: "Running",
    ready: true,
    ip: POD_IPS[team] ?? "",
    node: "node-1",
    reason: "",
    containers: ["responder", "curl"],
    labels: { app: `curl-${team}` },
    deleting: false,
    hostNetwork: false,
    dnsPolicy: "ClusterFirst",
    mounts: [],
    metricsPorts: [],
    restarts: 0,
    ended: undefined,
    ...changes,
  };
}

export function notFound(what: string): ClusterError {
  return new ClusterError("not-found", `${what} not found`);
}

/** A program's run in a pod, as the fake answers it. */
export type Execute = (command: readonly string[], pod: PodFacts) => ExecResult;

/** A cluster where all is well, with the answers that a test changes. */
export function fakeCluster(changes: Partial<Cluster> = {}, execute: Execute = healthy): Cluster {
  const logs = new Map<string, string>();
  return {
    server: "https://cluster.test:6443",
    context: "test",
    version: async () => "v1.36.3",
    kinds: async () => [],
    nodes: async () => [{ name: "node-1", ready: true, version: "v1.36.3", zone: "zone-a", osImage: "", runtime: "" }],
    pod: async (_namespace, name) => runningPod(name.replace("curl-", "")),
    pods: async (namespace) => [
      runningPod("dns", { namespace, name: "coredns-1", ip: "10.0.0.53", containers: ["coredns"] }),
    ],
    namespaceLabels: async (name) => ({
      team: name.replace(/-team$/, ""),
      "pod-security.kubernetes.io/enforce": "restricted",
    }),
    networkPolicies: async () => ["default-deny", "allow-dns", "allow-peers"],
    service: async (_namespace, name) =>
      name === "kube-dns"
        ? { clusterIP: DNS_IP, ports: [53] }
        : { clusterIP: SERVICE_IPS[name.replace("curl-", "")] ?? "", ports: [80] },
    dnsServices: async () => [],
    endpoints: async (_namespace, name) => [POD_IPS[name.replace("curl-", "")] ?? ""],
    configMap: async () => ({ Corefile: ".:53 {\n  errors\n  forward . /etc/resolv.conf\n}\n" }),
    secret: async () => ({}),
    exec: async (pod, _container, command) => {
      const one = (own: readonly string[]) => {
        const marker = /echo (\w+) > /.exec(own[2] ?? "")?.[1];
        if (marker !== undefined) logs.set(pod.name, `${logs.get(pod.name) ?? ""}${marker}\n`);
        return execute(own, pod);
      };
      return isSession(command) ? session(command[2] ?? "", one) : one(command);
    },
    logs: async (pod) => logs.get(pod.name) ?? "",
    createEvent: async () => undefined,
    proxyGet: async () => "ok",
    podGet: async () => "ok",
    ...changes,
  };
}

/** Whether a command is the script of a session, which runs several. */
export function isSession([program, , script = ""]: readonly string[]): boolean {
  return program === "sh" && script.startsWith("b0()");
}

/** The commands that a session's script runs. */
export function commandsIn(script: string): string[][] {
  const words = (text: string) =>
    [...text.matchAll(/'((?:[^']|'\\'')*)'/g)].map(([, word = ""]) => word.replaceAll(`'\\''`, "'"));
  const beginnings = [...script.matchAll(/^b\d+\(\) \{ (.*) "\$1"; \}$/gm)].map(([, text = ""]) => words(text));
  return [...script.matchAll(/\bj (\d+) b(\d+) ('(?:[^']|'\\'')*')/g)]
    .toSorted(([, one], [, other]) => Number(one) - Number(other))
    .map(([, , beginning, last = ""]) => [...(beginnings[Number(beginning)] ?? []), ...words(last)]);
}

/** A session, in which each command is answered as if it ran alone. */
function session(script: string, run: (command: readonly string[]) => ExecResult): ExecResult {
  const mark = "--- lab verify";
  const blocks = commandsIn(script)
    .map(run)
    .map(
      ({ exitCode, stdout, stderr }, index) =>
        `${mark}\n${index} ${stderr}\n${mark} ${exitCode}\n${stdout}x\n${mark} end\n`,
    );
  return ran(blocks.join(""));
}

/** What programs print in a lab where all is well. */
export function healthy(command: readonly string[], pod: PodFacts): ExecResult {
  const [program] = command;
  if (program === "ping") return ran(PING);
  if (program === "cat")
    return ran(`search ${pod.namespace}.svc.cluster.local svc.cluster.local\nnameserver ${DNS_IP}\noptions ndots:3\n`);
  if (program === "curl") return curl(command.at(-1) ?? "", pod);
  return ran("");
}

const PING = `5 packets transmitted, 5 received, 0% packet loss, time 810ms
rtt min/avg/max/mdev = 0.026/0.044/0.057/0.010 ms
`;

function curl(url: string, pod: PodFacts): ExecResult {
  const host = new URL(url).hostname;
  const own = pod.name.replace("curl-", "");
  const team = /curl-(\w+)/.exec(host)?.[1];
  if (team === undefined || (host === `curl-${team}` && team !== own))
    return failed(28, "Connection timed out after 3001 milliseconds");
  const address = host === `curl-${team}` ? pod.ip : (SERVICE_IPS[team] ?? "");
  return answered(address, `curl-${team} answers ${pod.ip} from ${POD_IPS[team]}`);
}

export function answered(address: string, body: string, status = 200): ExecResult {
  const stderr = `*   Trying ${address}:80...\n* Connected to it\n`;
  return { exitCode: 0, stdout: `${body}\n\n${status}\n0.000900\n0.001300\n0.003000\n${address}`, stderr };
}

export function failed(exitCode: number, message: string, address?: string, seconds = 3.001): ExecResult {
  const tried = address === undefined ? "" : `*   Trying ${address}:80...\n`;
  return {
    exitCode,
    stdout: `\n000\n0.000000\n0.000000\n${seconds}\n`,
    stderr: `${tried}curl: (${exitCode}) ${message}\n`,
  };
}

export function ran(stdout: string): ExecResult {
  return { exitCode: 0, stdout, stderr: "" };
}
