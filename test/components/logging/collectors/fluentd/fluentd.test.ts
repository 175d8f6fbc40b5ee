import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { z } from "zod";
import { imageFor } from "../../../../../components/logging/collectors/collector.ts";
import { quoted } from "../../../../../components/logging/collectors/fluentd/directives.ts";
import { fluentd } from "../../../../../components/logging/collectors/fluentd/index.ts";
import { notation } from "../../../../../components/logging/indexing/index-format.ts";
import { anyFormat } from "../../arbitraries.ts";
import { DESTINATIONS, type Parsed, parseConfiguration, pipelineOf, render } from "./rendered.ts";

const Names = z.array(z.string());
const ByType = z.record(z.string(), Names);
/** Every option of the plugins that are rendered, as the plugins themselves declare them, at the versions of the images. */
const documented = z
  .strictObject({
    source: ByType,
    filter: ByType,
    match: ByType,
    parse: ByType,
    format: ByType,
    buffer: ByType,
    system: Names,
  })
  .parse(JSON.parse(readFileSync(new URL("./options.json", import.meta.url), "utf8")));
/** Those that Fluentd itself takes of any plugin. */
const ANY = ["@type", "@id", "@label"];

/** Options that nobody declares, as `match opensearch: hosst`. */
function unknownOptions(section: Parsed, above = "", program = ""): string[] {
  const { name, options, sections } = section;
  if (name === "label") return sections.flatMap((inner) => unknownOptions(inner, "", program));
  const type = options["@type"] ?? "";
  const byType: Readonly<Record<string, readonly string[]>> =
    name === "auth" ? {} : name === "system" ? { "": documented.system } : (documented[kindOf(name)] ?? {});
  const own = [...program.matchAll(/config_param :(\w+)/g)].flatMap(([, found]) => found ?? []);
  // A buffer has options of its kind, and those that every output declares of it.
  const outer = (documented.match[above] ?? []).flatMap((option) =>
    option.startsWith(`${name}.`) ? [option.slice(name.length + 1)] : [],
  );
  // The source and the buffer are Fluentd's own with a change; the filters are all this program's.
  const changed = type === "pod_files" ? byType.tail : type === "pod_file" ? byType.file : [];
  const declared = /^pod_/.test(type) ? [...(changed ?? []), ...own] : byType[type];
  const known = [...ANY, ...(declared ?? []), ...outer];
  return [
    ...Object.keys(options).flatMap((option) => (known.includes(option) ? [] : [`${name} ${type}: ${option}`])),
    ...sections.flatMap((inner) => unknownOptions(inner, type, program)),
  ];
}

function kindOf(name: string) {
  return z.enum(["source", "filter", "match", "parse", "format", "buffer"]).parse(name);
}

