import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { vector } from "../../../../../components/logging/collectors/vector/index.ts";
import { NODE_VARIABLE, OPT_OUT_ANNOTATION } from "../../../../../components/logging/pipeline.ts";
import { DESTINATIONS } from "../pipelines.ts";
import { pipelineOf, render } from "./rendered.ts";

const Names = z.array(z.string());
const ByType = z.record(z.string(), Names);
/** Every option of the components that are rendered, from `vector generate-schema` of the version that is pinned. */
const documented = z
  .strictObject({ global: Names, sources: ByType, transforms: ByType, sinks: ByType })
  .parse(JSON.parse(readFileSync(new URL("./options.json", import.meta.url), "utf8")));

/** Paths of all options: `request.retry_attempts`. A list of objects is as its objects. */
function optionsOf(value: unknown, before = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => optionsOf(item, before));
  if (typeof value !== "object" || value === null) return [before];
  return Object.entries(value).flatMap(([key, inner]) => optionsOf(inner, before === "" ? key : `${before}.${key}`));
}

describe("Vector's configuration", () => {
  for (const source of [undefined, "application"] as const) {
    for (const destination of DESTINATIONS) {
      it(`has no option that Vector does not know: ${source ?? "node"}, ${JSON.stringify(destination)}`, () => {
        const settings = {
          destination,
          labels: { app: "web" },
          namespaces: { include: ["a"] },
          index: { splitBy: "app" },
        };
        const { configuration } = render(settings, source);
        for (const kind of ["sources", "transforms", "sinks"] as const) {
          for (const { ...component } of Object.values(configuration[kind])) {
            const known = documented[kind][component.type] ?? [];
            for (const option of optionsOf(component)) {
              const any = option.replace(/\.[^.]+$/, ".*");
              assert.ok(known.includes(option) || known.includes(any), `${kind} ${component.type}: ${option}`);
            }
          }
        }
        const { sources: _sources, transforms: _transforms, sinks: _sinks, ...rest } = configuration;
        for (const option of optionsOf(rest)) {
          const any = option.replace(/^secret\.[^.]+/, "secret.*");
          assert.ok(documented.global.includes(any), option);
        }
      });
    }
  }

  it("reads the pods' files from their beginning and sees a new one within a second", () => {
    const { logs, environment, args } = render();
    assert.equal(logs.type, "kubernetes_logs");
    assert.equal(logs.read_from, "beginning");
    assert.equal(logs.glob_minimum_cooldown_ms, 1000);
    assert.equal(logs.oldest_first, false);
    // Its own log quotes no line that it has read and not yet masked.
    const VECTOR_LOG = "info,vector::internal_events::kubernetes_logs=off,vector::internal_events::parser=off";
    assert.deepEqual(environment, { VECTOR_SELF_NODE_NAME: "$(NODE_NAME)", VECTOR_LOG });
    assert.deepEqual(args, [
      "--config",
      "/etc/vector/vector.yaml",
      "--graceful-shutdown-limit-secs",
      "5",
      "--chunk-size-events",
      "20",
    ]);
  });

  it("never reads its own namespace, and of the others only the configured ones", () => {
    assert.equal(render().logs.extra_field_selector, "metadata.namespace!=logging");
    const { logs } = render({
      namespaces: { include: ["ts-team", "sa-team"], exclude: ["kube-system"] },
      labels: { tier: "x", "app.kubernetes.io/name": "web" },
    });
    assert.equal(logs.extra_field_selector, "metadata.namespace!=kube-system,metadata.namespace!=logging");
    assert.deepEqual(logs.include_paths_glob_patterns, ["/var/log/pods/sa-team_*/*/*", "/var/log/pods/ts-team_*/*/*"]);
    assert.equal(logs.extra_label_selector, "app.kubernetes.io/name=web,tier=x");
  });

  it("excludes a pod by its annotation, even if annotations are not kept", () => {
    assert.ok(
      render().program.includes(
        'if includes(["true", "on", "yes"], downcase(string(.pod_annotations."fluentbit.io/exclude") ?? "")) { abort }',
      ),
    );
    const kept = (settings: object) => {
      const { keep_labels, keep_annotations } = render(settings).constants;
      return [keep_labels, keep_annotations];
    };
    assert.deepEqual(kept({}), [true, false]);
    assert.deepEqual(kept({ metadata: { labels: false, annotations: true } }), [false, true]);
  });

  it("uses the configured names of annotation and node variable in the program", () => {
    const { program } = render();
    assert.ok(program.includes(`.pod_annotations."${OPT_OUT_ANNOTATION}"`));
    assert.ok(program.includes(`get_env_var("${NODE_VARIABLE}")`));
  });

  it("requests only permissions for what it watches", () => {
    assert.deepEqual(vector.apiRules, [
      { apiGroups: [""], resources: ["nodes", "pods"], verbs: ["get", "list", "watch"] },
    ]);
    assert.equal(render().logs.insert_namespace_fields, false);
    assert.equal(render().logs.use_apiserver_cache, true);
  });

  it("joins the parts of a long line per file and stream, which the source would do per file only", () => {
    const { logs, parts } = render();
    assert.equal(logs.auto_partial_merge, false);
    assert.deepEqual([parts?.inputs, parts?.group_by], [["logs"], ["file", "stream"]]);
    assert.deepEqual(parts?.merge_strategies, { message: "concat_raw", "@timestamp": "discard" });
    const sidecar = render({ mode: "sidecar" }, "application");
    assert.deepEqual([sidecar.parts, sidecar.traces?.inputs], [undefined, ["logs"]]);
    assert.deepEqual(render({ mode: "sidecar", multiline: [] }, "application").records.inputs, ["logs"]);
  });

  it("bounds the memory of a line or trace without an end", () => {
    const { parts, traces } = render();
    assert.deepEqual([parts?.max_events, traces?.max_events], [1024, 1000]);
  });

  it("joins a trace's lines to the previous line, per file and stream", () => {
    const { traces, records } = render();
    assert.deepEqual([traces?.inputs, traces?.group_by], [["parts"], ["file", "stream"]]);
    assert.deepEqual(traces?.merge_strategies, { message: "concat_newline", "@timestamp": "discard" });
    assert.equal(traces?.expire_after_ms, 1000);
    assert.deepEqual(records.inputs, ["traces"]);
    const without = render({ multiline: [] });
    assert.equal(without.traces, undefined);
    assert.deepEqual(without.records.inputs, ["parts"]);
  });

  it("removes carriage returns at the end of lines, also within a trace", () => {
    assert.match(render().program, /^line = replace\(string\(\.message\) \?\? "", r'\(\?m\)\\r\$', ""\)$/m);
  });

  it("parses JSON lines unless disabled", () => {
    assert.match(render().program, /\.fields = parsed$/m);
    assert.doesNotMatch(render({ parseJson: false }).program, /fields|parse_json/);
    const limits = ({ max_fields_bytes, safe_names }: Readonly<Record<string, unknown>>) => [
      max_fields_bytes,
      safe_names,
    ];
    assert.deepEqual(limits(render({ destination: { kind: "stdout" } }).constants), [Number.MAX_SAFE_INTEGER, false]);
    // A dot in a name is a path for a search engine.
    const elasticsearch = render({ destination: { kind: "elasticsearch", host: "h" } });
    assert.deepEqual(limits(elasticsearch.constants), [Number.MAX_SAFE_INTEGER, true]);
    assert.deepEqual(limits(render({ destination: { kind: "opensearch", host: "h" } }).constants), [32_000, true]);
  });

  it("parses JSON to the depth that its buffer supports", () => {
    const [, pattern = "", depth] =
      /if match\(line, r'(.+)'\) \{ parse_json\(line, max_depth: (\d+)\) \}/.exec(render().program) ?? [];
    assert.equal(depth, "31");
    const isDeep = (levels: number) => new RegExp(pattern).test(`${'{"a": ['.repeat(levels / 2)}1`);
    assert.deepEqual([isDeep(30), isDeep(32), isDeep(200)], [false, true, true]);
  });

  it("as a sidecar reads the application's files, with acknowledgements, and knows its pod without the API", () => {
    const { logs, traces, program, constants, output, environment } = render(
      { mode: "sidecar", destination: { kind: "opensearch", host: "h" } },
      "application",
    );
    assert.equal(logs.type, "file");
    assert.deepEqual(logs.include, ["/var/log/app/*.log"]);
    assert.deepEqual(logs.fingerprint, { strategy: "device_and_inode" });
    assert.equal(logs.max_line_bytes, 2 * 2 ** 20);
    assert.deepEqual(traces?.group_by, ["file"]);
    assert.deepEqual(output.acknowledgements, { enabled: true });
    assert.equal(environment, undefined);
    // Its volume holds the read positions too.
    assert.deepEqual(output.buffer, [{ type: "disk", max_size: 4 * 2 ** 30 - 32 * 2 ** 20, when_full: "block" }]);
    assert.deepEqual(constants.pod, {
      namespace_name: "ts-team",
      pod_name: "curl-ts",
      container_name: "responder",
      labels: { "app_kubernetes_io/name": "curl-ts" },
    });
    assert.equal(constants.team, "ts");
    assert.doesNotMatch(program, /stream/);
  });

  it("reports what it does not support", () => {
    assert.deepEqual(vector.unsupported(pipelineOf({})), []);
    assert.deepEqual(vector.unsupported(pipelineOf({ buffer: { size: "200Mi", whenFull: "drop-oldest" } })), [
      {
        path: ["buffer", "whenFull"],
        message: "must be block or drop-newest with Vector, which cannot drop the oldest lines",
        value: "drop-oldest",
      },
      {
        path: ["buffer", "size"],
        message: "must be at least 257Mi with Vector, whose buffer has files of 128Mi",
        value: "200Mi",
      },
    ]);
    const url = "https://logs.example.com/a%2Fb";
    assert.deepEqual(
      vector.unsupported(pipelineOf({ buffer: { whenFull: "block" }, destination: { kind: "http", url } })),
      [
        {
          path: ["destination", "url"],
          message:
            "must be a URL without '%', '{{' and 'SECRET[' with Vector, which reads them as a date, a field or a secret",
          value: url,
        },
      ],
    );
    const small = (size: string) =>
      vector.unsupported(pipelineOf({ buffer: { whenFull: "block", size } }, "application")).map(({ path }) => path);
    assert.deepEqual(small("288Mi"), [["buffer", "size"]]);
    assert.deepEqual(small("289Mi"), []);
  });
});
