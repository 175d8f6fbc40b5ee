import type { Field } from "../../core/resource.ts";
import {
  count,
  flag,
  fluentBit,
  type Report,
  type Rule,
  renamed,
  type Settings,
  type StackRule,
} from "../../core/rule.ts";
import type { Stack } from "../../core/stack.ts";
import { firstHostOf, plainSendings, type Sink, sinksOf, unverifiedBy } from "../../readers/collector-sinks.ts";
import {
  CONFIGURATION_TYPES,
  collectorsOf,
  type RunningConfig,
  readsOwnLogs,
} from "../../readers/collectors-in-stack.ts";
import { hostOf, isInside, isOn, nodesOf, plainSending, type Section } from "../../readers/fluent-bit-config.ts";
import {
  isHostProcess,
  knownNamespaceOf,
  mountsOf,
  nameOf,
  namespaceOf,
  onNode,
  podSpecOf,
} from "../../readers/workload.ts";

type Check = (running: RunningConfig, report: Report, settings: Settings) => void;

/** A rule on each running Fluent Bit configuration. */
function fluentBitRule(facts: Omit<StackRule, "checkStack" | "family" | "types">, check: Check): StackRule {
  return {
    ...facts,
    family: "collectors",
    types: CONFIGURATION_TYPES,
    checkStack: (stack: Stack, report, settings) =>
      report.each(collectorsOf(stack, report).running, (running) => check(running, report, settings)),
  };
}

/** Outputs without a remote server. */
const NEVER_AWAY = ["null", "counter", "flowcounter", "prometheus_exporter"];

const MIN_RETRIES = renamed("leastRetries", count("minRetries", "Minimum number of retries", 10, 1));
const FILE_INPUTS = ["tail", "systemd"];

const PLAIN_INSIDE = flag("plainInside", "Allow plain HTTP to Services of the cluster", true);
const NAMES = { index: indexIssue, logstash_prefix: indexIssue };
/** Options for the part of a dated name after the prefix. */
const DATED_PARTS = { logstash_prefix_separator: indexPartIssue, logstash_dateformat: indexPartIssue };