describe("Fluentd's configuration", () => {
  for (const source of [undefined, "application"] as const) {
    for (const destination of DESTINATIONS) {
      it(`has no option that no plugin declares: ${source ?? "node"}, ${JSON.stringify(destination)}`, () => {
        const settings = { destination, labels: { app: "web" }, namespaces: { include: ["a"] } };
        const { sections, files } = render(settings, source);
        const program = Object.values(files).join("");
        assert.deepEqual(
          sections.flatMap((section) => unknownOptions(section, "", program)),
          [],
        );
      });
    }
  }

  it("is rejected by this test with an option that no plugin declares", () => {
    const [typo] = parseConfiguration("<source>\n  @type tail\n  read_from_haed true\n</source>");
    assert.ok(typo);
    assert.deepEqual(unknownOptions(typo), ["source tail: read_from_haed"]);
  });

  it("preserves any text in quotes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii" }), (text) => {
        const [section] = parseConfiguration(`<source>\n  path ${quoted(text)}\n</source>`);
        assert.deepEqual(section?.options, { path: text });
      }),
    );
  });

  it("reads the pods' files from their beginning by inode, rotated ones too, and never its own", () => {
    const { tail, args } = render({ namespaces: { exclude: ["kube-system"] } });
    assert.equal(tail?.options.path, "/var/log/pods/*/*/*.log,/var/log/pods/*/*/*.log.*");
    assert.deepEqual(z.array(z.string()).parse(JSON.parse(tail?.options.exclude_path ?? "")), [
      "/var/log/pods/kube-system_*/*/*",
      "/var/log/pods/logging_*/*/*",
      "/var/log/pods/*/*/*.gz",
      "/var/log/pods/*/*/*.tmp",
    ]);
    assert.equal(tail?.options.read_from_head, "true");
    assert.equal(tail?.options.follow_inodes, "true");
    assert.equal(tail?.options["@type"], "pod_files");
    // A limit has it wait for the end of a rotated file and not for a time; a small one lets it see all files in turn.
    assert.equal(tail?.options.rotate_wait, "0");
    assert.equal(tail?.options.read_bytes_limit_per_second, "1m");
    assert.equal(tail?.options.refresh_interval, "1");
    assert.equal(tail?.options.skip_refresh_on_startup, "true");
    assert.deepEqual(args, [
      "--no-supervisor",
      "--config",
      "/fluentd/config/fluent.conf",
      "--plugin",
      "/fluentd/config",
    ]);
    const { tail: some } = render({ namespaces: { include: ["b", "a"] } });
    assert.deepEqual(some?.options.path?.split(","), [
      "/var/log/pods/a_*/*/*.log",
      "/var/log/pods/a_*/*/*.log.*",
      "/var/log/pods/b_*/*/*.log",
      "/var/log/pods/b_*/*/*.log.*",
    ]);
  });

  it("joins the parts of a line, and then the lines of a trace, and journals what it holds", () => {
    const [lines] = render({ multiline: ["java"] }).joins;
    assert.deepEqual(lines?.options, {
      "@type": "pod_lines",
      label: "@RECORDS",
      journal: "/var/lib/fluentd/held",
      continuation:
        "/^([ \\t]+[^ \\t]|--- End of |Caused by: |Error has been observed at |Original Stack Trace:|Wrapped by: )/",
    });
    assert.deepEqual(
      render({ multiline: [] }).joins.map(({ options }) => options.continuation),
      [undefined],
    );
    assert.deepEqual(render({ multiline: [] }, "application").joins, []);
    assert.equal(render({}, "application").joins.length, 1);
  });

  it("knows which chunks of its buffer are text, to truncate partial records", () => {
    const text = (destination: object) => render({ destination }).buffer?.options.of_text;
    assert.deepEqual(
      [{ kind: "stdout" }, { kind: "file" }, { kind: "s3" }, { kind: "http", url: "https://logs.example.com" }].map(
        text,
      ),
      ["true", "true", "true", "true"],
    );
    assert.deepEqual(
      [{ kind: "opensearch", host: "h" }, { kind: "elasticsearch", host: "h" }, { kind: "cloudwatch" }].map(text),
      ["false", "false", "false"],
    );
  });

  it("names the output after the destination, as its metrics do", () => {
    for (const destination of DESTINATIONS)
      assert.equal(render({ destination }).output?.options["@id"], destination.kind);
  });

  it("excludes its own events, which would cause a loop", () => {
    assert.deepEqual(
      render()
        .sections.filter(({ name }) => name === "match")
        .map(({ of }) => of),
      ["kubernetes.**"],
    );
  });

  it("queries the API for one pod after another", () => {
    assert.deepEqual(fluentd.apiRules, [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }]);
    assert.deepEqual(Object.keys(render().files), [
      "fluent.conf",
      "in_pod_files.rb",
      "file_identity.rb",
      "buf_pod_file.rb",
      "filter_pod_record.rb",
      "pod_lookup.rb",
      "filter_pod_lines.rb",
      "line_journal.rb",
      "line_limits.rb",
      "line_rules.rb",
    ]);
  });

  it("builds the record according to the settings", () => {
    const { record } = render({ labels: { app: "web" }, metadata: { labels: false, annotations: true } });
    assert.deepEqual(record, {
      "@type": "pod_record",
      node: "#{ENV['NODE_NAME']}",
      opt_out: "fluentbit.io/exclude",
      labels: "false",
      annotations: "true",
      parse_json: "true",
      required_labels: '{"app":"web"}',
    });
    const { record: own } = render({ mode: "sidecar", parseJson: false }, "application");
    assert.equal(own.parse_json, "false");
    assert.equal(own.fields_bytes, undefined);
    const toOpenSearch = render({ destination: { kind: "opensearch", host: "h" } }).record;
    assert.equal(toOpenSearch.fields_bytes, "32000");
    assert.deepEqual(JSON.parse(own.application ?? ""), {
      kubernetes: {
        namespace_name: "ts-team",
        pod_name: "curl-ts",
        container_name: "responder",
        labels: { "app_kubernetes_io/name": "curl-ts" },
      },
      team: "ts",
    });
  });

  it("names the index with every part of any format", () => {
    fc.assert(
      fc.property(anyFormat, (index) => {
        const { record, output, buffer } = render({ destination: { kind: "opensearch", host: "h" }, index });
        assert.equal(record.index_prefix, index.prefix);
        assert.equal(record.index_separator, index.separator);
        assert.equal(record.index_date, notation(index.datePattern, "strftime"));
        assert.equal(record.index_zone, index.timeZone);
        assert.equal(record.index_split, index.splitBy);
        assert.equal(output?.options.target_index_key, "_index");
        assert.equal(buffer?.of, "_index");
      }),
    );
    const index = { prefix: "pods", splitBy: "app" };
    const { record } = render({ destination: { kind: "opensearch", host: "h" }, index }, "application");
    assert.deepEqual([record.index_prefix, record.index_split], ["pods-curl-ts", "none"]);
  });

  it("runs the image with the plugin", () => {
    const image = (kind: "stdout" | "http" | "opensearch" | "elasticsearch" | "cloudwatch" | "s3") =>
      imageFor(fluentd, { kind }).replace(/^.*v[0-9.]+-debian-(\w+)-[0-9.]+$/, "$1");
    assert.deepEqual(
      [image("stdout"), image("http"), image("opensearch"), image("elasticsearch"), image("cloudwatch"), image("s3")],
      ["opensearch", "opensearch", "opensearch", "elasticsearch8", "cloudwatch", "s3"],
    );
  });

  it("reports what it does not support", () => {
    assert.deepEqual(fluentd.unsupported(pipelineOf({})), []);
    const url = "https://logs.example.com/a%2Fb";
    assert.deepEqual(
      fluentd.unsupported(pipelineOf({ buffer: { size: "127Mi" }, destination: { kind: "http", url } })),
      [
        { path: ["buffer", "size"], message: "must be at least 128Mi with Fluentd", value: "127Mi" },
        {
          path: ["destination", "url"],
          message: "must be a URL without '%' and '${' with Fluentd, which reads them as a date or a field",
          value: url,
        },
      ],
    );
  });
});
