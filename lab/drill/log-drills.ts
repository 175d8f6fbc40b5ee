import { CLUSTER_DOMAIN } from "eks-dns-logging-corefile";
import { containerSecurity, NGINX_USER } from "../../components/kubernetes/container.ts";
import { teamNamespace } from "../../components/kubernetes/labels.ts";
import { tlsOf } from "../../components/logging/destinations/destination-secrets.ts";
import type { Destination } from "../../components/logging/destinations/destination-settings.ts";
import { OPT_OUT_ANNOTATION, searchHost } from "../../components/logging/pipeline.ts";
import { curlPodName } from "../../components/team/curl-pod-spec.ts";
import { withField } from "../kubernetes/object-store.ts";
import { statedDomain } from "../verify/lab.ts";
import {
  configuration,
  type Drill,
  type Fault,
  inPod,
  LOGS,
  logging,
  loggingNamespace,
  onCollector,
  type Scene,
  teamObject,
} from "./drill.ts";

const write = (team: string) => inPod(team, "sh -c 'echo hello > /proc/1/fd/1'");

/** What drills share that need a destination reached over the network. */
const SENDS = {
  ...LOGS,
  unfit: (scene: Scene) =>
    LOGS.unfit(scene) ??
    (portOf(destinationOf(scene)) !== undefined
      ? undefined
      : "it needs a destination that the collector reaches over HTTP and verify can search"),
} as const;

const destinationOf = ({ settings }: Scene): Destination | undefined => settings.logging?.destination;

/** Port of the HTTP destination. */
function portOf(destination: Destination | undefined): number | undefined {
  if (destination?.kind === "opensearch" || destination?.kind === "elasticsearch") return searchHost(destination).port;
  return destination?.kind === "loki" ? Number(new URL(destination.url).port || 80) : undefined;
}

/** Gives all outputs a tag that matches nothing, including the outputs of single teams. */
const toNoTag = (text: string) =>
  text.replace(/^ +outputs:\n[\s\S]*/m, (outputs) =>
    outputs.replaceAll(/^(\s+match(?:_regex)?: \W*)kube\b/gm, "$1pods"),
  );

const toReceiver = (host: string) => (text: string) => text.replace(/^(\s+host:) \S+$/m, `$1 ${host}`);
const NAME = "log-gateway";
/** Container port, independent of the Service's; above 1024, so it needs no privileges. */
const BUSY_PORT = 8080;

