import assert from "node:assert/strict";
import { parse } from "yaml";
import { z } from "zod";
import type { TeamNamespaces } from "../../../../components/kubernetes/labels.ts";
import { carriersOf, pipelineOf as readerPipeline } from "../../../../components/logging/carriers.ts";
import { fluentBit } from "../../../../components/logging/collectors/fluent-bit/index.ts";
import { forSources } from "../../../../components/logging/pipeline.ts";
import { destinationsOfLine, indicesOfTarget, targetsOf } from "../../../../components/logging/routing/routes.ts";
import { COLLECTOR_IDS, LoggingSettings } from "../../../../components/logging/settings.ts";
import { checkLogging } from "../../../../components/logging/validation.ts";
import { formatIssue } from "../../../../components/schema/errors.ts";
import { pipelineOf, render } from "../collectors/fluent-bit/rendered.ts";

const issues = (settings: object) =>
  checkLogging(LoggingSettings.parse(settings), "eks")
    .filter(({ severity }) => severity !== "warning")
    .map(formatIssue);
/** Settings of two sources and routes to one of several destinations. */
const routed = (...routes: object[]) => ({
  sources: ["pods", "auth"],
  destinations: { search: { kind: "opensearch", host: "search.example.com" } },
  routes,
});
const CONTEXT = { cluster: "test", region: undefined };
const SEARCH = { kind: "opensearch", host: "search.example.com" };

const Section = z.record(z.string(), z.unknown());
const Sender = z.object({
  pipeline: z.object({ inputs: z.array(Section), filters: z.array(Section).default([]), outputs: z.array(Section) }),
});