/** Delivery of logs: none is lost, intercepted, or rejected by its destination. */
export const COLLECTORS_DELIVERY: readonly Rule[] = [
  fluentBitRule(
    {
      id: "collectors-buffer-on-disk",
      level: "mandatory",
      title: "Fluent Bit keeps its buffer and positions on the node's disk",
      reason: "Otherwise both are lost with the pod, and lines with them.",
      fix: "set storage.type filesystem and DB on the input, and storage.path on the service, under a hostPath mount",
      source: fluentBit("Buffering and storage", "administration/buffering-and-storage"),
    },
    ({ workload, isOnNode, service, inputs, outputs }, report) => {
      // A sidecar only has the pod's own volumes.
      if (!isOnNode) return;
      const pod = podSpecOf(workload);
      const mounts = pod === undefined ? [] : mountsOf(pod);
      const isHostsOwn = pod !== undefined && isHostProcess(pod);
      const onDisk = (section: Section, option: string) => {
        const path = section.get(option);
        if (path === undefined)
          report.wrongIn(section.file, `${section.name} has no ${option}`, "so its state is lost with the pod");
        else if (!isHostsOwn && onNode(path, mounts) === undefined)
          report.wrongIn(section.file, `${option} of ${section.name} is ${path}`, "which is lost with the pod");
      };
      const reading = inputs.filter(({ name }) => FILE_INPUTS.includes(name));
      report.each(reading, (input) => {
        const type = input.get("storage.type");
        if (type?.toLowerCase() !== "filesystem")
          report.wrongIn(
            input.file,
            `storage.type of ${input.name} is ${type ?? "not set"}`,
            "so waiting lines are only in memory",
          );
        onDisk(input, "db");
      });
      if (inputs.length > 0) report.part(() => onDisk(service, "storage.path"));
      const endless = outputs.filter(
        (output) => !NEVER_AWAY.includes(output.name) && output.written("storage.total_limit_size") === undefined,
      );
      if (endless.length === 0 || stopsWhenFull(inputs)) return;
      for (const output of endless) {
        report.wrongIn(
          output.file,
          `${output.name} has no storage.total_limit_size`,
          "so an outage fills the node's disk",
          "set storage.total_limit_size on the output, or storage.pause_on_chunks_overlimit on each input",
        );
      }
    },
  ),
  fluentBitRule(
    {
      id: "collectors-retries",
      level: "mandatory",
      title: "Fluent Bit retries until logs are delivered",
      reason: "By default a chunk is dropped after one retry.",
      fix: "set Retry_Limit no_limits on the output",
      source: fluentBit("Scheduling and retries", "administration/scheduling-and-retries"),
      options: [MIN_RETRIES],
    },
    ({ outputs }, report, settings) =>
      report.each(outputs, (output) => {
        if (NEVER_AWAY.includes(output.name)) return;
        const limit = (output.get("retry_limit") ?? "not set").toLowerCase();
        const unlimited = ["no_limits", "false", "off"].includes(limit);
        if (!unlimited && !(Number(limit) >= settings.get(MIN_RETRIES)))
          report.wrongIn(output.file, `Retry_Limit of ${output.name} is ${limit}`, "so an outage loses logs");
      }),
  ),
  fluentBitRule(
    {
      id: "collectors-grace",
      level: "mandatory",
      title: "Fluent Bit's Grace is shorter than the pod's termination grace period",
      reason: "Otherwise Kubernetes kills it during a flush.",
      fix: "set Grace below the pod's terminationGracePeriodSeconds",
      source: fluentBit("Service section, grace", "administration/configuring-fluent-bit/yaml/service-section"),
    },
    ({ workload, service, inputs }, report) => {
      const period = podSpecOf(workload)?.at("terminationGracePeriodSeconds");
      const seconds = period?.number() ?? 30;
      const grace = Number(service.get("grace") ?? 5);
      if (inputs.length > 0 && !(grace < seconds))
        report.wrongIn(
          service.file,
          `Grace is ${service.get("grace") ?? "not set (5)"}`,
          `and the pod of ${workload.label} gets ${seconds} s`,
        );
    },
  ),
  fluentBitRule(
    {
      id: "collectors-own-logs",
      level: "mandatory",
      title: "Fluent Bit excludes its own logs",
      reason: "Otherwise each failure to send is logged, read, and fails again.",
      fix: "exclude its own files with Exclude_Path on the input, such as /var/log/containers/fluent-bit-*.log",
      source: fluentBit("Tail, Exclude_Path", "data-pipeline/inputs/tail"),
    },
    ({ workload, isOnNode, inputs }, report) => {
      if (!isOnNode) return;
      report.each(
        inputs.filter(({ name }) => name === "tail"),
        (input) => {
          if (readsOwnLogs(input, workload))
            report.wrongIn(
              input.file,
              `Exclude_Path of ${input.name} is ${input.written("exclude_path") ?? "not set"}`,
              `so it reads the logs of ${namespaceOf(workload)}/${nameOf(workload)}`,
            );
        },
      );
    },
  ),
  {
    id: "collectors-tls",
    family: "collectors",
    level: "mandatory",
    title: "Logs leave the cluster over TLS with verification",
    reason: "Logs contain user data.",
    fix: "set tls on and tls.verify on for the output",
    source: fluentBit("Transport security", "administration/transport-security"),
    options: [PLAIN_INSIDE],
    types: [...CONFIGURATION_TYPES, "kubernetes:opentelemetry.io/*"],
    checkStack: (stack, report, settings) => {
      const namespaces = new Set(stack.resources.flatMap(knownNamespaceOf));
      const isAllowed = (host: string) => settings.get(PLAIN_INSIDE) && isInside(host, namespaces);
      report.each(collectorsOf(stack, report).running, ({ outputs, nodes }) =>
        report.each([...outputs, ...nodesOf(outputs, nodes)], (output) => checkOutput(output, report, isAllowed)),
      );
      report.each(collectorsOf(stack, report).otherConfigs, (file) =>
        report.each(sinksOf(file), (sink) => checkSink(sink, file, report, isAllowed)),
      );
    },
  },
  fluentBitRule(
    {
      id: "collectors-index-names",
      level: "mandatory",
      title: "Index names are valid in OpenSearch and Elasticsearch",
      reason: "If the server rejects a name, its lines are lost.",
      fix: "use lower-case letters, digits, - and _, starting with a letter or digit, at most 255 bytes",
      source: {
        id: "OpenSearch: index naming restrictions",
        url: "https://docs.opensearch.org/latest/api-reference/index-apis/create-index/",
      },
    },
    ({ outputs }, report) =>
      report.each(
        outputs.filter(({ name }) => ["es", "opensearch"].includes(name)),
        (output) => {
          const parts = output.isOn("logstash_format") ? DATED_PARTS : {};
          for (const [option, issueOf] of Object.entries({ ...NAMES, ...parts })) {
            const written = output.written(option);
            const issue = written === undefined ? undefined : issueOf(written);
            if (issue !== undefined) report.wrongIn(output.file, `${option} of ${output.name} is ${written}`, issue);
          }
        },
      ),
  ),
];