/** Faults of log collection. */
export const LOG_DRILLS: readonly Drill[] = [
  {
    ...LOGS,
    name: "no-lines",
    level: 1,
    minutes: 10,
    symptom: ({ from }) => `Team ${from}: "No line of ours has arrived since this morning." The others say the same.`,
    shownBy: ({ from }) => write(from),
    hints: (scene) => [
      "The collector runs and prints no error. It may have nothing to do.",
      `Which files does it read? \`${onCollector(scene, "get configmap fluent-bit -o yaml")}\`, under inputs.`,
      "The kubelet writes each container's lines to /var/log/pods/NAMESPACE_POD_UID/CONTAINER/0.log.",
    ],
    rows: ({ from }) => [`logs:${from}`, `collector:${from}`],
    faults: (scene) => [
      configuration(scene, (text) => text.replaceAll(/^(\s+path:) \/var\/log\/pods\/.*$/gm, "$1 /var/log/pods/*.log")),
    ],
    cause: () => "The input's path is /var/log/pods/*.log, which no file matches: pods have a folder each.",
    repair: () => "Write the path as `npm run plan -- --stack local --manifests DIR` renders it, and delete the pods.",
    alert: "CollectorSilent",
  },
  {
    ...LOGS,
    name: "one-team-silent",
    level: 2,
    minutes: 10,
    symptom: ({ from, to }) => `Team ${to}: "Our lines do not arrive." Team ${from} sees its own.`,
    shownBy: ({ to }) => write(to),
    hints: (scene) => [
      "The collector works for one team and not for the other. How does it tell them apart?",
      `\`${onCollector(scene, "get configmap fluent-bit -o yaml")}\` has paths that it reads, and paths that it skips.`,
      "Look at exclude_path.",
    ],
    rows: ({ from, to }) => [`collector:${from}`, `collector:${to}`],
    faults: (scene) => [
      configuration(scene, (text) =>
        text.replaceAll(/^(\s+exclude_path: )/gm, `$1/var/log/pods/${teamNamespace(scene.to)}_*/*/*.log,`),
      ),
    ],
    cause: ({ to }) => `exclude_path of the input names the files of ${teamNamespace(to)}.`,
    repair: ({ to }) => `Remove ${teamNamespace(to)} from exclude_path, and delete the pods of fluent-bit.`,
  },
  {
    ...LOGS,
    name: "one-pod-silent",
    level: 3,
    minutes: 15,
    symptom: ({ to }) => `Team ${to}: "Lines of ${curlPodName(to)} do not arrive. Those of our other pods do."`,
    shownBy: ({ to }) => write(to),
    hints: ({ to }) => [
      "The configuration of the collector is as it was. What does it know of a pod besides its files?",
      "The filter kubernetes reads each pod's labels and annotations, and a pod may opt out.",
      `\`kubectl -n ${teamNamespace(to)} get pod ${curlPodName(to)} -o yaml\`, under annotations.`,
    ],
    rows: ({ to }) => [`collector:${to}`],
    faults: ({ to }) => [
      {
        kind: "change",
        ref: teamObject("pods", to),
        change: (pod) => withField(pod, ["metadata", "annotations", OPT_OUT_ANNOTATION], "true"),
      },
    ],
    cause: () => `The pod has the annotation ${OPT_OUT_ANNOTATION}: "true", by which it opts out of log collection.`,
    repair: ({ to }) =>
      `\`kubectl -n ${teamNamespace(to)} annotate pod ${curlPodName(to)} ${OPT_OUT_ANNOTATION}-\`, and delete the pods of fluent-bit.`,
  },
  {
    ...LOGS,
    name: "read-and-lost",
    level: 2,
    minutes: 10,
    symptom: () => 'Everybody: "The collector reads our lines: its own metrics say so. None arrives."',
    shownBy: ({ from }) => write(from),
    hints: () => [
      "The input works, but nothing reaches the output. What leads a record from one to the other?",
      "Each record has a tag, and each output matches tags.",
      "Compare tag under inputs with match under outputs in ConfigMap fluent-bit.",
    ],
    rows: ({ from }) => [`collector:${from}`],
    faults: (scene) => [configuration(scene, toNoTag)],
    cause: () => "The output matches tags that start with pods, and every record has one that starts with kube.",
    repair: () => "Write kube instead of pods into match under outputs, and delete the pods of fluent-bit.",
    alert: "CollectorSilent",
  },
  {
    ...LOGS,
    name: "collector-restarts",
    level: 1,
    minutes: 5,
    symptom: () => 'Everybody: "No line arrives." The pods of the collector restart again and again.',
    shownBy: (scene) => onCollector(scene, "get pods"),
    hints: (scene) => [
      "A container that exits at once has logged why.",
      `\`${onCollector(scene, "logs daemonset/fluent-bit --previous")}\``,
      "The message names a plugin that does not exist.",
    ],
    rows: ({ from }) => [`collector:${from}`],
    faults: (scene) => [configuration(scene, (text) => text.replace(/- name: tail\b/, "- name: tial"))],
    cause: () => "The input's plugin is called tial instead of tail, so that Fluent Bit does not start.",
    repair: () => "Write name: tail under inputs, and delete the pods of fluent-bit.",
    alert: "CollectorDown",
  },
  {
    ...SENDS,
    name: "lines-pile-up",
    level: 1,
    minutes: 10,
    symptom: () => 'Everybody: "No line arrives, and the buffers on the nodes grow."',
    shownBy: (scene) => onCollector(scene, "logs daemonset/fluent-bit --tail=20"),
    hints: () => [
      "The collector retries. What does the message name?",
      "Is the receiver there? Compare with the settings of the stack.",
      "Look at host under outputs in ConfigMap fluent-bit.",
    ],
    rows: ({ from }) => [`collector:${from}`],
    faults: (scene) => [configuration(scene, toReceiver("192.0.2.10"))],
    cause: () => "The output sends to 192.0.2.10, where nobody answers: connections time out and chunks are kept.",
    repair: () => "Write the receiver's host under outputs, and delete the pods of fluent-bit.",
    alert: "SendFailing",
  },
  {
    ...SENDS,
    unfit: (scene) => {
      const destination = destinationOf(scene);
      const hasPassword = destination !== undefined && "credentials" in destination && destination.credentials;
      return SENDS.unfit(scene) ?? (hasPassword ? undefined : "the destination has no user and password");
    },
    name: "lines-refused",
    level: 2,
    minutes: 10,
    symptom: () => 'Everybody: "No line arrives. The receiver runs, and others can write to it."',
    shownBy: (scene) => onCollector(scene, "logs daemonset/fluent-bit --tail=20"),
    hints: () => [
      "The receiver answers. Which status does the collector report?",
      "401 and 403 are about who asks.",
      "Compare user and password of the output with the Secret of the destination.",
    ],
    rows: ({ from }) => [`collector:${from}`],
    faults: (scene) => [configuration(scene, (text) => text.replace(/^(\s+http_passwd:) \S+$/m, "$1 changeme"))],
    cause: () => "The output has the password changeme in place of the variable from the Secret.",
    repair: () => "Write the variable back under http_passwd, and delete the pods of fluent-bit.",
    alert: "SendFailing",
  },
  {
    ...SENDS,
    unfit: (scene) => {
      const destination = destinationOf(scene);
      const isPlain = destination !== undefined && tlsOf(destination) === undefined;
      return SENDS.unfit(scene) ?? (isPlain ? undefined : "the destination is reached over TLS");
    },
    name: "receiver-busy",
    level: 2,
    minutes: 15,
    symptom: () => 'Everybody: "Lines do not arrive. The collector says that the receiver asks it to wait."',
    shownBy: (scene) => onCollector(scene, "logs daemonset/fluent-bit --tail=20"),
    hints: (scene) => [
      "Status 429 is an answer: too many requests. Who sends it?",
      "Compare the host under outputs with the settings of the stack.",
      `\`${onCollector(scene, "get pods,services")}\` shows who ${NAME} is.`,
    ],
    rows: ({ from }) => [`collector:${from}`],
    faults: (scene) => [
      ...busyReceiver(scene),
      configuration(
        scene,
        toReceiver(`${NAME}.${loggingNamespace(scene)}.svc.${statedDomain(scene.settings) ?? CLUSTER_DOMAIN}`),
      ),
    ],
    cause: () => `The output sends to the Service ${NAME}, whose pod answers every request with 429.`,
    repair: () => "Write the receiver's host under outputs, and delete the pods of fluent-bit.",
    alert: "SendFailing",
  },
  {
    ...SENDS,
    name: "wrong-index",
    level: 2,
    minutes: 10,
    unfit: (scene) => SENDS.unfit(scene) ?? (destinationOf(scene)?.kind === "loki" ? "Loki has no indices" : undefined),
    symptom: () => 'Everybody: "Nothing new in our indices since today. The collector reports no error."',
    shownBy: ({ from }) => write(from),
    hints: () => [
      "The receiver accepts what is sent, so it must be somewhere.",
      "List the store's indices, newest first.",
      "Compare logstash_prefix with logging.index of the stack.",
    ],
    rows: ({ from }) => [`collector:${from}`],
    faults: (scene) => [configuration(scene, toOtherIndex(scene.settings.logging?.index.prefix ?? ""))],
    cause: () => "logstash_prefix has the suffix -new: index names no longer have the format of the settings.",
    repair: () =>
      "Write logstash_prefix, and logstash_prefix_key where there is one, as logging.index says, and delete the pods of fluent-bit.",
  },
];

