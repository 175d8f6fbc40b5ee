import assert from "node:assert/strict";
import { z } from "zod";
import { opentelemetry } from "../../../../../components/logging/collectors/opentelemetry/index.ts";
import { render, unsupported } from "./rendered.ts";

describe("OpenTelemetry Collector", () => {
  it("reads pods' files and rotated ones, and never its own", () => {
    const { files } = render({ namespaces: { include: ["ts-team"], exclude: ["kube-system"] } });
    assert.deepEqual(files.include, [
      "/var/log/pods/ts-team_*/*/*.log",
      "/var/log/pods/ts-team_*/*/*.log.20??????-??????",
    ]);
    assert.deepEqual(files.exclude, [
      "/var/log/pods/kube-system_*/*/*.log",
      "/var/log/pods/kube-system_*/*/*.log.20??????-??????",
      "/var/log/pods/logging_*/*/*.log",
      "/var/log/pods/logging_*/*/*.log.20??????-??????",
    ]);
  });

  it("tells an application's files apart behind a banner, and pods' files by their first line's time", () => {
    assert.equal(render({ mode: "sidecar" }, "application").files.fingerprint_size, "16KiB");
    assert.equal(render().files.fingerprint_size, undefined);
  });

  it("reads bytes, and converts them to text once the parts of a line are joined", () => {
    const { encoding, operators } = render().files;
    assert.equal(encoding, "utf-8-raw");
    const types = z.array(z.looseObject({ type: z.string() })).parse(operators);
    assert.deepEqual(
      types.filter(({ id, type }) => type === "container" || id === "text").map(({ type, value }) => [type, value]),
      [
        ["container", undefined],
        ["container", undefined],
        ["add", "EXPR(fromJSON(toJSON(body)))"],
      ],
    );
  });

  it("does not log lines in unknown formats, whose error would quote them", () => {
    const operators = z.array(z.looseObject({ type: z.string() })).parse(render().files.operators);
    const container = operators.filter(({ type }) => type === "container");
    assert.deepEqual(
      container.map((operator) => operator.on_error),
      ["send_quiet", "send_quiet"],
    );
  });

  it("knows the pod of a line in an unknown format by its file, at the price of one condition for all others", () => {
    const operators = z.array(z.looseObject({ type: z.string() })).parse(render().files.operators);
    const folder = 'split(split(attributes["log.file.path"], "/")[-3], "_")';
    const add = (name: string, value: string) => ({
      type: "add",
      id: name,
      field: `resource["${name}"]`,
      value: `EXPR(${value})`,
    });
    assert.deepEqual(operators.slice(2, 7), [
      {
        type: "router",
        routes: [{ expr: 'resource["k8s.pod.name"] == nil', output: "k8s.namespace.name" }],
        default: "text",
      },
      add("k8s.namespace.name", `${folder}[0]`),
      add("k8s.pod.name", `${folder}[1]`),
      add("k8s.pod.uid", `${folder}[2]`),
      add("k8s.container.name", 'split(attributes["log.file.path"], "/")[-2]'),
    ]);
    // It has no stream.
    const source = operators.find(({ field }) => field === "attributes.source");
    assert.equal(source?.value, 'EXPR(attributes["log.file.path"] + (attributes["log.iostream"] ?? ""))');
  });

  it("drops OTLP too by namespace, annotation and label", () => {
    const { processors } = render({ namespaces: { include: ["a", "b"] }, labels: { app: "curl" } });
    assert.deepEqual(processors.filter?.log_conditions, [
      'resource.attributes["k8s.namespace.name"] == "logging"',
      'resource.attributes["k8s.namespace.name"] != "a" and resource.attributes["k8s.namespace.name"] != "b"',
      'IsMatch(resource.attributes["opt-out"], "(?i)^(?:true|on|yes)$$")',
      'resource.attributes["label/app"] != "curl"',
    ]);
  });

  it("receives OTLP on a node, on its declared ports", () => {
    assert.deepEqual(render().receivers.otlp, {
      protocols: { grpc: { endpoint: "0.0.0.0:4317" }, http: { endpoint: "0.0.0.0:4318" } },
    });
    assert.deepEqual(opentelemetry.ports, { metrics: 8888, "otlp-grpc": 4317, "otlp-http": 4318 });
  });

  it("takes the line breaks of an application's files itself, since the reader sends no empty text", () => {
    const of = (settings: object) => render(settings, "application").files;
    const single = of({ multiline: [], parseJson: false });
    assert.deepEqual(single.multiline, { line_end_pattern: "\\n" });
    assert.equal(single.preserve_trailing_whitespaces, true);
    const lineEnds = { type: "regex_replace", field: "body", regex: "(?m)\\r$|\\n\\z", replace_with: "" };
    assert.deepEqual(single.operators, [lineEnds]);
    const traces = of({ parseJson: false });
    assert.deepEqual([Object.keys(Object(traces.multiline)), traces.operators], [["line_start_pattern"], [lineEnds]]);
  });

  it("does not use the API beside an application, and knows its pod", () => {
    const { receivers, processors, statements, files } = render({ index: { splitBy: "app" } }, "application");
    assert.deepEqual(Object.keys(receivers), ["file_log"]);
    assert.deepEqual(files.include, ["/var/log/app/*.log", "/var/log/app/*.log.1"]);
    assert.deepEqual(Object.keys(processors), ["memory_limiter", "transform"]);
    for (const [name, value] of [
      ["k8s.namespace.name", "ts-team"],
      ["k8s.pod.name", "curl-ts"],
      ["k8s.container.name", "responder"],
      ["team", "ts"],
      ["label/app.kubernetes.io/name", "curl-ts"],
    ])
      assert.ok(statements.includes(`set(resource.attributes["${name}"], "${value}")`), name);
    assert.ok(!statements.some((statement) => statement.includes('set(log.attributes["elasticsearch.document_id"]')));
  });

  it("has no dots in field names for search engines", () => {
    const dots = (settings: object) =>
      render(settings).statements.filter((statement) => statement.includes(' where log.body["fields"] != nil'));
    // Its maps have no order: a_b is sent in the place of a.b, not one of them by chance.
    assert.deepEqual(
      dots({}),
      [
        'set(log.cache["plain"], log.body["fields"])',
        'delete_matching_keys(log.cache["plain"], "\\\\.")',
        'replace_all_patterns(log.body["fields"], "key", "\\\\.", "_")',
        'merge_maps(log.body["fields"], log.cache["plain"], "upsert")',
      ].map((statement) => `${statement} where log.body["fields"] != nil`),
    );
    assert.deepEqual(dots({ destination: { kind: "s3" } }), []);
  });

  it("prefers labels and annotations without dots in their names to those that would replace them", () => {
    const { statements } = render({ metadata: { annotations: true } });
    for (const name of ["labels", "annotations"]) {
      const at = statements.indexOf(`replace_all_patterns(resource.cache["${name}"], "key", "\\\\.", "_")`);
      assert.deepEqual(statements.slice(at - 2, at + 2), [
        `set(resource.cache["plain"], resource.cache["${name}"])`,
        'delete_matching_keys(resource.cache["plain"], "\\\\.")',
        statements[at],
        `merge_maps(resource.cache["${name}"], resource.cache["plain"], "upsert")`,
      ]);
    }
  });

  it("joins and parses only if enabled", () => {
    const types = (settings: object) =>
      z
        .array(z.looseObject({ type: z.string() }))
        .parse(render(settings).files.operators)
        .map(({ type }) => type);
    const [container, placed] = ["container", ["router", "add", "add", "add", "add"]];
    const read = [container, container, ...placed, "add"];
    assert.deepEqual(types({}), [...read, "add", "recombine", "json_parser"]);
    assert.deepEqual(types({ multiline: [], parseJson: false }), read);
  });

  it("reports what it does not support", () => {
    assert.deepEqual(unsupported({}), []);
    assert.deepEqual(
      unsupported({
        buffer: { size: "32Mi", whenFull: "drop-oldest" },
        index: { timeZone: "Europe/Madrid", datePattern: "xxxx.ww" },
      }),
      [
        "buffer.whenFull: must be block or drop-newest with the OpenTelemetry Collector, which cannot drop the oldest lines",
        "buffer.size: must be at least 64Mi with the OpenTelemetry Collector, whose queue holds half of it",
        "index.timeZone: must be UTC with the OpenTelemetry Collector, which dates indices in UTC",
        "index.datePattern: must not use xxxx and ww, which the OpenTelemetry Collector does not support",
      ],
    );
    const refused = (prefix: string) => unsupported({ destination: { kind: "s3", bucket: "acme-logs", prefix } });
    for (const prefix of [".", "a/../b", "./a"])
      assert.match(refused(prefix).join(), /^destination\.prefix: must have no '\.' or '\.\.' between slashes/, prefix);
    for (const prefix of ["", "logs", "/logs", "logs/", "a//b", "a/b.c"]) assert.deepEqual(refused(prefix), [], prefix);
  });

  it("defines every component that a pipeline names, and no other", () => {
    for (const source of [undefined, "application"] as const) {
      const { receivers, processors, exporters, extensions, service } = render({}, source);
      assert.deepEqual(service.pipelines.logs.receivers, Object.keys(receivers));
      assert.deepEqual(service.pipelines.logs.processors, Object.keys(processors));
      assert.deepEqual(service.pipelines.logs.exporters, Object.keys(exporters));
      assert.deepEqual(service.extensions, Object.keys(extensions));
    }
  });
});