describe("Sources", () => {
  it("are the pods alone by default, which changes no configuration", () => {
    assert.deepEqual(render({ sources: ["pods"] }).configuration, render({}).configuration);
    assert.doesNotMatch(JSON.stringify(render({}).configuration), /journal/);
  });

  it("give each part of the journal its own position and index names", () => {
    const { configuration } = render({
      sources: ["pods", "auth", "kubelet"],
      destination: SEARCH,
      index: { splitBy: "team" },
    });
    const { inputs, filters, outputs } = configuration.pipeline;
    const journal = inputs.filter(({ name }) => name === "systemd");
    assert.deepEqual(
      journal.map(({ tag, db, path, systemd_filter }) => [tag, db, path, systemd_filter]),
      [
        [
          "journal.kubelet",
          "/var/lib/fluent-bit/journal-kubelet.db",
          "/var/log/journal",
          ["_SYSTEMD_UNIT=kubelet.service"],
        ],
        [
          "journal.auth",
          "/var/lib/fluent-bit/journal-auth.db",
          "/var/log/journal",
          ["SYSLOG_FACILITY=4", "SYSLOG_FACILITY=10"],
        ],
      ],
    );
    for (const input of journal) assert.equal(input["storage.type"], "filesystem");
    assert.deepEqual(
      outputs.map(({ match, logstash_prefix, logstash_prefix_key }) => [match, logstash_prefix, logstash_prefix_key]),
      [
        ["kube.*", "logs", "$TAG[999]logs-$index_split"],
        ["journal.kubelet", "logs-node-kubelet", undefined],
        ["journal.auth", "logs-node-auth", undefined],
      ],
    );
    assert.ok(filters.some(({ match, name }) => match === "journal.auth" && name === "modify"));
  });

  describe("with several destinations", () => {
    const destinations = {
      archive: { kind: "s3" },
      search: { ...SEARCH, index: { prefix: "app" } },
      siem: { kind: "splunk", url: "https://splunk.example.com", token: { secretName: "hec" } },
    };
    const routes = [
      { to: ["archive"] },
      { to: ["search"], sources: ["pods"], namespaces: ["shop"] },
      { to: ["siem"], sources: ["auth", "kernel"] },
      { to: ["search"], sources: ["kernel"] },
    ];
    const settings = { sources: ["pods", "kernel", "auth"], destinations, routes };
    const { configuration, files } = render(settings);
    const sender = (name: string) => Sender.parse(parse(files[`sender-${name}.yaml`] ?? "")).pipeline.outputs;

    it("are read once, and passed to the senders of their routes", () => {
      assert.deepEqual(issues(settings), []);
      const { inputs, outputs } = configuration.pipeline;
      assert.equal(inputs.filter(({ name }) => name === "systemd").length, 2);
      const [archive, search, siem] = outputs.map(({ match_regex }) => new RegExp(String(match_regex)));
      const tags = ["kube.shop_a_u_c", "kube.other_a_u_c", "journal.kernel", "journal.auth"];
      const taken = (match: RegExp | undefined) => tags.filter((tag) => match?.test(tag));
      assert.deepEqual(taken(archive), tags);
      assert.deepEqual(taken(search), ["kube.shop_a_u_c", "journal.kernel"]);
      assert.deepEqual(taken(siem), ["journal.kernel", "journal.auth"]);
    });

    it("have an output for each source there, under its own names", () => {
      assert.deepEqual(
        sender("archive").map(({ match, s3_key_format, store_dir }) => [match, s3_key_format, store_dir]),
        [
          ["kube.*", "/logs/%Y/%m/%d/%H/$UUID.gz", "/var/lib/fluent-bit/s3-archive"],
          ["journal.kernel", "/logs/node/kernel/%Y/%m/%d/%H/$UUID.gz", "/var/lib/fluent-bit/journal-s3-kernel-archive"],
          ["journal.auth", "/logs/node/auth/%Y/%m/%d/%H/$UUID.gz", "/var/lib/fluent-bit/journal-s3-auth-archive"],
        ],
      );
      assert.deepEqual(
        sender("search").map(({ match, logstash_prefix }) => [match, logstash_prefix]),
        [
          ["kube.*", "app"],
          ["journal.kernel", "app-node-kernel"],
        ],
      );
      assert.deepEqual(
        sender("siem").map(({ match }) => match),
        ["journal.kernel", "journal.auth"],
      );
    });
  });

  it("determine a line's destinations", () => {
    const targets = targetsOf(
      LoggingSettings.parse({
        sources: ["pods", "kernel"],
        destinations: { all: SEARCH, errors: { kind: "stdout" } },
        routes: [{ to: ["all"] }, { to: ["errors"], levels: ["error"] }],
      }),
    );
    const line = { namespace: "shop", labels: {}, stream: "stdout", fields: { level: "error" } };
    assert.deepEqual(destinationsOfLine(targets, line), ["all", "errors"]);
    assert.deepEqual(destinationsOfLine(targets, { ...line, source: "kernel" }), ["all"]);
    assert.deepEqual(
      targets.map(({ name, sources }) => [name, sources.join()]),
      [
        ["all", "pods,kernel"],
        ["errors", "pods"],
      ],
    );
    const now = new Date("2026-02-03T04:05:06Z");
    const names = targets.map((target) => indicesOfTarget(target, [{ name: "ts" }], now));
    assert.deepEqual(names[0], ["logs-2026.02.03", "logs-node-kernel-2026.02.03"]);
  });

  it("reject teams and namespaces with the same names", () => {
    const found = (settings: object, teams: readonly TeamNamespaces[]) =>
      checkLogging(LoggingSettings.parse({ sources: ["pods", "kernel"], ...settings }), "eks", undefined, teams)
        .filter(({ severity }) => severity !== "warning")
        .map(formatIssue);
    const s3 = { destination: { kind: "s3", bucket: "b-1" }, index: { splitBy: "team" } };
    assert.deepEqual(found(s3, [{ name: "ts" }]), []);
    assert.match(
      found(s3, [{ name: "node" }]).join(),
      /^index\.splitBy: must not be team, since lines of team node would have the same prefix as those of a source/,
    );
    const search = { destination: SEARCH, index: { splitBy: "team" } };
    assert.deepEqual(found(search, [{ name: "node" }]), []);
    assert.match(
      found(search, [{ name: "node-kernel" }]).join(),
      /^index\.splitBy: .* same index as those of a source/,
    );
    assert.deepEqual(found({ ...search, index: { splitBy: "team", separator: "." } }, [{ name: "node-kernel" }]), []);
    const byNamespace = { destination: SEARCH, index: { splitBy: "namespace" } };
    const teams = [{ name: "ts", namespaces: [{ name: "node-kernel" }] }];
    assert.match(found(byNamespace, teams).join(), /lines of namespace node-kernel/);
  });

  it("read events apart from the nodes, without the database of UIDs", () => {
    const of = (settings: object) => {
      const whole = pipelineOf({ sources: ["pods", "kernel", "events"], ...settings });
      const text = fluentBit.render(forSources(whole, (source) => source === "events")).files["fluent-bit.yaml"] ?? "";
      return Sender.parse(parse(text)).pipeline;
    };
    const search = of({ destination: SEARCH });
    assert.deepEqual(
      search.inputs.map(({ name, db }) => [name, db]),
      [
        ["kubernetes_events", undefined],
        ["splunk", undefined],
      ],
    );
    assert.deepEqual(
      search.outputs.map(({ match, logstash_prefix, generate_id }) => [match, logstash_prefix, generate_id]),
      [["events", "logs-cluster-events", "on"]],
    );
    assert.ok(search.filters.every(({ match }) => match === "events"));
    const removed = search.filters.flatMap(({ remove }) => remove ?? []);
    assert.deepEqual(removed, ["metadata:managedFields", "kind", "apiVersion"]);
    // It would lose what is not in the buffer yet when it is killed.
    assert.equal(of({ destination: { kind: "http", url: "http://a" } }).inputs[0]?.db, undefined);
    assert.equal(search.inputs[0]?.kube_retention_time, "3650d");
    const [log] = of({ destination: { kind: "cloudwatch" } }).outputs;
    assert.deepEqual([log?.log_stream_name, log?.log_stream_template], ["events", undefined]);
  });

  it("are redacted, and have the fields of the settings and the cluster", () => {
    const processing = { redact: ["email"], fields: { stage: "prod" } };
    const { configuration } = render({ sources: ["pods", "auth"], metadata: { cluster: true }, processing });
    const journal = configuration.pipeline.filters.filter(({ match }) => String(match).startsWith("journal."));
    assert.deepEqual(
      journal.map(({ name, match, call }) => [name, match, call]),
      [
        ["record_modifier", "journal.auth", undefined],
        ["modify", "journal.auth", undefined],
        ["lua", "journal.*", "redact"],
        ["modify", "journal.*", undefined],
        ["record_modifier", "journal.*", undefined],
      ],
    );
    const fields = JSON.stringify(journal.at(-1)?.record);
    assert.match(fields, /"k8s_cluster_name \w+"/);
    assert.match(fields, /"stage prod"/);
  });

  it("have their own streams, keys and labels elsewhere", () => {
    const of = (destination: object) =>
      render({ sources: ["pods", "kernel"], destination }).configuration.pipeline.outputs[1] ?? {};
    assert.equal(of({ kind: "cloudwatch" }).log_stream_template, "$node.kernel");
    assert.match(String(of({ kind: "s3" }).s3_key_format), /^\/logs\/node\/kernel\//);
    assert.notEqual(of({ kind: "s3" }).store_dir, "/var/lib/fluent-bit/s3");
    assert.match(String(of({ kind: "loki", url: "http://loki:3100" }).labels), /source=kernel/);
    assert.equal(of({ kind: "file" }).file, "kernel.log");
  });

  it("may include events with any node collector, which need not support destinations of events", () => {
    for (const collector of COLLECTOR_IDS.filter((id) => id !== "tail")) {
      const loki = collector === "promtail" || collector === "opentelemetry";
      const destination = loki ? { kind: "loki", url: "http://loki:3100" } : undefined;
      assert.deepEqual(issues({ sources: ["pods", "events"], collector, destination }), []);
    }
    const destinations = { all: { kind: "http", url: "http://a/" }, siem: { kind: "otlp", url: "http://b:4318" } };
    const routes = [{ to: ["all"] }, { to: ["siem"], sources: ["events"] }];
    const vector = { sources: ["pods", "events"], collector: "vector", destinations };
    assert.deepEqual(issues({ ...vector, routes }), []);
    assert.match(issues(vector).join(), /^destinations\.siem\.kind: must be .* with Vector/);
  });

  it("count for effects, even if only they have indices", () => {
    const settings = LoggingSettings.parse({
      sources: ["pods", "events"],
      collector: "vector",
      index: { prefix: "app" },
      destinations: { hook: { kind: "http", url: "http://a/" }, search: SEARCH },
      routes: [
        { to: ["hook"], sources: ["pods"] },
        { to: ["search"], sources: ["events"] },
      ],
    });
    assert.deepEqual(checkLogging(settings, "eks"), []);
  });

  it("warn of an image that is not used", () => {
    const events = { image: "registry.test/fluent-bit:1" };
    const found = (settings: object) => checkLogging(LoggingSettings.parse({ events, ...settings }), "eks");
    assert.deepEqual(found({}).map(formatIssue), [
      'events.image: has no effect without the source events (found "registry.test/fluent-bit:1")',
    ]);
    assert.deepEqual(found({ sources: ["pods", "events"] }), []);
  });

  for (const [collector, whenFull] of [
    ["vector", "drop-newest"],
    ["vector", "block"],
    ["fluent-bit", "block"],
  ] as const)
    it(`are dropped oldest first where ${collector} would ${whenFull}, with a warning`, () => {
      const buffer = { whenFull };
      const parsed = LoggingSettings.parse({ collector, buffer, sources: ["pods", "events"] });
      const warning = `buffer.whenFull: is drop-oldest for events, which Fluent Bit reads (found "${whenFull}")`;
      assert.deepEqual(checkLogging(parsed, "eks").map(formatIssue), [warning]);
      assert.deepEqual(checkLogging({ ...parsed, sources: ["pods"] }, "eks"), []);
      const [, reader] = carriersOf(parsed);
      assert.ok(reader);
      const files = JSON.stringify(reader.collector.render(readerPipeline(reader, CONTEXT)).files);
      assert.match(files, /storage.total_limit_size/);
      assert.doesNotMatch(files, /pause_on_chunks_overlimit/);
    });

  for (const [settings, expected] of [
    [{ sources: ["kubelet"] }, /^sources: must contain pods/],
    [
      { sources: ["pods", "kubelet"], collector: "fluentd" },
      /^sources: must not contain kubelet with Fluentd, which does not read the journal here: set collector fluent-bit, opentelemetry or vector/,
    ],
    [
      {
        sources: ["pods", "events"],
        collector: "vector",
        destination: { kind: "elasticsearch", host: "h", token: { secretName: "key" } },
        index: { prefix: "app" },
      },
      /^destination\.token: must not be set with Fluent Bit, which cannot send a token to elasticsearch here \(it reads the source events\)/,
    ],
    [
      {
        sources: ["pods", "events"],
        collector: "fluentd",
        destination: SEARCH,
        index: { timeZone: "Europe/Madrid" },
      },
      /^index\.timeZone: must be UTC with Fluent Bit, .* \(it reads the source events\)/,
    ],
    [
      { sources: ["pods", "events"], collector: "vector", destination: { kind: "http", url: "http://a/$" + "{b}" } },
      /^destination\.url: must be a URL without '\$\{' with Fluent Bit, .* \(it reads the source events\)/,
    ],
    [
      { sources: ["pods", "events"], destination: { kind: "file" } },
      /^destination\.kind: must not be file for the source events/,
    ],
    [{ sources: ["pods", "kubelet"], mode: "sidecar" }, /^sources: must be only pods with mode sidecar/],
    [routed({ to: ["search"], sources: ["pods"] }), /^sources: must each have a route, but auth has none/],
    [
      routed({ to: ["search"], sources: ["kernel"] }, { to: ["search"] }),
      /^routes\[0\]\.sources\[0\]: must be one of sources: pods, auth \(found "kernel"\)/,
    ],
    [
      routed({ to: ["search"], sources: ["auth"], streams: ["stderr"] }, { to: ["search"] }),
      /^routes\[0\]\.streams: must not be set with sources other than pods/,
    ],
    [
      { sources: ["pods", "auth"], destination: { kind: "elasticsearch", host: "h" } },
      /^index: prefix and separator must not form a name that Elasticsearch reserves .* with the source after them/,
    ],
  ] as const)
    it(`are refused: ${JSON.stringify(settings)}`, () => {
      const found = issues(settings);
      assert.equal(found.filter((line) => expected.test(line)).length, 1, found.join("\n"));
    });
});
