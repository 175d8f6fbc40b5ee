import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { z } from "zod";
import { fluentBit } from "../../../../../components/logging/collectors/fluent-bit/index.ts";
import { DESTINATIONS } from "../pipelines.ts";
import { pipelineOf, render } from "./rendered.ts";

const Names = z.array(z.string());
const Options = z.object({
  service: Names,
  parsers: Names,
  multiline_parsers: Names,
  inputs: z.record(z.string(), Names),
  filters: z.record(z.string(), Names),
  outputs: z.record(z.string(), Names),
});
/** Every option that Fluent Bit documents for the plugins that are rendered. */
const documented = Options.parse(JSON.parse(readFileSync(new URL("./options.json", import.meta.url), "utf8")));

describe("Fluent Bit's configuration", () => {
  for (const destination of DESTINATIONS) {
    for (const splitBy of ["none", "team", "namespace", "app"]) {
      it(`has no option that Fluent Bit does not document: ${JSON.stringify(destination)}, split by ${splitBy}`, () => {
        const { configuration } = render({ destination, index: { splitBy }, labels: { app: "web" } });
        const check = (kind: "inputs" | "filters" | "outputs") => {
          for (const { name, ...options } of configuration.pipeline[kind]) {
            for (const option of Object.keys(options)) {
              assert.ok(documented[kind][String(name)]?.includes(option), `${kind} ${name}: ${option}`);
            }
          }
        };
        for (const option of Object.keys(configuration.service)) assert.ok(documented.service.includes(option), option);
        for (const kind of ["parsers", "multiline_parsers"] as const) {
          for (const option of configuration[kind].flatMap((section) => Object.keys(section))) {
            assert.ok(documented[kind].includes(option), `${kind}: ${option}`);
          }
        }
        check("inputs");
        check("filters");
        check("outputs");
      });
    }
  }

  it("buffers on disk, stores its positions and sees a new file within a second", () => {
    const { input, configuration } = render({});
    assert.equal(input["storage.type"], "filesystem");
    assert.equal(input.db, "/var/lib/fluent-bit/positions.db");
    assert.deepEqual([input["db.locking"], input.file_cache_advise], ["on", "off"]);
    assert.equal(configuration.service["storage.path"], "/var/lib/fluent-bit/buffer");
    assert.equal(input.refresh_interval, 1);
    assert.equal(input.read_from_head, "on");
    assert.equal(input.buffer_chunk_size, "256k");
    assert.equal(input.threaded, "off");
  });

  it("reads files that were rotated while it was stopped, and watches them until the kubelet deletes them", () => {
    const { input } = render({});
    assert.equal(input.path, "/var/log/pods/*_*/*/*.log,/var/log/pods/*_*/*/*.log.20??????-??????");
    // Forgotten earlier, a rotated file would be taken for a new one and read again.
    assert.ok(Number(input.rotate_wait) >= 86_400);
  });

  it("gets namespace, pod and container from the file's path, and distinguishes pods with one name by UID", () => {
    const { input, configuration, named } = render({});
    const place = "/var/log/pods/ts-team_curl-ts_72bef1b5-8a16/responder/0.log";
    const tag = new RegExp(String(input.tag_regex)).exec(place);
    const container = { namespace: "ts-team", pod: "curl-ts", uid: "72bef1b5-8a16", container: "responder" };
    assert.deepEqual({ ...tag?.groups }, container);
    assert.equal(input.tag, "kube.<namespace>_<pod>_<uid>_<container>");
    const [fromTag, fromApi] = named("kubernetes").map(({ regex_parser }) => {
      const parser = configuration.parsers.find(({ name }) => name === regex_parser);
      return { ...new RegExp(String(parser?.regex)).exec("ts-team_curl-ts_72bef1b5-8a16_responder")?.groups };
    });
    const names = { namespace_name: "ts-team", pod_name: "curl-ts", container_name: "responder" };
    assert.deepEqual(fromTag, names);
    assert.deepEqual(fromApi, { ...names, docker_id: "72bef1b5-8a16" });
  });

  it("looks for a team only in lines of teams' namespaces, and in all of these", () => {
    const { configuration, filter } = render({});
    const team = configuration.parsers.find(({ name }) => name === "team");
    const asked = new RegExp(String(filter("parser")?.match_regex));
    const known = new RegExp(String(team?.regex));
    const namespace = fc.oneof(
      fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,9}[a-z0-9])?$/),
      fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,5}[a-z0-9])?(-team){1,2}(-x)?$/),
    );
    fc.assert(
      fc.property(namespace, fc.constantFrom("curl-ts", "a-team", "x.y-team"), (name, pod) => {
        assert.equal(asked.test(`kube.${name}_${pod}_72bef1b5-8a16_b-team`), known.test(name));
      }),
    );
  });

  it("knows a pod by the tag before it queries the API server, where the pod may be deleted", () => {
    const [fromTag, fromApi] = render({}).named("kubernetes");
    assert.equal(fromTag?.use_tag_for_meta, "on");
    // Without an answer the second one parses JSON all the same, and the record is short in the first one.
    assert.deepEqual([fromTag?.merge_log, fromApi?.merge_log], ["off", "on"]);
    assert.equal(fromApi?.use_tag_for_meta, undefined);
    assert.equal(fromApi?.cache_use_docker_id, "on");
    // Before its probes give it up: 70 s.
    assert.ok(Number(fromApi?.dns_retries) * Number(fromApi?.dns_wait_time) < 30);
  });

  it("keeps the values of a line's JSON unchanged", () => {
    assert.equal(render({}).named("kubernetes")[1]?.merge_log_trim, "off");
    const merge = render({ parseJson: false })
      .named("kubernetes")
      .map(({ merge_log }) => merge_log);
    assert.deepEqual(merge, ["off", "off"]);
  });

  it("rejects a buffer that drops lines while they are sent", () => {
    const wrong = (buffer: object) => fluentBit.unsupported(pipelineOf({ buffer })).map(({ path }) => path.join("."));
    assert.deepEqual(wrong({ size: "63Mi" }), ["buffer.size"]);
    assert.deepEqual([...wrong({ size: "64Mi" }), ...wrong({ size: "1Mi", whenFull: "block" })], []);
  });

  it("answers liveness probes from the thread that reads", () => {
    const { liveness } = fluentBit;
    const [, alive] = render({}).configuration.pipeline.inputs;
    assert.ok(liveness !== undefined && "port" in liveness);
    assert.deepEqual([alive?.name, alive?.port], ["splunk", liveness.port]);
    // Its lines go nowhere.
    assert.doesNotMatch(String(alive?.tag), /^kube\./);
  });

  it("never reads its own namespace", () => {
    const own = "/var/log/pods/logging_*/*/*.log,/var/log/pods/logging_*/*/*.log.20??????-??????";
    assert.equal(render({}).input.exclude_path, own);
    const { input } = render({ namespaces: { include: ["ts-team", "sa-team"], exclude: ["kube-system"] } });
    assert.deepEqual(String(input.path).split(","), [
      "/var/log/pods/sa-team_*/*/*.log",
      "/var/log/pods/sa-team_*/*/*.log.20??????-??????",
      "/var/log/pods/ts-team_*/*/*.log",
      "/var/log/pods/ts-team_*/*/*.log.20??????-??????",
    ]);
    assert.ok(String(input.exclude_path).startsWith("/var/log/pods/kube-system_*/*/*.log,"));
    assert.ok(String(input.exclude_path).endsWith(own));
  });

  it("joins stack traces with one parser for all languages, JavaScript's with Java's rules", () => {
    const starts = (multiline?: string[]) =>
      (render(multiline === undefined ? {} : { multiline }).joining("stack_trace")?.rules ?? [])
        .filter(({ state }) => String(state).startsWith("start_state"))
        .map(({ regex }) => regex);
    const words = ["Exception", "Error", "Throwable", "V8 errors stack trace"];
    const java = [
      "/\\A\\[.*Error.*\\] \\{$/",
      ...words.map((word) => `/${word}(?:\\]?:|\\)?$| \\[)/`),
      "/\\A[\\t ]+at /",
    ];
    const python = [
      "/\\ATraceback \\(most recent call last\\):$/",
      "/\\A +\\+ Exception Group Traceback \\(most recent call last\\):$/",
    ];
    const go = [
      "/ panicked at .*:\\d+:$/",
      "/\\A(?:(?:panic|fatal error|SIG[A-Z]+): |runtime: goroutine stack exceeds )/",
      "/\\bpanic: /",
      "/http: panic serving/",
      "/\\Agoroutine \\d+ \\[[^\\]]+\\]:$/",
    ];
    assert.deepEqual(starts(["node"]), java);
    assert.deepEqual(starts(), [...java, ...python, ...go]);
    assert.deepEqual(starts([]), []);
    assert.equal(render({ multiline: [] }).filter("multiline"), undefined);
    assert.equal(render({}).filter("multiline")?.["multiline.parser"], "stack_trace");
    assert.equal(render({}).joining("stack_trace")?.key_group, "stream");
  });

  it("leads from each rule to an existing state, without which Fluent Bit does not start", () => {
    const rules = render({}).joining("stack_trace")?.rules ?? [];
    const states = new Set(rules.flatMap(({ state }) => String(state).split(",")));
    for (const { next_state } of rules) assert.ok(states.has(String(next_state)), String(next_state));
  });

  it("keeps empty lines where records continue until the next first line, with a filter that costs each line", () => {
    const mended = (settings: object) =>
      render(settings)
        .named("modify")
        .filter(({ set }) => set === 'log ""')
        .map(({ condition }) => condition);
    assert.deepEqual(mended({}), []);
    const firstLines = [{ pattern: "^[0-9]" }];
    assert.deepEqual(mended({ multiline: [], processing: { firstLines } }), ["key_value_matches log \\A\\n\\z"]);
  });

  it("truncates no line, and accepts empty ones", () => {
    const { configuration, input, joining } = render({});
    assert.equal(configuration.service.multiline_buffer_limit, 0);
    assert.equal(input["multiline.parser"], "cri_parts");
    // Fluent Bit gives the parser of one to those after it that name none.
    assert.deepEqual(
      configuration.multiline_parsers.map(({ name }) => name),
      ["stack_trace", "cri_parts"],
    );
    const line = configuration.parsers.find(({ name }) => name === joining("cri_parts")?.parser);
    assert.equal(line?.skip_empty_values, "off");
    assert.equal(line?.time_keep, "on");
  });

  it("parses a time without a fraction, and no other word", () => {
    const { configuration } = render({});
    const line = configuration.parsers.find(({ name }) => name === "cri_line");
    assert.equal(line?.time_strict, "off");
    // Its engine has `(?m:…)` where a dot is a line break too.
    const pattern = new RegExp(String(line?.regex).replace("\\A", "^").replace("(?m:", "(?:"), "s");
    const times = ["10:00:00Z", "10:00:00.5+02:00", "10:00:00.123456789Z", "10:00:00.123456789+00:00"];
    for (const time of times.map((time) => `2026-02-01T${time}`))
      assert.equal(pattern.exec(`${time} stdout F x`)?.groups?.time, time);
    assert.equal(pattern.exec("yesterday stdout F x"), null);
    const texts = fc.array(fc.constantFrom("{", "}", "a", " ", "\n", "\r", "\u20ac")).map((parts) => parts.join(""));
    fc.assert(
      fc.property(texts, (text) => {
        assert.equal(pattern.exec(`2026-02-01T10:00:00.123456789Z stdout P ${text}`)?.groups?.log, text);
      }),
    );
  });

  it("reads pods from the API server, and so needs no permission for nodes/proxy", () => {
    assert.equal(render({}).filter("kubernetes")?.use_kubelet, undefined);
    assert.deepEqual(fluentBit.apiRules, [
      { apiGroups: [""], resources: ["namespaces", "pods"], verbs: ["get", "list", "watch"] },
    ]);
  });

  it("compares labels literally, not as a pattern", () => {
    assert.equal(render({ labels: { app: "a.b" } }).filter("grep")?.regex, "$kubernetes['labels']['app'] ^a\\.b$");
  });
});
