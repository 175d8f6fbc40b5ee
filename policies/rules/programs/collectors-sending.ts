import type { Field } from "../../core/resource.ts";
import { flag, type Report, type Rule } from "../../core/rule.ts";
import { type Sink, sinksOf } from "../../readers/collector-sinks.ts";
import { fluentBitConfigs, otherConfigs } from "../../readers/collectors-in-stack.ts";
import type { Section } from "../../readers/fluent-bit-parser.ts";
import { hostOf, isInside, isOn, nodesOf, plainWay } from "../../readers/fluent-bit-transport.ts";
import { hostsOf, plainSendings, unverifiedBy } from "../../readers/sink-transport.ts";
import { knownNamespaceOf } from "../../readers/workload.ts";
import { fluentBit } from "../rule-sources.ts";
import { fluentBitRule, READS } from "./collectors-delivery.ts";

const PLAIN_INSIDE = flag("plainInside", "Allow plain HTTP to Services of the cluster", true);
const NAMES = { index: indexIssue, logstash_prefix: indexIssue };
/** Options for the part of a dated name after the prefix. */
const DATED_PARTS = { logstash_prefix_separator: indexPartIssue, logstash_dateformat: indexPartIssue };

/** Protection of logs from interception, and from rejection by their destination. */
export const COLLECTORS_SENDING: readonly Rule[] = [
  {
    id: "collectors-tls",
    family: "collectors",
    level: "mandatory",
    title: "Logs leave the cluster over TLS with verification",
    reason: "Logs contain user data.",
    fix: "set tls on and tls.verify on for the output",
    source: fluentBit("Transport security", "administration/transport-security"),
    options: [PLAIN_INSIDE],
    types: [...READS, "kubernetes:opentelemetry.io/*"],
    checkStack: (stack, report, settings) => {
      const namespaces = new Set(stack.resources.flatMap(knownNamespaceOf));
      const isAllowed = (host: string) => settings.get(PLAIN_INSIDE) && isInside(host, namespaces);
      report.each(fluentBitConfigs(stack, report), ({ outputs, nodes }) =>
        report.each([...outputs, ...nodesOf(outputs, nodes)], (output) => checkOutput(output, report, isAllowed)),
      );
      report.each(otherConfigs(stack, report), (file) =>
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

type IsAllowed = (host: string) => boolean;

function checkOutput(output: Section, report: Report, isAllowed: IsAllowed): void {
  const plain = plainWay(output);
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
    report.wrongIn(file, unverified, `so anybody can impersonate ${hostsOf(sink)}`, "let it verify certificates");
  for (const { part, host } of plainSendings(sink))
    if (!isAllowed(host))
      report.wrongIn(
        file,
        part,
        `so what it sends travels to ${host} in the clear`,
        "use https:// or the sink's options of TLS",
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
  const directive = name.match(DIRECTIVE)?.find((one) => !LEGAL_DIRECTIVE.test(one));
  return directive === undefined
    ? undefined
    : `whose ${directive} may produce spaces, capitals or characters that no index name may have`;
}

/** The same for the rest of a name, such as its date, which may begin with any allowed character. */
function indexPartIssue(part: string): string | undefined {
  return indexIssue(`a${part}`);
}
