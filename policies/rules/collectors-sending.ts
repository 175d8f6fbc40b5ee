import type { Rule } from "../core/rule.ts";
import { flag } from "../core/rule-options.ts";
import type { Section } from "../fluent-bit/parser.ts";
import { fluentBitRule } from "./collectors-delivery.ts";
import { fluentBit } from "./rule-sources.ts";

const PLAIN_INSIDE = flag(
  "plainInside",
  "Allow plain HTTP to Services in the cluster, whose names end in .svc or .svc.cluster.local",
  true,
);
/** Outputs over the network that use TLS only where told so. See FLB_IO_OPT_TLS in the plugins' sources. */
const PLAIN_BY_DEFAULT = [
  "es",
  "opensearch",
  "http",
  "loki",
  "forward",
  "splunk",
  "gelf",
  "influxdb",
  "kafka-rest",
  "opentelemetry",
  "syslog",
  "tcp",
  "datadog",
  "prometheus_remote_write",
  "skywalking",
  "websocket",
];
const NAMES = { index: indexIssue, logstash_prefix: indexIssue };
/** What follows the prefix in a name with a date. */
const DATED_PARTS = { logstash_prefix_separator: indexPartIssue, logstash_dateformat: indexPartIssue };

/** What keeps logs from going where others read them, or nobody takes them. */
export const COLLECTORS_SENDING: readonly Rule[] = [
  fluentBitRule(
    {
      id: "collectors-tls",
      level: "mandatory",
      title: "Logs leave the cluster over TLS with verification",
      reason: "Logs contain user data.",
      fix: "set tls on and tls.verify on for the output",
      source: fluentBit("Transport security", "administration/transport-security"),
      options: [PLAIN_INSIDE],
    },
    ({ outputs }, report, settings) =>
      report.each(outputs, (output) => {
        // Those of AWS verify too, and may be told not to.
        const verify = output.get("tls.verify");
        if (verify !== undefined && !output.isOn("tls.verify"))
          report.wrongIn(
            output.file,
            `tls.verify of ${output.name} is ${verify}`,
            `so anybody may stand for ${hostOf(output)}`,
          );
        if (!PLAIN_BY_DEFAULT.includes(output.name) || output.isOn("tls")) return;
        if (!(isInside(output) && settings.get(PLAIN_INSIDE)))
          report.wrongIn(
            output.file,
            `tls of ${output.name} is ${output.get("tls") ?? "not set"}`,
            `so logs travel to ${hostOf(output)} in the clear`,
          );
      }),
  ),
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

function hostOf(output: Section): string {
  return output.get("host") ?? (output.name === "datadog" ? "datadoghq.com" : "127.0.0.1");
}

function isInside(output: Section): boolean {
  const host = hostOf(output);
  return /\.svc(\.cluster\.local)?\.?$/.test(host) || ["127.0.0.1", "localhost", "::1"].includes(host);
}

/** What a placeholder of Fluent Bit stands for is not known here, and the longest date is ten letters. */
const PLACEHOLDER = /\$\{[^}]*\}|\$[\w.]+(\[[^\]]*\])*/g;
/** A date's directive, with the flags and widths that glibc takes. */
const DIRECTIVE = /%[-_0^#]*\d*[EO]?[a-zA-Z+%]/g;
/**
 * The directives that give nothing but digits, lower-case letters, `-` and `.` in every locale and at every time. Others give
 * spaces (`%e`, `%k`), capitals (`%b`, `%Z`), slashes (`%D`) or colons (`%T`), or are unknown to strftime.
 * @see https://man7.org/linux/man-pages/man3/strftime.3.html
 */
const LEGAL_DIRECTIVE = /^%[-0]?[YyCGgmdHIMSjUVWuwsF]$/;

/**
 * Why OpenSearch and Elasticsearch would refuse an index name or the beginning of one; undefined where they accept it.
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
  const directive = name.match(DIRECTIVE)?.find((one) => !LEGAL_DIRECTIVE.test(one));
  return directive === undefined
    ? undefined
    : `whose ${directive} may give spaces, capitals or signs that no index name may have`;
}

/** The same for the rest of a name, such as its date: that may begin with any of its letters. */
function indexPartIssue(part: string): string | undefined {
  return indexIssue(`a${part}`);
}