/** Whether each input with a disk buffer stops reading while it is full; lines then wait in the node's files. */
function stopsWhenFull(inputs: readonly Section[]): boolean {
  const buffered = inputs.filter((input) => input.get("storage.type")?.toLowerCase() === "filesystem");
  return buffered.length > 0 && buffered.every((input) => input.isOn("storage.pause_on_chunks_overlimit"));
}

type IsAllowed = (host: string) => boolean;

function checkOutput(output: Section, report: Report, isAllowed: IsAllowed): void {
  const plain = plainSending(output);
  if (plain !== undefined && !isAllowed(plain.host))
    report.wrongIn(output.file, plain.part, `so logs travel to ${plain.host} in the clear`, plain.fix);
  if (plain !== undefined) return;
  // AWS outputs verify too, unless this is off.
  const verify = output.get("tls.verify") ?? output.get("tls_verify");
  if (verify !== undefined && !isOn(verify))
    report.wrongIn(
      output.file,
      `tls.verify of ${output.name} is ${verify}`,
      `so anybody can impersonate ${hostOf(output)}`,
    );
}

function checkSink(sink: Sink, file: Field, report: Report, isAllowed: IsAllowed): void {
  const unverified = unverifiedBy(sink);
  if (unverified !== undefined)
    report.wrongIn(file, unverified, `so anybody can impersonate ${firstHostOf(sink)}`, "let it verify certificates");
  for (const { part, host } of plainSendings(sink))
    if (!isAllowed(host))
      report.wrongIn(
        file,
        part,
        `so its lines travel to ${host} in the clear`,
        "use https:// or the sink's TLS options",
      );
}

/** The values of Fluent Bit's placeholders are unknown here, and the longest date has ten letters. */
const PLACEHOLDER = /\$\{[^}]*\}|\$[\w.]+(\[[^\]]*\])*/g;
/** A date directive, with glibc's flags and widths. */
const DIRECTIVE = /%[-_0^#]*\d*[EO]?[a-zA-Z+%]/g;
/**
 * Directives that only produce digits, lower-case letters, `-` and `.` in every locale and at every time. Others produce spaces
 * (`%e`, `%k`), capitals (`%b`, `%Z`), slashes (`%D`) or colons (`%T`), or are unknown to strftime.
 * @see https://man7.org/linux/man-pages/man3/strftime.3.html
 */
const LEGAL_DIRECTIVE = /^%[-0]?[YyCGgmdHIMSjUVWuwsF]$/;

/**
 * Why OpenSearch and Elasticsearch would reject an index name or its beginning; undefined if they accept it.
 * @see https://docs.opensearch.org/latest/api-reference/index-apis/create-index/
 */
export function indexIssue(name: string): string | undefined {
  const fixed = name.replace(PLACEHOLDER, "").replace(DIRECTIVE, "");
  if (/[A-Z]/.test(fixed)) return "which has upper-case letters";
  if (/^[-_+]/.test(fixed) && !/^[$%]/.test(name)) return `which begins with ${fixed[0]}`;
  const forbidden = /[\\/*?"<>| ,#:]/.exec(fixed)?.[0];
  if (forbidden !== undefined) return `which has ${JSON.stringify(forbidden)} in it`;
  if (name === "." || name === "..") return "which means a folder";
  if (Buffer.byteLength(fixed) > 255) return "which is longer than 255 bytes";
  const directive = name.match(DIRECTIVE)?.find((candidate) => !LEGAL_DIRECTIVE.test(candidate));
  return directive === undefined
    ? undefined
    : `whose ${directive} may produce spaces, capitals or characters that no index name may have`;
}

/** The same for the rest of a name, such as its date, which may begin with any allowed character. */
function indexPartIssue(part: string): string | undefined {
  return indexIssue(`a${part}`);
}