/** Changes the prefix of index names. With split indices, logstash_prefix_key has it too and takes precedence. */
function toOtherIndex(prefix: string) {
  return (text: string) =>
    text.replaceAll(
      /^(\s+logstash_prefix(?:_key)?: (?:\$TAG\[999\])?)(\S+)$/gm,
      (line, before: string, value: string) =>
        value.startsWith(prefix) ? `${before}${prefix}-new${value.slice(prefix.length)}` : line,
    );
}

/** A receiver that answers 429: the curl pods' responder image with another configuration. */
function busyReceiver(scene: Scene): Fault[] {
  const { curlPod } = scene.settings;
  const metadata = { name: NAME, namespace: loggingNamespace(scene), labels: { app: NAME } };
  const nginx = `pid /tmp/nginx.pid;
error_log /dev/stderr warn;
events {}
http {
  client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi; access_log off;
  server { listen ${BUSY_PORT}; location / { return 429; } }
}
`;
  const container = {
    name: "nginx",
    image: curlPod.responderImage,
    command: ["nginx", "-e", "/dev/stderr", "-c", "/etc/receiver/nginx.conf", "-g", "daemon off;"],
    resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "64Mi" } },
    securityContext: containerSecurity({ user: NGINX_USER }),
    volumeMounts: [
      { name: "tmp", mountPath: "/tmp" },
      { name: "configuration", mountPath: "/etc/receiver" },
    ],
  };
  const volumes = [
    { name: "tmp", emptyDir: {} },
    { name: "configuration", configMap: { name: NAME } },
  ];
  const spec = { automountServiceAccountToken: false, containers: [container], volumes };
  const ports = [{ name: "http", port: portOf(destinationOf(scene)), targetPort: BUSY_PORT }];
  const core = { apiVersion: "v1", metadata };
  return [
    {
      kind: "create",
      ref: logging(scene, "configmaps", NAME),
      object: { ...core, kind: "ConfigMap", data: { "nginx.conf": nginx } },
    },
    { kind: "create", ref: logging(scene, "pods", NAME), object: { ...core, kind: "Pod", spec } },
    {
      kind: "create",
      ref: logging(scene, "services", NAME),
      object: { ...core, kind: "Service", spec: { selector: { app: NAME }, ports } },
    },
  ];
}
