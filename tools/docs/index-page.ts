import { stringify } from "yaml";
import type { Collector } from "../../components/logging/collectors/collector.ts";
import { KEPT_PATTERNS } from "../../components/logging/data-stream-names.ts";
import { DATE_NOTATION, indexName } from "../../components/logging/index-format.ts";
import { logPipeline } from "../../components/logging/pipeline.ts";
import { LoggingSettings } from "../../components/logging/settings.ts";
import { collectors } from "../../lab/collectors.ts";

/** File that tells how indices are called. */
export const INDEX_FILE = "docs/log-index.md";

const CONTEXT = { cluster: "dev", region: undefined };
const EXAMPLE = { prefix: "lab", separator: "_", datePattern: "yyyy-MM", splitBy: "team" } as const;
/** A moment that shows which part is which. */
const MOMENT = new Date("2026-12-30T23:30:00Z");

/** Formats that people ask for, with what they give. */
const FORMATS: readonly object[] = [
  {},
  { datePattern: "yyyy.MM" },
  { datePattern: "xxxx.ww" },
  { datePattern: "yyyy.MM.dd-HH" },
  { splitBy: "team" },
  { splitBy: "namespace", prefix: "k8s" },
  { splitBy: "app", separator: "_" },
  { timeZone: "Europe/Madrid" },
];

/** The page on the names of indices. */
export function indexPage(): string {
  const rows = FORMATS.map((format) => {
    const { index } = LoggingSettings.parse({ index: format });
    const settings = stringify(format, { collectionStyle: "flow" }).trim();
    return `| \`${settings}\` | \`${indexName(index, MOMENT, { team: "ts", namespace: "ts-team", app: "curl" })}\` |`;
  });
  return `# The index: what logs are filed under

In OpenSearch and Elasticsearch a line goes to an index, and the name of the index is made from the line's own time. The name is one
setting, the same for every collector:

\`\`\`yaml
eks-dns-logging:logging:
  index:
    prefix: logs
    separator: "-"
    datePattern: yyyy.MM.dd
    timeZone: UTC
    splitBy: none
\`\`\`

These are the defaults. The name is \`PREFIX SEPARATOR DATE\`, and \`PREFIX SEPARATOR VALUE SEPARATOR DATE\` where \`splitBy\` is \`team\`,
\`namespace\` or \`app\` (the label \`app.kubernetes.io/name\`, else \`app\`). The date is made of these parts, with \`.\`, \`-\` or \`_\` between
them: ${DATE_NOTATION}.

What the index of a line is called that pod curl-ts wrote on 30 December 2026 at 23:30 UTC:

| index | name |
|---|---|
${rows.join("\n")}

\`npm run plan\` prints what today's indices are called.

## What a name may be

OpenSearch and Elasticsearch refuse upper case, \`\\ / * ? " < > |\`, blanks, commas, \`#\` and \`:\`, a name that starts with \`-\`, \`_\` or
\`+\`, and more than 255 bytes. A prefix that would lead there is an error in the settings. A value that comes from a line is made safe:
lower case, \`-\` for every other character than letters, digits, \`.\`, \`_\` and \`-\`, cut to 63 characters; \`none\` where a line has no
such value. Two values that differ in these alone share an index.

Elasticsearch keeps names like ${KEPT_PATTERNS.split(", ")
    .map((pattern) => `\`${pattern}\``)
    .join(", ")}
for itself: it comes with index templates for them, most of data streams, where no index of the name can be. With
\`destination: { kind: elasticsearch }\` a format that may lead there is an error in the settings, such as
\`{ splitBy: team }\` with the prefix \`logs\`: take another prefix, such as \`pods\`, or the separator \`_\`. OpenSearch keeps none of
them.

## Changing the format

1. Change the setting, and look at \`npm run plan\`: it says what today's indices will be called.
2. \`pulumi up\` (\`npm run lab -- up\` on a laptop) rolls the collectors, one node at a time. What waits in their buffers has
   its old name from Fluentd, Logagent and the OpenTelemetry Collector, which name a line when they read it, and the new one from
   Fluent Bit and Filebeat, which name it when they send it; Vector sends the old date under the new prefix. A new \`splitBy\` of
   \`team\` or \`app\` Fluent Bit does not find in lines that wait: they go to \`logs--2026.12.30\`, with nothing where the value would
   be, which \`logs-*\` finds too, or keep the value of the old split; with \`app\` they have no id, and a chunk that is sent again is
   there twice. So change it while nothing waits.
3. The old indices stay as they are. Search both by a pattern such as \`logs-*\` or an alias, or copy the old ones by \`_reindex\`.

Nothing is lost, since a collector goes on where it stopped. A line has an id, made from what it holds, but an id is unique in one index
only: what was sent and not yet answered when the collector stops is sent again, under the new name. That is nothing while the
destination answers at once. Where OpenSearch stood still for 24 seconds around the change, 530 of 13,180 lines were in both indices.
So change the format while the destination is well.

Fields keep their types through an index template. The OpenSearch that \`inCluster: true\` brings has one for every name that a format
can give, so that a change of format leaves it running, with its logs; and Filebeat gives Elasticsearch one as it connects. Everywhere
else it must be put there by hand, before the first line: \`npm run plan -- --manifests FOLDER\` writes it to
\`FOLDER/by-hand/index-template.json\`.

    curl -X PUT -H 'Content-Type: application/json' --data-binary @FOLDER/by-hand/index-template.json https://HOST:9200/_index_template/eks-dns-logging

Its priority is the length of its pattern, so that a longer prefix wins over a shorter one and both may stay, under two names.

## Each collector

The lines of its configuration that the format decides, with \`${stringify(EXAMPLE, { collectionStyle: "flow" }).trim()}\`:

${collectors().map(section).join("\n")}
This page is generated by \`npm run docs\`.
`;
}

function section(collector: Collector): string {
  const kind = (["opensearch", "elasticsearch"] as const).find((name) => collector.destinations[name] === true);
  const title = `### ${collector.title}\n`;
  if (kind === undefined) return `${title}\nIt sends to no destination that has indices.\n`;
  const blocks = Object.entries(decided(collector, kind)).map(
    ([file, lines]) => `\`${file}\`:\n\n\`\`\`\n${lines}\n\`\`\`\n`,
  );
  return `${title}\n${blocks.join("\n")}`;
}

/** Of each file the lines that another format changes. */
function decided(collector: Collector, kind: "opensearch" | "elasticsearch"): Record<string, string> {
  const render = (index: object) => {
    const settings = LoggingSettings.parse({
      collector: collector.id,
      destination: { kind, host: "search.example.com" },
      index,
    });
    return collector.render(logPipeline(settings, CONTEXT)).files;
  };
  const plain = render({});
  return Object.fromEntries(
    Object.entries(render(EXAMPLE)).flatMap(([file, text]) => {
      const before = new Set((plain[file] ?? "").split("\n"));
      const lines = text.split("\n").filter((line) => line !== "" && !before.has(line));
      return lines.length === 0 ? [] : [[file, lines.join("\n")]];
    }),
  );
}
